// SPDX-License-Identifier: MIT
/**
 * What a collection must do, in the simplest way: a map of rows, and a plain scan in double precision.
 * A history is run against a store and this model side by side.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type Collection,
  type Id,
  type Match,
  type Metric,
  type Row,
  type RowInput,
  VssError,
} from "../../mod.ts";
import type { Step } from "./history.ts";
import { type FullRow, makeQuery, makeRow, matches } from "./rows.ts";

/** What a store must offer to be tested. */
export type Store =
  & Pick<
    Collection,
    "putSync" | "getSync" | "deleteSync" | "searchSync" | "clearSync" | "dimension" | "metric"
  >
  & {
    scanSync(options: Parameters<Collection["scanSync"]>[0]): Iterable<Row>;
    statsSync(): { count: number };
  };

/**
 * Runs a history.
 *
 * @param history Its steps.
 * @param store An empty store.
 * @throws {AssertionError} If the store does anything but what it must.
 */
export function runHistory(history: readonly Step[], store: Store): void {
  const rows = new Map<number, FullRow>();
  history.forEach((step, i) => {
    try {
      runStep(step, store, rows);
      assertEquals(store.statsSync().count, rows.size, "count");
    } catch (error) {
      const where = `step ${i} of ${history.length}, ${JSON.stringify(step, printable)}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/** For `JSON.stringify()`, which knows no bigints. */
export function printable(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function runStep(step: Step, store: Store, rows: Map<number, FullRow>): void {
  switch (step.do) {
    case "put":
      return runPut(step, store, rows);
    case "delete": {
      const deleted = step.ids.filter((id) => rows.delete(id)).length;
      return assertEquals(store.deleteSync(step.ids), deleted);
    }
    case "delete matching": {
      const gone = [...rows.values()].filter((row) => matches(row, step.tags));
      for (const row of gone) rows.delete(Number(row.id));
      return assertEquals(store.deleteSync({ tags: step.tags }), gone.length);
    }
    case "clear": {
      assertEquals(store.clearSync(), rows.size);
      return rows.clear();
    }
    case "get": {
      const expected = step.ids.map((id) => rows.get(id));
      return assertEquals(store.getSync(step.ids, { payload: "text" }), expected);
    }
    case "scan":
      return runScan(step, store, rows);
    case "search":
      return runSearch(step, store, rows);
    default:
      throw new Error(`${step.do} is for collections that forget`);
  }
}

/** Puts rows one by one in the model; the first id that is there already stops a put without upsert. */
function runPut(
  { ids, version, upsert }: Step & { do: "put" },
  store: Store,
  rows: Map<number, FullRow>,
): void {
  const batch = ids.map((id) => makeRow(id, version, store));
  const before = rows.size;
  let done = 0;
  for (const row of batch) {
    if (!upsert && rows.has(Number(row.id))) break;
    rows.set(Number(row.id), row);
    done++;
  }
  const inserted = rows.size - before;
  const input = batch as RowInput[];
  if (done === batch.length) {
    const expected = { done, inserted, updated: done - inserted, evicted: 0 };
    return assertEquals(store.putSync(input, { upsert }), expected);
  }
  let refused: unknown;
  try {
    store.putSync(input, { upsert });
  } catch (error) {
    refused = error;
  }
  assert(refused instanceof VssError, `refused, not ${refused}`);
  assertEquals([refused.code, refused.done], ["EEXIST", done]);
}

function runScan(
  { tags, batch }: Step & { do: "scan" },
  store: Store,
  rows: Map<number, FullRow>,
): void {
  const byId = (a: Row, b: Row) => Number(a.id) - Number(b.id);
  const read = [...store.scanSync({ tags, batch, payload: "text" })].sort(byId);
  assertEquals(read, [...rows.values()].filter((row) => matches(row, tags)).sort(byId));
}

function runSearch(
  { seed, k, tags, maxDistance }: Step & { do: "search" },
  store: Store,
  rows: Map<number, FullRow>,
): void {
  const query = makeQuery(seed, store);
  const hits = store.searchSync(query, { k, tags, maxDistance });
  const candidates = [...rows.values()].filter((row) => matches(row, tags));
  checkHits(hits, candidates, { query, k, maxDistance, metric: store.metric });
}

/** What was asked. */
export interface Question {
  readonly query: Float32Array;
  readonly k: number;
  readonly maxDistance?: number | undefined;
  readonly metric: Metric;
}

/**
 * Checks an answer.
 *
 * @param hits The answer.
 * @param candidates All rows that may be found.
 * @param question What was asked.
 * @throws {AssertionError} If a hit is wrong, missing, or out of order.
 */
export function checkHits(
  hits: readonly Match[],
  candidates: readonly { readonly id: Id; readonly vector: Float32Array }[],
  { query, k, maxDistance = Infinity, metric }: Question,
): void {
  const exact = new Map(candidates.map(({ id, vector }) => [id, measure(metric, query, vector)]));
  const found = new Set<Id>();
  hits.forEach((hit, rank) => {
    const truth = exact.get(hit.id);
    assert(truth, `id ${hit.id} was stored and matches`);
    assert(!found.has(hit.id), `id ${hit.id} is found once`);
    found.add(hit.id);
    const error = Math.abs(hit.distance - truth.distance);
    assert(error <= truth.slack, `id ${hit.id}: ${hit.distance}, not ${truth.distance}`);
    assert(hit.distance <= maxDistance, `${hit.distance} is in range`);
    const last = hits[rank - 1];
    const sorted = !last || last.distance < hit.distance ||
      (last.distance === hit.distance && last.id < hit.id);
    assert(sorted, "sorted by distance, then id");
  });
  assert(hits.length <= k, `at most ${k} hits`);
  const worst = hits.length === k ? hits.at(-1)!.distance : maxDistance;
  const missed = candidates.find(({ id }) => {
    const { distance, slack } = exact.get(id)!;
    return !found.has(id) && distance < worst - 2 * slack;
  });
  assert(!missed, `id ${missed?.id} is nearer than ${worst}`);
  const all = hits.length === k || maxDistance !== Infinity || found.size === candidates.length;
  assert(all, `${candidates.length} rows match, ${found.size} were found`);
}

/** The exact distance, and how far a float may be from it. */
function measure(metric: Metric, a: Float32Array, b: Float32Array) {
  const unit = 1e-7 * (8 + a.length / 16);
  let squares = 0, dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!, y = b[i]!;
    squares += (x - y) ** 2;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const lengths = Math.sqrt(aa) * Math.sqrt(bb);
  switch (metric) {
    case "l2sq":
      return { distance: squares, slack: unit * squares };
    case "ip":
      return { distance: 1 - dot, slack: unit * (1 + lengths) };
    case "cos":
      return { distance: 1 - dot / lengths, slack: 2 * unit };
  }
}
