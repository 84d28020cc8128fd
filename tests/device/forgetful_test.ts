// SPDX-License-Identifier: MIT
/**
 * Collections that forget do what a simple model says, through random histories, with others who read
 * meanwhile and without. A history that fails is made small and printed, with its seed.
 *
 * Arguments, after `--`: `--seed N` runs other histories.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";
import { after, before, describe, it } from "@std/testing/bdd";
import { type Collection, type Eviction, Vss } from "../../mod.ts";
import { type Policy, runForgetful } from "../model/forgetful.ts";
import { makeHistory, shrink, type Step } from "../model/history.ts";
import { printable } from "../model/model.ts";
import { freshStore, leaveEmpty } from "./machine.ts";
import type { ReaderAnswer } from "./reader.ts";

const { seed: seedText } = parseArgs(Deno.args, { string: ["seed"] });
const SEED = Number(seedText ?? 5005);

/** How many read while a history runs. */
const READERS = 2;

/** Dimensions, with codes and without, of one block and of several; and how long histories are. */
const SIZES = [
  { dimension: 3, steps: 200, ids: 200, batch: 30, capacity: 60, capacities: [0, 20, 60, 100] },
  { dimension: 40, steps: 200, ids: 40, batch: 1, capacity: 12, capacities: [] },
  { dimension: 128, steps: 150, ids: 200, batch: 80, capacity: 50, capacities: [20, 50, 70] },
  { dimension: 8192, steps: 40, ids: 250, batch: 60, capacity: 160, capacities: [90, 160, 200] },
];

const EVICTIONS: readonly Eviction[] = ["none", "fifo", "lru"];

/** Lifetimes: those of collections, and those that puts give their rows. */
const LIVES = [
  { what: "for ever", ttl: 0, ttls: [] },
  { what: "for a time", ttl: 60_000, ttls: [undefined, Infinity, 15, 60_000] },
  { what: "for a moment", ttl: 15, ttls: [undefined, undefined, Infinity] },
];

/** Runs a history on a collection of its own; returns what went wrong. */
function tryHistory(
  history: readonly Step[],
  dimension: number,
  policy: Policy,
  work: (store: Collection) => void = () => {},
): Error | undefined {
  using vss = Vss.open();
  const { evict, capacity, ttl } = policy;
  using store = vss.privateCollection({ dimension, evict, capacity, ttl });
  try {
    work(store);
    runForgetful(history, store, policy);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Those who read a collection, each on a thread of its own, until they are told to stop. */
class Readers {
  readonly #workers: Worker[] = [];

  /** Lets them begin. */
  start(store: Collection): void {
    for (let i = 0; i < READERS; i++) {
      const worker = new Worker(new URL("reader.ts", import.meta.url), { type: "module" });
      worker.postMessage({ handle: store.handle(), seed: SEED + i });
      this.#workers.push(worker);
    }
  }

  /** Lets them end; tells what they saw. */
  async stop(): Promise<ReaderAnswer[]> {
    const answers = this.#workers.map((worker) => {
      const { promise, resolve } = Promise.withResolvers<ReaderAnswer>();
      worker.addEventListener("message", ({ data }) => resolve(data));
      worker.postMessage("stop");
      return promise;
    });
    const all = await Promise.all(answers);
    for (const worker of this.#workers) worker.terminate();
    return all;
  }
}

describe("a collection that forgets", () => {
  before(() => freshStore());
  after(leaveEmpty);

  for (const evict of EVICTIONS) {
    for (const { what, ttl, ttls } of LIVES) {
      for (const { dimension, capacity, ...size } of SIZES) {
        const name = `${evict}, ${capacity} rows of ${dimension} components, kept ${what}`;
        const seed = SEED + dimension + ttl;
        const history = makeHistory({ seed, ...size, ttls });
        const policy = { evict, capacity, ttl };
        it(`does what the model does: ${name}`, () => {
          const alone = { ...policy, hasReaders: false };
          const failure = tryHistory(history, dimension, alone);
          if (failure === undefined) return;
          const fails = (steps: readonly Step[]) => !!tryHistory(steps, dimension, alone);
          const small = shrink(history, fails);
          const error = tryHistory(small, dimension, alone);
          const steps = small.map((step) => JSON.stringify(step, printable)).join("\n");
          const message = `seed ${seed}: ${error?.message ?? failure.message}`;
          throw new Error(`${message}; the least that fails:\n${steps}`, { cause: failure });
        });
        it(`does so while others read: ${name}`, async () => {
          const crowded = { ...policy, hasReaders: true };
          const readers = new Readers();
          const failure = tryHistory(history, dimension, crowded, (store) => readers.start(store));
          const answers = await readers.stop();
          if (failure) throw failure;
          assertEquals(answers.flatMap(({ wrong }) => wrong), []);
        });
      }
    }
  }
});
