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
const NAMES = [
  ...["doctor", "info", "list", "create", "configure", "drop", "put", "import", "export", "search"],
  ...["get", "delete", "clear", "stats", "cache", "completions", "add", "query"],
];
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
  await isWrongUsage(
    ["frobnicate"],
    "known are doctor, info, list, create, configure, drop, put, import",
  );
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
  await isWrongUsage(["info", "now"], 'info takes no operand, not "now"');
  await isWrongUsage(["stats", "a", "b"], 'stats takes [NAME], not "a" "b"');
  await isWrongUsage(["search", "a", "b", "c"], "search takes [NAME] [TEXT]");
  await isWrongUsage(["search", "a", "b", "--text", "c"], "search takes [NAME] beside --text");
  await isWrongUsage(["search"], "search takes one of --vector V, --text TEXT and --queries FILE");
  await isWrongUsage(["search", "--text", "a", "--vector", "1"], "search takes one of");
  await isWrongUsage(["import"], "import takes [NAME] FILE, not nothing");
  await isWrongUsage(["get", "name"], "get takes [NAME] ID…, not a name alone");
  await isWrongUsage(["delete", "name"], "delete takes [NAME] ID…, or [NAME] --tags V/MASK");
  await isWrongUsage(["delete", "7", "--tags", "1/1"], "delete takes [NAME] ID…");
  await isWrongUsage(["create", "name"], "create needs --dimension N");
  await isWrongUsage(["configure", "name"], "configure needs one of --capacity, --max-bytes");
  await isWrongUsage(["cache", "get", "name"], 'cache takes get|set NAME TEXT [VALUE], not "get"');
  await isWrongUsage(["cache", "put", "name", "a"], 'cache takes get or set, not "put"');
  await isWrongUsage(["cache", "set", "name", "a"], "VALUE is missing");
  await isWrongUsage(["cache", "get", "name", "a", "b"], "cache get takes NAME TEXT, and no VALUE");
  await isWrongUsage(["cache", "get", "name", "a", "--ttl", "1s"], "--ttl is for cache set");
  await isWrongUsage(
    ["cache", "set", "name", "a", "b", "--threshold", "1"],
    "--threshold is for cache get",
  );
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
  await isWrongUsage(["add", "1", "[[1]]"], "Component 0 of the vector must be a finite 32-bit");
  await isWrongUsage(
    ["add", "1", "1e39"],
    "Component 0 of the vector must be a finite 32-bit float",
  );
  await isWrongUsage(["add", "1", ""], "1 to 128 components, not 0");
  await isWrongUsage(["query", "1", "-k", "33"], '-k must be an integer from 1 to 32, not "33"');
  await isWrongUsage(["query", "1", "-k", "-3"], '-k must be an integer from 1 to 32, not "-3"');
  await isWrongUsage(["import", "-", "--skip", "-3"], "--skip must be an integer from 0", {});
  for (const ttl of ["10", "0", "10 minutes", "-1s", "1e3s", "h", "0.1ns", "10M"]) {
    const says = `--ttl must be a time such as 500ms, 30s, 10m, 12h or 7d, or never, not "${ttl}"`;
    await isWrongUsage(["put", "1", "1", "--ttl", ttl], says);
  }
  for (const size of ["-1", "64X", "1.5", "0.3K", "M", "1e6", "9999999T"]) {
    const says = `--max-bytes must be bytes, such as 1048576, 64M or 1.5G, not "${size}"`;
    await isWrongUsage(["configure", "--max-bytes", size], says);
  }
  await isWrongUsage(["configure", "--evict", "all"], '--evict must be none, fifo, lru, not "all"');
  await isWrongUsage(
    ["cache", "get", "a", "b", "--threshold", "3"],
    "--threshold must be a number",
  );
  await isWrongUsage(["cache", "get", "a", " "], "TEXT must hold more than blanks");
  await isWrongUsage(["search", "  "], "TEXT must hold more than blanks");
  await isWrongUsage(["put", "18446744073709551616", "1"], "ID must be an integer from 0 to 2^64");
  await isWrongUsage(["put", "-1", "1"], "ID must be an integer from 0 to 2^64");
  await isWrongUsage(["put", "1", "1", "--tags", "x"], "--tags must be an integer from 0 to 2^64");
  await isWrongUsage(["put", "1", "-"], "1 to 8192 components, not 8193", {
    stdin: "1 ".repeat(8193),
  });
  await isWrongUsage(["search", "x", "--tags", "1"], "--tags must be V/MASK such as 1/1");
  await isWrongUsage(["search", "x", "--tags", "1/y"], "MASK of --tags must be an integer");
  await isWrongUsage(["search", "x", "-k", "4097"], "-k must be an integer from 1 to 4096");
  await isWrongUsage(["search", "x", "--max-distance", "far"], "--max-distance must be a number");
  await isWrongUsage(
    ["create", "--dimension", "0"],
    "--dimension must be an integer from 1 to 8192",
  );
  await isWrongUsage(["create", "--dimension", "8193"], "--dimension must be an integer");
  await isWrongUsage(
    ["create", "--dimension", "1", "--metric", "l1"],
    "--metric must be l2sq, ip, cos",
  );
  await isWrongUsage(["create", "--dimension", "1", "--mode", "0777"], "--mode must be octal");
  await isWrongUsage(["import", "x", "--format", "doc"], "--format must be");
  await isWrongUsage(["export", "x.bin"], "FILE must end in .jsonl, .ndjson, .npy");
  await isWrongUsage(["completions", "csh"], 'SHELL must be bash, zsh, fish, not "csh"');
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

Deno.test("sizes and times are taken as people write them", async () => {
  for (const size of ["0", "1048576", "64M", "64m", "64MB", "64 MiB", "1.5G", "100B"]) {
    const { code, stderr } = await vss(["configure", "--max-bytes", size, ...NULL]);
    assertEquals([code, stderr.includes("Cannot open collection")], [1, true], stderr);
  }
  for (const ttl of ["1ns", "1.5us", "1µs", "500ms", "30s", "10m", "12 h", "7d", "never"]) {
    const { code, stderr } = await vss(["configure", "--ttl", ttl, ...NULL]);
    assertEquals([code, stderr.includes("Cannot open collection")], [1, true], stderr);
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
  assertStringIncludes(stderr, "Cannot open collection");
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

Deno.test("completions print a script that the shell can read", async () => {
  const { stdout } = await vss(["completions", "bash"]);
  const script = `${stdout}
    COMP_WORDS=(vss im); COMP_CWORD=1; _vss; echo "\${COMPREPLY[@]}"
    COMP_WORDS=(vss create a --metric ""); COMP_CWORD=4; _vss; echo "\${COMPREPLY[@]}"
    COMP_WORDS=(vss --device x put --up); COMP_CWORD=4; _vss; echo "\${COMPREPLY[@]}"`;
  const outcome = await run("bash", ["-c", script]);
  assertEquals(outcome, { code: 0, stdout: "import\nl2sq ip cos\n--upsert\n", stderr: "" });
  for (const shell of ["zsh", "fish"]) {
    const { stdout } = await vss(["completions", shell]);
    for (const name of NAMES) assertStringIncludes(stdout, name);
  }
});

Deno.test("import names a file that cannot be read", async () => {
  const missing = await vss(["import", "/nowhere/text", ...NULL], READ);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "Cannot read /nowhere/text: there is no such file (ENOENT)");
  const folder = await vss(["import", "/etc", ...NULL], READ);
  assertStringIncludes(folder.stderr, "Cannot read /etc: it is a folder (EISDIR)");
  const line = (name: string) => shellQuote(command([name, "-", ...NULL]));
  const { code, stderr } = await run("sh", ["-c", `${line("query")} < /etc`]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot read standard input: it is a folder (EISDIR)");
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
