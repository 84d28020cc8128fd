// SPDX-License-Identifier: MIT
/**
 * Reads damaged files for a while, and says which one broke its reader: by an error that is none of
 * the format's, by its end, by taking too long or too much memory.
 *
 * `deno run -A tests/fuzz/readers.ts SECONDS [SEED [FIRST [FORMAT]]]`: a seed gives the same cases
 * again, from the FIRST on.
 *
 * @module
 */
/** What one file may take; a machine may be busy, but a reader that loops takes for ever. */
const CASE_SECONDS = 60;

/** What a process that reads small files may take, its library's code included. */
const MAX_BYTES = 1_500_000_000;

/** How a run went. */
export interface Run {
  /** Files that were read. */
  readonly cases: number;
  /** What went wrong with the last one. */
  readonly failure: string | undefined;
}

/**
 * Reads damaged files.
 *
 * @param seconds For how long.
 * @param seed What decides them.
 * @param first The first one's number.
 * @param format Their format, where it is not drawn.
 * @returns How it went.
 */
export async function fuzzReaders(
  seconds: number,
  seed: number,
  first = 0,
  format?: string,
): Promise<Run> {
  const script = new URL("reader.ts", import.meta.url).href;
  const words = [String(seed), String(first), ...(format === undefined ? [] : [format])];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-read", script, ...words],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const stop = performance.now() + seconds * 1000;
  const seen = { last: "no case", count: 0, at: performance.now() };
  let failure: string | undefined;
  let isOver = false;
  const end = (reason?: string) => {
    failure ??= reason;
    isOver = true;
    clearInterval(watch);
    child.kill("SIGKILL");
  };
  const watch = setInterval(() => {
    const bytes = peakBytes(child.pid);
    if (bytes > MAX_BYTES) end(`took ${bytes} bytes`);
    else if (performance.now() - seen.at > CASE_SECONDS * 1000) end(`took ${CASE_SECONDS} s`);
  }, 200);
  for await (const line of lines(child.stdout)) {
    if (isOver) continue;
    Object.assign(seen, { last: line, count: seen.count + 1, at: performance.now() });
    if (performance.now() > stop && seen.count > 1) end();
  }
  clearInterval(watch);
  const { code } = await child.status;
  if (!isOver) failure = `ended its process (${code}): ${(await stderr).trim()}`;
  else await stderr;
  if (failure !== undefined) failure = `seed ${seed}, case ${seen.last}: ${failure}`;
  // The last one was only begun.
  return { cases: Math.max(0, seen.count - 1), failure };
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** The most memory that a process has had. */
function peakBytes(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function main([seconds, seed, first, format]: string[]): Promise<number> {
  const chosen = seed === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(seed);
  console.error(`seed ${chosen}`);
  const run = await fuzzReaders(Number(seconds ?? 60), chosen, Number(first ?? 0), format);
  console.log(
    `${run.cases} damaged files, seed ${chosen}: ${run.failure ?? "each was refused or read"}`,
  );
  return run.failure === undefined ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
