// SPDX-License-Identifier: MIT
/**
 * Text: each line is embedded by its words, and kept as payload.
 *
 * @module
 */
import { LIMITS } from "../protocol2.ts";
import { type BadRow, type FileRow, type Format, FormatError } from "./format.ts";
import { readLines, TextWriter } from "./lines.ts";
import { textOf } from "./rows.ts";

/** Bytes of a line that count: as many as a payload may have. */
const MAX_LINE_BYTES = LIMITS.payload;

/** What is said of a line that no text has. */
const NO_TEXT = "Line must be text without NUL characters; another format may be meant";

/** A row a line; its id is the line's number, from 1. Blank lines are no rows. */
export const txt: Format = {
  name: "txt",
  extensions: [".txt"],
  summary: "UTF-8 text, a row a line, which is embedded and kept as payload",
  unit: "line",
  keeps: ["payload"],

  async *read(source, { skip = 0 }) {
    for await (const lines of readLines(source, MAX_LINE_BYTES)) {
      const rows = lines.flatMap(({ number, text }): (FileRow | BadRow)[] => {
        if (number <= skip || text.trim() === "") return [];
        if (text.includes("\0")) return [{ place: number, reason: NO_TEXT }];
        const kept = shorten(text);
        return [{ place: number, id: number, text: kept, payload: kept }];
      });
      if (rows.length > 0) yield rows;
    }
  },

  async write(sink, batches) {
    const writer = new TextWriter(sink);
    let count = 0;
    for await (const rows of batches) {
      for (const { id, payload } of rows) {
        const text = payload === undefined ? undefined : textOf(payload);
        if (text === undefined || text.trim() === "" || /[\r\n]/.test(text)) {
          throw new FormatError(
            `Payload of id ${id} must be one line of text to be written as txt`,
          );
        }
        await writer.write(`${text}\n`);
        count++;
      }
    }
    await writer.flush();
    return count;
  },
};

const room = new Uint8Array(MAX_LINE_BYTES);

/** As much of a text as a payload may have. What is no UTF-8 takes more bytes once it is replaced. */
function shorten(text: string): string {
  if (text.length * 3 <= MAX_LINE_BYTES) return text;
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}
