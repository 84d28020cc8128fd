// SPDX-License-Identifier: MIT
/**
 * The results of a run, as `bench/results/latest.json` holds them.
 *
 * @module
 */
import type { MachineFacts } from "./machine.ts";
import type { Loading, Series } from "./measure.ts";
import {
  BATCH,
  type Dataset,
  DATASETS,
  K,
  keyOf,
  type Measurement,
  QUERIES,
  SEED,
  type What,
} from "./plan.ts";
import { median, quantile } from "./statistics.ts";
import { ratiosOf, shortfalls } from "./targets.ts";

/** The version of the file's form. */
const FORM = 1;

/** One measurement's samples, summed up. Times are nanoseconds. */
export interface Summary {
  readonly dataset: string;
  readonly contestant: string;
  /** A query alone, a batch of 64, a call over one row, or a row that is put. */
  readonly what: What;
  readonly threads: number;
  readonly median: number;
  readonly p99: number;
  readonly samples: number;
  /** The median of each round, in order. */
  readonly rounds: readonly number[];
  /** All rows' bytes over the time of a query, and as a share of the streaming-read limit. */
  readonly gbps?: number;
  readonly share?: number;
}

/** What a contestant took to load a dataset. */
export interface LoadingSummary {
  readonly dataset: string;
  readonly contestant: string;
  readonly rowsPerSecond: number;
  readonly bytes: number;
  readonly bytesPerRow: number;
}

/** All that a run gave. */
export interface Results {
  readonly form: number;
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly machine: MachineFacts;
  readonly versions: Readonly<Record<string, string>>;
  readonly k: number;
  readonly queries: number;
  readonly batch: number;
  readonly seed: number;
  readonly datasets: readonly Dataset[];
  readonly measurements: readonly Summary[];
  readonly loadings: readonly LoadingSummary[];
  readonly ratios: Readonly<Record<string, number>>;
  /** The ratios that do not reach their targets. */
  readonly short: readonly string[];
}

/** What results are made of. */
export interface Findings {
  readonly started: Date;
  readonly command: string;
  readonly machine: MachineFacts;
  readonly versions: Readonly<Record<string, string>>;
  readonly series: readonly Series[];
  readonly loadings: readonly Loading[];
}

/**
 * Sums a run up.
 *
 * @param findings What it gave.
 * @returns The results.
 */
export function resultsOf({ started, series, loadings, ...findings }: Findings): Results {
  const limits = new Map(
    series.filter(({ measurement }) => measurement.contestant === "probe")
      .map(({ measurement, rounds }) => [limitKey(measurement), median(rounds.flat())]),
  );
  const medians = series.map(({ measurement, rounds }) =>
    [keyOf(measurement), rounds.map(median)] as const
  );
  const ratios = ratiosOf(new Map(medians));
  return {
    form: FORM,
    date: started.toISOString().slice(0, 10),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
    ...findings,
    ...{ k: K, queries: QUERIES, batch: BATCH, seed: SEED, datasets: DATASETS },
    measurements: series.map((one) => summaryOf(one, limits.get(limitKey(one.measurement)))),
    loadings: loadings.filter(({ stage }) => DATASETS.some(({ name }) => name === stage))
      .map(loadingOf),
    ratios: Object.fromEntries(
      Object.entries(ratios).map(([key, value]) => [key, significant(value)]),
    ),
    short: shortfalls(ratios).map(({ target }) => target.key),
  };
}

/** What limits a measurement: reading the same bytes with as many threads. */
function limitKey({ stage, threads }: Measurement): string {
  return `${stage} ${threads}`;
}

function summaryOf({ measurement, rounds }: Series, limit: number | undefined): Summary {
  const { stage, contestant, what, threads } = measurement;
  const samples = rounds.flat();
  const time = median(samples);
  return {
    ...{ dataset: stage, contestant, what, threads },
    median: significant(time),
    p99: significant(quantile(samples, 0.99)),
    samples: samples.length,
    rounds: rounds.map((round) => significant(median(round))),
    ...speedOf(measurement.stage, what === "batch64" ? time / BATCH : time, limit),
  };
}

/** How fast rows pass by, where queries pass over a whole dataset. */
function speedOf(
  name: string,
  time: number,
  limit: number | undefined,
): Pick<Summary, "gbps" | "share"> {
  const dataset = DATASETS.find((candidate) => candidate.name === name);
  if (!dataset) return {};
  const bytes = dataset.rows * dataset.dimension * Float32Array.BYTES_PER_ELEMENT;
  const share = limit === undefined ? {} : { share: significant(limit / time) };
  return { gbps: significant(bytes / time), ...share };
}

function loadingOf({ stage, contestant, rows, seconds, bytes }: Loading): LoadingSummary {
  return {
    dataset: stage,
    contestant,
    rowsPerSecond: Math.round(rows / seconds),
    bytes,
    bytesPerRow: Math.round(bytes / rows),
  };
}

/** A number with as many digits as mean something. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}
