// SPDX-License-Identifier: MIT
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  decodePayload,
  encodePayload,
  readU64,
  toTable,
  toU64s,
  writeU64,
} from "../../client/columns.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("encodePayload() takes bytes, strings and what JSON is made for", () => {
  const date = new Date(0);
  const cases: [unknown, string][] = [
    [utf8("bytes"), "bytes"],
    ["naïve", "naïve"],
    ["", ""],
    [{ a: [1, null, undefined] }, '{"a":[1,null,null]}'],
    [Object.create(null), "{}"],
    [[], "[]"],
    [false, "false"],
    [-1.5, "-1.5"],
    [date, JSON.stringify(date)],
  ];
  for (const [payload, text] of cases) {
    assertEquals(encodePayload(payload as never, "Payload 0"), utf8(text), text);
  }
  for (const none of [undefined, null]) assertEquals(encodePayload(none, "Payload 0"), undefined);
});

Deno.test("encodePayload() refuses what it could not give back", () => {
  const round: { self?: unknown } = {};
  round.self = round;
  const wrong = [
    ...[new ArrayBuffer(1), new Float32Array(2), new Map(), new Set(), () => 1, Symbol("a"), 1n],
    ...[NaN, Infinity, "half \ud800", round],
  ];
  for (const payload of wrong) {
    assertThrows(() => encodePayload(payload as never, "Payload 7"), TypeError, "Payload 7");
  }
  assertThrows(() => encodePayload("x".repeat(65_537), "Payload 7"), RangeError, "not 65537");
});

Deno.test("decodePayload() gives back what was encoded, a byte order mark included", () => {
  for (const text of ["", "\ufeffmarked", "naïve 😀"]) {
    assertEquals(decodePayload(utf8(text), "text"), text);
    assertEquals(decodePayload(utf8(JSON.stringify({ text })), "json"), { text });
  }
  assertThrows(() => decodePayload(utf8("{"), "json"), SyntaxError);
});

Deno.test("readU64() reads what writeU64() wrote, as a number while that is exact", () => {
  const exact = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, Number.MAX_SAFE_INTEGER];
  const beyond = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  const words = new Uint32Array(4);
  for (const value of [...exact, ...beyond]) {
    for (const given of [value, BigInt(value)]) {
      writeU64(words, 2, given, "Id");
      assertEquals(readU64(words, 2), value);
      assertEquals(new BigUint64Array(words.buffer)[1], BigInt(value));
    }
  }
});

Deno.test("toU64s() names the integer that is wrong, and gives others as they are", () => {
  const wrong = [-1, 0.5, NaN, 2 ** 53, -1n, 2n ** 64n];
  for (const value of wrong) {
    assertThrows(() => toU64s([0, 1, value], "Id"), RangeError, "Id 2 must");
  }
  for (const value of ["1", null, {}]) {
    assertThrows(() => toU64s([value], "Tags"), TypeError, "Tags 0 must");
  }
  assertEquals(toU64s([1, 2n ** 64n - 1n], "Id"), new BigUint64Array([1n, 2n ** 64n - 1n]));
  const given = new BigUint64Array(2);
  assertStrictEquals(toU64s(given, "Id"), given);
});

Deno.test("toTable() names the row or column that is wrong", () => {
  const table = (rows: unknown) => () => toTable(rows as never, 2);
  assertThrows(table(7), TypeError, "Rows must be");
  assertThrows(table([{ id: 1, vector: [1, 2] }, null]), TypeError, "Row 1 must be an object");
  assertThrows(table([{ id: -1, vector: [1, 2] }]), RangeError, "Id 0");
  assertThrows(table([{ id: 1, vector: [1] }]), RangeError, "Vector 0");
  const columns = { ids: [1, 2], vectors: new Float32Array(4) };
  assertThrows(table({ ...columns, payloads: "ab" }), TypeError, "Payloads must be an array");
  assertThrows(table({ ...columns, payloads: ["a"] }), RangeError, "2 ids, but 1 payloads");
  assertThrows(table({ ...columns, tags: [1] }), RangeError, "2 ids, but 1 tags");
  assertThrows(table({ ...columns, vectors: new Float32Array(3) }), RangeError, "multiple of 2");
});

Deno.test("toTable() makes nanoseconds of lifetimes, of each row or of all", () => {
  const never = 2n ** 64n - 1n;
  const vectors = new Float32Array(6);
  const ttls = (rows: unknown, ttl?: number) => toTable(rows as never, 2, ttl).ttls;
  const columns = { ids: [1, 2, 3], vectors };
  assertEquals(ttls(columns), undefined);
  assertEquals(ttls(columns, 1.5), new BigUint64Array(3).fill(1_500_000n));
  const own = [undefined, Infinity, 1e-6];
  assertEquals(ttls({ ...columns, ttls: own }), new BigUint64Array([0n, never, 1n]));
  assertEquals(ttls({ ...columns, ttls: own }, 2), new BigUint64Array([2_000_000n, never, 1n]));
  const floats = { ...columns, ttls: new Float64Array([1, 2, 9e12]) };
  assertEquals(ttls(floats), new BigUint64Array([10n ** 6n, 2n * 10n ** 6n, 9n * 10n ** 18n]));
  const rows = own.map((ttl, id) => ({ id, vector: [1, 2], ttl }));
  assertEquals(ttls(rows), new BigUint64Array([0n, never, 1n]));
  assertEquals(ttls(rows.slice(0, 1)), undefined);
});

Deno.test("toTable() names the lifetime that is wrong", () => {
  const rows = (...ttls: unknown[]) => ttls.map((ttl, id) => ({ id, vector: [1, 2], ttl }));
  const table = (ttls: unknown[], ttl?: unknown) => () =>
    toTable(rows(...ttls) as never, 2, ttl as never);
  for (const wrong of [0, -1, NaN, -Infinity, 1e-7, 9.1e12]) {
    assertThrows(table([1, wrong]), RangeError, `Ttl 1 must be a number of milliseconds from`);
    assertThrows(table([1], wrong), RangeError, `or Infinity, not ${wrong}`);
  }
  assertThrows(table(["10m"]), TypeError, "Ttl 0 must be a number of milliseconds");
  assertThrows(table([1n]), TypeError, "not the bigint 1n");
  const columns = { ids: [1, 2], vectors: new Float32Array(4) };
  const wrong = { ...columns, ttls: [1] };
  assertThrows(() => toTable(wrong, 2), RangeError, "2 ids, but 1 ttls");
  assertThrows(() => toTable({ ...columns, ttls: 7 as never }, 2), TypeError, "Ttls must be");
});
