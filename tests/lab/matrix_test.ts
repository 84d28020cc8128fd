// SPDX-License-Identifier: MIT
/**
 * How C programs share a boot, and the table of what came of all machines.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { PROJECT } from "../../lab/host.ts";
import { table } from "../matrix.ts";
import { parseTap } from "../tap.ts";

/** Runs `each.sh` with programs, and commands in place of the kernel's, all given as scripts. */
async function each(programs: string[], commands: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "vss-each-test-" });
  const script = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return `${folder}/${name}`;
  };
  try {
    for (const [name, text] of Object.entries(commands)) await script(name, text);
    const files = await Promise.all(programs.map((text, index) => script(`p${index}`, text)));
    const { stdout } = await new Deno.Command(`${PROJECT}/tests/kernel/each.sh`, {
      args: ["vss.ko", ...files.flatMap((file, index) => [file, index ? "a=1 b=2" : ""])],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function outcomes(text: string): string[] {
  const { tests, problems } = parseTap(text);
  return [...tests.map(({ outcome, name }) => `${outcome} ${name}`), ...problems];
}

Deno.test("each.sh runs every program with its own parameters", async () => {
  const program = "echo ok 1 - runs; echo 1..1";
  const output = await each([program, program], { insmod: 'echo "# $#: $*"' });
  assertEquals(outcomes(output), ["passed p0 › runs", "passed p1 › runs"]);
  assertEquals(output.match(/^# \d.*$/gm), ["# 1: vss.ko", "# 3: vss.ko a=1 b=2"]);
});

Deno.test("each.sh tells a program that dies, and goes on", async () => {
  const whole = "echo ok 1 - runs; echo 1..1";
  const output = await each([`${whole}; exit 3`, whole], { insmod: "" });
  assertEquals(outcomes(output), ["passed p0 › runs", "failed p0", "passed p1 › runs"]);
});

Deno.test("each.sh tells a driver that does not load", async () => {
  const output = await each(["echo ok 1 - never; echo 1..1"], { insmod: "exit 1" });
  assertEquals(outcomes(output), ["failed p0"]);
});

Deno.test("table() has a line for each suite of each machine", () => {
  const result = { passed: 12, skipped: 0, failures: ["a"], output: "", seconds: 3.4 };
  const stage = { name: "device on uml", command: [], result: "tap" } as const;
  assertEquals(
    table([{ machine: "uml", kernel: "7.3-uml", results: [{ ...result, stage }] }]),
    "machine  kernel   suite   passed  failed  seconds\n" +
      "uml      7.3-uml  device      12       1        3",
  );
});
