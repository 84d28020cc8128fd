// SPDX-License-Identifier: MIT
/**
 * Draws results as SVG: bars of every contestant, a panel a dataset.
 *
 * @module
 */
import { Error as ERRORS_ONLY, logger, parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { BATCH, CONTESTANTS, DATASETS } from "./plan.ts";
import type { Results, Summary } from "./results.ts";
import { format } from "./statistics.ts";
import { contestantBy } from "./worker.ts";

/** One bar. */
export interface Bar {
  readonly panel: string;
  readonly label: string;
  readonly value: number;
  /** Whether it is the driver's. */
  readonly ours: boolean;
}

/** One picture. */
export interface Plot {
  /** The file's name, without its ending. */
  readonly name: string;
  readonly title: string;
  /** What the numbers are, and which of them are good. */
  readonly subtitle: string;
  readonly scale: "log" | "linear";
  readonly bars: readonly Bar[];
}

/** What a picture is made of, in light; `DARK` says what becomes of it in the dark. */
const COLOURS = { text: "#1f2328", soft: "#59636e", ours: "#0969da", others: "#afb8c1" };

const DARK = { text: "#f0f6fc", soft: "#9198a1", ours: "#4493f8", others: "#57606a" };

const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Sizes in pixels: of a panel, of a bar with the room around it. */
const SIZES = { panel: 270, bar: 19, columns: 2 };

/**
 * Chooses what is drawn.
 *
 * @param results The results.
 * @returns The pictures, those without bars left out.
 */
export function plotsOf({ measurements }: Results): Plot[] {
  const of = (what: Summary["what"]) =>
    measurements.filter((one) => one.what === what && one.threads === 1);
  const contestants = (one: Summary) => one.contestant !== "probe";
  const plots: Plot[] = [
    {
      name: "latency",
      title: "One exact query, one thread",
      subtitle: "milliseconds, the 10 nearest of all rows; less is better; logarithmic",
      scale: "log",
      bars: of("single").filter(contestants).map((one) => barOf(one, one.median / 1e6)),
    },
    {
      name: "batch",
      title: `A batch of ${BATCH} exact queries, one thread`,
      subtitle: "queries a second; more is better",
      scale: "linear",
      bars: of("batch64").map((one) => barOf(one, BATCH * 1e9 / one.median)),
    },
    {
      name: "inserts",
      title: "Inserting rows, 1,000 a call",
      subtitle: "rows of 128 dimensions a second; more is better; logarithmic",
      scale: "log",
      bars: of("put").map((one) => barOf(one, 1e9 / one.median)),
    },
    {
      name: "bandwidth",
      title: "Rows passed by, as a share of what memory gives",
      subtitle:
        "percent of the streaming-read limit of the same run; codes spare reading, so pass it",
      scale: "linear",
      bars: of("single").filter(contestants)
        .flatMap((one) => one.share === undefined ? [] : [barOf(one, one.share * 100)]),
    },
  ];
  return plots.filter(({ bars }) => bars.length > 0);
}

function barOf({ dataset, contestant }: Summary, value: number): Bar {
  return {
    panel: panelOf(dataset),
    label: contestantBy(contestant).label,
    value,
    ours: contestantBy(contestant).place === "guest",
  };
}

function panelOf(name: string): string {
  const dataset = DATASETS.find((candidate) => candidate.name === name);
  if (!dataset) return "128 dimensions";
  const { rows, dimension, kind } = dataset;
  const shape = `${rows.toLocaleString("en-US")} × ${dimension}`;
  return kind === "gaussian" ? `${shape}, Gaussian: the hard case` : shape;
}

/** The form of a picture in the language of the library. */
function specOf({ title, subtitle, scale, bars }: Plot): TopLevelSpec {
  const panels = [...new Set(bars.map(({ panel }) => panel))];
  const labels = CONTESTANTS.map(({ label }) => label);
  const sortedBars = { field: "label", type: "nominal", sort: labels, title: null } as const;
  const least = Math.min(...bars.map(({ value }) => value));
  const domain = scale === "log" ? { domainMin: 10 ** Math.floor(Math.log10(least)) } : {};
  const x = {
    field: "value",
    type: "quantitative",
    title: null,
    scale: { type: scale, nice: true, ...domain },
    // Every bar says its number.
    axis: null,
  } as const;
  return {
    data: { values: bars.map((bar) => ({ ...bar, text: format(bar.value) })) },
    title: { text: title, subtitle, anchor: "start", offset: 16 },
    facet: {
      field: "panel",
      type: "nominal",
      sort: panels,
      title: null,
      header: { labelAnchor: "start", labelFontWeight: "bold", labelPadding: 6 },
    },
    columns: Math.min(SIZES.columns, panels.length),
    spacing: { row: 22, column: 36 },
    resolve: { scale: { y: "independent" } },
    spec: {
      width: SIZES.panel,
      height: { step: SIZES.bar },
      layer: [
        {
          mark: { type: "bar", cornerRadiusEnd: 2, height: { band: 0.72 } },
          encoding: {
            x,
            // A bar of a logarithmic scale begins at its edge.
            ...(scale === "log" ? { x2: { datum: domain.domainMin } } : {}),
            y: sortedBars,
            color: {
              field: "ours",
              type: "nominal",
              legend: null,
              scale: { domain: [true, false], range: [COLOURS.ours, COLOURS.others] },
            },
          },
        },
        {
          mark: { type: "text", align: "left", dx: 4, color: COLOURS.text, fontSize: 11 },
          encoding: { x, y: sortedBars, text: { field: "text", type: "nominal" } },
        },
      ],
    },
    config: {
      font: FONT,
      background: "transparent",
      view: { stroke: null },
      title: {
        color: COLOURS.text,
        fontSize: 16,
        subtitleColor: COLOURS.soft,
        subtitleFontSize: 12,
        subtitlePadding: 4,
      },
      header: { labelColor: COLOURS.text, labelFontSize: 12 },
      axis: {
        labelColor: COLOURS.text,
        labelFontSize: 11,
        labelLimit: 200,
        domain: false,
        ticks: false,
      },
    },
  } as TopLevelSpec;
}

/** Colours of the dark, for those who read in it. */
function withDarkColours(svg: string): string {
  const rules = (Object.keys(COLOURS) as (keyof typeof COLOURS)[]).flatMap((name) =>
    ["fill", "stroke"].map((property) =>
      `[${property}="${COLOURS[name]}"]{${property}:${DARK[name]}}`
    )
  );
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join("")}}</style>`;
  return svg.replace(/^(<svg[^>]*>)/, `$1${style}`);
}

/**
 * Draws a picture.
 *
 * @param plot What it shows.
 * @returns Its SVG.
 */
export async function drawPlot(plot: Plot): Promise<string> {
  const view = new View(parse(compile(specOf(plot), { logger: logger(ERRORS_ONLY) }).spec), {
    renderer: "none",
  });
  return withDarkColours(await view.toSVG());
}

/**
 * Draws all pictures of results.
 *
 * @param results The results.
 * @param folder Where they go.
 */
export async function writePlots(results: Results, folder: string): Promise<void> {
  for (const plot of plotsOf(results)) {
    await Deno.writeTextFile(`${folder}/${plot.name}.svg`, `${await drawPlot(plot)}\n`);
  }
}
