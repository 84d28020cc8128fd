// SPDX-License-Identifier: MIT
/**
 * The command line on a device, as processes of their own. The tests build on each other: they share
 * the one store that the driver holds, which must be empty at the start.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { embedText, VERSION } from "../../mod.ts";
import { command, ROOT, run, vss } from "../command.ts";

const READ = { permissions: ["--allow-ffi", "--allow-read"] };

const TEXT = [
  "gnuchess - strategy game of chess against the computer",
  "",
  "darkstat - network traffic analyzer",
  "fotoxx - edit photos and manage a large collection",
  "postfix - high-performance mail \x1b[31mtransport agent",
].join("\r\n");

const file = await Deno.makeTempFile();
await Deno.writeTextFile(file, TEXT);
globalThis.addEventListener("unload", () => Deno.removeSync(file));

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
  return JSON.parse(stderr).error;
}

Deno.test("doctor finds everything in order", async () => {
  const { ok, findings } = await json(["doctor"]);
  assertEquals(ok, true, JSON.stringify(findings));
  const found = Object.fromEntries(
    findings.map(({ check, found }: { check: string; found: string }) => [check, found]),
  );
  assertEquals(found.module, `vss ${VERSION}`);
  assertMatch(found.simd, /^(?:scalar|avx2)$/);
  assertMatch(found.device, /^\/dev\/vss 0660 root:/);
});

Deno.test("search and stats work on an empty store", async () => {
  assertEquals(await json(["search", "chess"]), { text: "chess", hits: [] });
  const { count, dimension } = await json(["stats"]);
  assertEquals([count, dimension], [0, 0], "the store is not empty at the start");
});

Deno.test("import stores every line but the blank ones", async () => {
  assertEquals(await json(["import", file], READ), {
    file,
    lines: 5,
    stored: 4,
    blank: 1,
    skipped: 0,
    shortened: 0,
  });
});

Deno.test("search finds the nearest lines and shows them", async () => {
  const { hits } = await json(["search", "photo editing", "--lines", file, "-k", "2"], READ);
  assertEquals(hits.length, 2);
  assertEquals(hits[0].id, 4);
  assertEquals(hits[0].line, "fotoxx - edit photos and manage a large collection");
  assert(hits[0].distance < hits[1].distance);
  const { stdout } = await vss(["search", "mail transport", "--lines", file, "-k1"], READ);
  assertMatch(stdout, /^ *\d\.\d+ +5 +postfix - high-performance mail \\u001b\[31mtransport/);
});

Deno.test("import refuses a line that is stored, and goes on after --skip", async () => {
  const { code, message } = await failure(["import", file], READ);
  assertEquals(code, "EEXIST");
  assertStringIncludes(message, "the store holds one text; --skip the lines that are in");
  const stdin = `${TEXT}\nvlc - multimedia player and streamer ${"x".repeat(70_000)}\n`;
  const { lines, stored, skipped, shortened } = await json(["import", "-", "--skip", "5"], {
    stdin,
  });
  assertEquals([lines, stored, skipped, shortened], [6, 1, 5, 1]);
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
  const { hits } = await json(["search", "row 120", "-k", "1"]);
  assertEquals(hits.map(({ id }: { id: number }) => id), [120]);
});

Deno.test("stats counts what all of them did", async () => {
  const { count, adds, dimension, metric } = await json(["stats"]);
  assertEquals([count, adds, dimension, metric], [56, 56, 128, "l2sq"]);
  const { stdout } = await vss(["stats"]);
  assertMatch(stdout, /^count +56$/m);
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
