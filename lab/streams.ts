// SPDX-License-Identifier: MIT
/**
 * Byte streams between the guest's channels and the lab's own input and output.
 *
 * @module
 */
import { concat, endsWith, indexOfNeedle } from "@std/bytes";

/** A stream ended before its end token: the machine died. */
export class StreamCutError extends Error {
  override name = "StreamCutError";
}

/**
 * Passes a stream's bytes on until the token that ends it, which is kept back. Bytes are held only
 * while they may be the token's beginning, so output appears as it is written.
 *
 * @param stream The chunks as they arrive, however they are cut.
 * @param token The token.
 * @returns The chunks before the token.
 * @throws {StreamCutError} If the stream ends without the token.
 */
export async function* untilToken(
  stream: AsyncIterable<Uint8Array>,
  token: Uint8Array,
): AsyncGenerator<Uint8Array> {
  let held = new Uint8Array();
  for await (const chunk of stream) {
    const bytes = concat([held, chunk]);
    const end = indexOfNeedle(bytes, token);
    if (end >= 0) {
      if (end > 0) yield bytes.subarray(0, end);
      return;
    }
    const keep = partialTokenLength(bytes, token);
    held = bytes.slice(bytes.length - keep);
    if (bytes.length > keep) yield bytes.subarray(0, bytes.length - keep);
  }
  if (held.length > 0) yield held;
  throw new StreamCutError("The stream ended early");
}

/** How many of the last bytes are the beginning of the token. */
function partialTokenLength(bytes: Uint8Array, token: Uint8Array): number {
  for (let length = Math.min(token.length - 1, bytes.length); length > 0; length--) {
    if (endsWith(bytes, token.subarray(0, length))) return length;
  }
  return 0;
}

/** Anything that takes bytes, such as `Deno.stdout`. */
export interface Writer {
  /** Writes a part and says how much. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes every chunk completely, in order. */
export async function copyAll(from: AsyncIterable<Uint8Array>, to: Writer): Promise<void> {
  for await (const chunk of from) {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(await to.write(rest));
  }
}
