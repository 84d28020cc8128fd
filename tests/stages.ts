// SPDX-License-Identifier: MIT
/**
 * The table of all that `just test` runs.
 *
 * @module
 */
import { exists, PROJECT } from "../lab/host.ts";
import { hasKernel } from "../lab/kinds.ts";
import { type Machine, machineByName } from "../lab/machines.ts";
import { modulePath } from "../lab/module.ts";
import { CHECKS as STATIC } from "./static/checks.ts";

/** One stage: a command whose result counts. */
export interface Stage {
  /** What the summary calls it; `just test NAME` selects by it. */
  readonly name: string;
  /** Commands to run first; the failure of one is the stage's. */
  readonly prepare?: readonly (readonly string[])[];
  /** The command, run in the project's folder. */
  readonly command: readonly string[];
  /** `tap`: its output lists tests. `exit`: it is one test, passed if it exits with 0. */
  readonly result: "tap" | "exit";
  /** Whether it spends its time in a machine whose processor is emulated. */
  readonly emulated?: boolean;
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

/** The machine whose kernel checks what the driver does. */
export const CHECKED = "uml-debug";

/** The test that the checks find what they are there for, on the machine that has them. */
const FAULTS = "tests/lab/debug_test.ts";

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
    prepare: [["make", "--silent", "-C", "tests/bounds", "CC=gcc-12"]],
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
  return { name: stageName(name, machine), command, result: "tap", emulated: isEmulated(machine) };
}

function isEmulated(machine: string): boolean {
  return machineByName(machine).kind === "qemu";
}

/** The device suite in a machine. */
function deviceStage(machine: string): Stage {
  return guestStage("device", machine, "--allow-ffi", "tests/device");
}

const DEVICE: readonly Stage[] = [
  ...[STOCK, FAST].flatMap((machine) => [
    deviceStage(machine),
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
  const checked = machineByName(CHECKED);
  return [
    ...CHECKS,
    ...DEVICE,
    ...await programStages(),
    {
      name: "lab",
      command: [...test, "--allow-all", `--ignore=${FAULTS}`, "tests/lab"],
      result: "tap",
    },
    ...await hasKernel(checked) ? await checkedStages(checked) : [],
    ...await hostStages(),
  ];
}

/** What `just test` runs where the kernel checks everything: what takes minutes, not an hour. */
async function checkedStages(machine: Machine): Promise<Stage[]> {
  const files = ["cache", "device", "errors"].map((name) => `tests/device/${name}_test.ts`);
  return [
    guestStage("device in part", machine.name, "--allow-ffi", ...files),
    ...await sharedProgramStages(machine),
    faultStage,
  ];
}

/** What every machine of the lab has to pass: the device suite, and all C programs for it. */
export async function suites(machine: Machine): Promise<Stage[]> {
  return [deviceStage(machine.name), ...await sharedProgramStages(machine)];
}

/** The faults that the machine with the kernel's checks has to find. */
const faultStage: Stage = {
  name: `faults on ${CHECKED}`,
  command: [...test, "--allow-all", FAULTS],
  result: "tap",
};

/** Every C program of `tests/kernel` in each everyday machine, each in a boot of its own. */
async function programStages(): Promise<Stage[]> {
  const found = await programs();
  return found.flatMap((program) =>
    [STOCK, FAST].filter((name) => runsOn(program, name)).map(machineByName).map((
      machine,
    ): Stage => ({
      name: stageName(`kernel/${program.name}`, machine.name),
      prepare: [compile(program, machine)],
      command: inLab(
        machine.name,
        [`./${binaryFor(program, machine)}`, ...program.args(machine.name)],
        program.moduleArgs,
        program.memory,
      ),
      result: "tap",
      emulated: isEmulated(machine.name),
    }))
  );
}

/** All C programs for a machine, in one boot for each size of its memory that they ask for. */
async function sharedProgramStages(machine: Machine): Promise<Stage[]> {
  const found = (await programs()).filter((program) => runsOn(program, machine.name));
  return [...Map.groupBy(found, ({ memory }) => memory)].map(([memory, some]): Stage => ({
    name: `kernel/${memory && ` in ${memory}`} on ${machine.name}`,
    prepare: some.map((program) => compile(program, machine)),
    command: inLab(
      machine.name,
      ["tests/kernel/each.sh", modulePath(machine)]
        .concat(some.flatMap((program) => [
          [`./${binaryFor(program, machine)}`, ...program.args(machine.name)].join(" "),
          program.moduleArgs,
        ])),
      "",
      memory,
    ),
    result: "tap",
    emulated: isEmulated(machine.name),
  }));
}

/** A C program of `tests/kernel`, and how it wants to be run. */
interface Program {
  readonly name: string;
  /** Its name once it is compiled. */
  readonly binary: string;
  readonly moduleArgs: string;
  readonly memory: string;
  /** The machines it is for, unless it is for all. */
  readonly machines: readonly string[] | undefined;
  /** Its arguments on a machine. */
  readonly args: (machine: string) => readonly string[];
}

async function programs(): Promise<Program[]> {
  const folder = `${PROJECT}/tests/kernel`;
  return await Promise.all((await filesIn(folder, ".c")).map(async (name): Promise<Program> => {
    const source = await Deno.readTextFile(`${folder}/${name}`);
    return {
      name,
      binary: name.replace(/\.c$/, ""),
      moduleArgs: comment(source, "module-args") ?? "",
      memory: comment(source, "memory") ?? "",
      machines: comment(source, "machines")?.split(" "),
      args: (machine) =>
        (comment(source, `arguments on ${machine}`) ?? comment(source, "arguments"))?.split(" ") ??
          [],
    };
  }));
}

function runsOn({ machines }: Program, machine: string): boolean {
  return machines?.includes(machine) ?? true;
}

/** Where a program lies that was compiled for a machine. */
function binaryFor({ binary }: Program, machine: Machine): string {
  return `build/tests/kernel/${machine.compiler ? `${machine.name}/` : ""}${binary}`;
}

function compile(program: Program, machine: Machine): string[] {
  const flags = ["-static", "-pthread", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
  const words = ["-Ikernel/uapi", "-o", binaryFor(program, machine)];
  return [machine.compiler ?? "gcc", ...flags, ...words, `tests/kernel/${program.name}`, "-lm"];
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
