// SPDX-License-Identifier: MIT
/**
 * What a file format is: how rows come out of bytes and become bytes, a batch at a time, so that a
 * file of any size passes through a bounded amount of memory.
 *
 * @module
 */
import type { Id, PayloadInput, Row } from "../rows.ts";

/** Where bytes come from: a file, or a pipe. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  /** Its bytes, where that is known: a pipe's is not. */
  readonly size: number | undefined;
  /** Its bytes from the beginning, in pieces of any size. May be called once. */
  bytes(): AsyncIterable<Uint8Array>;
  /** Reads the bytes from `start` to before `end`; a pipe cannot. */
  readonly slice?: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/** Where bytes go: a file, or a pipe. */
export interface ByteSink {
  /** What messages call it. */
  readonly name: string;
  /** Writes bytes behind those written before. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes over bytes that were written before; a pipe cannot. */
  readonly patch?: (position: number, bytes: Uint8Array) => Promise<void>;
}

/** A row of a file. */
export interface FileRow {
  /** Which row of the file it is, from 1: its line, where the format has a row a line. */
  readonly place: number;
  /** The id that it has, or is given by its place. */
  readonly id: Id;
  /** Its vector; a row has this or a text. */
  readonly vector?: Float32Array | undefined;
  /** The text that its vector is to be made of. */
  readonly text?: string | undefined;
  /** Its tags; none is 0. */
  readonly tags?: Id | undefined;
  /** What is kept with it. */
  readonly payload?: PayloadInput;
}

/** A row of a file that is not what it should be. */
export interface BadRow {
  /** Which row of the file it is, from 1. */
  readonly place: number;
  /** The line that it begins on, where that is not its place. */
  readonly line?: number | undefined;
  /** What is wrong with it. */
  readonly reason: string;
}

/** How a file is read. */
export interface ReadOptions {
  /** Rows at the beginning that are passed over. */
  readonly skip?: number | undefined;
  /** Components that every vector must have; where it is left out, as many as the first has. */
  readonly dimension?: number | undefined;
}

/** What is known of rows before the first is written. */
export interface Shape {
  /** Components of each vector. */
  readonly dimension: number;
}

/** One file format. */
export interface Format {
  /** What `--format` calls it. */
  readonly name: string;
  /** How its files' names end, with the dot. */
  readonly extensions: readonly string[];
  /** What it is, in a few words. */
  readonly summary: string;
  /** What {@linkcode FileRow.place} counts. */
  readonly unit: "line" | "row";
  /** What its files keep of a row besides the vector. */
  readonly keeps: readonly ("id" | "tags" | "payload")[];

  /**
   * Reads a file.
   *
   * @param source The bytes.
   * @param options How.
   * @returns Batches of rows in the file's order, good and bad ones.
   * @throws {FormatError} If the file is not of this format, so that no row could be trusted.
   */
  read(source: ByteSource, options: ReadOptions): AsyncIterable<(FileRow | BadRow)[]>;

  /**
   * Writes a file.
   *
   * @param sink Where the bytes go.
   * @param rows Batches of rows with vectors, tags, and payloads as bytes.
   * @param shape What all rows have in common.
   * @returns How many rows were written.
   * @throws {FormatError} If a row holds what this format cannot, or the sink is a pipe and the
   * format needs a file.
   */
  write(sink: ByteSink, rows: AsyncIterable<Row[]>, shape: Shape): Promise<number>;
}

/** A file that is not of its format, or a row that a format cannot hold. */
export class FormatError extends Error {
  /** The name of this class. */
  override readonly name: string = "FormatError";
  /** What kind of error it is. */
  readonly code = "FORMAT";
}

/**
 * Whether a row that was read is a bad one.
 *
 * @param row The row.
 * @returns Whether it has a reason instead of content.
 */
export function isBad(row: FileRow | BadRow): row is BadRow {
  return "reason" in row;
}
