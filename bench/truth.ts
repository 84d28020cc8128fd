// SPDX-License-Identifier: MIT
/**
 * Judges answers by the exact truth, which `native/truth.c` has found.
 *
 * @module
 */
import { K } from "./plan.ts";

/** How far a row may be beyond the true one of its rank, relative to that: rows may tie. */
const TOLERANCE = 1e-5;

/** The truth about a dataset's queries. */
export class Truth implements Disposable {
  readonly #dimension: number;
  readonly #rows: Deno.FsFile;
  readonly #queries: Float32Array;
  readonly #ids: Uint32Array;
  readonly #distances: Float64Array;

  /**
   * Reads the truth.
   *
   * @param folder The dataset's folder.
   * @param dimension Components of its vectors.
   */
  constructor(folder: string, dimension: number) {
    const read = (name: string) => Deno.readFileSync(`${folder}/${name}`).buffer;
    this.#dimension = dimension;
    this.#queries = new Float32Array(read("queries.f32"));
    this.#ids = new Uint32Array(read("truth.u32"));
    this.#distances = new Float64Array(read("truth.f64"));
    this.#rows = Deno.openSync(`${folder}/rows.f32`);
  }

  /** How many queries there are. */
  get queries(): number {
    return this.#ids.length / K;
  }

  /**
   * Checks the answers to a run of queries.
   *
   * @param first The first query; behind the last it goes on with the first.
   * @param ids The ids of K rows a query, nearest first.
   * @returns What is wrong with them; nothing, where all are right.
   */
  mistake(first: number, ids: readonly number[]): string | undefined {
    for (let i = 0; i < ids.length; i += K) {
      const query = (first + i / K) % this.queries;
      const found = ids.slice(i, i + K);
      if (new Set(found).size !== K) return `query ${query}: ${found} are not ${K} different rows`;
      const rank = found.findIndex((id, rank) => !this.#isRight(query, rank, id));
      if (rank < 0) continue;
      const expected = this.#ids[query * K + rank];
      return `query ${query}: row ${found[rank]} is not as near as row ${expected}`;
    }
    return undefined;
  }

  /** Whether a row is as near as the true one of this rank. */
  #isRight(query: number, rank: number, id: number): boolean {
    const place = query * K + rank;
    if (this.#ids[place] === id) return true;
    const expected = this.#distances[place]!;
    return Math.abs(this.#distance(query, id) - expected) <= expected * TOLERANCE;
  }

  #distance(query: number, id: number): number {
    const row = new Float32Array(this.#dimension);
    this.#rows.seekSync(id * row.byteLength, Deno.SeekMode.Start);
    if (this.#rows.readSync(new Uint8Array(row.buffer)) !== row.byteLength) return NaN;
    const components = this.#queries.subarray(query * this.#dimension);
    return row.reduce((sum, x, i) => sum + (x - components[i]!) ** 2, 0);
  }

  /** Closes the dataset's file. */
  [Symbol.dispose](): void {
    this.#rows.close();
  }
}
