// SPDX-License-Identifier: MIT
/**
 * Stores rows, says so, and then holds the device open until it is killed.
 *
 * Usage: `deno run --allow-ffi tests/cli/hold.ts FIRST_ID COUNT`
 *
 * @module
 */
import { embedText, VssClient } from "../../mod.ts";

const [first, count] = Deno.args.map(Number);
const client = VssClient.open();
for (let id = first!; id < first! + count!; id++) client.addVector(id, embedText(`row ${id}`, 128));
console.log("stored");
setInterval(() => client.stats(), 1_000);
