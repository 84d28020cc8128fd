// SPDX-License-Identifier: MIT
/**
 * Reading TAP, and what the test table reads from C tests.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { comment } from "../programs.ts";
import { parseTap } from "../tap.ts";

/** Each test's outcome and name. */
function outcomes(text: string): string[] {
  return parseTap(text).tests.map(({ outcome, name }) => `${outcome} ${name}`);
}

Deno.test("parseTap() counts flat results", () => {
  const text = "KTAP version 1\nok 1 - a\nnot ok 2 - b \\# c\nok 3 d # SKIP why\n1..3\n";
  assertEquals(outcomes(text), ["passed a", "failed b # c", "skipped d"]);
  assertEquals(parseTap(text).problems, []);
});

Deno.test("parseTap() counts subtests and not the test that they make up", () => {
  const text = `TAP version 14
# ./a_test.ts
# Subtest: Outer
    ok 1 - one
    not ok 2 - two
      ---
      {"message":"Error: boom\\nsecond line","severity":"fail"}
      ...
    1..2
not ok 1 - Outer
  ---
  {"message":"1 test step failed."}
  ...
ok 2 - plain
1..2
`;
  assertEquals(outcomes(text), ["passed Outer › one", "failed Outer › two", "passed plain"]);
  assertEquals(parseTap(text).tests[1]?.details, "Error: boom\nsecond line");
  assertEquals(parseTap(text).problems, []);
});

Deno.test("parseTap() counts a failure that no subtest explains", () => {
  const text = "# Subtest: o\n    ok 1 - a\n    1..1\nnot ok 1 - o\n1..1\n";
  assertEquals(outcomes(text), ["passed o › a", "failed o"]);
});

Deno.test("parseTap() tells a stream that was cut short", () => {
  assertEquals(parseTap("ok 1 - a\nok 2 - b\n").problems, ["cut short after 2 tests: no plan"]);
  assertEquals(parseTap("").problems, ["cut short after 0 tests: no plan"]);
  assertEquals(parseTap("1..3\nok 1 - a\n").problems, ["planned 3 tests but reported 1"]);
  const inside = parseTap("# Subtest: o\n    ok 1 - a\n");
  assertEquals(inside.problems.length, 2);
});

Deno.test("parseTap() tells a program that gave up", () => {
  const { problems } = parseTap("ok 1 - a\nBail out! cannot open /dev/vss\n");
  assertEquals(problems[0], "gave up: cannot open /dev/vss");
});

Deno.test("parseTap() keeps the notes that follow a failure", () => {
  const { tests } = parseTap("not ok 1 - a\n# got 3\n# wanted 4\nok 2 - b\n# fine\n1..2\n");
  assertEquals(tests.map((test) => test.details), ["# got 3\n# wanted 4", ""]);
});

Deno.test("comment() reads what a C test says of how it wants to be run", () => {
  assertEquals(
    comment("// x\n/* module-args: max_vectors=100 simd=scalar */\n", "module-args"),
    "max_vectors=100 simd=scalar",
  );
  const source = "/*\n * Full store.\n *\n * machines: uml\n * module-args: max_vectors=9\n */\n";
  assertEquals(comment(source, "module-args"), "max_vectors=9");
  assertEquals(comment(source, "machines"), "uml");
  assertEquals(comment("/* nothing */", "module-args"), undefined);
});

Deno.test("parseTap() tells a plan or a number that comes twice", () => {
  assertEquals(parseTap("1..1\nok 1 - a\n1..1\n").problems, ["planned twice: 1..1"]);
  assertEquals(parseTap("ok 1 - a\nok 1 - a\n1..2\n").problems, ['test 1 ("a") is out of order']);
});

Deno.test("parseTap() counts a failure whatever its directive, and no # inside a name as one", () => {
  const { tests } = parseTap("not ok 1 - a # SKIP no device\nok 2 - knows #skip lists\n1..2\n");
  assertEquals(tests.map(({ name, outcome }) => [name, outcome]), [
    ["a", "failed"],
    ["knows #skip lists", "passed"],
  ]);
});
