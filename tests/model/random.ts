// SPDX-License-Identifier: MIT
/**
 * Numbers that a seed decides.
 *
 * @module
 */

/**
 * Makes a generator of numbers (mulberry32).
 *
 * @param seed The seed.
 * @returns A function that gives the next number, from 0 to 1.
 */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
