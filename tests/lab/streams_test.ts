// SPDX-License-Identifier: MIT
/**
 * The streams between guest and host.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { StreamCutError, untilToken } from "../../lab/streams.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunks: Uint8Array[]) => new TextDecoder().decode(concat(chunks));

async function* chunksOf(...chunks: string[]) {
  for (const chunk of chunks) yield bytes(chunk);
}

Deno.test("untilToken() finds the token however the stream is cut", async () => {
  const stream = "abXX ENX END END.rest";
  for (let size = 1; size <= stream.length; size++) {
    const chunks = stream.match(new RegExp(`.{1,${size}}`, "g"))!;
    const seen = await Array.fromAsync(untilToken(chunksOf(...chunks), bytes("END.")));
    assertEquals(text(seen), "abXX ENX END ");
  }
});

Deno.test("untilToken() passes on at once what cannot be the token", async () => {
  const seen = untilToken(chunksOf("prompt> ", "E", "x", "END"), bytes("END"));
  assertEquals(text([(await seen.next()).value!]), "prompt> ");
  assertEquals(text([(await seen.next()).value!]), "Ex");
  assertEquals((await seen.next()).done, true);
});

Deno.test("untilToken() passes everything on and throws where the token never comes", async () => {
  const seen: Uint8Array[] = [];
  await assertRejects(async () => {
    for await (const chunk of untilToken(chunksOf("ab", "EN"), bytes("END"))) seen.push(chunk);
  }, StreamCutError);
  assertEquals(text(seen), "abEN");
});
