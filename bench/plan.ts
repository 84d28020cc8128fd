// SPDX-License-Identifier: MIT
/**
 * What is measured, as tables: datasets, contestants, measurements, and the ratios to reach.
 *
 * @module
 */

/** Hits of every query. */
export const K = 10;

/** Different queries of a dataset. */
export const QUERIES = 256;

/** Queries of a batch. */
export const BATCH = 64;

/** The seed of all data. */
export const SEED = 1;

/** Vectors that the project makes. */
export interface Dataset {
  /** What results call it. */
  readonly name: string;
  /** How its vectors lie; see `native/generate.c`. */
  readonly kind: "clustered" | "gaussian";
  readonly rows: number;
  readonly dimension: number;
}

/** Every dataset, in the order in which they are measured. */
export const DATASETS = [
  { name: "100k_128", kind: "clustered", rows: 100_000, dimension: 128 },
  { name: "100k_768", kind: "clustered", rows: 100_000, dimension: 768 },
  { name: "1m_128", kind: "clustered", rows: 1_000_000, dimension: 128 },
  { name: "gaussian_1m_128", kind: "gaussian", rows: 1_000_000, dimension: 128 },
  { name: "gaussian_100k_768", kind: "gaussian", rows: 100_000, dimension: 768 },
] as const satisfies readonly Dataset[];

/**
 * What is timed: a query alone, a batch of 64 in one call, a query among a single row, a row of many
 * that are put.
 */
export type What = "single" | "batch64" | "call" | "put";

/** Who takes part. */
export interface Contestant {
  /** What results call it. */
  readonly name: string;
  /** What people call it. */
  readonly label: string;
  /** Where it runs: on the host, or in the machine that has the driver. */
  readonly place: "host" | "guest";
  /** Its program: one of `native/`, compiled, or one of `scripted/`, run by Deno. */
  readonly program: { readonly native: string } | { readonly script: string };
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Whether it takes batches. */
  readonly batches?: boolean;
  /** Whether it can use two threads. */
  readonly pairs?: boolean;
  /** Whether its answers are to be checked; the probe has none. */
  readonly answers?: boolean;
  /** The most rows that it gets, where more would take too long. */
  readonly most?: number;
}

/** Every contestant. */
export const CONTESTANTS = [
  {
    name: "probe",
    label: "streaming read",
    place: "host",
    program: { native: "probe" },
    pairs: true,
    answers: false,
  },
  {
    name: "vss-c",
    label: "vss, C",
    place: "guest",
    program: { native: "driver" },
    batches: true,
    pairs: true,
  },
  {
    name: "vss-deno",
    label: "vss, Deno",
    place: "guest",
    program: { script: "client.ts" },
    batches: true,
  },
  {
    name: "vss-no-codes",
    label: "vss, C, codes off",
    place: "guest",
    program: { native: "driver" },
    args: ["no-codes"],
    pairs: true,
  },
  {
    name: "hnswlib",
    label: "hnswlib brute force",
    place: "host",
    program: { native: "hnswlib" },
    pairs: true,
  },
  {
    name: "faiss",
    label: "FAISS flat",
    place: "host",
    program: { native: "faiss" },
    batches: true,
    pairs: true,
  },
  {
    name: "usearch",
    label: "usearch exact",
    place: "host",
    program: { script: "usearch.ts" },
    batches: true,
    pairs: true,
  },
  {
    name: "hnswlib-node",
    label: "hnswlib-node",
    place: "host",
    program: { script: "hnswlib_node.ts" },
    most: 100_000,
  },
  {
    name: "sqlite-vec",
    label: "sqlite-vec",
    place: "host",
    program: { script: "sqlite_vec.ts" },
  },
] as const satisfies readonly Contestant[];

/** A dataset's name, or that of a stage of its own. */
export type StageName = typeof DATASETS[number]["name"] | "one_row" | "put";

/** A contestant's name. */
export type ContestantName = typeof CONTESTANTS[number]["name"];

/** One thing that is measured. */
export interface Measurement {
  readonly stage: StageName;
  readonly contestant: ContestantName;
  readonly what: What;
  readonly threads: number;
}

/** A measurement, as text that no other has. */
export function keyOf({ stage, contestant, what, threads }: Measurement): string {
  return `${stage} ${contestant} ${what} ${threads}`;
}

/** Contestants that hold the same rows at the same time, and take turns. */
export interface Stage {
  readonly name: StageName;
  /** Where its rows come from. */
  readonly dataset: Dataset;
  /** How many of them. */
  readonly rows: number;
  readonly measurements: readonly Measurement[];
}

/** Rows of a fill whose speed is measured. */
const PUT_ROWS = 200_000;

/** Every measurement of a dataset: single queries of all, batches of those that take them. */
function measurementsOf(dataset: typeof DATASETS[number]): Measurement[] {
  const list: readonly (Contestant & { readonly name: ContestantName })[] = CONTESTANTS;
  return list.flatMap((contestant) => {
    if (dataset.rows > (contestant.most ?? Infinity)) return [];
    const threads = contestant.pairs ? [1, 2] : [1];
    const whats: What[] = contestant.batches ? ["single", "batch64"] : ["single"];
    return whats.flatMap((what) =>
      threads.map((count): Measurement => ({
        stage: dataset.name,
        contestant: contestant.name,
        what,
        threads: count,
      }))
    );
  });
}

/** Every stage, with all of its measurements. */
export function allStages(): Stage[] {
  const [small, , large] = DATASETS;
  const others = CONTESTANTS.map(({ name }) => name)
    // To the probe and to usearch an insertion is a copy of memory.
    .filter((name) => name !== "probe" && name !== "usearch");
  return [
    ...DATASETS.map((dataset): Stage => ({
      name: dataset.name,
      dataset,
      rows: dataset.rows,
      measurements: measurementsOf(dataset),
    })),
    {
      name: "one_row",
      dataset: small,
      rows: 1,
      measurements: [call("vss-c"), call("vss-deno")],
    },
    { name: "put", dataset: large, rows: PUT_ROWS, measurements: others.map(put) },
  ];
}

function call(contestant: ContestantName): Measurement {
  return { stage: "one_row", contestant, what: "call", threads: 1 };
}

function put(contestant: ContestantName): Measurement {
  return { stage: "put", contestant, what: "put", threads: 1 };
}

/** One key of `ratios` in the results. */
export interface Target {
  readonly key: string;
  /** What it says, for people. */
  readonly means: string;
  /** The measurement whose time is divided; a second, where it is left out. */
  readonly time?: Measurement;
  /** The one whose time divides it. */
  readonly by: Measurement;
  /** What is to be reached: at least this, or at most this. */
  readonly least?: number;
  readonly most?: number;
}

function single(stage: StageName, contestant: ContestantName, threads = 1): Measurement {
  return { stage, contestant, what: "single", threads };
}

function batch(stage: StageName, contestant: ContestantName): Measurement {
  return { stage, contestant, what: "batch64", threads: 1 };
}

function singleTarget(key: string, stage: StageName, least: number): Target {
  const means = "a query, times faster than hnswlib's brute force";
  return { key, means, time: single(stage, "hnswlib"), by: single(stage, "vss-c"), least };
}

function batchTarget(key: string, stage: StageName): Target {
  const means = "a batch of 64, times faster than FAISS with OpenBLAS";
  return { key, means, time: batch(stage, "faiss"), by: batch(stage, "vss-c"), least: 3 };
}

function denoTarget(key: string, contestant: ContestantName, least: number): Target {
  const means = `a query from Deno, times faster than ${contestant}`;
  const stage = "100k_128";
  return { key, means, time: single(stage, contestant), by: single(stage, "vss-deno"), least };
}

/** Every ratio, and what is to be reached. */
export const TARGETS: readonly Target[] = [
  singleTarget("single_100k_128", "100k_128", 4.5),
  singleTarget("single_100k_768", "100k_768", 5),
  singleTarget("single_1m_128", "1m_128", 6),
  {
    key: "bandwidth_1m_128",
    means: "codes off, share of the streaming-read limit",
    time: single("1m_128", "probe"),
    by: single("1m_128", "vss-no-codes"),
    least: 0.9,
  },
  batchTarget("batch64_100k_128", "100k_128"),
  batchTarget("batch64_1m_128", "1m_128"),
  denoTarget("usearch_100k_128", "usearch", 7),
  denoTarget("sqlite_vec_100k_128", "sqlite-vec", 20),
  singleTarget("gaussian_1m_128", "gaussian_1m_128", 3),
  singleTarget("gaussian_100k_768", "gaussian_100k_768", 3),
  {
    key: "two_cpus_1m_128",
    means: "a query on two CPUs, times faster than on one",
    time: single("1m_128", "vss-c"),
    by: single("1m_128", "vss-c", 2),
    least: 1.8,
  },
  {
    key: "put_rows_per_second",
    means: "rows a second from Deno, 1,000 a call",
    by: put("vss-deno"),
    least: 1_000_000,
  },
  {
    key: "call_overhead",
    means: "a query over one row from Deno, times slower than from C",
    time: call("vss-deno"),
    by: call("vss-c"),
    most: 1.3,
  },
];

/** The stages with those measurements only that a ratio is made of, and the limit of each. */
export function quickStages(): Stage[] {
  const needed = new Set(
    TARGETS.flatMap(({ time, by }) => [by, ...(time ? [time] : [])]).map(keyOf),
  );
  return allStages().map((stage) => ({
    ...stage,
    measurements: stage.measurements.filter((measurement) =>
      measurement.contestant === "probe" || needed.has(keyOf(measurement))
    ),
  }));
}
