// SPDX-License-Identifier: MIT
/**
 * The stand-ins in `offline/` offer what the packages on JSR do, with types that narrow.
 *
 * @module
 */
import * as assertions from "@std/assert";
// Named, because a function that narrows must be called by an import's own name.
import { assert, assertEquals, assertExists, assertInstanceOf, assertIsError } from "@std/assert";
import * as bytes from "@std/bytes";
import * as cli from "@std/cli";
import * as bdd from "@std/testing/bdd";
import * as npmAssertions from "npm:deno-std@1.4.0/assert/mod.js";
import * as npmBytes from "npm:deno-std@1.4.0/bytes/mod.js";

/** The names that a module's type declarations declare as values. */
async function declared(name: string): Promise<string[]> {
  const path = new URL(`../../offline/${name}/types.d.ts`, import.meta.url);
  const source = await Deno.readTextFile(path);
  const found = source.matchAll(/^export declare (?:function|class|const) (\w+)/gm);
  return [...new Set([...found].map((match) => match[1]!))].sort();
}

Deno.test("@std/assert declares every assertion that there is", async () => {
  assertEquals(await declared("assert"), Object.keys(npmAssertions).sort());
  assertEquals(Object.keys(assertions).sort(), Object.keys(npmAssertions).sort());
});

Deno.test("@std/bytes declares every function that there is", async () => {
  assertEquals(await declared("bytes"), Object.keys(npmBytes).sort());
  assertEquals(Object.keys(bytes).sort(), Object.keys(npmBytes).sort());
});

Deno.test("@std/cli declares parseArgs()", async () => {
  assertEquals(await declared("cli"), Object.keys(cli).sort());
});

Deno.test("@std/testing/bdd has the blocks and the hooks", () => {
  const names = ["describe", "it", "beforeAll", "afterAll", "beforeEach", "afterEach"] as const;
  for (const name of names) assertEquals(typeof bdd[name], "function", name);
});

Deno.test("assert() and its kin narrow types", () => {
  const value: unknown = "text";
  assert(typeof value === "string");
  assertEquals(value.length, 4);
  const date: unknown = new Date(0);
  assertInstanceOf(date, Date);
  assertEquals(date.getTime(), 0);
  const error: unknown = new RangeError("far");
  assertIsError(error, RangeError);
  assertEquals(error.message, "far");
  const maybe = new Map([[1, "one"]]).get(1);
  assertExists(maybe);
  assertEquals(maybe.length, 3);
});

Deno.test("assertThrows() and assertRejects() return the error with its class", async () => {
  const thrown: RangeError = assertions.assertThrows(() => {
    throw new RangeError("far");
  }, RangeError);
  assertEquals(thrown.message, "far");
  const rejected: TypeError = await assertions.assertRejects(
    () => Promise.reject(new TypeError("odd")),
    TypeError,
  );
  assertEquals(rejected.message, "odd");
});

Deno.test("parseArgs() types options by what it is told", () => {
  const args = cli.parseArgs(["--name", "x", "--tag=a", "--tag=b", "-v", "rest"], {
    string: ["name", "tag", "level"],
    boolean: ["v"],
    collect: ["tag"],
    default: { level: "low" },
  });
  const name: string | undefined = args.name;
  const level: string = args.level;
  const tags: string[] = args.tag;
  const isVerbose: boolean = args.v;
  assertEquals([name, level, tags, isVerbose, args._], ["x", "low", ["a", "b"], true, ["rest"]]);
});
