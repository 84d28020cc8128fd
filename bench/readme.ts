// SPDX-License-Identifier: MIT
/**
 * Writes results into the README, between two marks, so that nobody types a number by hand.
 *
 * @module
 */
import { LabError, PROJECT } from "../lab/host.ts";
import { type ContestantName, DATASETS, TARGETS } from "./plan.ts";
import { plotsOf } from "./plots.ts";
import type { Results } from "./results.ts";
import { format } from "./statistics.ts";
import { describeTarget, shortfalls } from "./targets.ts";
import { contestantBy } from "./worker.ts";

const BEGIN = "<!-- bench: written by `just bench --last --readme` -->";
const END = "<!-- /bench -->";

/** Who has a column in the table of single queries, where it was measured. */
const COLUMNS: readonly ContestantName[] = [
  "vss-c",
  "vss-deno",
  "hnswlib",
  "faiss",
  "usearch",
  "sqlite-vec",
];

/**
 * Puts results between the marks of a text.
 *
 * @param text The text.
 * @param results The results.
 * @returns The text with the results in it.
 * @throws {LabError} If it has no such marks.
 */
export function withResults(text: string, results: Results): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new LabError(`README.md has no lines ${BEGIN} and ${END}`);
  }
  return `${before}${BEGIN}\n\n${sectionOf(results)}\n\n${END}${after}`;
}

/**
 * Writes results into the README.
 *
 * @param results The results.
 */
export async function updateReadme(results: Results): Promise<void> {
  const path = `${PROJECT}/README.md`;
  await Deno.writeTextFile(path, withResults(await Deno.readTextFile(path), results));
  const { code } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] })
    .output();
  if (code !== 0) throw new LabError("README.md could not be formatted");
}

/** The section, as Markdown. */
function sectionOf(results: Results): string {
  const { date, command, machine } = results;
  const pictures = plotsOf(results).map(({ name, title }) =>
    `![${title}](bench/results/${name}.svg)`
  );
  const origin = `By \`${command}\` on ${date}, ${machine.processors} processors (` +
    `${machine.processor}, ${machine.instructions}), the driver in the lab's \`${machine.driverIn}\`; ` +
    `medians, every answer checked. All figures are in ` +
    `[latest.json](bench/results/latest.json).`;
  return [
    "Milliseconds for one exact query, the 10 nearest, on one thread:",
    singleTable(results),
    origin,
    ...pictures,
    "What is measured against what is aimed at:",
    ratioTable(results),
  ].join("\n\n");
}

function singleTable({ measurements }: Results): string {
  const of = (dataset: string, contestant: string) =>
    measurements.find((one) =>
      one.dataset === dataset && one.contestant === contestant && one.what === "single" &&
      one.threads === 1
    );
  const columns = COLUMNS.filter((name) => DATASETS.some((dataset) => of(dataset.name, name)));
  const rows = DATASETS.map(({ name, rows, dimension, kind }) => [
    `${rows.toLocaleString("en-US")} × ${dimension}, ${kind}`,
    ...columns.map((column) => format((of(name, column)?.median ?? NaN) / 1e6)),
  ]);
  return markdownTable(["rows × dimensions", ...columns.map((n) => contestantBy(n).label)], rows);
}

function ratioTable({ ratios }: Results): string {
  const short = new Set(shortfalls(ratios).map(({ target }) => target.key));
  const rows = TARGETS.map((target) => [
    `\`${target.key}\`: ${target.means}`,
    format(ratios[target.key] ?? NaN),
    describeTarget(target),
    short.has(target.key) ? "short" : "reached",
  ]);
  return markdownTable(["ratio", "measured", "aim", ""], rows);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => column === 0 ? "---" : "--:");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
