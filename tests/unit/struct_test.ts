// SPDX-License-Identifier: MIT
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { struct } from "../../client/struct.ts";
import { random } from "../model/random.ts";

const MIXED = struct("mixed", {
  flag: "u16",
  id: "u32",
  total: "u64",
  weights: ["f32", 3],
  tail: "u16",
});

Deno.test("struct() aligns each field to its type", () => {
  const offsets = Object.values(MIXED.fields).map(({ offset }) => offset);
  assertEquals(offsets, [0, 4, 8, 16, 28]);
});

Deno.test("struct() rounds the size up to the greatest alignment", () => {
  assertEquals(MIXED.size, 32);
  assertEquals(struct("empty", {}).size, 0);
  assertEquals(struct("one", { a: "u64", b: "u16" }).size, 16);
});

Deno.test("encode() writes little-endian", () => {
  const pair = struct("pair", { a: "u16", b: "u16", c: "f32", d: "u64" });
  const bytes = pair.encode({ a: 0x1234, b: 0xfffe, c: 1, d: 0x0102030405060708n });
  assertEquals([...bytes], [0x34, 0x12, 0xfe, 0xff, 0, 0, 0x80, 0x3f, 8, 7, 6, 5, 4, 3, 2, 1]);
});

Deno.test("encode() leaves elements that an array does not give as they are", () => {
  const three = struct("three", { values: ["u16", 3] });
  const bytes = three.encode({ values: [1, 2, 3] });
  assertStrictEquals(three.encode({ values: [9] }, bytes), bytes);
  assertEquals(three.decode(bytes).values, [9, 2, 3]);
});

Deno.test("decode() reads what encode() wrote, for random values", () => {
  const next = random(1);
  const integer = (bits: number) => Math.floor(next() * 2 ** bits);
  for (let round = 0; round < 500; round++) {
    const values = {
      flag: integer(16),
      id: integer(32),
      total: (BigInt(integer(32)) << 32n) | BigInt(integer(32)),
      weights: Array.from({ length: 3 }, () => Math.fround((next() - 0.5) * 10 ** integer(5))),
      tail: integer(16),
    };
    assertEquals(MIXED.decode(MIXED.encode(values)), values);
  }
});

Deno.test("on() honours a byte offset", () => {
  const memory = new Uint8Array(40).fill(0xee);
  MIXED.on(memory.subarray(4, 36)).set("id", 7);
  assertEquals([...memory.subarray(8, 12)], [7, 0, 0, 0]);
  assertEquals(memory[7], 0xee);
  assertEquals(memory[12], 0xee);
});

Deno.test("on() refuses memory that is too short", () => {
  assertThrows(() => MIXED.on(new Uint8Array(31)), RangeError, "mixed takes 32 bytes, not 31");
});

Deno.test("get() and set() reach one element", () => {
  const view = MIXED.allocate();
  view.set("weights", 0.5, 2);
  assertEquals(view.get("weights", 2), 0.5);
  assertEquals(view.get("weights", 1), 0);
  view.set("total", 2n ** 64n - 1n);
  assertEquals(view.get("total"), 2n ** 64n - 1n);
});

Deno.test("get() and set() refuse an element outside the field", () => {
  const view = MIXED.allocate();
  for (const index of [-1, 3, NaN]) {
    assertThrows(() => view.get("weights", index), RangeError, "has 3 elements");
    assertThrows(() => view.set("weights", 1, index), RangeError, "has 3 elements");
  }
});

Deno.test("setAll() refuses more values than elements", () => {
  assertThrows(
    () => MIXED.allocate().setAll("weights", [1, 2, 3, 4]),
    RangeError,
    "Field weights holds 3 elements, not 4",
  );
});
