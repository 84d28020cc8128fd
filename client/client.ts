// SPDX-License-Identifier: MIT
/**
 * The client of `/dev/vss`: one open file of the device, and what protocol 1 does with it.
 *
 * @module
 */
import { ERRNOS, type Operation, VssError } from "./errors.ts";
import { DeviceFile } from "./file.ts";
import {
  COMMANDS,
  DEVICE_PATH,
  MAX_DIMENSION,
  MAX_K,
  METRICS,
  QUERY_DATA,
  STATS,
  VECTOR_DATA,
} from "./protocol.ts";
import { checkId, checkK, copyVector, type Vector } from "./validate.ts";

/** One vector found. */
export interface Hit {
  /** The id that it was stored with. */
  id: number;
  /** Its distance from the query; `Infinity` where a 32-bit float overflows. */
  distance: number;
}

/**
 * What the device holds and has done.
 *
 * The counters are 64-bit in the kernel and plain numbers here: exact up to 2^53 − 1, which no
 * machine's memory or uptime reaches.
 */
export interface Stats {
  /** Vectors stored. */
  count: number;
  /** How many may be stored. */
  capacity: number;
  /** Bytes of kernel memory that they take. */
  bytes: number;
  /** Vectors added since the collection was made. */
  adds: number;
  /** Queries answered since then. */
  queries: number;
  /** Vectors dropped to make room. */
  evictions: number;
  /** Components of each vector; 0 until the first one is stored. */
  dimension: number;
  /** How distance is measured: `l2sq` unless the collection was made otherwise. */
  metric: string;
}

/**
 * A connection to the vectors that the kernel holds for the whole machine, by the device's first
 * protocol: one collection, named `default`, of up to 128 dimensions. {@linkcode Vss} does more.
 *
 * Every process that may open the device sees the same vectors; they stay until the driver is
 * unloaded. Each call is one `ioctl` and runs to its end before it returns. A client keeps the
 * buffers of its calls, so a call allocates nothing but its result.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embedText, VssClient } from "@vss/vss";
 *
 * using client = VssClient.open();
 * client.addVector(1, embedText("strategy game of chess", 128));
 * client.addVector(2, embedText("network traffic analyzer", 128));
 *
 * const [nearest] = client.queryTopK(embedText("play chess", 128), 1);
 * assertEquals(nearest?.id, 1);
 * ```
 */
export class VssClient implements Disposable {
  readonly #file: DeviceFile;
  readonly #components = new Float32Array(MAX_DIMENSION);
  readonly #vector = VECTOR_DATA.allocate();
  readonly #query = QUERY_DATA.allocate();
  readonly #stats = STATS.allocate();

  private constructor(file: DeviceFile) {
    this.#file = file;
  }

  /** The path that was opened. */
  get path(): string {
    return this.#file.path;
  }

  /**
   * Opens the device.
   *
   * @param path The device's path.
   * @returns A client; close it with {@linkcode VssClient.close} or `using`.
   * @throws {TypeError} If the path is not a string, or holds a NUL character.
   * @throws {VssError} If it cannot be opened: `ENOENT` where no driver is loaded, `EACCES` where
   * the caller is not in the device's group.
   * @throws {Deno.errors.NotCapable} If Deno runs without `--allow-ffi`.
   *
   * @example Usage
   * ```ts
   * import { assertThrows } from "@std/assert";
   * import { VssClient, VssError } from "@vss/vss";
   *
   * assertThrows(() => VssClient.open("/nowhere/vss"), VssError, "just load");
   * ```
   */
  static open(path: string = DEVICE_PATH): VssClient {
    return new VssClient(DeviceFile.open(path));
  }

  /**
   * Stores a vector.
   *
   * The first vector stored decides the dimension of all others.
   *
   * @param id An integer from 0 to 4294967295 that is not stored yet.
   * @param vector 1 to 128 numbers, each finite as a 32-bit float.
   * @throws {TypeError} If an argument has a wrong type.
   * @throws {RangeError} If an argument is outside its limits.
   * @throws {VssError} If the device refuses: `EEXIST` where the id is stored already, `EINVAL`
   * where the stored vectors have another dimension, `ENOSPC` or `EDQUOT` where the store is full,
   * `ENOMEM`, `EBADF` where the client is closed.
   *
   * @example Usage
   * ```ts
   * import { assertThrows } from "@std/assert";
   * import { VssClient, VssError } from "@vss/vss";
   *
   * using client = VssClient.open();
   * client.addVector(7, new Float32Array(128).fill(0.5));
   *
   * const again = () => client.addVector(7, Array(128).fill(0.25));
   * assertThrows(again, VssError, "the id is stored already");
   * ```
   */
  addVector(id: number, vector: Vector): void {
    checkId(id);
    const dimension = copyVector(vector, this.#components);
    const data = this.#vector;
    data.set("id", id);
    data.set("dimension", dimension);
    data.setAll("data", this.#components, dimension);
    const code = this.#call(COMMANDS.VSS_ADD_VECTOR.number, data.bytes);
    if (code !== 0) throw this.#error(code, "add", `add id ${id} to`, dimension);
  }

  /**
   * Finds the stored vectors nearest to one.
   *
   * @param vector 1 to 128 numbers, each finite as a 32-bit float; as many as the stored ones have.
   * @param k How many to find, 1 to 32.
   * @returns At most `k` hits, sorted by distance and, where that is equal, by id; none where
   * nothing is stored.
   * @throws {TypeError} If an argument has a wrong type.
   * @throws {RangeError} If an argument is outside its limits.
   * @throws {VssError} If the device refuses: `EINVAL` where the stored vectors have another
   * dimension, `EBADF` where the client is closed.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { VssClient } from "@vss/vss";
   *
   * using client = VssClient.open();
   * const vector = new Float32Array(128).fill(2);
   * client.addVector(8, vector);
   *
   * assertEquals(client.queryTopK(vector, 1), [{ id: 8, distance: 0 }]);
   * ```
   */
  queryTopK(vector: Vector, k: number): Hit[] {
    checkK(k);
    const dimension = copyVector(vector, this.#components);
    const data = this.#query;
    data.set("k", k);
    data.set("dimension", dimension);
    data.setAll("query_vector", this.#components, dimension);
    const code = this.#call(COMMANDS.VSS_QUERY_TOP_K.number, data.bytes);
    if (code !== 0) throw this.#error(code, "query", "query", dimension);
    const hits: Hit[] = [];
    const found = Math.min(data.get("k"), MAX_K);
    for (let i = 0; i < found; i++) {
      hits.push({ id: data.get("result_ids", i), distance: data.get("distances", i) });
    }
    return hits;
  }

  /**
   * Reads the device's counters.
   *
   * @returns What the device holds and has done.
   * @throws {VssError} If the device refuses: `EBADF` where the client is closed.
   *
   * @example Usage
   * ```ts
   * import { assert } from "@std/assert";
   * import { VssClient } from "@vss/vss";
   *
   * using client = VssClient.open();
   * const { count, capacity, metric } = client.stats();
   *
   * assert(count <= capacity);
   * assert(metric === "l2sq");
   * ```
   */
  stats(): Stats {
    const data = this.#stats;
    const code = this.#call(COMMANDS.VSS_GET_STATS.number, data.bytes);
    if (code !== 0) throw this.#error(code, "stats", "read the stats of");
    const metric = data.get("metric");
    return {
      count: Number(data.get("count")),
      capacity: Number(data.get("capacity")),
      bytes: Number(data.get("bytes")),
      adds: Number(data.get("adds")),
      queries: Number(data.get("queries")),
      evictions: Number(data.get("evictions")),
      dimension: data.get("dimension"),
      metric: METRICS[metric] ?? String(metric),
    };
  }

  /**
   * Closes the device. Closing twice is harmless; any other call afterwards throws `EBADF`.
   *
   * @throws {VssError} If the kernel reports an error; the client is closed all the same.
   *
   * @example Usage
   * ```ts
   * import { assertThrows } from "@std/assert";
   * import { VssClient, VssError } from "@vss/vss";
   *
   * const client = VssClient.open();
   * client.close();
   *
   * assertThrows(() => client.stats(), VssError, "the client is closed");
   * ```
   */
  close(): void {
    this.#file.close();
  }

  /** Closes the device at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Runs a command and returns 0 or its errno; `EBADF`, from the kernel itself, once closed.
   *
   * The driver gives `EINTR` only before it has changed anything, so trying again is safe.
   */
  #call(command: number, bytes: Uint8Array<ArrayBuffer>): number {
    for (;;) {
      const code = this.#file.call(command, bytes);
      if (code !== ERRNOS.EINTR.number) return code;
    }
  }

  /** Says what went wrong, and more than the errno does where the client knows more. */
  #error(code: number, operation: Operation, verb: string, dimension?: number): VssError {
    const subject = `${verb} ${this.path}`;
    if (!this.#file.isOpen) {
      const [meaning, advice] = ["the client is closed", "open another one"];
      return new VssError(code, { operation, subject, meaning, advice });
    }
    const mismatch = code === ERRNOS.EINVAL.number && this.#mismatch(dimension);
    return new VssError(code, { operation, subject, ...(mismatch || {}) });
  }

  /** Says that a vector's dimension is not that of the stored ones, if that is so. */
  #mismatch(dimension?: number): { meaning: string; advice: string } | undefined {
    if (dimension === undefined) return undefined;
    if (this.#call(COMMANDS.VSS_GET_STATS.number, this.#stats.bytes) !== 0) return undefined;
    const stored = this.#stats.get("dimension");
    if (stored === 0 || stored === dimension) return undefined;
    return {
      meaning: `the vector has ${dimension} components, the stored ones have ${stored}`,
      advice: `give ${stored}`,
    };
  }
}
