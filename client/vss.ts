// SPDX-License-Identifier: MIT
/**
 * The device as a whole: what it is, which collections it holds, and how they are made, opened and
 * dropped.
 *
 * @module
 */
import { argument, failed, type Meanings, piece } from "./calls.ts";
import { bindCollection, type Collection } from "./collection.ts";
import { fromU64 } from "./columns.ts";
import type { Operation } from "./errors.ts";
import { DeviceFile } from "./file.ts";
import { DEVICE_PATH, METRICS } from "./protocol.ts";
import {
  COMMANDS_2,
  CURSOR_END,
  EVICTIONS,
  FLAGS,
  LIMITS,
  LIST_RECORD,
  type OPEN,
  type SizedCommand,
} from "./protocol2.ts";
import type { Id, Metric } from "./rows.ts";
import {
  type Eviction,
  FORGETFUL,
  type RetentionOptions,
  settingFields,
  toMilliseconds,
} from "./settings.ts";
import type { FieldSpecs, StructView } from "./struct.ts";
import { checkInteger, describe } from "./validate.ts";

/** Records that are listed at a time. */
const LIST_PIECE = 64;

/** What stands for the name of a collection that has none. */
const PRIVATE = Symbol("private");

/** Permission bits of a collection that is made without any. */
const DEFAULT_MODE = 0o640;

/** What a collection may be opened for. */
export type Access = "read" | "write" | "both";

/** What a private collection is to be. */
export interface PrivateOptions extends RetentionOptions {
  /** Components of its vectors, 1 to 8192. */
  readonly dimension: number;
  /** How distance is measured; `l2sq`, the squared Euclidean distance, where it is left out. */
  readonly metric?: Metric | undefined;
  /**
   * Whether it keeps codes of its rows, which spare a search most of the vectors; yes, unless it is
   * `false`. The answers are the same. Rows of less than 33 components have no codes.
   */
  readonly codes?: boolean | undefined;
}

/** What a new collection is to be. */
export interface CreateOptions extends PrivateOptions {
  /** Permission bits, within 0666; 0640 where they are left out. No umask applies. */
  readonly mode?: number | undefined;
}

/** How a collection is opened. */
export interface OpenOptions {
  /** What for; for both, where it is left out. */
  readonly access?: Access | undefined;
  /** What it is to be if it is not there; it must be there, where this is left out. */
  readonly create?: CreateOptions | undefined;
}

/** What the driver is and can. */
export interface Info {
  /** The driver's version. */
  release: string;
  /** The instruction set that distances are computed with. */
  simd: string;
  /** Bits of what the driver can do. */
  features: Id;
  /** The most components of a vector. */
  maxDimension: number;
  /** The most hits of a query. */
  maxK: number;
  /** The most rows of one call. */
  maxRows: number;
  /** The most bytes of each array of one call. */
  maxCallBytes: number;
  /** The most bytes of a payload. */
  maxPayload: number;
  /** Collections that there may be. */
  maxCollections: number;
  /** Rows that a collection may hold. */
  maxVectors: number;
  /** Memory of all rows of all collections. */
  bytes: number;
  /** What `bytes` may reach. */
  maxBytes: number;
  /** Collections there are, private ones included. */
  collections: number;
  /** Processors that one search may use at most; 0 for all that its caller may use. */
  searchCpus: number;
}

/** A collection, as it is listed. */
export interface CollectionInfo {
  /** Its name. */
  name: string;
  /** A number that no other collection has had since the driver was loaded. */
  serial: Id;
  /** Rows stored. */
  count: number;
  /** Rows that it may hold. */
  capacity: number;
  /** Memory of its rows and of all that is kept beside them. */
  bytes: number;
  /** Components of its vectors. */
  dimension: number;
  /** How distance is measured. */
  metric: Metric;
  /** What it does when it is full. */
  evict: Eviction;
  /** For how long a row is kept, in milliseconds; 0 for ever. */
  ttl: number;
  /** Permission bits. */
  mode: number;
  /** Its owner. */
  uid: number;
  /** Its group. */
  gid: number;
}

/**
 * An open device.
 *
 * Its methods are quick calls that run at once. A collection that it gives is an open file of its
 * own: it stays open when the device is closed.
 *
 * @example Usage
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { Vss } from "@vss/vss";
 *
 * using vss = Vss.open();
 * {
 *   using books = vss.create("example-books", { dimension: 3, metric: "cos" });
 *   await books.put([{ id: 1, vector: [1, 0, 0] }]);
 * }
 * assert(vss.list().some(({ name }) => name === "example-books"));
 *
 * using books = vss.collection("example-books", { access: "read" });
 * assertEquals((await books.search([2, 0, 0]))[0]?.distance, 0);
 * vss.drop("example-books");
 * ```
 */
export class Vss implements Disposable {
  readonly #file: DeviceFile;

  private constructor(file: DeviceFile) {
    this.#file = file;
  }

  /**
   * Opens the device.
   *
   * @param path The device's path.
   * @returns The device; close it with {@linkcode Vss.close} or `using`.
   * @throws {TypeError} If the path is not a string, or holds a NUL character.
   * @throws {VssError} If it cannot be opened: `ENOENT` where no driver is loaded, `EACCES` where
   * the caller is not in the device's group.
   * @throws {Deno.errors.NotCapable} If Deno runs without `--allow-ffi`.
   *
   * @example Usage
   * ```ts
   * import { assertThrows } from "@std/assert";
   * import { Vss, VssError } from "@vss/vss";
   *
   * assertThrows(() => Vss.open("/nowhere/vss"), VssError, "just load");
   * ```
   */
  static open(path: string = DEVICE_PATH): Vss {
    return new Vss(DeviceFile.open(path));
  }

  /** The path that was opened. */
  get path(): string {
    return this.#file.path;
  }

  /**
   * Tells what the driver is and can.
   *
   * @returns Its limits, the memory in use and its version.
   * @throws {VssError} If the device refuses: `EBADF` where it is closed, `ENOTTY` where the driver
   * is too old.
   *
   * @example Usage
   * ```ts
   * import { assert } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * assert(vss.info().bytes <= vss.info().maxBytes);
   * ```
   */
  info(): Info {
    const view = argument(COMMANDS_2.VSS_INFO, {});
    this.#run(this.#file, COMMANDS_2.VSS_INFO, view, "info", "ask");
    const number = (name: Parameters<typeof view.get>[0]) => Number(view.get(name));
    return {
      release: view.getText("release"),
      simd: view.getText("simd"),
      features: fromU64(view.get("features")),
      maxDimension: number("max_dimension"),
      maxK: number("max_k"),
      maxRows: number("max_rows"),
      maxCallBytes: number("max_call_bytes"),
      maxPayload: number("max_payload"),
      maxCollections: number("max_collections"),
      maxVectors: number("max_vectors"),
      bytes: number("bytes"),
      maxBytes: number("max_bytes"),
      collections: number("collections"),
      searchCpus: number("search_cpus"),
    };
  }

  /**
   * Lists the collections that have names and may be read by the caller, oldest first.
   *
   * @returns The collections.
   * @throws {VssError} If the device refuses: `EBADF` where it is closed.
   */
  list(): CollectionInfo[] {
    const found: CollectionInfo[] = [];
    const records = new Uint8Array(LIST_PIECE * LIST_RECORD.size);
    for (let cursor = 0n; cursor !== CURSOR_END;) {
      const view = argument(COMMANDS_2.VSS_LIST, {
        count: LIST_PIECE,
        record_size: LIST_RECORD.size,
        cursor,
      });
      this.#run(this.#file, COMMANDS_2.VSS_LIST, view, "list", "list the collections of", {
        records,
      });
      for (let i = 0; i < view.get("done"); i++) {
        found.push(readRecord(records.subarray(i * LIST_RECORD.size)));
      }
      cursor = view.get("cursor");
    }
    return found;
  }

  /**
   * Makes a collection, which is the caller's, and opens it.
   *
   * @param name Its name: 1 to 63 bytes of UTF-8, without `/` and control characters.
   * @param options What it is to be.
   * @returns The collection.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses: `EEXIST` where there is one of this name, `ENOSPC`
   * where there are as many collections as there may be, `ENOMEM`, `EOPNOTSUPP` or `E2BIG` where the
   * driver is too old to evict rows.
   *
   * @example Usage
   * ```ts
   * import { assertThrows } from "@std/assert";
   * import { Vss, VssError } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using made = vss.create("example-once", { dimension: 2 });
   *
   * assertThrows(() => vss.create("example-once", { dimension: 2 }), VssError, "already");
   * vss.drop(made.name);
   * ```
   */
  create(name: string, options: CreateOptions): Collection {
    const flags = FLAGS.VSS_OPEN_CREATE | FLAGS.VSS_OPEN_EXCLUSIVE;
    return this.#bind("create", name, createFields(options, flags));
  }

  /**
   * Opens a collection.
   *
   * @param name Its name.
   * @param options What for, and what it is to be if it is not there.
   * @returns The collection.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses: `ENOENT` where there is none of this name, `EACCES`
   * where its mode forbids it, `EINVAL` where it is to be made with another dimension or metric than
   * it has.
   *
   * @example Usage
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Vss } from "@vss/vss";
   *
   * using vss = Vss.open();
   * using first = vss.collection("example-both", { create: { dimension: 2 } });
   * using second = vss.collection("example-both");
   *
   * assertEquals(first.serial, second.serial);
   * vss.drop("example-both");
   * ```
   */
  collection(name: string, options: OpenOptions = {}): Collection {
    const { access = "both", create } = options;
    const known = Object.hasOwn(ACCESS_FLAGS, access);
    if (!known) throw new RangeError(`Access must be read, write or both, not ${String(access)}`);
    const flags = ACCESS_FLAGS[access];
    if (create === undefined) return this.#bind("open", name, { flags });
    return this.#bind("open", name, createFields(create, flags | FLAGS.VSS_OPEN_CREATE));
  }

  /**
   * Makes a collection without a name: nobody else can open it, and its rows go when it is closed.
   *
   * @param options What it is to be.
   * @returns The collection.
   * @throws {TypeError} If something has a wrong type.
   * @throws {RangeError} If something is outside its limits.
   * @throws {VssError} If the device refuses: `ENOSPC` where there are as many collections as there
   * may be, `ENOMEM`.
   */
  privateCollection(options: PrivateOptions): Collection {
    const fields = createFields(options, FLAGS.VSS_OPEN_PRIVATE);
    return this.#bind("create", PRIVATE, { ...fields, mode: 0 });
  }

  /**
   * Takes a collection's name away. Its rows stay for those who have it open, and go with the last.
   *
   * @param name Its name.
   * @throws {TypeError} If the name is not a string.
   * @throws {RangeError} If no collection can have it.
   * @throws {VssError} If the device refuses: `ENOENT` where there is none of this name, `EACCES`
   * where it is another's.
   */
  drop(name: string): void {
    const view = argument(COMMANDS_2.VSS_DROP, {});
    view.setAll("name", encodeName(name));
    this.#run(this.#file, COMMANDS_2.VSS_DROP, view, "drop", `drop collection "${name}" of`);
  }

  /** Closes the device. Closing twice is harmless; collections stay open. */
  close(): void {
    this.#file.close();
  }

  /** Closes the device at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Binds another open file of the device to a collection. */
  #bind(operation: Operation, name: string | typeof PRIVATE, fields: OpenFields): Collection {
    const view = argument(COMMANDS_2.VSS_OPEN, fields);
    if (name !== PRIVATE) view.setAll("name", encodeName(name));
    const what = name === PRIVATE ? "a private collection" : `collection "${name}"`;
    const verb = `${operation} ${what} on`;
    if (!this.#file.isOpen) this.#run(this.#file, COMMANDS_2.VSS_OPEN, view, operation, verb);
    const file = DeviceFile.open(this.path);
    try {
      this.#run(file, COMMANDS_2.VSS_OPEN, view, operation, verb);
    } catch (error) {
      file.close();
      throw error;
    }
    return bindCollection(file, {
      name: name === PRIVATE ? "" : name,
      dimension: view.get("dimension"),
      metric: view.get("metric"),
      serial: view.get("serial"),
    });
  }

  #run<Specs extends FieldSpecs>(
    file: DeviceFile,
    command: SizedCommand<Specs>,
    view: StructView<Specs>,
    operation: Operation,
    verb: string,
    writes: { readonly [Name in keyof Specs]?: ArrayBufferView } = {},
  ): void {
    const errno = file.run(piece(command, view, { writes }));
    if (errno === 0) return;
    const meanings: Meanings = file.isOpen ? MEANINGS : {
      EBADF: { meaning: "the device is closed", advice: "open it again" },
    };
    throw failed(errno, { operation, subject: `${verb} ${this.path}`, meanings });
  }
}

/** Fields of `struct vss_open`. */
type OpenFields = { readonly [Name in keyof typeof OPEN.fields]?: number | bigint };

/** What errnos mean where collections are made, opened and dropped. */
const MEANINGS: Meanings = {
  ENOENT: { meaning: "there is no such collection", advice: "create it, or list those there are" },
  EEXIST: { meaning: "there is a collection of this name already", advice: "open or drop it" },
  EACCES: {
    meaning: "the collection's mode forbids it, or it is another's",
    advice: "ask its owner, or run as root",
  },
  EINVAL: {
    meaning: "the driver refuses a value, or the collection has another dimension or metric",
    advice: "list the collections to see what it has",
  },
  ENOSPC: {
    meaning: "there are as many collections as there may be",
    advice: "drop some, or load the driver with a greater `max_collections`",
  },
  ...FORGETFUL,
};

/** The flag bits of what a collection is opened for. */
const ACCESS_FLAGS = {
  read: FLAGS.VSS_OPEN_READ_ONLY,
  write: FLAGS.VSS_OPEN_WRITE_ONLY,
  both: 0,
} as const satisfies Record<Access, number>;

/** Characters that no name has: `/`, and control characters. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const FORBIDDEN = /[/\u0000-\u001f\u007f-\u009f]/;

/**
 * Checks a collection's name.
 *
 * @param name What should be 1 to 63 bytes of UTF-8, without `/` and control characters.
 * @returns Its bytes.
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If it is another string.
 */
function encodeName(name: unknown): Uint8Array {
  if (typeof name !== "string") throw new TypeError(`Name must be a string, not ${typeof name}`);
  const bytes = new TextEncoder().encode(name);
  const allowed = name.isWellFormed() && !FORBIDDEN.test(name);
  if (allowed && bytes.length >= 1 && bytes.length <= LIMITS.name) return bytes;
  const rule =
    `Name must have 1 to ${LIMITS.name} bytes of UTF-8, without "/" and control characters`;
  throw new RangeError(`${rule}, not ${JSON.stringify(name.slice(0, 100))}`);
}

/** Checks what a new collection is to be, and adds to the flags what it asks for. */
function createFields(options: CreateOptions, flags: number): OpenFields {
  const { dimension, metric = "l2sq", mode = DEFAULT_MODE, codes = true } = options;
  checkInteger("Dimension", dimension, { least: 1, most: LIMITS.dimension });
  const number = METRICS.indexOf(metric);
  if (number < 0) {
    throw new RangeError(`Metric must be ${METRICS.join(", ")}, not ${String(metric)}`);
  }
  const settings = settingFields({ ...options, mode });
  if (typeof codes !== "boolean") {
    throw new TypeError(`Codes must be true or false, not ${describe(codes)}`);
  }
  return {
    flags: codes ? flags : flags | FLAGS.VSS_OPEN_NO_CODES,
    dimension,
    metric: number,
    ...settings,
  };
}

function readRecord(bytes: Uint8Array<ArrayBuffer>): CollectionInfo {
  const view = LIST_RECORD.on(bytes);
  return {
    name: view.getText("name"),
    serial: fromU64(view.get("serial")),
    count: Number(view.get("count")),
    capacity: Number(view.get("capacity")),
    bytes: Number(view.get("bytes")),
    dimension: view.get("dimension"),
    metric: METRICS[view.get("metric")]!,
    evict: EVICTIONS[view.get("eviction")]!,
    ttl: toMilliseconds(view.get("ttl")),
    mode: view.get("mode"),
    uid: view.get("uid"),
    gid: view.get("gid"),
  };
}
