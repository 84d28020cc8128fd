// SPDX-License-Identifier: MIT
/**
 * Damaged files: some seconds of what `just fuzz-readers` does for longer, and the files that it has
 * found a reader to break on.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FormatError } from "../../client/formats/mod.ts";
import { formatByName } from "../../client/formats/mod.ts";
import { run } from "../../lab/host.ts";
import { caseSource } from "../fuzz/cases.ts";
import { fuzzReaders } from "../fuzz/readers.ts";

Deno.test("damaged files are refused or read, and take no more time and memory for it", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const { cases, failure } = await fuzzReaders(5, seed);
  assertEquals(failure, undefined);
  assert(cases > 0, `no file was read; seed ${seed}`);
});

const FOUND = new URL("../testdata/damaged/", import.meta.url).pathname;

for (const { name } of Deno.readDirSync(FOUND)) {
  Deno.test(`${name} is refused or read, and comes to an end`, async () => {
    const script = new URL("../fuzz/file.ts", import.meta.url).pathname;
    const words = [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-read", script];
    // A process of its own: what does not end keeps its process from anything else.
    const { code, output } = await run(["timeout", "30", ...words, FOUND + name]);
    assertEquals([code, output], [0, ""]);
  });
}

const PLAIN = 0, REQUIRED = 0, OPTIONAL = 1, INT64 = 2, FLOAT = 4, BYTE_ARRAY = 6;
const DELTA_BINARY_PACKED = 5, DELTA_BYTE_ARRAY = 7, RLE_DICTIONARY = 8;

/** A struct of Thrift's compact protocol: numbers are i32, bigints i64. */
type Struct = { readonly [id: number]: number | bigint | string | Struct | readonly List[] };
type List = number | string | Struct;

function varint(value: bigint): number[] {
  const bytes = [];
  for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value)];
}

function zigzag(value: number | bigint): number[] {
  return varint(BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n)));
}

function element(value: Struct[number]): [number, number[]] {
  if (typeof value === "number") return [5, zigzag(value)];
  if (typeof value === "bigint") return [6, zigzag(value)];
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return [8, [...varint(BigInt(text.length)), ...text]];
  }
  if (!Array.isArray(value)) return [12, struct(value as Struct)];
  const items = value.map((item) => element(item));
  return [9, [items.length << 4 | (items[0]?.[0] ?? 5), ...items.flatMap(([, bytes]) => bytes)]];
}

function struct(fields: Struct): number[] {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([id, value]) => {
    const [type, content] = element(value);
    const delta = Number(id) - last;
    last = Number(id);
    return [delta << 4 | type, ...content];
  });
  return [...bytes, 0];
}

/** A column of a file of one page. */
interface Page {
  readonly name?: string;
  readonly type?: number;
  readonly repetition?: number;
  readonly codec?: number;
  /** Rows, and values that the page says it has. */
  readonly rows?: number;
  readonly values?: number;
  readonly encoding?: number;
  readonly body: readonly number[];
  /** What it says of its bytes. */
  readonly packed?: number;
  readonly unpacked?: number;
}

/** A file of Parquet with a column `text` beside one that is given. */
function parquetWith(page: Page): Uint8Array<ArrayBuffer> {
  const { name = "text", type = BYTE_ARRAY, repetition = REQUIRED, codec = 0, body } = page;
  const { rows = 1, values = rows, encoding = PLAIN } = page;
  const { packed = body.length, unpacked = body.length } = page;
  const header = struct({
    1: 0,
    2: unpacked,
    3: packed,
    5: { 1: values, 2: encoding, 3: 3, 4: 3 },
  });
  const chunk = [...header, ...body];
  const size = BigInt(chunk.length);
  const metadata = {
    1: type,
    2: [encoding],
    3: [name],
    4: codec,
    5: BigInt(values),
    6: size,
    7: size,
    9: 4n,
  };
  const footer = struct({
    1: 1,
    2: [{ 4: "root", 5: 1 }, { 1: type, 3: repetition, 4: name }],
    3: BigInt(rows),
    4: [{ 1: [{ 2: 4n, 3: metadata }], 2: size, 3: BigInt(rows) }],
  });
  return withFooter(chunk, footer);
}

function withFooter(chunk: readonly number[], footer: readonly number[]): Uint8Array<ArrayBuffer> {
  const magic = [...new TextEncoder().encode("PAR1")];
  const length = [0, 8, 16, 24].map((shift) => footer.length >> shift & 255);
  return Uint8Array.from([...magic, ...chunk, ...footer, ...length, ...magic]);
}

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  let count = 0;
  const source = caseSource({ format: "parquet", bytes, piece: undefined });
  for await (const rows of formatByName("parquet")!.read(source, {})) count += rows.length;
  return count;
}

Deno.test("the builder of damaged files makes a whole one, too", async () => {
  assertEquals(await read(parquetWith({ body: [2, 0, 0, 0, 104, 105] })), 1);
  const optional = [2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 104, 105];
  assertEquals(await read(parquetWith({ repetition: OPTIONAL, body: optional })), 1);
});

const BIG_RUN = varint(2n ** 32n - 2n);

/** What kept the library busy, or took memory, without end. */
const ENDLESS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "a run of 2^31 levels": parquetWith({
    repetition: OPTIONAL,
    body: [6, 0, 0, 0, ...BIG_RUN, 1, 0, 0, 0, 0],
  }),
  "runs of nothing": parquetWith({ repetition: OPTIONAL, body: [3, 0, 0, 0, 0, 1, 0] }),
  "a run of 2^31 indices": parquetWith({ encoding: RLE_DICTIONARY, body: [8, ...BIG_RUN, 1] }),
  "indices of 255 bits": parquetWith({ encoding: RLE_DICTIONARY, body: [255, 3, 0, 0, 0] }),
  "2^30 values in two bytes": parquetWith({ rows: 1, values: 2 ** 30, body: [0, 0] }),
  "-1 values": parquetWith({ values: -1, body: [0, 0] }),
  "a page of -1 bytes": parquetWith({ packed: -1, body: [0, 0] }),
  "a page of 2 GiB, packed": parquetWith({ codec: 2, unpacked: 2 ** 31 - 1, body: [0, 0] }),
  "2^22 rows and one value": parquetWith({ rows: 1 << 22, values: 1, body: [0, 0, 0, 0] }),
  "blocks of -1 deltas": parquetWith({
    name: "id",
    type: INT64,
    rows: 300,
    encoding: DELTA_BINARY_PACKED,
    body: [128, 1, ...varint(2n ** 32n - 5n), 44, 0, 0, 0, 0, 0],
  }),
  "2^31 miniblocks": parquetWith({
    name: "id",
    type: INT64,
    rows: 300,
    encoding: DELTA_BINARY_PACKED,
    body: [...varint(2n ** 31n - 1n), ...varint(2n ** 31n - 1n), 44, 0, 0, 0],
  }),
  "a text that begins as 2 GiB of the one before": parquetWith({
    encoding: DELTA_BYTE_ARRAY,
    body: [128, 1, 4, 1, ...zigzag(2 ** 31 - 1), 128, 1, 4, 1, 0],
  }),
  "a vector that is no list": parquetWith({ name: "vector", type: FLOAT, values: 9, body: [0] }),
  "a footer with an integer of a mebibyte": withFooter([], [
    ...[0x15, ...new Uint8Array(1 << 20).fill(0xff)],
    0,
  ]),
  "a schema whose root has more children than there are": withFooter(
    [],
    struct({
      1: 1,
      2: [{ 4: "root", 5: 9 }, { 1: BYTE_ARRAY, 3: REQUIRED, 4: "text" }],
      3: 0n,
      4: [],
    }),
  ),
};

for (const [what, bytes] of Object.entries(ENDLESS)) {
  Deno.test(`parquet with ${what} is refused at once`, async () => {
    const error = await assertRejects(() => read(bytes), FormatError);
    assert(/^file (is no Parquet|must)/.test(error.message), error.message);
  });
}
