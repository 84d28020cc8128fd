// SPDX-License-Identifier: MIT
/**
 * The options of `just lab`.
 *
 * @module
 */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { LabError } from "../../lab/host.ts";
import { parseLabArgs } from "../../lab/options.ts";

function parse(...args: string[]) {
  const session = parseLabArgs(args);
  if (session === "help") throw new Error("Help was not asked for");
  return session;
}

function refusal(...args: string[]): string {
  return assertThrows(() => parseLabArgs(args), LabError).message;
}

Deno.test("parseLabArgs() has defaults for all but the command", () => {
  const { machine, memory, cpus, accel, moduleArgs, timeout, verbose, command } = parse("true");
  assertEquals(machine.name, "debian-6.1");
  assertEquals([memory, cpus, accel, moduleArgs, timeout], ["2G", 2, "tcg", [], 600]);
  assertEquals([verbose, command], [false, ["true"]]);
});

Deno.test("parseLabArgs() takes memory and processors from the machine unless they are given", () => {
  const uml = ["--machine", "uml"];
  const { memory, cpus } = parse(...uml, "true");
  assertEquals([memory, cpus], ["4G", navigator.hardwareConcurrency]);
  const given = parse(...uml, "--memory", "1G", "--cpus", "3", "true");
  assertEquals([given.memory, given.cpus], ["1G", 3]);
});

Deno.test("parseLabArgs() leaves the command's words alone", () => {
  const words = ["cmd", "007", "--memory", "1", "--verbose", "--", "-x", "", "--help"];
  assertEquals(parse("--cpus", "1", "--", ...words).command, words);
  // just takes the first -- away.
  assertEquals(parse("--cpus", "1", ...words).command, words);
  assertEquals(parse("--verbose", ...words).command, words);
});

Deno.test("parseLabArgs() splits the driver's parameters", () => {
  assertEquals(parse("--module-args", " a=1  b=x ", "true").moduleArgs, ["a=1", "b=x"]);
  const none = parse("--module-args", "", "--", "echo", "--timeout", "");
  assertEquals([none.moduleArgs, none.command], [[], ["echo", "--timeout", ""]]);
});

Deno.test("parseLabArgs() refuses what makes no sense and says what would", () => {
  assertStringIncludes(refusal(), "No COMMAND");
  assertStringIncludes(refusal("--what", "true"), "Unknown option --what");
  assertStringIncludes(
    refusal("--machine", "amiga", "true"),
    "known are debian-6.1, debian-6.12, debian-7.3, debian-arm64, uml",
  );
  assertStringIncludes(refusal("--memory", "lots", "true"), "512M or 2G");
  assertStringIncludes(refusal("--cpus", "0", "true"), "from 1 to 99");
  assertStringIncludes(refusal("--accel", "magic", "true"), "tcg or kvm");
  assertStringIncludes(
    refusal("--machine", "uml", "--accel", "kvm", "true"),
    "uml has native speed",
  );
  assertStringIncludes(refusal("--timeout", "-1", "true"), "seconds");
});

Deno.test("parseLabArgs() knows --help, before the command only", () => {
  assertEquals(parseLabArgs(["--help"]), "help");
  assertEquals(parse("ls", "--help").command, ["ls", "--help"]);
});
