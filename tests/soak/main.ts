// SPDX-License-Identifier: MIT
/**
 * Runs trials that take long, all of them or those that are named, keeps what they came to, and
 * writes `docs/reliability.md`. `just soak` calls it. With `--page` it runs none, and writes the page
 * alone.
 *
 * @module
 */
import { exitWith, LabError, PROJECT } from "../../lab/host.ts";
import { prepareKernel } from "../../lab/kinds.ts";
import { machineByName } from "../../lab/machines.ts";
import { runStages } from "../run.ts";
import { formatted, page } from "./page.ts";
import { readRecords, type Record, writeRecords } from "./records.ts";
import { type Trial, TRIALS } from "./trials.ts";

/** What came of a trial; one whose machine cannot be had has failed, and keeps no other back. */
async function run(trial: Trial): Promise<Record> {
  const date = new Date().toISOString().slice(0, 10);
  try {
    return { date, ...await attempt(trial) };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    console.error(`${trial.name}: ${error.message}`);
    const none = { kernel: "none", seconds: 0, passed: 0, failed: 1, skipped: 0 };
    return { date, ...none, notes: [error.message.split("\n")[0]!] };
  }
}

async function attempt(trial: Trial): Promise<Omit<Record, "date">> {
  const kernel = trial.machine ? (await prepareKernel(machineByName(trial.machine))).release : "";
  const results = await runStages(await trial.stages());
  const sum = (count: (result: typeof results[number]) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const output = results.map((result) => result.output).join("\n");
  return {
    kernel,
    seconds: Math.round(sum(({ seconds }) => seconds)),
    passed: sum(({ passed }) => passed),
    failed: sum(({ failures }) => failures.length),
    skipped: sum(({ skipped }) => skipped),
    notes: trial.tells ? [...output.matchAll(trial.tells)].map((match) => match[1]!) : [],
  };
}

async function writePage(): Promise<void> {
  const text = await formatted(page(TRIALS, await readRecords()));
  await Deno.writeTextFile(`${PROJECT}/docs/reliability.md`, text);
}

function chosen(names: readonly string[]): readonly Trial[] {
  const unknown = names.find((name) => !TRIALS.some((trial) => trial.name === name));
  if (unknown === undefined) {
    return TRIALS.filter(({ name }) => names.length === 0 || names.includes(name));
  }
  const known = TRIALS.map(({ name }) => name).join(", ");
  throw new LabError(`Unknown trial "${unknown}": known are ${known}`);
}

async function main(names: readonly string[]): Promise<number> {
  let failed = 0;
  for (const trial of names.includes("--page") ? [] : chosen(names)) {
    console.error(`...... ${trial.name}: ${trial.tries}`);
    const record = await run(trial);
    failed += record.failed;
    // One after the other: what is done is kept, whatever becomes of the rest.
    await writeRecords({ ...await readRecords(), [trial.name]: record });
    await writePage();
  }
  await writePage();
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) await exitWith(() => main(Deno.args));
