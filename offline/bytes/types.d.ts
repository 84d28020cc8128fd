// SPDX-License-Identifier: MIT
/**
 * The types of `@std/bytes`'s functions.
 *
 * @module
 */

/** Joins byte arrays into a new one. */
export declare function concat(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer>;
/** Copies `src` into `dst` at `offset` and returns how many bytes fitted. */
export declare function copy(src: Uint8Array, dst: Uint8Array, offset?: number): number;
/** Whether `source` ends with `suffix`. */
export declare function endsWith(source: Uint8Array, suffix: Uint8Array): boolean;
/** Whether two byte arrays hold the same bytes. */
export declare function equals(a: Uint8Array, b: Uint8Array): boolean;
/** Whether `needle` occurs in `source` from `start` on. */
export declare function includesNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): boolean;
/** Where `needle` first occurs in `source` from `start` on, or -1. */
export declare function indexOfNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): number;
/** Where `needle` last occurs in `source` up to `start`, or -1. */
export declare function lastIndexOfNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): number;
/** A new array that holds `source` `count` times. */
export declare function repeat(source: Uint8Array, count: number): Uint8Array<ArrayBuffer>;
/** Whether `source` starts with `prefix`. */
export declare function startsWith(source: Uint8Array, prefix: Uint8Array): boolean;
