// SPDX-License-Identifier: MIT
/**
 * A contestant's side of the benchmark's protocol, in TypeScript: what `native/worker.h` is in C,
 * where the requests are described.
 *
 * @module
 */
import { TextLineStream, writeLine } from "../lines.ts";

/** Rows of one insertion. */
const ROWS = 1000;

/** Hits of a query. */
export const K = 10;

/** The most queries of one request. */
const QUERIES = 256;

/** What a contestant can do. Ids are row numbers. */
export interface Contestant<Found> {
  /** What it is, with its release. */
  readonly version: string;
  /** Makes room for rows. */
  begin(rows: number, dimension: number): void;
  /** Inserts rows, whose components lie row after row in a buffer that will be used again. */
  insert(ids: BigUint64Array, vectors: Float32Array): void;
  /** What is to be done after the last row. */
  end?(): void;
  /** Memory of the rows; what the process has grown by, where it is left out. */
  bytes?(): number;
  /** Sets how many threads search, and returns how many will. */
  threads(wanted: number): number;
  /** Finds the nearest rows of one query. */
  search(query: Float32Array): Found;
  /** The ids of what was found. */
  idsOf(found: Found): ArrayLike<number | bigint>;
  /** Finds those of many queries, whose components lie one after the other. */
  batch?(queries: Float32Array): Iterable<number | bigint>;
  /** Forgets all rows. */
  drop(): void;
}

/** Bytes of memory that are this process's own. */
function anonymousBytes(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}

function nanoseconds(since: number): number {
  return Math.round((performance.now() - since) * 1e6);
}

/** Reads until the buffer is full or the file ends, and returns the bytes. */
function fill(file: Deno.FsFile, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = file.readSync(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

class Worker<Found> {
  readonly #contestant: Contestant<Found>;
  #dimension = 0;
  /** Each in a buffer of its own: not everyone honours the offset of a part. */
  #queries: Float32Array[] = [];

  constructor(contestant: Contestant<Found>) {
    this.#contestant = contestant;
  }

  /** Answers one request. */
  answer(line: string): Record<string, unknown> {
    const [word, first, second, ...rest] = line.split(" ");
    const [a, b] = [Number(first), Number(second)];
    switch (word) {
      case "about":
        return { version: this.#contestant.version };
      case "load":
        return this.#load(a, b, rest.join(" "));
      case "threads":
        return { threads: this.#contestant.threads(a) };
      case "search":
        return this.#search(a, b);
      case "batch":
        return this.#batch(a, b);
      case "repeat":
        return this.#repeat(a, b);
      case "drop":
        this.#contestant.drop();
        return {};
      default:
        throw new Error(`Unknown request: ${line}`);
    }
  }

  #load(rows: number, dimension: number, folder: string): Record<string, unknown> {
    this.#dimension = dimension;
    this.#readQueries(`${folder}/queries.f32`);
    const piece = new Float32Array(ROWS * dimension);
    using file = Deno.openSync(`${folder}/rows.f32`);
    const before = anonymousBytes();
    this.#contestant.begin(rows, dimension);
    let elapsed = 0;
    for (let first = 0; first < rows; first += ROWS) {
      const count = Math.min(ROWS, rows - first);
      const vectors = piece.subarray(0, count * dimension);
      const bytes = new Uint8Array(piece.buffer, 0, vectors.byteLength);
      if (fill(file, bytes) !== bytes.length) throw new Error(`${folder}/rows.f32 is too short`);
      const ids = BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));
      const start = performance.now();
      this.#contestant.insert(ids, vectors);
      elapsed += performance.now() - start;
    }
    this.#contestant.end?.();
    const bytes = this.#contestant.bytes?.() ?? anonymousBytes() - before;
    return { seconds: elapsed / 1000, bytes };
  }

  #readQueries(path: string): void {
    const all = new Float32Array(Deno.readFileSync(path).buffer);
    const count = Math.min(QUERIES, all.length / this.#dimension);
    this.#queries = Array.from(
      { length: count },
      (_, i) => all.slice(i * this.#dimension, (i + 1) * this.#dimension),
    );
  }

  #query(index: number): Float32Array {
    return this.#queries[index % this.#queries.length]!;
  }

  #search(first: number, count: number): Record<string, unknown> {
    const ns: number[] = [];
    const ids: number[] = [];
    for (let i = first; i < first + count; i++) {
      const query = this.#query(i);
      const start = performance.now();
      const found = this.#contestant.search(query);
      ns.push(nanoseconds(start));
      const rows = this.#contestant.idsOf(found);
      for (let j = 0; j < K; j++) ids.push(Number(rows[j] ?? -1));
    }
    return { ns, ids };
  }

  #batch(first: number, count: number): Record<string, unknown> {
    const { batch } = this.#contestant;
    if (!batch) throw new Error(`${this.#contestant.version} takes no batches`);
    const queries = new Float32Array(count * this.#dimension);
    for (let i = 0; i < count; i++) queries.set(this.#query(first + i), i * this.#dimension);
    const start = performance.now();
    const found = batch(queries);
    return { ns: [nanoseconds(start)], ids: Array.from(found, Number) };
  }

  #repeat(samples: number, calls: number): Record<string, unknown> {
    const contestant = this.#contestant;
    const query = this.#query(0);
    const ns: number[] = [];
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      for (let j = 0; j < calls; j++) contestant.search(query);
      ns.push(nanoseconds(start) / calls);
    }
    return { ns, ids: [] };
  }
}

/**
 * Answers requests on standard input until there are no more.
 *
 * @param contestant Who answers them.
 */
export async function runWorker<Found>(contestant: Contestant<Found>): Promise<void> {
  const worker = new Worker(contestant);
  const requests = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of requests) writeLine(JSON.stringify(worker.answer(line)));
}
