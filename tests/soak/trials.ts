// SPDX-License-Identifier: MIT
/**
 * The table of what the driver was tried with for long.
 *
 * @module
 */
import { MACHINES } from "../../lab/machines.ts";
import { longProgramStage } from "../programs.ts";
import type { Stage } from "../stage.ts";
import { boundsStage, CHECKED, suites, WATCHED } from "../stages.ts";

/** One thing to try, for minutes. */
export interface Trial {
  /** What `just soak NAME` calls it. */
  readonly name: string;
  /** What it tries, in a few words. */
  readonly tries: string;
  /** The machine that it runs in, if it runs in one. */
  readonly machine?: string;
  /** Its stages. */
  readonly stages: () => Promise<readonly Stage[]>;
  /** What it prints that belongs in the table, as the first group. */
  readonly tells?: RegExp;
}

/** How long each of the random ones goes on. */
const MINUTES = 10;

/** Seconds for a machine to boot, and to be checked, and to find the memory that is lost. */
const REST = 1200;

/** A C program on a machine whose kernel checks what the driver does. */
function checked(
  name: string,
  { tries, file = `${name}.c`, machine = CHECKED, args = [], memory, tells }: {
    tries: string;
    file?: string;
    machine?: string;
    args?: string[];
    memory?: string;
    tells?: RegExp;
  },
): Trial {
  const seconds = MINUTES * 60 + REST;
  const wants = { ...memory === undefined ? {} : { memory }, seconds };
  return {
    ...{ name, tries, machine, ...tells ? { tells } : {} },
    stages: async () => [await longProgramStage(file, machine, args, wants)],
  };
}

const DURATION = String(MINUTES * 60);

/** The readers of files, on the host. */
const READERS: Stage = {
  name: "readers",
  command: [
    ...[Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all"],
    ...["tests/fuzz/readers.ts", DURATION],
  ],
  result: "exit",
  seconds: MINUTES * 60 + REST,
};

/** Every trial, in the order in which they run. */
export const TRIALS: readonly Trial[] = [
  ...MACHINES.map((machine): Trial => ({
    name: machine.name,
    tries: `${machine.name === WATCHED ? "" : "the device suite and "}every C program`,
    machine: machine.name,
    stages: () => suites(machine),
  })),
  checked("sweep", {
    tries: "every failure point of every command, one after the other",
    tells: /^# (\d+ points.*)$/gm,
  }),
  checked("fuzz", {
    tries: "hostile calls of 4 threads",
    args: [DURATION],
    tells: /^# (seed .*|\d+ calls)$/gm,
  }),
  checked("load", {
    tries: "64 processes of 4 threads, killed at random",
    args: [DURATION, "64", "4"],
    memory: "4G",
    tells: /^# (seed .*|\d+ calls, .*|ENOSPC .*)$/gm,
  }),
  checked("races", {
    tries: "8 processes of 4 threads, whose accesses are watched",
    file: "load.c",
    machine: WATCHED,
    args: [DURATION, "8", "4"],
    tells: /^# (seed .*|\d+ calls, .*)$/gm,
  }),
  checked("opens", {
    tries: "100,000 times open and close",
    args: ["100000"],
    tells: /^# (.*)$/gm,
  }),
  checked("ring", {
    tries: "2 writers and 4 readers of a ring buffer",
    args: [DURATION],
    tells: /^# (.*)$/gm,
  }),
  {
    name: "readers",
    tries: "damaged files of every format",
    stages: () => Promise.resolve([READERS]),
    tells: /^(\d+ damaged files, seed \d+)/gm,
  },
  {
    name: "bounds",
    tries: "rows that their codes rule out, and should not",
    stages: () => Promise.resolve([{ ...boundsStage(DURATION), seconds: MINUTES * 60 + REST }]),
    tells: /^# (.*)$/gm,
  },
];
