// SPDX-License-Identifier: MIT
/**
 * Runs the README's commands. The second word of a block's first line says where they run:
 *
 * - `host`: on this machine;
 * - `lab`: in a machine with the driver loaded;
 * - `bare`: in a machine without it, at native speed, as the compiler is slow elsewhere;
 *   `just test-matrix` has one with a stock kernel build and load the driver.
 *
 * A `text` block after a `lab` block is exactly what the commands print. The README's TypeScript
 * is run with the library's other examples.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { prepareKernel } from "../lab/kinds.ts";
import { machineByName } from "../lab/machines.ts";
import { headersIn, loadCheck } from "./load_check.ts";
import { FAST, STOCK } from "./stage.ts";

const PROJECT = new URL("..", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", PROJECT));

/** How the README calls `just`, and how a machine without a network does. */
const JUST = { readme: "npx --yes rust-just", machine: "just" } as const;

/** A block of commands. */
interface Block {
  readonly where: string;
  readonly commands: string;
  /** What the commands print, where the README shows it. */
  readonly output: string | undefined;
}

function blocks(): Block[] {
  const pattern = /^```sh ?(\w*)\n([^]*?)^```\n(?:\n```text\n([^]*?)^```\n)?/gm;
  return [...README.matchAll(pattern)].map(([, where, commands, output]) => ({
    where: where!,
    commands: commands!,
    output,
  }));
}

/** The blocks that run in one place. */
function blocksIn(where: string): Block[] {
  return blocks().filter((block) => block.where === where);
}

async function run(command: readonly string[]): Promise<string> {
  const [file = "", ...args] = command;
  const child = new Deno.Command(file, { args, cwd: PROJECT, stdin: "null", stderr: "piped" });
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, `${command.join(" ")}\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Runs a script in a machine. */
function runInLab(script: string, machine = STOCK): Promise<string> {
  const commands = script.replaceAll(JUST.readme, JUST.machine);
  const options = ["--machine", machine];
  return run([...JUST.readme.split(" "), "lab", ...options, "--", "sh", "-euc", commands]);
}

describe("README.md", () => {
  it("says of every block of commands where it runs", () => {
    assert(blocks().length > 0);
    for (const { where, commands } of blocks()) {
      assert(["host", "lab", "bare"].includes(where), commands);
    }
  });

  it("leads with the demonstration and the tests", () => {
    assertEquals(blocks()[0]?.commands, `${JUST.readme} demo\n${JUST.readme} test\n`);
  });

  for (const command of blocksIn("host").flatMap(({ commands }) => commands.trim().split("\n"))) {
    // That command is running this test: it only has to be there.
    const isThisRun = command === `${JUST.readme} test`;
    it(`has a command that works: ${command}`, async () => {
      if (!isThisRun) return await assertRuns(command);
      const recipes = await run([...JUST.readme.split(" "), "--summary"]);
      assert(recipes.trim().split(" ").includes("test"));
    });
  }

  async function assertRuns(command: string): Promise<void> {
    const output = await run(command.split(" "));
    const last = output.trimEnd().split("\n").at(-1)!;
    if (command.endsWith(" demo")) {
      const [, vectors, queries] =
        /^demo ok: (\d+) vectors stored, (\d+) queries answered$/.exec(last) ?? [];
      assert(Number(vectors) > 10_000 && Number(queries) >= 3, output);
    } else assertEquals(last, "Everything needed is there");
  }

  for (const { commands, output } of blocksIn("lab")) {
    it(`has commands that work: ${commands.split("\n")[0]} …`, async () => {
      const printed = await runInLab(commands);
      if (output === undefined) assertStringIncludes(printed, "boots in seconds");
      else assertEquals(printed, output);
    });
  }

  for (const { commands } of blocksIn("bare")) {
    it(`has commands that work: ${commands.split("\n")[0]} …`, async () => {
      const { headers, makeArguments } = await prepareKernel(machineByName(FAST));
      const [load = "", unload = ""] = commands.trim().split("\n");
      const script = [headersIn(headers, makeArguments), loadCheck(load, unload)].join("\n");
      assertStringIncludes(await runInLab(script, FAST), "vss is removed");
    });
  }
});
