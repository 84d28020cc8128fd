// SPDX-License-Identifier: MIT
/**
 * Runs the command line again and again in one process: once for each list of arguments of a JSON
 * array on standard input, until one fails.
 *
 * Usage: `deno run --allow-all tests/cli/batch.ts`
 *
 * @module
 */
import { main } from "../../cli.ts";

const runs: string[][] = await new Response(Deno.stdin.readable).json();
for (const args of runs) {
  const code = await main(args);
  if (code === 0) continue;
  console.error(`vss ${args.join(" ")} ended with ${code}`);
  Deno.exit(code);
}
