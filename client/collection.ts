// SPDX-License-Identifier: MIT
/**
 * Collections: rows of one dimension and metric in the kernel, and all that can be done with them.
 *
 * @module
 */
import {
  argument,
  type Call,
  failed,
  type Failure,
  type Meanings,
  piece,
  run,
  runSync,
} from "./calls.ts";
import {
  checkFilter,
  decodePayload,
  fromU64,
  packPayloads,
  type Table,
  toComponents,
  toTable,
  toU64,
  toU64s,
} from "./columns.ts";
import { ERRNOS, type Operation, type VssError } from "./errors.ts";
import { DeviceFile } from "./file.ts";
import { METRICS } from "./protocol.ts";
import {
  COMMANDS_2,
  CURSOR_END,
  EVICTIONS,
  FEATURES,
  FLAGS,
  LIMITS,
  NO_PAYLOAD,
} from "./protocol2.ts";
import type { Columns, Id, Match, Metric, PayloadKind, Row, RowInput, TagFilter } from "./rows.ts";
import { SearchCall, type SearchOptions } from "./search.ts";
import {
  type Eviction,
  FORGETFUL,
  type RetentionOptions,
  settingFields,
  toMilliseconds,
} from "./settings.ts";
import { checkInteger, copyComponents, type Vector } from "./validate.ts";

/** Bytes of vectors that a call moves at a time where it can be stopped between two pieces. */
const PIECE_BYTES = 4 << 20;

/** Room for the payloads of one call that reads some. */
const PAYLOAD_ROOM = 1 << 20;

/** How long a wait for pressure takes to see that it was stopped, in milliseconds. */
const PRESSURE_INTERVAL = 100;

/** How {@linkcode Collection.put} goes about it. */
export interface PutOptions {
  /** Whether a row whose id is stored already is replaced, instead of being refused. */
  readonly upsert?: boolean | undefined;
  /** Told after each piece of a great batch how many rows are in. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /**
   * For how long the rows are kept that say nothing of it themselves, in milliseconds; for ever,
   * where it is `Infinity`; for as long as the collection keeps its rows, where it is left out.
   */
  readonly ttl?: number | undefined;
  /** Stops the call between two pieces; those before stay in. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@linkcode Collection.put} did. */
export interface PutResult {
  /** Rows that are in. */
  done: number;
  /** Of those, new ones. */
  inserted: number;
  /** Of those, ones that replaced a row. */
  updated: number;
  /** Rows that made room for them. */
  evicted: number;
}

/** What {@linkcode Collection.get} reads. */
export interface GetOptions {
  /** Whether vectors are read; yes, unless it is `false`. */
  readonly vectors?: boolean | undefined;
  /** Whether tags are read; yes, unless it is `false`. */
  readonly tags?: boolean | undefined;
  /** What payloads are read back as; they are not read where it is left out. */
  readonly payload?: PayloadKind | undefined;
  /** Stops the call between two pieces. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@linkcode Collection.scan} reads. */
export interface ScanOptions {
  /** Which rows are read; all, where it is left out. */
  readonly tags?: TagFilter | undefined;
  /** Whether vectors are read; yes, unless it is `false`. */
  readonly vectors?: boolean | undefined;
  /** What payloads are read back as; they are not read where it is left out. */
  readonly payload?: PayloadKind | undefined;
  /** Rows that are read at a time. */
  readonly batch?: number | undefined;
  /** Stops the scan. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What {@linkcode Collection.configure} can change. Rows beyond a lower `capacity` or `maxBytes` are
 * evicted; where nothing is, they stay, and no more are taken. A new `ttl` is for rows that are put
 * from then on.
 */
export interface ConfigureOptions extends RetentionOptions {
  /** Permission bits, within 0666. For the owner. */
  readonly mode?: number | undefined;
}

/**
 * A collection's counters and settings.
 *
 * Counters are 64-bit in the kernel and plain numbers here: exact up to 2^53 − 1.
 */
export interface CollectionStats {
  /** Its name; empty for a private one. */
  name: string;
  /** Rows stored. */
  count: number;
  /** Rows that may be stored. */
  capacity: number;
  /** What `bytes` may reach; 0 where it has no limit of its own. */
  maxBytes: number;
  /** What it does when it is full. */
  evict: Eviction;
  /** For how long a row is kept, in milliseconds; 0 for ever. */
  ttl: number;
  /** Bytes of kernel memory that they take, payloads and all that is kept beside them included. */
  bytes: number;
  /** Of those, the payloads'. */
  payloadBytes: number;
  /** Rows put that were new. */
  inserts: number;
  /** Rows put that replaced one. */
  updates: number;
  /** Rows deleted. */
  deletes: number;
  /** Rows that made room for others, or for a lower limit. */
  evictions: number;
  /** Rows that gave their memory back when it was scarce. */
  pressureEvictions: number;
  /** Rows that were past their time. */
  expirations: number;
  /** Queries answered. */
  queries: number;
  /** Of queries and of ids looked up, those that found a row. */
  hits: number;
  /** Ids looked up. */
  gets: number;
  /** Rows that queries looked at. */
  scanned: number;
  /** Of those, rows whose distance was computed; the codes of the others ruled them out. */
  computed: number;
  /** Whether it keeps codes of its rows. */
  codes: boolean;
  /** The longest time for which a call kept a processor to itself, in nanoseconds. */
  longestSection: number;
  /** Components of a vector. */
  dimension: number;
  /** How distance is measured. */
  metric: Metric;
  /** Permission bits. */
  mode: number;
  /** Its owner. */
  uid: number;
  /** Its group. */
  gid: number;
}

/** What a worker needs to use the same open collection; it can be posted to it. */
export interface CollectionHandle {
  /** The device's path. */
  readonly path: string;
  /** The descriptor, of this process. */
  readonly descriptor: number;
  /** What the collection was opened as. */
  readonly opened: OpenedCollection;
}

/** What opening a collection tells of it. */
export interface OpenedCollection {
  /** Its name; empty for a private one. */
  readonly name: string;
  /** Components of its vectors. */
  readonly dimension: number;
  /** The number of its metric. */
  readonly metric: number;
  /** A number that no other collection has had. */
  readonly serial: bigint;
}

/**
 * Makes a collection of an open file that is bound to one: how {@linkcode Vss} makes those that it
 * gives. The file is the collection's from then on.
 */
export let bindCollection: (file: DeviceFile, opened: OpenedCollection) => Collection;

/**
 * An open collection.
 *
 * Each method has a twin that ends in `Sync` and runs on this thread until it is done; the others run
 * off the event loop, and let it go on. What is given to a method that runs off the event loop must
 * not be changed until it is done: it is not copied.
 *
 * A collection is its own open file, bound to the collection of the kernel. What the collection's
 * mode allowed when it was opened holds until it is closed. Several workers of a process can use the
 * same one, see {@linkcode Collection.handle}.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Vss } from "@vss/vss";
 *
 * using vss = Vss.open();
 * using points = vss.privateCollection({ dimension: 2 });
 *
 * await points.put([
 *   { id: 1, vector: [0, 0], payload: "here" },
 *   { id: 2, vector: [3, 4], payload: "there", tags: 1 },
 * ]);
 *
 * const near = await points.search([0, 1], { k: 1, payload: "text" });
 * assertEquals(near, [{ id: 1, distance: 1, payload: "here" }]);
 *
 * const tagged = await points.search([0, 0], { tags: { mask: 1, value: 1 } });
 * assertEquals(tagged, [{ id: 2, distance: 25 }]);
 * ```
 */
export class Collection implements Disposable {
  readonly #file: DeviceFile;
  readonly #opened: OpenedCollection;
  /** What the next search runs in, kept from the one before. */
  #idleSearch: SearchCall | undefined;

  static {
    bindCollection = (file, opened) => new Collection(file, opened);
  }

  private constructor(file: DeviceFile, opened: OpenedCollection) {
    this.#file = file;
    this.#opened = opened;
  }

  /**
   * Uses a collection that another thread of this process has open.
   *
   * @param handle What {@linkcode Collection.handle} gave there.
   * @returns The collection; it must be closed, too.
   * @throws {VssError} If the other thread has closed it (`EBADF`).
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Collection, Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using mine = vss.privateCollection({ dimension: 1 });
   * using yours = Collection.from(mine.handle());
   *
   * mine.putSync([{ id: 1, vector: [7] }]);
   * assertEquals(yours.statsSync().count, 1);
   * ```
   */
  static from({ path, descriptor, opened }: CollectionHandle): Collection {
    const file = DeviceFile.duplicate(path, descriptor);
    if (isStale(file, opened)) {
      file.close();
      const subject = `share descriptor ${descriptor} of ${path}`;
      const meaning = "it is no longer that of the collection";
      throw failed(ERRNOS.EBADF.number, {
        operation: "open",
        subject,
        meanings: { EBADF: { meaning, advice: "take the handle of an open collection" } },
      });
    }
    return new Collection(file, opened);
  }

  /** Its name; empty for a private one. */
  get name(): string {
    return this.#opened.name;
  }

  /** Components of its vectors. */
  get dimension(): number {
    return this.#opened.dimension;
  }

  /** How distance is measured. */
  get metric(): Metric {
    return METRICS[this.#opened.metric]!;
  }

  /** A number that no other collection has had since the driver was loaded. */
  get serial(): Id {
    return fromU64(this.#opened.serial);
  }

  /**
   * What a worker needs to use this collection with the same rights, a private one included.
   *
   * A worker should end its calls before it is terminated: `Worker.terminate()` frees the arrays of a
   * put that is underway, and the kernel may read other numbers there than were given.
   *
   * @returns A handle for {@linkcode Collection.from} in any thread of this process, while this
   * collection is open.
   */
  handle(): CollectionHandle {
    const { path, descriptor } = this.#file;
    return { path, descriptor, opened: this.#opened };
  }

  /**
   * Stores rows. Each becomes visible as a whole, one after the other.
   *
   * @param rows Rows, or columns: one `Float32Array` for all vectors is the fast way.
   * @param options Whether rows are replaced, and what stops the call.
   * @returns What was done.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses, its `done` saying how many rows are in: `EEXIST` where
   * an id is stored already, `ENOSPC` where the collection is full and does not evict, `EDQUOT` where
   * it would pass `maxBytes`, or the driver's limit, `ENOMEM`, `EINVAL` where a vector is not finite,
   * or has no direction and the metric is `cos`, `E2BIG` where the driver knows no `ttl` of rows.
   * @throws The signal's reason, if that stopped it; `onProgress` knows how many rows are in.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using numbers = vss.privateCollection({ dimension: 2 });
   *
   * const vectors = new Float32Array([1, 0, 0, 1, 1, 1]); // three vectors
   * const { inserted } = await numbers.put({ ids: [1, 2, 3], vectors });
   * assertEquals(inserted, 3);
   * ```
   */
  async put(rows: readonly RowInput[] | Columns, options: PutOptions = {}): Promise<PutResult> {
    return await run(this.#file, this.#put(rows, options), options.signal);
  }

  /**
   * Stores rows, as {@linkcode Collection.put} does, on this thread.
   *
   * @param rows Rows, or columns.
   * @param options Whether rows are replaced.
   * @returns What was done.
   * @throws As {@linkcode Collection.put} does.
   */
  putSync(rows: readonly RowInput[] | Columns, options: PutOptions = {}): PutResult {
    return runSync(this.#file, this.#put(rows, options));
  }

  /**
   * Reads rows by their ids, each as a whole.
   *
   * @param ids The ids.
   * @param options What of the rows is read.
   * @returns A row for each id, `undefined` where it is not stored.
   * @throws {TypeError} If an id is neither a number nor a bigint.
   * @throws {RangeError} If an id is out of range.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed, `ENOMEM`.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using notes = vss.privateCollection({ dimension: 1 });
   * await notes.put([{ id: 7, vector: [1], payload: { title: "seven" } }]);
   *
   * const [seven, eight] = await notes.get([7, 8], { payload: "json", vectors: false });
   * assertEquals(seven, { id: 7, tags: 0, payload: { title: "seven" } });
   * assertEquals(eight, undefined);
   * ```
   */
  async get(
    ids: BigUint64Array | readonly Id[],
    options: GetOptions = {},
  ): Promise<(Row | undefined)[]> {
    return await run(this.#file, this.#get(ids, options), options.signal);
  }

  /**
   * Reads rows by their ids, as {@linkcode Collection.get} does, on this thread.
   *
   * @param ids The ids.
   * @param options What of the rows is read.
   * @returns A row for each id, `undefined` where it is not stored.
   * @throws As {@linkcode Collection.get} does.
   */
  getSync(ids: BigUint64Array | readonly Id[], options: GetOptions = {}): (Row | undefined)[] {
    return runSync(this.#file, this.#get(ids, options));
  }

  /**
   * Deletes rows: those with some ids, or all that match a tag filter.
   *
   * @param which The ids, of which those that are not stored are passed over; or the filter.
   * @param options What stops the call.
   * @returns How many rows were deleted.
   * @throws {TypeError} If an id is neither a number nor a bigint.
   * @throws {RangeError} If an id is out of range.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed or was opened
   * for reading.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using few = vss.privateCollection({ dimension: 1 });
   * await few.put([1, 2, 3, 4].map((id) => ({ id, vector: [id], tags: id % 2 })));
   *
   * assertEquals(await few.delete([1, 99]), 1);
   * assertEquals(await few.delete({ tags: { mask: 1, value: 0 } }), 2);
   * assertEquals((await few.stats()).count, 1);
   * ```
   */
  async delete(
    which: BigUint64Array | readonly Id[] | { readonly tags: TagFilter },
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    return await run(this.#file, this.#delete(which), options.signal);
  }

  /**
   * Deletes rows, as {@linkcode Collection.delete} does, on this thread.
   *
   * @param which The ids, or the filter.
   * @returns How many rows were deleted.
   * @throws As {@linkcode Collection.delete} does.
   */
  deleteSync(which: BigUint64Array | readonly Id[] | { readonly tags: TagFilter }): number {
    return runSync(this.#file, this.#delete(which));
  }

  /**
   * Finds the rows nearest to a vector, by exact search.
   *
   * @param query As many finite numbers as the collection's dimension.
   * @param options How many, among which, how far, and what of the rows is given.
   * @returns At most `k` rows, sorted by distance and, where that is equal, by id. Tags and payloads
   * are read after the search: where a row was deleted in between, they are `undefined`.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed or was opened
   * for writing, `ENOMEM`, `EINVAL` where the query has no direction and the metric is `cos`.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { embedText, Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using lines = vss.privateCollection({ dimension: 64, metric: "cos" });
   * await lines.put(["edit photos", "play chess"].map((payload, id) => (
   *   { id, vector: embedText(payload, 64), payload }
   * )));
   *
   * const query = embedText("chess player", 64);
   * const [hit] = await lines.search(query, { k: 1, payload: "text" });
   * assertEquals(hit?.payload, "play chess");
   * ```
   */
  async search(query: Vector, options: SearchOptions = {}): Promise<Match[]> {
    const components = new Float32Array(this.dimension);
    copyComponents(query, components, "Query", this.dimension, this.dimension);
    return (await run(this.#file, this.#search(components, options), options.signal))[0]!;
  }

  /**
   * Finds the rows nearest to a vector, as {@linkcode Collection.search} does, on this thread.
   *
   * @param query The vector.
   * @param options How many, among which, how far, and what of the rows is given.
   * @returns The rows.
   * @throws As {@linkcode Collection.search} does.
   */
  searchSync(query: Vector, options: SearchOptions = {}): Match[] {
    const search = this.#takeSearch();
    try {
      checkKind(options.payload);
      search.want(options);
      search.ask(query);
      const errno = this.#file.call(COMMANDS_2.VSS_SEARCH.number, search.view.bytes);
      if (errno !== 0) throw this.#searchFailed(errno, search.query, 0);
      const matches = search.matches(0);
      if (wantsRows(options)) runSync(this.#file, this.#complete(matches, options));
      return matches;
    } finally {
      this.#idleSearch = search;
    }
  }

  /**
   * Finds the rows nearest to each of many vectors, by exact search, in as few calls as can be.
   *
   * @param queries One `Float32Array` with n × dimension components, or n vectors.
   * @param options As {@linkcode Collection.search} has them.
   * @returns The rows of each query.
   * @throws As {@linkcode Collection.search} does.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using points = vss.privateCollection({ dimension: 1 });
   * await points.put([{ id: 1, vector: [1] }, { id: 2, vector: [2] }]);
   *
   * const nearest = await points.searchBatch([[0], [3]], { k: 1 });
   * assertEquals(nearest.map(([hit]) => hit?.id), [1, 2]);
   * ```
   */
  async searchBatch(
    queries: Float32Array | readonly Vector[],
    options: SearchOptions = {},
  ): Promise<Match[][]> {
    const components = toComponents(queries, this.dimension, "Query");
    return await run(this.#file, this.#search(components, options), options.signal);
  }

  /**
   * Finds the rows nearest to each of many vectors, as {@linkcode Collection.searchBatch} does, on
   * this thread.
   *
   * @param queries The vectors.
   * @param options As {@linkcode Collection.search} has them.
   * @returns The rows of each query.
   * @throws As {@linkcode Collection.search} does.
   */
  searchBatchSync(
    queries: Float32Array | readonly Vector[],
    options: SearchOptions = {},
  ): Match[][] {
    const components = toComponents(queries, this.dimension, "Query");
    return runSync(this.#file, this.#search(components, options));
  }

  /**
   * Reads all rows, a batch at a time, in no order to rely on. A row that lives from the beginning to
   * the end is read exactly once, whatever is put and deleted meanwhile.
   *
   * @param options Which rows, and what of them is read.
   * @returns The rows.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using few = vss.privateCollection({ dimension: 1 });
   * await few.put([{ id: 1, vector: [0.5], tags: 3 }]);
   *
   * for await (const { id, vector, tags } of few.scan()) {
   *   assertEquals([id, [...vector!], tags], [1, [0.5], 3]);
   * }
   * ```
   */
  async *scan(options: ScanOptions = {}): AsyncGenerator<Row, void, void> {
    for (const state = this.#scanState(options); state.cursor !== CURSOR_END;) {
      yield* await run(this.#file, this.#scan(state), options.signal);
    }
  }

  /**
   * Reads all rows, as {@linkcode Collection.scan} does, on this thread.
   *
   * @param options Which rows, and what of them is read.
   * @returns The rows.
   * @throws As {@linkcode Collection.scan} does.
   */
  *scanSync(options: ScanOptions = {}): Generator<Row, void, void> {
    for (const state = this.#scanState(options); state.cursor !== CURSOR_END;) {
      yield* runSync(this.#file, this.#scan(state));
    }
  }

  /**
   * Reads the counters and settings.
   *
   * @returns The stats.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed or was opened
   * for writing.
   */
  async stats(): Promise<CollectionStats> {
    return await run(this.#file, this.#stats());
  }

  /**
   * Reads the counters and settings, as {@linkcode Collection.stats} does, on this thread.
   *
   * @returns The stats.
   * @throws As {@linkcode Collection.stats} does.
   */
  statsSync(): CollectionStats {
    return runSync(this.#file, this.#stats());
  }

  /**
   * Deletes all rows, and gives their memory back.
   *
   * @returns How many they were.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed or was opened
   * for reading.
   */
  async clear(): Promise<number> {
    return await run(this.#file, this.#clear());
  }

  /**
   * Deletes all rows, as {@linkcode Collection.clear} does, on this thread.
   *
   * @returns How many they were.
   * @throws As {@linkcode Collection.clear} does.
   */
  clearSync(): number {
    return runSync(this.#file, this.#clear());
  }

  /**
   * Changes settings: all that are given, or none.
   *
   * @param options The settings.
   * @throws {RangeError} If one is outside its limits.
   * @throws {VssError} If the device refuses: `EACCES` where the mode is another's to change.
   *
   * @example Usage
   * ```ts
   * import { assertEquals, assertRejects } from "@std/assert";
   * import { Vss, VssError } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using few = vss.privateCollection({ dimension: 1 });
   * await few.configure({ capacity: 1 });
   *
   * const error = await assertRejects(
   *   () => few.put([{ id: 1, vector: [1] }, { id: 2, vector: [2] }]),
   *   VssError,
   * );
   * assertEquals([error.code, error.done], ["ENOSPC", 1]);
   * ```
   */
  async configure(options: ConfigureOptions): Promise<void> {
    await run(this.#file, this.#configure(options));
  }

  /**
   * Changes settings, as {@linkcode Collection.configure} does, on this thread.
   *
   * @param options The settings.
   * @throws As {@linkcode Collection.configure} does.
   */
  configureSync(options: ConfigureOptions): void {
    runSync(this.#file, this.#configure(options));
  }

  /**
   * Waits for rows to give their memory back because it was scarce, so that they can be put again, or
   * other things be made smaller. Other processes go on meanwhile, and so does the event loop.
   *
   * @param options What stops the wait.
   * @returns Each time that rows went, how many since the last time; or since the call of this method.
   * The iteration ends when the collection is closed.
   * @throws {VssError} If the device refuses: `EBADF` where the collection is closed or was opened for
   * writing, `EOPNOTSUPP` where the driver is too old to evict rows.
   * @throws The signal's reason, a tenth of a second after it was given at the latest.
   *
   * @example Usage
   * ```ts
   * import { assertRejects } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using cached = vss.privateCollection({ dimension: 1, evict: "lru" });
   *
   * async function watch(signal: AbortSignal) {
   *   for await (const rows of cached.pressure({ signal })) console.log(`${rows} rows went`);
   * }
   * await assertRejects(() => watch(AbortSignal.timeout(10)), DOMException, "timeout");
   * ```
   */
  pressure(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<number, void, void> {
    this.#needFeature(FEATURES.VSS_FEATURE_EVICTION);
    const { pressureEvictions } = this.statsSync();
    return this.#pressure(pressureEvictions, options.signal);
  }

  async *#pressure(before: number, signal?: AbortSignal): AsyncGenerator<number, void, void> {
    for (;;) {
      signal?.throwIfAborted();
      if (!this.#file.hold()) return;
      const isUrgent = await this.#file.pollAsync(PRESSURE_INTERVAL)
        .finally(() => this.#file.release());
      signal?.throwIfAborted();
      if (!this.#file.isOpen) return;
      if (!isUrgent) continue;
      const { pressureEvictions } = this.statsSync();
      if (pressureEvictions > before) yield pressureEvictions - before;
      // What the device reports anew and was counted before: no reason to ask it all the time.
      else await new Promise((resolve) => setTimeout(resolve, PRESSURE_INTERVAL));
      before = pressureEvictions;
    }
  }

  /** Refuses what the driver is too old for. */
  #needFeature(feature: number): void {
    const view = argument(COMMANDS_2.VSS_INFO, {});
    const errno = this.#file.run(piece(COMMANDS_2.VSS_INFO, view));
    const isThere = errno === 0 && (Number(view.get("features")) & feature) !== 0;
    if (isThere) return;
    throw this.#failed(errno || ERRNOS.EOPNOTSUPP.number, "pressure", "wait for pressure on");
  }

  /**
   * Closes the collection; calls underway end first. Closing twice is harmless, and any other call
   * afterwards throws `EBADF`. The rows stay, but for a private collection's.
   */
  close(): void {
    this.#file.close();
  }

  /** Closes the collection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** How messages call it. */
  get #label(): string {
    return this.name === "" ? "a private collection" : `collection "${this.name}"`;
  }

  #failed(
    errno: number,
    operation: Operation,
    verb: string,
    { meanings, ...rest }: Pick<Failure, "done" | "meanings"> = {},
  ): VssError {
    const subject = `${verb} ${this.#label}`;
    const known: Meanings = this.#file.isOpen ? { ...MEANINGS, ...meanings } : {
      EBADF: { meaning: "the collection is closed", advice: "open it again" },
    };
    return failed(errno, { operation, subject, meanings: known, ...rest });
  }

  /** Rows of one piece, where a call takes `bytes` for each. */
  #pieceRows(bytes: number, most = PIECE_BYTES): number {
    return Math.max(1, Math.min(LIMITS.rows, Math.floor(most / bytes)));
  }

  *#put(rows: readonly RowInput[] | Columns, options: PutOptions): Call<PutResult> {
    const table = toTable(rows, this.dimension, options.ttl);
    const total = { done: 0, inserted: 0, updated: 0, evicted: 0 };
    // In as few calls as can be, unless somebody wants to hear, or to stop it, in between.
    const whole = options.signal === undefined && options.onProgress === undefined;
    const most = this.#pieceRows(this.dimension * 4, whole ? LIMITS.callBytes : PIECE_BYTES);
    while (total.done < table.count) {
      const end = payloadEnd(table, total.done, Math.min(table.count, total.done + most));
      yield* this.#putPiece(table, total, end, options.upsert === true);
      options.onProgress?.(total.done);
    }
    return total;
  }

  /** Puts the rows from `total.done` to `end`, and adds what came of it to `total`. */
  *#putPiece(table: Table, total: PutResult, end: number, upsert: boolean): Call<void> {
    const { dimension } = this;
    const start = total.done;
    const ids = table.ids.subarray(start, end);
    const vectors = table.vectors.subarray(start * dimension, end * dimension);
    const tags = table.tags?.subarray(start, end);
    const ttls = table.ttls?.subarray(start, end);
    const payloads = table.payloads && packPayloads(table.payloads.slice(start, end));
    const view = argument(COMMANDS_2.VSS_PUT, {
      flags: upsert ? FLAGS.VSS_PUT_UPSERT : 0,
      count: end - start,
      dimension,
      payload_bytes: payloads?.bytes.length ?? 0,
    });
    const errno = yield piece(COMMANDS_2.VSS_PUT, view, {
      reads: {
        ids,
        vectors,
        tags,
        payload_sizes: payloads?.sizes,
        payloads: payloads?.bytes,
        ttls,
      },
    });
    total.done += view.get("done");
    total.inserted += view.get("inserted");
    total.updated += view.get("updated");
    total.evicted += view.get("evicted");
    if (errno === 0) return;
    const meanings = yield* this.#fullness(errno);
    throw this.#putFailed(errno, table, total.done, meanings);
  }

  /** What there is no room in, in numbers, where that is why rows are refused and stats may be read. */
  *#fullness(errno: number): Call<Meanings> {
    const name = errno === ERRNOS.ENOSPC.number ? "ENOSPC" : "EDQUOT";
    if (errno !== ERRNOS[name].number) return {};
    const view = argument(COMMANDS_2.VSS_STAT, {});
    if ((yield piece(COMMANDS_2.VSS_STAT, view)) !== 0) return {};
    const { advice } = MEANINGS[name];
    if (name === "ENOSPC") {
      const meaning = `it is full: it holds ${view.get("count")} rows, of ${view.get("capacity")}`;
      return { ENOSPC: { meaning, advice } };
    }
    const most = view.get("max_bytes");
    const meaning = most === 0n
      ? "the driver's memory limit is reached"
      : `its rows take ${view.get("bytes")} bytes and would pass its maxBytes, ${most}, or the ` +
        "driver's limit";
    return { EDQUOT: { meaning, advice } };
  }

  /** Names the row that was refused, and what is wrong with it. */
  #putFailed(errno: number, table: Table, done: number, meanings: Meanings): Error {
    const id = table.ids[done];
    const verb = id === undefined ? "put rows into" : `put row ${done} (id ${id}) into`;
    if (errno === ERRNOS.EINVAL.number && id !== undefined) {
      const from = done * this.dimension;
      const vector = table.vectors.subarray(from, from + this.dimension);
      const wrong = vector.findIndex((component) => !Number.isFinite(component));
      const meaning = wrong >= 0
        ? `component ${wrong} of its vector is ${vector[wrong]}`
        : "its vector has no length that a 32-bit float can hold, and so no direction";
      const advice = wrong >= 0 ? "give finite numbers" : "leave zero vectors out";
      const subject = `${verb} ${this.#label}`;
      return failed(errno, {
        operation: "put",
        subject,
        done,
        meanings: { EINVAL: { meaning, advice } },
      });
    }
    return this.#failed(errno, "put", verb, { done, meanings });
  }

  *#get(ids: BigUint64Array | readonly Id[], options: GetOptions): Call<(Row | undefined)[]> {
    const wanted = toU64s(ids, "Id");
    const rows: (Row | undefined)[] = [];
    while (rows.length < wanted.length) {
      yield* this.#getPiece(wanted, rows, options);
    }
    return rows;
  }

  /** Reads the next of the wanted rows. */
  *#getPiece(
    wanted: BigUint64Array,
    rows: (Row | undefined)[],
    options: GetOptions,
  ): Call<void> {
    const { dimension } = this;
    const start = rows.length;
    const bytes = options.vectors === false ? 16 : dimension * 4;
    const count = Math.min(
      wanted.length - start,
      this.#pieceRows(bytes),
      Math.floor(LIMITS.callBytes / (dimension * 4)),
    );
    const ids = wanted.subarray(start, start + count);
    const out = new Output(count, dimension, options);
    const found = new Uint8Array(Math.ceil(count / 8));
    const view = argument(COMMANDS_2.VSS_GET, {
      count,
      dimension,
      payload_bytes: out.payloadBytes,
    });
    const writes = { ...out.arrays, found };
    const errno = yield piece(COMMANDS_2.VSS_GET, view, { reads: { ids }, writes });
    if (errno !== 0) throw this.#failed(errno, "get", "read rows of");
    out.read(view.get("done"), (i, columns) => {
      const stored = (found[i >> 3]! >> (i & 7)) & 1;
      rows.push(stored ? { id: fromU64(ids[i]!), ...columns } : undefined);
    });
  }

  *#delete(
    which: BigUint64Array | readonly Id[] | { readonly tags: TagFilter },
  ): Call<number> {
    if (typeof which === "object" && which !== null && "tags" in which) {
      // A filter that is left out would match all rows.
      if (which.tags === undefined) throw new TypeError("Tags must be a filter, not undefined");
      const { tag_mask, tag_value } = filterFields(which.tags);
      return yield* this.#deletePiece({
        flags: FLAGS.VSS_DELETE_MATCHING,
        tag_mask,
        tag_value,
      }, undefined);
    }
    const ids = toU64s(which, "Id");
    let deleted = 0;
    for (let start = 0; start < ids.length; start += LIMITS.rows) {
      const some = ids.subarray(start, start + LIMITS.rows);
      deleted += yield* this.#deletePiece({ count: some.length }, some);
    }
    return deleted;
  }

  *#deletePiece(
    fields: { [name: string]: number | bigint },
    ids: BigUint64Array | undefined,
  ): Call<number> {
    const view = argument(COMMANDS_2.VSS_DELETE, fields);
    const errno = yield piece(COMMANDS_2.VSS_DELETE, view, { reads: { ids } });
    if (errno !== 0) {
      throw this.#failed(errno, "delete", "delete rows of", { done: view.get("deleted") });
    }
    return view.get("deleted");
  }

  /**
   * Takes what a search runs in; whoever has done with it puts it back. Whoever searches meanwhile,
   * off the event loop or from a getter of what a search is given, makes another.
   */
  #takeSearch(): SearchCall {
    const search = this.#idleSearch ?? new SearchCall(this.dimension);
    this.#idleSearch = undefined;
    return search;
  }

  *#search(queries: Float32Array, options: SearchOptions): Call<Match[][]> {
    const search = this.#takeSearch();
    checkKind(options.payload);
    const k = search.want(options);
    const count = queries.length / this.dimension;
    const matches: Match[][] = [];
    const most = this.#pieceRows(Math.max(this.dimension * 4, k * 12));
    while (matches.length < count) {
      const end = Math.min(count, matches.length + most);
      yield* this.#searchPiece(search, queries, matches, end);
    }
    this.#idleSearch = search;
    if (wantsRows(options)) yield* this.#complete(matches.flat(), options);
    return matches;
  }

  /** Answers the queries from `matches.length` to `end`. */
  *#searchPiece(
    search: SearchCall,
    queries: Float32Array,
    matches: Match[][],
    end: number,
  ): Call<void> {
    const start = matches.length;
    const some = queries.subarray(start * this.dimension, end * this.dimension);
    search.askMany(end - start);
    const errno = yield piece(COMMANDS_2.VSS_SEARCH, search.view, {
      reads: { queries: some },
      writes: search.results,
    });
    if (errno !== 0) throw this.#searchFailed(errno, queries, start + search.view.get("done"));
    for (let i = 0; start + i < end; i++) matches.push(search.matches(i));
  }

  /** Names the query that was refused, and what is wrong with it. */
  #searchFailed(errno: number, queries: Float32Array, done: number): VssError {
    if (errno !== ERRNOS.EINVAL.number) return this.#failed(errno, "search", "search");
    const query = queries.subarray(done * this.dimension, (done + 1) * this.dimension);
    const wrong = query.findIndex((component) => !Number.isFinite(component));
    const meaning = wrong >= 0
      ? `component ${wrong} of query ${done} is ${query[wrong]}`
      : `query ${done} has no length that a 32-bit float can hold, and so no direction`;
    const subject = `search ${this.#label}`;
    return failed(errno, { operation: "search", subject, meanings: { EINVAL: { meaning } } });
  }

  /** Adds tags and payloads to rows that were found, if they are wanted. */
  *#complete(matches: Match[], options: SearchOptions): Call<void> {
    const { withTags = false, payload } = options;
    if (matches.length === 0) return;
    const ids = matches.map(({ id }) => id);
    const rows = yield* this.#get(ids, { vectors: false, tags: withTags, payload });
    matches.forEach((match, i) => {
      if (withTags) match.tags = rows[i]?.tags as Id;
      if (payload !== undefined) match.payload = rows[i]?.payload;
    });
  }

  #scanState(options: ScanOptions): ScanState {
    const bytes = options.vectors === false ? 64 : this.dimension * 4;
    const most = Math.min(LIMITS.rows, Math.floor(LIMITS.callBytes / (this.dimension * 4)));
    const { batch = Math.min(1024, this.#pieceRows(bytes, 1 << 20)) } = options;
    checkInteger("Batch", batch, { least: 1, most });
    return { options, batch, filter: filterFields(options.tags), cursor: 0n };
  }

  *#scan(state: ScanState): Call<Row[]> {
    const { dimension } = this;
    const ids = new BigUint64Array(state.batch);
    const out = new Output(state.batch, dimension, { ...state.options, tags: true });
    const view = argument(COMMANDS_2.VSS_SCAN, {
      count: state.batch,
      dimension,
      cursor: state.cursor,
      ...state.filter,
      payload_bytes: out.payloadBytes,
    });
    const errno = yield piece(COMMANDS_2.VSS_SCAN, view, { writes: { ids, ...out.arrays } });
    if (errno !== 0) throw this.#failed(errno, "scan", "scan");
    const rows: Row[] = [];
    out.read(view.get("done"), (i, columns) => {
      rows.push({ id: fromU64(ids[i]!), ...columns });
    });
    state.cursor = view.get("cursor");
    return rows;
  }

  *#stats(): Call<CollectionStats> {
    const view = argument(COMMANDS_2.VSS_STAT, {});
    const errno = yield piece(COMMANDS_2.VSS_STAT, view);
    if (errno !== 0) throw this.#failed(errno, "stats", "read the stats of");
    const number = (name: Parameters<typeof view.get>[0]) => Number(view.get(name));
    return {
      name: view.getText("name"),
      count: number("count"),
      capacity: number("capacity"),
      maxBytes: number("max_bytes"),
      evict: EVICTIONS[number("eviction")]!,
      ttl: toMilliseconds(view.get("ttl")),
      bytes: number("bytes"),
      payloadBytes: number("payload_bytes"),
      inserts: number("inserts"),
      updates: number("updates"),
      deletes: number("deletes"),
      evictions: number("evictions"),
      pressureEvictions: number("pressure_evictions"),
      expirations: number("expirations"),
      queries: number("queries"),
      gets: number("gets"),
      hits: number("hits"),
      scanned: number("scanned"),
      computed: number("computed"),
      codes: view.get("codes") !== 0,
      longestSection: number("longest_section"),
      dimension: number("dimension"),
      metric: METRICS[number("metric")]!,
      mode: number("mode"),
      uid: number("uid"),
      gid: number("gid"),
    };
  }

  *#clear(): Call<number> {
    const view = argument(COMMANDS_2.VSS_CLEAR, {});
    const errno = yield piece(COMMANDS_2.VSS_CLEAR, view);
    if (errno !== 0) throw this.#failed(errno, "clear", "clear", { done: view.get("done") });
    return view.get("done");
  }

  *#configure(options: ConfigureOptions): Call<void> {
    const fields = settingFields(options);
    const given = Object.keys(CONFIGURE_FLAGS) as (keyof ConfigureOptions)[];
    const flags = given.filter((name) => options[name] !== undefined)
      .reduce((bits, name) => bits | CONFIGURE_FLAGS[name], 0);
    if (flags === 0) return;
    const view = argument(COMMANDS_2.VSS_CONFIGURE, { flags, ...fields });
    const errno = yield piece(COMMANDS_2.VSS_CONFIGURE, view);
    if (errno !== 0) throw this.#failed(errno, "configure", "configure");
  }
}

/** The flag bits that say which settings are given. */
const CONFIGURE_FLAGS = {
  capacity: FLAGS.VSS_CONFIGURE_CAPACITY,
  evict: FLAGS.VSS_CONFIGURE_EVICTION,
  ttl: FLAGS.VSS_CONFIGURE_TTL,
  mode: FLAGS.VSS_CONFIGURE_MODE,
  maxBytes: FLAGS.VSS_CONFIGURE_MAX_BYTES,
} as const satisfies Record<keyof ConfigureOptions, number>;

/** What errnos mean on an open collection. */
const MEANINGS = {
  EEXIST: {
    meaning: "the id is stored already",
    advice: "choose another id, or put with `upsert` to replace the row",
  },
  EBADF: {
    meaning: "the collection, or the device, is not open for that",
    advice: "open it with the access that this needs",
  },
  EACCES: {
    meaning: "only the collection's owner may do that",
    advice: "run as its owner, or as root",
  },
  EINVAL: {
    meaning: "the driver refuses a value",
    advice: "see the limits that `Vss.info()` tells",
  },
  ENOSPC: {
    meaning: "the collection is full",
    advice: "give it a greater capacity, have it evict (fifo or lru), or load the driver with a " +
      "greater `max_vectors`",
  },
  EDQUOT: {
    meaning: "the limit of the collection's memory, or of the driver's, is reached",
    advice: "give it a greater maxBytes, have it evict (fifo or lru), or load the driver with a " +
      "greater `max_bytes`",
  },
  ...FORGETFUL,
} satisfies Meanings;

/** Where a scan is. */
interface ScanState {
  readonly options: ScanOptions;
  readonly batch: number;
  readonly filter: { readonly tag_mask: bigint; readonly tag_value: bigint };
  cursor: bigint;
}

/** What payloads can be read back as. */
const KINDS: readonly (PayloadKind | undefined)[] = [undefined, "bytes", "text", "json"];

function checkKind(kind: PayloadKind | undefined): void {
  if (KINDS.includes(kind)) return;
  throw new RangeError(`Payload must be read as bytes, text or json, not ${String(kind)}`);
}

/**
 * Whether a descriptor was closed and has become something else's since its handle was made. A
 * collection that is open for writing alone does not tell.
 */
function isStale(file: DeviceFile, { serial }: OpenedCollection): boolean {
  const view = argument(COMMANDS_2.VSS_STAT, {});
  const errno = file.run(piece(COMMANDS_2.VSS_STAT, view));
  return errno === 0 ? view.get("serial") !== serial : errno !== ERRNOS.EBADF.number;
}

/** The fields of a tag filter; without one, those that match all. */
function filterFields(filter: TagFilter | undefined): { tag_mask: bigint; tag_value: bigint } {
  if (filter === undefined) return { tag_mask: 0n, tag_value: 0n };
  checkFilter(filter);
  return {
    tag_mask: toU64(filter.mask, "Tag mask"),
    tag_value: toU64(filter.value, "Tag value"),
  };
}

/** Whether a search gives more of the rows than their ids and distances. */
function wantsRows({ withTags = false, payload }: SearchOptions): boolean {
  return withTags || payload !== undefined;
}

/** How far rows can be put from `start` on until their payloads fill a call. */
function payloadEnd({ payloads }: Table, start: number, end: number): number {
  if (payloads === undefined) return end;
  let bytes = 0;
  for (let i = start; i < end; i++) {
    bytes += payloads[i]?.length ?? 0;
    if (bytes > LIMITS.callBytes) return i;
  }
  return end;
}

/** What a call that reads rows writes, but for their ids. */
class Output {
  readonly #dimension: number;
  readonly #kind: PayloadKind | undefined;
  readonly #vectors: Float32Array<ArrayBuffer> | undefined;
  readonly #tags: BigUint64Array<ArrayBuffer> | undefined;
  readonly #sizes: Uint32Array<ArrayBuffer> | undefined;
  readonly #payloads: Uint8Array<ArrayBuffer> | undefined;

  constructor(count: number, dimension: number, { vectors, tags, payload }: GetOptions) {
    checkKind(payload);
    this.#dimension = dimension;
    this.#kind = payload;
    if (vectors !== false) this.#vectors = new Float32Array(count * dimension);
    if (tags !== false) this.#tags = new BigUint64Array(count);
    if (payload === undefined) return;
    this.#sizes = new Uint32Array(count);
    this.#payloads = new Uint8Array(PAYLOAD_ROOM);
  }

  /** The arrays, by the struct's fields that tell where they are. */
  get arrays() {
    return {
      vectors: this.#vectors,
      tags: this.#tags,
      payload_sizes: this.#sizes,
      payloads: this.#payloads,
    };
  }

  /** Room for payloads. */
  get payloadBytes(): number {
    return this.#payloads?.length ?? 0;
  }

  /** Calls `row` for each of the first `count` rows with what was read of it. */
  read(count: number, row: (i: number, columns: Omit<Row, "id">) => void): void {
    const dimension = this.#dimension;
    let offset = 0;
    for (let i = 0; i < count; i++) {
      const columns: Omit<Row, "id"> = {};
      if (this.#vectors) {
        columns.vector = this.#vectors.subarray(i * dimension, (i + 1) * dimension);
      }
      if (this.#tags) columns.tags = fromU64(this.#tags[i]!);
      if (this.#kind !== undefined) {
        const size = this.#sizes![i]!;
        if (size === NO_PAYLOAD) {
          columns.payload = undefined;
        } else {
          const bytes = this.#payloads!.subarray(offset, offset + size);
          columns.payload = decodePayload(bytes, this.#kind);
          offset += size;
        }
      }
      row(i, columns);
    }
  }
}
