// SPDX-License-Identifier: MIT
/**
 * Parquet, by hyparquet and hyparquet-writer.
 *
 * @module
 */
import type { Compressors, SchemaElement } from "hyparquet";
import type { Row } from "../rows.ts";
import type { ByteSource, Format } from "./format.ts";
import { FormatError } from "./format.ts";
import { checkFooter, checkFooterLength, checkPages, chunksOf } from "./parquet_pages.ts";
import { batchRows, type Cells, libraryError, RowChecker } from "./rows.ts";
import { ThriftError } from "./thrift.ts";

/** The greatest row group that is read: it is in memory as a whole. */
const MAX_GROUP_BYTES = 1 << 30;
const MAX_GROUP_ROWS = 1 << 22;

/** Columns that rows are made of; a vector may be called an embedding. */
const COLUMNS = ["id", "vector", "embedding", "text", "tags", "payload"];

/**
 * A row a record: `id`, `vector` (or `embedding`), a list of floats or doubles, or `text`, `tags`
 * and `payload`, bytes or a string. Other columns are not looked at. It is read and written row group
 * by row group.
 */
export const parquet: Format = {
  name: "parquet",
  extensions: [".parquet"],
  summary: "columns id, vector or text, tags, payload",
  unit: "row",
  keeps: ["id", "tags", "payload"],

  async *read(source, { skip = 0, dimension }) {
    const file = await open(source);
    const checker = new RowChecker(dimension);
    let start = 0;
    for (const [group, rows] of file.groups.entries()) {
      const end = start + rows;
      if (end > skip) {
        const first = Math.max(start, skip);
        const cells = await file.read(group, first, end);
        const step = batchRows((dimension ?? 128) * 4);
        for (let i = 0; i < cells.length; i += step) {
          yield cells.slice(i, i + step).map((row, j) =>
            checker.check(first + i + j + 1, () => cellsOf(row))
          );
        }
      }
      start = end;
    }
  },

  async write(sink, batches) {
    const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
    const writer = new ByteWriter();
    const flush = async () => {
      await sink.write(writer.getBytes().slice());
      writer.index = 0;
    };
    const file = new ParquetWriter({
      writer,
      schema: SCHEMA,
      codec: "UNCOMPRESSED",
      statistics: false,
      createdBy: "vss",
    });
    let count = 0;
    for await (const rows of inGroups(batches)) {
      await file.write({
        columnData: [
          { name: "id", data: rows.map(({ id }) => BigInt(id)) },
          { name: "vector", data: rows.map(({ vector }) => [...vector!]), encoding: "PLAIN" },
          { name: "tags", data: rows.map(({ tags }) => BigInt(tags ?? 0)) },
          { name: "payload", data: rows.map(({ payload }) => payload ?? null) },
        ],
        rowGroupSize: rows.length,
      });
      await flush();
      count += rows.length;
    }
    await file.finish();
    await flush();
    return count;
  },
};

/** The columns that are written. */
const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: 4 },
  { name: "id", type: "INT64", converted_type: "UINT_64", repetition_type: "REQUIRED" },
  { name: "vector", converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
  { name: "tags", type: "INT64", converted_type: "UINT_64", repetition_type: "REQUIRED" },
  { name: "payload", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
];

/** Rows of a row group that is written, and numbers of its vectors. */
const GROUP_ROWS = 8_192;
const GROUP_NUMBERS = 1 << 22;

async function* inGroups(batches: AsyncIterable<Row[]>): AsyncGenerator<Row[]> {
  let group: Row[] = [];
  for await (const rows of batches) {
    group.push(...rows);
    const dimension = group[0]?.vector?.length ?? 0;
    if (group.length < GROUP_ROWS && group.length * dimension < GROUP_NUMBERS) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** A file whose footer was read. */
interface ParquetFile {
  /** Rows of each row group. */
  readonly groups: readonly number[];
  /** Reads rows of one group. */
  readonly read: (group: number, start: number, end: number) => Promise<Record<string, unknown>[]>;
}

/** Unpacks bytes to no more than so many. */
type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/**
 * How pages are unpacked: by the runtime's own libraries where it has them. In JavaScript,
 * Zstandard's never ends on some damaged pages.
 */
async function unpackers(): Promise<Compressors> {
  const [{ compressors }, { brotliDecompressSync, gunzipSync, zstdDecompressSync }] = await Promise
    .all([import("hyparquet-compressors"), import("node:zlib")]);
  const bounded = (unpack: Unpack) => (bytes: Uint8Array, length: number) =>
    new Uint8Array(unpack(bytes, { maxOutputLength: Math.max(1, length) }));
  return {
    ...compressors,
    GZIP: bounded(gunzipSync),
    BROTLI: bounded(brotliDecompressSync),
    ZSTD: bounded(zstdDecompressSync),
  };
}

async function open(source: ByteSource): Promise<ParquetFile> {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, compressors] = await Promise
    .all([import("hyparquet"), unpackers()]);
  const { name } = source;
  const file = new Buffer(source);
  await file.checked(async () => checkFooter(await readFooter(source)));
  const metadata = await file.end(parquetMetadataAsync(file, { geoparquet: false }));
  const schema = await file.end(Promise.try(() => parquetSchema(metadata)));
  const present = schema.children.map(({ element }) => element.name);
  const columns = COLUMNS.filter((column) => present.includes(column));
  requireColumns(name, columns, present);
  const groups = metadata.row_groups.map(({ num_rows, total_byte_size }) => {
    checkGroup(name, total_byte_size, Number(num_rows));
    return Number(num_rows);
  });
  return {
    groups,
    async read(group, rowStart, rowEnd) {
      for (const column of columns) {
        await file.checked(async () => {
          for (const chunk of chunksOf(metadata, schema, group, column)) {
            const bytes = new Uint8Array(await file.slice(chunk.start, chunk.end));
            checkPages(bytes, chunk, compressors, groups[group]!);
          }
        }, column);
      }
      const rows = Array.from({ length: rowEnd - rowStart }, (): Record<string, unknown> => ({}));
      // One after the other: of columns that fail side by side, the library leaves all but one
      // failure to nobody.
      for (const column of columns) {
        const options = { file, metadata, compressors, rowStart, rowEnd, utf8: false };
        const cells = await file.end(parquetReadObjects({ ...options, columns: [column] }));
        if (cells.length !== rows.length) {
          throw new FormatError(`${name} must have ${rows.length} rows in column ${column}`);
        }
        cells.forEach((cell, i) => rows[i]![column] = cell[column]);
      }
      return rows;
    },
  };
}

/** Reads the footer, which the file's last bytes tell the length of. */
async function readFooter({ size, slice }: ByteSource): Promise<Uint8Array> {
  const tail = await slice!(Math.max(0, size! - TAIL_BYTES), size!);
  if (tail.length < TAIL_BYTES) throw new ThriftError(`is missing in ${size} bytes`);
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  checkFooterLength(length);
  if (length > size! - TAIL_BYTES) {
    throw new ThriftError(`must not have ${length} bytes in a file of ${size}`);
  }
  return await slice!(size! - TAIL_BYTES - length, size! - TAIL_BYTES);
}

/** The footer's length, and four letters. */
const TAIL_BYTES = 8;

/**
 * The file as the library reads it. It never fails where the library can see: that reads ahead, and
 * leaves such failures to nobody.
 */
class Buffer {
  readonly byteLength: number;
  readonly #name: string;
  readonly #slice: NonNullable<ByteSource["slice"]>;
  #failure: { readonly error: unknown } | undefined;

  constructor({ name, size, slice }: ByteSource) {
    if (size === undefined || slice === undefined) {
      throw new FormatError(`Parquet needs a file to read from, not ${name}`);
    }
    this.byteLength = size;
    this.#name = name;
    this.#slice = slice;
  }

  async slice(start: number, end: number = this.byteLength): Promise<ArrayBuffer> {
    const size = this.byteLength;
    const from = start < 0 ? size + start : start;
    try {
      if (from >= 0 && end >= from && end <= size) return (await this.#slice(from, end)).buffer;
      throw new FormatError(`${this.#name} must not point beyond its ${size} bytes`);
    } catch (error) {
      this.#failure ??= { error };
      return new ArrayBuffer(0);
    }
  }

  /** Ends a look at what the library is to read. */
  async checked(look: () => Promise<void>, column?: string): Promise<void> {
    const [outcome] = await Promise.allSettled([look()]);
    if (this.#failure !== undefined) throw this.#failure.error;
    if (outcome.status === "fulfilled") return;
    const { reason } = outcome;
    if (!(reason instanceof ThriftError)) throw libraryError(reason, `${this.#name} is no Parquet`);
    const place = column === undefined ? "the footer" : `column ${JSON.stringify(column)}`;
    throw new FormatError(`${this.#name} is no Parquet: ${place} ${reason.message}`);
  }

  /** Ends what the library does: with what kept bytes from it, or what it says of them. */
  async end<T>(work: Promise<T>): Promise<T> {
    const [outcome] = await Promise.allSettled([work]);
    if (this.#failure !== undefined) throw this.#failure.error;
    if (outcome.status === "fulfilled") return outcome.value;
    throw libraryError(outcome.reason, `${this.#name} is no Parquet`);
  }
}

function requireColumns(name: string, columns: string[], present: string[]): void {
  if (columns.some((column) => ["vector", "embedding", "text"].includes(column))) return;
  const rule = "must have a column vector, embedding or text";
  throw new FormatError(`${name} ${rule}, not ${present.join(", ").slice(0, 100)}`);
}

function checkGroup(name: string, bytes: bigint, rows: number): void {
  if (bytes <= MAX_GROUP_BYTES && rows >= 0 && rows <= MAX_GROUP_ROWS) return;
  const rule = `must have row groups of at most ${MAX_GROUP_BYTES} bytes, ${MAX_GROUP_ROWS} rows`;
  throw new FormatError(`${name} ${rule}, not ${bytes} bytes, ${rows} rows`);
}

function cellsOf({ embedding, ...cells }: Record<string, unknown>): Cells {
  const text = cells["text"];
  return {
    ...cells,
    vector: cells["vector"] ?? embedding,
    text: text instanceof Uint8Array ? new TextDecoder().decode(text) : text,
  };
}
