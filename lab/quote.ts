// SPDX-License-Identifier: MIT
/**
 * Quoting for POSIX shells.
 *
 * @module
 */

/**
 * Quotes words so that a POSIX shell reads back exactly these, whatever they hold.
 *
 * @param words The words.
 * @returns One line of shell, or more where a word holds newlines.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(shellQuote(["it's", ""]), `'it'\\''s' ''`);
 * ```
 */
export function shellQuote(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
