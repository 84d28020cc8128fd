// SPDX-License-Identifier: MIT
/**
 * The command line of vss: `deno run --allow-ffi cli.ts COMMAND`.
 *
 * Commands that read a file need `--allow-read` too. Exit codes: 0 done, 1 failed, 2 wrong usage.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { parseArgs } from "@std/cli";
import { styleText } from "node:util";
import {
  checkVector,
  DEVICE_PATH,
  diagnose,
  embedText,
  type Finding,
  hasVariable,
  type Hit,
  MAX_DIMENSION,
  MAX_ID,
  MAX_K,
  VERSION,
  VssClient,
  VssError,
} from "./mod.ts";

/** Hits that are shown unless `-k` says otherwise. */
const DEFAULT_K = 10;

/** Bytes of a line that count; the rest of a longer one is left out and reported. */
const MAX_LINE_BYTES = 65_536;

/** Bytes of a vector on standard input; 128 numbers take far fewer. */
const MAX_VECTOR_BYTES = 1 << 20;

/** How often the progress bar moves, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/** Characters that would steer a terminal or reorder what it shows. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Characters of a wrong word that an error shows. */
const MAX_QUOTED = 60;

/** The command line itself is wrong: exit code 2. */
class UsageError extends Error {
  override readonly name: string = "UsageError";
  readonly code = "USAGE";
}

/** The operation failed for a reason other than the device: exit code 1. */
class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Nobody reads standard output any more. */
class ReaderGone extends Error {}

/** An option that takes a value. */
interface Option {
  readonly flag: string;
  readonly value: string;
  readonly summary: string;
}

/** What a command is given. */
interface Context {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly device: string;
  readonly json: boolean;
}

/** One command: parsing, help and dispatch all read this. */
interface Command {
  readonly summary: string;
  readonly operands: readonly string[];
  readonly options: readonly Option[];
  /** The form of what `--json` prints. */
  readonly json: string;
  readonly notes: readonly string[];
  readonly run: (context: Context) => void | number | Promise<void | number>;
}

const K: Option = {
  flag: "k",
  value: "N",
  summary: `how many hits, 1 to ${MAX_K} (default ${DEFAULT_K})`,
};

const COMMANDS: Readonly<Record<string, Command>> = {
  add: {
    summary: "Store a vector under an id",
    operands: ["ID", "VECTOR"],
    options: [],
    json: `{"id": number, "dimension": number}`,
    notes: [
      "ID is an integer from 0 to 4294967295 that is not stored yet.",
      `VECTOR is 1 to ${MAX_DIMENSION} numbers such as 0.1,-0.2,3e-4, a JSON array, or - to read`,
      "either from standard input.",
    ],
    run: add,
  },
  query: {
    summary: "Find the stored vectors nearest to one",
    operands: ["VECTOR"],
    options: [K],
    json: `{"hits": [{"id": number, "distance": number | null}]}, null where it is infinite`,
    notes: [
      `VECTOR is 1 to ${MAX_DIMENSION} numbers such as 0.1,-0.2,3e-4, a JSON array, or - to read`,
      "either from standard input. Distances are squared Euclidean, the nearest first.",
    ],
    run: query,
  },
  stats: {
    summary: "Show what the device holds and has done",
    operands: [],
    options: [],
    json: `{"count", "capacity", "bytes", "adds", "queries", "evictions", "dimension": number, ` +
      `"metric": string}`,
    notes: [],
    run: stats,
  },
  import: {
    summary: "Store each line of a text file by its words",
    operands: ["FILE"],
    options: [{
      flag: "skip",
      value: "N",
      summary: "pass over the first N lines, which keep their numbers",
    }],
    json: `{"file": string, "lines", "stored", "blank", "skipped", "shortened": number}`,
    notes: [
      "FILE is UTF-8 text, or - for standard input; a file needs deno's --allow-read. A line's id",
      `is its number, from 1. Blank lines are passed over, and of a line longer than`,
      `${MAX_LINE_BYTES} bytes only so many count.`,
    ],
    run: importLines,
  },
  search: {
    summary: "Find the imported lines nearest to a text",
    operands: ["TEXT"],
    options: [K, { flag: "lines", value: "FILE", summary: "the file imported, to show its lines" }],
    json: `{"text": string, "hits": [{"id": number, "distance": number | null, "line"?: string}]}`,
    notes: [
      "FILE needs deno's --allow-read; - is standard input. Distances go from 0, the same words, to",
      "2, nothing in common, and beyond to 4.",
    ],
    run: search,
  },
  doctor: {
    summary: "Say what is there, what is missing, and what to do about it",
    operands: [],
    options: [],
    json:
      `{"ok": boolean, "findings": [{"check": string, "status": "ok" | "warning" | "missing", ` +
      `"found": string, "advice"?: string}]}`,
    notes: ["The exit code is 1 where something is missing."],
    run: doctor,
  },
};

/** Options of every command. */
const GLOBAL_OPTIONS = [
  ["--device PATH", `the device (default ${DEVICE_PATH})`],
  ["--json", "print JSON, one value on one line; errors too, on standard error"],
  ["-h, --help", "show help"],
  ["-V, --version", "show the release"],
] as const;

/**
 * Runs the command line.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { main } from "@vss/vss/cli";
 *
 * assertEquals(await main(["--version"]), 0);
 * ```
 */
export async function main(args: string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    // `vss … | head`: whoever read has what it wanted.
    if (error instanceof ReaderGone) return 0;
    return report(error, optionWords(args).includes("--json"));
  }
}

/** Answers `--version` and `--help`, or runs the command. */
async function dispatch(args: string[]): Promise<number> {
  const parsed = parse(args);
  const { name, json } = parsed;
  if (parsed.version) {
    print(json ? toJson({ version: VERSION }) : `vss ${VERSION}`);
    return 0;
  }
  if (parsed.help) {
    const text = name === undefined ? overview() : commandHelp(name, COMMANDS[name]!);
    print(json ? toJson({ help: text }) : text);
    return 0;
  }
  if (name === undefined) throw new UsageError(`Command is missing\n\n${overview()}`);
  const command = COMMANDS[name]!;
  const { operands, options: { device = DEVICE_PATH, ...options } } = parsed;
  if (operands.length !== command.operands.length) {
    const wanted = command.operands.join(" ") || "no operand";
    const given = operands.map(quote).join(" ") || "nothing";
    throw new UsageError(`${name} takes ${wanted}, not ${given}`);
  }
  needPermission({ name: "ffi" }, "--allow-ffi", "call the C library");
  return (await command.run({ operands, options, device, json })) ?? 0;
}

// ---------------------------------------------------------------------------------------------
// Arguments

/** What the arguments say, once every one of them is known. */
interface Parsed {
  readonly name: string | undefined;
  readonly operands: string[];
  readonly options: Record<string, string | undefined>;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** Options without a value. */
const SWITCHES = ["json", "help", "version"] as const;

/** Short forms. */
const ALIASES = { help: "h", version: "V" } as const;

/** Options with a value, of any command. */
const VALUED = [
  ...new Set([
    "device",
    ...Object.values(COMMANDS).flatMap(({ options }) => options.map(({ flag }) => flag)),
  ]),
];

/** Splits the arguments into command, operands and options. */
function parse(args: string[]): Parsed {
  // First those of no command at all, which the parser would trip over.
  checkOptions(args, undefined, VALUED);
  const parsed = parseArgs(shield(args), {
    string: ["_", ...VALUED],
    boolean: [...SWITCHES],
    alias: ALIASES,
  });
  const [name, ...operands] = parsed._.map((operand) => unshield(String(operand)));
  if (name !== undefined && !Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(
      `Command ${quote(name)} is not known${suggest(name, Object.keys(COMMANDS))}`,
    );
  }
  const own = name === undefined ? VALUED : COMMANDS[name]!.options.map(({ flag }) => flag);
  checkOptions(args, name, ["device", ...own]);
  const options: Record<string, string | undefined> = {};
  for (const flag of VALUED) {
    const given: unknown = parsed[flag];
    if (typeof given !== "string") continue;
    options[flag] = unshield(given);
    if (options[flag] === "") throw new UsageError(`Option ${flagName(flag)} needs a value`);
  }
  const { json, help, version } = parsed;
  return { name, operands, options, json, help, version };
}

/** Refuses the words that look like options and are none of the command's. */
function checkOptions(args: readonly string[], name: string | undefined, valued: string[]): void {
  const known = [...valued, ...SWITCHES];
  for (const word of optionWords(args)) {
    const [, long, short, value] = /^(?:--([^=]+)|-([^-]))(.*)$/s.exec(word) ?? [];
    const flag = long ?? Object.entries(ALIASES).find(([, alias]) => alias === short)?.[0] ?? short;
    if (flag !== undefined && known.includes(flag)) {
      if (valued.includes(flag) || !value) continue;
      throw new UsageError(`Option ${flagName(flag)} takes no value, not ${quote(word)}`);
    }
    const hint = suggest((long ?? word).replace(/^-+/, ""), known, flagName);
    const where = name === undefined ? "" : ` by ${name}`;
    throw new UsageError(`Option ${quote(word)} is not known${where}${hint}`);
  }
}

/** How a flag is written. */
function flagName(flag: string): string {
  return flag.length === 1 ? `-${flag}` : `--${flag}`;
}

/** Whether a word is an option: `-` is an operand, and so is `-0.5,1`. */
function isOption(word: string): boolean {
  return /^-[^\d.]/.test(word);
}

/** The words that are options: those before `--` that look like one. */
function optionWords(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).filter(isOption);
}

/**
 * Marks what is no option with a character that no argument can hold, so that the parser takes
 * neither `-0.5,1` for options nor `true` for the value of `--json`.
 */
function shield(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, index) => (end === -1 || index < end) && !isOption(arg) ? `\0${arg}` : arg);
}

function unshield(arg: string): string {
  return arg.startsWith("\0") ? arg.slice(1) : arg;
}

/** Offers the nearest known word, if one is near. */
function suggest(
  word: string,
  known: readonly string[],
  show: (name: string) => string = (name) => name,
): string {
  const [nearest] = known
    .map((name) => ({ name, edits: editDistance(word, name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 2)))
    .sort((a, b) => a.edits - b.edits);
  if (nearest !== undefined) return `; did you mean ${show(nearest.name)}?`;
  return `; known are ${known.map(show).join(", ")}`;
}

/** How many letters to insert, delete or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Reads a whole number of an option or operand. */
function parseInteger(
  name: string,
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && value >= least && value <= most) return value + 0;
  throw new UsageError(`${name} must be an integer from ${least} to ${most}, not ${quote(text)}`);
}

/** The value of `-k`. */
function parseK(text: string | undefined): number {
  return text === undefined ? DEFAULT_K : parseInteger("-k", text, { least: 1, most: MAX_K });
}

/** Reads a vector: numbers between commas, or between blanks, or a JSON array of them. */
function parseVector(text: string): number[] {
  const trimmed = text.trim();
  const vector = trimmed.startsWith("[") ? parseJson(trimmed) : parseNumbers(trimmed);
  try {
    checkVector(vector);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return [...vector];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`Vector ${quote(text)} is no JSON array of numbers`, { cause });
  }
}

function parseNumbers(text: string): number[] {
  // One kind of separator: where a comma stands for the decimal point, blanks separate.
  const parts = text === "" ? [] : text.includes(",") ? text.split(",") : text.split(/\s+/);
  return parts.map((part, index) => {
    const word = part.trim();
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word)) return Number(word);
    throw new UsageError(`Component ${index} of the vector must be a number, not ${quote(word)}`);
  });
}

/** The vector that an operand gives, or standard input where it is `-`. */
async function readVector(operand: string): Promise<number[]> {
  if (operand !== "-") return parseVector(operand);
  const parts: Uint8Array[] = [];
  let length = 0;
  using source = openText(operand);
  for await (const part of readParts(source)) {
    length += part.length;
    if (length > MAX_VECTOR_BYTES) {
      throw new UsageError(`Vector on standard input is longer than ${MAX_VECTOR_BYTES} bytes`);
    }
    parts.push(part);
  }
  return parseVector(new TextDecoder().decode(concat(parts)));
}

// ---------------------------------------------------------------------------------------------
// Commands

async function add({ operands, device, json }: Context): Promise<void> {
  const id = parseInteger("ID", operands[0]!, { least: 0, most: MAX_ID });
  const vector = await readVector(operands[1]!);
  using client = VssClient.open(device);
  client.addVector(id, vector);
  const dimension = vector.length;
  print(
    json ? toJson({ id, dimension }) : `Stored id ${id} with ${plural(dimension, "component")}`,
  );
}

async function query({ operands, options, device, json }: Context): Promise<void> {
  const k = parseK(options["k"]);
  const vector = await readVector(operands[0]!);
  using client = VssClient.open(device);
  printHits(client.queryTopK(vector, k), { json, head: {} });
}

function stats({ device, json }: Context): void {
  using client = VssClient.open(device);
  const entries = client.stats();
  if (json) return print(toJson(entries));
  for (const [name, value] of Object.entries(entries)) {
    print(`${paint("bold", name.padEnd(10))} ${value}`);
  }
}

/** What an import has done so far. */
interface Tally {
  readonly file: string;
  lines: number;
  stored: number;
  blank: number;
  skipped: number;
  shortened: number;
}

async function importLines({ operands, options, device, json }: Context): Promise<void> {
  const file = operands[0]!;
  const skip = parseInteger("--skip", options["skip"] ?? "0", { least: 0, most: MAX_ID });
  using source = openText(file);
  using client = VssClient.open(device);
  const tally = { file, lines: 0, stored: 0, blank: 0, skipped: 0, shortened: 0 };
  try {
    using interruption = new Interruption();
    using progress = new Progress(source, () => `${tally.lines} lines`, json);
    for await (const batch of readLines(source, interruption)) {
      for (const line of batch) storeLine(client, line, { skip, tally });
      progress.update();
    }
  } catch (cause) {
    throw stopped(cause, tally, skip);
  }
  if (json) return print(toJson(tally));
  const { stored, blank, skipped, shortened } = tally;
  const notes = [
    blank > 0 ? `${blank} blank` : "",
    skipped > 0 ? `${skipped} skipped` : "",
    shortened > 0 ? `${shortened} cut at ${MAX_LINE_BYTES} bytes` : "",
  ].filter(Boolean);
  const rest = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  print(`Stored ${plural(stored, "line")} of ${visible(file)}${rest}`);
}

/** Stores a line, unless it is blank or to be skipped. */
function storeLine(
  client: VssClient,
  line: Line,
  { skip, tally }: { readonly skip: number; readonly tally: Tally },
): void {
  if (line.number <= skip) tally.skipped++;
  else if (line.text.trim() === "") tally.blank++;
  else {
    client.addVector(line.number, embedText(line.text, MAX_DIMENSION));
    tally.stored++;
    if (line.shortened) tally.shortened++;
  }
  // The line counts as read only once it is in: a failure leaves it to the next run.
  tally.lines = line.number;
}

/** Says how far an import came and, where that can help, how to go on from there. */
function stopped(cause: unknown, tally: Tally, skip: number): Error {
  if (cause instanceof ReaderGone) return cause;
  const code = cause instanceof VssError || cause instanceof Failure ? cause.code : "FAILED";
  const message = cause instanceof Error ? cause.message : String(cause);
  const remedies: Record<string, string> = {
    EEXIST: "a line's id is its number, so the store holds one text; --skip the lines that are in",
    EINVAL: TEXT_STORE,
  };
  const remedy = remedies[code] ?? `continue with --skip ${Math.max(skip, tally.lines)}`;
  const stored = `${plural(tally.stored, "line")} stored by this run`;
  return new Failure(code, `${message}\n${stored}; ${remedy}`, { cause });
}

/** What to do where the stored vectors are no text's. */
const TEXT_STORE = `text needs a store of ${MAX_DIMENSION} components: \`just unload\` and ` +
  "`just load` make an empty one";

async function search({ operands, options, device, json }: Context): Promise<void> {
  const text = operands[0]!;
  const k = parseK(options["k"]);
  if (text.trim() === "") throw new UsageError("TEXT must hold more than blanks");
  using source = options["lines"] === undefined ? undefined : openText(options["lines"]);
  using client = VssClient.open(device);
  const hits = queryText(client, text, k);
  const lines = source && await findLines(source, new Set(hits.map(({ id }) => id)));
  printHits(hits, { json, head: { text }, lines });
}

function queryText(client: VssClient, text: string, k: number): Hit[] {
  try {
    return client.queryTopK(embedText(text, MAX_DIMENSION), k);
  } catch (cause) {
    if (!(cause instanceof VssError) || cause.code !== "EINVAL") throw cause;
    throw new Failure(cause.code, `${cause.message}\n${TEXT_STORE}`, { cause });
  }
}

/** The lines of a file that have certain numbers. */
async function findLines(
  source: TextSource,
  numbers: Set<number>,
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const batch of readLines(source)) {
    for (const { number, text } of batch) if (numbers.has(number)) found.set(number, text);
    if (found.size === numbers.size) break;
  }
  return found;
}

function doctor({ device, json }: Context): number {
  const findings = diagnose(device);
  const ok = findings.every(({ status }) => status !== "missing");
  if (json) print(toJson({ ok, findings }));
  else {
    for (const finding of findings) printFinding(finding);
    print(ok ? "Everything needed is there" : "Something needed is missing");
  }
  return ok ? 0 : 1;
}

// ---------------------------------------------------------------------------------------------
// Text files

/** A file or standard input, with its size where that is known. */
interface TextSource extends Disposable {
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
  readonly size: number | undefined;
  /** Bytes read so far. */
  position: number;
}

/** Opens a file, or standard input where it is `-`. */
function openText(name: string): TextSource {
  if (name === "-") {
    const stream = Deno.stdin.readable;
    const label = "standard input";
    return { name: label, stream, size: undefined, position: 0, [Symbol.dispose]() {} };
  }
  if (name === "") throw new UsageError("FILE must not be empty");
  needPermission({ name: "read", path: name }, "--allow-read", `read ${visible(name)}`);
  const opened = { file: undefined as Deno.FsFile | undefined };
  try {
    const file = opened.file = Deno.openSync(name);
    const info = file.statSync();
    if (info.isDirectory) throw new Deno.errors.IsADirectory();
    const dispose = () => {
      try {
        file.close();
      } catch {
        // The stream has closed it at its end.
      }
    };
    const size = info.isFile ? info.size : undefined;
    return { name, stream: file.readable, size, position: 0, [Symbol.dispose]: dispose };
  } catch (error) {
    opened.file?.close();
    throw unreadable(name, error);
  }
}

/** Names the file that could not be read, and why. */
function unreadable(name: string, cause: unknown): Failure {
  const { errors } = Deno;
  const reasons = [
    [errors.NotFound, "ENOENT", "there is no such file"],
    [errors.PermissionDenied, "EACCES", "permission is denied"],
    [errors.IsADirectory, "EISDIR", "it is a folder"],
    [errors.NotCapable, "EPERM", "Deno wants --allow-all for it; or pipe it in, as -"],
  ] as const;
  const known = reasons.find(([type]) => cause instanceof type);
  const [, code, reason] = known ?? [
    undefined,
    (cause as { code?: string }).code ?? "EIO",
    cause instanceof Error ? cause.message : String(cause),
  ];
  return new Failure(code, `Cannot read ${name}: ${reason} (${code})`, { cause });
}

/** One line of a file. */
interface Line {
  readonly number: number;
  readonly text: string;
  /** Whether the end of a very long line was left out. */
  readonly shortened: boolean;
}

/** Splits bytes into lines, holding no more than one line's beginning. */
class LineSplitter {
  #number = 0;
  #rest: Uint8Array = new Uint8Array();
  #shortened = false;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The lines that end in these bytes. */
  push(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      const part = bytes.subarray(start, end);
      if (this.#rest.length === 0 && part.length <= MAX_LINE_BYTES) lines.push(this.#line(part));
      else {
        this.#keep(part);
        lines.push(this.#take());
      }
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  /** The last line, where no newline ends it. */
  finish(): Line[] {
    return this.#rest.length > 0 ? [this.#take()] : [];
  }

  #keep(part: Uint8Array): void {
    const room = MAX_LINE_BYTES - this.#rest.length;
    if (part.length > room) this.#shortened = true;
    if (part.length === 0 || room === 0) return;
    this.#rest = concat([this.#rest, part.subarray(0, room)]);
  }

  #take(): Line {
    const line = this.#line(this.#rest);
    this.#rest = new Uint8Array();
    this.#shortened = false;
    return line;
  }

  #line(bytes: Uint8Array): Line {
    const number = ++this.#number;
    let text = this.#decoder.decode(bytes);
    if (text.endsWith("\r")) text = text.slice(0, -1);
    // A byte order mark is no part of the text.
    if (number === 1 && text.startsWith("\uFEFF")) text = text.slice(1);
    return { number, text, shortened: this.#shortened };
  }
}

const NEWLINE = 0x0a;

/** Reads a source's bytes, a piece at a time. */
async function* readParts(
  source: TextSource,
  interruption?: Interruption,
): AsyncGenerator<Uint8Array> {
  const reader = source.stream.getReader();
  try {
    for (;;) {
      const read = reader.read().catch((error) => {
        throw unreadable(source.name, error);
      });
      const { done, value } = await (interruption?.race(read) ?? read);
      if (done) break;
      source.position += value.length;
      yield value;
    }
  } finally {
    // Not awaited: a read of a terminal or pipe that is under way ends when it ends.
    reader.cancel().catch(() => {});
  }
}

/** Reads a source's lines, as many at a time as one read gives. */
async function* readLines(
  source: TextSource,
  interruption?: Interruption,
): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter();
  for await (const part of readParts(source, interruption)) yield splitter.push(part);
  yield splitter.finish();
}

/** Ctrl-C as an error at the next read, instead of the end of the process. */
class Interruption implements Disposable {
  readonly #interrupted = Promise.withResolvers<never>();
  readonly #listener = () =>
    this.#interrupted.reject(new Failure("EINTR", "Interrupted by Ctrl-C (EINTR)"));

  constructor() {
    this.#interrupted.promise.catch(() => {});
    Deno.addSignalListener("SIGINT", this.#listener);
  }

  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#interrupted.promise, work]);
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#listener);
  }
}

// ---------------------------------------------------------------------------------------------
// Output

/** How hits are shown. */
interface HitsOptions {
  readonly json: boolean;
  /** What stands before the hits in JSON. */
  readonly head: Record<string, unknown>;
  /** The lines that the ids stand for, where they are known. */
  readonly lines?: ReadonlyMap<number, string> | undefined;
}

function printHits(hits: readonly Hit[], { json, head, lines }: HitsOptions): void {
  if (json) {
    const shown = lines === undefined
      ? hits
      : hits.map((hit) => ({ ...hit, line: lines.get(hit.id) }));
    return print(toJson({ ...head, hits: shown }));
  }
  if (hits.length === 0) print("Nothing is stored");
  for (const { id, distance } of hits) {
    const line = lines === undefined ? "" : `  ${visible(lines.get(id) ?? "(no such line)")}`;
    print(
      `${distance.toPrecision(6).padStart(12)}  ${paint("bold", String(id).padStart(10))}${line}`,
    );
  }
}

function printFinding({ check, status, found, advice }: Finding): void {
  const colour = { ok: "green", warning: "yellow", missing: "red" } as const;
  print(`${paint(colour[status], status.padEnd(7))}  ${check.padEnd(8)} ${visible(found)}`);
  if (advice !== undefined) print(`${"".padEnd(18)} ${visible(advice)}`);
}

/** A bar on standard error, where that is a terminal. */
class Progress implements Disposable {
  readonly #source: TextSource;
  readonly #label: () => string;
  readonly #isShown: boolean;
  #next = 0;

  constructor(source: TextSource, label: () => string, json: boolean) {
    this.#source = source;
    this.#label = label;
    this.#isShown = !json && Deno.stderr.isTerminal();
  }

  update(): void {
    if (!this.#isShown || performance.now() < this.#next) return;
    this.#next = performance.now() + PROGRESS_INTERVAL;
    const { size, position } = this.#source;
    const share = size ? Math.min(1, position / size) : undefined;
    const bar = share === undefined
      ? ""
      : `[${"#".repeat(Math.round(share * 30)).padEnd(30, ".")}] ${Math.floor(share * 100)} % `;
    writeAll(Deno.stderr, `\r\x1b[K${bar}${this.#label()}`);
  }

  [Symbol.dispose](): void {
    if (this.#isShown && this.#next > 0) writeAll(Deno.stderr, "\r\x1b[K");
    this.#next = 0;
  }
}

/** Says on standard error what went wrong; returns the exit code. */
function report(error: unknown, json: boolean): number {
  const usage = error instanceof UsageError;
  const known = usage || error instanceof VssError || error instanceof Failure;
  const message = error instanceof Error ? error.message : String(error);
  try {
    if (json) {
      const code = known ? error.code : "FAILED";
      const operation = error instanceof VssError ? { operation: error.operation } : {};
      writeAll(Deno.stderr, `${toJson({ error: { code, message, ...operation } })}\n`);
    } else {
      const lines = message.split("\n").map(visible).join("\n");
      const hint = usage && !message.includes("\n") ? "\nSee --help" : "";
      writeAll(Deno.stderr, `${paint("red", "error", Deno.stderr)}: ${lines}${hint}\n`);
    }
  } catch {
    // Nobody can be told; the exit code still says it.
  }
  return usage ? 2 : 1;
}

function overview(): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary, operands }]) =>
    `  ${[name, ...operands].join(" ").padEnd(18)} ${summary}`
  );
  return [
    "Vectors in the kernel, shared by every process of the machine.",
    "",
    "Usage: vss COMMAND [OPTIONS]",
    "",
    "vss stands for deno run --allow-ffi cli.ts, with --allow-read too where FILE is no pipe.",
    "",
    "Commands:",
    ...commands,
    "",
    ...optionsHelp([]),
    "",
    "Exit codes: 0 done, 1 failed, 2 wrong usage.",
    `Errors as JSON: {"error": {"code": string, "message": string, "operation"?: string}}`,
  ].join("\n");
}

function commandHelp(name: string, { summary, operands, options, json, notes }: Command): string {
  const usage = [
    "vss",
    name,
    ...options.map((o) => `[${flagName(o.flag)} ${o.value}]`),
    ...operands,
  ];
  return [
    `${summary}.`,
    "",
    `Usage: ${usage.join(" ")}`,
    ...(notes.length > 0 ? ["", ...notes] : []),
    "",
    ...optionsHelp(options),
    "",
    `JSON: ${json}`,
  ].join("\n");
}

function optionsHelp(options: readonly Option[]): string[] {
  const own = options.map(({ flag, value, summary }) => [`${flagName(flag)} ${value}`, summary]);
  return [
    "Options:",
    ...[...own, ...GLOBAL_OPTIONS].map(([form, summary]) => `  ${form!.padEnd(18)} ${summary}`),
  ];
}

/** Says which permission is missing, before Deno would ask for it in the middle of a pipe. */
function needPermission(permission: Deno.PermissionDescriptor, flag: string, what: string): void {
  if (Deno.permissions.querySync(permission).state === "granted") return;
  throw new Failure("EPERM", `Deno may not ${what}; run it with ${flag}`);
}

/** Prints a line on standard output. */
function print(line: string): void {
  writeAll(Deno.stdout, `${line}\n`);
}

/** Writes all of a text. */
function writeAll(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw new ReaderGone();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("EIO", `Cannot write: ${reason}`, { cause });
  }
}

/** Colours a text where a terminal shows it and nobody objects. */
function paint(
  colour: "bold" | "green" | "yellow" | "red",
  text: string,
  stream: typeof Deno.stdout | typeof Deno.stderr = Deno.stdout,
): string {
  if (!stream.isTerminal() || isColourUnwanted()) return text;
  return styleText(colour, text, { validateStream: false });
}

/**
 * Whether `NO_COLOR` is set. `Deno.noColor` alone would let `FORCE_COLOR` overrule it; the
 * environment itself is read through the C library, if that is allowed.
 */
function isColourUnwanted(): boolean {
  if (Deno.noColor) return true;
  return Deno.permissions.querySync({ name: "ffi" }).state !== "granted" ||
    hasVariable("NO_COLOR");
}

/** JSON on one line, safe on a terminal. */
function toJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, escapeUnit);
}

/** A text with what would steer a terminal made visible; a tab is a blank. */
function visible(text: string): string {
  return text.replaceAll("\t", " ").replace(UNSAFE, escapeUnit);
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
