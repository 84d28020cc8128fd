// SPDX-License-Identifier: MIT
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ERRNOS } from "../../client/errors.ts";
import { cString, libc, OPEN_FLAGS } from "../../client/libc.ts";

Deno.test("libc() binds the C library once", () => {
  assertStrictEquals(libc(), libc());
});

Deno.test("libc() gives the errno of the call before, not a copy", () => {
  const { symbols, errno } = libc();
  symbols.open(cString("/nowhere"), OPEN_FLAGS.O_RDONLY);
  const missing = errno[0];
  symbols.close(-1);
  const closed = errno[0];
  assertEquals([missing, closed], [ERRNOS.ENOENT.number, ERRNOS.EBADF.number]);
});

Deno.test("cString() ends with one NUL and refuses others", () => {
  assertEquals([...cString("é")], [0xc3, 0xa9, 0]);
  assertEquals([...cString("")], [0]);
  assertThrows(() => cString("a\0b"), TypeError, "NUL");
});
