// SPDX-License-Identifier: MIT
/**
 * The command line on a device, as processes of their own. The tests build on each other: they share
 * the one store that the driver holds, which must be empty at the start.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { embedText, VERSION } from "../../mod.ts";
import { type Format, FORMATS } from "../../client/formats/mod.ts";
import { shellQuote } from "../../lab/quote.ts";
import { command, ROOT, run, vss } from "../command.ts";

const READ = { permissions: ["--allow-ffi", "--allow-read"] };
const WRITE = { permissions: ["--allow-ffi", "--allow-read", "--allow-write"] };

const TEXT = [
  "gnuchess - strategy game of chess against the computer",
  "",
  "darkstat - network traffic analyzer",
  "fotoxx - edit photos and manage a large collection",
  "postfix - high-performance mail \x1b[31mtransport agent",
].join("\r\n");

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const file = `${folder}/text`;
await Deno.writeTextFile(file, TEXT);

/** Runs a command with --json that must succeed; returns what it printed. */
// deno-lint-ignore no-explicit-any
async function json(args: string[], options = {}): Promise<any> {
  const { code, stdout, stderr } = await vss([...args, "--json"], options);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return JSON.parse(stdout);
}

/** Runs a command with --json that must fail; returns the error. */
async function failure(
  args: string[],
  options = {},
): Promise<{ code: string; message: string; operation?: string }> {
  const { code, stdout, stderr } = await vss([...args, "--json"], options);
  assertEquals([code, stdout], [1, ""], args.join(" "));
  return JSON.parse(stderr.trimEnd().split("\n").at(-1)!).error;
}

Deno.test("doctor finds everything in order", async () => {
  const { ok, findings } = await json(["doctor"]);
  assertEquals(ok, true, JSON.stringify(findings));
  const found = Object.fromEntries(
    findings.map(({ check, found }: { check: string; found: string }) => [check, found]),
  );
  assertEquals(found.module, `vss ${VERSION}`);
  assertMatch(found.simd, /^(?:avx512|avx2|sse2|neon)$/);
  assertMatch(found.processors, /^a search may use all \d+$/);
  assertMatch(found.device, /^\/dev\/vss 0660 root:/);
});

Deno.test("info, list and stats work on an empty store", async () => {
  const { release, maxDimension, collections, bytes } = await json(["info"]);
  assertEquals([release, maxDimension, collections, bytes], [VERSION, 8192, 0, 0]);
  assertEquals(await json(["list"]), []);
  assertEquals((await json(["stats"])).count, 0, "the store is not empty at the start");
  assertEquals((await failure(["search", "chess"])).code, "ENOENT");
  assertEquals((await failure(["get", "1"])).code, "ENOENT");
});

Deno.test("import stores every line of a text but the blank ones", async () => {
  const { code, stdout, stderr } = await vss(["import", file], READ);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, `Stored 4 rows of ${file} in collection default\n`);
  const [{ name, count, dimension, metric, mode }] = await json(["list"]);
  assertEquals([name, count, dimension, metric, mode], ["default", 4, 128, "l2sq", 0o666]);
});

Deno.test("search finds the nearest lines and shows them", async () => {
  const hits = await json(["search", "photo editing", "-k", "2"]);
  assertEquals(hits.length, 2);
  assertEquals(hits[0].id, 4);
  assertEquals(hits[0].payload, "fotoxx - edit photos and manage a large collection");
  assert(hits[0].distance < hits[1].distance);
  const { stdout } = await vss(["search", "--text", "mail transport", "-k1"]);
  assertMatch(stdout, /^ *\d\.\d+ +5 +postfix - high-performance mail \\u001b\[31mtransport/);
  const [{ line }] = await json(["search", "mail", "-k1", "--lines", file], READ);
  assertEquals(line, "postfix - high-performance mail \x1b[31mtransport agent");
});

Deno.test("import refuses a line that is stored, and goes on after --skip", async () => {
  const { code, message } = await failure(["import", file], READ);
  assertEquals(code, "EEXIST");
  assertStringIncludes(message, `${file}:1: Id 1 is stored already (EEXIST)`);
  assertStringIncludes(message, "0 rows of it are in; continue with --skip 0");
  const stdin = `${TEXT}\nvlc - multimedia player and streamer ${"x".repeat(70_000)}\n`;
  const { stored, skipped } = await json(["import", "-", "--skip", "5"], { stdin });
  assertEquals([stored, skipped], [1, 5]);
  assertEquals((await json(["import", file, "--upsert"], READ)).stored, 4);
  assertEquals((await json(["stats"])).count, 5);
});

Deno.test("import stops at a bad row, or passes it over with --skip-bad", async () => {
  const path = `${folder}/bad.jsonl`;
  const rows = [
    { id: 1, vector: [1, 2], payload: { a: [1] }, tags: 3 },
    { id: "18446744073709551615", vector: [3, 4] },
    { id: 3, vector: [5] },
    { id: 1, vector: [7, 8] },
    { id: 5, vector: [9, 10], payload: "five" },
  ];
  await Deno.writeTextFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const stopped = await failure(["import", "bad", path], READ);
  assertStringIncludes(stopped.message, `${path}:3: `);
  assertStringIncludes(stopped.message, "2 rows of it are in; continue with --skip 2");

  const args = ["import", "bad", path, "--skip", "2", "--skip-bad"];
  const { code, stdout, stderr } = await vss(args, READ);
  assertEquals([code, stdout], [
    0,
    `Stored 1 row of ${path} in collection bad (2 skipped, 2 bad)\n`,
  ]);
  assertMatch(stderr, /^bad row: .*bad\.jsonl:3: .*\nbad row: .*bad\.jsonl:4: Id 1 is stored/);

  for (const form of [["--dimension", "3"], ["--metric", "cos"]]) {
    const { code, stderr } = await vss(["import", "bad", path, ...form], READ);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `${form[0]} is for a new one`);
  }

  const all = await json(["search", "bad", "--vector", "1,2", "-k", "5"]);
  assertEquals(all[0], { id: 1, distance: 0, payload: '{"a":[1]}', tags: 3 });
  assertEquals(all[1], { id: "18446744073709551615", distance: 8 });
  assertEquals(all[2], { id: 5, distance: 128, payload: "five" });
});

Deno.test("import that is interrupted says how far it came", async () => {
  const [program, ...args] = command(["import", "interrupted", "-", "--skip", "1"]);
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program!, { args, ...pipes }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("one\ntwo\nthree\n"));
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stats = await vss(["stats", "interrupted", "--json"]);
    if (stats.code === 0 && JSON.parse(stats.stdout).count === 2) break;
  }
  child.kill("SIGINT");
  const { code, stderr } = await output;
  await writer.close().catch(() => {});
  assertEquals(code, 1);
  const message = new TextDecoder().decode(stderr);
  assertStringIncludes(message, "Interrupted by SIGINT (EINTR)");
  assertStringIncludes(message, "2 rows of it are in; continue with --skip 3");
  assertEquals((await json(["drop", "interrupted"])).name, "interrupted");
});

Deno.test("create, put, get, delete, clear and drop do what they say", async () => {
  const made = await json(["create", "c", "--dimension", "3", "--metric", "cos", "--mode", "0600"]);
  assertEquals(made, { name: "c", dimension: 3, metric: "cos" });
  assertEquals((await failure(["create", "c", "--dimension", "3"])).code, "EEXIST");
  const put = ["put", "c", "9007199254740993", "1,0,0", "--payload", "naïve", "--tags", "0x10"];
  const first = await json(put);
  assertEquals(first, { id: "9007199254740993", dimension: 3, updated: false });
  assertEquals((await failure(put)).code, "EEXIST");
  assertEquals((await json([...put, "--upsert"])).updated, true);
  await json(["put", "c", "2", "-"], { stdin: "[0, 2, 0]" });
  assertEquals((await failure(["put", "c", "3", "0,0,0"])).code, "EINVAL");

  const both = await json(["get", "c", "2", "9007199254740993"]);
  assertEquals(both, [
    { id: 2, vector: [0, 2, 0] },
    { id: "9007199254740993", vector: [1, 0, 0], payload: "naïve", tags: 16 },
  ]);
  const missing = await vss(["get", "c", "2", "99"]);
  assertEquals(missing.code, 1);
  assertMatch(missing.stdout, /^ +2 {2}0\.00000,2\.00000,0\.00000\n +99 {2}\(not stored\)\n$/);

  assertEquals(await json(["delete", "c", "2", "99"]), { deleted: 1 });
  assertEquals(await json(["delete", "c", "--tags", "0x10/0xf0"]), { deleted: 1 });
  await json(["put", "c", "4", "1,1,1"]);
  assertEquals(await json(["clear", "c"]), { deleted: 1 });
  assertEquals(await json(["drop", "c"]), { name: "c" });
  assertEquals((await failure(["drop", "c"])).code, "ENOENT");
});

Deno.test("a collection whose name is a number is reached by --name", async () => {
  await json(["create", "2024", "--dimension", "1"]);
  await json(["put", "2024", "7", "5"]);
  assertEquals(await json(["get", "--name", "2024", "7"]), [{ id: 7, vector: [5] }]);
  assertEquals(await json(["delete", "--name", "2024", "7"]), { deleted: 1 });
  await json(["drop", "2024"]);
});

Deno.test("search filters by tags and distance, and asks each query of a file", async () => {
  const rows = Array.from(
    { length: 8 },
    (_, i) => `${JSON.stringify({ id: i, vector: [i], tags: i })}\n`,
  );
  await json(["import", "s", "-", "--format", "jsonl"], { stdin: rows.join("") });
  const ids = (matches: { id: number }[]) => matches.map(({ id }) => id);
  assertEquals(ids(await json(["search", "s", "--vector", "0", "--tags", "1/1"])), [1, 3, 5, 7]);
  assertEquals(ids(await json(["search", "s", "--vector", "0", "--tags", "2/1"])), []);
  assertEquals(ids(await json(["search", "s", "--vector", "3", "--max-distance", "1"])), [3, 2, 4]);
  const queries = `${folder}/queries.csv`;
  await Deno.writeTextFile(queries, "6\n1.25\n");
  const args = ["search", "s", "--queries", queries, "-k", "2", "--json"];
  const { stdout } = await vss(args, READ);
  const answers = stdout.trimEnd().split("\n").map((line) => ids(JSON.parse(line)));
  assertEquals(answers, [[6, 5], [1, 2]]);
  const wrong = await vss(["search", "s", "--vector", "1,2"]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "Collection s has vectors of 1 components, not 2");
});

/** Rows, as JSON lines, that a format can hold. */
function rowsFor({ name, keeps }: Format): string {
  const whole = ["bvecs", "ivecs", "u8bin"].includes(name);
  const hasIds = keeps.includes("id");
  return Array.from({ length: 300 }, (_, i) => {
    // JSON.stringify() would lose the sign of -0.
    const vector = `[${whole ? "0,1,255" : "-0,1e-40,0.1"},${i % 256}]`;
    const line = JSON.stringify(`line ${i} of many`);
    const extras = `,"payload":${JSON.stringify(`naïve "${i}",\n`)},"tags":${i}`;
    if (name === "txt") return `{"id":${i + 1},"text":${line},"payload":${line}}\n`;
    const id = hasIds ? `"${BigInt(i) * 61_489_146_912_365_000n}"` : i;
    return `{"id":${id},"vector":${vector}${hasIds ? extras : ""}}\n`;
  }).join("");
}

Deno.test("export and import of every format give the same rows and the same file", async () => {
  const steps = FORMATS.flatMap((format) => {
    const { name, extensions } = format;
    const path = (part: string, extension = extensions[0]!) =>
      `${folder}/${part}-${name}${extension}`;
    Deno.writeTextFileSync(path("rows", ".jsonl"), rowsFor(format));
    return [
      ["import", "from", path("rows", ".jsonl")],
      ["export", "from", path("first")],
      ["import", "to", path("first")],
      ["export", "to", path("second")],
      ["export", "from", path("wanted", ".jsonl")],
      ["export", "to", path("found", ".jsonl")],
      ["drop", "from"],
      ["drop", "to"],
    ];
  });
  // In one process, as each takes a while to start in a machine without a fast processor.
  const program = ["run", "--no-check", "--quiet", "--allow-all", `${ROOT}tests/cli/batch.ts`];
  const { code, stderr } = await run(Deno.execPath(), program, { stdin: JSON.stringify(steps) });
  assertEquals([code, stderr], [0, ""]);
  for (const { name, extensions } of FORMATS) {
    const read = (part: string, extension = extensions[0]!) =>
      Deno.readTextFileSync(`${folder}/${part}-${name}${extension}`);
    assertEquals(read("second"), read("first"), name);
    assertEquals(read("found", ".jsonl"), read("wanted", ".jsonl"), name);
    assertEquals(read("found", ".jsonl").match(/\n/g)?.length, 300, name);
  }
});

Deno.test("export that fails leaves what was there", async () => {
  const path = `${folder}/kept.bvecs`;
  await Deno.writeTextFile(path, "precious");
  await json(["create", "fractions", "--dimension", "1"]);
  await json(["put", "fractions", "1", "0.5"]);
  const { code } = await failure(["export", "fractions", path], WRITE);
  assertEquals(code, "FORMAT");
  assertEquals(await Deno.readTextFile(path), "precious");
  for await (const { name } of Deno.readDir(folder)) assert(!name.endsWith(".part"), name);
  const refused = await failure(["export", "fractions", "/nowhere/file.npy"], WRITE);
  assertStringIncludes(refused.message, "Cannot write /nowhere/file.npy");
  const { stdout } = await vss(["export", "fractions", "-", "--format", "jsonl"]);
  assertEquals(JSON.parse(stdout), { id: 1, vector: [0.5] });
  await json(["drop", "fractions"]);
});

/** Runs a program until it has shown enough, and is told to end. */
async function runUntil(
  [program, ...args]: string[],
  enough: RegExp,
  end: (child: Deno.ChildProcess) => unknown,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { args, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program!, options).spawn();
  const stderr = new Response(child.stderr).text();
  let stdout = "", told = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    if (told || !enough.test(stdout)) continue;
    told = true;
    await end(child);
  }
  const { code } = await child.status;
  return { code, stdout, stderr: await stderr };
}

Deno.test("stats --watch shows rates until it is interrupted", async () => {
  const words = command(["stats", "s", "--watch", "--json"]);
  const { code, stdout, stderr } = await runUntil(words, /\n.*\n/, (child) => child.kill("SIGINT"));
  assertEquals([code, stderr], [0, ""]);
  const { count, searches, puts } = JSON.parse(stdout.split("\n")[0]!);
  assertEquals([count, searches, puts], [8, 0, 0]);
});

Deno.test("stats --watch is a table on a terminal, and lines without one", async () => {
  const words = command(["stats", "s", "--watch"]);
  // The second table is drawn over the first.
  const again = /\[\d+A\r/;
  const shown = await runUntil(
    // Not every shell gives its place to its last command: one that waits ends by Ctrl-C itself.
    ["script", "-qec", `exec ${shellQuote(words)}`, "/dev/null"],
    again,
    (child) => {
      const keyboard = child.stdin.getWriter();
      return keyboard.write(new TextEncoder().encode("\x03"));
    },
  );
  assertEquals(shown.code, 0, shown.stdout);
  const screen = shown.stdout.replaceAll("\x1b[", "ESC ");
  assertMatch(screen, /\rs: 8 rows of \d+, [\d.]+ MiB, evict noneESC K/);
  assertMatch(screen, /\rsearches +0 +\d+ESC K/);
  assertMatch(shown.stdout, again);
  const piped = await runUntil(words, /\n.*\n.*\n/, (child) => child.kill("SIGINT"));
  assertEquals([piped.code, piped.stderr], [0, ""]);
  const [heading, first] = piped.stdout.split("\n");
  assertMatch(heading!, /^ +rows +MiB +searches\/s +puts\/s .*evictions\/s +pressure\/s/);
  assertMatch(first!, /^ +8 +[\d.]+ +0 +0 /);
});

Deno.test("create and configure say what is kept, and for how long", async () => {
  const limits = ["--capacity", "2", "--max-bytes", "64M", "--evict", "fifo", "--ttl", "10m"];
  await json(["create", "ring", "--dimension", "1", ...limits]);
  const ring = async () => {
    const { capacity, maxBytes, evict, ttl, count, evictions } = await json(["stats", "ring"]);
    return { capacity, maxBytes, evict, ttl, count, evictions };
  };
  for (const id of ["1", "2", "3"]) await json(["put", "ring", id, id]);
  const kept = { capacity: 2, maxBytes: 64 << 20, evict: "fifo", ttl: 600_000 };
  assertEquals(await ring(), { ...kept, count: 2, evictions: 1 });
  assertEquals((await vss(["get", "ring", "1"])).code, 1);

  const { stdout } = await vss(["stats", "ring"]);
  assertMatch(stdout, /^ttl +10m$/m);
  assertMatch((await vss(["list"])).stdout, /^ring .* fifo +10m +0640/m);
  const change = ["configure", "ring", "--capacity", "1", "--ttl", "never", "--mode", "0600"];
  assertEquals(await json(change), { name: "ring", capacity: 1, ttl: 0, mode: 0o600 });
  assertEquals(await ring(), { ...kept, capacity: 1, ttl: 0, count: 1, evictions: 2 });
  const said = await vss(["configure", "ring", "--evict", "none", "--max-bytes", "0"]);
  const words = "Changed collection ring: maxBytes no limit of its own, evict none\n";
  assertEquals([said.code, said.stdout], [0, words]);
  const full = await failure(["put", "ring", "9", "9"]);
  assertEquals(full.code, "ENOSPC");
  assertStringIncludes(full.message, "have it evict (fifo or lru)");
  await json(["put", "ring", "3", "4", "--upsert", "--ttl", "1ms"]);
  assertEquals((await ring()).count, 0);
  const rows = '{"id":7,"vector":[7]}\n';
  await json(["import", "ring", "-", "--format", "jsonl", "--ttl", "1ms"], { stdin: rows });
  assertEquals((await json(["stats", "ring"])).expirations, 2);
  await json(["drop", "ring"]);
  assertEquals((await failure(["configure", "ring", "--ttl", "1s"])).code, "ENOENT");
});

Deno.test("cache keeps an answer that another process finds by other words", async () => {
  const question = "What is the capital of France?";
  const missing = await failure(["cache", "get", "answers", question]);
  assertEquals([missing.code, missing.operation], ["ENOENT", "open"]);
  const set = await vss(["cache", "set", "answers", question, "Paris"]);
  const said = `Kept the answer to "${question}" in collection answers\n`;
  assertEquals(set, { code: 0, stdout: said, stderr: "" });
  const { evict, metric, dimension } = await json(["stats", "answers"]);
  assertEquals([evict, metric, dimension], ["lru", "cos", 256]);

  const get = ["cache", "get", "answers", "what's the capital of france"];
  assertEquals(await vss(get), { code: 0, stdout: "Paris\n", stderr: "" });
  const hit = await json(get);
  assertEquals([hit.key, hit.value], [question, "Paris"]);
  assert(hit.distance > 0 && hit.distance < 0.1, `${hit.distance}`);
  const far = await vss([...get, "--threshold", "0.01"]);
  assertEquals([far.code, far.stdout], [1, ""]);
  assertStringIncludes(far.stderr, "Collection answers holds nothing within 0.01 of");
  assertEquals((await failure([...get, "--threshold", "0.01"])).code, "ENOENT");

  const stdin = "many\nlines \x1b[31m\n";
  await json(["cache", "set", "answers", "a b", "-", "--ttl", "1h"], { stdin });
  assertEquals((await json(["cache", "get", "answers", "A B"])).value, "many\nlines \x1b[31m");
  const shown = await vss(["cache", "get", "answers", "a b"]);
  assertEquals(shown.stdout, "many\nlines \\u001b[31m\n");
  const great = await vss(["cache", "set", "answers", "c", "-"], { stdin: "x".repeat(65_536) });
  assertEquals(great.code, 2);
  assertStringIncludes(great.stderr, "must take at most 65536 bytes as JSON, with its key");
  const other = await vss(["cache", "get", "s", "a"]);
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "not of 1 by l2sq");
  await json(["drop", "answers"]);
});

Deno.test("a cache of four processes gives no wrong answer and no half of one", async () => {
  const [askers, keys, rounds] = [4, 40, 3];
  const outcomes = await Promise.all(
    Array.from({ length: askers }, (_, asker) =>
      run(Deno.execPath(), [
        ...["run", "--no-check", "--quiet", "--allow-ffi", `${ROOT}tests/cli/asker.ts`],
        ...["crowded", asker, keys, rounds].map(String),
      ])),
  );
  const counts = outcomes.map(({ code, stdout, stderr }) => {
    assertEquals([code, stderr], [0, ""]);
    const { hits, misses } = JSON.parse(stdout);
    assertEquals(hits + misses, keys * rounds);
    return hits;
  });
  assert(counts.some((hits) => hits > 0), "they find what others have set");
  const { count, evictions } = await json(["stats", "crowded"]);
  assertEquals([count, evictions], [keys, 0]);
  await json(["drop", "crowded"]);
});

Deno.test("add stores a vector that another process finds by query", async () => {
  const stdin = embedText("something else", 128).join(",");
  assertEquals(await json(["add", "4294967295", "-"], { stdin }), {
    id: 4294967295,
    dimension: 128,
  });
  const { hits } = await json(["query", "-", "-k", "1"], { stdin });
  assertEquals(hits, [{ id: 4294967295, distance: 0 }]);
});

Deno.test("add and query say what the device refuses", async () => {
  const wrong = await failure(["query", "1,2,3"]);
  assertEquals([wrong.code, wrong.operation], ["EINVAL", "query"]);
  assertStringIncludes(wrong.message, "the vector has 3 components, the stored ones have 128");
  const stdin = "1 ".repeat(128);
  const { code, stderr } = await vss(["add", "1", "-"], { stdin });
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot add id 1 to \/dev\/vss: .*EEXIST/);
});

Deno.test("rows survive the death of the process that stored them", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--quiet", "--allow-ffi", `${ROOT}tests/cli/hold.ts`, "100", "50"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "stored\n");
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  await reader.cancel();
  const { hits } = await json(["query", embedText("row 120", 128).join(","), "-k", "1"]);
  assertEquals(hits.map(({ id }: { id: number }) => id), [120]);
});

Deno.test("stats counts what all of them did", async () => {
  const { name, count, inserts, updates, dimension, metric } = await json(["stats"]);
  assertEquals([name, count, inserts, updates], ["default", 56, 56, 4]);
  assertEquals([dimension, metric], [128, "l2sq"]);
  const { stdout } = await vss(["stats"]);
  assertMatch(stdout, /^count +56$/m);
  assertMatch(stdout, /^codes +true$/m);
  assertMatch(stdout, /^computed +\d+ \([\d.]+ %\)$/m);
  assertMatch(stdout, /^longestSection +[\d.]+ µs$/m);
});

Deno.test("create --no-codes makes a collection without", async () => {
  await json(["create", "plain", "--dimension", "64", "--no-codes"]);
  assertEquals((await json(["stats", "plain"])).codes, false);
  await json(["drop", "plain"]);
  assertMatch((await vss(["info"])).stdout, /^searchCpus +all that the caller may use$/m);
});

Deno.test("eight processes at once lose no row and read no torn one", async () => {
  const before = await json(["stats"]);
  const [writers, rows] = [8, 100];
  const outcomes = await Promise.all(
    Array.from({ length: writers }, (_, writer) =>
      run(Deno.execPath(), [
        ...["run", "--no-check", "--quiet", "--allow-ffi", `${ROOT}tests/cli/crowd.ts`],
        ...[1000 + writer, writers, rows].map(String),
      ])),
  );
  for (const outcome of outcomes) assertEquals(outcome, { code: 0, stdout: "", stderr: "" });
  const { count, queries } = await json(["stats"]);
  assertEquals(count, before.count + writers * rows);
  assertEquals(queries, before.queries + 2 * writers * rows);
});

Deno.test("a device without permission is named, with what to do", async () => {
  const without = ["--bounding-set=-dac_override,-dac_read_search"];
  const { mode } = await Deno.stat("/dev/vss");
  await Deno.chmod("/dev/vss", 0);
  try {
    const { code, stderr } = await run("setpriv", [...without, ...command(["stats"])]);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: Cannot open \/dev\/vss: permission is denied \(EACCES\); join/);
    const doctor = await run("setpriv", [...without, ...command(["doctor"])]);
    assertEquals(doctor.code, 1);
    assertMatch(doctor.stdout, /^missing +access .*EACCES/m);
  } finally {
    await Deno.chmod("/dev/vss", mode! & 0o777);
  }
});
