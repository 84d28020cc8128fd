// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { checkId, checkK, checkVector, copyVector } from "../../client/validate.ts";

Deno.test("checkId() takes every unsigned 32-bit integer", () => {
  for (const id of [0, 1, 4294967295]) checkId(id);
});

Deno.test("checkId() refuses other numbers with a RangeError that names the limits", () => {
  for (const id of [-1, 4294967296, 0.5, NaN, Infinity]) {
    const { message } = assertThrows(() => checkId(id), RangeError);
    assertEquals(message, `Id must be an integer from 0 to 4294967295, not ${id}`);
  }
});

Deno.test("checkId() refuses other types with a TypeError", () => {
  for (const id of ["1", 1n, null, undefined, {}, [1], true]) {
    assertThrows(() => checkId(id), TypeError, "Id must be an integer from 0 to 4294967295");
  }
});

Deno.test("checkK() takes 1 to 32 and nothing else", () => {
  for (const k of [1, 32]) checkK(k);
  for (const k of [0, 33, -1, 1.5, NaN]) assertThrows(() => checkK(k), RangeError, "1 to 32");
  assertThrows(() => checkK("5"), TypeError, 'not the string "5"');
});

Deno.test("checkVector() takes arrays and Float32Arrays of 1 to 128 finite numbers", () => {
  checkVector([0]);
  checkVector(Array(128).fill(-1e38));
  checkVector(new Float32Array(128));
  checkVector([5e-324, -0, 3.4028235e38]);
});

Deno.test("checkVector() refuses a length outside 1 to 128", () => {
  for (const length of [0, 129, 100_000]) {
    for (const vector of [Array(length).fill(1), new Float32Array(length)]) {
      assertThrows(() => checkVector(vector), RangeError, `1 to 128 components, not ${length}`);
    }
  }
});

Deno.test("checkVector() refuses what is not finite as a 32-bit float, and says where", () => {
  for (const value of [NaN, Infinity, -Infinity, 1e39, -1e39, 3.4028236e38]) {
    assertThrows(() => checkVector([1, 2, value]), RangeError, `Component 2 of the vector`);
  }
  assertThrows(() => checkVector(new Float32Array([1, NaN])), RangeError, "Component 1");
});

Deno.test("checkVector() refuses components that are no numbers", () => {
  for (const value of ["1", 1n, null, undefined, {}, true]) {
    assertThrows(() => checkVector([1, value]), TypeError, "Component 1 of the vector");
  }
  assertThrows(() => checkVector(Array(3)), TypeError, "Component 0");
});

Deno.test("checkVector() refuses other containers", () => {
  const others = [new Float64Array(3), new Uint8Array(3), new Set([1]), { length: 1, 0: 1 }, "1,2"];
  for (const vector of [...others, 1, null, undefined]) {
    assertThrows(() => checkVector(vector), TypeError, "Float32Array or an array of numbers");
  }
});

Deno.test("copyVector() copies what it checked, whatever the vector does meanwhile", () => {
  let reads = 0;
  const changing = [1, 2, 3];
  Object.defineProperty(changing, 1, { get: () => reads++ === 0 ? 2 : NaN });
  const shrinking = new Proxy([1, 2, 3], {
    get: (target, name) => name === "length" ? 3 - reads : Reflect.get(target, name),
  });
  const into = new Float32Array(128);

  assertEquals(copyVector(changing, into), 3);
  assertEquals([...into.subarray(0, 3), reads], [1, 2, 3, 1]);
  assertEquals(copyVector(shrinking, into), 2);
});
