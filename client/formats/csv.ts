// SPDX-License-Identifier: MIT
/**
 * Comma-separated values.
 *
 * @module
 */
import type { Row } from "../rows.ts";
import type { ByteSource, Format } from "./format.ts";
import { type BadRow, type FileRow, FormatError } from "./format.ts";
import { TextWriter } from "./lines.ts";
import {
  BATCH_ROWS,
  type Cells,
  libraryError,
  marked,
  numberText,
  RowChecker,
  RowError,
  textOf,
} from "./rows.ts";

/** Characters of the longest record. */
const MAX_RECORD = 8 << 20;

/** Columns that are no components. */
const NAMED = ["id", "tags", "payload", "text", "vector"] as const;

/** A cell; `null` where there is nothing, not even quotes. */
type Cell = string | null;

/** A record, and the line on which it begins. */
interface CsvRecord {
  readonly cells: readonly Cell[];
  readonly line: number;
}

/** Which column each part of a row is in. */
interface Layout {
  readonly named: Partial<{ readonly [name in typeof NAMED[number]]: number }>;
  readonly components: readonly number[];
  readonly width: number;
}

/**
 * A record a row, below a heading: `id`, `tags`, `payload`, `text`, `vector` (a JSON array, or
 * numbers between blanks); any other column is a component, in order. Without a heading, all columns
 * are components. Rows without ids get their places, from 0.
 */
export const csv: Format = {
  name: "csv",
  extensions: [".csv"],
  summary: "a heading and a row a record: id, tags, payload, then a column a component",
  unit: "row",
  keeps: ["id", "tags", "payload"],

  async *read(source, { skip = 0, dimension }) {
    const checker = new RowChecker(dimension);
    let layout: Layout | undefined;
    let place = 0;
    let batch: (FileRow | BadRow)[] = [];
    for await (const { cells, line } of records(source)) {
      if (layout === undefined) {
        layout = layoutOf(source.name, cells);
        if (!cells.every(isNumber)) continue;
      }
      if (++place <= skip) continue;
      const known = layout;
      batch.push(checker.check(place, () => readRecord(cells, known), line));
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  },

  async write(sink, batches, { dimension }) {
    const writer = new TextWriter(sink);
    const components = Array.from({ length: dimension }, (_, i) => `v${i}`);
    await writer.write(`${["id", "tags", "payload", ...components].join(",")}\n`);
    let count = 0;
    for await (const rows of batches) {
      for (const row of rows) await writer.write(recordText(row));
      count += rows.length;
    }
    await writer.flush();
    return count;
  },
};

/** Reads records with the library; what it says of the file is the file's error. */
async function* records(source: ByteSource): AsyncGenerator<CsvRecord> {
  const [{ parse }, { Readable }] = await Promise.all([import("csv-parse"), import("node:stream")]);
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD,
    // What is quoted is there, even if it is empty.
    cast: (value, { quoting }) => value === "" && !quoting ? null : value,
  });
  const input = Readable.from(marked(source).bytes());
  input.on("error", (error: Error) => parser.destroy(error)).pipe(parser);
  let line = 1;
  try {
    for await (const { record, info } of parser) {
      yield { cells: record, line };
      line = info.lines + 1;
    }
  } catch (error) {
    throw libraryError(error, `${source.name} is no CSV`);
  } finally {
    input.destroy();
  }
}

function isNumber(cell: Cell): boolean {
  return cell !== null && cell.trim() !== "" && Number.isFinite(Number(cell));
}

function layoutOf(name: string, heading: readonly Cell[]): Layout {
  const width = heading.length;
  const all = Array.from(heading, (_, i) => i);
  if (heading.every(isNumber)) return { named: {}, components: all, width };
  const named: Named = {};
  const components = all.filter((i) => {
    const column = NAMED.find((column) => column === heading[i]?.trim());
    if (column === undefined) return true;
    if (named[column] !== undefined) throw new FormatError(`${name} has two columns ${column}`);
    named[column] = i;
    return false;
  });
  const ways = [named.vector, named.text].filter((column) => column !== undefined).length;
  if (ways + (components.length > 0 ? 1 : 0) === 1) return { named, components, width };
  const rule = "must have a column vector, or text, or a column for each component";
  throw new FormatError(`${name} ${rule}, not ${heading.join(",").slice(0, 100)}`);
}

/** Columns by name, while they are gathered. */
type Named = { [name in typeof NAMED[number]]?: number };

function readRecord(cells: readonly Cell[], { named, components, width }: Layout): Cells {
  if (cells.length !== width) {
    throw new RowError(`Row must have ${width} cells, not ${cells.length}`);
  }
  const cell = (name: typeof NAMED[number]) =>
    named[name] === undefined ? null : cells[named[name]];
  const vector = cell("vector");
  return {
    id: cell("id"),
    tags: cell("tags"),
    text: cell("text"),
    payload: cell("payload"),
    vector: components.length > 0
      ? components.map((column, i) => readNumber(cells[column]!, i))
      : vector === null || vector === undefined
      ? null
      : readVector(vector),
  };
}

function readNumber(cell: Cell, index: number): number {
  if (isNumber(cell)) return Number(cell);
  throw new RowError(`Component ${index} must be a number, not ${JSON.stringify(cell ?? "")}`);
}

function readVector(cell: string): unknown {
  const text = cell.trim();
  if (!text.startsWith("[")) return text.split(/\s+/).map(readNumber);
  try {
    return JSON.parse(text);
  } catch {
    throw new RowError(`Vector must be a JSON array of numbers, not ${text.slice(0, 60)}`);
  }
}

function recordText({ id, tags, payload, vector }: Row): string {
  return `${id},${tags || ""},${payloadCell(id, payload)},${Array.from(vector!, numberText)}\n`;
}

function payloadCell(id: Row["id"], payload: Uint8Array | undefined): string {
  if (payload === undefined) return "";
  const text = textOf(payload);
  if (text !== undefined) return `"${text.replaceAll('"', '""')}"`;
  throw new FormatError(`Payload of id ${id} must be UTF-8 to be written as csv`);
}
