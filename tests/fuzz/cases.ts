// SPDX-License-Identifier: MIT
/**
 * Files that a seed damages: whole ones of every format, of which parts are cut out, written over or
 * put elsewhere.
 *
 * @module
 */
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { concat } from "@std/bytes";
import { type ByteSource, formatByName, formatOfFile, FORMATS } from "../../client/formats/mod.ts";
import type { Row } from "../../mod.ts";
import { random } from "../model/random.ts";

/** A damaged file. */
export interface Case {
  /** The format that it is read as. */
  readonly format: string;
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes that a pipe gives at a time; a file, where there are none. */
  readonly piece: number | undefined;
}

const TESTDATA = new URL("../testdata/", import.meta.url);

/** Numbers that sizes, counts and lengths are likely not to expect. */
const ODD = [0, 1, 2, 127, 128, 255, 4096, 8192, 8193, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31]
  .concat([2 ** 32 - 1, -1]);

/** Pieces of text that the text formats give a meaning to. */
const WORDS = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  "\n",
  "\r\n",
  "\0",
  "\ufeff",
  "1e999",
  "-",
  "null",
]
  .concat([
    '"id":',
    '"vector":[',
    "99999999999999999999",
    "(",
    ")",
    "'",
    "'shape': (9, ",
    "\\ud800",
  ])
  .concat(["[".repeat(2_000), "9".repeat(400), "\xff\xfe"]);

/** How columns of Parquet may be written. */
const CODECS = ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "BROTLI"] as const;
const compressors = { GZIP: gzipSync, ZSTD: zstdCompressSync, BROTLI: brotliCompressSync };
const ID_ENCODINGS = [
  "PLAIN",
  "RLE_DICTIONARY",
  "DELTA_BINARY_PACKED",
  "BYTE_STREAM_SPLIT",
] as const;
const TEXT_ENCODINGS = [
  "PLAIN",
  "RLE_DICTIONARY",
  "DELTA_LENGTH_BYTE_ARRAY",
  "DELTA_BYTE_ARRAY",
] as const;

const NAMES = FORMATS.map(({ name }) => name);

/** Draws what a case is made of. */
class Dice {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }

  /** An integer from 0 to before a limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** One of a list. */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** The seed of one case of a run. */
export function caseSeed(seed: number, index: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
}

/**
 * Makes a case.
 *
 * @param seed What decides all of it.
 * @param only The format, where it is not drawn.
 * @returns The case.
 */
export async function makeCase(seed: number, only?: string): Promise<Case> {
  const dice = new Dice(seed);
  // Parquet has the most to go wrong.
  const format = only ?? (dice.next() < 0.4 ? "parquet" : dice.of(NAMES));
  let bytes = (await wholeFile(dice, format)).slice();
  for (let i = dice.below(4); i >= 0; i--) bytes = damage(dice, bytes);
  const piece = format === "parquet" || dice.next() < 0.7 ? undefined : 1 + dice.below(5_000);
  return { format, bytes, piece };
}

/** A source of a case's bytes. */
export function caseSource({ bytes, piece }: Case): ByteSource {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += piece ?? 65_536) {
      yield await Promise.resolve(bytes.slice(at, at + (piece ?? 65_536)));
    }
  }
  if (piece !== undefined) return { name: "pipe", size: undefined, bytes: pieces };
  const slice = (start: number, end: number) => Promise.resolve(bytes.slice(start, end));
  return { name: "file", size: bytes.length, bytes: pieces, slice };
}

/** A file as this or another program writes it. */
async function wholeFile(dice: Dice, format: string): Promise<Uint8Array> {
  if (dice.next() < 0.3) {
    const names = Array.from(Deno.readDirSync(TESTDATA), ({ name }) => name).sort();
    const known = names.filter((name) => formatOfFile(name)?.name === format);
    if (known.length > 0) return await Deno.readFile(new URL(dice.of(known), TESTDATA));
  }
  const rows = makeRows(dice, format);
  if (format === "parquet" && dice.next() < 0.7) return await otherParquet(dice, rows);
  return await write(format, rows);
}

function makeRows(dice: Dice, format: string): Row[] {
  const dimension = 1 + dice.below(dice.next() < 0.1 ? 600 : 20);
  const count = dice.below(dice.next() < 0.1 ? 400 : 12);
  const { keeps } = formatByName(format)!;
  return Array.from({ length: count }, (_, i): Row => ({
    id: keeps.includes("id") ? dice.below(2 ** 40) : i,
    vector: Float32Array.from({ length: dimension }, () => dice.below(256)),
    ...(keeps.includes("tags") ? { tags: dice.below(9) } : {}),
    ...(format === "txt" || keeps.includes("payload") && dice.next() < 0.5
      ? { payload: new TextEncoder().encode("text ".repeat(1 + dice.below(5))) }
      : {}),
  }));
}

async function write(format: string, rows: Row[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const sink = {
    name: "sink",
    write: (part: Uint8Array) => Promise.resolve(void parts.push(part.slice())),
    patch(_: number, part: Uint8Array) {
      // Only headers are patched, and those were the first part.
      parts[0] = part.slice();
      return Promise.resolve();
    },
  };
  async function* batches() {
    yield await Promise.resolve(rows);
  }
  const dimension = rows[0]?.vector?.length ?? 4;
  await formatByName(format)!.write(sink, batches(), { dimension });
  return concat(parts);
}

/** Parquet as vss does not write it: other types, compressed, with other encodings. */
async function otherParquet(dice: Dice, rows: Row[]): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const hasText = dice.next() < 0.5;
  const ids = { name: "id", data: rows.map(({ id }) => BigInt(id)), type: "INT64" as const };
  const texts = rows.map((_, i) => dice.next() < 0.2 ? null : `text ${i >> 1}`);
  const columnData = [
    { ...ids, encoding: dice.of(ID_ENCODINGS) },
    hasText
      ? { name: "text", data: texts, type: "STRING" as const, encoding: dice.of(TEXT_ENCODINGS) }
      : { name: "embedding", data: rows.map(({ vector }) => [...vector!]) },
    { name: "payload", data: texts, type: "STRING" as const, encoding: dice.of(TEXT_ENCODINGS) },
  ];
  const rowGroupSize = 1 + dice.below(300);
  const pageSize = 64 + dice.below(5_000);
  const options = { columnData, codec: dice.of(CODECS), compressors, rowGroupSize, pageSize };
  return new Uint8Array(parquetWriteBuffer(options));
}

/** Damages bytes in one way. */
function damage(dice: Dice, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  // What is said of the rest stands at the beginning, and at the end.
  const edge = Math.min(length, 300);
  const places = [
    () => dice.below(length),
    () => dice.below(edge),
    () => length - dice.below(edge),
  ];
  const at = Math.min(dice.of(places)(), Math.max(0, length - 1));
  const copy = bytes.slice();
  const end = Math.min(length, at + 1 + dice.below(dice.next() < 0.5 ? 8 : 200));
  const replaced = (part: Uint8Array) => concat([copy.subarray(0, at), part, copy.subarray(end)]);
  switch (dice.below(8)) {
    case 0:
      return copy.slice(0, at);
    case 1:
      if (length > 0) copy[at]! ^= 1 << dice.below(8);
      return copy;
    case 2:
      if (length > 0) copy[at] = dice.of([0, 1, 0x7f, 0x80, 0xff]);
      return copy;
    case 3: {
      const view = new DataView(copy.buffer);
      if (length >= at + 4) view.setInt32(at, dice.of(ODD), true);
      return copy;
    }
    case 4:
      return replaced(new Uint8Array());
    case 5:
      return replaced(new TextEncoder().encode(dice.of(WORDS)));
    case 6:
      return replaced(new Uint8Array(dice.below(300)).fill(dice.of([0, 0x80, 0xff, 0x20])));
    default: {
      const from = dice.below(length);
      return replaced(copy.subarray(from, from + dice.below(300)));
    }
  }
}
