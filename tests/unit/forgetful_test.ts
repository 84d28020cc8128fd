// SPDX-License-Identifier: MIT
import { assert, assertStringIncludes } from "@std/assert";
import { type Row, type RowInput, VssError } from "../../mod.ts";
import { type ForgetfulStore, type Policy, runForgetful } from "../model/forgetful.ts";
import { makeHistory, shrink, type Step } from "../model/history.ts";
import { matches } from "../model/rows.ts";

/** What is wrong with a store. */
type Fault =
  | "none"
  | "evicts one too many"
  | "evicts the newest"
  | "evicts what was just returned"
  | "keeps its place when replaced"
  | "evicts without a need"
  | "never forgets"
  | "forgets too early"
  | "expires in silence";

/** A row, when it is over, and whether it was returned lately. */
interface Slot {
  readonly row: Row;
  readonly over: number;
  isUsed: boolean;
}

/** A store in a map, in the order in which rows are to go. */
class FakeStore implements ForgetfulStore {
  readonly dimension = 2;
  readonly metric = "l2sq";
  readonly #policy: Policy;
  readonly #fault: Fault;
  #capacity: number;
  #rows = new Map<number, Slot>();
  readonly #stats = {
    inserts: 0,
    deletes: 0,
    evictions: 0,
    pressureEvictions: 0,
    expirations: 0,
  };

  constructor(policy: Policy, fault: Fault) {
    this.#policy = policy;
    this.#fault = fault;
    this.#capacity = policy.capacity || Infinity;
  }

  putSync: ForgetfulStore["putSync"] = (input, { upsert = false, ttl } = {}) => {
    const before = { ...this.#stats };
    let done = 0;
    for (const row of input as RowInput[]) {
      this.#expire();
      const id = Number(row.id);
      const old = this.#rows.get(id);
      const isFull = !old && this.#rows.size >= this.#capacity;
      const code = old && !upsert
        ? "EEXIST"
        : isFull && this.#policy.evict === "none"
        ? "ENOSPC"
        : undefined;
      if (code) throw new VssError(code, { operation: "put", subject: "", done });
      if (!old) this.#shed(this.#capacity - 1);
      const keepsPlace = this.#fault === "keeps its place when replaced";
      if (old && !keepsPlace) this.#rows.delete(id);
      const life = ttl ?? (this.#policy.ttl || Infinity);
      const factor = this.#fault === "forgets too early" ? 0.5 : 1;
      const over = this.#fault === "never forgets" ? Infinity : performance.now() + life * factor;
      this.#rows.set(id, { row: row as Row, over, isUsed: old !== undefined });
      if (!old) this.#stats.inserts++;
      done++;
    }
    const inserted = this.#stats.inserts - before.inserts;
    const evicted = this.#stats.evictions - before.evictions;
    return { done, inserted, updated: done - inserted, evicted };
  };

  getSync: ForgetfulStore["getSync"] = (ids) => {
    this.#expire();
    return [...ids as number[]].map((id) => this.#use(id));
  };

  searchSync: ForgetfulStore["searchSync"] = (query, { k = 10, tags, maxDistance } = {}) => {
    this.#expire();
    const range = maxDistance ?? Infinity;
    const distance = ({ vector }: Row) => Math.hypot(...vector!.map((x, i) => x - query[i]!)) ** 2;
    const hits = this.#matching(tags).map((row) => ({ id: row.id, distance: distance(row) }))
      .filter((hit) => hit.distance <= range)
      .sort((a, b) => a.distance - b.distance || Number(a.id) - Number(b.id)).slice(0, k);
    for (const { id } of hits) this.#use(Number(id));
    return hits;
  };

  deleteSync: ForgetfulStore["deleteSync"] = (which) => {
    this.#expire();
    const ids = "tags" in which
      ? this.#matching(which.tags as never).map(({ id }) => id)
      : [...which as number[]];
    const deleted = ids.filter((id) => this.#rows.delete(Number(id))).length;
    this.#stats.deletes += deleted;
    return deleted;
  };

  clearSync = () => this.deleteSync([...this.#rows.keys()]);

  configureSync: ForgetfulStore["configureSync"] = ({ capacity = 0 }) => {
    this.#expire();
    this.#capacity = capacity || Infinity;
    if (this.#policy.evict !== "none") this.#shed(this.#capacity);
  };

  scanSync: ForgetfulStore["scanSync"] = ({ tags } = {}) => {
    this.#expire();
    return this.#matching(tags);
  };

  statsSync: ForgetfulStore["statsSync"] = () => {
    this.#expire();
    return { ...this.#stats, count: this.#rows.size };
  };

  #matching(tags?: Parameters<typeof matches>[1]): Row[] {
    const rows = [...this.#rows.values()].map(({ row }) => row);
    return rows.filter((row) => !tags || matches(row as never, tags));
  }

  #use(id: number): Row | undefined {
    const slot = this.#rows.get(id);
    if (slot) slot.isUsed = true;
    return slot?.row;
  }

  #expire(): void {
    const now = performance.now();
    for (const [id, { over }] of this.#rows) {
      if (over > now) continue;
      this.#rows.delete(id);
      if (this.#fault !== "expires in silence") this.#stats.expirations++;
    }
  }

  /** Evicts until there are no more rows than that. */
  #shed(most: number): void {
    const early = this.#fault === "evicts without a need" ? 1 : 0;
    const more = this.#fault === "evicts one too many" ? 1 : 0;
    if (this.#rows.size <= most - early) return;
    while (this.#rows.size > most - more - early && this.#rows.size > 0) {
      this.#rows.delete(this.#next());
      this.#stats.evictions++;
    }
  }

  #next(): number {
    if (this.#fault === "evicts the newest") return [...this.#rows.keys()].at(-1)!;
    const isWrong = this.#fault === "evicts what was just returned";
    if (isWrong) return [...this.#rows].find(([, slot]) => slot.isUsed)?.[0] ?? this.#oldest();
    if (this.#policy.evict === "fifo") return this.#oldest();
    // The clock, whose hand stands at the first row: those that it spares go to the end.
    for (const [id, slot] of [...this.#rows]) {
      if (!slot.isUsed) return id;
      slot.isUsed = false;
      this.#rows.delete(id);
      this.#rows.set(id, slot);
    }
    return this.#oldest();
  }

  #oldest(): number {
    return this.#rows.keys().next().value!;
  }
}

const FIFO: Policy = { evict: "fifo", capacity: 20, ttl: 0, hasReaders: false };
const LRU: Policy = { ...FIFO, evict: "lru" };
const BRIEF: Policy = { ...FIFO, evict: "none", capacity: 0, ttl: 8 };
const SIZE = { seed: 5, steps: 120, ids: 60, batch: 4, capacities: [10, 20] };

/** Runs a history on a fresh store with a fault; returns what went wrong. */
function failureOf(steps: readonly Step[], policy: Policy, fault: Fault): Error | undefined {
  try {
    runForgetful(steps, new FakeStore(policy, fault), policy);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

for (const evict of ["none", "fifo", "lru"] as const) {
  for (const [ttl, ttls] of [[0, []], [0, [undefined, 8]], [8, [undefined, Infinity]]] as const) {
    Deno.test(`runForgetful() finds nothing wrong with what is right: ${evict}, ${ttls}`, () => {
      for (const seed of [1, 2, 3]) {
        const policy = { evict, capacity: 20, ttl, hasReaders: false };
        const history = makeHistory({ ...SIZE, seed, ttls });
        const failure = failureOf(history, policy, "none");
        if (failure) throw failure;
      }
    });
  }
}

for (
  const [fault, policy, says] of [
    ["evicts one too many", FIFO, "no reason to evict"],
    ["evicts the newest", FIFO, "is gone before the older"],
    ["keeps its place when replaced", FIFO, "is gone before the older"],
    ["evicts without a need", FIFO, "no reason to evict"],
    ["evicts what was just returned", LRU, "which was just returned"],
    ["never forgets", BRIEF, "after its time"],
    ["forgets too early", { ...BRIEF, ttl: 60 }, "nothing is to be evicted"],
    ["expires in silence", BRIEF, '"expirations":0'],
  ] as [Fault, Policy, string][]
) {
  Deno.test(`runForgetful() finds a store that ${fault}, and shrink() leaves little of it`, () => {
    const isTimed = policy.ttl > 0;
    const size = isTimed ? { ...SIZE, steps: 40, ttls: [undefined], capacities: [] } : SIZE;
    const history = makeHistory(size);
    const failure = failureOf(history, policy, fault);
    assert(failure, "a failure");
    assertStringIncludes(failure.message, says);
    const small = shrink(history, (steps) => !!failureOf(steps, policy, fault));
    assert(small.length < history.length / 2, JSON.stringify(small));
  });
}
