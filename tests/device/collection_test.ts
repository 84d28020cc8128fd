// SPDX-License-Identifier: MIT
/**
 * Collections through the library: every method and its twin that ends in `Sync`, which must do the
 * same, and what only the former have: signals, progress, many at a time, and workers.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import {
  Collection,
  type Columns,
  type ErrnoName,
  ERRNOS,
  type Id,
  LIMITS,
  type Match,
  type Operation,
  type PrivateOptions,
  type Row,
  type RowInput,
  type ScanOptions,
  type SearchOptions,
  Vss,
  VssError,
} from "../../mod.ts";
import { cString } from "../../client/libc.ts";
import { readText } from "../../client/system.ts";
import { random } from "../model/random.ts";
import { freshStore, leaveEmpty } from "./machine.ts";
import { publish } from "./publish.ts";
import { libc, O_WRONLY } from "./raw.ts";
import type { WorkerAnswer, WorkerTask } from "./worker.ts";

/** The methods of a collection that have twins. */
const METHODS = [
  "put",
  "get",
  "delete",
  "search",
  "searchBatch",
  "stats",
  "clear",
  "configure",
] as const;

/** A collection's calls, in one of the two ways to make them. */
type Calls =
  & Pick<Collection, typeof METHODS[number]>
  & { scan(options?: ScanOptions): Promise<Row[]> };

/** Makes the calls of a collection that run off the event loop, or those that run at once. */
function callsOf(store: Collection, ending: "" | "Sync"): Calls {
  const calls = METHODS.map((name) => {
    const method = store[`${name}${ending}`] as (...args: unknown[]) => unknown;
    return [name, async (...args: unknown[]) => await method.apply(store, args)];
  });
  const scan = async (options?: ScanOptions) =>
    await Array.fromAsync<Row>(store[`scan${ending}`](options));
  return Object.assign(Object.fromEntries(calls), { scan });
}

/** Registers a test of a method, and the same of its twin, each on a private collection. */
function both(
  method: typeof METHODS[number] | "scan",
  does: string,
  options: PrivateOptions,
  body: (calls: Calls, store: Collection) => Promise<void>,
): void {
  for (const ending of ["", "Sync"] as const) {
    it(`${method}${ending}() ${does}`, async () => {
      using store = open(options);
      await body(callsOf(store, ending), store);
    });
  }
}

/** Makes a private collection. */
function open(options: PrivateOptions): Collection {
  using vss = Vss.open();
  return vss.privateCollection(options);
}

/** Asserts that a call is refused by the device, and that the error says so. */
async function assertRefused(
  call: () => Promise<unknown>,
  code: ErrnoName,
  { operation, says = [] }: { operation: Operation; says?: readonly string[] },
): Promise<VssError> {
  const error = await assertRejects(call, VssError);
  assertEquals([error.code, error.operation], [code, operation], error.message);
  assertEquals(error.errno, ERRNOS[code].number);
  for (const words of says) assertStringIncludes(error.message, words);
  if (error.advice !== undefined) assertStringIncludes(error.message, `; ${error.advice}`);
  return error;
}

/** Rows of one component, which is their id. */
function line(ids: readonly number[]): RowInput[] {
  return ids.map((id) => ({ id, vector: [id], tags: id, payload: `row ${id}` }));
}

/** The integers from `first` on. */
function integers(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** What {@linkcode line} put, as it is read by default. */
function lineRow(id: number) {
  return { id, vector: new Float32Array([id]), tags: id };
}

/** The ids of what was found or read. */
function idsOf(rows: readonly (Row | Match)[]): Id[] {
  return rows.map(({ id }) => id);
}

/** What a put is to say that stored `inserted` new rows and replaced `updated`. */
function putResult(inserted: number, updated = 0) {
  return { done: inserted + updated, inserted, updated, evicted: 0 };
}

/** Two rows, in every way that rows can be given. */
const PAIR: Readonly<Record<string, readonly RowInput[] | Columns>> = {
  "rows of arrays": [{ id: 1, vector: [1, 2], tags: 3 }, { id: 2n, vector: [4, 5], tags: 6n }],
  "rows of Float32Arrays": [
    { id: 1, vector: new Float32Array([1, 2]), tags: 3 },
    { id: 2, vector: new Float32Array([4, 5]), tags: 6 },
  ],
  "columns of arrays": { ids: [1, 2], vectors: [[1, 2], [4, 5]], tags: [3, 6n] },
  "columns of typed arrays": {
    ids: new BigUint64Array([1n, 2n]),
    vectors: new Float32Array([1, 2, 4, 5]),
    tags: new BigUint64Array([3n, 6n]),
  },
  "columns that lie within greater arrays": {
    ids: new BigUint64Array([9n, 1n, 2n, 9n]).subarray(1, 3),
    vectors: new Float32Array([9, 1, 2, 4, 5, 9]).subarray(1, 5),
    tags: new BigUint64Array([9n, 9n, 3n, 6n]).subarray(2),
  },
};

/** Rows that are refused before any call. */
const WRONG_ROWS: readonly [
  what: string,
  rows: unknown,
  error: typeof TypeError,
  says: string,
][] = [
  ["no rows", undefined, TypeError, "Rows must be an array of rows, or columns"],
  ["a number for rows", 7, TypeError, "not a number"],
  ["null for a row", [{ id: 1, vector: [1, 2] }, null], TypeError, "Row 1"],
  ["an id NaN", [{ id: 1, vector: [1, 2] }, { id: NaN, vector: [1, 2] }], RangeError, "Id 1"],
  ["a negative id", [{ id: -1, vector: [1, 2] }], RangeError, "Id 0"],
  ["a fraction for an id", [{ id: 0.5, vector: [1, 2] }], RangeError, "Id 0"],
  ["an id 2^53 as a number", [{ id: 2 ** 53, vector: [1, 2] }], RangeError, "or a bigint"],
  ["an id 2^64", [{ id: 2n ** 64n, vector: [1, 2] }], RangeError, "2^64 - 1"],
  ["an id -1n", [{ id: -1n, vector: [1, 2] }], RangeError, "Id 0"],
  ["a string for an id", [{ id: "1", vector: [1, 2] }], TypeError, "Id 0 must be a number"],
  ["no id", [{ vector: [1, 2] }], TypeError, "Id 0 must be a number or a bigint, not undefined"],
  ["ids in a Uint32Array", { ids: new Uint32Array(1), vectors: [[1, 2]] }, TypeError, "Ids must"],
  ["tags NaN", [{ id: 1, vector: [1, 2], tags: NaN }], RangeError, "Tags 0"],
  ["a string for tags", [{ id: 1, vector: [1, 2], tags: "1" }], TypeError, "Tags 0"],
  ["no vector", [{ id: 1 }], TypeError, "Vector 0 must be"],
  [
    "a short vector",
    [{ id: 1, vector: [1] }],
    RangeError,
    "Vector 0 must have 2 components, not 1",
  ],
  ["a long vector", [{ id: 1, vector: [1, 2, 3] }], RangeError, "not 3"],
  [
    "a component NaN in an array",
    [{ id: 1, vector: [1, 2] }, { id: 2, vector: [1, NaN] }],
    RangeError,
    "Component 1 of the vector 1",
  ],
  ["a component above a float", [{ id: 1, vector: [1e39, 1] }], RangeError, "Component 0"],
  ["a string for a component", [{ id: 1, vector: ["1", 2] }], TypeError, "Component 0"],
  ["vectors in a Float64Array", { ids: [1], vectors: new Float64Array(2) }, TypeError, "Vectors"],
  ["half a vector", { ids: [1], vectors: new Float32Array(3) }, RangeError, "a multiple of 2"],
  ["more ids than vectors", { ids: [1, 2], vectors: [[1, 2]] }, RangeError, "2 ids, but 1 vectors"],
  ["more tags than ids", { ids: [1], vectors: [[1, 2]], tags: [1, 2] }, RangeError, "2 tags"],
  ["fewer payloads", { ids: [1], vectors: [[1, 2]], payloads: [] }, RangeError, "0 payloads"],
  [
    "a payload of 65,537 bytes",
    [{ id: 1, vector: [1, 2], payload: new Uint8Array(65_537) }],
    RangeError,
    "Payload 0 must have at most 65536 bytes, not 65537",
  ],
  [
    "a payload of 65,537 bytes of UTF-8",
    [{ id: 1, vector: [1, 2], payload: "é".repeat(32_768) + "a" }],
    RangeError,
    "not 65537",
  ],
  [
    "a function as a payload",
    [{ id: 1, vector: [1, 2], payload: () => 1 }],
    TypeError,
    "Payload 0",
  ],
  ["a bigint in a payload", [{ id: 1, vector: [1, 2], payload: [1n] }], TypeError, "made JSON"],
];

describe("a collection that rows are put into", () => {
  before(() => freshStore());
  after(leaveEmpty);

  for (const [what, rows] of Object.entries(PAIR)) {
    both("put", `takes ${what}`, { dimension: 2 }, async (calls) => {
      assertEquals(await calls.put(rows), putResult(2));
      assertEquals(await calls.get([1, 2]), [
        { id: 1, vector: new Float32Array([1, 2]), tags: 3 },
        { id: 2, vector: new Float32Array([4, 5]), tags: 6 },
      ]);
    });
  }
  for (const [what, rows, error, says] of WRONG_ROWS) {
    both("put", `refuses ${what} before any call`, { dimension: 2 }, async (calls) => {
      await assertRejects(() => calls.put(rows as RowInput[]), error, says);
      assertEquals((await calls.stats()).count, 0);
    });
  }
  both("put", "refuses ids that are stored with EEXIST", { dimension: 1 }, async (calls) => {
    await calls.put(line([3]));
    const put = () => calls.put(line([1, 2, 3, 4]));
    const says = ["put row 2 (id 3) into a private collection", "stored already"];
    const error = await assertRefused(put, "EEXIST", { operation: "put", says });
    assertEquals(error.done, 2);
    assertEquals(idsOf(await calls.scan()).sort(), [1, 2, 3]);
    const twice = await assertRefused(() => calls.put(line([7, 7])), "EEXIST", {
      operation: "put",
    });
    assertEquals(twice.done, 1);
  });
  both("put", "replaces rows as a whole where it may", { dimension: 1 }, async (calls) => {
    await calls.put(line([1, 2]));
    const rows = [{ id: 2, vector: [9] }, { id: 3, vector: [8] }, { id: 3, vector: [7] }];
    assertEquals(await calls.put(rows, { upsert: true }), putResult(1, 2));
    assertEquals(await calls.get([1, 2, 3], { payload: "text" }), [
      { ...lineRow(1), payload: "row 1" },
      { id: 2, vector: new Float32Array([9]), tags: 0, payload: undefined },
      { id: 3, vector: new Float32Array([7]), tags: 0, payload: undefined },
    ]);
  });
  both("put", "takes ids from 0 to 2^64 - 1", { dimension: 1 }, async (calls) => {
    const ids = [0, 2 ** 53 - 1, 2n ** 53n, 2n ** 64n - 1n];
    await calls.put(ids.map((id) => ({ id, vector: [1], tags: id })));
    const rows = ids.map((id) => ({ id, vector: new Float32Array([1]), tags: id }));
    assertEquals(await calls.get(ids), rows);
    assertEquals(await calls.get(BigUint64Array.from(ids, BigInt)), rows);
    const matches = ids.map((id) => ({ id, distance: 0, tags: id }));
    assertEquals(await calls.search([1], { withTags: true }), matches);
    assertEquals((await calls.get([0n]))[0]?.id, 0);
    const mask = 2n ** 64n - 1n;
    assertEquals(idsOf(await calls.scan({ tags: { mask, value: mask } })), [mask]);
    assertEquals(await calls.delete(ids), 4);
  });
  both("put", "names what is not finite in a flat array", { dimension: 2 }, async (calls) => {
    for (const wrong of [NaN, Infinity, -Infinity]) {
      const rows = { ids: [1, 2], vectors: new Float32Array([1, 2, 3, wrong]) };
      const says = ["put row 1 (id 2)", `component 1 of its vector is ${wrong}`];
      const error = await assertRefused(() => calls.put(rows), "EINVAL", {
        operation: "put",
        says,
      });
      assertEquals(error.done, 1);
      assertEquals(await calls.delete([1, 2]), 1);
    }
  });
  both("put", "refuses a zero vector in cos", { dimension: 2, metric: "cos" }, async (calls) => {
    const rows = [{ id: 1, vector: [1, 0] }, { id: 2, vector: [0, 0] }];
    const says = ["row 1 (id 2)", "no direction", "leave zero vectors out"];
    const error = await assertRefused(() => calls.put(rows), "EINVAL", { operation: "put", says });
    assertEquals(error.done, 1);
    const search = () => calls.search([0, 0]);
    await assertRefused(search, "EINVAL", {
      operation: "search",
      says: ["query 0", "no direction"],
    });
  });
  both("put", "takes more rows than one call does", { dimension: 1 }, async (calls) => {
    const count = LIMITS.rows + 1;
    const ids = BigUint64Array.from({ length: count }, (_, i) => BigInt(i));
    const vectors = Float32Array.from({ length: count }, (_, i) => i);
    assertEquals(await calls.put({ ids, vectors }), putResult(count));
    assertEquals((await calls.stats()).count, count);
    const rows = await calls.get(ids, { tags: false });
    assertEquals(rows.length, count);
    assert(rows.every((row, i) => row?.id === i && row.vector![0] === i), "each is itself");
    const more = {
      ids: ids.map((id) => (id + BigInt(LIMITS.rows)) % BigInt(2 * LIMITS.rows)),
      vectors,
    };
    more.ids[0] = 2n ** 40n;
    const error = await assertRefused(() => calls.put(more), "EEXIST", { operation: "put" });
    assertEquals([error.done, (await calls.stats()).count], [LIMITS.rows, count + LIMITS.rows]);
    assertEquals(await calls.delete(ids), count);
  });
});

/** Payloads, and what they are read back as. */
const PAYLOADS: readonly { given: RowInput["payload"]; text?: string; json?: unknown }[] = [
  { given: undefined },
  { given: null },
  { given: "", text: "" },
  { given: new Uint8Array(0), text: "" },
  { given: new TextEncoder().encode("xbytesx").subarray(1, 6), text: "bytes" },
  { given: "é😀\0", text: "é😀\0" },
  { given: "\ufeffmarked", text: "\ufeffmarked" },
  { given: 0, text: "0", json: 0 },
  { given: false, text: "false", json: false },
  { given: [null, "a"], text: '[null,"a"]', json: [null, "a"] },
  {
    given: { a: { b: [1.5] }, c: undefined },
    text: '{"a":{"b":[1.5]}}',
    json: { a: { b: [1.5] } },
  },
  { given: '"quoted"', text: '"quoted"', json: "quoted" },
  { given: "é".repeat(32_768), text: "é".repeat(32_768) },
];

/** A row for each payload. */
function payloadRows(): RowInput[] {
  return PAYLOADS.map(({ given }, id) => ({ id, vector: [id], payload: given }));
}

/** Pseudo-random bytes, of which each row of a great batch has others. */
function noise(length: number): Uint8Array {
  const next = random(length);
  return Uint8Array.from({ length }, () => 256 * next());
}

/** Whether two arrays hold the same bytes; `assertEquals()` is slow on many. */
function equals(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, i) => byte === b[i]);
}

describe("a collection of payloads", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("get", "reads payloads back as bytes and text", { dimension: 1 }, async (calls) => {
    await calls.put(payloadRows());
    const only = { vectors: false, tags: false };
    const texts = await calls.get(integers(PAYLOADS.length), { ...only, payload: "text" });
    const bytes = await calls.get(integers(PAYLOADS.length), { ...only, payload: "bytes" });
    PAYLOADS.forEach(({ text }, id) => {
      assertEquals(texts[id], { id, payload: text });
      const encoded = text === undefined ? undefined : new TextEncoder().encode(text);
      assertEquals(bytes[id], { id, payload: encoded });
    });
  });
  both("get", "reads payloads back as JSON", { dimension: 1 }, async (calls) => {
    await calls.put(payloadRows());
    for (const [id, { text, json }] of PAYLOADS.entries()) {
      const get = () => calls.get([id], { payload: "json" });
      if (text !== undefined && json === undefined) await assertRejects(get, SyntaxError);
      else assertEquals((await get())[0]?.payload, json);
    }
    assertEquals((await calls.get([7]))[0], { id: 7, vector: new Float32Array([7]), tags: 0 });
  });
  both("get", "takes columns of payloads", { dimension: 1 }, async (calls) => {
    const payloads = [undefined, "b", null, new Uint8Array([100])];
    await calls.put({ ids: integers(4), vectors: new Float32Array(4), payloads });
    const rows = await calls.get([3, 2, 1, 0], { payload: "text" });
    assertEquals(rows.map((row) => row?.payload), ["d", undefined, "b", undefined]);
  });
  both("search", "gives payloads and tags where asked", { dimension: 1 }, async (calls) => {
    await calls.put([...line([1, 2]), { id: 5, vector: [5] }]);
    assertEquals(await calls.search([0], { payload: "text", withTags: true }), [
      { id: 1, distance: 1, tags: 1, payload: "row 1" },
      { id: 2, distance: 4, tags: 2, payload: "row 2" },
      { id: 5, distance: 25, tags: 0, payload: undefined },
    ]);
    const [first, second] = await calls.searchBatch([[2], [1]], { k: 1, payload: "bytes" });
    const payload = (text: string) => new TextEncoder().encode(text);
    assertEquals(first, [{ id: 2, distance: 0, payload: payload("row 2") }]);
    assertEquals(second, [{ id: 1, distance: 0, payload: payload("row 1") }]);
    await assertRejects(() => calls.search([0], { payload: "json" }), SyntaxError);
    await assertRejects(() => calls.scan({ payload: "json" }), SyntaxError);
  });
  both("put", "takes payloads that fill more than one call", { dimension: 1 }, async (calls) => {
    const [count, size] = [1100, 60 << 10];
    const bytes = noise(size + count);
    const ids = integers(count);
    const payloads = ids.map((id) => bytes.subarray(id, id + size));
    assertEquals(
      await calls.put({ ids, vectors: new Float32Array(count), payloads }),
      putResult(count),
    );
    assertGreater((await calls.stats()).payloadBytes, LIMITS.callBytes);
    const some = [0, 1, 1091, 1092, 1093, 1099];
    const rows = await calls.get(some, { payload: "bytes" });
    assert(rows.every((row, i) => equals(row?.payload, payloads[some[i]!]!)));
    assertEquals(await calls.clear(), count);
    assertEquals((await calls.stats()).payloadBytes, 0);
  });
  both("get", "reads more payloads than one call has room for", { dimension: 1 }, async (calls) => {
    const ids = integers(40);
    const bytes = noise(LIMITS.payload + ids.length);
    const payloads = ids.map((id) => bytes.subarray(id, id + LIMITS.payload));
    await calls.put({ ids, vectors: Float32Array.from(ids), payloads });
    const rows = [
      await calls.get(ids, { payload: "bytes" }),
      await calls.search([0], { k: 40, payload: "bytes" }),
      (await calls.scan({ payload: "bytes" })).sort((a, b) => Number(a.id) - Number(b.id)),
    ];
    for (const [i, some] of rows.entries()) {
      assertEquals(some.map((row) => row?.id), ids);
      const isRight = some.every((row, id) => equals(row?.payload, payloads[id]!));
      assert(isRight, `the payloads of ${["get", "search", "scan"][i]}`);
    }
  });
});

describe("a collection that rows are read from", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("get", "gives undefined for ids that are not stored", { dimension: 1 }, async (calls) => {
    await calls.put(line([1, 2]));
    const expected = [undefined, lineRow(2), undefined, lineRow(1), lineRow(2)];
    assertEquals(await calls.get([9, 2, 2n ** 64n - 1n, 1, 2]), expected);
  });
  both("get", "reads no more than it is told", { dimension: 1 }, async (calls) => {
    await calls.put(line([1]));
    const { id, vector, tags } = lineRow(1);
    assertEquals(await calls.get([1], { vectors: false }), [{ id, tags }]);
    assertEquals(await calls.get([1], { tags: false }), [{ id, vector }]);
    assertEquals(await calls.get([1, 2], { vectors: false, tags: false }), [{ id }, undefined]);
  });
  both("get", "refuses wrong ids before any call", { dimension: 1 }, async (calls) => {
    for (const call of [calls.get, calls.delete]) {
      await assertRejects(() => call([1, NaN]), RangeError, "Id 1");
      await assertRejects(() => call([-1]), RangeError, "Id 0");
      await assertRejects(() => call([2n ** 64n]), RangeError, "Id 0");
      await assertRejects(() => call(["1"] as never), TypeError, "Id 0");
      await assertRejects(() => call(7 as never), TypeError, "Ids must be a BigUint64Array");
      await assertRejects(() => call(null as never), TypeError, "Ids must be");
    }
    assertEquals((await calls.stats()).gets, 0);
  });
  both("delete", "deletes by ids, passing over others", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(10)));
    assertEquals(await calls.delete([1, 2, 2, 77]), 2);
    assertEquals(await calls.delete(new BigUint64Array([0n, 3n, 1n]).subarray(1)), 1);
    assertEquals(idsOf(await calls.scan()).sort(), [0, 4, 5, 6, 7, 8, 9]);
  });
  both("delete", "deletes what matches a filter", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(16)));
    assertEquals(await calls.delete({ tags: { mask: 3, value: 1n } }), 4);
    assertEquals(await calls.delete({ tags: { mask: 3, value: 4 } }), 0);
    assertEquals((await calls.stats()).count, 12);
    assertEquals(await calls.delete({ tags: { mask: 0, value: 0 } }), 12);
  });
  both(
    "delete",
    "refuses a filter that is none before any call",
    { dimension: 1 },
    async (calls) => {
      await calls.put(line([1, 2]));
      const wrong = { mask: -1, value: 0 };
      await assertRejects(() => calls.delete({ tags: wrong }), RangeError, "Tag mask");
      for (const tags of [undefined, null, 7, {}]) {
        await assertRejects(() => calls.delete({ tags } as never), TypeError);
        assertEquals((await calls.stats()).count, 2, `tags ${tags}`);
      }
    },
  );
  both("clear", "deletes all rows and gives their memory back", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(50)));
    assertEquals(await calls.clear(), 50);
    assertEquals(await calls.clear(), 0);
    const { count, bytes, payloadBytes, deletes } = await calls.stats();
    assertEquals([count, bytes, payloadBytes, deletes], [0, 0, 0, 50]);
    assertEquals(await calls.search([1]), []);
    assertEquals(await calls.put(line([1])), putResult(1));
  });
  both("put", "does nothing where nothing is given", { dimension: 2 }, async (calls) => {
    assertEquals(await calls.put([]), putResult(0));
    const empty = { ids: [], vectors: new Float32Array(0), tags: [], payloads: [] };
    assertEquals(await calls.put(empty, { upsert: true }), putResult(0));
    assertEquals(await calls.get([]), []);
    assertEquals(await calls.get(new BigUint64Array(0), { payload: "json" }), []);
    assertEquals(await calls.delete([]), 0);
    assertEquals(await calls.searchBatch([]), []);
    assertEquals(await calls.searchBatch(new Float32Array(0), { payload: "text" }), []);
    assertEquals(await calls.search([1, 2], { payload: "text", withTags: true }), []);
    assertEquals(await calls.scan({ payload: "text" }), []);
    await calls.configure({});
    const { inserts, deletes, queries, gets } = await calls.stats();
    assertEquals([inserts, deletes, queries, gets], [0, 0, 1, 0]);
  });
});

/** Options that a search refuses before any call. */
const WRONG_OPTIONS: readonly [options: unknown, error: typeof TypeError, says: string][] = [
  [{ k: 0 }, RangeError, "k must be an integer from 1 to 4096, not 0"],
  [{ k: 4097 }, RangeError, "k must be"],
  [{ k: 1.5 }, RangeError, "k must be"],
  [{ k: "1" }, TypeError, "k must be"],
  [{ maxDistance: NaN }, RangeError, "Max distance must be a number, not NaN"],
  [{ tags: { mask: 0.5, value: 0 } }, RangeError, "Tag mask"],
  [{ tags: { mask: 1, value: "1" } }, TypeError, "Tag value"],
];

describe("a collection that is searched", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("search", "finds 10 rows unless told otherwise", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(20)));
    assertEquals(idsOf(await calls.search([0])), integers(10));
    assertEquals(idsOf(await calls.search(new Float32Array([9, 18, 9]).subarray(1, 2), { k: 2 })), [
      18,
      17,
    ]);
    assertEquals((await calls.search([0], { k: LIMITS.k })).length, 20);
  });
  both("search", "finds as many as 4096 rows", { dimension: 1 }, async (calls) => {
    const ids = integers(LIMITS.k + 100);
    await calls.put({ ids, vectors: Float32Array.from(ids) });
    const hits = await calls.search([-1], { k: LIMITS.k, withTags: true });
    assertEquals(idsOf(hits), ids.slice(0, LIMITS.k));
  });
  both("search", "finds among the rows that match a filter", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(20)));
    const hits = await calls.search([0], { tags: { mask: 7n, value: 5 }, withTags: true });
    assertEquals(hits, [{ id: 5, distance: 25, tags: 5 }, { id: 13, distance: 169, tags: 13 }]);
    assertEquals(await calls.search([0], { tags: { mask: 0, value: 1 } }), []);
  });
  both("search", "finds no row beyond the distance it is told", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(5)));
    const found = async (maxDistance: number | undefined) =>
      idsOf(await calls.search([1], { maxDistance }));
    assertEquals(await found(0), [1]);
    assertEquals(await found(1), [1, 0, 2]);
    assertEquals(await found(-1), []);
    assertEquals(await found(-Infinity), []);
    assertEquals(await found(Infinity), [1, 0, 2, 3, 4]);
    assertEquals(await found(1e300), [1, 0, 2, 3, 4]);
    assertEquals(await found(undefined), [1, 0, 2, 3, 4]);
  });
  for (const metric of ["ip", "cos"] as const) {
    both("search", `measures by ${metric}`, { dimension: 2, metric }, async (calls) => {
      await calls.put([{ id: 1, vector: [2, 0] }, { id: 2, vector: [0, 4] }]);
      const distance = metric === "ip" ? -5 : 0;
      assertEquals(await calls.search([3, 0], { maxDistance: 0 }), [{ id: 1, distance }]);
      assertEquals((await calls.search([3, 0]))[1], { id: 2, distance: 1 });
    });
  }
  for (const [options, error, says] of WRONG_OPTIONS) {
    const does = `refuses ${Deno.inspect(options)} before any call`;
    both("search", does, { dimension: 1 }, async (calls) => {
      await assertRejects(() => calls.search([1], options as never), error, says);
      await assertRejects(() => calls.searchBatch([[1], [2]], options as never), error, says);
      assertEquals((await calls.stats()).queries, 0);
    });
  }
  both("search", "refuses a wrong query before any call", { dimension: 2 }, async (calls) => {
    await assertRejects(() => calls.search([1]), RangeError, "Query must have 2 components, not 1");
    await assertRejects(() => calls.search([1, NaN]), RangeError, "Component 1 of the query");
    const flat = new Float32Array([Infinity, 1]);
    await assertRejects(() => calls.search(flat), RangeError, "Component 0 of the query");
    await assertRejects(() => calls.search("ab" as never), TypeError, "Query must be");
    const batch = () => calls.searchBatch([[1, 2], [1, NaN]]);
    await assertRejects(batch, RangeError, "Component 1 of the query 1");
    await assertRejects(() => calls.searchBatch(new Float32Array(3)), RangeError, "multiple of 2");
    assertEquals((await calls.stats()).queries, 0);
  });
  both("searchBatch", "answers each query as search() does", { dimension: 3 }, async (calls) => {
    const next = random(5);
    const vectors = Float32Array.from({ length: 3 * 500 }, () => next() - 0.5);
    await calls.put({ ids: integers(500, 1000), vectors });
    const queries = Float32Array.from({ length: 3 * 302 }, () => next() - 0.5).subarray(3, 3 * 301);
    const answers = await calls.searchBatch(queries, { k: 3 });
    assertEquals(answers.length, 300);
    for (const [i, answer] of answers.entries()) {
      const query = queries.subarray(3 * i, 3 * i + 3);
      assertEquals(answer, await calls.search(query, { k: 3 }));
    }
    assertEquals(await calls.searchBatch([[...queries.subarray(0, 3)]], { k: 3 }), [answers[0]!]);
  });
  both(
    "searchBatch",
    "answers more queries than one call does",
    { dimension: 1 },
    async (calls) => {
      await calls.put(line(integers(3)));
      const answers = await calls.searchBatch(Float32Array.from(integers(200), (i) => i % 3), {
        k: 4096,
      });
      assertEquals(answers.length, 200);
      assert(answers.every((hits, i) => hits.length === 3 && hits[0]!.id === i % 3));
    },
  );
  both(
    "search",
    "is not mistaken after a search of another kind",
    { dimension: 1 },
    async (calls) => {
      await calls.put([...line(integers(50)), { id: 2n ** 63n, vector: [60], tags: 64 }]);
      const ids = async (query: number, options: SearchOptions) => (
        idsOf(await calls.search([query], options))
      );
      for (const _ of [1, 2]) {
        assertEquals(await ids(0, { k: 2 }), [0, 1]);
        const batch = await calls.searchBatch([[7], [9], [30]], { k: 20 });
        assertEquals(batch.map(([hit]) => hit?.id), [7, 9, 30]);
        assertEquals(await ids(3, { k: 50 }), [3, 2, 4, 1, 5, 0, ...integers(44, 6)]);
        assertEquals(await ids(100, { tags: { mask: 64, value: 64 } }), [2n ** 63n]);
        assertEquals(await ids(9, { k: 3, maxDistance: 0 }), [9]);
        await assertRejects(() => calls.search([NaN]), RangeError);
        await assertRejects(() => calls.search([1], { k: 0 }), RangeError);
        assertEquals(await ids(20, { k: 3 }), [20, 19, 21]);
      }
    },
  );
  it("searchSync() may be called while another one reads what it is given", () => {
    using store = open({ dimension: 2 });
    store.putSync([{ id: 1, vector: [1, 1] }, { id: 2, vector: [8, 8] }]);
    const inner: unknown[] = [];
    const query = Object.defineProperty([1, 1], 1, {
      get: () => inner.push(store.searchSync([8, 8], { k: 1 })) && 1,
    });
    const options = Object.defineProperty({}, "k", {
      get: () => inner.push(store.searchBatchSync([[8, 8], [1, 1]])) && 1,
    });
    assertEquals(store.searchSync(query, options), [{ id: 1, distance: 0 }]);
    assertEquals(inner.length, 2);
    assertEquals(inner[1], [{ id: 2, distance: 0 }]);
  });
  both("searchBatch", "names the query that is not finite", { dimension: 2 }, async (calls) => {
    await calls.put([{ id: 1, vector: [1, 2] }]);
    const queries = new Float32Array([1, 2, 3, NaN, 5, 6]);
    const says = ["search a private collection", "component 1 of query 1 is NaN"];
    await assertRefused(() => calls.searchBatch(queries), "EINVAL", { operation: "search", says });
  });
});

describe("a collection that is scanned", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("scan", "reads every row once, whatever the batch", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(300)));
    for (const batch of [undefined, 1, 7, 299, 300, 301, LIMITS.rows]) {
      const rows = (await calls.scan({ batch })).sort((a, b) => Number(a.id) - Number(b.id));
      assertEquals(rows, integers(300).map(lineRow), `batch ${batch}`);
    }
  });
  both("scan", "reads what matches, and no more than told", { dimension: 1 }, async (calls) => {
    await calls.put(line(integers(20)));
    const options = { tags: { mask: 15, value: 3 }, vectors: false, payload: "text" } as const;
    const rows = (await calls.scan(options)).sort((a, b) => Number(a.id) - Number(b.id));
    const expected = [3, 19].map((id) => ({ id, tags: id, payload: `row ${id}` }));
    assertEquals(rows, expected);
  });
  both(
    "scan",
    "refuses what is outside its limits before any call",
    { dimension: 1 },
    async (calls) => {
      for (const batch of [0, -1, 1.5, NaN, LIMITS.rows + 1]) {
        await assertRejects(() => calls.scan({ batch }), RangeError, "Batch must be");
      }
      const tags = { mask: 1, value: -1 };
      await assertRejects(() => calls.scan({ tags }), RangeError, "Tag value");
    },
  );
  it("scan() and scanSync() may be left early, and begun anew", async () => {
    using store = open({ dimension: 1 });
    store.putSync(line(integers(100)));
    for (const rows of [store.scan({ batch: 10 }), store.scanSync({ batch: 10 })]) {
      let read = 0;
      for await (const _ of rows) if (++read === 15) break;
      assertEquals([read, (await rows.next()).done], [15, true]);
    }
    assertEquals([...store.scanSync({ batch: 10 })].length, 100);
  });
});

describe("a collection's settings", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("stats", "counts exactly", { dimension: 1, metric: "ip", capacity: 99 }, async (calls) => {
    await calls.put(line(integers(10)));
    await calls.put(line([0, 1, 50]), { upsert: true });
    await calls.get([1, 1, 77]);
    await calls.search([1], { k: 2, withTags: true });
    await calls.searchBatch([[1], [2]], { tags: { mask: 127, value: 50 } });
    await calls.delete([3, 4, 77]);
    await calls.scan();
    const { bytes, payloadBytes, longestSection, ...rest } = await calls.stats();
    assertEquals(rest, {
      name: "",
      count: 9,
      capacity: 99,
      maxBytes: 0,
      evict: "none",
      ttl: 0,
      inserts: 11,
      updates: 2,
      deletes: 2,
      evictions: 0,
      pressureEvictions: 0,
      expirations: 0,
      queries: 3,
      gets: 5,
      hits: 7,
      scanned: 33,
      computed: 13,
      codes: false,
      dimension: 1,
      metric: "ip",
      mode: 0,
      uid: 0,
      gid: 0,
    });
    assert(bytes > payloadBytes && payloadBytes >= 9 * 5, `${payloadBytes} of ${bytes} bytes`);
    assert(longestSection > 0 && longestSection < 1e10, `${longestSection} ns`);
  });
  it("searches alike with codes and without, and counts what was computed", () => {
    const vectors = Array.from({ length: 2000 }, (_, id) => (
      Array.from({ length: 64 }, (_, i) => Math.sin(id * 64 + i) + (id % 9) * (i % 7))
    ));
    for (const metric of ["l2sq", "ip", "cos"] as const) {
      using plain = open({ dimension: 64, metric, codes: false });
      using coded = open({ dimension: 64, metric });
      for (const store of [plain, coded]) store.putSync({ ids: [...vectors.keys()], vectors });
      const queries = vectors.slice(0, 20);
      assertEquals(coded.searchBatchSync(queries), plain.searchBatchSync(queries));
      const [spared, all] = [coded.statsSync(), plain.statsSync()];
      assertEquals([spared.codes, all.codes], [true, false]);
      assertEquals([spared.scanned, all.scanned], [40_000, 40_000]);
      assertEquals(all.computed, 40_000);
      assert(spared.computed >= 200 && spared.computed < 40_000, `${spared.computed} computed`);
    }
  });
  both("configure", "changes the capacity", { dimension: 1, capacity: 3 }, async (calls) => {
    const says = ["put row 3 (id 4)", "is full", "greater capacity"];
    const put = () => calls.put(line([1, 2, 3, 4]));
    const error = await assertRefused(put, "ENOSPC", { operation: "put", says });
    assertEquals(error.done, 3);
    await calls.configure({ capacity: 2 });
    const { count, capacity } = await calls.stats();
    assertEquals([count, capacity], [3, 2]);
    assertEquals(await calls.put(line([3]), { upsert: true }), putResult(0, 1));
    await calls.configure({ capacity: 0 });
    assertEquals(await calls.put(line([4, 5])), putResult(2));
  });
  both("configure", "refuses what is outside its limits", { dimension: 1 }, async (calls) => {
    for (const capacity of [-1, 0.5, NaN, 2 ** 53]) {
      await assertRejects(() => calls.configure({ capacity }), RangeError, "Capacity");
    }
    for (const mode of [-1, 0o667, 0o111]) {
      await assertRejects(() => calls.configure({ mode }), RangeError, "Mode");
    }
    const wrong = { capacity: 1, mode: 0o600 };
    await assertRefused(() => calls.configure(wrong), "EINVAL", { operation: "configure" });
    assertEquals((await calls.stats()).capacity, 16_777_216, "all or none");
  });
  both("configure", "tells what is kept", { dimension: 1 }, async (calls) => {
    const told = async () => {
      const { capacity, maxBytes, evict, ttl } = await calls.stats();
      return { capacity, maxBytes, evict, ttl };
    };
    const settings = { capacity: 7, maxBytes: 8 << 20, evict: "lru", ttl: 1.000001 } as const;
    await calls.configure(settings);
    assertEquals(await told(), settings);
    await calls.configure({ evict: "fifo", ttl: Infinity });
    assertEquals(await told(), { ...settings, evict: "fifo", ttl: 0 });
    await calls.configure({ capacity: 0, maxBytes: 0, evict: "none", ttl: 0 });
    assertEquals(await told(), { capacity: 16_777_216, maxBytes: 0, evict: "none", ttl: 0 });
    for (
      const [wrong, says] of [
        [{ maxBytes: -1 }, "Max bytes"],
        [{ evict: "some" }, "Evict must be none, fifo, lru, not some"],
        [{ ttl: -1 }, "Ttl must be"],
      ] as [never, string][]
    ) {
      await assertRejects(() => calls.configure(wrong), RangeError, says);
    }
  });
  for (const ending of ["", "Sync"] as const) {
    it(`configure${ending}() changes the mode`, async () => {
      using vss = Vss.open();
      using store = vss.create(`mode${ending}`, { dimension: 1 });
      await callsOf(store, ending).configure({ mode: 0o604, capacity: 7 });
      const { mode, capacity } = await callsOf(store, ending).stats();
      assertEquals([mode, capacity], [0o604, 7]);
    });
  }
});

/** A ring of three rows. */
const RING = { dimension: 1, capacity: 3, evict: "fifo" } as const;

/** Has the kernel take back all memory that is only cached. */
function squeeze(): void {
  const fd = libc.open(cString("/proc/sys/vm/drop_caches"), O_WRONLY);
  assert(fd >= 0, "root may drop caches");
  assertEquals(libc.write(fd, cString("2"), 1n), 1n);
  libc.close(fd);
}

describe("a collection that evicts", () => {
  before(() => freshStore());
  after(leaveEmpty);

  both("put", "has the oldest make room in a ring", RING, async (calls) => {
    assertEquals(await calls.put(line([1, 2, 3])), putResult(3));
    assertEquals(await calls.put(line([4])), { ...putResult(1), evicted: 1 });
    assertEquals(await calls.put(line([2]), { upsert: true }), putResult(0, 1));
    assertEquals(await calls.put(line([5])), { ...putResult(1), evicted: 1 });
    assertEquals(idsOf(await calls.scan()).sort(), [2, 4, 5]);
    await calls.configure({ capacity: 1 });
    assertEquals(idsOf(await calls.scan()), [5]);
    const { evictions, pressureEvictions, expirations, deletes } = await calls.stats();
    assertEquals([evictions, pressureEvictions, expirations, deletes], [4, 0, 0, 0]);
  });
  const least = { ...RING, evict: "lru" } as const;
  both("put", "spares what was found or read", least, async (calls) => {
    await calls.put(line([1, 2, 3]));
    await calls.get([1]);
    await calls.search([2], { k: 1 });
    await calls.put(line([4]));
    assertEquals(idsOf(await calls.scan()).sort(), [1, 2, 4]);
  });
  both("put", "keeps rows for their time, whatever the collection's", {
    dimension: 1,
    ttl: 60_000,
  }, async (calls) => {
    await calls.put([...line([1]), { id: 2, vector: [2], ttl: 1 }], { ttl: Infinity });
    await calls.put({ ids: [3, 4], vectors: [[3], [4]], ttls: new Float64Array([1, Infinity]) });
    await calls.put(line([5]), { ttl: 0.001 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(idsOf(await calls.scan()).sort(), [1, 4]);
    assertEquals(await calls.get([2, 3, 5]), [undefined, undefined, undefined]);
    assertEquals(idsOf(await calls.search([0])), [1, 4]);
    const { count, expirations, evictions } = await calls.stats();
    assertEquals([count, expirations, evictions], [2, 3, 0]);
    assertEquals(await calls.put(line([2])), putResult(1));
  });
  both("put", "names the limit of memory that it would pass", {
    dimension: 1,
    maxBytes: 4 << 20,
  }, async (calls) => {
    const payloads = Array.from({ length: 100 }, () => new Uint8Array(60_000));
    const rows = { ids: integers(100), vectors: new Float32Array(100), payloads };
    const says = [" bytes and would pass its maxBytes, 4194304", "greater maxBytes, have it evict"];
    const error = await assertRefused(() => calls.put(rows), "EDQUOT", { operation: "put", says });
    assertEquals((await calls.stats()).count, error.done);
    await calls.configure({ evict: "fifo" });
    await calls.put(rows, { upsert: true });
    const { bytes, count, evictions } = await calls.stats();
    assert(bytes <= 4 << 20 && count < 100 && evictions > 0, `${count} rows, ${bytes} bytes`);
  });
  it("pressure() tells of rows that gave their memory back", async () => {
    using ring = open({ dimension: 1, evict: "fifo" });
    using kept = open({ dimension: 1 });
    for (const store of [ring, kept]) store.putSync(line(integers(100)));
    const pressure = ring.pressure();
    const first = pressure.next();
    squeeze();
    assertEquals(await first, { done: false, value: 100 });
    assertEquals([ring.statsSync().pressureEvictions, ring.statsSync().count], [100, 0]);
    assertEquals([kept.statsSync().pressureEvictions, kept.statsSync().count], [0, 100]);
    ring.putSync(line([1, 2]));
    squeeze();
    assertEquals((await pressure.next()).value, 2);
    const last = pressure.next();
    ring.close();
    assertEquals(await last, { done: true, value: undefined });
  });
  it("pressure() waits off the event loop, until it is told to stop", async () => {
    using ring = open(RING);
    const controller = new AbortController();
    const start = performance.now();
    setTimeout(() => controller.abort(new Error("enough")), 50);
    const wait = Array.fromAsync(ring.pressure({ signal: controller.signal }));
    await assertRejects(() => wait, Error, "enough");
    const time = performance.now() - start;
    assert(time >= 49 && time < 5_000, `${time} ms`);
    ring.close();
    const error = assertThrows(() => ring.pressure(), VssError);
    assertEquals([error.code, error.operation], ["EBADF", "pressure"]);
  });
});

/** One call of each kind that reads, and of each that changes something. */
const KINDS: Readonly<
  Record<"read" | "write", Readonly<Record<string, (calls: Calls) => Promise<unknown>>>>
> = {
  read: {
    get: (calls) => calls.get([1]),
    search: (calls) => calls.search([1]),
    scan: (calls) => calls.scan(),
    stats: (calls) => calls.stats(),
  },
  write: {
    put: (calls) => calls.put([{ id: 2, vector: [2] }]),
    delete: (calls) => calls.delete([2]),
    clear: (calls) => calls.clear(),
    configure: (calls) => calls.configure({ capacity: 5 }),
  },
};

describe("a collection's access", () => {
  before(() => freshStore());
  after(leaveEmpty);

  for (const ending of ["", "Sync"] as const) {
    for (const access of ["read", "write"] as const) {
      it(`allows to ${access} alone where it is that, by calls that end in "${ending}"`, async () => {
        using vss = Vss.open();
        using store = vss.collection("some", { access, create: { dimension: 1 } });
        const calls = callsOf(store, ending);
        for (const call of Object.values(KINDS[access])) await call(calls);
        for (const [name, call] of Object.entries(KINDS[access === "read" ? "write" : "read"])) {
          const says = ['collection "some"', "is not open for that", "access that this needs"];
          await assertRefused(() => call(calls), "EBADF", { operation: name as Operation, says });
        }
      });
    }
    it(`is none after it was closed, for calls that end in "${ending}"`, async () => {
      const store = open({ dimension: 1 });
      const calls = callsOf(store, ending);
      store.close();
      store.close();
      for (const [name, call] of Object.entries({ ...KINDS.read, ...KINDS.write })) {
        const says = ["a private collection", "the collection is closed", "open it again"];
        await assertRefused(() => call(calls), "EBADF", { operation: name as Operation, says });
      }
    });
  }
});

/** A collection with `count` rows of 32 components. */
function openLarge(count: number): Collection {
  const store = open({ dimension: 32 });
  const next = random(count);
  const vectors = Float32Array.from({ length: 32 * count }, () => next() - 0.5);
  store.putSync({ ids: integers(count), vectors });
  return store;
}

/** Calls that fail each in its own way, or not at all: what they call, and the code expected. */
function mixedCalls(
  store: Collection,
  full: Collection,
): [call: (i: number) => Promise<unknown>, code: ErrnoName | undefined][] {
  const closed = open({ dimension: 1 });
  closed.close();
  const nan = new Float32Array([NaN]);
  return [
    [() => store.put([{ id: 1, vector: [1] }]), "EEXIST"],
    [(i) => full.put([{ id: i + 2, vector: [1] }]), "ENOSPC"],
    [(i) => store.put({ ids: [i + 1000], vectors: nan }), "EINVAL"],
    [() => closed.search([1]), "EBADF"],
    [() => store.search([1], { k: 1 }), undefined],
  ];
}

/** Three and a half pieces of rows, each piece of 4 MiB of vectors. */
function pieces(): Columns {
  const count = 3.5 * (4 << 20) / (4 * 1024);
  return { ids: integers(count), vectors: new Float32Array(1024 * count) };
}

describe("calls off the event loop", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("let timers tick while they run", async () => {
    using store = openLarge(20_000);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    try {
      // As many queries as keep this machine busy for a while.
      for (let count = 100, took = 0; took < 100; count *= 2) {
        const begin = performance.now();
        const search = store.searchBatch(new Float32Array(32 * count), { k: 1 });
        ticks = 0;
        const answers = await search;
        took = performance.now() - begin;
        assertEquals(answers.length, count);
      }
      assertGreater(ticks, 5);
    } finally {
      clearInterval(timer);
    }
  });
  it("are all right where many run on one collection", async () => {
    using store = open({ dimension: 1 });
    const puts = integers(50).map((i) => store.put(line(integers(20, 20 * i))));
    const searches = integers(50).map((i) => store.search([i], { maxDistance: 0 }));
    assertEquals(await Promise.all(puts), Array(50).fill(putResult(20)));
    for (const hits of await Promise.all(searches)) assert(hits.length <= 1);
    const gets = integers(50).map((i) => store.get([20 * i], { payload: "text" }));
    const rows = (await Promise.all(gets)).flat();
    assertEquals(rows.map((row) => row?.payload), integers(50).map((i) => `row ${20 * i}`));
    const counts = await Promise.all(integers(50).map((i) => store.delete([i, i + 500])));
    assertEquals(counts, Array(50).fill(2));
    assertEquals((await store.stats()).count, 900);
  });
  it("keep small arrays where they are while garbage is collected", async () => {
    using store = open({ dimension: 1 });
    store.putSync(line(integers(200)));
    let garbage: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      const calls = integers(40).map((i) => store.get([i, i + 100]));
      for (let i = 0; i < 20_000; i++) garbage.push(new Float32Array(2));
      garbage = [];
      const rows = await Promise.all(calls);
      assertEquals(rows, integers(40).map((i) => [lineRow(i), lineRow(i + 100)]));
    }
  });
  it("end well where they take several pieces and the collection is closed meanwhile", async () => {
    const store = open({ dimension: 1024 });
    using again = Collection.from(store.handle());
    again.putSync([{ id: 9999, vector: new Float32Array(1024).fill(1), payload: "here" }]);
    const search = store.search(new Float32Array(1024).fill(1), { k: 1, payload: "text" });
    const onProgress = () => {};
    const put = store.put(pieces(), { onProgress });
    store.close();
    const [hits, result] = await Promise.allSettled([search, put]);
    assertEquals(hits.status === "fulfilled" && hits.value[0]?.payload, "here");
    assertEquals(result.status === "fulfilled" && result.value, putResult(3584));
  });
  it("fail each with its own error", async () => {
    using store = open({ dimension: 1 });
    using full = open({ dimension: 1, capacity: 1 });
    for (const one of [store, full]) one.putSync(line([1]));
    const mixed = mixedCalls(store, full);
    const kinds = integers(50).map((i) => mixed[i % mixed.length]!);
    const results = await Promise.allSettled(kinds.map(([call], i) => call(i)));
    results.forEach((result, i) => {
      const code = result.status === "rejected" ? (result.reason as VssError).code : undefined;
      assertEquals(code, kinds[i]![1], `call ${i}`);
      if (result.status === "fulfilled") assertEquals(result.value, [{ id: 1, distance: 0 }]);
    });
  });
  it("end well where the collection is closed meanwhile", async () => {
    const store = openLarge(5_000);
    const search = store.searchBatch(new Float32Array(32 * 50), { k: 1 });
    const put = store.put({ ids: [10_000], vectors: new Float32Array(32) });
    store.close();
    store.close();
    const operation = "put";
    const says = ["the collection is closed"];
    const late = () => store.put({ ids: [10_001], vectors: new Float32Array(32) });
    await assertRefused(late, "EBADF", { operation, says });
    assertThrows(() => store.statsSync(), VssError, "EBADF");
    assertThrows(() => Collection.from(store.handle()), VssError, "EBADF");
    assertEquals((await search).length, 50);
    assertEquals(await put, putResult(1));
    await assertRefused(late, "EBADF", { operation, says });
  });
});

/** What stops the calls of the tests: any value may be a signal's reason. */
const REASON = { stopped: true };

/** Asserts that a call throws {@linkcode REASON} itself. */
async function assertStopped(call: Promise<unknown>): Promise<void> {
  const thrown = await call.then(() => "nothing", (error) => error);
  assert(thrown === REASON, `stopped, not ${Deno.inspect(thrown)}`);
}

describe("an AbortSignal", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("that is aborted already lets nothing happen", async () => {
    using store = open({ dimension: 1 });
    store.putSync(line([1]));
    const signal = AbortSignal.abort(REASON);
    await assertStopped(store.put(line([2]), { signal }));
    await assertStopped(store.get([1], { signal }));
    await assertStopped(store.delete([1], { signal }));
    await assertStopped(store.delete({ tags: { mask: 0, value: 0 } }, { signal }));
    await assertStopped(store.search([1], { signal }));
    await assertStopped(store.searchBatch([[1]], { signal }));
    await assertStopped(Array.fromAsync(store.scan({ signal })));
    const { count, gets, queries } = store.statsSync();
    assertEquals([count, gets, queries], [1, 0, 0]);
    const usual = { signal: AbortSignal.abort() };
    await assertRejects(() => store.put(line([2]), usual), DOMException, "aborted");
  });
  it("stops a put between two pieces; those before stay", async () => {
    using store = open({ dimension: 1024 });
    const controller = new AbortController();
    const told: number[] = [];
    const onProgress = (done: number) => {
      told.push(done);
      if (told.length === 2) controller.abort(REASON);
    };
    await assertStopped(store.put(pieces(), { signal: controller.signal, onProgress }));
    assertEquals(told, [1024, 2048]);
    assertEquals(store.statsSync().count, 2048);
  });
  it("lets a put end that it does not stop, and progress is told to the end", async () => {
    using store = open({ dimension: 1024 });
    const { signal } = new AbortController();
    for (const ending of ["", "Sync"] as const) {
      const told: number[] = [];
      const onProgress = (done: number) => void told.push(done);
      const result = await callsOf(store, ending).put(pieces(), { signal, onProgress });
      assertEquals(result, putResult(3584));
      assertEquals(told, [1024, 2048, 3072, 3584]);
      assertEquals(store.clearSync(), 3584);
    }
  });
  it("stops a get, a search and a scan between two pieces", async () => {
    using store = open({ dimension: 1024 });
    await store.put(pieces());
    const { gets } = store.statsSync();
    const controllers = integers(3).map(() => new AbortController());
    const [first, second, third] = controllers.map(({ signal }) => ({ signal }));
    const scan = store.scan({ batch: 1, ...third });
    assertEquals((await scan.next()).done, false);
    const get = store.get(integers(3584), first);
    const search = store.search(new Float32Array(1024), { payload: "text", ...second });
    for (const controller of controllers) controller.abort(REASON);
    await Promise.all([get, search, scan.next()].map(assertStopped));
    assertEquals(store.statsSync().gets - gets, 1024);
  });
});

/** Has a worker do something. */
async function askWorker(address: string, task: WorkerTask): Promise<WorkerAnswer> {
  const worker = new Worker(address, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(task);
    });
  } finally {
    worker.terminate();
  }
}

describe("Collection.from()", () => {
  const address = publish(import.meta.resolve("./worker.ts"));
  before(() => freshStore());
  after(leaveEmpty);

  it("shares a private collection with workers", async () => {
    using store = open({ dimension: 1 });
    const count = 2000;
    const answers = integers(4).map((i) =>
      askWorker(address, { handle: store.handle(), first: count * (i + 1), count })
    );
    for (const start of integers(20)) {
      await store.put(line(integers(100, 100 * start)));
      const [hit] = await store.search([100 * start], { k: 1, payload: "text" });
      assertEquals(hit, { id: 100 * start, distance: 0, payload: `row ${100 * start}` });
    }
    const expected = { inserted: count, found: count / 100, code: undefined };
    assertEquals(await Promise.all(answers), Array(4).fill(expected));
    const ids = idsOf([...store.scanSync({ vectors: false })]).map(Number).sort((a, b) => a - b);
    assertEquals(ids, integers(5 * count));
  });
  it("lets a worker be terminated while its calls are underway", async () => {
    using store = openLarge(20_000);
    const task = { handle: store.handle(), first: 0, count: 0, searches: 32 };
    const zeros = new Float32Array(32);
    const expected = store.searchSync(zeros);
    for (const _ of integers(8)) {
      const { descriptor } = await askWorker(address, task);
      assertEquals(libc.close(descriptor!), 0, "nobody else closes it");
      // What the worker's arrays were may be somebody else's memory now.
      const arrays = integers(2000).map((i) => new Uint8Array(64 + i % 512));
      assertEquals(await store.search(zeros), expected);
      assert(arrays.every((array) => array.every((byte) => byte === 0)), "memory is overwritten");
    }
    while (readText("/sys/class/misc/vss/files") !== "1") await store.stats();
  });
  it("keeps the collection and its rights after the first one is closed", () => {
    using vss = Vss.open();
    const first = vss.collection("shared", { access: "read", create: { dimension: 1 } });
    using second = Collection.from(first.handle());
    first.close();
    const { name, dimension, metric, serial } = first;
    assertEquals([name, dimension, metric], ["shared", 1, "l2sq"]);
    assertEquals([second.name, second.dimension, second.metric], [name, dimension, metric]);
    assertEquals([second.serial, second.statsSync().name], [serial, "shared"]);
    assertThrows(() => second.clearSync(), VssError, "EBADF");
  });
  it("refuses a descriptor that has become another collection's with EBADF", () => {
    const store = open({ dimension: 1 });
    const stale = store.handle();
    store.close();
    using other = open({ dimension: 1 });
    assertEquals(other.handle().descriptor, stale.descriptor);
    assertThrows(() => Collection.from(stale).close(), VssError, "EBADF");
  });
  it("refuses the handle of a closed collection with EBADF, in workers too", async () => {
    const store = open({ dimension: 1 });
    const stale = store.handle();
    store.close();
    for (const handle of [stale, store.handle()]) {
      const error = assertThrows(() => Collection.from(handle), VssError);
      assertEquals([error.code, error.operation], ["EBADF", "open"]);
      assertStringIncludes(error.message, "/dev/vss");
    }
    const task = { handle: store.handle(), first: 0, count: 100 };
    assertEquals(await askWorker(address, task), { inserted: 0, found: 0, code: "EBADF" });
  });
});

describe("a collection that is left by `using`", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("is closed, and its rows are gone where it is private", () => {
    using vss = Vss.open();
    {
      using store = vss.privateCollection({ dimension: 1 });
      store.putSync(line([1]));
    }
    assertEquals([vss.info().collections, vss.info().bytes], [0, 0]);
  });
});
