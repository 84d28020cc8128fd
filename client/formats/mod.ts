// SPDX-License-Identifier: MIT
/**
 * Files of vectors: readers and writers, a batch at a time.
 *
 * Libraries for the formats that need some are loaded when such a file is read or written.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatOfFile, isBad } from "@vss/vss/formats";
 *
 * const text = '{"id": 7, "vector": [1, 2]}\n{"id": 8, "vector": [3]}\n';
 * async function* bytes() {
 *   yield new TextEncoder().encode(text);
 * }
 *
 * const format = formatOfFile("example.jsonl")!;
 * for await (const rows of format.read({ name: "example", size: undefined, bytes }, {})) {
 *   const [good, bad] = rows;
 *   assertEquals(good, { place: 1, id: 7, vector: new Float32Array([1, 2]) });
 *   assertEquals(isBad(bad!) && bad.reason, "Vector must have 2 components, not 1");
 * }
 * ```
 *
 * @module
 */
import { arrow } from "./arrow.ts";
import { fbin, u8bin } from "./bin.ts";
import { csv } from "./csv.ts";
import type { Format } from "./format.ts";
import { jsonl } from "./jsonl.ts";
import { npy } from "./npy.ts";
import { parquet } from "./parquet.ts";
import { txt } from "./txt.ts";
import { bvecs, fvecs, ivecs } from "./vecs.ts";

export {
  type BadRow,
  type ByteSink,
  type ByteSource,
  type FileRow,
  type Format,
  FormatError,
  isBad,
  type ReadOptions,
  type Shape,
} from "./format.ts";

/** All formats. */
export const FORMATS: readonly Format[] = [
  jsonl,
  npy,
  fvecs,
  bvecs,
  ivecs,
  fbin,
  u8bin,
  txt,
  csv,
  parquet,
  arrow,
];

/**
 * Finds a format by its name.
 *
 * @param name The name, such as `npy`.
 * @returns The format, or `undefined` where none has the name.
 */
export function formatByName(name: string): Format | undefined {
  return FORMATS.find((format) => format.name === name);
}

/**
 * Finds a file's format by the end of its name.
 *
 * @param fileName The file's name.
 * @returns The format, or `undefined` where none has such files.
 */
export function formatOfFile(fileName: string): Format | undefined {
  const name = fileName.toLowerCase();
  return FORMATS.find(({ extensions }) => extensions.some((extension) => name.endsWith(extension)));
}
