// SPDX-License-Identifier: MIT
/**
 * Reads flatbuffers far enough to see whether they can be believed: every place lies inside, and all
 * that is said to be there, read once, is not many times what there is. (A vector of 2^31 tables, or
 * tables that share their children again and again, would keep a library busy for ever.)
 *
 * The format: https://flatbuffers.dev/internals/
 *
 * @module
 */

/** How often what a buffer has may be read through it, by places that share it. */
const MOST_SHARING = 16;

/** Bytes that any buffer may be worth. */
const SMALL = 4096;

/** Says that a buffer is none, or not worth reading. */
export class FlatbufferError extends Error {}

/** A table: how its fields are found. */
export class Table {
  readonly #buffer: Flatbuffer;
  readonly #place: number;
  readonly #fields: number;
  readonly #fieldsBytes: number;

  /** The table at a place. */
  constructor(buffer: Flatbuffer, place: number) {
    this.#buffer = buffer;
    this.#place = place;
    this.#fields = place - buffer.view.getInt32(place, true);
    this.#fieldsBytes = buffer.view.getUint16(this.#fields, true);
    buffer.spend(4);
  }

  /** Where a field is; none where the table does not have it. */
  #at(field: number): number | undefined {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#fieldsBytes) return undefined;
    const offset = this.#buffer.view.getUint16(this.#fields + entry, true);
    return offset === 0 ? undefined : this.#place + offset;
  }

  /** What a field points to. */
  #target(field: number): number | undefined {
    const at = this.#at(field);
    return at === undefined ? undefined : at + this.#buffer.view.getUint32(at, true);
  }

  /** A field of one byte; 0 where there is none. */
  byte(field: number): number {
    const at = this.#at(field);
    return at === undefined ? 0 : this.#buffer.view.getUint8(at);
  }

  /** A field of 64 bits; 0 where there is none. */
  long(field: number): bigint {
    const at = this.#at(field);
    return at === undefined ? 0n : this.#buffer.view.getBigInt64(at, true);
  }

  /** A table that a field points to. */
  table(field: number): Table | undefined {
    const place = this.#target(field);
    return place === undefined ? undefined : new Table(this.#buffer, place);
  }

  /** Where the elements of a vector begin, and how many there are; a string is one of bytes. */
  vector(field: number, bytes: number): { first: number; count: number } {
    const place = this.#target(field);
    if (place === undefined) return { first: 0, count: 0 };
    const first = place + 4, count = this.#buffer.view.getUint32(place, true);
    if (first + count * bytes > this.#buffer.view.byteLength) {
      throw new FlatbufferError(`a vector of ${count} in ${this.#buffer.view.byteLength} bytes`);
    }
    this.#buffer.spend(count * bytes);
    return { first, count };
  }

  /** The tables of a vector. */
  *tables(field: number): Generator<Table> {
    const { first, count } = this.vector(field, 4);
    for (let at = first; at < first + 4 * count; at += 4) {
      yield new Table(this.#buffer, at + this.#buffer.view.getUint32(at, true));
    }
  }

  /** The structs of a vector, of two numbers of 64 bits each. */
  *pairs(field: number): Generator<readonly [bigint, bigint]> {
    const { view } = this.#buffer;
    const { first, count } = this.vector(field, 16);
    for (let at = first; at < first + 16 * count; at += 16) {
      yield [view.getBigInt64(at, true), view.getBigInt64(at + 8, true)];
    }
  }
}

/** A buffer, and how much of it has been read. */
export class Flatbuffer {
  /** Its bytes. */
  readonly view: DataView;
  #left: number;

  /** A buffer of these bytes. */
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#left = MOST_SHARING * bytes.length + SMALL;
  }

  /** The table that it is. */
  get root(): Table {
    return new Table(this, this.view.getUint32(0, true));
  }

  /** Takes note of what is read. */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new FlatbufferError("parts that are shared too often");
  }
}
