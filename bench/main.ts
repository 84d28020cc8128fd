// SPDX-License-Identifier: MIT
/**
 * The benchmark: measures the driver beside its peers, in turns, and says what came out.
 *
 *     just bench [--quick] [--check]
 *
 * @module
 */
import { cacheFolder, exitWith, LabError, PROJECT } from "../lab/host.ts";
import { machineFacts } from "./machine.ts";
import { type Effort, type Loading, runStage, type Series } from "./measure.ts";
import { commandText, type Options, parseBenchArgs, USAGE } from "./options.ts";
import { allStages, type ContestantName, quickStages, type Stage } from "./plan.ts";
import { writePlots } from "./plots.ts";
import { allowedProcessors, compileAll, prepareDataset } from "./prepare.ts";
import { updateReadme } from "./readme.ts";
import { type Results, resultsOf } from "./results.ts";
import { format } from "./statistics.ts";
import { ratioTable, tableOf } from "./table.ts";
import { describeTarget, shortfalls } from "./targets.ts";
import { Truth } from "./truth.ts";
import { Team } from "./worker.ts";

/** Where results lie. */
const RESULTS = `${PROJECT}/bench/results`;

const LATEST = `${RESULTS}/latest.json`;

/** How long is measured. */
const EFFORTS = {
  quick: { rounds: 5, budget: 0.15 },
  full: { rounds: 7, budget: 0.35 },
} as const satisfies Record<string, Effort>;

async function main(args: string[]): Promise<number> {
  const options = parseBenchArgs(args);
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  const results = options.measures ? await measureAndWrite(options) : await lastResults();
  console.log(options.measures ? tableOf(results) : ratioTable(results.ratios));
  if (options.readme) await updateReadme(results);
  return options.check ? check(results) : 0;
}

async function lastResults(): Promise<Results> {
  try {
    return JSON.parse(await Deno.readTextFile(LATEST)) as Results;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabError("There are no results yet: run `just bench` first");
  }
}

async function measureAndWrite(options: Options): Promise<Results> {
  const results = await measure(options);
  // What only some of the stages gave is no result to keep.
  if (options.stages.length > 0) return results;
  await Deno.mkdir(RESULTS, { recursive: true });
  await Deno.writeTextFile(LATEST, `${JSON.stringify(results, null, 2)}\n`);
  await writePlots(results, RESULTS);
  return results;
}

/** Names every ratio that falls short, and returns the exit status. */
function check({ ratios }: Results): number {
  const short = shortfalls(ratios);
  for (const { target, value } of short) {
    const is = value === undefined ? "is missing" : `is ${format(value)}`;
    console.error(`bench: ${target.key} ${is}, to be ${describeTarget(target)} (${target.means})`);
  }
  return short.length > 0 ? 1 : 0;
}

function stagesOf({ quick, stages: names }: Options): Stage[] {
  const all = quick ? quickStages() : allStages();
  const unknown = names.find((name) => !all.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(", ");
    throw new LabError(`Unknown stage "${unknown}": known are ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

async function measure(options: Options): Promise<Results> {
  const started = new Date();
  const stages = stagesOf(options);
  const processors = await allowedProcessors();
  progress("compiling");
  await compileAll();
  const folders: string[] = [];
  for (const { name, dataset } of stages) {
    progress(`${name}: making the data, and finding the truth`);
    folders.push(await prepareDataset(dataset));
  }
  const packages = `${cacheFolder()}/bench-peers`;
  using team = new Team({ packages, machine: options.machine, processors });
  endWith(team);
  const series: Series[] = [];
  const loadings: Loading[] = [];
  for (const [index, stage] of stages.entries()) {
    const outcome = await run(stage, folders[index]!, team, options.quick);
    series.push(...outcome.series);
    loadings.push(...outcome.loadings);
  }
  const versions = await versionsOf(team, stages);
  await team.end();
  progress("");
  return resultsOf({
    started,
    command: commandText(options),
    machine: await machineFacts(processors.length, options.machine),
    ...{ versions, series, loadings },
  });
}

async function run(stage: Stage, folder: string, team: Team, quick: boolean) {
  const isWhole = stage.rows === stage.dataset.rows;
  using truth = isWhole ? new Truth(folder, stage.dataset.dimension) : undefined;
  const effort = EFFORTS[quick ? "quick" : "full"];
  return await runStage(stage, { team, effort, folder, truth, progress });
}

async function versionsOf(team: Team, stages: readonly Stage[]): Promise<Record<string, string>> {
  const measurements = stages.flatMap((stage) => stage.measurements);
  const names = new Set<ContestantName>(measurements.map(({ contestant }) => contestant));
  const versions: Record<string, string> = {};
  for (const name of names) versions[name] = (await team.ask(name, "about")).version ?? "";
  return versions;
}

/** Shows on a terminal what is going on. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

/** Has the contestants end with this process, should it be interrupted. */
function endWith(team: Team): void {
  for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
    Deno.addSignalListener(signal, () => {
      team[Symbol.dispose]();
      Deno.exit(128 + number);
    });
  }
}

if (import.meta.main) await exitWith(() => main(Deno.args));
