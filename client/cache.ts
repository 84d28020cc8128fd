// SPDX-License-Identifier: MIT
/**
 * A cache that is asked by meaning: what was kept for a text is found by any text that is near it.
 *
 * Every answer is one row of a collection: its vector is that of its key, its payload holds the key and
 * the value as JSON. The row's id is a hash of the key, so that a key that is set again, by whatever
 * process, replaces its row as a whole. Its tags are a hash of the embedder's name, so that rows of
 * another embedder, or of somebody who has put other things there, are never found. Hashes may
 * collide: they only lead to a row, and what is in the row decides.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Collection } from "./collection.ts";
import { encodeJson, toTtl } from "./columns.ts";
import { embedText } from "./embed.ts";
import { VssError } from "./errors.ts";
import { LIMITS } from "./protocol2.ts";
import type { JsonValue, Row, TagFilter } from "./rows.ts";
import type { RetentionOptions } from "./settings.ts";
import { copyComponents, describe, type Vector } from "./validate.ts";
import type { Access, Vss } from "./vss.ts";

/** How far a key may be from the one that is asked for, unless a cache says otherwise. */
const DEFAULT_THRESHOLD = 0.1;

/** Components of a text's vector, unless an embedder says otherwise. */
const DEFAULT_DIMENSION = 256;

/** The farthest that two vectors can be from each other, by the cosine. */
const MAX_THRESHOLD = 2;

/** How far the device's distance may be from the one that is computed here. */
const ROUNDING = 1e-5;

/** The form of what is kept with a row. */
const FORM = 1;

/** Rows of a collection that are looked at to see whose they are. */
const PROBES = 16;

/** How many rows are looked at for a key: first the nearest, then those behind one that is no answer. */
const TRIES = [1, 8];

/** All bits of the tags. */
const ALL_TAGS = 2n ** 64n - 1n;

/** Refusals for want of room, which spoil a cache but not what it is for. */
const NO_ROOM: readonly string[] = ["ENOSPC", "EDQUOT", "ENOMEM"];

/** What turns texts into vectors. */
export interface Embedder {
  /**
   * What it is called, its version included: a cache never mixes vectors of two names.
   */
  readonly name: string;
  /** Components of its vectors. */
  readonly dimension: number;
  /** Turns a text into a vector, of any length but 0: the cosine is what counts. */
  readonly embed: (text: string) => Vector | Promise<Vector>;
}

/**
 * The embedder that needs no model: {@linkcode embedText}, which knows words and spelling, not meaning.
 *
 * @param dimension Components of its vectors, 1 to 8192.
 * @returns The embedder.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { textEmbedder } from "@vss/vss";
 *
 * const { name, dimension } = textEmbedder();
 * assertEquals([name, dimension], ["embedText", 256]);
 * ```
 */
export function textEmbedder(dimension: number = DEFAULT_DIMENSION): Embedder {
  return { name: "embedText", dimension, embed: (text) => embedText(text, dimension) };
}

/** How a {@linkcode SemanticCache} finds answers. */
export interface CacheOptions {
  /** What turns keys into vectors; {@linkcode textEmbedder}, where it is left out. */
  readonly embedder?: Embedder | undefined;
  /**
   * How far a key may be from the one that is asked for: 1 − cosine, from 0 for the same direction to
   * 2; 0.1 where it is left out.
   */
  readonly threshold?: number | undefined;
}

/** How {@linkcode SemanticCache.open} opens a cache. */
export interface OpenCacheOptions extends CacheOptions, RetentionOptions {
  /** Permission bits of a new collection, within 0666; 0640 where they are left out. */
  readonly mode?: number | undefined;
  /** What for; for both, where it is left out. Only `both` makes a collection that is not there. */
  readonly access?: Access | undefined;
}

/** How {@linkcode SemanticCache.set} keeps a value. */
export interface SetOptions {
  /** For how long, in milliseconds; as long as the collection keeps its rows, where it is left out. */
  readonly ttl?: number | undefined;
}

/** An answer that was found. */
export interface CacheHit<Value extends JsonValue = JsonValue> {
  /** The key that it was kept for. */
  readonly key: string;
  /** What was kept. */
  readonly value: Value;
  /** How far that key is from the one that was asked for; 0 for the same text. */
  readonly distance: number;
}

/** What is kept with a row. */
interface Entry<Value extends JsonValue> {
  readonly form: typeof FORM;
  readonly embedder: string;
  readonly key: string;
  readonly value: Value;
}

/**
 * A cache of answers to texts, shared by every process that may open its collection.
 *
 * It is asked by meaning: an answer is found by its own key, and by any other that is no farther from
 * it than a threshold. How near texts are is what the embedder says.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SemanticCache, Vss } from "@vss/vss";
 *
 * using vss = Vss.open();
 * using cache = SemanticCache.open<number>(vss, "example-populations", { capacity: 1000 });
 *
 * await cache.set("What is the population of Iceland?", 383_726);
 * assertEquals(await cache.get("what's the population of iceland"), 383_726);
 * assertEquals(await cache.get("what's the population of France"), undefined);
 * assertEquals([cache.hits, cache.misses], [1, 1]);
 * vss.drop("example-populations");
 * ```
 */
export class SemanticCache<Value extends JsonValue = JsonValue> implements Disposable {
  /** The collection that holds the answers. It is closed with the cache. */
  readonly collection: Collection;
  /** What turns keys into vectors. */
  readonly embedder: Embedder;
  /** How far a key may be from the one that is asked for. */
  readonly threshold: number;
  readonly #filter: TagFilter;
  #hits = 0;
  #misses = 0;
  #unkept = 0;

  private constructor(collection: Collection, options: CacheOptions) {
    const { embedder, threshold } = checkOptions(options);
    checkForm(collection, embedder);
    this.collection = collection;
    this.embedder = embedder;
    this.threshold = threshold;
    this.#filter = { mask: ALL_TAGS, value: hash(`vss cache ${FORM}`, embedder.name) };
  }

  /**
   * Opens a cache in a collection, which is made if it is not there: by the cosine, of the embedder's
   * dimension, and one that evicts the least recently used, unless the options say otherwise.
   *
   * @param vss The device.
   * @param name The collection's name.
   * @param options How answers are found, and what a new collection is to be.
   * @returns The cache; close it with {@linkcode SemanticCache.close} or `using`.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits, or the collection is there and has
   * another dimension or metric, or answers of another embedder.
   * @throws {VssError} If the device refuses, as {@linkcode Vss.collection} says.
   */
  static open<Value extends JsonValue = JsonValue>(
    vss: Vss,
    name: string,
    options: OpenCacheOptions = {},
  ): SemanticCache<Value> {
    const { embedder } = checkOptions(options);
    return SemanticCache.over<Value>(openCollection(vss, name, embedder, options), options);
  }

  /**
   * Makes a cache of a collection that is open, which may be a private one.
   *
   * @param collection The collection. It is the cache's from then on.
   * @param options How answers are found.
   * @returns The cache.
   * @throws As {@linkcode SemanticCache.open} does; the collection is closed then.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SemanticCache, textEmbedder, Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * const collection = vss.privateCollection({ dimension: 512, metric: "cos", evict: "fifo" });
   * using cache = SemanticCache.over(collection, { embedder: textEmbedder(512) });
   *
   * await cache.set("the answer", { is: 42 }, { ttl: 60_000 });
   * assertEquals(await cache.find("The answer!"), {
   *   key: "the answer",
   *   value: { is: 42 },
   *   distance: 0,
   * });
   * ```
   */
  static over<Value extends JsonValue = JsonValue>(
    collection: Collection,
    options: CacheOptions = {},
  ): SemanticCache<Value> {
    try {
      return new SemanticCache<Value>(collection, options);
    } catch (error) {
      collection.close();
      throw error;
    }
  }

  /** Keys that were asked for here and found. */
  get hits(): number {
    return this.#hits;
  }

  /** Keys that were asked for here and not found. */
  get misses(): number {
    return this.#misses;
  }

  /** Answers of wrapped functions that could not be kept: too great, or the device had no room. */
  get unkept(): number {
    return this.#unkept;
  }

  /**
   * Finds what was kept for a text, or for one that is near it.
   *
   * @param key The text.
   * @returns The value; `undefined` where there is none.
   * @throws As {@linkcode SemanticCache.find} does.
   */
  async get(key: string): Promise<Value | undefined> {
    return (await this.find(key))?.value;
  }

  /**
   * Finds what was kept for a text, or for one that is near it, and says for which. The same text comes
   * first, then the nearest one.
   *
   * @param key The text.
   * @returns The answer; `undefined` where there is none.
   * @throws {TypeError} If the key is not a string.
   * @throws {RangeError} If the embedder gives another vector than it says.
   * @throws {VssError} If the device refuses: `EBADF` where the cache is closed or may not be read.
   */
  async find(key: string): Promise<CacheHit<Value> | undefined> {
    const { hit } = await this.#lookUp(key);
    return hit;
  }

  /**
   * Keeps a value for a text. What was kept for the same text is replaced.
   *
   * @param key The text.
   * @param value Anything that JSON can hold, but `undefined`.
   * @param options For how long.
   * @throws {TypeError} If the key is not a string, or the value nothing that JSON can hold.
   * @throws {RangeError} If key and value take more than 64 KiB as JSON, if the key has no direction,
   * as a blank one has none for {@linkcode embedText}, or if the lifetime is outside its limits.
   * @throws {VssError} If the device refuses: `EBADF` where the cache is closed or may not be written,
   * `ENOSPC` where its collection is full and does not evict, `EDQUOT`, `ENOMEM`.
   */
  async set(key: string, value: Value, options: SetOptions = {}): Promise<void> {
    checkKey(key);
    const payload = this.#encode(key, value);
    await this.#store(key, payload, await this.#embed(key), options);
  }

  /**
   * Makes a function of a text remember its answers. Calls with the same text, made while one is
   * underway, share it. An error is given to all of them, and not kept.
   *
   * An answer that cannot be kept, because it is too great or the device has no room, is given all the
   * same, and counted in {@linkcode SemanticCache.unkept}.
   *
   * @param compute The function.
   * @param options For how long answers are kept.
   * @returns The function with a memory.
   * @throws {TypeError | RangeError} If the lifetime is outside its limits.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SemanticCache, Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using cache = SemanticCache.open<string>(vss, "example-shouts");
   * let calls = 0;
   * const shout = cache.wrap((text) => {
   *   calls++;
   *   return Promise.resolve(text.toUpperCase());
   * });
   *
   * assertEquals(await Promise.all([shout("good day"), shout("good day")]), ["GOOD DAY", "GOOD DAY"]);
   * assertEquals(await shout("Good day!"), "GOOD DAY");
   * assertEquals(calls, 1);
   * vss.drop("example-shouts");
   * ```
   */
  wrap<Answer extends Value>(
    compute: (text: string) => Answer | Promise<Answer>,
    options: SetOptions = {},
  ): (text: string) => Promise<Answer> {
    toTtl(options.ttl, "Ttl");
    const underway = new Map<string, Promise<Answer>>();
    return (text) => {
      const answer = underway.get(text) ??
        this.#answer(text, compute, options).finally(() => underway.delete(text));
      underway.set(text, answer);
      return answer;
    };
  }

  /** Closes the cache's collection. Closing twice is harmless; other calls throw `EBADF` afterwards. */
  close(): void {
    this.collection.close();
  }

  /** Closes the cache at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Looks a key up, and gives its vector, too, if that was needed and it has one. */
  async #lookUp(
    key: string,
  ): Promise<{ hit?: CacheHit<Value>; vector?: Float32Array | undefined }> {
    checkKey(key);
    const [same] = await this.collection.get([this.#id(key)], { payload: "text", vectors: false });
    const entry = this.#entry(same);
    if (entry?.key === key) return this.#found({ key, value: entry.value, distance: 0 });
    const vector = await this.#embed(key);
    const hit = vector && await this.#nearest(vector);
    if (hit !== undefined) return this.#found(hit);
    this.#misses++;
    return { vector };
  }

  #found(hit: CacheHit<Value>): { hit: CacheHit<Value> } {
    this.#hits++;
    return { hit };
  }

  /** The nearest answer that is near enough. */
  async #nearest(query: Float32Array): Promise<CacheHit<Value> | undefined> {
    for (const k of TRIES) {
      const range = { k, tags: this.#filter, maxDistance: this.threshold + ROUNDING };
      const matches = await this.collection.search(query, range);
      for (const { id } of matches) {
        // The row may have become another one since: its vector decides anew.
        const [row] = await this.collection.get([id], { payload: "text" });
        const entry = this.#entry(row);
        if (entry === undefined) continue;
        const distance = cosineDistance(query, row!.vector!);
        if (distance > this.threshold + ROUNDING) continue;
        return { key: entry.key, value: entry.value, distance: Math.max(0, distance) };
      }
      if (matches.length < k) return undefined;
    }
    return undefined;
  }

  /** What is kept with a row, if a cache like this has put it. */
  #entry(row: Row | undefined): Entry<Value> | undefined {
    if (row === undefined || BigInt(row.tags ?? 0) !== this.#filter.value) return undefined;
    const entry = readEntry<Value>(row.payload);
    return entry?.embedder === this.embedder.name ? entry : undefined;
  }

  #id(key: string): bigint {
    return hash(this.embedder.name, key);
  }

  /** A key's vector; none where it has no direction. */
  async #embed(key: string): Promise<Float32Array | undefined> {
    const { name, dimension, embed } = this.embedder;
    const components = new Float32Array(dimension);
    const label = `Vector of embedder "${name}"`;
    copyComponents(await embed(key), components, label, dimension, dimension);
    return components.some((component) => component !== 0) ? components : undefined;
  }

  /** What is kept with a row, as text. */
  #encode(key: string, value: Value): string {
    const label = `Value of key ${quote(key)}`;
    const json = encodeJson(value, label);
    const head = JSON.stringify({ form: FORM, embedder: this.embedder.name, key });
    const text = `${head.slice(0, -1)},"value":${json}}`;
    const { length } = new TextEncoder().encode(text);
    if (length <= LIMITS.payload) return text;
    const rule = `${label} must take at most ${LIMITS.payload} bytes as JSON, with its key`;
    throw new RangeError(`${rule}, not ${length}`);
  }

  async #store(
    key: string,
    payload: string,
    vector: Float32Array | undefined,
    { ttl }: SetOptions,
  ): Promise<void> {
    if (vector === undefined) {
      const rule = `Key must have a direction for embedder "${this.embedder.name}"`;
      throw new RangeError(`${rule}, and ${quote(key)} has none`);
    }
    const row = { id: this.#id(key), vector, tags: this.#filter.value, payload, ttl };
    await this.collection.put([row], { upsert: true });
  }

  /** Finds an answer, or computes and keeps it. */
  async #answer<Answer extends Value>(
    text: string,
    compute: (text: string) => Answer | Promise<Answer>,
    options: SetOptions,
  ): Promise<Answer> {
    const { hit, vector } = await this.#lookUp(text);
    if (hit !== undefined) return hit.value as Answer;
    const value = await compute(text);
    try {
      await this.#store(text, this.#encode(text, value), vector, options);
    } catch (error) {
      if (!isUnkept(error)) throw error;
      this.#unkept++;
    }
    return value;
  }
}

/** Whether an error is only that an answer cannot be kept. */
function isUnkept(error: unknown): boolean {
  return error instanceof VssError ? NO_ROOM.includes(error.code) : error instanceof RangeError;
}

function checkOptions(
  { embedder = textEmbedder(), threshold = DEFAULT_THRESHOLD }: CacheOptions,
): Required<{ embedder: Embedder; threshold: number }> {
  const { name, embed } = embedder;
  if (typeof name !== "string" || name === "" || typeof embed !== "function") {
    throw new TypeError("Embedder must have a name, a dimension and a function embed()");
  }
  const rule = `Threshold must be a number from 0 to ${MAX_THRESHOLD}`;
  if (typeof threshold !== "number") throw new TypeError(`${rule}, not ${describe(threshold)}`);
  if (!(threshold >= 0 && threshold <= MAX_THRESHOLD)) {
    throw new RangeError(`${rule}, not ${threshold}`);
  }
  return { embedder, threshold };
}

function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string") throw new TypeError(`Key must be a string, not ${describe(key)}`);
}

/** Opens the collection, and makes it where it is not there. */
function openCollection(
  vss: Vss,
  name: string,
  embedder: Embedder,
  { access = "both", capacity, maxBytes, evict = "lru", ttl, mode }: OpenCacheOptions,
): Collection {
  if (access !== "both") return vss.collection(name, { access });
  const { dimension } = embedder;
  const create = { dimension, metric: "cos", capacity, maxBytes, evict, ttl, mode } as const;
  try {
    return vss.collection(name, { create });
  } catch (error) {
    if (!(error instanceof VssError && error.code === "EINVAL")) throw error;
    // It is there and is another: say what it is.
    using collection = vss.collection(name);
    checkForm(collection, embedder);
    throw error;
  }
}

/** Refuses a collection that an embedder's vectors do not fit. */
function checkForm(collection: Collection, embedder: Embedder): void {
  const { dimension, metric } = collection;
  const label = collection.name === "" ? "Collection" : `Collection "${collection.name}"`;
  if (dimension !== embedder.dimension || metric !== "cos") {
    const wanted = `${embedder.dimension} by cos, as embedder "${embedder.name}" has them`;
    const rule = `${label} must have vectors of ${wanted}`;
    throw new RangeError(`${rule}, not of ${dimension} by ${metric}`);
  }
  const other = otherEmbedder(collection, embedder.name);
  if (other === undefined) return;
  const rule = `${label} must hold answers of embedder "${embedder.name}"`;
  throw new RangeError(`${rule}, not of "${other}"; clear it, or take another`);
}

/** The embedder of another name whose answers a collection holds, as some of its rows say. */
function otherEmbedder(collection: Collection, name: string): string | undefined {
  const options = { batch: PROBES, vectors: false, payload: "text" } as const;
  let probes = 0;
  try {
    for (const { payload } of collection.scanSync(options)) {
      const entry = readEntry(payload);
      if (entry !== undefined && entry.embedder !== name) return entry.embedder;
      if (++probes === PROBES) return undefined;
    }
  } catch (error) {
    // What was opened for writing alone does not say.
    if (!(error instanceof VssError && error.code === "EBADF")) throw error;
  }
  return undefined;
}

/** Reads what is kept with a row; nothing where it is no cache's. */
function readEntry<Value extends JsonValue>(payload: string | undefined): Entry<Value> | undefined {
  if (payload === undefined) return undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (typeof entry !== "object" || entry === null) return undefined;
  const { form, embedder, key, value } = entry as Partial<Entry<Value>>;
  const isWhole = form === FORM && typeof embedder === "string" && typeof key === "string" &&
    value !== undefined;
  return isWhole ? { form, embedder, key, value } : undefined;
}

/** The first 64 bits of a hash of two texts. */
function hash(kind: string, text: string): bigint {
  return createHash("sha256").update(JSON.stringify([kind, text])).digest().readBigUInt64LE();
}

/** 1 − cosine of two vectors. */
function cosineDistance(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return 1 - dot / Math.sqrt(aa * bb);
}

function quote(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}
