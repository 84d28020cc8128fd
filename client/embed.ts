// SPDX-License-Identifier: MIT
/**
 * Text as vectors, without a model: feature hashing.
 *
 * A text's features are its words, its pairs of neighbouring words and its character 3- to 5-grams.
 * Each is hashed to one component and a sign, so that features that collide cancel out on average
 * (Weinberger, Dasgupta, Langford, Smola, Attenberg: Feature Hashing for Large Scale Multitask
 * Learning, ICML 2009). Words find what is said, pairs prefer its order, and n-grams forgive typing
 * errors and endings.
 *
 * @module
 */

import { checkInteger } from "./validate.ts";

/** The most components that {@linkcode embedText} gives. */
export const MAX_EMBEDDING_DIMENSION = 8192;

/**
 * How much each kind of feature counts, and how much of that is left for a function word. Tuned on
 * package descriptions at 128 dimensions, to find a description again by two typing errors, by its
 * words in another order, and by its three rarest words.
 */
const WEIGHTS = { word: 1, pair: 0.25, gram: 0.25, functionWord: 0.2 } as const;

/** English words that say little about what a text is on. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  "a an and are as at be by for from in is it its of on or that the this to with".split(" "),
);

/** Lengths of character n-grams. */
const GRAM = { least: 3, most: 5 } as const;

/** Stand before and after each word in its n-grams; no text holds them inside a word. */
const BOUNDARY = { start: 2, end: 3 } as const;

/** Where the hash of each kind of feature begins, so that kinds do not meet. */
const SEED = { word: 0x811c9dc5, pair: 0x01234567, gram: 0x2545f491 } as const;

/** What a word is: letters with their marks, and digits. A mark alone is part of a symbol. */
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;

/** What a word is in a text without any: whatever stands between blanks. */
const SYMBOLS = /\S+/gu;

/**
 * How often each feature of one text occurs: an open-addressing table that is reused. It starts
 * small enough for a line's features to stay in the processor's cache.
 */
class FeatureCounts {
  #slots = 1 << 10;
  #keys = new Int32Array(this.#slots);
  #counts = new Int32Array(this.#slots);
  #weights = new Float64Array(this.#slots);
  /** The slots in use, in order of first occurrence. */
  #used = new Int32Array(this.#slots);
  #size = 0;

  /** Counts one occurrence of a feature. */
  add(hash: number, weight: number): void {
    const key = mix(hash);
    const slot = this.#find(key);
    const count = this.#counts[slot]!;
    this.#counts[slot] = count + 1;
    if (count > 0) return;
    this.#keys[slot] = key;
    this.#weights[slot] = weight;
    this.#used[this.#size++] = slot;
    if (this.#size * 2 > this.#slots) this.#grow();
  }

  /** Adds every feature to a vector, then forgets them all. */
  drainInto(vector: Float64Array): void {
    for (let i = 0; i < this.#size; i++) {
      const slot = this.#used[i]!;
      const count = this.#counts[slot]!;
      const weight = this.#weights[slot]!;
      // A word said ten times is not ten times as important: counts grow by their logarithm.
      const value = count === 1 ? weight : weight * (1 + Math.log(count));
      const key = this.#keys[slot]!;
      const component = (key & 0x7fff_ffff) % vector.length;
      // The sign is the key's first bit, which takes no part in the component.
      vector[component]! += key < 0 ? -value : value;
      this.#counts[slot] = 0;
    }
    this.#size = 0;
  }

  /** The slot of a key: where it is, or where it would go. */
  #find(key: number): number {
    const mask = this.#slots - 1;
    let slot = key & mask;
    while (this.#counts[slot]! > 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, counts, weights, used] = [this.#keys, this.#counts, this.#weights, this.#used];
    this.#slots *= 2;
    this.#keys = new Int32Array(this.#slots);
    this.#counts = new Int32Array(this.#slots);
    this.#weights = new Float64Array(this.#slots);
    this.#used = new Int32Array(this.#slots);
    for (let i = 0; i < this.#size; i++) {
      const old = used[i]!;
      const slot = this.#find(keys[old]!);
      this.#keys[slot] = keys[old]!;
      this.#counts[slot] = counts[old]!;
      this.#weights[slot] = weights[old]!;
      this.#used[i] = slot;
    }
  }
}

/** The one table; empty between calls, so a result depends on nothing but its arguments. */
const features = new FeatureCounts();

/** The last call's sums, kept because memory for them is a good part of a short text's cost. */
let sums = new Float64Array();

/**
 * Turns text into a vector, so that texts alike in words or spelling have vectors alike.
 *
 * The same text gives the same vector on every machine, in every locale. Case does not matter, as
 * `toLowerCase()` sees it, nor how Unicode composes a character. Vectors have length 1, so a squared
 * Euclidean distance `d` stands for a cosine of `1 - d / 2`: 0 is the same words, 2 has nothing in
 * common.
 *
 * @param text Any text. Blank text has no features and gives the zero vector.
 * @param dimension How many components to give, 1 to 8192. 128 is what protocol 1 can store; texts
 * collide more the fewer there are, and below 8 a word's features may even cancel to zero.
 * @returns The vector.
 * @throws {TypeError} If the text is not a string, or the dimension not a number.
 * @throws {RangeError} If the dimension is outside its limits.
 *
 * @example Usage
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { embedText } from "@vss/vss";
 *
 * const distance = (a: string, b: string) => {
 *   const [x, y] = [embedText(a, 128), embedText(b, 128)];
 *   return x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0);
 * };
 *
 * assertEquals(distance("Play chess", "play  CHESS!"), 0);
 * assert(distance("play chess", "chess player") < distance("play chess", "mail server"));
 * ```
 */
export function embedText(text: string, dimension: number): Float32Array<ArrayBuffer> {
  if (typeof text !== "string") throw new TypeError(`Text must be a string, not ${typeof text}`);
  checkInteger("Dimension", dimension, { least: 1, most: MAX_EMBEDDING_DIMENSION });
  addFeatures(text.normalize("NFKC").toLowerCase());
  if (sums.length !== dimension) sums = new Float64Array(dimension);
  else sums.fill(0);
  features.drainInto(sums);
  return normalized(sums);
}

/** Counts the features of a text. */
function addFeatures(text: string): void {
  let previous: { hash: number; share: number } | undefined;
  for (const word of text.match(WORD) ?? text.match(SYMBOLS) ?? []) {
    const share = FUNCTION_WORDS.has(word) ? WEIGHTS.functionWord : 1;
    const hash = hashWord(word);
    features.add(hash, WEIGHTS.word * share);
    if (previous !== undefined) {
      const pair = SEED.pair ^ Math.imul(previous.hash, 31) ^ Math.imul(hash, 0x9e3779b1);
      features.add(pair, WEIGHTS.pair * share * previous.share);
    }
    addGrams(word, WEIGHTS.gram * share);
    previous = { hash, share };
  }
}

/** Counts the n-grams of a word between its boundaries; one pass gives all lengths from a place. */
function addGrams(word: string, weight: number): void {
  const length = word.length + 2;
  for (let start = 0; start + GRAM.least <= length; start++) {
    const end = Math.min(length, start + GRAM.most);
    let hash: number = SEED.gram;
    for (let i = start; i < end; i++) {
      const unit = i === 0
        ? BOUNDARY.start
        : i === length - 1
        ? BOUNDARY.end
        : word.charCodeAt(i - 1);
      hash = step(hash, unit);
      if (i - start + 1 >= GRAM.least) features.add(hash, weight);
    }
  }
}

/** The hash of a whole word. */
function hashWord(word: string): number {
  let hash: number = SEED.word;
  for (let i = 0; i < word.length; i++) hash = step(hash, word.charCodeAt(i));
  return hash;
}

/** One step of the FNV-1a hash. */
function step(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/** Spreads a hash over all 32 bits (the last step of MurmurHash3). */
function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A copy of length 1; zeros where there is nothing to scale. */
function normalized(vector: Float64Array): Float32Array<ArrayBuffer> {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  const result = new Float32Array(vector.length);
  for (let i = 0; i < vector.length; i++) result[i] = vector[i]! * scale;
  return result;
}
