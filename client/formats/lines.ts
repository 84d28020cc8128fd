// SPDX-License-Identifier: MIT
/**
 * Lines of text out of bytes, and back.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { ByteSink, ByteSource } from "./format.ts";
import { BATCH_BYTES } from "./rows.ts";

const NEWLINE = 0x0a;

/** One line of a file. */
export interface Line {
  /** Its number, from 1. */
  readonly number: number;
  /** Its text, without its end. */
  readonly text: string;
  /** Whether the end of a very long line was left out. */
  readonly shortened: boolean;
}

/** Splits bytes into lines, holding no more than one line's beginning. */
class LineSplitter {
  #number = 0;
  #rest: Uint8Array = new Uint8Array();
  #shortened = false;
  readonly #most: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that end in these bytes. */
  push(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      const part = bytes.subarray(start, end);
      if (this.#rest.length === 0 && part.length <= this.#most) lines.push(this.#line(part));
      else {
        this.#keep(part);
        lines.push(this.#take());
      }
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  /** The last line, where no newline ends it. */
  finish(): Line[] {
    return this.#rest.length > 0 ? [this.#take()] : [];
  }

  #keep(part: Uint8Array): void {
    const room = this.#most - this.#rest.length;
    if (part.length > room) this.#shortened = true;
    if (part.length === 0 || room === 0) return;
    this.#rest = concat([this.#rest, part.subarray(0, room)]);
  }

  #take(): Line {
    const line = this.#line(this.#rest);
    this.#rest = new Uint8Array();
    this.#shortened = false;
    return line;
  }

  #line(bytes: Uint8Array): Line {
    const number = ++this.#number;
    let text = this.#decoder.decode(bytes);
    if (text.endsWith("\r")) text = text.slice(0, -1);
    // A byte order mark is no part of the text.
    if (number === 1 && text.startsWith("\uFEFF")) text = text.slice(1);
    return { number, text, shortened: this.#shortened };
  }
}

/**
 * Reads a source's lines, as many at a time as one read gives.
 *
 * @param source The bytes, UTF-8.
 * @param most Bytes of a line that count; what is beyond is left out.
 * @returns The lines.
 */
export async function* readLines(source: ByteSource, most: number): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter(most);
  for await (const part of source.bytes()) yield splitter.push(part);
  yield splitter.finish();
}

/** Gathers text and writes it in great pieces. */
export class TextWriter {
  readonly #sink: ByteSink;
  #text = "";

  /** Writes to a sink. */
  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Writes text, now or later. */
  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= BATCH_BYTES) await this.flush();
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    if (this.#text !== "") await this.#sink.write(new TextEncoder().encode(this.#text));
    this.#text = "";
  }
}
