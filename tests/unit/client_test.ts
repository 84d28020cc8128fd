// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { VssClient, VssError } from "../../mod.ts";

/** A file that opens and knows no command. */
const NO_DEVICE = "/dev/null";

/** The code of the VssError that a call throws. */
function codeOf(call: () => unknown): string {
  return assertThrows(call, VssError).code;
}

Deno.test("VssClient.open() says what to do where there is no device", () => {
  const error = assertThrows(() => VssClient.open("/nowhere/vss"), VssError);
  assertEquals([error.code, error.errno, error.operation], ["ENOENT", 2, "open"]);
  assertStringIncludes(error.message, "Cannot open /nowhere/vss");
  assertStringIncludes(error.message, "just load");
});

Deno.test("VssClient.open() names what a path leads to instead", () => {
  assertEquals(codeOf(() => VssClient.open("/")), "EISDIR");
  assertEquals(codeOf(() => VssClient.open("/dev/null/vss")), "ENOTDIR");
  assertEquals(codeOf(() => VssClient.open("")), "ENOENT");
  assertEquals(codeOf(() => VssClient.open(`/${"x".repeat(300)}`)), "ENAMETOOLONG");
});

Deno.test("VssClient.open() refuses a path with a NUL, and one that is no string", () => {
  assertThrows(() => VssClient.open("/dev/null\0/vss"), TypeError, "NUL");
  assertThrows(() => VssClient.open(5 as unknown as string), TypeError, "must be a string");
});

Deno.test("every call tells a file that is no vss device", () => {
  using client = VssClient.open(NO_DEVICE);
  assertEquals(codeOf(() => client.addVector(1, [1])), "ENOTTY");
  assertEquals(codeOf(() => client.queryTopK([1], 1)), "ENOTTY");
  assertEquals(codeOf(() => client.stats()), "ENOTTY");
});

Deno.test("every call checks its arguments before it reaches the device", () => {
  using client = VssClient.open(NO_DEVICE);
  assertThrows(() => client.addVector(-1, [1]), RangeError, "Id");
  assertThrows(() => client.addVector(1, []), RangeError, "1 to 128 components");
  assertThrows(() => client.addVector(1, [NaN]), RangeError, "Component 0");
  assertThrows(() => client.queryTopK([1], 33), RangeError, "k must be");
  assertThrows(() => client.queryTopK([1e39], 1), RangeError, "Component 0");
});

Deno.test("close() twice is harmless, and what follows is refused with EBADF", () => {
  const client = VssClient.open(NO_DEVICE);
  client.close();
  client.close();
  for (
    const call of [
      () => client.addVector(1, [1]),
      () => client.queryTopK([1], 1),
      () => client.stats(),
    ]
  ) {
    const error = assertThrows(call, VssError, "the client is closed");
    assertEquals(error.code, "EBADF");
  }
});

Deno.test("close() does not close a file that took the number", () => {
  const client = VssClient.open(NO_DEVICE);
  client.close();
  using other = VssClient.open(NO_DEVICE);
  client.close();
  assertEquals(codeOf(() => other.stats()), "ENOTTY");
});

Deno.test("using closes the client", () => {
  let kept: VssClient;
  {
    using client = VssClient.open(NO_DEVICE);
    kept = client;
  }
  assertEquals(codeOf(() => kept.stats()), "EBADF");
});

Deno.test("errors keep their errno through thousands of calls", () => {
  using client = VssClient.open(NO_DEVICE);
  for (let i = 0; i < 5_000; i++) {
    assertEquals(codeOf(() => client.stats()), "ENOTTY");
    assertEquals(codeOf(() => VssClient.open("/nowhere")), "ENOENT");
  }
});
