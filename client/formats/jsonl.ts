// SPDX-License-Identifier: MIT
/**
 * JSON lines: an object a row.
 *
 * @module
 */
import type { Id, JsonValue, PayloadInput, Row } from "../rows.ts";
import type { Format } from "./format.ts";
import { readLines, TextWriter } from "./lines.ts";
import { type Cells, numberText, RowChecker, RowError, textOf } from "./rows.ts";

/** Bytes of the longest line: a vector and a payload of the greatest sizes fit well. */
const MAX_LINE_BYTES = 8 << 20;

/** What an object may hold. */
const FIELDS = ["id", "vector", "text", "payload", "payload_base64", "tags"];

/**
 * An object a line: `id` (digits in a string beyond 2^53 - 1; its line's number from 0 where there
 * is none), `vector` or `text`, `tags`, and `payload`: a string, or any JSON value, which is kept as
 * JSON. Bytes that are no UTF-8 are `payload_base64`.
 */
export const jsonl: Format = {
  name: "jsonl",
  extensions: [".jsonl", ".ndjson"],
  summary: "a JSON object a line: id, vector or text, payload, tags",
  unit: "line",
  keeps: ["id", "tags", "payload"],

  async *read(source, { skip = 0, dimension }) {
    const checker = new RowChecker(dimension);
    for await (const lines of readLines(source, MAX_LINE_BYTES)) {
      const rows = lines.flatMap(({ number, text, shortened }) => {
        if (number <= skip || text.trim() === "") return [];
        return [checker.check(number, () => readObject(text, shortened))];
      });
      if (rows.length > 0) yield rows;
    }
  },

  async write(sink, batches) {
    const writer = new TextWriter(sink);
    let count = 0;
    for await (const rows of batches) {
      for (const row of rows) await writer.write(objectText(row));
      count += rows.length;
    }
    await writer.flush();
    return count;
  },
};

function readObject(text: string, shortened: boolean): Cells {
  if (shortened) throw new RowError(`Line must have at most ${MAX_LINE_BYTES} bytes`);
  let value: unknown;
  try {
    // Most lines have no number that could be too long.
    value = /\d{16}/.test(text) ? JSON.parse(text, refuseRounding) : JSON.parse(text);
  } catch (error) {
    if (error instanceof RowError) throw error;
    throw new RowError(`Line must be a JSON object: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RowError(`Line must be a JSON object, not ${text.slice(0, 60)}`);
  }
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new RowError(
      `Field ${JSON.stringify(unknown)} is not known; known are ${FIELDS.join(", ")}`,
    );
  }
  const { payload_base64, ...cells } = value as Cells & { payload_base64?: unknown };
  if (payload_base64 === undefined) return cells;
  if (cells.payload !== undefined) {
    throw new RowError("Row must have payload or payload_base64, and not both");
  }
  return { ...cells, payload: fromBase64(payload_base64) };
}

/** Refuses an integer that JSON.parse() would change. */
function refuseRounding(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || source === undefined || !/^-?\d+$/.test(source)) return value;
  if (BigInt(source) === BigInt(value)) return value;
  throw new RowError(`Integer ${source} must be written as a string of digits to be kept as it is`);
}

function fromBase64(text: unknown): Uint8Array {
  try {
    return Uint8Array.fromBase64(text as string);
  } catch {
    throw new RowError(`payload_base64 must be base64, not ${JSON.stringify(text)?.slice(0, 60)}`);
  }
}

function objectText({ id, vector, tags, payload }: Row): string {
  const parts = [`"id":${integerText(id)}`, `"vector":[${Array.from(vector!, numberText)}]`];
  const kept = payload === undefined ? undefined : payloadField(payload);
  if (kept !== undefined) parts.push(kept);
  if (tags) parts.push(`"tags":${integerText(tags)}`);
  return `{${parts.join(",")}}\n`;
}

function integerText(value: Id): string {
  return typeof value === "bigint" ? `"${value}"` : String(value);
}

/** A payload as a field: as JSON where it is the JSON of an object or an array, else as a string. */
function payloadField(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (text === undefined) return `"payload_base64":"${bytes.toBase64()}"`;
  return `"payload":${JSON.stringify(asJson(text) ?? text)}`;
}

/** The object or array that a text is the JSON of, if it reads back as the same text. */
function asJson(text: string): PayloadInput | undefined {
  if (!/^[{[]/.test(text)) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
