// SPDX-License-Identifier: MIT
/**
 * A collection's settings, as callers give them and as the device takes them.
 *
 * @module
 */
import type { Meanings } from "./calls.ts";
import { EVICTIONS } from "./protocol2.ts";
import { checkInteger, describe } from "./validate.ts";

/**
 * What a full collection does: `none` refuses further rows, `fifo` drops the row that was put first,
 * `lru` one that neither a search nor a get has returned lately.
 */
export type Eviction = "none" | "fifo" | "lru";

/** How much a collection keeps, and for how long. */
export interface RetentionOptions {
  /** Rows that it may hold; as many as the driver allows, where it is 0. */
  readonly capacity?: number | undefined;
  /**
   * Bytes of kernel memory that its rows may take, as {@linkcode CollectionStats.bytes} counts them;
   * no limit of its own, where it is 0. Rows take memory in blocks of 2 MiB.
   */
  readonly maxBytes?: number | undefined;
  /** What it does when it is full; `none`, where a new collection is not told. */
  readonly evict?: Eviction | undefined;
  /**
   * For how long a row is kept after it was put, in milliseconds; for ever, where it is 0 or
   * `Infinity`. Fractions count, down to a nanosecond.
   */
  readonly ttl?: number | undefined;
}

/** What a collection may be told besides. */
interface Settings extends RetentionOptions {
  /** Permission bits. */
  readonly mode?: number | undefined;
}

/** The settings as the fields of a struct. */
interface SettingFields {
  readonly capacity: number;
  readonly max_bytes: number;
  readonly eviction: number;
  readonly ttl: bigint;
  readonly mode: number;
}

/** Nanoseconds of a millisecond. */
const NANOSECONDS = 1e6;

/** The longest lifetime, in milliseconds: 285 years, which the kernel's clock can hold. */
const MAX_TTL = 9e12;

/** What the device means by an error where it is one that forgets nothing. */
export const FORGETFUL = {
  EOPNOTSUPP: {
    meaning: "the driver neither evicts rows nor lets them expire",
    advice: "load a driver as new as this client, or leave evict, ttl and maxBytes out",
  },
  E2BIG: {
    meaning: "the driver knows neither maxBytes nor lifetimes of rows",
    advice: "load a driver as new as this client, or leave maxBytes and ttl out",
  },
} as const satisfies Meanings;

/**
 * Checks settings.
 *
 * @param settings What should be settings; those that are left out are 0.
 * @returns The fields.
 * @throws {TypeError | RangeError} If one is none.
 */
export function settingFields(settings: Settings): SettingFields {
  const { capacity = 0, maxBytes = 0, evict = "none", ttl = 0, mode = 0 } = settings;
  checkInteger("Capacity", capacity, { least: 0, most: Number.MAX_SAFE_INTEGER });
  checkInteger("Max bytes", maxBytes, { least: 0, most: Number.MAX_SAFE_INTEGER });
  const eviction = EVICTIONS.indexOf(evict);
  if (eviction < 0) {
    const given = typeof evict === "string" ? evict : describe(evict);
    throw new RangeError(`Evict must be ${EVICTIONS.join(", ")}, not ${given}`);
  }
  checkMode(mode);
  const nanoseconds = ttl === 0 || ttl === Infinity ? 0n : toNanoseconds(ttl, "Ttl");
  return { capacity, max_bytes: maxBytes, eviction, ttl: nanoseconds, mode };
}

/**
 * Checks a lifetime.
 *
 * @param ttl What should be milliseconds.
 * @param name What it is called in the error.
 * @returns It in nanoseconds.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is less than a nanosecond, or too long.
 */
export function toNanoseconds(ttl: unknown, name: string): bigint {
  const rule = `${name} must be a number of milliseconds from 0.000001 to ${MAX_TTL}, or Infinity`;
  if (typeof ttl !== "number") throw new TypeError(`${rule}, not ${describe(ttl)}`);
  const nanoseconds = Math.round(ttl * NANOSECONDS);
  if (nanoseconds >= 1 && ttl <= MAX_TTL) return BigInt(nanoseconds);
  throw new RangeError(`${rule}, not ${ttl}`);
}

/**
 * Reads a lifetime.
 *
 * @param nanoseconds It in nanoseconds.
 * @returns It in milliseconds.
 */
export function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / NANOSECONDS;
}

function checkMode(mode: unknown): asserts mode is number {
  checkInteger("Mode", mode, { least: 0, most: 0o666 });
  if ((mode & ~0o666) === 0) return;
  const octal = mode.toString(8).padStart(4, "0");
  throw new RangeError(`Mode must be made of read and write bits alone, not ${octal}`);
}
