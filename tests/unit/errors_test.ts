// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { constants } from "node:os";
import { ERRNOS, VssError } from "../../client/errors.ts";

Deno.test("ERRNOS has the system's numbers", () => {
  const system: Record<string, number> = constants.errno;
  // The one that node:os does not list; gcc's <errno.h> has 79.
  const { ELIBACC, ...listed } = ERRNOS;
  assertEquals(ELIBACC.number, 79);
  for (const [name, { number }] of Object.entries(listed)) assertEquals(number, system[name], name);
});

Deno.test("ERRNOS gives each number one name", () => {
  const numbers = Object.values(ERRNOS).map(({ number }) => number);
  assertEquals(new Set(numbers).size, numbers.length);
});

Deno.test("VssError names the thing, what is wrong and what to do", () => {
  const error = new VssError(28, { operation: "add", subject: "add id 7 to /dev/vss" });
  assertEquals(
    error.message,
    "Cannot add id 7 to /dev/vss: the collection is full (ENOSPC); " +
      "load the driver with a greater `max_vectors`",
  );
  assertEquals([error.name, error.code, error.errno, error.operation], [
    "VssError",
    "ENOSPC",
    28,
    "add",
  ]);
  assertInstanceOf(error, Error);
});

Deno.test("VssError is the same from a name as from a number", () => {
  const options = { operation: "open", subject: "open it" } as const;
  assertEquals(new VssError("EACCES", options).message, new VssError(13, options).message);
  assertEquals(new VssError("EACCES", options).errno, 13);
});

Deno.test("VssError keeps a number that it has no name for", () => {
  const error = new VssError(133, { operation: "query", subject: "query it" });
  assertEquals([error.code, error.errno], ["E133", 133]);
  assertMatch(error.message, /^Cannot query it: an unexpected error \(E133\)$/);
});

Deno.test("VssError keeps its cause, and has none unless it is given", () => {
  const cause = new Error("below");
  assertEquals(new VssError(5, { operation: "load", subject: "x", cause }).cause, cause);
  assert(!("cause" in new VssError(5, { operation: "load", subject: "x" })));
});
