// SPDX-License-Identifier: MIT
/**
 * File formats: files of other programs, round trips, and files that lie.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type BadRow,
  type ByteSink,
  type ByteSource,
  type FileRow,
  formatByName,
  FormatError,
  formatOfFile,
  FORMATS,
  isBad,
  type ReadOptions,
} from "../../client/formats/mod.ts";
import type { Row } from "../../mod.ts";

const TESTDATA = new URL("../testdata/", import.meta.url);

/** The vectors of the files of floats, and those of the files of integers. */
const FLOATS = [
  [0, 1, 2, 255],
  [-0, 0.5, -1.5, 3],
  [1e-40, 65504, 1, 2],
  [0.1, 0.2, 0.3, 0.4],
  [1, 2, 3, 4],
];
const INTEGERS = [
  [0, 1, 2, 255],
  [3, 4, 5, 6],
  [7, 8, 9, 10],
  [250, 251, 252, 253],
  [1, 2, 3, 4],
];

/** What was read of a file: rows, and the error that ended it. */
interface Outcome {
  readonly good: FileRow[];
  readonly bad: BadRow[];
  readonly error: unknown;
}

/** A source of bytes: as a file that can be read at will, or as a pipe that gives odd pieces. */
function sourceOf(bytes: Uint8Array, piece?: number): ByteSource {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += piece ?? 65_536) {
      yield await Promise.resolve(bytes.slice(at, at + (piece ?? 65_536)));
    }
  }
  if (piece !== undefined) return { name: "pipe", size: undefined, bytes: pieces };
  const slice = (start: number, end: number) => Promise.resolve(bytes.slice(start, end));
  return { name: "file", size: bytes.length, bytes: pieces, slice };
}

/** Reads all of a source, however it ends. */
async function readAll(
  name: string,
  source: ByteSource,
  options: ReadOptions = {},
): Promise<Outcome> {
  const [good, bad]: [FileRow[], BadRow[]] = [[], []];
  try {
    for await (const rows of formatByName(name)!.read(source, options)) {
      for (const row of rows) isBad(row) ? bad.push(row) : good.push(row);
    }
  } catch (error) {
    assert(error instanceof FormatError, `${name}: ${error}`);
    return { good, bad, error };
  }
  return { good, bad, error: undefined };
}

/** Writes rows; returns the bytes. */
async function writeAll(name: string, rows: readonly Row[], isPipe = false): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  const sink: ByteSink = {
    name: "sink",
    write(part) {
      const joined = new Uint8Array(bytes.length + part.length);
      joined.set(bytes);
      joined.set(part, bytes.length);
      bytes = joined;
      return Promise.resolve();
    },
    ...(isPipe ? {} : {
      patch(position: number, part: Uint8Array) {
        bytes.set(part, position);
        return Promise.resolve();
      },
    }),
  };
  async function* batches() {
    for (let i = 0; i < rows.length; i += 256) yield await Promise.resolve(rows.slice(i, i + 256));
  }
  const dimension = rows[0]?.vector?.length ?? 4;
  assertEquals(await formatByName(name)!.write(sink, batches(), { dimension }), rows.length);
  return bytes;
}

function bitsOf(vector: Float32Array): number[] {
  return [...new Uint32Array(vector.slice().buffer)];
}

/** Asserts vectors bit by bit. */
function assertVectors(rows: readonly FileRow[], wanted: readonly number[][]): void {
  assertEquals(
    rows.map(({ vector }) => bitsOf(vector!)),
    wanted.map((vector) => bitsOf(Float32Array.from(vector))),
  );
}

const f16 = (vectors: number[][]) =>
  vectors.map((vector) => vector.map((value) => Math.f16round(value)));

/** The files without ids, and what their vectors are. */
const PLAIN_FILES: Record<string, readonly number[][]> = {
  "f4.npy": FLOATS,
  "f8.npy": FLOATS,
  "f2.npy": f16(FLOATS),
  "f4be.npy": FLOATS,
  "rows.fvecs": FLOATS,
  "rows.bvecs": INTEGERS,
  "rows.ivecs": INTEGERS,
  "rows.fbin": FLOATS,
  "rows.u8bin": INTEGERS,
};

for (const [file, vectors] of Object.entries(PLAIN_FILES)) {
  Deno.test(`${file} of another program is read bit by bit, by file and by pipe`, async () => {
    const bytes = await Deno.readFile(new URL(file, TESTDATA));
    const format = formatOfFile(file)!;
    for (const piece of [undefined, 1, 7]) {
      const { good, bad, error } = await readAll(format.name, sourceOf(bytes, piece));
      assertEquals([bad, error], [[], undefined]);
      assertVectors(good, vectors);
      assertEquals(good.map(({ id, place }) => [id, place]), vectors.map((_, i) => [i, i + 1]));
    }
    const skipped = await readAll(format.name, sourceOf(bytes), { skip: 3 });
    assertVectors(skipped.good, vectors.slice(3));
    assertEquals(skipped.good[0]?.id, 3);
    const none = await readAll(format.name, sourceOf(bytes), { skip: 99 });
    assertEquals([none.good.length, none.error], [0, undefined]);
  });
}

/** The payloads of the files that have some. */
const PAYLOADS: Record<string, (i: number) => unknown> = {
  "rows.csv": (i) => `naïve "${i}",\nline two`,
  "rows.jsonl": (i) => ({ n: i }),
  "rows.parquet": (i) => i === 3 ? undefined : new TextEncoder().encode(`naïve ${i}`),
  "rows.arrows": (i) => i === 3 ? undefined : new TextEncoder().encode(`naïve ${i}`),
  "rows.arrow": (i) => i === 3 ? undefined : new TextEncoder().encode(`naïve ${i}`),
};

for (const [file, payload] of Object.entries(PAYLOADS)) {
  Deno.test(`${file} of another program gives ids, vectors, tags and payloads`, async () => {
    const bytes = await Deno.readFile(new URL(file, TESTDATA));
    const { good, bad, error } = await readAll(formatOfFile(file)!.name, sourceOf(bytes));
    assertEquals([bad, error], [[], undefined]);
    assertVectors(good, FLOATS);
    good.forEach((row, i) => {
      assertEquals(row.id, 2n ** 64n - 1n - BigInt(i));
      assertEquals(row.tags ?? 0, i);
      assertEquals(row.payload, payload(i));
    });
    const skipped = await readAll(formatOfFile(file)!.name, sourceOf(bytes), { skip: 4 });
    assertEquals(skipped.good.map(({ place }) => place), [5]);
  });
}

Deno.test("rows.txt of another program gives its lines, with their numbers as ids", async () => {
  const bytes = await Deno.readFile(new URL("rows.txt", TESTDATA));
  const { good } = await readAll("txt", sourceOf(bytes));
  assertEquals(good, [
    { place: 1, id: 1, text: "play chess", payload: "play chess" },
    { place: 3, id: 3, text: "edit photos", payload: "edit photos" },
  ]);
});

Deno.test("npy writes what numpy.save() writes", async () => {
  const rows = FLOATS.map((vector, id) => ({ id, vector: Float32Array.from(vector) }));
  assertEquals(await writeAll("npy", rows), await Deno.readFile(new URL("f4.npy", TESTDATA)));
});

const encoder = new TextEncoder();

/** Payloads that are hard to write, each after one that is missing. */
const HARD = [
  "",
  '"',
  "a,b",
  "two\nlines\r\n",
  "naïve 二 😀",
  '{"a":[1,null]}',
  " [1, 2]",
  "\ufeffx",
];

function rowsFor(name: string, count: number): Row[] {
  const { keeps } = formatByName(name)!;
  const whole = ["bvecs", "ivecs", "u8bin"].includes(name);
  return Array.from({ length: count }, (_, i) => {
    const values = whole
      ? [0, 1, 255, i % 256]
      : [-0, 1.401298464324817e-45, 3.4028234663852886e38, i / 7];
    if (name === "txt") return { id: i + 1, payload: encoder.encode(`naïve line ${i}`) };
    const hard = i % 2 === 0 ? undefined : encoder.encode(HARD[(i >> 1) % HARD.length]);
    return {
      id: keeps.includes("id") ? i === 0 ? 2n ** 64n - 1n : BigInt(i) * 6_148_914_691_236_517n : i,
      vector: Float32Array.from(values),
      ...(keeps.includes("tags") ? { tags: i === 1 ? 2n ** 63n : i } : {}),
      ...(keeps.includes("payload") && hard ? { payload: hard } : {}),
    };
  });
}

/** A payload as the collection would keep it. */
function kept(payload: unknown): string | undefined {
  if (payload === undefined) return undefined;
  if (payload instanceof Uint8Array) return payload.toHex();
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return encoder.encode(text).toHex();
}

for (const { name } of FORMATS) {
  Deno.test(`${name}: what is written is read back bit by bit`, async () => {
    for (const count of [0, 1, 3_000]) {
      const rows = rowsFor(name, count);
      const bytes = await writeAll(name, rows);
      if (count === 0 && bytes.length === 0) continue;
      const { good, bad, error } = await readAll(name, sourceOf(bytes));
      assertEquals([bad, error], [[], undefined]);
      assertEquals(good.length, count);
      rows.forEach((row, i) => {
        const read = good[i]!;
        assertEquals(BigInt(read.id), BigInt(row.id));
        if (name !== "txt") assertEquals(bitsOf(read.vector!), bitsOf(row.vector!));
        assertEquals(BigInt(read.tags ?? 0), BigInt(row.tags ?? 0));
        assertEquals(kept(read.payload), kept(row.payload));
      });
    }
  });

  Deno.test(`${name}: a file that was cut gives the rows before, and says so or ends well`, async () => {
    const rows = rowsFor(name, 7);
    const bytes = await writeAll(name, rows);
    const step = Math.max(1, Math.floor(bytes.length / 150));
    for (let length = 0; length < bytes.length; length += step) {
      const { good, bad } = await readAll(name, sourceOf(bytes.subarray(0, length)));
      assert(good.length + bad.length <= rows.length + 1, `${length} bytes`);
      if (name === "txt" || name === "jsonl" || name === "csv") continue;
      good.forEach(({ vector }, i) => assertEquals(bitsOf(vector!), bitsOf(rows[i]!.vector!)));
    }
  });

  Deno.test(`${name}: any byte may be wrong`, async () => {
    const bytes = await writeAll(name, rowsFor(name, 3));
    const step = Math.max(1, Math.floor(bytes.length / 100));
    for (let at = 0; at < bytes.length; at += step) {
      const wrong = bytes.slice();
      wrong[at]! ^= 0xff;
      await readAll(name, sourceOf(wrong));
    }
  });
}

Deno.test("bytes that are no UTF-8 are kept by jsonl, and refused by txt and csv", async () => {
  const rows = [{ id: 7, vector: new Float32Array([1]), payload: Uint8Array.of(0xff, 0, 1) }];
  const { good } = await readAll("jsonl", sourceOf(await writeAll("jsonl", rows)));
  assertEquals(good[0]?.payload, rows[0]!.payload);
  for (const name of ["txt", "csv"]) {
    const error = await assertRejects(() => writeAll(name, rows), FormatError);
    assertStringIncludes(error.message, "Payload of id 7 must be");
  }
});

Deno.test("integers' formats refuse other numbers, and name them", async () => {
  for (
    const [name, value] of [["bvecs", 256], ["bvecs", -0], ["ivecs", 0.5], ["u8bin", -1]] as const
  ) {
    const rows = [{ id: 9, vector: new Float32Array([1, value]) }];
    const error = await assertRejects(() => writeAll(name, rows), FormatError);
    assertStringIncludes(error.message, "Component 1 of id 9 must be an integer");
  }
});

Deno.test("formats whose count comes first need a file to write to", async () => {
  const rows = [{ id: 1, vector: new Float32Array([1]) }];
  for (const name of ["npy", "fbin", "u8bin"]) {
    await assertRejects(() => writeAll(name, rows, true), FormatError, "needs a file to write to");
  }
  const source = sourceOf(await writeAll("parquet", rows), 100);
  assertStringIncludes(
    String((await readAll("parquet", source)).error),
    "needs a file to read from",
  );
});

function npyWith(header: string, data = new Uint8Array(16)): Uint8Array {
  const prefix = `\x93NUMPY\x01\x00${String.fromCharCode(header.length & 255, header.length >> 8)}`;
  const text = Uint8Array.from(prefix + header, (character) => character.charCodeAt(0));
  return Uint8Array.of(...text, ...data);
}

const descr = (form: string, shape: string, fortran = "False") =>
  `{'descr': '${form}', 'fortran_order': ${fortran}, 'shape': (${shape}), }\n`;

/** Files that lie: what is said of each. */
const LIES: readonly [string, string, Uint8Array, string][] = [
  ["npy", "10^15 rows", npyWith(descr("<f4", "1000000000000000, 4")), "ends within row 2"],
  ["npy", "10^15 components", npyWith(descr("<f4", "1, 1000000000000000")), "1 to 8192 components"],
  ["npy", "no components", npyWith(descr("<f4", "4, 0")), "1 to 8192 components, not 0"],
  ["npy", "one dimension", npyWith(descr("<f4", "4,")), "must have two dimensions"],
  ["npy", "three dimensions", npyWith(descr("<f4", "1, 2, 2")), "must have two dimensions"],
  ["npy", "Fortran's order", npyWith(descr("<f4", "2, 2", "True")), "must be in C order"],
  ["npy", "integers", npyWith(descr("<i8", "2, 1")), "must hold floats (f4, f8 or f2), not <i8"],
  ["npy", "Python code", npyWith("__import__('os').system('true')\n"), "must be numpy's"],
  ["npy", "bytes behind", npyWith(descr("<f4", "1, 2")), "must end behind its 1 rows, at byte"],
  ["npy", "another magic", encoder.encode("NUMPY but no array"), "must be a numpy array"],
  ["fvecs", "dimension 0", new Uint8Array(8), "1 to 8192 components, not 0"],
  ["fvecs", "dimension -1", new Uint8Array(8).fill(255), "1 to 8192 components, not -1"],
  ["fvecs", "dimension 2^31 - 1", Uint8Array.of(255, 255, 255, 127), "not 2147483647"],
  [
    "fvecs",
    "two dimensions",
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0),
    "row 2",
  ],
  ["fbin", "2^32 - 1 rows", Uint8Array.of(255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0), "row 2 of"],
  ["fbin", "2^32 - 1 components", new Uint8Array(16).fill(255), "not 4294967295"],
  ["parquet", "no footer", encoder.encode("PAR1 and nothing else PAR1"), "is no Parquet"],
  [
    "parquet",
    "a footer of 2 GiB",
    Uint8Array.of(...encoder.encode("PAR1"), 255, 255, 255, 127, ...encoder.encode("PAR1")),
    "file",
  ],
  ["arrow", "no message", encoder.encode("ARROW1\0\0 and nothing that is one"), "is no Arrow"],
  ["arrow", "nothing", new Uint8Array(3), "is no Arrow"],
  ["csv", "two ids", encoder.encode("id,id,v0\n1,2,3\n"), "has two columns id"],
  ["csv", "no vector", encoder.encode("id,tags\n1,2\n"), "must have a column vector, or text"],
  ["csv", "quotes left open", encoder.encode('id,payload,v0\n1,"a,2\n'), "is no CSV"],
];

for (const [name, what, bytes, message] of LIES) {
  Deno.test(`${name} with ${what} is refused`, async () => {
    const { error } = await readAll(name, sourceOf(bytes));
    assertStringIncludes(String(error), message);
  });
}

/** Rows that are bad, in otherwise good files: what is said of each. */
const BAD: readonly [string, string, string][] = [
  ["jsonl", '{"id": 9007199254740993, "vector": [1]}', "must be written as a string of digits"],
  ["jsonl", '{"id": -1, "vector": [1]}', "Id must be an integer from 0 to 2^64 - 1, not -1"],
  ["jsonl", '{"id": "18446744073709551616", "vector": [1]}', "Id must be an integer"],
  ["jsonl", '{"id": 1.5, "vector": [1]}', "Id must be an integer"],
  ["jsonl", '{"id": 1}', "must have a vector or a text, and not both"],
  ["jsonl", '{"id": 1, "vector": [1], "text": "a"}', "and not both"],
  ["jsonl", '{"id": 1, "text": "  "}', "holds more than blanks"],
  ["jsonl", '{"id": 1, "vector": []}', "1 to 8192 components, not 0"],
  ["jsonl", '{"id": 1, "vector": [1, 2]}', "Vector must have 1 components, not 2"],
  ["jsonl", '{"id": 1, "vector": ["1"]}', 'Component 0 must be a number, not "1"'],
  ["jsonl", '{"id": 1, "vector": [1e39]}', "Component 0 must be finite"],
  ["jsonl", '{"id": 1, "vector": 1}', "Vector must be numbers, not 1"],
  ["jsonl", '{"id": 1, "vec": [1]}', 'Field "vec" is not known'],
  ["jsonl", '{"id": 1, "vector": [1], "payload_base64": "?"}', "must be base64"],
  [
    "jsonl",
    `{"vector": [1], "payload": "${"x".repeat(65_537)}"}`,
    "at most 65536 bytes, not 65537",
  ],
  ["jsonl", '{"vector": [1], "payload": {"n": 9007199254740993}}', "must be written as a string"],
  ["jsonl", "[1]", "Line must be a JSON object"],
  ["jsonl", '{"id": 1', "Line must be a JSON object"],
  ["csv", "1,2", "Row must have 1 cells, not 2"],
  ["csv", "one", 'Component 0 must be a number, not "one"'],
];

for (const [name, row, message] of BAD) {
  Deno.test(`${name}: a row ${row.slice(0, 60)} is a bad one`, async () => {
    const good = name === "csv" ? "5" : '{"id": 5, "vector": [5]}';
    const text = encoder.encode(`${good}\n${row}\n${good}\n`);
    const { good: rows, bad, error } = await readAll(name, sourceOf(text));
    assertEquals([rows.length, bad.length, error], [2, 1, undefined]);
    assertEquals(bad[0]!.line ?? bad[0]!.place, 2);
    assertStringIncludes(bad[0]!.reason, message);
  });
}

Deno.test("components that are no finite 32-bit floats make a row bad", async () => {
  const floats = npyWith(
    descr("<f8", "3, 1"),
    new Uint8Array(Float64Array.of(1, 1e39, NaN).buffer),
  );
  const { good, bad } = await readAll("npy", sourceOf(floats));
  assertEquals([good.length, bad.map(({ place }) => place)], [1, [2, 3]]);
  const inexact = new Uint8Array(Int32Array.of(1, 16_777_217).buffer);
  assertStringIncludes((await readAll("ivecs", sourceOf(inexact))).bad[0]!.reason, "exact");
});

Deno.test("a dimension that is expected is asked of every file", async () => {
  for (const file of [...Object.keys(PLAIN_FILES), ...Object.keys(PAYLOADS)]) {
    const bytes = await Deno.readFile(new URL(file, TESTDATA));
    const { name } = formatOfFile(file)!;
    const right = await readAll(name, sourceOf(bytes), { dimension: 4 });
    assertEquals([right.good.length, right.error], [5, undefined], file);
    const wrong = await readAll(name, sourceOf(bytes), { dimension: 5 });
    assertEquals(wrong.good.length, 0, file);
    const reason = wrong.error === undefined ? wrong.bad[0]!.reason : String(wrong.error);
    assertStringIncludes(reason, "5 components, not 4");
  }
});

Deno.test("csv takes a vector in one column, and lines of any end", async () => {
  const text = 'vector,id\r\n"[1, 2]",7\r\n3 4,8\r\n';
  const { good } = await readAll("csv", sourceOf(encoder.encode(text), 5));
  assertVectors(good, [[1, 2], [3, 4]]);
  assertEquals(good.map(({ id }) => id), [7, 8]);
});

Deno.test("txt passes over blank lines and a byte order mark, and cuts what no payload could hold", async () => {
  const text = `\uFEFFone\r\n\n   \n\t\r\n${"x".repeat(70_000)}\nlast`;
  const { good } = await readAll("txt", sourceOf(encoder.encode(text), 1_000));
  assertEquals(good.map(({ id }) => id), [1, 5, 6]);
  assertEquals([good[0]!.text, good[1]!.text!.length, good[2]!.text], ["one", 65_536, "last"]);
});

Deno.test("txt refuses lines with NUL characters, which binary files have", async () => {
  const { good, bad } = await readAll("txt", sourceOf(encoder.encode("one\ntw\0o\nthree\n")));
  assertEquals([good.map(({ id }) => id), bad.map(({ place }) => place)], [[1, 3], [2]]);
});

Deno.test("formatOfFile() goes by the end of the name, whatever its case", () => {
  assertEquals(formatOfFile("a/b.c/X.NPY")?.name, "npy");
  assertEquals(formatOfFile("x.feather")?.name, "arrow");
  assertEquals(formatOfFile("x.ndjson")?.name, "jsonl");
  assertEquals(formatOfFile("npy"), undefined);
  assertEquals(formatByName("doc"), undefined);
});
