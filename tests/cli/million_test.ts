// SPDX-License-Identifier: MIT
/**
 * A million rows through the command line: that they all arrive, and that the memory which they take
 * is what the stats say, and is given back.
 *
 * Arguments, after `--`: `--rows N` for others than a million.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";
import { shellQuote } from "../../lab/quote.ts";
import { command, ROOT, run, vss } from "../command.ts";
import { component } from "./million.ts";

const ROWS = Number(parseArgs(Deno.args, { string: ["rows"] }).rows ?? 1_000_000);
const DIMENSION = 128;

/** How far the machine's memory may be from what the stats say. */
const TOLERANCE = 0.05;

/** What /proc/meminfo counts of memory that processes and caches use, which comes and goes. */
const ACCOUNTED = [
  "MemFree",
  "Buffers",
  "Cached",
  "SwapCached",
  "AnonPages",
  "SReclaimable",
  "KernelStack",
  "PageTables",
];

/** Bytes of free memory that each processor keeps at hand: tens of MiB that MemFree leaves out. */
async function memoryAtHand(): Promise<number> {
  const zones = await Deno.readTextFile("/proc/zoneinfo");
  const pages = [...zones.matchAll(/cpu: \d+\s+count: (\d+)/g)].map((match) => Number(match[1]));
  return 4096 * pages.reduce((sum, count) => sum + count, 0);
}

/**
 * Bytes of memory that the kernel holds and accounts to nobody, as it does with the driver's. What
 * is free would not do: processes that end meanwhile, and files that they read, change it.
 */
async function heldMemory(): Promise<number> {
  await Deno.writeTextFile("/proc/sys/vm/drop_caches", "3");
  const text = await Deno.readTextFile("/proc/meminfo");
  const field = (name: string) => {
    const value = new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1];
    assert(value !== undefined, `/proc/meminfo has no ${name}`);
    return Number(value) * 1024;
  };
  return ACCOUNTED.reduce((held, name) => held - field(name), field("MemTotal")) -
    await memoryAtHand();
}

// deno-lint-ignore no-explicit-any -- the command says what it prints
async function json(...args: string[]): Promise<any> {
  const { code, stdout, stderr } = await vss([...args, "--json"]);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return JSON.parse(stdout);
}

Deno.test(`import of ${ROWS} rows takes the memory that stats tells, and drop gives it back`, async () => {
  const before = await heldMemory();
  const generator = [
    Deno.execPath(),
    "run",
    "--no-check",
    "--quiet",
    `${ROOT}tests/cli/million.ts`,
  ];
  const source = shellQuote([...generator, `${ROWS}`, `${DIMENSION}`]);
  const sink = shellQuote(command(["import", "million", "-", "--format", "fbin"]));
  const { code, stdout, stderr } = await run("sh", ["-c", `${source} | ${sink}`]);
  assertEquals([code, stderr], [0, ""]);
  assert(stdout.startsWith(`Stored ${ROWS} rows `), stdout);

  const { count, bytes } = await json("stats", "million");
  const taken = await heldMemory() - before;
  console.log(`# stats: ${bytes} bytes, taken: ${taken} bytes, ${(bytes / ROWS).toFixed(1)} a row`);
  assertEquals(count, ROWS);
  assert(Math.abs(taken - bytes) <= TOLERANCE * bytes, `${taken} bytes taken, stats say ${bytes}`);

  const id = Math.floor(0.765432 * ROWS);
  const [row] = await json("get", "million", `${id}`);
  const wanted = Float32Array.from({ length: DIMENSION }, (_, j) => component(id, j));
  assertEquals(row.vector, [...wanted]);

  await json("drop", "million");
  const kept = await heldMemory() - before;
  assert(kept <= TOLERANCE * bytes, `${kept} of ${bytes} bytes are not back`);
});
