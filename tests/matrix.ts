// SPDX-License-Identifier: MIT
/**
 * Runs the device suite and the C programs on every machine of the lab, or on those that are named,
 * and prints a table. `just test-matrix` calls it.
 *
 * @module
 */
import { exitWith, LabError } from "../lab/host.ts";
import { prepareKernel } from "../lab/kinds.ts";
import { type Machine, machineByName, MACHINES } from "../lab/machines.ts";
import { runStages, type StageResult } from "./run.ts";
import { suites } from "./stages.ts";

/** What came of one machine. */
interface Row {
  readonly machine: string;
  readonly kernel: string;
  readonly results: readonly StageResult[];
}

async function tryMachine(machine: Machine): Promise<Row> {
  const { name } = machine;
  try {
    const { release } = await prepareKernel(machine);
    console.error(`${name}: Linux ${release}`);
    return { machine: name, kernel: release, results: await runStages(await suites(machine)) };
  } catch (error) {
    // A machine that cannot be had fails, and keeps no other from its turn.
    if (!(error instanceof LabError)) throw error;
    console.error(`${name}: ${error.message}`);
    const stage = { name: "no kernel", command: [], result: "exit" } as const;
    const failures = [error.message];
    const result = { stage, passed: 0, skipped: 0, failures, output: "", seconds: 0 };
    return { machine: name, kernel: "none", results: [result] };
  }
}

/** The table, a line a machine and suite. */
export function table(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ machine, kernel, results }) =>
    results.map(({ stage, passed, failures, seconds }) => [
      machine,
      kernel,
      stage.name.replace(` on ${machine}`, ""),
      String(passed),
      String(failures.length),
      seconds.toFixed(0),
    ])
  );
  const head = ["machine", "kernel", "suite", "passed", "failed", "seconds"];
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all.map((line) =>
    line.map((word, column) =>
      column < 3 ? word.padEnd(widths[column]!) : word.padStart(widths[column]!)
    )
      .join("  ").trimEnd()
  ).join("\n");
}

async function main(names: string[]): Promise<number> {
  const machines = names.length > 0 ? names.map(machineByName) : MACHINES;
  const rows: Row[] = [];
  for (const machine of machines) rows.push(await tryMachine(machine));
  console.log(`\n${table(rows)}`);
  return rows.every(({ results }) => results.every(({ failures }) => failures.length === 0))
    ? 0
    : 1;
}

if (import.meta.main) await exitWith(() => main(Deno.args));
