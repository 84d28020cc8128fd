// SPDX-License-Identifier: MIT
/**
 * The table of all that `just test` runs.
 *
 * @module
 */
import { exists, PROJECT } from "../lab/host.ts";
import { CHECKS as STATIC } from "./static/checks.ts";

/** One stage: a command whose result counts. */
export interface Stage {
  /** What the summary calls it; `just test NAME` selects by it. */
  readonly name: string;
  /** What to run first; its failure is the stage's. */
  readonly prepare?: readonly string[];
  /** The command, run in the project's folder. */
  readonly command: readonly string[];
  /** `tap`: its output lists tests. `exit`: it is one test, passed if it exits with 0. */
  readonly result: "tap" | "exit";
}

const deno = Deno.execPath();
const test = [deno, "test", "--reporter=tap"];
// The guest is slow: types are checked on the host, in a stage of their own.
const guestTest = ["deno", "test", "--no-check", "--reporter=tap"];
const sourceFolders = ["bench", "client", "demo", "lab", "tests"];

/** The machine with the stock kernel that people run, whose processor is emulated, and slow. */
const STOCK = "debian-6.1";

/** The machine at native speed. */
const FAST = "uml";

/** A command as the lab runs it in a machine. */
function inLab(machine: string, command: string[], moduleArgs = "", memory = ""): string[] {
  const options = ["--machine", machine, "--timeout", "1500", "--module-args", moduleArgs];
  options.push("--memory", memory);
  return [deno, "run", "--quiet", "--no-check", "--allow-all", "lab/main.ts", ...options, "--"]
    .concat(command);
}

const CHECKS: readonly Stage[] = [
  { name: "format", command: [deno, "fmt", "--check"], result: "exit" },
  { name: "lint", command: [deno, "lint"], result: "exit" },
  {
    name: "types",
    command: [
      deno,
      "check",
      "--doc",
      "mod.ts",
      "cli.ts",
      "README.md",
      "docs/cache.md",
      ...sourceFolders,
    ],
    result: "exit",
  },
  {
    name: "docs lint",
    command: [deno, "doc", "--lint", "mod.ts", "cli.ts", "client/formats/mod.ts"],
    result: "exit",
  },
  {
    name: "publish",
    command: [deno, "publish", "--dry-run", "--allow-dirty"],
    result: "exit",
  },
  ...Object.keys(STATIC).map((name): Stage => ({
    name: `static ${name}`,
    command: [deno, "run", "--quiet", "--no-check", "--allow-all", "tests/static/main.ts", name],
    result: "exit",
  })),
  { name: "unit", command: [...test, "--allow-all", "tests/unit"], result: "tap" },
  {
    name: "bounds",
    prepare: ["make", "--silent", "-C", "tests/bounds", "CC=gcc-12"],
    command: ["build/tests/bounds/bounds"],
    result: "tap",
  },
  {
    name: "lab examples",
    command: [...test, "--doc", "--allow-all", "lab", "tests/tap.ts"],
    result: "tap",
  },
];

/** The name of a stage in a machine. */
function stageName(name: string, machine: string): string {
  return machine === STOCK ? name : `${name} on ${machine}`;
}

/** A stage of Deno tests in a machine. */
function guestStage(name: string, machine: string, ...args: string[]): Stage {
  const command = inLab(machine, [...guestTest, ...args]);
  return { name: stageName(name, machine), command, result: "tap" };
}

const DEVICE: readonly Stage[] = [
  ...[STOCK, FAST].flatMap((machine) => [
    guestStage("device", machine, "--allow-ffi", "tests/device"),
    guestStage("command line", machine, "--allow-all", "tests/cli/cli_test.ts"),
  ]),
  guestStage("a million rows", STOCK, "--allow-all", "tests/cli/million_test.ts"),
  guestStage("library examples", STOCK, "--doc", "--allow-ffi", "mod.ts", "cli.ts", "client"),
  // Its vectors have the ids of the library's own examples, so it needs a store of its own.
  guestStage("README example", STOCK, "--doc", "--allow-ffi", "README.md"),
  ...[STOCK, FAST].map((machine) =>
    guestStage("manual examples", machine, "--doc", "--allow-ffi", "docs/cache.md")
  ),
];

/** The stages in the order in which they run. */
export async function stages(): Promise<Stage[]> {
  return [
    ...CHECKS,
    ...DEVICE,
    ...await programStages(),
    { name: "lab", command: [...test, "--allow-all", "tests/lab"], result: "tap" },
    ...await hostStages(),
  ];
}

/** Every C program of `tests/kernel` in each machine, each on a freshly loaded driver. */
async function programStages(): Promise<Stage[]> {
  const folder = `${PROJECT}/tests/kernel`;
  const found: Stage[] = [];
  for (const name of await filesIn(folder, ".c")) {
    const program = `build/tests/kernel/${name.replace(/\.c$/, "")}`;
    const flags = ["-static", "-pthread", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
    const source = await Deno.readTextFile(`${folder}/${name}`);
    const words = comment(source, "module-args") ?? "";
    const memory = comment(source, "memory") ?? "";
    const machines = comment(source, "machines")?.split(" ") ?? [STOCK, FAST];
    const args = (machine: string) =>
      (comment(source, `arguments on ${machine}`) ?? comment(source, "arguments"))?.split(" ") ??
        [];
    for (const machine of machines) {
      found.push({
        name: stageName(`kernel/${name}`, machine),
        prepare: ["gcc", ...flags, "-Ikernel/uapi", "-o", program, `tests/kernel/${name}`, "-lm"],
        command: inLab(machine, [`./${program}`, ...args(machine)], words, memory),
        result: "tap",
      });
    }
  }
  return found;
}

/**
 * What a C test says of how it wants to be run, in a comment `name: …`: the driver's parameters as
 * `module-args`, the machine's `memory`, such as `512M`, the `machines`, where those are not all, and
 * its own `arguments`, or its `arguments on …` one machine.
 */
export function comment(source: string, name: string): string | undefined {
  return new RegExp(`^[ /]*\\*? *${name}: *(.*?) *(?:\\*/)?$`, "m").exec(source)?.[1];
}

/** The test files that lie in `tests` itself, which see the project as a whole. */
async function hostStages(): Promise<Stage[]> {
  return (await filesIn(`${PROJECT}/tests`, "_test.ts")).map((name): Stage => ({
    name: name.replace(/_test\.ts$/, ""),
    command: [...test, "--allow-all", `tests/${name}`],
    result: "tap",
  }));
}

async function filesIn(folder: string, ending: string): Promise<string[]> {
  if (!await exists(folder)) return [];
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && entry.name.endsWith(ending)) names.push(entry.name);
  }
  return names.sort();
}
