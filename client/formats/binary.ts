// SPDX-License-Identifier: MIT
/**
 * What the binary formats share: elements of a fixed size, and records of a fixed size.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { Row } from "../rows.ts";
import { type BadRow, type ByteSource, type FileRow, FormatError } from "./format.ts";
import { batchRows } from "./rows.ts";

/** A type of a vector's components in a file. */
export interface Element {
  /** Bytes of one. */
  readonly bytes: number;
  /** Reads one. */
  readonly get: (view: DataView, offset: number, littleEndian: boolean) => number;
  /** Writes one, in little-endian order. */
  readonly set: (view: DataView, offset: number, value: number) => void;
}

/** The types of components, by the names that numpy has for them. */
export const ELEMENTS = {
  f2: {
    bytes: 2,
    get: (view, offset, little) => view.getFloat16(offset, little),
    set: (view, offset, value) => view.setFloat16(offset, value, true),
  },
  f4: {
    bytes: 4,
    get: (view, offset, little) => view.getFloat32(offset, little),
    set: (view, offset, value) => view.setFloat32(offset, value, true),
  },
  f8: {
    bytes: 8,
    get: (view, offset, little) => view.getFloat64(offset, little),
    set: (view, offset, value) => view.setFloat64(offset, value, true),
  },
  i4: {
    bytes: 4,
    get: (view, offset, little) => view.getInt32(offset, little),
    set: (view, offset, value) => view.setInt32(offset, value, true),
  },
  u1: {
    bytes: 1,
    get: (view, offset) => view.getUint8(offset),
    set: (view, offset, value) => view.setUint8(offset, value),
  },
} as const satisfies Record<string, Element>;

/** Reads as many bytes as are asked for. */
export class ByteReader {
  readonly #source: ByteSource;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;

  /** Reads a source from its beginning. */
  constructor(source: ByteSource) {
    this.#source = source;
    this.#iterator = source.bytes()[Symbol.asyncIterator]();
  }

  /** What messages call the source. */
  get name(): string {
    return this.#source.name;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** Reads bytes: as many as are asked for, or less where they end. */
  async read(most: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < most) {
      const part = await this.#take(most - length);
      if (part.length === 0) break;
      parts.push(part);
      length += part.length;
    }
    return parts.length === 1 ? parts[0]! : concat(parts);
  }

  /** The next bytes, which stay to be read: as many as are asked for, or less where they end. */
  async peek(most: number): Promise<Uint8Array> {
    while (this.#rest.length < most) {
      const { done, value } = await this.#iterator.next();
      if (done) break;
      this.#rest = concat([this.#rest, value]);
    }
    return this.#rest.subarray(0, most);
  }

  /** Passes bytes over. */
  async skip(count: number): Promise<void> {
    while (count > 0) {
      const { length } = await this.#take(count);
      if (length === 0) return;
      count -= length;
    }
  }

  /** The next bytes, at most so many; none at the end. */
  async #take(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) return this.#rest;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    this.#position += part.length;
    return part;
  }

  /** Gives the source back before its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** Records of vectors, one after the other. */
export interface RecordLayout {
  /** Components of each vector. */
  readonly dimension: number;
  /** Their type. */
  readonly element: Element;
  /** The order of an element's bytes; little-endian, where it is left out. */
  readonly littleEndian?: boolean;
  /** Bytes before each vector. */
  readonly head: number;
  /** Checks what stands there. */
  readonly checkHead?: (view: DataView, offset: number, place: number) => void;
  /** Records that there must be; where it is left out, as many as there are. */
  readonly count?: number;
  /** Records that are passed over. */
  readonly skip: number;
}

/**
 * Reads records.
 *
 * @param reader The bytes, from the first record on.
 * @param layout What records are.
 * @returns Batches of rows, whose ids are their places from 0.
 * @throws {FormatError} If the bytes end within a record or before the last, or go on behind it.
 */
export async function* readRecords(
  reader: ByteReader,
  layout: RecordLayout,
): AsyncGenerator<(FileRow | BadRow)[]> {
  const bytes = layout.head + layout.dimension * layout.element.bytes;
  const { count = Infinity } = layout;
  let place = Math.min(layout.skip, count);
  await reader.skip(place * bytes);
  while (place < count) {
    const wanted = Math.min(batchRows(bytes), count - place);
    const piece = await reader.read(wanted * bytes);
    const rows = Math.floor(piece.length / bytes);
    if (rows > 0) yield readPiece(piece, rows, place, layout);
    place += rows;
    if (rows === wanted) continue;
    if (piece.length % bytes === 0 && count === Infinity) break;
    const of = count === Infinity ? "" : ` of ${count}`;
    throw new FormatError(
      `${reader.name} ends within row ${place + 1}${of}, at byte ${reader.position}`,
    );
  }
  if ((await reader.read(1)).length > 0) {
    throw new FormatError(
      `${reader.name} must end behind its ${count} rows, at byte ${reader.position - 1}`,
    );
  }
}

function readPiece(
  piece: Uint8Array,
  rows: number,
  first: number,
  layout: RecordLayout,
): (FileRow | BadRow)[] {
  const { dimension, element, head, littleEndian = true } = layout;
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const bytes = head + dimension * element.bytes;
  return Array.from({ length: rows }, (_, i) => {
    const place = first + i + 1;
    layout.checkHead?.(view, i * bytes, place);
    const vector = new Float32Array(dimension);
    for (let j = 0; j < dimension; j++) {
      const value = element.get(view, i * bytes + head + j * element.bytes, littleEndian);
      vector[j] = value;
      const reason = wrongWith(value, vector[j]!, element);
      if (reason !== undefined) return { place, reason: `Component ${j} ${reason}, not ${value}` };
    }
    return { place, id: place - 1, vector };
  });
}

/** What keeps a component from being stored. */
function wrongWith(value: number, stored: number, element: Element): string | undefined {
  if (!Number.isFinite(stored)) return "must be finite as a 32-bit float";
  if (element === ELEMENTS.i4 && stored !== value) return "must be exact as a 32-bit float";
  return undefined;
}

/**
 * Makes bytes of vectors.
 *
 * @param rows The rows.
 * @param element The type of their components in the file.
 * @param dimension Components of each.
 * @param head Writes what stands before each vector, and says how long that is.
 * @returns The bytes.
 * @throws {FormatError} If a component is not exact as an element.
 */
export function packRows(
  rows: readonly Row[],
  element: Element,
  dimension: number,
  head: { readonly bytes: number; readonly write?: (view: DataView, offset: number) => void },
): Uint8Array {
  const bytes = head.bytes + dimension * element.bytes;
  const view = new DataView(new ArrayBuffer(rows.length * bytes));
  rows.forEach(({ id, vector }, i) => {
    head.write?.(view, i * bytes);
    for (let j = 0; j < dimension; j++) {
      const offset = i * bytes + head.bytes + j * element.bytes;
      const value = vector![j]!;
      element.set(view, offset, value);
      if (Object.is(element.get(view, offset, true), value)) continue;
      const rule = `Component ${j} of id ${id} must be an integer that the format can hold`;
      throw new FormatError(`${rule}, not ${Object.is(value, -0) ? "-0" : value}`);
    }
  });
  return new Uint8Array(view.buffer);
}
