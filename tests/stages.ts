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
import { FAST, filesIn, inLab, isEmulated, type Stage, stageName, STOCK } from "./stage.ts";
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
    emulated: isEmulated(machine),
    seconds,
  };
}

/** The device suite in a machine. */
function deviceStage(machine: string, seconds?: number): Stage {
  return guestStage("device", machine, ["--allow-ffi", "tests/device"], seconds);
}

const DEVICE: readonly Stage[] = [
  ...[STOCK, FAST].flatMap((machine) => [
    deviceStage(machine),
    guestStage("command line", machine, ["--allow-all", "tests/cli/cli_test.ts"]),
  ]),
  guestStage("a million rows", STOCK, ["--allow-all", "tests/cli/million_test.ts"]),
  guestStage("library examples", STOCK, ["--doc", "--allow-ffi", "mod.ts", "cli.ts", "client"]),
  // Its vectors have the ids of the library's own examples, so it needs a store of its own.
  guestStage("README example", STOCK, ["--doc", "--allow-ffi", "README.md"]),
  ...[STOCK, FAST].map((machine) =>
    guestStage("manual examples", machine, ["--doc", "--allow-ffi", "docs/cache.md"])
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
    ...await hasKernel(machineByName(WATCHED)) ? [faultStage(WATCHED)] : [],
    ...await hostStages(),
  ];
}

/** What `just test` runs where the kernel checks everything: what takes minutes, not an hour. */
async function checkedStages(machine: Machine): Promise<Stage[]> {
  const files = ["cache", "device", "errors"].map((name) => `tests/device/${name}_test.ts`);
  return [
    guestStage("device in part", machine.name, ["--allow-ffi", ...files]),
    ...await sharedProgramStages(machine),
    faultStage(machine.name),
  ];
}

/**
 * What every machine of the lab has to pass: the device suite, and all C programs for it. One with
 * checks of the kernel's has to find faults, too. The one that looks for races has the C programs
 * alone: in the device suite it is mostly Deno that runs, in one thread.
 */
export async function suites(machine: Machine): Promise<Stage[]> {
  const { name } = machine;
  return [
    ...[CHECKED, WATCHED].includes(name) ? [faultStage(name)] : [],
    ...name === STOCK ? [loadStage(name)] : [],
    ...name === WATCHED ? [] : [deviceStage(name, LONG_SECONDS)],
    ...await sharedProgramStages(machine, LONG_SECONDS),
  ];
}

/** The driver, built and loaded in a machine with the headers of its kernel. */
function loadStage(machine: string): Stage {
  const script = loadCheck("just load", "just unload");
  return {
    name: stageName("load", machine),
    command: inLab(machine, ["sh", "-euc", script]),
    result: "exit",
    emulated: isEmulated(machine),
  };
}

/** The faults that a machine with the kernel's checks has to find. */
function faultStage(machine: string): Stage {
  return {
    name: stageName("faults", machine),
    command: [...test, "--allow-all", `--filter=/^${machine} finds /`, FAULTS],
    result: "tap",
    emulated: isEmulated(machine),
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
