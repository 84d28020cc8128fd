// SPDX-License-Identifier: MIT
/**
 * Quoting, with a real shell as the judge.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { shellQuote } from "../../lab/quote.ts";

Deno.test("shellQuote() is read back by a shell as the same words", async () => {
  const words = ["", "a b", "it's", "''", "\\", "$x `y` $(z)", "*", "two\nlines\n", "ä", "-n"];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `printf '%s\\0' ${shellQuote(words)}`],
  }).output();
  assertEquals(new TextDecoder().decode(stdout).split("\0").slice(0, -1), words);
});
