// SPDX-License-Identifier: MIT
/**
 * What callers put into collections and get out of them.
 *
 * @module
 */
import type { Vector } from "./validate.ts";

/**
 * A row's id, or its tags: an unsigned 64-bit integer. Where the library gives one, it is a number
 * as long as that is exact (to 2^53 − 1), and a bigint beyond.
 */
export type Id = number | bigint;

/** How distance is measured; smaller is nearer. `ip` is 1 − inner product, `cos` 1 − cosine. */
export type Metric = "l2sq" | "ip" | "cos";

/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * What may be kept with a row, up to 64 KiB: bytes as they are, a string as UTF-8, anything else as
 * JSON. (A string that is to be read back as JSON must be made JSON by the caller.) `undefined` and
 * `null` keep nothing.
 */
export type PayloadInput = Uint8Array | JsonValue | undefined;

/** What a payload is read back as. */
export type PayloadKind = "bytes" | "text" | "json";

/** One row to put. */
export interface RowInput {
  /** Its id. */
  readonly id: Id;
  /** Its vector: as many finite numbers as the collection's dimension. */
  readonly vector: Vector;
  /** Its tags, 64 bits to filter by; 0 where left out. */
  readonly tags?: Id | undefined;
  /** What is kept with it. */
  readonly payload?: PayloadInput;
  /**
   * For how long it is kept, in milliseconds; for ever, where it is `Infinity`; as the other rows of
   * the call, where it is left out.
   */
  readonly ttl?: number | undefined;
}

/** Many rows to put, column by column: the fast way. */
export interface Columns {
  /** n ids; a `BigUint64Array` is not copied. */
  readonly ids: BigUint64Array | readonly Id[];
  /** n × dimension components, row after row: not copied. Or n vectors. */
  readonly vectors: Float32Array | readonly Vector[];
  /** n tags; all 0 where left out. A `BigUint64Array` is not copied. */
  readonly tags?: BigUint64Array | readonly Id[] | undefined;
  /** n payloads; none where left out. */
  readonly payloads?: readonly PayloadInput[] | undefined;
  /** n lifetimes in milliseconds; where it, or one of them, is left out, as {@linkcode RowInput} has it. */
  readonly ttls?: Float64Array | readonly (number | undefined)[] | undefined;
}

/** A row as it is stored. */
export interface Row {
  /** Its id. */
  id: Id;
  /** Its vector, if that was asked for. */
  vector?: Float32Array<ArrayBuffer>;
  /** Its tags, if they were asked for. */
  tags?: Id;
  /** What is kept with it, if that was asked for; `undefined` where nothing is. */
  // deno-lint-ignore no-explicit-any -- what JSON holds is the caller's knowledge
  payload?: any;
}

/** A row that a search found. */
export interface Match {
  /** The row's id. */
  id: Id;
  /** Its distance from the query; `Infinity` where a 32-bit float overflows. */
  distance: number;
  /** Its tags, if they were asked for. */
  tags?: Id;
  /** What is kept with it, if that was asked for; `undefined` where nothing is. */
  // deno-lint-ignore no-explicit-any -- what JSON holds is the caller's knowledge
  payload?: any;
}

/** Which rows are wanted: those for which `(tags & mask) === value`. */
export interface TagFilter {
  /** The bits that are looked at. */
  readonly mask: Id;
  /** What they must be. */
  readonly value: Id;
}
