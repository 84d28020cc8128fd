// SPDX-License-Identifier: MIT
/**
 * Collections that forget do what a simple model says, through random histories, with others who read
 * meanwhile and without. A history that fails is made small and printed, with its seed.
 *
 * Arguments, after `--`: `--seed N` runs other histories.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { parseArgs } from "@std/cli";
import { after, before, describe, it } from "@std/testing/bdd";
import { type Collection, type Eviction, Vss } from "../../mod.ts";
import { type Policy, runForgetful } from "../model/forgetful.ts";
import { makeHistory, shrink, type Step } from "../model/history.ts";
import { printable } from "../model/model.ts";
import { freshStore, leaveEmpty } from "./machine.ts";
import { publish } from "./publish.ts";
import type { ReaderAnswer, ReaderTask } from "./reader.ts";

const { seed: seedText } = parseArgs(Deno.args, { string: ["seed"] });
const SEED = Number(seedText ?? 5005);

/** The module of those who read. */
const READER = publish(import.meta.resolve("./reader.ts"));

/** How many read while a history runs. */
const READERS = 2;

/** Dimensions, with codes and without, of one block and of several; and how long histories are. */
const SIZES = [
  { dimension: 3, steps: 150, ids: 200, batch: 30, capacity: 60, capacities: [0, 20, 60, 100] },
  { dimension: 40, steps: 150, ids: 40, batch: 1, capacity: 12, capacities: [] },
  { dimension: 128, steps: 100, ids: 200, batch: 80, capacity: 50, capacities: [20, 50, 70] },
  { dimension: 8192, steps: 30, ids: 250, batch: 60, capacity: 160, capacities: [90, 160, 200] },
] as const;

const EVICTIONS: readonly Eviction[] = ["none", "fifo", "lru"];

/** Lifetimes of collections, and those that puts give their rows, with the sizes that they are run at. */
const LIVES = [
  { what: "for ever", ttl: 0, ttls: [], alone: SIZES, crowded: [SIZES[2], SIZES[3]] },
  {
    what: "for a time",
    ttl: 60_000,
    ttls: [undefined, Infinity, 15, 60_000],
    alone: [SIZES[0], SIZES[3]],
    crowded: [],
  },
  {
    what: "for a moment",
    ttl: 15,
    ttls: [undefined, undefined, Infinity],
    alone: [SIZES[1]],
    crowded: [SIZES[0]],
  },
];

/** One of the sizes. */
type Size = typeof SIZES[number];

/** Lifetimes that puts give their rows. */
type Lifetimes = readonly (number | undefined)[];

/** Makes a collection by a policy. */
function open(dimension: number, { evict, capacity, ttl }: Policy): Collection {
  using vss = Vss.open();
  return vss.privateCollection({ dimension, evict, capacity, ttl });
}

/** Runs a history on a collection; returns what went wrong. */
function failureOf(
  history: readonly Step[],
  store: Collection,
  policy: Policy,
): Error | undefined {
  try {
    runForgetful(history, store, policy);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Those who read a collection, each on a thread of its own, until they are told to stop. */
class Readers {
  readonly #workers: Worker[];

  /** Lets them begin. */
  constructor() {
    this.#workers = Array.from({ length: READERS }, () => new Worker(READER, { type: "module" }));
  }

  /** Waits for the answers to a message. */
  async #ask(message: ReaderTask | "stop"): Promise<ReaderAnswer[]> {
    return await Promise.all(this.#workers.map((worker) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReaderAnswer>();
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
      return promise;
    }));
  }

  /** Lets them begin, and waits until they have. */
  async start(store: Collection, seed: number): Promise<void> {
    await this.#ask({ handle: store.handle(), seed });
  }

  /** Lets them end, and tells what they saw. */
  async stop(): Promise<ReaderAnswer[]> {
    const answers = await this.#ask("stop");
    for (const worker of this.#workers) worker.terminate();
    return answers;
  }
}

/** Runs a history; one that fails is made small. */
function runAlone(size: Size, ttls: Lifetimes, policy: Policy): void {
  const failsOn = (steps: readonly Step[]) => {
    using store = open(size.dimension, policy);
    return failureOf(steps, store, policy);
  };
  const seed = SEED + size.dimension + policy.ttl;
  const history = makeHistory({ ...size, seed, ttls });
  const failure = failsOn(history);
  if (failure === undefined) return;
  const small = shrink(history, (steps) => !!failsOn(steps));
  const steps = small.map((step) => JSON.stringify(step, printable)).join("\n");
  const message = `seed ${seed}: ${failsOn(small)?.message ?? failure.message}`;
  throw new Error(`${message}; the least that fails:\n${steps}`, { cause: failure });
}

/** Runs a history while others read. */
async function runCrowded(size: Size, ttls: Lifetimes, policy: Policy): Promise<void> {
  const seed = SEED + size.dimension + policy.ttl;
  using store = open(size.dimension, policy);
  const readers = new Readers();
  await readers.start(store, seed);
  const failure = failureOf(makeHistory({ ...size, seed, ttls }), store, policy);
  const answers = await readers.stop();
  if (failure) throw new Error(`seed ${seed}: ${failure.message}`, { cause: failure });
  assertEquals(answers.flatMap(({ wrong }) => wrong), []);
  for (const { rounds } of answers) assertGreater(rounds, 0);
}

describe("a collection that forgets", () => {
  before(() => freshStore());
  after(leaveEmpty);

  for (const evict of EVICTIONS) {
    for (const { what, ttl, ttls, alone, crowded } of LIVES) {
      const title = ({ dimension, capacity }: Size) =>
        `${evict}, ${capacity} rows of ${dimension} components, kept ${what}`;
      for (const size of alone) {
        it(`does what the model does: ${title(size)}`, () => {
          runAlone(size, ttls, { evict, capacity: size.capacity, ttl, hasReaders: false });
        });
      }
      for (const size of crowded) {
        it(`does so while others read: ${title(size)}`, async () => {
          await runCrowded(size, ttls, { evict, capacity: size.capacity, ttl, hasReaders: true });
        });
      }
    }
  }
});
