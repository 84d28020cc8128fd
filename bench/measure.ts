// SPDX-License-Identifier: MIT
/**
 * Runs a stage: its contestants hold the same rows, and take turns in rounds, so that what befalls
 * the machine befalls them all.
 *
 * @module
 */
import { LabError } from "../lab/host.ts";
import {
  BATCH,
  type ContestantName,
  K,
  type Measurement,
  QUERIES,
  type Stage,
  type What,
} from "./plan.ts";
import { median } from "./statistics.ts";
import type { Truth } from "./truth.ts";
import { type Answer, contestantBy, type Team } from "./worker.ts";

/** How long and how often is measured. */
export interface Effort {
  /** Rounds of a stage. */
  readonly rounds: number;
  /** Seconds that a measurement may take in a round; it takes one sample at least. */
  readonly budget: number;
}

/** Samples of one measurement, in nanoseconds: of a query, a batch, a call, or a row that is put. */
export interface Series {
  readonly measurement: Measurement;
  /** Those of each round. */
  readonly rounds: number[][];
}

/** What a contestant took of memory, and of time to take the rows. */
export interface Loading {
  readonly stage: string;
  readonly contestant: ContestantName;
  readonly rows: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** What a stage gave. */
export interface Outcome {
  readonly series: readonly Series[];
  readonly loadings: readonly Loading[];
}

/** What a stage is run with. */
export interface Setting {
  readonly team: Team;
  readonly effort: Effort;
  /** The dataset's folder. */
  readonly folder: string;
  /** What answers are judged by; nothing where only a part of the rows is stored. */
  readonly truth: Truth | undefined;
  /** Told what is going on. */
  readonly progress: (text: string) => void;
}

/**
 * Runs a stage.
 *
 * @param stage The stage.
 * @param setting What it is run with.
 * @returns Its samples; a measurement that a contestant cannot take part in has none.
 * @throws {LabError} If an answer is wrong, naming it.
 */
export async function runStage(stage: Stage, setting: Setting): Promise<Outcome> {
  const turns = stage.measurements.map((measurement) => new Turn(stage, measurement, setting));
  const names = [...new Set(stage.measurements.map(({ contestant }) => contestant))];
  // Each put is a load of its own.
  const loadings = stage.name === "put" ? [] : await loadAll(stage, names, setting);
  for (const [index, turn] of turns.entries()) {
    setting.progress(`${stage.name}: warming up ${index + 1} of ${turns.length}`);
    await turn.warmUp();
  }
  for (let round = 0; round < setting.effort.rounds; round++) {
    setting.progress(`${stage.name}: round ${round + 1} of ${setting.effort.rounds}`);
    // There and back again: nobody is always the one after the same other.
    for (const turn of round % 2 ? turns.toReversed() : turns) await turn.take();
  }
  if (stage.name !== "put") await Promise.all(names.map((name) => setting.team.ask(name, "drop")));
  const series = turns.map((turn) => turn.series).filter(({ rounds }) => rounds.length > 0);
  return { series, loadings };
}

async function loadAll(
  stage: Stage,
  names: readonly ContestantName[],
  { team, folder, progress }: Setting,
): Promise<Loading[]> {
  const loadings: Loading[] = [];
  for (const contestant of names) {
    progress(`${stage.name}: ${contestant} takes ${stage.rows} rows`);
    const request = `load ${stage.rows} ${stage.dataset.dimension} ${folder}`;
    const { seconds = NaN, bytes = NaN } = await team.ask(contestant, request);
    loadings.push({ stage: stage.name, contestant, rows: stage.rows, seconds, bytes });
  }
  return loadings;
}

/** Calls that are timed together, where one takes hardly longer than a look at the clock. */
const CALLS = 100;

/** How often that many are called before any counts. */
const WARM_CALLS = 50;

/** One measurement, as it takes its turns. */
class Turn {
  readonly series: Series;
  readonly #stage: Stage;
  readonly #setting: Setting;
  /** Samples that a round has time for; 0 where it cannot take part. */
  #samples = 1;
  /** The next query to ask. */
  #next = 0;

  constructor(stage: Stage, measurement: Measurement, setting: Setting) {
    this.series = { measurement, rounds: [] };
    this.#stage = stage;
    this.#setting = setting;
  }

  /** Finds out how long a sample takes, and whether answers are right. */
  async warmUp(): Promise<void> {
    const { team, effort } = this.#setting;
    const { contestant, threads } = this.series.measurement;
    if (!await team.setThreads(contestant, threads)) {
      this.#samples = 0;
      return;
    }
    // The first sample finds nothing in its place yet, and code that is not compiled.
    await this.#sample();
    if (this.series.measurement.what === "call") await this.#warmCalls();
    const seconds = median(await this.#sample()) * this.#perSample * 1e-9;
    this.#samples = Math.max(1, Math.floor(effort.budget / seconds));
    await this.#sample();
  }

  /** Has the runtime compile what will be called many thousand times. */
  async #warmCalls(): Promise<void> {
    this.#samples = WARM_CALLS;
    await this.#sample();
    this.#samples = 1;
  }

  /** Takes a round's samples. */
  async take(): Promise<void> {
    if (this.#samples === 0) return;
    const { contestant, threads } = this.series.measurement;
    await this.#setting.team.setThreads(contestant, threads);
    this.series.rounds.push(await this.#sample());
  }

  /** What a sample takes is this many times what it says. */
  get #perSample(): number {
    const { what } = this.series.measurement;
    return what === "call" ? CALLS : what === "put" ? this.#stage.rows : 1;
  }

  async #sample(): Promise<number[]> {
    const sample = SAMPLERS[this.series.measurement.what];
    const ask = (request: string) => this.#ask(request);
    const taken: number[] = [];
    while (taken.length < this.#samples) {
      const wanted = Math.min(this.#samples - taken.length, QUERIES);
      taken.push(...await sample({ ask, stage: this.#stage, ...this.#place(wanted) }));
    }
    return taken;
  }

  #place(wanted: number): Place {
    return { wanted, first: this.#next, folder: this.#setting.folder };
  }

  /** Asks, and judges the answer. */
  async #ask(request: string): Promise<Answer> {
    const { contestant } = this.series.measurement;
    const { team, truth } = this.#setting;
    const answer = await team.ask(contestant, request);
    const ids = answer.ids ?? [];
    if (ids.length > 0 && truth && contestantBy(contestant).answers !== false) {
      const mistake = truth.mistake(this.#next, ids);
      if (mistake) throw new LabError(`${contestant} is wrong on ${this.#stage.name}, ${mistake}`);
    }
    this.#next = (this.#next + ids.length / K) % QUERIES;
    return answer;
  }
}

/** Which samples are to be taken, of what. */
interface Place {
  readonly wanted: number;
  readonly first: number;
  readonly folder: string;
}

/** What takes samples. */
type Sampler = (
  place: Place & { readonly ask: (request: string) => Promise<Answer>; readonly stage: Stage },
) => Promise<readonly number[]>;

/** How the samples of each kind are taken. */
const SAMPLERS: Readonly<Record<What, Sampler>> = {
  async single({ ask, first, wanted }) {
    return (await ask(`search ${first} ${wanted}`)).ns ?? [];
  },
  async batch64({ ask, first }) {
    return (await ask(`batch ${first} ${BATCH}`)).ns ?? [];
  },
  async call({ ask, wanted }) {
    return (await ask(`repeat ${wanted} ${CALLS}`)).ns ?? [];
  },
  async put({ ask, stage, folder }) {
    const { seconds = NaN } = await ask(`load ${stage.rows} ${stage.dataset.dimension} ${folder}`);
    await ask("drop");
    return [seconds * 1e9 / stage.rows];
  },
};
