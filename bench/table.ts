// SPDX-License-Identifier: MIT
/**
 * The results as text, for a terminal.
 *
 * @module
 */
import type { LoadingSummary, Results, Summary } from "./results.ts";
import { format } from "./statistics.ts";
import { TARGETS } from "./plan.ts";
import { describeTarget, shortfalls } from "./targets.ts";
import { contestantBy } from "./worker.ts";

/** Units of the times of each kind of measurement: what a nanosecond is of it. */
const UNITS = {
  single: { unit: "ms", ns: 1e6, title: "a query" },
  batch64: { unit: "ms", ns: 1e6, title: "a batch of 64" },
  call: { unit: "µs", ns: 1e3, title: "a call" },
  put: { unit: "ns", ns: 1, title: "a row" },
} as const;

/** Puts the cells of rows below each other; all but the first column are aligned to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/**
 * Writes results as text: every measurement, what rows take, and every ratio and its target.
 *
 * @param results The results.
 * @returns The text.
 */
export function tableOf(results: Results): string {
  const head = ["dataset, contestant", "threads", "median", "p99", "of the read limit", "samples"];
  const rows = results.measurements.map(measurementRow);
  const tables = [align([head, ...rows]), loadingTable(results.loadings)];
  return [...tables, ratioTable(results.ratios)].join("\n\n");
}

function loadingTable(loadings: readonly LoadingSummary[]): string {
  return align([
    ["dataset, contestant", "rows a second", "bytes a row"],
    ...loadings.map(({ dataset, contestant, rowsPerSecond, bytesPerRow }) => [
      `${dataset}: ${contestantBy(contestant).label}`,
      format(rowsPerSecond),
      format(bytesPerRow),
    ]),
  ]);
}

function measurementRow(summary: Summary): string[] {
  const { unit, ns, title } = UNITS[summary.what];
  const { label } = contestantBy(summary.contestant);
  return [
    `${summary.dataset}, ${title}: ${label}`,
    String(summary.threads),
    `${format(summary.median / ns)} ${unit}`,
    `${format(summary.p99 / ns)} ${unit}`,
    summary.share === undefined ? "" : `${Math.round(summary.share * 100)} %`,
    String(summary.samples),
  ];
}

/**
 * Writes ratios as text, and which of them fall short.
 *
 * @param ratios The ratios by their keys.
 * @returns The text.
 */
export function ratioTable(ratios: Readonly<Record<string, number>>): string {
  const short = new Set(shortfalls(ratios).map(({ target }) => target.key));
  return align([
    ["ratio", "measured", "target", ""],
    ...TARGETS.map((target) => [
      target.key,
      format(ratios[target.key] ?? NaN),
      describeTarget(target),
      short.has(target.key) ? "short" : "reached",
    ]),
  ]);
}
