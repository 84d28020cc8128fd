// SPDX-License-Identifier: MIT
/**
 * One of several processes that add and query at once. Every row holds its own id in each of its
 * components, so that a row read in the middle of its being written gives a distance that no whole
 * row has.
 *
 * Usage: `deno run --allow-ffi tests/cli/crowd.ts FIRST_ID STEP COUNT`
 *
 * @module
 */
import { VssClient } from "../../mod.ts";

const DIMENSION = 128;

/** The ids of such rows; the store may hold others. */
const CROWD = { least: 1_000, most: 9_999 };

const [first, step, count] = Deno.args.map(Number);
using client = VssClient.open();
for (let i = 0; i < count!; i++) {
  const id = first! + i * step!;
  const row = new Float32Array(DIMENSION).fill(id);
  client.addVector(id, row);
  const [own] = client.queryTopK(row, 1);
  if (own?.id !== id || own.distance !== 0) throw new Error(`Row ${id} is lost`);
  for (const hit of client.queryTopK(row, 8)) {
    if (hit.id < CROWD.least || hit.id > CROWD.most) continue;
    // Whole numbers this small are exact as 32-bit floats.
    const exact = DIMENSION * (hit.id - id) ** 2;
    if (hit.distance !== exact) throw new Error(`Row ${hit.id} is torn`);
  }
}
