// SPDX-License-Identifier: MIT
/**
 * What a collection that forgets must do: a map of rows with the time at which each is over, in the
 * order in which they were put. After each step the rows that are left are read, and those that are
 * not must have gone for a reason:
 *
 * - every row is what was put last under its id, as a whole;
 * - a row is there until its time, and never after it;
 * - what makes room is, of `fifo`, exactly the oldest; of `lru`, no row that was returned since the
 *   last eviction, as long as there are enough that never were;
 * - nothing goes that did not have to: a collection that had to make room is full;
 * - counters say of each row how it went.
 *
 * Time passes while a call works, so the model knows of a row when it may be over, and when it must.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type Collection,
  type CollectionStats,
  type Eviction,
  type Id,
  type Row,
  VssError,
} from "../../mod.ts";
import type { Step } from "./history.ts";
import { checkHits, printable } from "./model.ts";
import { type FullRow, makeQuery, makeRow, matches } from "./rows.ts";

/** How much the clocks of the test and of the driver may differ, in milliseconds. */
const SLACK = 2;

/** What a store must offer to be tested. */
export type ForgetfulStore =
  & Pick<
    Collection,
    | "putSync"
    | "getSync"
    | "deleteSync"
    | "searchSync"
    | "clearSync"
    | "configureSync"
    | "dimension"
    | "metric"
  >
  & {
    scanSync(options: Parameters<Collection["scanSync"]>[0]): Iterable<Row>;
    statsSync(): Pick<
      CollectionStats,
      "count" | "inserts" | "deletes" | "evictions" | "pressureEvictions" | "expirations"
    >;
  };

/** How a store was made. */
export interface Policy {
  /** What makes room. */
  readonly evict: Eviction;
  /** Rows that it may hold; 0 for any number. */
  readonly capacity: number;
  /** For how long rows are kept that are put without a lifetime, in milliseconds; 0 for ever. */
  readonly ttl: number;
  /** Whether others read rows meanwhile, which then were returned, too. */
  readonly hasReaders: boolean;
}

/** A row of the model. */
interface Kept {
  readonly row: FullRow;
  /** The time before which it is there, unless it makes room. */
  readonly earliest: number;
  /** The time from which it is not. */
  readonly latest: number;
  /** Whether it may have been returned since it was put. */
  wasUsed: boolean;
  /** Whether it was returned, and nothing has been evicted since. */
  isSafe: boolean;
}

/** A span of time in which a call worked. */
interface Span {
  readonly begin: number;
  readonly end: number;
}

/**
 * Runs a history.
 *
 * @param history Its steps.
 * @param store An empty store, made by the policy.
 * @param policy How the store was made.
 * @throws {Error} If the store does anything but what it must.
 */
export function runForgetful(
  history: readonly Step[],
  store: ForgetfulStore,
  policy: Policy,
): void {
  const model = new Model(store, policy);
  history.forEach((step, i) => {
    try {
      model.run(step);
    } catch (error) {
      const where = `step ${i} of ${history.length}, ${JSON.stringify(step, printable)}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  });
}

class Model {
  readonly #store: ForgetfulStore;
  readonly #policy: Policy;
  #capacity: number;
  /** The rows by their ids, in the order in which they were put. */
  readonly #rows = new Map<number, Kept>();
  #evictions = 0;

  constructor(store: ForgetfulStore, policy: Policy) {
    this.#store = store;
    this.#policy = policy;
    this.#capacity = policy.capacity || Infinity;
  }

  run(step: Step): void {
    switch (step.do) {
      case "put":
        return this.#put(step);
      case "delete":
      case "delete matching":
      case "clear":
        return this.#delete(step);
      case "get":
        return this.#get(step);
      case "search":
        return this.#search(step);
      case "scan":
        return this.#look(0);
      case "wait":
        sleep(step.milliseconds);
        return this.#look(0);
      case "configure":
        return this.#configure(step.capacity);
    }
  }

  /** Runs a call and tells how long it took. */
  #timed<T>(call: () => T): [result: T, span: Span] {
    const begin = performance.now();
    const result = call();
    return [result, { begin, end: performance.now() }];
  }

  #put({ ids, version, upsert, ttl }: Step & { do: "put" }): void {
    const rows = ids.map((id) => makeRow(id, version, this.#store));
    const before = this.#store.statsSync();
    const [outcome, span] = this.#timed(() => this.#tryPut(rows, { upsert, ttl }));
    const life = ttl ?? (this.#policy.ttl || Infinity);
    const kept = { earliest: span.begin + life - SLACK, latest: span.end + life + SLACK };
    // Where a row that may be over is put again, the store alone knows whether it was there.
    for (const row of rows.slice(0, outcome.done)) {
      const id = Number(row.id);
      const old = this.#rows.get(id);
      const mustBe = old !== undefined && old.earliest > span.end && outcome.evicted === 0;
      assert(upsert || !mustBe, `id ${id} is there, and replaced without leave`);
      this.#rows.delete(id);
      // A row that replaces another counts as returned where that matters, or does not.
      this.#rows.set(id, { row, ...kept, wasUsed: old !== undefined, isSafe: false });
    }
    this.#checkRefusal(outcome, rows, { span, upsert });
    assertEquals(this.#store.statsSync().inserts - before.inserts, outcome.inserted, "inserts");
    this.#look(outcome.evicted, rows.length);
  }

  /** Puts rows; says how far that came where it is refused. */
  #tryPut(rows: readonly FullRow[], options: { upsert: boolean; ttl: number | undefined }) {
    const before = this.#store.statsSync();
    try {
      const { done, inserted, updated, evicted } = this.#store.putSync(rows, options);
      assertEquals([done, inserted + updated], [rows.length, rows.length], "done");
      return { done, inserted, evicted, code: undefined };
    } catch (error) {
      if (!(error instanceof VssError)) throw error;
      const after = this.#store.statsSync();
      const inserted = after.inserts - before.inserts;
      return {
        done: error.done ?? 0,
        inserted,
        evicted: after.evictions - before.evictions,
        code: error.code,
      };
    }
  }

  /** A put is refused where an id is there, or the store is full and evicts nothing; else it is not. */
  #checkRefusal(
    { done, code }: { readonly done: number; readonly code: string | undefined },
    rows: readonly FullRow[],
    { span, upsert }: { readonly span: Span; readonly upsert: boolean },
  ): void {
    if (code === undefined) return;
    const refused = Number(rows[done]!.id);
    const old = this.#rows.get(refused);
    const mayBeThere = old !== undefined && old.latest >= span.begin;
    if (code === "EEXIST") return assert(!upsert && mayBeThere, `id ${refused} is there`);
    assertEquals([code, this.#policy.evict], ["ENOSPC", "none"]);
    const most = [...this.#rows.values()].filter(({ latest }) => latest >= span.begin).length;
    assert(most >= this.#capacity, `${most} rows are no reason to be full`);
  }

  #delete(step: Step & { do: "delete" | "delete matching" | "clear" }): void {
    const store = this.#store;
    const gone = [...this.#rows.values()].filter(({ row }) =>
      step.do === "clear" ||
      (step.do === "delete" ? step.ids.includes(Number(row.id)) : matches(row, step.tags))
    );
    const [deleted, span] = this.#timed(() => {
      if (step.do === "clear") return store.clearSync();
      return store.deleteSync(step.do === "delete" ? step.ids : { tags: step.tags });
    });
    const least = gone.filter(({ earliest }) => earliest > span.end).length;
    const most = gone.filter(({ latest }) => latest >= span.begin).length;
    assert(deleted >= least && deleted <= most, `${deleted} deleted, not ${least} to ${most}`);
    for (const { row } of gone) this.#rows.delete(Number(row.id));
    this.#look(0);
  }

  #get({ ids }: Step & { do: "get" }): void {
    const [rows, span] = this.#timed(() => this.#store.getSync(ids, { payload: "text" }));
    rows.forEach((row, i) => {
      const kept = this.#rows.get(ids[i]!);
      this.#checkRow(kept, row, span);
      if (row !== undefined) this.#use(ids[i]!);
    });
    this.#look(0);
  }

  /** Checks that a row is there or not there as it must be. */
  #checkRow(kept: Kept | undefined, row: Row | undefined, { begin, end }: Span): void {
    if (row === undefined) {
      const mustBe = kept !== undefined && kept.earliest > end;
      return assert(!mustBe, `id ${kept?.row.id} is not there before its time`);
    }
    assert(kept, `id ${row.id} is there and was never put, or was deleted`);
    assert(kept.latest >= begin, `id ${row.id} is there ${begin - kept.latest} ms after its time`);
    assertEquals(row, kept.row);
  }

  #use(id: number): void {
    const kept = this.#rows.get(id)!;
    kept.wasUsed = kept.isSafe = true;
  }

  #search({ seed, k, tags, maxDistance }: Step & { do: "search" }): void {
    const query = makeQuery(seed, this.#store);
    const options = { k, tags, maxDistance };
    const [hits, { begin, end }] = this.#timed(() => this.#store.searchSync(query, options));
    const found = new Set<Id>(hits.map(({ id }) => id));
    // A row that may be over competes if it was found.
    const candidates = [...this.#rows.values()].filter(({ row, earliest, latest }) =>
      matches(row, tags) && (earliest > end || (latest >= begin && found.has(row.id)))
    ).map(({ row }) => row);
    checkHits(hits, candidates, { query, k, maxDistance, metric: this.#store.metric });
    for (const id of found) this.#use(Number(id));
    this.#look(0);
  }

  #configure(capacity: number): void {
    const before = this.#store.statsSync();
    this.#store.configureSync({ capacity });
    this.#capacity = capacity || Infinity;
    this.#look(this.#store.statsSync().evictions - before.evictions);
  }

  /**
   * Reads all rows, and finds out why others are not there any more.
   *
   * @param evicted How many made room since the last look.
   * @param more How many rows the store had to take at once.
   */
  #look(evicted: number, more = 0): void {
    const [read, span] = this.#timed(() => [...this.#store.scanSync({ payload: "text" })]);
    const present = new Map(read.map((row) => [Number(row.id), row]));
    assertEquals(present.size, read.length, "each row is read once");
    for (const [id, row] of present) this.#checkRow(this.#rows.get(id), row, span);
    const gone = [...this.#rows].filter(([id]) => !present.has(id));
    // Those that were not over have made room.
    const victims = gone.filter(([, { earliest }]) => earliest > span.end);
    if (victims.length > 0 || evicted > 0) this.#checkVictims(victims, present, { evicted, more });
    for (const [id] of gone) this.#rows.delete(id);
    this.#checkCounters(present.size, evicted);
  }

  #checkVictims(
    victims: readonly [number, Kept][],
    present: ReadonlyMap<number, Row>,
    { evicted, more }: { readonly evicted: number; readonly more: number },
  ): void {
    const { evict, ttl } = this.#policy;
    const ids = victims.map(([id]) => id);
    assert(evict !== "none", `nothing is to be evicted, but ${ids} and ${evicted} more were`);
    // Rows of the batch itself may have made room for those behind them.
    assert(victims.length <= evicted, `${ids} are gone, but only ${evicted} were evicted`);
    const isTimeless = ttl === 0 && [...this.#rows.values()].every((row) => row.earliest > 1e12);
    if (isTimeless) {
      assert(present.size === this.#capacity, `${present.size} rows are no reason to evict ${ids}`);
    }
    if (evict === "fifo") this.#checkOldest(victims, present);
    else this.#checkUnused(victims, evicted, more);
    for (const kept of this.#rows.values()) kept.isSafe = false;
    this.#evictions += evicted;
  }

  /** Of a ring, no row goes before one that was put earlier. */
  #checkOldest(victims: readonly [number, Kept][], present: ReadonlyMap<number, Row>): void {
    const gone = new Set(victims.map(([id]) => id));
    let survivor: number | undefined;
    for (const id of this.#rows.keys()) {
      if (present.has(id)) survivor ??= id;
      assert(
        survivor === undefined || !gone.has(id),
        `id ${id} is gone before the older ${survivor}`,
      );
    }
  }

  /** Of those used least, one that was returned lately goes only where there are no others left. */
  #checkUnused(victims: readonly [number, Kept][], evicted: number, more: number): void {
    if (this.#policy.hasReaders) return;
    const unused = [...this.#rows.values()].filter(({ wasUsed }) => !wasUsed).length;
    if (evicted > unused - more) return;
    const wrong = victims.find(([, { isSafe }]) => isSafe);
    assert(!wrong, `id ${wrong?.[0]} is gone, which was just returned, of ${unused} that were not`);
  }

  /** Each row that came is there, or went in one way that is counted. */
  #checkCounters(present: number, evicted: number): void {
    const stats = this.#store.statsSync();
    const { count, inserts, deletes, evictions, pressureEvictions, expirations } = stats;
    const went = deletes + evictions + pressureEvictions + expirations;
    assertEquals(inserts - went, count, JSON.stringify(stats));
    assertEquals(pressureEvictions, 0, "memory is not scarce");
    assert(count <= present, `${count} rows are counted, ${present} were read before`);
    assert(present <= this.#capacity || this.#policy.evict === "none", `${present} rows`);
    const now = performance.now();
    const least = [...this.#rows.values()].filter(({ earliest }) => earliest > now).length;
    assert(count >= least, `${count} rows are counted, ${least} are not over`);
    if (evicted > 0) assertEquals(evictions, this.#evictions, "evictions");
  }
}

/** Waits on this thread. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
