// SPDX-License-Identifier: MIT
/**
 * Thrift's compact protocol, as far as Parquet has it, read with suspicion: the headers of a file
 * are looked at before the library reads them, which believes what they say.
 *
 * @module
 */

/** A struct's fields, by their numbers. */
export type Fields = ReadonlyMap<number, Value>;

/** What a field may hold. */
export type Value = boolean | number | bigint | Uint8Array | readonly Value[] | Fields;

/** Structs within structs; Parquet's own go 6 deep. */
const MAX_DEPTH = 32;

/** Bytes of the longest integer, of 64 bits. */
const MAX_VARINT_BYTES = 10;

/** What keeps bytes from being what they should be. */
export class ThriftError extends Error {
  /** The name of this class. */
  override readonly name: string = "ThriftError";
}

/** Reads bytes in order. */
export class Cursor {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** Where the next one is. */
  offset: number;

  /** Reads from an offset on. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.bytes.length - this.offset;
  }

  /** Reads a byte. */
  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) throw new ThriftError(`ends at byte ${this.offset}`);
    this.offset++;
    return value;
  }

  /** Passes bytes over, and returns them. */
  take(count: number): Uint8Array {
    if (!(count >= 0 && count <= this.left)) {
      throw new ThriftError(`has ${this.left} bytes left at byte ${this.offset}, not ${count}`);
    }
    this.offset += count;
    return this.bytes.subarray(this.offset - count, this.offset);
  }

  /** Reads a little-endian integer of 32 bits. */
  u32(): number {
    return this.take(4).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  /** Reads an unsigned integer of 7 bits a byte. */
  varint(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    const limit = `at most ${MAX_VARINT_BYTES} bytes`;
    throw new ThriftError(`must have integers of ${limit}, not longer ones at byte ${this.offset}`);
  }

  /** Reads a length, or a number of things that take a byte each at least. */
  length(): number {
    const length = Number(this.varint());
    if (length <= this.left) return length;
    throw new ThriftError(`has ${this.left} bytes left at byte ${this.offset}, not ${length}`);
  }

  /** Reads a signed integer. */
  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }
}

/**
 * Reads a struct.
 *
 * @param cursor Where it begins; then, where it ends.
 * @param depth Structs that it is in.
 * @returns Its fields.
 * @throws {ThriftError} If it is none.
 */
export function readStruct(cursor: Cursor, depth = 0): Fields {
  if (depth > MAX_DEPTH) throw new ThriftError(`must have at most ${MAX_DEPTH} structs in another`);
  const fields = new Map<number, Value>();
  let id = 0;
  for (let head; (head = cursor.byte()) !== 0;) {
    const type = head & 15;
    if (type === 0) throw new ThriftError(`has no type at byte ${cursor.offset - 1}`);
    id = head >> 4 ? id + (head >> 4) : Number(cursor.zigzag());
    fields.set(id, type <= 2 ? type === 1 : readValue(cursor, type, depth));
  }
  return fields;
}

function readValue(cursor: Cursor, type: number, depth: number): Value {
  switch (type) {
    case 1:
    case 2:
    case 3:
      return cursor.byte();
    case 4:
    case 5:
      return Number(cursor.zigzag());
    case 6:
      return cursor.zigzag();
    case 7:
      return cursor.take(8);
    case 8:
      return cursor.take(cursor.length());
    case 9: {
      const head = cursor.byte();
      const count = head >> 4 === 15 ? cursor.length() : head >> 4;
      if (depth > MAX_DEPTH) throw new ThriftError("must have fewer lists in another");
      return Array.from({ length: count }, () => readValue(cursor, head & 15, depth + 1));
    }
    case 12:
      return readStruct(cursor, depth + 1);
    default:
      throw new ThriftError(`has an unknown type ${type} at byte ${cursor.offset}`);
  }
}
