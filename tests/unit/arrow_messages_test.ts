// SPDX-License-Identifier: MIT
/**
 * Messages of Arrow streams that say what cannot be.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { checkedMessages, MessageError } from "../../client/formats/arrow_messages.ts";
import { ByteReader } from "../../client/formats/binary.ts";

const ROWS = 12_345;

/** A stream of one batch, as the library writes it. */
function stream(): Uint8Array<ArrayBuffer> {
  const table = tableFromArrays({ values: new Float32Array(ROWS) });
  return new Uint8Array(tableToIPC(table, "stream"));
}

async function passed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const source = {
    name: "stream",
    size: bytes.length,
    bytes: () => ReadableStream.from([bytes]).values(),
  };
  const parts: Uint8Array[] = [];
  for await (const part of checkedMessages(new ByteReader(source))) parts.push(part);
  return concat(parts);
}

/** A message of a length, behind the word that begins it, as of flatbuffer words. */
function message(words: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(0xffffffff, words.length * 4, ...words).buffer);
}

/** Two fields of a table's vtable as one word. */
const pair = (low: number, high: number) => low | high << 16;

/**
 * A schema that has one field, which has two children, which are the same field, which again has two
 * children …, so many times.
 */
function doubled(times: number): Uint8Array<ArrayBuffer> {
  // The root; its vtable: header_type at 4, header at 8.
  const words = [16, pair(10, 12), pair(0, 4), pair(8, 0), 12, 1, 4];
  // The schema: fields at 4.
  words.push(...[pair(8, 8), pair(0, 4)]);
  words[6] = 4 * (9 - 6);
  words.push(8, 4, 1, 4 + 16);
  for (let i = 0; i < times; i++) {
    // A field: its vtable, children at 4; the table; two children, which are the next field.
    words.push(pair(16, 8), 0, 0, pair(0, 4));
    words.push(16, 4, 2, 4 + 4 + 16, 4 + 16);
  }
  words.push(pair(4, 4), 0, 0, 0, 16);
  return message(words);
}

Deno.test("a stream passes as it is", async () => {
  const bytes = stream();
  assertEquals(await passed(bytes), bytes);
});

Deno.test("what follows a stream's end is left out", async () => {
  const bytes = stream();
  assertEquals(await passed(new Uint8Array(concat([bytes, bytes]))), bytes);
});

for (const rows of [-1n, BigInt(ROWS) * 1000n, 1n << 62n]) {
  Deno.test(`a batch that claims ${rows} rows is refused`, async () => {
    const bytes = stream();
    const view = new DataView(bytes.buffer);
    let found = 0;
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      if (view.getBigInt64(at, true) !== BigInt(ROWS)) continue;
      view.setBigInt64(at, rows, true);
      found++;
    }
    assert(found > 0, "the batch does not say how many rows it has");
    await assertRejects(() => passed(bytes), MessageError, `${rows}`);
  });
}

Deno.test("a buffer that ends behind its body is refused", async () => {
  const bytes = stream();
  const view = new DataView(bytes.buffer);
  // The length of the body, and behind it that of its only buffer, both filled up.
  const places = Array.from({ length: bytes.length / 8 }, (_, i) => 8 * i).filter((at) => {
    const excess = view.getBigInt64(at, true) - BigInt(ROWS * 4);
    return excess >= 0n && excess < 64n;
  });
  assertEquals(places.length, 2);
  view.setBigInt64(places[1]!, BigInt(ROWS * 8), true);
  await assertRejects(() => passed(bytes), MessageError, `a buffer of ${ROWS * 8} bytes`);
});

Deno.test("fields that share their children are read, but not again and again", async () => {
  assertEquals(await passed(doubled(3)), doubled(3));
  await assertRejects(() => passed(doubled(30)), MessageError, "shared too often");
});

Deno.test("a message that is longer than any, cut short, or without its body is refused", async () => {
  const long = new Uint8Array(Uint32Array.of(0xffffffff, 1 << 30).buffer);
  await assertRejects(() => passed(long), MessageError, "1073741824 bytes");
  const bytes = stream();
  for (const cut of [2, 4, 6, 40]) {
    await assertRejects(() => passed(bytes.slice(0, cut)), MessageError, "cut short");
  }
  await assertRejects(() => passed(bytes.slice(0, -100)), MessageError, "without its body");
});

Deno.test("a vector of more than there is, and a place outside, are refused", async () => {
  const lying = doubled(3);
  // The number of the schema's fields.
  new DataView(lying.buffer).setUint32(8 + 4 * 11, 0x7fffffff, true);
  await assertRejects(() => passed(lying), MessageError, "a vector of 2147483647");
  await assertRejects(() => passed(message([0x7fffffff])), MessageError, "none");
});
