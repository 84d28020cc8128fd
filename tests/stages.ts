// SPDX-License-Identifier: MIT
/**
 * The table of all that `just test` runs.
 *
 * @module
 */
import { PROJECT } from "../lab/host.ts";
import { hasKernel } from "../lab/kinds.ts";
import { type Machine, machineByName } from "../lab/machines.ts";
import { loadCheck } from "./load_check.ts";
import { programStages, sharedProgramStages } from "./programs.ts";
import { FAST, filesIn, inLab, type Stage, stageName, STOCK } from "./stage.ts";
import { CHECKS as STATIC } from "./static/checks.ts";

const deno = Deno.execPath();
const test = [deno, "test", "--reporter=tap"];
// The guest is slow: types are checked on the host, in a stage of their own.
const guestTest = ["deno", "test", "--no-check", "--reporter=tap"];
const sourceFolders = ["bench", "client", "demo", "lab", "tests"];

/** What the whole of a suite may take in the slowest machine. */
const LONG_SECONDS = 7200;

/** The machine whose kernel checks what the driver does, but for races. */
export const CHECKED = "uml-debug";

/** The machine whose kernel watches the driver for races. */
export const WATCHED = "kcsan";

/** The test that the checks find what they are there for, on the machines that have them. */
const FAULTS = "tests/lab/debug_test.ts";

/** The search for rows that their codes rule out, and should not. */
export function boundsStage(...args: string[]): Stage {
  return {
    name: "bounds",
    prepare: [["make", "--silent", "-C", "tests/bounds", "CC=gcc-12"]],
    command: ["build/tests/bounds/bounds", ...args],
    result: "tap",
  };
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
  boundsStage(),
  {
    name: "lab examples",
    command: [...test, "--doc", "--allow-all", "lab", "tests/tap.ts"],
    result: "tap",
  },
];

/** A stage of Deno tests in a machine. */
function guestStage(
  name: string,
  machine: string,
  args: readonly string[],
  seconds?: number,
): Stage {
  return {
    name: stageName(name, machine),
    command: inLab(machine, [...guestTest, ...args], { seconds }),
    result: "tap",
    machine,
    seconds,
  };
}

/** The device suite in a machine. */
function deviceStage(machine: string, seconds?: number): Stage {
  return guestStage("device", machine, ["--allow-ffi", "tests/device"], seconds);
}

/** What of the device suite runs in minutes where machines are slow. */
function devicePartStage(machine: string): Stage {
  const files = ["cache", "device", "errors"].map((name) => `tests/device/${name}_test.ts`);
  return guestStage("device in part", machine, ["--allow-ffi", ...files]);
}

/** What the command line does in a machine. */
function commandLineStage(machine: string, seconds?: number): Stage {
  return guestStage("command line", machine, ["--allow-all", "tests/cli/cli_test.ts"], seconds);
}

/** The memory that rows take, by the account of a stock kernel: user-mode Linux keeps another. */
function memoryStage(rows: number, seconds?: number): Stage {
  const args = ["--allow-all", "tests/cli/million_test.ts", "--", "--rows", String(rows)];
  return guestStage(`${rows} rows`, STOCK, args, seconds);
}

/** All that does not need a stock kernel, at native speed. */
async function fastStages(): Promise<Stage[]> {
  const examples = (name: string, ...files: string[]) =>
    guestStage(name, FAST, ["--doc", "--allow-ffi", ...files]);
  return [
    deviceStage(FAST),
    commandLineStage(FAST),
    examples("library examples", "mod.ts", "cli.ts", "client"),
    // Its vectors have the ids of the library's own examples, so it needs a store of its own.
    examples("README example", "README.md"),
    examples("manual examples", "docs/cache.md"),
    ...await programStages(FAST),
  ];
}

/** What takes minutes, not an hour, where the kernel is slow, or checks everything. */
async function slowStages(machine: Machine): Promise<Stage[]> {
  return [devicePartStage(machine.name), ...await sharedProgramStages(machine)];
}

/** The stages in the order of the summary. */
export async function stages(): Promise<Stage[]> {
  const checked = machineByName(CHECKED);
  return [
    ...CHECKS,
    ...await slowStages(machineByName(STOCK)),
    memoryStage(200_000),
    ...await fastStages(),
    {
      name: "lab",
      command: [...test, "--allow-all", `--ignore=${FAULTS}`, "tests/lab"],
      result: "tap",
    },
    ...await hasKernel(checked) ? [...await slowStages(checked), faultStage(CHECKED)] : [],
    ...await hasKernel(machineByName(WATCHED)) ? [faultStage(WATCHED)] : [],
    ...await hostStages(),
  ];
}

/**
 * What every machine of the lab has to pass: the device suite, and all C programs for it. One with
 * checks of the kernel's has to find faults, too; the stock one that people run, to build and load
 * the driver, and to serve the command line. The one that looks for races has the C programs alone:
 * in the device suite it is mostly Deno that runs, in one thread.
 */
export async function suites(machine: Machine): Promise<Stage[]> {
  const { name } = machine;
  return [
    ...[CHECKED, WATCHED].includes(name) ? [faultStage(name)] : [],
    ...name === STOCK ? stockStages() : [],
    ...name === WATCHED ? [] : [deviceStage(name, LONG_SECONDS)],
    ...await sharedProgramStages(machine, LONG_SECONDS),
  ];
}

/** What people do with a stock kernel: build and load the driver, and use the command line. */
function stockStages(): Stage[] {
  const load: Stage = {
    name: stageName("load", STOCK),
    command: inLab(STOCK, ["sh", "-euc", loadCheck("just load", "just unload")]),
    result: "exit",
    machine: STOCK,
  };
  return [load, commandLineStage(STOCK, LONG_SECONDS), memoryStage(1_000_000, LONG_SECONDS)];
}

/** The faults that a machine with the kernel's checks has to find. */
function faultStage(machine: string): Stage {
  return {
    name: stageName("faults", machine),
    command: [...test, "--allow-all", `--filter=/^${machine} finds /`, FAULTS],
    result: "tap",
    machine,
  };
}

/** The test files that lie in `tests` itself, which see the project as a whole. */
async function hostStages(): Promise<Stage[]> {
  return (await filesIn(`${PROJECT}/tests`, "_test.ts")).map((name): Stage => ({
    name: name.replace(/_test\.ts$/, ""),
    command: [...test, "--allow-all", `tests/${name}`],
    result: "tap",
  }));
}
