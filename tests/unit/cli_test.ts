// SPDX-License-Identifier: MIT
/**
 * The command line without a device: arguments, help, exit codes, messages. `/dev/null` stands in
 * for the device where one must open; it knows no command.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../mod.ts";
import { shellQuote } from "../../lab/quote.ts";
import { command, ROOT, run, type RunOptions, vss } from "../command.ts";

const NULL = ["--device", "/dev/null"];
const NAMES = ["add", "query", "stats", "import", "search", "doctor"];
const READ: RunOptions = { permissions: ["--allow-ffi", "--allow-read"] };

/** Asserts that arguments are refused as wrong usage with a message. */
async function isWrongUsage(args: string[], message: string, options?: RunOptions): Promise<void> {
  const { code, stdout, stderr } = await vss(args, options);
  assertStringIncludes(stderr, message);
  assertEquals([code, stdout], [2, ""], args.join(" "));
}

/** Runs the command line on a terminal. */
async function onTerminal(args: string[], env: Record<string, string> = {}): Promise<string> {
  const line = shellQuote(command(args));
  const { stdout } = await run("script", ["-qec", line, "/dev/null"], { env });
  return stdout;
}

/** Runs a test on a file of its own. */
async function withFile(content: string, test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, content);
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("--help is what cli_help.txt shows, for every command", async () => {
  const parts: string[] = [];
  for (const args of [[], ...NAMES.map((name) => [name])]) {
    const { code, stdout, stderr } = await vss([...args, "--help"], { permissions: [] });
    assertEquals([code, stderr], [0, ""]);
    parts.push(`$ ${["vss", ...args, "--help"].join(" ")}\n${stdout}`);
  }
  const file = new URL("cli_help.txt", import.meta.url);
  // After a change on purpose: deno test -A tests/unit/cli_test.ts -- --update
  if (Deno.args.includes("--update")) await Deno.writeTextFile(file, parts.join("\n"));
  assertEquals(parts.join("\n"), await Deno.readTextFile(file));
});

Deno.test("--help needs neither operands nor permissions, and -h is the same", async () => {
  const [long, short] = await Promise.all([vss(["--help"], { permissions: [] }), vss(["-h"])]);
  assertEquals(long, short);
});

Deno.test("--version prints the release", async () => {
  assertEquals((await vss(["--version"])).stdout, `vss ${VERSION}\n`);
  assertEquals((await vss(["--version", "--json"])).stdout, `{"version":"${VERSION}"}\n`);
});

Deno.test("no command is wrong usage and shows help", async () => {
  await isWrongUsage([], "Command is missing");
});

Deno.test("an unknown command is wrong usage and suggests one", async () => {
  await isWrongUsage(["serch", "x"], 'Command "serch" is not known; did you mean search?');
  await isWrongUsage(["frobnicate"], "known are add, query, stats, import, search, doctor");
  await isWrongUsage(["constructor"], 'Command "constructor" is not known');
});

Deno.test("an unknown option is wrong usage and suggests one", async () => {
  await isWrongUsage(["stats", "--jason"], 'Option "--jason" is not known; did you mean --json?');
  await isWrongUsage(["stats", "-k", "5"], 'Option "-k" is not known by stats');
  await isWrongUsage(["add", "1", "1", "--skip", "3"], 'Option "--skip" is not known by add');
  await isWrongUsage(["query", "1", "-x"], 'Option "-x" is not known');
  await isWrongUsage(["stats", "--__proto__=1"], "is not known");
  await isWrongUsage(["stats", "--_=1"], "is not known");
  await isWrongUsage(
    ["stats", "-json"],
    'Option "-json" is not known; did you mean --json?',
  );
  await isWrongUsage(["query", "-Infinity"], 'Option "-Infinity" is not known');
  await isWrongUsage(["stats", "--json=true"], "Option --json takes no value");
});

Deno.test("an option without its value is wrong usage", async () => {
  await isWrongUsage(["stats", "--device"], "Option --device needs a value");
  await isWrongUsage(["query", "1", "-k"], "Option -k needs a value");
  await isWrongUsage(["search", "x", "--lines", "--json"], "--lines needs a value");
  await isWrongUsage(["--device", "", "stats"], "Option --device needs a value");
  await isWrongUsage(["query", "1", "-k", ""], "Option -k needs a value");
  await isWrongUsage(["import", ""], "FILE must not be empty", { permissions: ["--allow-ffi"] });
});

Deno.test("a wrong number of operands is wrong usage", async () => {
  await isWrongUsage(["add", "1"], 'add takes ID VECTOR, not "1"');
  await isWrongUsage(["stats", "now"], 'stats takes no operand, not "now"');
  await isWrongUsage(["search", "two", "words"], "search takes TEXT");
});

Deno.test("a wrong value is wrong usage and names the limits, without a device", async () => {
  await isWrongUsage(["add", "-1", "1"], 'ID must be an integer from 0 to 4294967295, not "-1"');
  await isWrongUsage(["add", "1.5", "1"], 'ID must be an integer from 0 to 4294967295, not "1.5"');
  await isWrongUsage(["add", "1", "1,x,3"], 'Component 1 of the vector must be a number, not "x"');
  await isWrongUsage(["add", "1", "1,,3"], 'Component 1 of the vector must be a number, not ""');
  await isWrongUsage(["add", "1", "1,nan"], "Component 1");
  await isWrongUsage(
    ["add", "1", "0,5 1,5"],
    'Component 1 of the vector must be a number, not "5 1"',
  );
  await isWrongUsage(["add", "1", "[1 2]"], "is no JSON array of numbers");
  await isWrongUsage(["add", "1", "[[1]]"], "Component 0 of the vector must be a number");
  await isWrongUsage(["add", "1", "1e39"], "finite as a 32-bit float");
  await isWrongUsage(["add", "1", ""], "1 to 128 components, not 0");
  await isWrongUsage(["query", "1", "-k", "33"], '-k must be an integer from 1 to 32, not "33"');
  await isWrongUsage(["query", "1", "-k", "-3"], '-k must be an integer from 1 to 32, not "-3"');
  await isWrongUsage(["import", "-", "--skip", "-3"], "--skip must be an integer from 0", {});
  await isWrongUsage(["search", "  "], "TEXT must hold more than blanks");
  await isWrongUsage(["query", "-"], "1 to 128 components, not 129", { stdin: "1 ".repeat(129) });
});

Deno.test("every form of a vector is read", async () => {
  for (const form of ["-0.5,1", "-.5 1", "[ -0.5, 1 ]", "+1e-3, -2E3", "[1]"]) {
    const { code, stderr } = await vss(["add", "7", form, ...NULL]);
    assertEquals(code, 1, form);
    assertStringIncludes(stderr, "Cannot add id 7 to /dev/null");
  }
  const tooMany = Array(129).fill(1);
  for (const stdin of [tooMany.join(","), tooMany.join("\n"), JSON.stringify(tooMany)]) {
    await isWrongUsage(["query", "-", ...NULL], "1 to 128 components, not 129", { stdin });
  }
});

Deno.test("options stand anywhere, and -- ends them", async () => {
  const orders = [["--device=/dev/null", "add", "1", "-1,2"], ["add", ...NULL, "1", "-1,2"], [
    "add",
    ...NULL,
    "--",
    "1",
    "-1,2",
  ]];
  for (const args of orders) {
    assertStringIncludes((await vss(args)).stderr, "Cannot add id 1 to /dev/null");
  }
  const { stderr } = await vss(["search", "--json", "true", ...NULL]);
  assertStringIncludes(stderr, "Cannot query");
  for (const k of ["-k5", "-k=5"]) {
    assertEquals((await vss(["query", "1", k, ...NULL])).code, 1);
  }
});

Deno.test("a failure is exit code 1, one message on standard error, and nothing else", async () => {
  const { code, stdout, stderr } = await vss(["stats", "--device", "/nowhere/vss"]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: Cannot open \/nowhere\/vss: .*ENOENT.*\n$/);
});

Deno.test("--json makes errors one line of JSON on standard error", async () => {
  const failed = await vss(["stats", "--json", "--device", "/nowhere/vss"]);
  assertEquals([failed.code, failed.stdout], [1, ""]);
  const { error } = JSON.parse(failed.stderr);
  assertEquals([error.code, error.operation], ["ENOENT", "open"]);
  assertStringIncludes(error.message, "just load");
  const wrong = await vss(["stats", "--json", "-k", "1"]);
  assertEquals([wrong.code, JSON.parse(wrong.stderr).error.code], [2, "USAGE"]);
});

Deno.test("a permission that is missing is named, not asked for", async () => {
  const noFfi = await vss(["stats"], { permissions: [] });
  assertEquals(noFfi.code, 1);
  assertStringIncludes(noFfi.stderr, "run it with --allow-ffi");
  const noRead = await vss(["import", `${ROOT}README.md`, ...NULL]);
  assertEquals(noRead.code, 1);
  assertStringIncludes(noRead.stderr, "run it with --allow-read");
});

Deno.test("import says why it stopped and how to go on", async () => {
  await withFile("one\ntwo\nthree\n", async (path) => {
    const { code, stderr } = await vss(["import", path, ...NULL, "--skip", "1"], READ);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Cannot add id 2 to /dev/null");
    assertStringIncludes(stderr, "0 lines stored by this run; continue with --skip 1\n");
  });
});

Deno.test("import counts lines, blanks, CRLF, a byte order mark and long lines", async () => {
  const content = `\uFEFF\r\n\n   \n\t\r\n${" ".repeat(70_000)}\nlast`;
  await withFile(content, async (path) => {
    const { code, stdout, stderr } = await vss(["import", path, ...NULL, "--skip", "6"], READ);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "6 skipped");
    const blank = await vss(["import", "-", ...NULL, "--json"], { stdin: content.slice(0, -4) });
    assertEquals(JSON.parse(blank.stdout), {
      file: "-",
      lines: 5,
      stored: 0,
      blank: 5,
      skipped: 0,
      shortened: 0,
    });
  });
});

Deno.test("import names a file that cannot be read", async () => {
  const missing = await vss(["import", "/nowhere/text", ...NULL], READ);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "Cannot read /nowhere/text: there is no such file (ENOENT)");
  const folder = await vss(["import", "/etc", ...NULL], READ);
  assertStringIncludes(folder.stderr, "Cannot read /etc: it is a folder (EISDIR)");
  const line = (name: string) => shellQuote(command([name, "-", ...NULL]));
  for (const name of ["import", "query"]) {
    const { code, stderr } = await run("sh", ["-c", `${line(name)} < /etc`]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Cannot read standard input: it is a folder (EISDIR)");
  }
});

Deno.test("import can be interrupted while it waits for input, also while it skips", async () => {
  const [program, ...args] = command(["import", "-", ...NULL, "--skip", "5"]);
  const child = new Deno.Command(program!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("\n\n"));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  child.kill("SIGINT");
  const { code, stderr } = await output;
  await writer.close().catch(() => {});
  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "continue with --skip 5");
});

Deno.test("doctor says what is missing and what to do, with exit code 1", async () => {
  const text = await vss(["doctor", "--device", "/nowhere/vss"]);
  assertEquals([text.code, text.stderr], [1, ""]);
  assertMatch(text.stdout, /missing +device +\/nowhere\/vss is not there\n.*just load/);
  const json = await vss(["doctor", "--json", "--device", "/nowhere/vss"]);
  const { ok, findings } = JSON.parse(json.stdout);
  assertEquals([json.code, ok], [1, false]);
  assert(findings.length >= 6);
});

Deno.test("colours are for terminals, and never with NO_COLOR", async () => {
  const args = ["doctor", "--device", "/nowhere/vss"];
  assert(!(await vss(args)).stdout.includes("\x1b"));
  const unset = { NO_COLOR: "", FORCE_COLOR: "" };
  assertStringIncludes(await onTerminal(args, unset), "\x1b[31mmissing");
  for (const FORCE_COLOR of ["", "1"]) {
    assert(!(await onTerminal(args, { NO_COLOR: "1", FORCE_COLOR })).includes("\x1b["));
  }
});

Deno.test("what steers a terminal is shown, not sent", async () => {
  const { stderr } = await vss(["stats", "--device", "/nowhere/\x1b[31m\u202evss\x07"]);
  assertStringIncludes(stderr, "/nowhere/\\u001b[31m\\u202evss\\u0007");
  const json = await vss(["stats", "--json", "--device", "/nowhere/\x9b"]);
  assertStringIncludes(json.stderr, "\\u009b");
  assertStringIncludes(JSON.parse(json.stderr).error.message, "/nowhere/\x9b");
});

Deno.test("a reader that goes away is no error", async () => {
  const line = `(sleep 1; ${shellQuote(command(["--help"]))}) | true`;
  const outcome = await run("bash", ["-o", "pipefail", "-c", line]);
  assertEquals(outcome, { code: 0, stdout: "", stderr: "" });
});

Deno.test("a full disk under standard output is a failure", async () => {
  const line = `${shellQuote(command(["--help"]))} > /dev/full`;
  const { code, stderr } = await run("sh", ["-c", line]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot write");
  const wrong = `${shellQuote(command(["stats", "--bogus"]))} 2> /dev/full`;
  assertEquals((await run("sh", ["-c", wrong])).code, 2);
});
