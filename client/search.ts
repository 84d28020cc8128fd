// SPDX-License-Identifier: MIT
/**
 * What one call of `VSS_SEARCH` writes and reads, in memory that lies still from call to call: a
 * search that asks for no more than the one before it allocates nothing but its matches.
 *
 * @module
 */
import { checkFilter, readU64, writeU64 } from "./columns.ts";
import { pointAt } from "./memory.ts";
import { FLAGS, LIMITS, SEARCH, type SizedView } from "./protocol2.ts";
import type { Match, PayloadKind, TagFilter } from "./rows.ts";
import { checkInteger, copyComponents, type Vector } from "./validate.ts";

/** What `Collection.search()` looks for. */
export interface SearchOptions {
  /** How many to find, 1 to 4096; 10 where it is left out. */
  readonly k?: number | undefined;
  /** Which rows may be found; all, where it is left out. */
  readonly tags?: TagFilter | undefined;
  /** How far a row may be; any distance, where it is left out. */
  readonly maxDistance?: number | undefined;
  /** Whether the rows' tags are given, too. */
  readonly withTags?: boolean | undefined;
  /** What payloads are read back as; they are not read where it is left out. */
  readonly payload?: PayloadKind | undefined;
  /** Stops the call between two pieces. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the fields lie that every call writes, in 32-bit words. */
const WORDS = {
  flags: SEARCH.fields.flags.offset / 4,
  count: SEARCH.fields.count.offset / 4,
  k: SEARCH.fields.k.offset / 4,
  tagMask: SEARCH.fields.tag_mask.offset / 4,
  tagValue: SEARCH.fields.tag_value.offset / 4,
  maxDistance: SEARCH.fields.max_distance.offset / 4,
} as const;

/** What `k` may be. */
const K_LIMITS = { least: 1, most: LIMITS.k } as const;

/** The struct and the arrays of a search. Two calls at a time must not share them. */
export class SearchCall {
  /** The struct. */
  readonly view = SEARCH.allocate();
  readonly #words = new Uint32Array(this.view.bytes.buffer);
  readonly #floats = new Float32Array(this.view.bytes.buffer);
  readonly #dimension: number;
  /** The query of those who ask one at a time. */
  readonly query: Float32Array<ArrayBuffer>;
  /** Whether the struct's addresses are those of the arrays here. */
  #isPointed = false;
  #k = 0;
  /** Ids as pairs of words, the lower one first: most of them need no bigint. */
  #ids = new Uint32Array(0);
  #distances = new Float32Array(0);
  #counts = new Uint32Array(0);

  /**
   * Makes the memory for searches of one collection.
   *
   * @param dimension The collection's.
   */
  constructor(dimension: number) {
    this.#dimension = dimension;
    this.query = new Float32Array(dimension);
    this.view.set("size", SEARCH.size);
    this.view.set("dimension", dimension);
  }

  /** The arrays of results, by the struct's fields that tell where they are. */
  get results() {
    return { ids: this.#ids, distances: this.#distances, counts: this.#counts };
  }

  /**
   * Says which rows the next calls are for.
   *
   * @param options Which rows.
   * @returns How many of each query.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   */
  want({ k = 10, tags, maxDistance }: SearchOptions): number {
    checkInteger("k", k, K_LIMITS);
    if (maxDistance !== undefined && (typeof maxDistance !== "number" || isNaN(maxDistance))) {
      throw new RangeError(`Max distance must be a number, not ${maxDistance}`);
    }
    if (tags !== undefined) checkFilter(tags);
    writeU64(this.#words, WORDS.tagMask, tags === undefined ? 0 : tags.mask, "Tag mask");
    writeU64(this.#words, WORDS.tagValue, tags === undefined ? 0 : tags.value, "Tag value");
    this.#words[WORDS.flags] = maxDistance === undefined ? 0 : FLAGS.VSS_SEARCH_RANGE;
    this.#floats[WORDS.maxDistance] = maxDistance === undefined ? 0 : maxDistance;
    this.#words[WORDS.k] = this.#k = k;
    return k;
  }

  /**
   * Asks one query, which is copied.
   *
   * @param query The query.
   * @throws {TypeError} If it is no vector.
   * @throws {RangeError} If it has another number of components, or one that is not finite.
   */
  ask(query: Vector): void {
    const dimension = this.#dimension;
    copyComponents(query, this.query, "Query", dimension, dimension);
    this.#makeRoom(1);
    if (!this.#isPointed) this.#point();
  }

  /**
   * Asks many queries; whoever makes the call tells where they and the results are.
   *
   * @param count How many.
   */
  askMany(count: number): void {
    this.#makeRoom(count);
    this.#isPointed = false;
  }

  /**
   * Reads what a call has found.
   *
   * @param query Which of its queries it was for.
   * @returns The matches, nearest first.
   */
  matches(query: number): Match[] {
    const found = new Array<Match>(this.#counts[query]!);
    const first = query * this.#k;
    for (let i = 0; i < found.length; i++) {
      const at = first + i;
      found[i] = { id: readU64(this.#ids, 2 * at), distance: this.#distances[at]! };
    }
    return found;
  }

  /** Sees to it that there is room for `count` times `k` results. */
  #makeRoom(count: number): void {
    this.#words[WORDS.count] = count;
    const results = count * this.#k;
    if (count <= this.#counts.length && results <= this.#distances.length) return;
    this.#counts = new Uint32Array(Math.max(count, this.#counts.length));
    this.#distances = new Float32Array(Math.max(results, this.#distances.length));
    this.#ids = new Uint32Array(2 * this.#distances.length);
    this.#isPointed = false;
  }

  #point(): void {
    pointAt(this.view as unknown as SizedView, { queries: this.query, ...this.results });
    this.#isPointed = true;
  }
}
