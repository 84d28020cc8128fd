// SPDX-License-Identifier: MIT
/**
 * Runs every stage of the test table and prints one summary. `just test` calls it; words given to
 * it select the stages whose names hold one of them.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { BUILD, exitWith, LabError, PROJECT } from "../lab/host.ts";
import { MACHINES } from "../lab/machines.ts";
import { isEmulated, type Stage, STAGE_SECONDS } from "./stage.ts";
import { stages } from "./stages.ts";
import { parseTap, type TapTest } from "./tap.ts";

/** What a stage came to. */
export interface StageResult {
  readonly stage: Stage;
  /** Tests that passed. */
  readonly passed: number;
  /** Tests that said that this machine cannot show them. */
  readonly skipped: number;
  /** One description for each failure. */
  readonly failures: readonly string[];
  /** What it wrote to standard output. */
  readonly output: string;
  readonly seconds: number;
}

async function runStage(stage: Stage): Promise<StageResult> {
  const begin = performance.now();
  const outcome = await judge(stage).catch((error) => failed(String(error)));
  return { stage, ...outcome, seconds: (performance.now() - begin) / 1000 };
}

type Judgement = Omit<StageResult, "stage" | "seconds">;

async function judge(stage: Stage): Promise<Judgement> {
  for (const command of stage.prepare ?? []) {
    const { code, stdout, stderr } = await execute(command, STAGE_SECONDS);
    if (code !== 0) return failed(`${command.join(" ")}\n${stdout}${stderr}`);
  }
  const { code, stdout, stderr } = await execute(stage.command, stage.seconds ?? STAGE_SECONDS);
  const everything = `exit status ${code}\n${stdout}${stderr}`.trimEnd();
  if (stage.result === "exit") {
    return code === 0
      ? { passed: 1, skipped: 0, failures: [], output: stdout }
      : failed(everything, stdout);
  }
  const { tests, problems } = parseTap(stdout);
  const count = (outcome: TapTest["outcome"]) =>
    tests.filter((test) => test.outcome === outcome).length;
  const failures = tests.filter((test) => test.outcome === "failed")
    .map((test) => `${test.name}\n${test.details}`.trimEnd());
  failures.push(...problems);
  // A file that ends the process takes the rest of its tests with it, and Deno calls that success.
  if (/isolate was terminated/.test(stdout + stderr)) {
    failures.push("a test file ended the process");
  }
  // A crash after the last test, or before the first, shows in the exit status alone.
  if (code !== 0 && failures.length === 0) failures.push(everything);
  else if (failures.length > 0 && stderr.trim()) failures.push(...asNote(stderr, failures));
  if (tests.length === 0 && failures.length === 0) failures.push(`no test ran; ${everything}`);
  return { passed: count("passed"), skipped: count("skipped"), failures, output: stdout };
}

/** Adds to the last failure what the stage wrote to standard error: the kernel's words, mostly. */
function asNote(stderr: string, failures: string[]): string[] {
  const last = failures.pop() ?? "";
  return [`${last}\nstandard error of the stage:\n${stderr.trimEnd()}`];
}

function failed(description: string, output = ""): Judgement {
  return { passed: 0, skipped: 0, failures: [description], output };
}

/** Runs a command to its end, or to the end of its time, which is a failure (status 124). */
async function execute(command: readonly string[], seconds: number) {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    // In the foreground, so that Ctrl-C reaches the command too.
    args: ["--foreground", "--kill-after=10", String(seconds), ...command],
    cwd: PROJECT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const plain = (bytes: Uint8Array) => stripVTControlCharacters(new TextDecoder().decode(bytes));
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

function indent(text: string): string {
  return text.split("\n").map((line) => `    ${line}`).join("\n");
}

function row(result: StageResult): string {
  const { stage, passed, skipped, failures, seconds } = result;
  return [
    failures.length === 0 ? "ok    " : "FAILED",
    stage.name.padEnd(28),
    `${passed} passed`.padStart(12),
    `${failures.length} failed`.padStart(11),
    (skipped ? `${skipped} skipped` : "").padStart(12),
    `${seconds.toFixed(1)} s`.padStart(9),
  ].join(" ").trimEnd();
}

async function selected(words: string[]): Promise<Stage[]> {
  const all = await stages();
  const chosen = words.length === 0
    ? all
    : all.filter((stage) => words.some((word) => stage.name.includes(word)));
  if (chosen.length > 0) return chosen;
  throw new LabError(
    `No stage is called "${words.join(" ")}": there are ${
      all.map((stage) => stage.name).join(", ")
    }`,
  );
}

/**
 * Runs stages, and shows how each goes: two at a time where there are two processors, but one after
 * the other those that are in the same machine, and those in machines whose processor is emulated,
 * which keep one of this machine's busy for long, and so come first. The results are in the order of
 * the stages.
 */
export async function runStages(chosen: readonly Stage[]): Promise<StageResult[]> {
  for (const { name } of MACHINES) {
    await Deno.mkdir(`${BUILD}/tests/kernel/${name}`, { recursive: true });
  }
  const results = new Map<Stage, StageResult>();
  const waiting = chosen.toSorted((a, b) => Number(isEmulated(b)) - Number(isEmulated(a)));
  const running = new Set<Stage>();
  const mayRun = (stage: Stage) =>
    stage.machine === undefined ||
    running.values().every((other) =>
      other.machine !== stage.machine && !(isEmulated(other) && isEmulated(stage))
    );
  const work = async () => {
    // What may not run now is left to the worker that keeps it from running.
    for (;;) {
      const index = waiting.findIndex(mayRun);
      const [stage] = index < 0 ? [] : waiting.splice(index, 1);
      if (!stage) return;
      running.add(stage);
      results.set(stage, await showStage(stage));
      running.delete(stage);
    }
  };
  await Promise.all(Array.from({ length: Math.min(navigator.hardwareConcurrency, 2) }, work));
  return chosen.map((stage) => results.get(stage)!);
}

async function showStage(stage: Stage): Promise<StageResult> {
  console.error(`...... ${stage.name}`);
  const result = await runStage(stage);
  const failures = result.failures.map((failure) => `${indent(failure)}\n`);
  console.log([row(result), ...failures].join("\n"));
  return result;
}

async function main(words: string[]): Promise<number> {
  const results = await runStages(await selected(words));
  const sum = (count: (result: StageResult) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const failures = sum((result) => result.failures.length);
  console.log(`\nSummary\n${results.map(row).join("\n")}\n`);
  console.log(`${sum((result) => result.passed)} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) await exitWith(() => main(Deno.args));
