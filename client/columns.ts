// SPDX-License-Identifier: MIT
/**
 * Rows as the device takes and gives them: one array a column.
 *
 * @module
 */
import { LIMITS, NO_PAYLOAD, TTL_NEVER } from "./protocol2.ts";
import type { Columns, Id, PayloadInput, PayloadKind, RowInput, TagFilter } from "./rows.ts";
import { toNanoseconds } from "./settings.ts";
import { copyComponents, describe, isFloat32Array } from "./validate.ts";

/** The greatest id. */
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** How many values a word has. */
const WORD = 2 ** 32;

/** Below this higher word, a number holds all of an integer. */
const EXACT_HIGH = 2 ** 21;

/**
 * Makes a 64-bit integer.
 *
 * @param value What should be an unsigned 64-bit integer.
 * @param name What it is called in the error.
 * @param index Which of those, if there are several.
 * @returns The integer.
 * @throws {TypeError} If it is neither a number nor a bigint.
 * @throws {RangeError} If it is negative, too great, or a number that is not exact.
 */
export function toU64(value: unknown, name: string, index?: number): bigint {
  if (isExact(value)) return BigInt(value);
  if (typeof value === "bigint" && value >= 0n && value <= MAX_U64) return value;
  const what = index === undefined ? name : `${name} ${index}`;
  if (typeof value === "number") {
    const rule = `${what} must be an integer from 0 to 2^53 - 1, or a bigint to 2^64 - 1`;
    throw new RangeError(`${rule}, not ${value}`);
  }
  if (typeof value === "bigint") {
    throw new RangeError(`${what} must be from 0 to 2^64 - 1, not ${value}`);
  }
  throw new TypeError(`${what} must be a number or a bigint, not ${describe(value)}`);
}

/** Whether a value is a number that is exactly an unsigned integer. */
function isExact(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Makes an id or tags of a 64-bit integer.
 *
 * @param value The integer.
 * @returns It as a number while that is exact, as a bigint beyond.
 */
export function fromU64(value: bigint): Id {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/**
 * Writes a 64-bit integer as two words.
 *
 * @param words The words.
 * @param at Where the lower one goes; the higher one comes behind it.
 * @param value What should be an unsigned 64-bit integer.
 * @param name What it is called in the error.
 * @param index Which of those, if there are several.
 * @throws {TypeError | RangeError} If it is none, as {@linkcode toU64} says.
 */
export function writeU64(
  words: Uint32Array,
  at: number,
  value: unknown,
  name: string,
  index?: number,
): void {
  if (isExact(value)) {
    words[at] = value;
    words[at + 1] = value / WORD;
    return;
  }
  const integer = toU64(value, name, index);
  words[at] = Number(integer & 0xffff_ffffn);
  words[at + 1] = Number(integer >> 32n);
}

/**
 * Makes an id or tags of two words, as {@linkcode fromU64} does, without a bigint where a number will
 * do.
 *
 * @param words The words.
 * @param at Where the lower one is.
 * @returns The integer.
 */
export function readU64(words: Uint32Array, at: number): Id {
  const low = words[at]!;
  const high = words[at + 1]!;
  if (high === 0) return low;
  return high < EXACT_HIGH ? high * WORD + low : (BigInt(high) << 32n) | BigInt(low);
}

/**
 * Checks a tag filter, but for its two integers.
 *
 * @param filter What should be a filter.
 * @throws {TypeError} If it is none.
 */
export function checkFilter(filter: unknown): asserts filter is TagFilter {
  if (typeof filter === "object" && filter !== null) return;
  throw new TypeError(`Tags must be a filter of mask and value, not ${describe(filter)}`);
}

/**
 * Checks 64-bit integers.
 *
 * @param values What should be ids, or tags.
 * @param name What each is called in the error, before its index.
 * @returns The integers; a `BigUint64Array` is given back as it is.
 * @throws {TypeError} If they are no array, or one is neither a number nor a bigint.
 * @throws {RangeError} If one is out of range.
 */
export function toU64s(values: unknown, name: string): BigUint64Array {
  if (values instanceof BigUint64Array) return values;
  if (!Array.isArray(values)) {
    const rule = `${name}s must be a BigUint64Array or an array`;
    throw new TypeError(`${rule}, not ${describe(values)}`);
  }
  const words = new Uint32Array(2 * values.length);
  for (let i = 0; 2 * i < words.length; i++) writeU64(words, 2 * i, values[i], name, i);
  return new BigUint64Array(words.buffer);
}

/**
 * Checks vectors.
 *
 * @param vectors n × dimension components in one `Float32Array`, which is given back as it is and
 * whose components the device checks; or n vectors, which are checked and copied.
 * @param dimension Components of each.
 * @param name What each is called in the error, before its index.
 * @returns The components, row after row.
 * @throws {TypeError} If they are neither.
 * @throws {RangeError} If a vector has another number of components, or one that is not finite.
 */
export function toComponents(vectors: unknown, dimension: number, name: string): Float32Array {
  if (isFloat32Array(vectors)) {
    if (vectors.length % dimension === 0) return vectors;
    const rule = `${name}s in one Float32Array must have a multiple of ${dimension} components`;
    throw new RangeError(`${rule}, not ${vectors.length}`);
  }
  if (!Array.isArray(vectors)) {
    const rule = `${name}s must be a Float32Array or an array of vectors`;
    throw new TypeError(`${rule}, not ${describe(vectors)}`);
  }
  const components = new Float32Array(vectors.length * dimension);
  for (let i = 0; i < vectors.length; i++) {
    const into = components.subarray(i * dimension, (i + 1) * dimension);
    copyComponents(vectors[i], into, `${name} ${i}`, dimension, dimension);
  }
  return components;
}

const encoder = new TextEncoder();

/**
 * Makes bytes of a payload.
 *
 * @param payload The payload.
 * @param name What it is called in the error.
 * @returns Its bytes, or `undefined` for none.
 * @throws {TypeError} If it is nothing that JSON can hold.
 * @throws {RangeError} If it is longer than 64 KiB.
 */
export function encodePayload(payload: PayloadInput, name: string): Uint8Array | undefined {
  if (payload === undefined || payload === null) return undefined;
  const bytes = payload instanceof Uint8Array ? payload : encoder.encode(toText(payload, name));
  if (bytes.length <= LIMITS.payload) return bytes;
  throw new RangeError(`${name} must have at most ${LIMITS.payload} bytes, not ${bytes.length}`);
}

function toText(payload: unknown, name: string): string {
  if (typeof payload === "string") {
    if (payload.isWellFormed()) return payload;
    throw new TypeError(`${name} must be well-formed Unicode, and not hold half a surrogate pair`);
  }
  return encodeJson(payload, name, "bytes, a string or a JSON value");
}

/**
 * Makes JSON of a value.
 *
 * @param value The value.
 * @param name What it is called in the error.
 * @param accepted What it may be, in words.
 * @returns The JSON.
 * @throws {TypeError} If it is nothing that JSON can hold.
 */
export function encodeJson(value: unknown, name: string, accepted = "a JSON value"): string {
  const rule = `${name} must be ${accepted}, not ${describe(value)}`;
  if (!isJson(value)) throw new TypeError(rule);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`${name} cannot be made JSON: ${(cause as Error).message}`, { cause });
  }
  if (text === undefined) throw new TypeError(rule);
  return text;
}

/** Whether a value is one that JSON is made for: of a Map, say, it would keep nothing. */
function isJson(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || "toJSON" in value;
}

/**
 * Reads a payload.
 *
 * @param bytes Its bytes, which are copied.
 * @param kind What to make of them.
 * @returns The payload.
 * @throws {SyntaxError} If it should be JSON and is not.
 */
export function decodePayload(bytes: Uint8Array, kind: PayloadKind): unknown {
  if (kind === "bytes") return bytes.slice();
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return kind === "text" ? text : JSON.parse(text);
}

/** Rows on their way to the device. */
export interface Table {
  /** How many. */
  readonly count: number;
  /** Their ids. */
  readonly ids: BigUint64Array;
  /** Their components, row after row. */
  readonly vectors: Float32Array;
  /** Their tags, or none. */
  readonly tags: BigUint64Array | undefined;
  /** Their payloads, or none. */
  readonly payloads: readonly (Uint8Array | undefined)[] | undefined;
  /** Their lifetimes in nanoseconds, or none: that of the collection. */
  readonly ttls: BigUint64Array | undefined;
}

/**
 * Checks rows and makes columns of them.
 *
 * @param rows Rows, or columns.
 * @param dimension Components of a vector.
 * @param ttl The lifetime of rows that have none of their own, in milliseconds.
 * @returns The columns.
 * @throws {TypeError} If something has a wrong type; the message names the row.
 * @throws {RangeError} If something is out of range, or columns are not equally long.
 */
export function toTable(
  rows: readonly RowInput[] | Columns,
  dimension: number,
  ttl?: number,
): Table {
  if (typeof rows !== "object" || rows === null) {
    throw new TypeError(`Rows must be an array of rows, or columns, not ${describe(rows)}`);
  }
  const columns = Array.isArray(rows) ? columnsOf(rows) : rows as Columns;
  const ids = toU64s(columns.ids, "Id");
  const vectors = toComponents(columns.vectors, dimension, "Vector");
  const count = ids.length;
  requireLength("vectors", vectors.length / dimension, count);
  const tags = columns.tags === undefined ? undefined : toU64s(columns.tags, "Tags");
  requireLength("tags", tags?.length ?? count, count);
  if (columns.payloads !== undefined && !Array.isArray(columns.payloads)) {
    throw new TypeError(`Payloads must be an array, not ${describe(columns.payloads)}`);
  }
  const payloads = columns.payloads?.map((payload, i) => encodePayload(payload, `Payload ${i}`));
  requireLength("payloads", payloads?.length ?? count, count);
  const ttls = toTtls(columns.ttls, ttl, count);
  requireLength("ttls", ttls?.length ?? count, count);
  return { count, ids, vectors, tags, payloads, ttls };
}

/** Makes lifetimes of a column of them and of that of all other rows; none where neither is given. */
function toTtls(ttls: unknown, ttl: unknown, count: number): BigUint64Array | undefined {
  const other = toTtl(ttl, "Ttl");
  if (ttls === undefined) {
    return other === 0n ? undefined : new BigUint64Array(count).fill(other);
  }
  if (!Array.isArray(ttls) && !(ttls instanceof Float64Array)) {
    throw new TypeError(`Ttls must be a Float64Array or an array, not ${describe(ttls)}`);
  }
  return BigUint64Array.from(ttls, (own, i) => own === undefined ? other : toTtl(own, `Ttl ${i}`));
}

/**
 * Makes a row's lifetime.
 *
 * @param ttl What should be milliseconds, or left out.
 * @param name What it is called in the error.
 * @returns It in nanoseconds, as the device takes it.
 * @throws {TypeError | RangeError} If it is none.
 */
export function toTtl(ttl: unknown, name: string): bigint {
  if (ttl === undefined) return 0n;
  return ttl === Infinity ? TTL_NEVER : toNanoseconds(ttl, name);
}

function columnsOf(rows: readonly RowInput[]): Columns {
  const wrong = rows.findIndex((row) => typeof row !== "object" || row === null);
  if (wrong >= 0) {
    throw new TypeError(`Row ${wrong} must be an object, not ${describe(rows[wrong])}`);
  }
  return {
    ids: rows.map((row) => row.id),
    vectors: rows.map((row) => row.vector),
    ...(rows.some((row) => row.tags !== undefined)
      ? { tags: rows.map((row) => row.tags ?? 0) }
      : {}),
    ...(rows.some((row) => row.payload !== undefined)
      ? { payloads: rows.map((row) => row.payload) }
      : {}),
    ...(rows.some((row) => row.ttl !== undefined) ? { ttls: rows.map((row) => row.ttl) } : {}),
  };
}

function requireLength(name: string, length: number, count: number): void {
  if (length === count) return;
  throw new RangeError(`Columns must be equally long: ${count} ids, but ${length} ${name}`);
}

/** Payloads as the device takes them. */
export interface PayloadBlock {
  /** Their sizes. */
  readonly sizes: Uint32Array<ArrayBuffer>;
  /** Their bytes, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Lays payloads one after the other.
 *
 * @param payloads The payloads.
 * @returns Their sizes and bytes.
 */
export function packPayloads(payloads: readonly (Uint8Array | undefined)[]): PayloadBlock {
  const sizes = Uint32Array.from(payloads, (payload) => payload?.length ?? NO_PAYLOAD);
  const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + (payload?.length ?? 0), 0));
  let offset = 0;
  for (const payload of payloads) {
    if (payload === undefined) continue;
    bytes.set(payload, offset);
    offset += payload.length;
  }
  return { sizes, bytes };
}
