// SPDX-License-Identifier: MIT
/**
 * What a search must find: a plain scan in double precision, over seeded clustered data.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Hit, VssClient } from "../../mod.ts";
import { random } from "../model/random.ts";

/** How much two distances may differ, relative to the greater one, and still count as equal. */
const TOLERANCE = 1e-5;

/** Rows per cluster, on average. */
const CLUSTER = 50;

/** A number around 0 with variance 1, near enough to a normal one. */
function normal(next: () => number): number {
  return (next() + next() + next() + next() - 2) * Math.sqrt(3);
}

/** Rows in memory, beside those that the driver holds. */
export class Oracle {
  /** Components of each row. */
  readonly dimension: number;
  readonly #next: () => number;
  readonly #centres: Float64Array[] = [];
  readonly #rows: Float32Array[] = [];

  /** Begins without a row. */
  constructor(dimension: number, seed: number) {
    this.dimension = dimension;
    this.#next = random(seed);
  }

  /** Rows made so far. */
  get count(): number {
    return this.#rows.length;
  }

  /** The id of a row: in no order, and never the same for two. */
  idOf(index: number): number {
    return Math.imul(index, 0x9e3779b1) >>> 0;
  }

  /** Makes rows and stores them, until there are `count`. */
  growTo(count: number, client: VssClient): void {
    while (this.#rows.length < count) {
      const row = this.vector();
      client.addVector(this.idOf(this.#rows.length), row);
      this.#rows.push(row);
    }
  }

  /** Makes a vector near one of the clusters. */
  vector(): Float32Array {
    const next = this.#next;
    if (this.#centres.length * CLUSTER <= this.#rows.length) {
      this.#centres.push(Float64Array.from({ length: this.dimension }, () => 4 * normal(next)));
    }
    const centre = this.#centres[Math.floor(next() * this.#centres.length)]!;
    return Float32Array.from(centre, (value) => value + normal(next));
  }

  /** Asserts that an answer is right. */
  check(hits: readonly Hit[], query: Float32Array, k: number): void {
    const expected = this.#nearest(query, k);
    assertEquals(hits.length, expected.length, `${this.count} rows, k ${k}`);
    assertEquals(new Set(hits.map(({ id }) => id)).size, hits.length, "no id twice");
    const distances = new Map(this.#distances(query).map(({ id, distance }) => [id, distance]));
    hits.forEach((hit, rank) => {
      const exact = distances.get(hit.id);
      assert(exact !== undefined, `id ${hit.id} was stored`);
      assertNear(hit.distance, exact);
      // Another id than the oracle's is right only where the two distances are the same.
      if (hit.id !== expected[rank]!.id) assertNear(exact, expected[rank]!.distance);
      if (rank > 0) assert(isBefore(hits[rank - 1]!, hit), `sorted by distance, then id`);
    });
  }

  /** The exact distance of every row. */
  #distances(query: Float32Array): Hit[] {
    return this.#rows.map((row, index) => {
      let distance = 0;
      for (let i = 0; i < row.length; i++) distance += (row[i]! - query[i]!) ** 2;
      return { id: this.idOf(index), distance };
    });
  }

  #nearest(query: Float32Array, k: number): Hit[] {
    return this.#distances(query).sort((a, b) => isBefore(a, b) ? -1 : 1).slice(0, k);
  }
}

/** The order of hits: by distance, and by id where that is equal. */
function isBefore(a: Hit, b: Hit): boolean {
  return a.distance < b.distance || (a.distance === b.distance && a.id < b.id);
}

/** Asserts that two distances are the same but for rounding. */
function assertNear(actual: number, exact: number): void {
  assertLessOrEqual(Math.abs(actual - exact), TOLERANCE * Math.max(actual, exact));
}
