// SPDX-License-Identifier: MIT
/**
 * The ratios of a run, and whether they reach what they should.
 *
 * @module
 */
import { keyOf, type Measurement, type Target, TARGETS } from "./plan.ts";
import { median, pairedRatio } from "./statistics.ts";

/** The median time of every round, in nanoseconds, by the measurement's key. */
export type Rounds = ReadonlyMap<string, readonly number[]>;

/**
 * Computes every ratio whose measurements are there.
 *
 * @param rounds The times.
 * @returns The ratios by their keys.
 */
export function ratiosOf(rounds: Rounds): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const { key, time, by } of TARGETS) {
    const value = ratioOf(rounds, by, time);
    if (Number.isFinite(value)) ratios[key] = value;
  }
  return ratios;
}

function ratioOf(rounds: Rounds, by: Measurement, time?: Measurement): number {
  const divisors = rounds.get(keyOf(by)) ?? [];
  if (!time) return 1e9 / median(divisors);
  return pairedRatio(rounds.get(keyOf(time)) ?? [], divisors);
}

/** A ratio that does not reach its target. */
export interface Shortfall {
  readonly target: Target;
  /** What it is, if it is there at all. */
  readonly value: number | undefined;
}

/**
 * Finds the ratios that fall short. One that is missing does.
 *
 * @param ratios The ratios by their keys.
 * @returns Those that fall short, in the order of the targets.
 */
export function shortfalls(ratios: Readonly<Record<string, unknown>>): Shortfall[] {
  return TARGETS.flatMap((target): Shortfall[] => {
    const value = ratios[target.key];
    if (typeof value !== "number" || !Number.isFinite(value)) return [{ target, value: undefined }];
    const reached = value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity);
    return reached ? [] : [{ target, value }];
  });
}

/**
 * Says what is to be reached.
 *
 * @param target The target.
 * @returns Such as `at least 4.5`.
 */
export function describeTarget({ least, most }: Target): string {
  const limits = [
    ...(least === undefined ? [] : [`at least ${least.toLocaleString("en-US")}`]),
    ...(most === undefined ? [] : [`at most ${most.toLocaleString("en-US")}`]),
  ];
  return limits.join(", ");
}
