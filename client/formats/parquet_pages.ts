// SPDX-License-Identifier: MIT
/**
 * The pages of a Parquet file, looked at before the library decodes them. It believes what they say
 * of themselves: a run of 2^31 values, or a block that is -1 bytes long, would keep it busy, and
 * take memory, without end. What passes here makes it stop, right or wrong.
 *
 * @module
 */
import type { ColumnMetaData, Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { Cursor, type Fields, readStruct, ThriftError, type Value } from "./thrift.ts";

/** Values of a page, and bytes of it once it is unpacked, at most. */
const MAX_PAGE_VALUES = 1 << 25;
const MAX_PAGE_BYTES = 1 << 29;

/** Bytes of a footer, at most. */
const MAX_FOOTER_BYTES = 1 << 26;

/** Values of a block of deltas, at most; writers have 128. */
const MAX_DELTA_BLOCK = 1 << 16;

/** The numbers of page types. */
const DATA_PAGE = 0, DICTIONARY_PAGE = 2, DATA_PAGE_V2 = 3;

/** Encodings by their numbers. */
const PLAIN = 0, PLAIN_DICTIONARY = 2, RLE = 3, DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6, DELTA_BYTE_ARRAY = 7, RLE_DICTIONARY = 8, BYTE_STREAM_SPLIT = 9;

/** Bits of a value where all of a type have as many. */
const TYPE_BITS: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  INT32: 32,
  INT64: 64,
  INT96: 96,
  FLOAT: 32,
  DOUBLE: 64,
};

/** A column in one row group. */
export interface Chunk {
  /** What the footer says of it. */
  readonly metadata: ColumnMetaData;
  /** The deepest list that a value may be in; 0 where there is one value a row. */
  readonly maxRepetition: number;
  /** How many of a value's parts may be missing. */
  readonly maxDefinition: number;
  /** Bytes of a value of fixed length. */
  readonly typeLength: number;
  /** Where its pages are in the file. */
  readonly start: number;
  readonly end: number;
}

/**
 * Checks that a footer is one, and ends.
 *
 * @param bytes The footer, without its length.
 * @throws {ThriftError} If it is none.
 */
export function checkFooter(bytes: Uint8Array): void {
  readStruct(new Cursor(bytes));
}

/**
 * Checks the length of a footer.
 *
 * @param bytes What it says.
 * @throws {ThriftError} If it is too long.
 */
export function checkFooterLength(bytes: number): void {
  if (bytes <= MAX_FOOTER_BYTES) return;
  throw new ThriftError(`must have at most ${MAX_FOOTER_BYTES} bytes, not ${bytes}`);
}

/**
 * Finds a column's chunks in a row group: one for each of its leaves.
 *
 * @param file The file's metadata.
 * @param tree Its schema.
 * @param group Which row group.
 * @param column The column's name.
 * @returns The chunks.
 * @throws {ThriftError} If the schema knows nothing of one.
 */
export function chunksOf(
  file: FileMetaData,
  tree: SchemaTree,
  group: number,
  column: string,
): Chunk[] {
  return file.row_groups[group]!.columns.flatMap(({ meta_data: metadata }) => {
    if (metadata?.path_in_schema[0] !== column) return [];
    let node: SchemaTree | undefined = tree;
    let [maxRepetition, maxDefinition] = [0, 0];
    for (const name of metadata.path_in_schema) {
      node = node?.children.find(({ element }) => element.name === name);
      if (node === undefined) throw new ThriftError(`has no column ${column} in its schema`);
      const { repetition_type: repetition } = node.element;
      if (repetition === "REPEATED") maxRepetition++;
      if (repetition !== "REQUIRED") maxDefinition++;
    }
    const start = Number(metadata.dictionary_page_offset || metadata.data_page_offset);
    const end = start + Number(metadata.total_compressed_size);
    const typeLength = node?.element.type_length ?? 0;
    return [{ metadata, maxRepetition, maxDefinition, typeLength, start, end }];
  });
}

/**
 * Checks a chunk's pages.
 *
 * @param bytes The chunk.
 * @param chunk What is known of it.
 * @param compressors How pages are unpacked.
 * @param rows Rows of its group.
 * @throws {ThriftError} If they are not what they should be.
 */
export function checkPages(
  bytes: Uint8Array,
  chunk: Chunk,
  compressors: Compressors,
  rows: number,
): void {
  const cursor = new Cursor(bytes);
  let values = 0;
  // The library passes a last byte over.
  while (cursor.left > 1) {
    values += checkPage(cursor, chunk, compressors);
    if (chunk.maxRepetition === 0 && values >= rows) break;
  }
  const wrong = chunk.maxRepetition === 0 ? values !== rows : values < rows;
  if (wrong) throw new ThriftError(`must have a value for each of ${rows} rows, not ${values}`);
}

/** Checks a page; returns its values. */
function checkPage(cursor: Cursor, chunk: Chunk, compressors: Compressors): number {
  const header = readStruct(cursor);
  const size = integer(header, 2, MAX_PAGE_BYTES, "unpacked bytes");
  const packed = cursor.take(integer(header, 3, cursor.left, "bytes"));
  const unpack = (bytes: Uint8Array, length: number) =>
    unpacked(bytes, length, chunk.metadata.codec, compressors);
  switch (header.get(1)) {
    case DICTIONARY_PAGE: {
      const count = integer(struct(header, 7), 1, MAX_PAGE_VALUES, "values");
      checkPlain(new Cursor(unpack(packed, size)), count, chunk);
      return 0;
    }
    case DATA_PAGE: {
      const own = struct(header, 5);
      const count = integer(own, 1, MAX_PAGE_VALUES, "values");
      const page = new Cursor(unpack(packed, size));
      let present = count;
      if (chunk.maxRepetition > 0) {
        checkRuns(page, bitWidth(chunk.maxRepetition), count, page.u32());
      }
      if (chunk.maxDefinition > 0) {
        const { maxDefinition } = chunk;
        present = checkRuns(page, bitWidth(maxDefinition), count, page.u32(), maxDefinition);
      }
      checkValues(page, own.get(2), present, chunk, true);
      return count;
    }
    case DATA_PAGE_V2: {
      const own = struct(header, 8);
      const count = integer(own, 1, MAX_PAGE_VALUES, "values");
      const nulls = integer(own, 2, count, "missing values");
      const page = new Cursor(packed);
      const definitions = integer(own, 5, packed.length, "bytes of levels");
      const repetitions = integer(own, 6, packed.length - definitions, "bytes of levels");
      if (chunk.maxRepetition > 0) {
        checkRuns(page, bitWidth(chunk.maxRepetition), count, repetitions);
      }
      page.offset = repetitions;
      if (chunk.maxDefinition > 0) {
        checkRuns(page, bitWidth(chunk.maxDefinition), count, definitions);
      }
      // The library looks for values where the levels' bytes end by what their runs are.
      const rest = packed.subarray(repetitions + definitions);
      const left = size - repetitions - definitions;
      if (left < 0) throw new ThriftError(`must have levels within its ${size} bytes`);
      const content = own.get(7) === false ? rest : unpack(rest, left);
      checkValues(new Cursor(content), own.get(4), count - nulls, chunk, false);
      return count;
    }
    default:
      throw new ThriftError(`must have pages of data or a dictionary, not ${header.get(1)}`);
  }
}

/** Unpacks a page as the library does. */
function unpacked(
  bytes: Uint8Array,
  length: number,
  codec: ColumnMetaData["codec"],
  compressors: Compressors,
): Uint8Array {
  const unpack = compressors[codec];
  if (codec !== "UNCOMPRESSED" && unpack === undefined) {
    throw new ThriftError(`is compressed by ${codec}, which is not known`);
  }
  const page = codec === "UNCOMPRESSED" ? bytes : unpack!(bytes, length);
  if (page.length === length) return page;
  throw new ThriftError(`must have a page of ${length} bytes, not ${page.length}`);
}

/** Checks the values that a page has left. */
function checkValues(
  page: Cursor,
  encoding: Value | undefined,
  count: number,
  chunk: Chunk,
  isFirstVersion: boolean,
): void {
  const { type } = chunk.metadata;
  switch (encoding) {
    case PLAIN:
      return checkPlain(page, count, chunk);
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY:
    case RLE: {
      if (type === "BOOLEAN") return void checkRuns(page, 1, count, page.u32());
      const width = page.byte();
      if (width > 32) throw new ThriftError(`must have indices of at most 32 bits, not ${width}`);
      // Of the first version, the library takes 0 bits for zeros, and reads no runs.
      if (width > 0 || !isFirstVersion) checkRuns(page, width, count, page.left);
      return;
    }
    case BYTE_STREAM_SPLIT:
      return checkPlain(page, count, chunk);
    case DELTA_BINARY_PACKED:
      return void readDeltas(page, count);
    case DELTA_LENGTH_BYTE_ARRAY:
      return void readDeltas(page, count);
    case DELTA_BYTE_ARRAY:
      return checkPrefixed(readDeltas(page, count), readDeltas(page, count));
    default:
      throw new ThriftError(`must have values of an encoding that is known, not ${encoding}`);
  }
}

/** Checks that there is room for as many values. */
function checkPlain(page: Cursor, count: number, { metadata, typeLength }: Chunk): void {
  const bits = TYPE_BITS[metadata.type] ??
    (metadata.type === "FIXED_LEN_BYTE_ARRAY" ? typeLength * 8 : 32);
  if (bits <= 0) throw new ThriftError(`must have values of 1 byte at least, not ${typeLength}`);
  if (count * bits <= page.left * 8) return;
  throw new ThriftError(`must have ${count} values of ${bits} bits in ${page.left} bytes`);
}

/**
 * Checks runs of values, each either repeated or packed; what is packed is bounded by its bytes.
 * Returns how many values are `wanted`, and leaves the cursor where the library goes on.
 */
function checkRuns(
  page: Cursor,
  width: number,
  count: number,
  length: number,
  wanted?: number,
): number {
  const start = page.offset;
  const end = start + length;
  if (end > page.bytes.length) {
    throw new ThriftError(`must have runs within its ${page.bytes.length} bytes, not ${end}`);
  }
  let [seen, found] = [0, 0];
  while (seen < count) {
    const head = Number(page.varint());
    const many = Math.floor(head / 2) * (head & 1 ? 8 : 1);
    const most = head & 1 ? count - seen + 7 : count - seen;
    // Writers may pack more than there is, but without bits they would never end.
    if (!(many >= 1 && (many <= most || (head & 1) && width > 0 && many < 1 << 28))) {
      throw new ThriftError(`must have runs of 1 to ${count - seen} values, not ${many}`);
    }
    const taken = Math.min(many, count - seen);
    if ((head & 1) === 0) {
      const value = page.take(Math.ceil(width / 8)).reduceRight((sum, byte) => sum * 256 + byte, 0);
      if (value === wanted) found += taken;
    } else {
      const bytes = page.take(Math.min(page.left, many * width / 8));
      if (wanted !== undefined) found += countPacked(bytes, width, taken, wanted);
    }
    seen += taken;
  }
  page.offset = end;
  return wanted === undefined ? count : found;
}

/** Counts a value among packed ones of a few bits. */
function countPacked(bytes: Uint8Array, width: number, count: number, wanted: number): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (bitsAt(bytes, i * width, width) === wanted) found++;
  }
  return found;
}

/** Reads at most 32 bits. */
function bitsAt(bytes: Uint8Array, position: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width && i < 32; i++) {
    const at = position + i;
    value |= ((bytes[at >> 3] ?? 0) >> (at & 7) & 1) << i;
  }
  return value;
}

/** Reads integers that are given by their differences; the low 32 bits of each. */
function readDeltas(page: Cursor, count: number): Int32Array {
  const block = Number(page.varint());
  const minis = Number(page.varint());
  page.varint();
  const each = block / minis;
  if (!(block <= MAX_DELTA_BLOCK && each >= 8 && each % 8 === 0)) {
    throw new ThriftError(`must have blocks of at most ${MAX_DELTA_BLOCK} values, not ${block}`);
  }
  const low = (value: bigint) => Number(BigInt.asIntN(32, value));
  const values = new Int32Array(count);
  let value = low(page.zigzag());
  values[0] = value;
  for (let i = 1; i < count;) {
    const least = low(page.zigzag());
    for (const width of page.take(minis)) {
      if (i >= count) break;
      if (width > 64) throw new ThriftError(`must have values of at most 64 bits, not ${width}`);
      const bytes = page.take(Math.min(page.left, each * width / 8));
      for (let j = 0; j < each && i < count; j++) {
        value = value + least + bitsAt(bytes, j * width, width) | 0;
        values[i++] = value;
      }
    }
  }
  return values;
}

/** Checks texts that share their beginnings with the ones before: the library copies each. */
function checkPrefixed(prefixes: Int32Array, suffixes: Int32Array): void {
  let [before, sum] = [0, 0];
  for (let i = 0; i < prefixes.length; i++) {
    const prefix = prefixes[i]!, suffix = suffixes[i]!;
    if (!(prefix >= 0 && prefix <= before && suffix >= 0)) {
      throw new ThriftError(`must have prefixes of at most ${before} bytes, not ${prefix}`);
    }
    before = prefix + suffix;
    sum += before;
  }
  if (sum <= MAX_PAGE_BYTES) return;
  throw new ThriftError(`must have pages of at most ${MAX_PAGE_BYTES} bytes, not ${sum}`);
}

function bitWidth(value: number): number {
  return 32 - Math.clz32(value);
}

/** A struct that a header must have. */
function struct(fields: Fields, id: number): Fields {
  const value = fields.get(id);
  if (value instanceof Map) return value;
  throw new ThriftError(`must have a page header with field ${id}`);
}

/** An integer that a header must have, from 0 on. */
function integer(fields: Fields, id: number, most: number, what: string): number {
  const value = fields.get(id);
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  throw new ThriftError(`must have pages of at most ${most} ${what}, not ${value}`);
}
