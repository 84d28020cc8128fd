// SPDX-License-Identifier: MIT
/**
 * Random histories of what a collection may be asked, and how one that fails is made small.
 *
 * @module
 */
import type { TagFilter } from "../../mod.ts";
import { random } from "./random.ts";

/** One step of a history. What it does depends on nothing but itself, so steps can be left out. */
export type Step =
  | {
    readonly do: "put";
    readonly ids: readonly number[];
    /** Decides the rows' vectors, tags and payloads, together with their ids. */
    readonly version: number;
    readonly upsert: boolean;
    /** For how long the rows are kept, in milliseconds. */
    readonly ttl?: number | undefined;
  }
  | { readonly do: "delete"; readonly ids: readonly number[] }
  | { readonly do: "delete matching"; readonly tags: TagFilter }
  | { readonly do: "get"; readonly ids: readonly number[] }
  | {
    readonly do: "search";
    readonly seed: number;
    readonly k: number;
    readonly tags: TagFilter;
    readonly maxDistance: number | undefined;
  }
  | { readonly do: "scan"; readonly tags: TagFilter; readonly batch: number }
  | { readonly do: "clear" }
  | { readonly do: "wait"; readonly milliseconds: number }
  | { readonly do: "configure"; readonly capacity: number };

/** What a history is made with. */
export interface HistoryOptions {
  readonly seed: number;
  readonly steps: number;
  /** Ids are below this, so that they meet each other. */
  readonly ids: number;
  /** Most rows of a put. */
  readonly batch: number;
  /** Lifetimes that puts give their rows, in milliseconds; none where it is left out. */
  readonly ttls?: readonly (number | undefined)[] | undefined;
  /** Capacities that the collection is given; none where it is left out. */
  readonly capacities?: readonly number[] | undefined;
}

/** Filters from those that match everything to those that match nothing. */
const FILTERS: readonly TagFilter[] = [
  { mask: 0, value: 0 },
  { mask: 1, value: 1 },
  { mask: 3, value: 2 },
  { mask: 0xff, value: 7 },
  { mask: 1n << 63n, value: 1n << 63n },
  { mask: 1, value: 2 },
];

/** Distances from none to all. */
const RANGES = [undefined, undefined, Infinity, 1, 0.5, 0, -1];

/**
 * Makes a history.
 *
 * @param options What it is made with.
 * @returns Its steps.
 */
export function makeHistory(options: HistoryOptions): Step[] {
  const { seed, steps, ids, batch, ttls = [], capacities = [] } = options;
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)]!;
  const someIds = (most: number) => Array.from({ length: 1 + below(most) }, () => below(ids));
  const kinds = {
    put: 40,
    search: 25,
    get: 10,
    delete: 15,
    "delete matching": 4,
    scan: 5,
    clear: 1,
    // Time matters where rows have one, and capacity where there is one.
    wait: ttls.length > 0 ? 8 : 0,
    configure: capacities.length > 0 ? 3 : 0,
  } as const;
  const bag = Object.entries(kinds).flatMap(([kind, weight]) => Array(weight).fill(kind)) as Step[
    "do"
  ][];
  return Array.from({ length: steps }, (_, version): Step => {
    const kind = pick(bag);
    switch (kind) {
      case "put":
        return {
          do: kind,
          ids: someIds(batch),
          version,
          upsert: next() < 0.6,
          ...(ttls.length > 0 ? { ttl: pick(ttls) } : {}),
        };
      case "delete":
      case "get":
        return { do: kind, ids: someIds(batch) };
      case "delete matching":
        return { do: kind, tags: pick(FILTERS.slice(1)) };
      case "search":
        return {
          do: kind,
          seed: below(1 << 30),
          k: pick([1, 2, 10, 100, 4096]),
          tags: pick(FILTERS),
          maxDistance: pick(RANGES),
        };
      case "scan":
        return { do: kind, tags: pick(FILTERS), batch: pick([1, 7, 100]) };
      case "clear":
        return { do: kind };
      case "wait":
        return { do: kind, milliseconds: pick([1, 10, 40]) };
      case "configure":
        return { do: kind, capacity: pick(capacities) };
    }
  });
}

/**
 * Makes a failing history small: leaves out runs of steps, and ids of steps, as long as it still
 * fails (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
 *
 * @param history A history that fails.
 * @param fails Whether a history fails.
 * @returns One that fails, and no longer does without any one of its steps or ids.
 */
export function shrink(history: readonly Step[], fails: (history: readonly Step[]) => boolean) {
  let small = withoutRuns(history, fails);
  for (let i = 0; i < small.length; i++) {
    const step = small[i]!;
    if (!("ids" in step)) continue;
    const ids = withoutRuns(step.ids, (some) =>
      some.length > 0 &&
      fails(small.with(i, { ...step, ids: some })));
    small = small.with(i, { ...step, ids });
  }
  return withoutRuns(small, fails);
}

function withoutRuns<T>(items: readonly T[], fails: (items: readonly T[]) => boolean): T[] {
  let left = [...items];
  for (let run = Math.ceil(left.length / 2); run >= 1; run = Math.floor(run / 2)) {
    for (let start = 0; start < left.length;) {
      const fewer = left.toSpliced(start, run);
      if (fails(fewer)) left = fewer;
      else start += run;
    }
  }
  return left;
}
