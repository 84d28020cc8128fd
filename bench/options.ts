// SPDX-License-Identifier: MIT
/**
 * The options of `just bench`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { LabError } from "../lab/host.ts";

/** What is to be done. */
export interface Options {
  /** Only what the ratios need, and few rounds. */
  readonly quick: boolean;
  /** Fail where a ratio falls short. */
  readonly check: boolean;
  /** Measure; otherwise the last results are read. */
  readonly measures: boolean;
  /** Write the last results into the README. */
  readonly readme: boolean;
  /** The lab's machine that the driver runs in. */
  readonly machine: string;
  /** Stages that are run; all, where it is empty. */
  readonly stages: readonly string[];
}

/** What `--help` prints. */
export const USAGE = `Measures vss beside its peers, and writes bench/results/.

  just bench [OPTIONS] [STAGE…]

STAGE is a dataset, or one_row, or put; all of them where none is given. Of some of them the
results are shown, and not written.

  --quick         only what the ratios need, in two minutes
  --check         exit with 1 where a ratio falls short of its target, naming each
  --last          do not measure: take bench/results/latest.json as it is
  --readme        write plots' links and figures into README.md
  --machine NAME  the lab's machine that the driver runs in (uml)
  --help`;

/**
 * Reads the arguments.
 *
 * @param args The arguments.
 * @returns What they ask for, or `"help"`.
 * @throws {LabError} If they make no sense, saying what would.
 */
export function parseBenchArgs(args: string[]): Options | "help" {
  const unknown: string[] = [];
  const flags = parseArgs(args, {
    boolean: ["quick", "check", "last", "readme", "help"],
    string: ["machine"],
    default: { machine: "uml" },
    unknown: (arg) => !arg.startsWith("-") || unknown.push(arg) < 0,
  });
  if (flags.help) return "help";
  if (unknown.length > 0) throw new LabError(`Unknown option ${unknown.join(", ")}\n\n${USAGE}`);
  const { quick, check, last, readme, machine } = flags;
  return { quick, check, readme, machine, measures: !last, stages: flags._.map(String) };
}

/** The command that asks for this, as a person types it. */
export function commandText({ quick, machine, stages }: Options): string {
  const words = ["just bench", ...(quick ? ["--quick"] : []), ...stages];
  return [...words, ...(machine === "uml" ? [] : [`--machine ${machine}`])].join(" ");
}
