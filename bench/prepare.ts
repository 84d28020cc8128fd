// SPDX-License-Identifier: MIT
/**
 * What a run needs before it can begin: compiled programs, and data with its truth. All of it is
 * kept under `build/bench/` and made anew only where what it depends on has changed.
 *
 * @module
 */
import { BUILD, exists, PROJECT, run, runOrThrow, withLock } from "../lab/host.ts";
import { type Dataset, K, QUERIES, SEED } from "./plan.ts";

const FOLDER = `${BUILD}/bench`;
const NATIVE = `${PROJECT}/bench/native`;

/** Where the compiled programs lie. */
export const PROGRAMS = `${FOLDER}/bin`;

const CFLAGS = ["-O3", "-march=native", "-Wall", "-Wextra", "-Werror"];

/** How each program is compiled; its source is among the words. */
const COMPILERS: Readonly<Record<string, readonly string[]>> = {
  // Its sums must be the same on every machine, so it uses nothing that only some have.
  generate: ["gcc", "-O3", "-ffp-contract=off", ...CFLAGS.slice(2), "generate.c", "-lm"],
  truth: ["gcc", ...CFLAGS, "truth.c"],
  probe: ["gcc", ...CFLAGS, "-fopenmp", "probe.c"],
  // It runs in the machine, whose processor may be another.
  driver: ["gcc", "-O2", ...CFLAGS.slice(2), `-I${PROJECT}/kernel/uapi`, "driver.c"],
  hnswlib: ["g++", ...CFLAGS, "-fopenmp", "hnswlib.cpp"],
  faiss: ["g++", ...CFLAGS, "-fopenmp", "faiss.cpp", "-lfaiss", "-lopenblas"],
};

/** Compiles what has changed. */
export async function compileAll(): Promise<void> {
  await Deno.mkdir(PROGRAMS, { recursive: true });
  await withLock(`${FOLDER}/bin.lock`, async () => {
    const processor = /^model name.*$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[0] ?? "";
    const header = `${await changed(`${NATIVE}/worker.h`)} ${await changed(
      `${PROJECT}/kernel/uapi/linux/vss.h`,
    )}`;
    for (const [name, words] of Object.entries(COMPILERS)) {
      const command = [...words, ...await versionFlags(name)];
      const source = await changed(`${NATIVE}/${words.find((word) => /\.c(pp)?$/.test(word))}`);
      await compile(name, command, [...command, processor, header, source].join("\n"));
    }
  });
}

/** hnswlib's headers do not tell their release; the package does. */
async function versionFlags(name: string): Promise<string[]> {
  if (name !== "hnswlib") return [];
  const version = await runOrThrow(["dpkg-query", "-W", "-f", "${Version}", "libhnswlib-dev"]);
  return [`-DHNSWLIB_VERSION="${version.trim()}"`];
}

/** When a file was changed last. */
async function changed(path: string): Promise<number> {
  return (await Deno.stat(path)).mtime?.getTime() ?? 0;
}

/** Compiles a program, unless it was compiled from the same before, as its stamp tells. */
async function compile(name: string, command: string[], stamp: string): Promise<void> {
  const program = `${PROGRAMS}/${name}`;
  const last = await Deno.readTextFile(`${program}.stamp`).catch(() => "");
  if (last === stamp && await exists(program)) return;
  await runOrThrow([...command, "-o", program], { cwd: NATIVE });
  await Deno.writeTextFile(`${program}.stamp`, stamp);
}

/**
 * Makes a dataset and finds its truth, unless both are there.
 *
 * @param dataset The dataset.
 * @returns Its folder: `rows.f32`, `queries.f32`, `truth.u32` and `truth.f64`.
 */
export async function prepareDataset(dataset: Dataset): Promise<string> {
  const { kind, rows, dimension } = dataset;
  // A change of what makes the data, or judges by it, is another folder.
  const maker = await digest(`${NATIVE}/generate.c`) + await digest(`${NATIVE}/truth.c`);
  const folder = `${FOLDER}/data/${kind}-${rows}x${dimension}-seed${SEED}-${maker}`;
  await withLock(`${FOLDER}/data.lock`, async () => {
    if (await exists(folder)) return;
    const part = `${folder}.part`;
    await Deno.mkdir(part, { recursive: true });
    await generate(dataset, { first: 0, count: rows }, `${part}/rows.f32`);
    // Queries are further rows of the same kind, which are not stored.
    await generate(dataset, { first: rows, count: QUERIES }, `${part}/queries.f32`);
    const files = ["rows.f32", "queries.f32", "truth.u32", "truth.f64"];
    await runOrThrow([
      `${PROGRAMS}/truth`,
      String(dimension),
      String(K),
      ...files.map((file) => `${part}/${file}`),
    ]);
    await Deno.rename(part, folder);
  });
  return folder;
}

async function digest(path: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(hash).slice(0, 3).toHex();
}

async function generate(
  { kind, dimension }: Dataset,
  { first, count }: { first: number; count: number },
  path: string,
): Promise<void> {
  const words = [kind, SEED, dimension, first, count].map(String);
  const script = 'out=$1; shift; exec "$@" >"$out"';
  await runOrThrow(["sh", "-c", script, "sh", path, `${PROGRAMS}/generate`, ...words]);
}

/** The processors that this process may use, as numbers. */
export async function allowedProcessors(): Promise<number[]> {
  const status = await Deno.readTextFile("/proc/self/status");
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The whole output of a command that may be missing; empty then. */
export async function outputOf(command: string[]): Promise<string> {
  const { code, output } = await run(command);
  return code === 0 ? output.trim() : "";
}
