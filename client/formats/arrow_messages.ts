// SPDX-License-Identifier: MIT
/**
 * The messages of an Arrow stream, looked at before the library reads them. It believes what they say
 * of themselves: a schema of 2^31 fields, or a batch of as many rows without a byte, would keep it
 * busy, and take memory, without end.
 *
 * The format: https://arrow.apache.org/docs/format/Columnar.html
 *
 * @module
 */
import type { ByteReader } from "./binary.ts";
import { Flatbuffer, FlatbufferError, type Table } from "./flatbuffer.ts";

/** What begins a message since version 0.15; before that, its length did. */
const CONTINUATION = 0xffffffff;

/** Bytes of a message without its body, at most. */
const MAX_METADATA_BYTES = 1 << 26;

/** Bytes of a body that are passed on at a time. */
const PART_BYTES = 1 << 20;

/** How deep lists may be in lists. */
const MAX_DEPTH = 32;

/** The numbers of messages. */
const SCHEMA = 1, DICTIONARY_BATCH = 2, RECORD_BATCH = 3;

/** Says that a message cannot be believed. */
export class MessageError extends Error {}

/**
 * Passes a stream on, once each message has been looked at; what comes behind its end is left out.
 *
 * @param reader Where the stream begins.
 * @throws {MessageError} If a message cannot be believed, or is cut short.
 */
export async function* checkedMessages(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    let head = await reader.read(4);
    // A stream may end without saying so.
    if (head.length === 0) return;
    let length = wordOf(head);
    if (length === CONTINUATION) {
      yield head;
      head = await reader.read(4);
      length = wordOf(head);
    }
    yield head;
    if (length === 0) return;
    if (length > MAX_METADATA_BYTES) throw new MessageError(`a message of ${length} bytes`);
    const metadata = await reader.read(length);
    if (metadata.length < length) throw new MessageError("a message that is cut short");
    const bodyBytes = bodyBytesOf(metadata);
    yield metadata;
    yield* body(reader, bodyBytes);
  }
}

async function* body(reader: ByteReader, bytes: number): AsyncGenerator<Uint8Array> {
  while (bytes > 0) {
    const part = await reader.read(Math.min(bytes, PART_BYTES));
    if (part.length === 0) throw new MessageError("a message without its body");
    yield part;
    bytes -= part.length;
  }
}

/** A number of 32 bits. */
function wordOf(bytes: Uint8Array): number {
  if (bytes.length < 4) throw new MessageError("a message that is cut short");
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** Looks at a message; returns how long its body is. */
function bodyBytesOf(metadata: Uint8Array): number {
  try {
    const message = new Flatbuffer(metadata).root;
    const bytes = Number(message.long(3));
    if (!(bytes >= 0 && Number.isSafeInteger(bytes))) {
      throw new MessageError(`a body of ${bytes} bytes`);
    }
    const header = message.table(2);
    checkPairs(message, 4);
    if (header !== undefined) checkHeader(message.byte(1), header, bytes);
    return bytes;
  } catch (cause) {
    // What a place outside of the buffer leads to.
    if (!(cause instanceof RangeError || cause instanceof FlatbufferError)) throw cause;
    throw new MessageError(`a message that is none: ${cause.message}`, { cause });
  }
}

function checkHeader(kind: number, header: Table, bodyBytes: number): void {
  if (kind === SCHEMA) checkSchema(header);
  else if (kind === RECORD_BATCH) checkBatch(header, bodyBytes);
  else if (kind === DICTIONARY_BATCH) {
    const batch = header.table(1);
    if (batch !== undefined) checkBatch(batch, bodyBytes);
  }
}

function checkSchema(schema: Table): void {
  for (const field of schema.tables(1)) checkField(field, 0);
  checkPairs(schema, 2);
  schema.vector(3, 8);
}

function checkField(field: Table, depth: number): void {
  if (depth > MAX_DEPTH) throw new MessageError(`lists in lists, more than ${MAX_DEPTH} deep`);
  field.vector(0, 1);
  for (const child of field.tables(5)) checkField(child, depth + 1);
  checkPairs(field, 6);
}

/** Names and values that come along. */
function checkPairs(table: Table, field: number): void {
  for (const pair of table.tables(field)) {
    pair.vector(0, 1);
    pair.vector(1, 1);
  }
}

/** A batch has no more values of a column than bits, and its buffers lie in its body. */
function checkBatch(batch: Table, bodyBytes: number): void {
  const most = BigInt(bodyBytes) * 8n;
  const rows = batch.long(0);
  if (rows < 0n || rows > most) {
    throw new MessageError(`a batch of ${rows} rows in ${bodyBytes} bytes`);
  }
  for (const [length] of batch.pairs(1)) {
    if (length < 0n || length > most) {
      throw new MessageError(`a column of ${length} values in ${bodyBytes} bytes`);
    }
  }
  for (const [first, length] of batch.pairs(2)) {
    if (first < 0n || length < 0n || first + length > BigInt(bodyBytes)) {
      throw new MessageError(`a buffer of ${length} bytes at ${first} of ${bodyBytes}`);
    }
  }
  batch.vector(4, 8);
}
