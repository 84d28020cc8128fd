// SPDX-License-Identifier: MIT
/**
 * What a stage of the tests is, and how one runs in a machine of the lab.
 *
 * @module
 */
import { exists } from "../lab/host.ts";
import { machineByName } from "../lab/machines.ts";

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
  /** The machine that it runs in, where it is one alone: no other stage is in it meanwhile. */
  readonly machine?: string;
  /** Seconds that it may take, where those of an everyday stage are not enough. */
  readonly seconds?: number | undefined;
}

/** How long a stage may take, in seconds; the longest took a quarter of an hour on a busy machine. */
export const STAGE_SECONDS = 2400;

/** The machine with the stock kernel that people run, whose processor is emulated, and slow. */
export const STOCK = "debian-6.1";

/** The machine at native speed. */
export const FAST = "uml";

/** What a command wants of a machine. */
export interface Wants {
  /** The driver's parameters. */
  readonly moduleArgs?: string;
  /** Memory, such as `512M`. */
  readonly memory?: string;
  /** Seconds that it may take. */
  readonly seconds?: number | undefined;
}

/** A command as the lab runs it in a machine. */
export function inLab(
  machine: string,
  command: readonly string[],
  { moduleArgs = "", memory = "", seconds = STAGE_SECONDS }: Wants = {},
): string[] {
  const options = ["--machine", machine, "--timeout", String(seconds)];
  options.push("--module-args", moduleArgs, "--memory", memory);
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-check",
    "--allow-all",
    "lab/main.ts",
    ...options,
    "--",
  ]
    .concat(command);
}

/** Whether a stage runs in a machine whose processor is emulated, and so takes long. */
export function isEmulated({ machine }: Stage): boolean {
  return machine !== undefined && machineByName(machine).kind === "qemu";
}

/** The name of a stage in a machine. */
export function stageName(name: string, machine: string): string {
  return machine === STOCK ? name : `${name} on ${machine}`;
}

/** The names of the files in a folder that end so, in order; none where there is no such folder. */
export async function filesIn(folder: string, ending: string): Promise<string[]> {
  if (!await exists(folder)) return [];
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && entry.name.endsWith(ending)) names.push(entry.name);
  }
  return names.sort();
}
