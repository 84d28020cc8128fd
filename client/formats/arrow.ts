// SPDX-License-Identifier: MIT
/**
 * Arrow, by apache-arrow.
 *
 * @module
 */
import type { Schema } from "apache-arrow";
import type { Row } from "../rows.ts";
import { checkedMessages } from "./arrow_messages.ts";
import { ByteReader } from "./binary.ts";
import type { Format } from "./format.ts";
import { type ByteSource, FormatError } from "./format.ts";
import { batchRows, type Cells, libraryError, marked, RowChecker } from "./rows.ts";

/** How a file of record batches begins; a stream has none of this. */
const MAGIC = "ARROW1\0\0";

/** Columns that rows are made of; a vector may be called an embedding. */
const COLUMNS = ["id", "vector", "embedding", "text", "tags", "payload"] as const;

/**
 * A row a record: `id`, `vector` (or `embedding`), a list of floats, or `text`, `tags` and `payload`,
 * bytes or a string. Other columns are not looked at. Files and streams of the IPC format are read
 * record batch by record batch; a file is written.
 */
export const arrow: Format = {
  name: "arrow",
  extensions: [".arrow", ".arrows", ".feather"],
  summary: "Arrow IPC: columns id, vector or text, tags, payload",
  unit: "row",
  keeps: ["id", "tags", "payload"],

  async *read(source, { skip = 0, dimension }) {
    const { RecordBatchReader } = await import("apache-arrow");
    const checker = new RowChecker(dimension);
    let place = 0;
    try {
      const reader = await RecordBatchReader.from(streamOf(marked(source)));
      for await (const batch of reader) {
        const columns = COLUMNS.flatMap((name) => {
          const column = batch.getChild(name);
          return column === null ? [] : [[name, column] as const];
        });
        requireColumns(source.name, columns.map(([name]) => name));
        const step = batchRows((dimension ?? 128) * 4);
        for (let first = 0; first < batch.numRows; first += step) {
          const end = Math.min(first + step, batch.numRows);
          const rows = [];
          for (let i = Math.max(first, skip - place); i < end; i++) {
            rows.push(checker.check(place + i + 1, () => cellsOf(columns, i)));
          }
          if (rows.length > 0) yield rows;
        }
        place += batch.numRows;
      }
    } catch (cause) {
      throw libraryError(
        cause,
        `${source.name} is no Arrow${place > 0 ? ` behind row ${place}` : ""}`,
      );
    }
  },

  async write(sink, batches, { dimension }) {
    const arrow = await import("apache-arrow");
    const writer = new (fileWriter(arrow))();
    const pump = (async () => {
      for await (const part of writer) await sink.write(part as Uint8Array);
    })();
    let count = 0;
    const schema = schemaOf(arrow, dimension);
    writer.reset(undefined, schema);
    for await (const rows of batches) {
      writer.write(batchOf(arrow, schema, rows, dimension));
      count += rows.length;
    }
    writer.finish();
    await pump;
    return count;
  },
};

/** A file holds a stream behind its first bytes, and the reader stops where that ends. */
async function* streamOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  const head = await reader.peek(MAGIC.length);
  if (head.length < MAGIC.length) {
    throw new FormatError(`${source.name} is no Arrow: it has only ${head.length} bytes`);
  }
  if (String.fromCharCode(...head) === MAGIC) await reader.skip(MAGIC.length);
  yield* checkedMessages(reader);
}

function requireColumns(name: string, columns: readonly string[]): void {
  if (columns.some((column) => ["vector", "embedding", "text"].includes(column))) return;
  throw new FormatError(`${name} must have a column vector, embedding or text`);
}

/** A column of a record batch, of any type. */
interface Column {
  readonly get: (index: number) => unknown;
}

function cellsOf(columns: readonly (readonly [string, Column])[], index: number): Cells {
  const cells = Object.fromEntries(columns.map(([name, column]) => [name, column.get(index)]));
  return { ...cells, vector: numbersOf(cells["vector"] ?? cells["embedding"]) };
}

/** A list's values, which are a column of their own. */
function numbersOf(value: unknown): unknown {
  const list = value as { toArray?: () => unknown } | null | undefined;
  return typeof list?.toArray === "function" ? list.toArray() : value;
}

type Arrow = typeof import("apache-arrow");

/**
 * The library's writer leaves out the schema with which a file's stream begins: readers of the footer
 * do not miss it, readers of the stream do.
 */
function fileWriter({ Message, RecordBatchFileWriter }: Arrow) {
  return class extends RecordBatchFileWriter {
    protected override _writeSchema(schema: Schema): this {
      super._writeSchema(schema);
      return this._writeMessage(Message.from(schema));
    }
  };
}

function schemaOf(
  { Binary, Field, FixedSizeList, Float32, Schema, Uint64 }: Arrow,
  dimension: number,
) {
  return new Schema([
    new Field("id", new Uint64(), false),
    new Field(
      "vector",
      new FixedSizeList(dimension, new Field("item", new Float32(), false)),
      false,
    ),
    new Field("tags", new Uint64(), false),
    new Field("payload", new Binary(), true),
  ]);
}

/** Makes a record batch of rows, column by column. */
function batchOf(
  arrow: Arrow,
  schema: ReturnType<typeof schemaOf>,
  rows: readonly Row[],
  dimension: number,
) {
  const { Binary, Float32, makeData, RecordBatch, Struct, Uint64 } = arrow;
  const { length } = rows;
  const components = new Float32Array(length * dimension);
  rows.forEach(({ vector }, i) => components.set(vector!, i * dimension));
  const integers = (values: bigint[]) =>
    makeData({ type: new Uint64(), length, data: BigUint64Array.from(values) });
  const children = [
    integers(rows.map(({ id }) => BigInt(id))),
    makeData({
      type: schema.fields[1]!.type as InstanceType<Arrow["FixedSizeList"]>,
      length,
      child: makeData({ type: new Float32(), length: components.length, data: components }),
    }),
    integers(rows.map(({ tags }) => BigInt(tags ?? 0))),
    makeData({ type: new Binary(), length, ...binaryOf(rows.map(({ payload }) => payload)) }),
  ];
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, children }));
}

/** Values of bytes as Arrow lays them out: which there are, where each begins, and all bytes. */
function binaryOf(values: readonly (Uint8Array | undefined)[]) {
  const valueOffsets = new Int32Array(values.length + 1);
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, i) => {
    valueOffsets[i + 1] = valueOffsets[i]! + (value?.length ?? 0);
    if (value !== undefined) nullBitmap[i >> 3]! |= 1 << (i & 7);
  });
  const data = new Uint8Array(valueOffsets[values.length]!);
  values.forEach((value, i) => value && data.set(value, valueOffsets[i]!));
  return { valueOffsets, nullBitmap, nullCount: values.filter((value) => !value).length, data };
}
