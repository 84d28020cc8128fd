// SPDX-License-Identifier: MIT
/**
 * Reads one file to its end, as reader.ts does with what it makes. `file.ts FILE`
 *
 * @module
 */
import { formatOfFile } from "../../client/formats/mod.ts";
import { readCase } from "./reader.ts";

const [path = ""] = Deno.args;
await readCase({
  format: formatOfFile(path)!.name,
  bytes: Deno.readFileSync(path),
  piece: undefined,
});
