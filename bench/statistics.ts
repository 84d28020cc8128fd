// SPDX-License-Identifier: MIT
/**
 * The few numbers that stand for many samples.
 *
 * @module
 */

/**
 * The value below which a share of the samples lies, by nearest rank: one of the samples themselves.
 *
 * @param samples The samples, in any order.
 * @param share The share, 0 to 1.
 * @returns The value; NaN of no samples.
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort();
  const rank = Math.max(Math.ceil(share * sorted.length), 1);
  return sorted[rank - 1] ?? NaN;
}

/**
 * The middle of the samples; between the two in the middle, where their number is even.
 *
 * @param samples The samples, in any order.
 * @returns The median; NaN of no samples.
 */
export function median(samples: readonly number[]): number {
  const sorted = Float64Array.from(samples).sort();
  const middle = sorted.length / 2;
  if (Number.isInteger(middle)) return (sorted[middle - 1]! + sorted[middle]!) / 2;
  return sorted[Math.floor(middle)] ?? NaN;
}

/**
 * The median over the rounds of what one measurement's time is of another's in the same round. What
 * slows a whole round down, on a machine that others use too, slows both and so cancels.
 *
 * @param times Of each round, the time that is divided.
 * @param by Of each round, the time that divides it.
 * @returns The ratio; NaN where no round has both.
 */
export function pairedRatio(times: readonly number[], by: readonly number[]): number {
  const rounds = Math.min(times.length, by.length);
  return median(Array.from({ length: rounds }, (_, round) => times[round]! / by[round]!));
}

/**
 * A number as people read it: with at least three significant digits.
 *
 * @param value The number.
 * @returns Its text.
 */
export function format(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
