// SPDX-License-Identifier: MIT
/**
 * The part of the demonstration that runs where the driver is: imports rows of text through the
 * command line's own `main`, searches them, and shows the stats.
 *
 * Usage: `deno run --allow-ffi --allow-read demo/guest.ts MATERIAL`, a file of {@linkcode Material}
 * as JSON.
 *
 * @module
 */
import { main } from "../cli.ts";
import { Vss } from "../mod.ts";
import type { Material } from "./main.ts";

/** The collection that the demonstration makes. */
const NAME = "demo";

/** Components of a line's vector. */
const DIMENSION = "256";

/** Hits shown for each query. */
const HITS = "5";

/** Runs a command of the command line below a heading, and stops the demonstration if it fails. */
async function vss(title: string, ...args: string[]): Promise<void> {
  const words = args.map((arg) => /^[\w./-]+$/.test(arg) ? arg : JSON.stringify(arg));
  console.log(`\n${title}\n$ vss ${words.join(" ")}`);
  const code = await main(args);
  if (code !== 0) Deno.exit(code);
}

/** Imports, searches, filters, counts. */
async function demonstrate({ rows, queries, filter }: Material): Promise<void> {
  const start = performance.now();
  const form = ["--dimension", DIMENSION, "--metric", "cos"];
  await vss("Store every line of the text, by its words", "import", NAME, rows, ...form);
  console.log(`in ${((performance.now() - start) / 1000).toFixed(1)} s`);

  for (const query of queries) {
    const title = `Lines nearest to ${JSON.stringify(query)}: distance, line number, tags, line`;
    await vss(title, "search", NAME, "--text", query, "-k", HITS);
  }
  const [query] = queries;
  const title = `The same question as the first, but only ${filter.where}`;
  await vss(title, "search", NAME, "--text", query!, "-k", HITS, "--tags", filter.tags);

  await vss("What the kernel holds now", "stats", NAME);
  using device = Vss.open();
  using lines = device.collection(NAME, { access: "read" });
  const { count, queries: answered } = lines.statsSync();
  console.log(`\ndemo ok: ${count} vectors stored, ${answered} queries answered`);
}

const [material] = Deno.args;
if (material === undefined) {
  console.error("Usage: deno run --allow-ffi --allow-read demo/guest.ts MATERIAL");
  Deno.exit(2);
}
await demonstrate(JSON.parse(await Deno.readTextFile(material)));
