// SPDX-License-Identifier: MIT
/**
 * What all formats ask of a row's parts, wherever they come from.
 *
 * @module
 */
import { describe } from "../validate.ts";
import { toU64 } from "../columns.ts";
import { LIMITS } from "../protocol2.ts";
import type { Id, PayloadInput } from "../rows.ts";
import { type BadRow, type ByteSource, type FileRow, FormatError } from "./format.ts";

/** What is wrong with one row: it becomes a {@linkcode BadRow}. */
export class RowError extends Error {
  /** The name of this class. */
  override readonly name: string = "RowError";
}

/** The parts of a row as a file has them, before they are checked. */
export interface Cells {
  /** An unsigned 64-bit integer as a number, a bigint or decimal digits. */
  readonly id?: unknown;
  /** Numbers. */
  readonly vector?: unknown;
  /** What the vector is to be made of. */
  readonly text?: unknown;
  /** As the id. */
  readonly tags?: unknown;
  /** What is kept. */
  readonly payload?: PayloadInput;
}

/**
 * Checks the dimension that a file says its vectors have, before anything is allocated for it.
 *
 * @param name The file.
 * @param dimension What it says.
 * @param expected What it should be, where that is known.
 * @returns The dimension.
 * @throws {FormatError} If no collection, or not this one, could hold such vectors.
 */
export function checkDimension(name: string, dimension: number, expected?: number): number {
  const limits = `1 to ${LIMITS.dimension}`;
  if (!(dimension >= 1 && dimension <= LIMITS.dimension)) {
    throw new FormatError(`${name} must have vectors of ${limits} components, not ${dimension}`);
  }
  if (expected === undefined || dimension === expected) return dimension;
  throw new FormatError(`${name} must have vectors of ${expected} components, not ${dimension}`);
}

/** Checks rows one by one; all vectors must have as many components as the first. */
export class RowChecker {
  #dimension: number | undefined;

  /** Expects a dimension, or learns it from the first vector. */
  constructor(dimension: number | undefined) {
    this.#dimension = dimension;
  }

  /**
   * Checks a row.
   *
   * @param place Which row of the file it is.
   * @param read Reads its parts; a {@linkcode RowError} that it throws makes the row a bad one.
   * @param line The line that it begins on, where that is not its place.
   * @returns The row, good or bad.
   */
  check(place: number, read: () => Cells, line?: number): FileRow | BadRow {
    try {
      return this.#row(place, read());
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { place, reason: error.message, ...(line === undefined ? {} : { line }) };
    }
  }

  #row(place: number, { id, vector, text, tags, payload }: Cells): FileRow {
    const row = {
      place,
      id: id === undefined || id === null ? place - 1 : toInteger(id, "Id"),
      ...(tags === undefined || tags === null ? {} : { tags: toInteger(tags, "Tags") }),
      ...(payload === undefined || payload === null ? {} : { payload: checkPayload(payload) }),
    };
    const hasText = text !== undefined && text !== null;
    if ((vector === undefined || vector === null) !== hasText) {
      throw new RowError("Row must have a vector or a text, and not both");
    }
    if (!hasText) return { ...row, vector: this.#vector(vector) };
    if (typeof text === "string" && text.trim() !== "") return { ...row, text };
    throw new RowError(`Text must be a string that holds more than blanks, not ${show(text)}`);
  }

  #vector(values: unknown): Float32Array {
    const vector = toVector(values);
    const expected = this.#dimension ?? vector.length;
    if (vector.length !== expected) {
      throw new RowError(`Vector must have ${expected} components, not ${vector.length}`);
    }
    this.#dimension = expected;
    return vector;
  }
}

/** How an error shows a value. */
function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  const text = JSON.stringify(value) ?? describe(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Reads an unsigned 64-bit integer. */
function toInteger(value: unknown, name: string): Id {
  const digits = typeof value === "string" && /^\d{1,20}$/.test(value);
  try {
    const integer = toU64(digits ? BigInt(value) : value, name);
    return integer <= Number.MAX_SAFE_INTEGER ? Number(integer) : integer;
  } catch {
    const hint = typeof value === "number" && value > Number.MAX_SAFE_INTEGER
      ? ", as a string of digits where it is beyond 2^53 - 1"
      : "";
    throw new RowError(`${name} must be an integer from 0 to 2^64 - 1${hint}, not ${show(value)}`);
  }
}

function checkPayload(payload: PayloadInput): PayloadInput {
  const bytes = payload instanceof Uint8Array
    ? payload.length
    : new TextEncoder().encode(typeof payload === "string" ? payload : JSON.stringify(payload))
      .length;
  if (bytes <= LIMITS.payload) return payload;
  throw new RowError(`Payload must have at most ${LIMITS.payload} bytes, not ${bytes}`);
}

/** Reads a vector of finite 32-bit floats. */
function toVector(values: unknown): Float32Array {
  const numbers = ArrayBuffer.isView(values) || Array.isArray(values)
    ? values as ArrayLike<unknown>
    : undefined;
  if (numbers === undefined) throw new RowError(`Vector must be numbers, not ${show(values)}`);
  if (numbers.length < 1 || numbers.length > LIMITS.dimension) {
    const rule = `Vector must have 1 to ${LIMITS.dimension} components`;
    throw new RowError(`${rule}, not ${numbers.length}`);
  }
  const vector = new Float32Array(numbers.length);
  for (let i = 0; i < vector.length; i++) {
    const value = numbers[i];
    if (typeof value !== "number") {
      throw new RowError(`Component ${i} must be a number, not ${show(value)}`);
    }
    vector[i] = value;
    if (!Number.isFinite(vector[i])) {
      throw new RowError(`Component ${i} must be finite as a 32-bit float, not ${value}`);
    }
  }
  return vector;
}

/**
 * Makes a text of a 32-bit float that reads back as the same float.
 *
 * @param value The float.
 * @returns The text; `-0` keeps its sign.
 */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * Reads a payload as text.
 *
 * @param bytes The payload.
 * @returns The text, or `undefined` where the bytes are no UTF-8.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A source that failed while a library read it. */
class SourceFailure extends Error {}

/**
 * Marks what a source throws, so that it is told from what a library says of the bytes.
 *
 * @param source The source.
 * @returns The same bytes.
 */
export function marked(source: ByteSource): ByteSource {
  const { name, size, slice } = source;
  const fail = (cause: unknown): never => {
    throw new SourceFailure("", { cause });
  };
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      yield* source.bytes();
    } catch (cause) {
      fail(cause);
    }
  }
  if (slice === undefined) return { name, size, bytes };
  return { name, size, bytes, slice: (start, end) => slice(start, end).catch(fail) };
}

/**
 * Tells why a library gave up.
 *
 * @param error What it threw while it read a {@linkcode marked} source.
 * @param what What the file should have been.
 * @returns What the source threw; else an error of the format, as the file is not what it should be.
 */
export function libraryError(error: unknown, what: string): unknown {
  if (error instanceof SourceFailure) return error.cause;
  if (error instanceof FormatError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FormatError(`${what}: ${message}`, { cause: error });
}

/** Rows that are given on at a time. */
export const BATCH_ROWS = 1_000;

/** Bytes of vectors that are given on at a time, and of rows that are written at a time. */
export const BATCH_BYTES = 1 << 20;

/** How many rows of some bytes each make a batch. */
export function batchRows(rowBytes: number): number {
  return Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_BYTES / rowBytes)));
}
