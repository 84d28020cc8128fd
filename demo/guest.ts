// SPDX-License-Identifier: MIT
/**
 * The part of the demonstration that runs where the driver is: imports a text through the command
 * line's own `main`, searches it, and shows the stats.
 *
 * Usage: `deno run --allow-ffi --allow-read demo/guest.ts FILE QUERY…`
 *
 * @module
 */
import { main } from "../cli.ts";
import { VssClient } from "../mod.ts";

/** Hits shown for each query. */
const HITS = "5";

/** Runs a command of the command line below a heading, and stops the demonstration if it fails. */
async function vss(title: string, ...args: string[]): Promise<void> {
  const words = args.map((arg) => /^[\w./-]+$/.test(arg) ? arg : JSON.stringify(arg));
  console.log(`\n${title}\n$ vss ${words.join(" ")}`);
  const code = await main(args);
  if (code !== 0) Deno.exit(code);
}

/** Imports, searches, counts. */
async function demonstrate(file: string, queries: readonly string[]): Promise<void> {
  const start = performance.now();
  await vss("Store every line of the text", "import", file);
  console.log(`in ${((performance.now() - start) / 1000).toFixed(1)} s`);

  for (const query of queries) {
    const title = `Lines nearest to ${JSON.stringify(query)}: distance, line number, line`;
    await vss(title, "search", "--lines", file, "-k", HITS, "--", query);
  }

  await vss("What the kernel holds now", "stats");
  using client = VssClient.open();
  const { count, queries: answered } = client.stats();
  console.log(`\ndemo ok: ${count} vectors stored, ${answered} queries answered`);
}

const [file, ...queries] = Deno.args;
if (file === undefined || queries.length === 0) {
  console.error("Usage: deno run --allow-ffi --allow-read demo/guest.ts FILE QUERY…");
  Deno.exit(2);
}
await demonstrate(file, queries);
