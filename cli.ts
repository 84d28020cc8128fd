// SPDX-License-Identifier: MIT
/**
 * The command line of vss: `deno run --allow-ffi cli.ts COMMAND`.
 *
 * Commands that read a file need `--allow-read` too, `export` needs `--allow-write` besides. Exit
 * codes: 0 done, 1 failed, 2 wrong usage.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { parseArgs } from "@std/cli";
import { styleText } from "node:util";
import {
  type BadRow,
  type ByteSink,
  type ByteSource,
  type FileRow,
  type Format,
  formatByName,
  FormatError,
  formatOfFile,
  FORMATS,
  isBad,
} from "./client/formats/mod.ts";
import {
  type Collection,
  type CollectionInfo,
  type CollectionStats,
  DEVICE_PATH,
  diagnose,
  embedText,
  type Eviction,
  type Finding,
  hasVariable,
  type Id,
  LIMITS,
  type Match,
  MAX_DIMENSION,
  MAX_ID,
  MAX_K,
  type Metric,
  type RetentionOptions,
  type Row,
  SemanticCache,
  type TagFilter,
  textEmbedder,
  VERSION,
  Vss,
  VssClient,
  VssError,
} from "./mod.ts";

/** The collection that is meant where none is named. */
const DEFAULT_NAME = "default";

/** Permission bits of the default collection, which is everybody's; others are their owner's. */
const DEFAULT_COLLECTION_MODE = 0o666;

/** Components of a text's vector, in a collection that is made for it. */
const TEXT_DIMENSION = 128;

/** Hits that are shown unless `-k` says otherwise. */
const DEFAULT_K = 10;

/** Rows that are read from the device, and queries that are asked, at a time. */
const BATCH = 256;

/** Bytes of a vector on standard input; 8192 numbers take far fewer. */
const MAX_VECTOR_BYTES = 1 << 20;

/** How often the progress bar moves, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/** How often `stats --watch` looks, in milliseconds. */
const WATCH_INTERVAL = 1000;

/** Bad rows that are shown one by one; further ones are counted. */
const MAX_WARNINGS = 100;

/** Components of a vector that a person is shown. */
const MAX_SHOWN_COMPONENTS = 8;

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

/** An option. */
interface Option {
  readonly flag: string;
  /** What its value is called; a switch has none. */
  readonly value?: string;
  readonly summary: string;
  /** The words that the value may be. */
  readonly words?: readonly string[];
}

/** What a command is given. */
interface Context {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  readonly device: string;
  readonly json: boolean;
}

/** One command: parsing, help, completion and dispatch all read this. */
interface Command {
  readonly summary: string;
  /** `[NAME]` may be left out, of `ID…` there may be many. */
  readonly operands: readonly string[];
  readonly options: readonly Option[];
  /** The form of what `--json` prints. */
  readonly json: string;
  readonly notes: readonly string[];
  readonly run: (context: Context) => void | number | Promise<void | number>;
}

const METRICS: readonly Metric[] = ["l2sq", "ip", "cos"];

const EVICTIONS: readonly Eviction[] = ["none", "fifo", "lru"];

/** What `vss cache` can be told to do. */
const CACHE_ACTIONS = ["get", "set"] as const;

/** Bytes of a unit of memory, by what it is called. */
const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** Milliseconds of a unit of time, by what it is called, the greatest first. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  ns: 1e-6,
};

const SHELLS = ["bash", "zsh", "fish"] as const;

const K: Option = {
  flag: "k",
  value: "N",
  summary: `how many hits, 1 to ${LIMITS.k} (default ${DEFAULT_K})`,
};

const DIMENSION: Option = {
  flag: "dimension",
  value: "N",
  summary: `components of a vector, 1 to ${LIMITS.dimension}`,
};

const METRIC: Option = {
  flag: "metric",
  value: "METRIC",
  summary: "l2sq, ip or cos (default l2sq)",
  words: METRICS,
};

const FORMAT: Option = {
  flag: "format",
  value: "FORMAT",
  summary: "the file's format, unless its name ends so",
  words: FORMATS.map(({ name }) => name),
};

const TAG_FILTER: Option = {
  flag: "tags",
  value: "V/MASK",
  summary: "only rows for which (tags & MASK) is V, such as 0x10/0xf0",
};

const CAPACITY: Option = {
  flag: "capacity",
  value: "N",
  summary: "rows that it may hold (default the driver's limit)",
};

const MAX_BYTES: Option = {
  flag: "max-bytes",
  value: "SIZE",
  summary: "memory that its rows may take, such as 64M (default the driver's limit)",
};

const EVICT: Option = {
  flag: "evict",
  value: "HOW",
  summary: "what goes when it is full: none, fifo (the oldest) or lru (default none)",
  words: EVICTIONS,
};

const TTL: Option = {
  flag: "ttl",
  value: "TIME",
  summary: "how long rows are kept, such as 500ms, 10m or 7d (default for ever)",
};

const MODE: Option = {
  flag: "mode",
  value: "MODE",
  summary: "permission bits, octal (default 0640)",
};

const RETENTION_NOTES = [
  "SIZE is a number of bytes, or one with K, M, G or T, powers of 1024. TIME is a number with ns,",
  "us, ms, s, m, h or d, or never. Rows take memory in blocks of 2 MiB.",
];

const UPSERT: Option = { flag: "upsert", summary: "replace rows whose ids are stored already" };

const NAME: Option = {
  flag: "name",
  value: "NAME",
  summary: "the collection, if it looks like an id",
};

const VECTOR_NOTES = [
  `VECTOR is 1 to ${LIMITS.dimension} numbers such as 0.1,-0.2,3e-4, a JSON array, or - to read`,
  "either from standard input.",
];

const FORMAT_NOTES = [
  "",
  "Formats:",
  ...FORMATS.map(({ name, extensions, summary }) =>
    `  ${name.padEnd(9)} ${extensions.join(" ").padEnd(22)} ${summary}`
  ),
];

const ROW_JSON = `{"id": number | string, "vector": [number], "tags"?, "payload"?}`;

const MATCH_JSON = `{"id": number | string, "distance": number | null, "payload"?, "tags"?}`;

const COMMANDS: Readonly<Record<string, Command>> = {
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
  info: {
    summary: "Show what the driver is, can and holds",
    operands: [],
    options: [],
    json: `{"release", "simd": string, "maxDimension", …, "maxBytes", "searchCpus": number}`,
    notes: ["searchCpus is how many processors one search may use; in JSON, 0 for all."],
    run: info,
  },
  list: {
    summary: "List the collections that may be read",
    operands: [],
    options: [],
    json: `[{"name", "metric": string, "count", "capacity", "bytes", "dimension", "mode", …}]`,
    notes: [],
    run: list,
  },
  create: {
    summary: "Make a collection",
    operands: ["[NAME]"],
    options: [
      DIMENSION,
      METRIC,
      CAPACITY,
      MAX_BYTES,
      EVICT,
      TTL,
      MODE,
      { flag: "no-codes", summary: "keep no codes: a fifth less memory, but slower searches" },
    ],
    json: `{"name", "metric": string, "dimension": number}`,
    notes: [
      "--dimension is needed. Read permission is to search, get, export and see stats; write",
      "permission is to put, delete, import, clear and configure.",
      ...RETENTION_NOTES,
    ],
    run: create,
  },
  configure: {
    summary: "Change what a collection keeps, and for whom",
    operands: ["[NAME]"],
    options: [
      { ...CAPACITY, summary: "rows that it may hold, 0 for the driver's limit" },
      {
        ...MAX_BYTES,
        summary: "memory that its rows may take, such as 64M, 0 for the driver's limit",
      },
      { ...EVICT, summary: "what goes when it is full: none, fifo (the oldest) or lru" },
      { ...TTL, summary: "how long rows are kept that are put from now on, such as 10m" },
      { ...MODE, summary: "permission bits, octal" },
    ],
    json: `{"name", "evict"?: string, "capacity"?, "maxBytes"?, "ttl"?, "mode"?: number}`,
    notes: [
      "What is beyond a lower limit is evicted; where nothing is, it stays, and no more is taken.",
      ...RETENTION_NOTES,
      "In JSON, ttl is in milliseconds, and 0 for ever.",
    ],
    run: configure,
  },
  drop: {
    summary: "Drop a collection with its rows",
    operands: ["[NAME]"],
    options: [],
    json: `{"name": string}`,
    notes: ["Who has it open keeps its rows until it is closed."],
    run: drop,
  },
  put: {
    summary: "Store a vector under an id",
    operands: ["[NAME]", "ID", "VECTOR"],
    options: [
      {
        flag: "payload",
        value: "TEXT",
        summary: `what is kept with it, up to ${LIMITS.payload} bytes`,
      },
      { flag: "tags", value: "N", summary: "64 bits to filter by, such as 0x11 (default 0)" },
      { ...TTL, summary: "how long it is kept, such as 10m or never (default the collection's)" },
      UPSERT,
    ],
    json: `{"id": number | string, "dimension": number, "updated": boolean}`,
    notes: ["ID is an integer from 0 to 2^64 - 1.", ...VECTOR_NOTES],
    run: put,
  },
  import: {
    summary: "Store the rows of a file",
    operands: ["[NAME]", "FILE"],
    options: [
      FORMAT,
      {
        ...DIMENSION,
        summary: `of a new collection (default the file's, or ${TEXT_DIMENSION} for text)`,
      },
      { ...METRIC, summary: "of a new collection: l2sq, ip or cos (default l2sq)" },
      {
        ...TTL,
        summary: "how long rows are kept, such as 10m or never (default the collection's)",
      },
      UPSERT,
      { flag: "skip", value: "N", summary: "pass over the first N rows, which keep their places" },
      { flag: "skip-bad", summary: "report bad rows and go on, instead of stopping" },
    ],
    json: `{"file", "name": string, "stored", "bad", "skipped": number}`,
    notes: [
      "A collection that is not there is made. FILE - is standard input; a file needs deno's",
      "--allow-read. Rows without ids get their places, from 0; lines of text, from 1. Text is",
      "embedded by its words, and kept as payload.",
      ...FORMAT_NOTES,
    ],
    run: importFile,
  },
  export: {
    summary: "Write all rows to a file",
    operands: ["[NAME]", "FILE"],
    options: [FORMAT, TAG_FILTER],
    json:
      `{"file", "name": string, "rows": number, "lost": [string]}, the columns that the format ` +
      "lacks",
    notes: [
      "Rows are in the order of their ids. FILE - is standard output; a file needs deno's",
      "--allow-read and --allow-write, and appears once it is whole.",
      ...FORMAT_NOTES,
    ],
    run: exportFile,
  },
  search: {
    summary: "Find the rows nearest to a vector or a text",
    operands: ["[NAME]", "[TEXT]"],
    options: [
      { flag: "vector", value: "VECTOR", summary: "what to look for: a vector" },
      { flag: "text", value: "TEXT", summary: "or a text" },
      { flag: "queries", value: "FILE", summary: "or each row of a file" },
      { ...FORMAT, summary: "the format of --queries" },
      K,
      TAG_FILTER,
      { flag: "max-distance", value: "D", summary: "only rows that are no farther" },
      {
        flag: "lines",
        value: "FILE",
        summary: "a text whose line numbers are the ids, to show lines",
      },
    ],
    json: `[${MATCH_JSON}], for each query of --queries on a line of its own`,
    notes: [
      ...VECTOR_NOTES,
      "Distances: l2sq is squared Euclidean, ip is 1 - inner product, cos is 1 - cosine. A TEXT",
      "without --text, --vector or --queries is what to look for.",
    ],
    run: search,
  },
  get: {
    summary: "Show rows by their ids",
    operands: ["[NAME]", "ID…"],
    options: [NAME],
    json: `[${ROW_JSON} | null]`,
    notes: ["The exit code is 1 where an id is not stored."],
    run: get,
  },
  delete: {
    summary: "Delete rows by their ids, or by their tags",
    operands: ["[NAME]", "[ID…]"],
    options: [NAME, TAG_FILTER],
    json: `{"deleted": number}`,
    notes: ["IDs that are not stored are passed over."],
    run: deleteRows,
  },
  clear: {
    summary: "Delete all rows of a collection",
    operands: ["[NAME]"],
    options: [],
    json: `{"deleted": number}`,
    notes: [],
    run: clear,
  },
  stats: {
    summary: "Show what a collection holds and has done",
    operands: ["[NAME]"],
    options: [{ flag: "watch", summary: "show rates every second, until Ctrl-C" }],
    json: `{"name", "metric": string, "codes": boolean, "count", "bytes", "queries", …: number}`,
    notes: [
      "scanned are the rows that searches looked at, computed those whose vectors they had to read.",
      "longestSection is the longest time for which a call kept a processor to itself; in JSON,",
      "in nanoseconds. evictions are rows that made room, pressureEvictions those that gave memory",
      "back when it was scarce, expirations those past their ttl, which is in milliseconds in JSON.",
    ],
    run: stats,
  },
  cache: {
    summary: "Find what was kept for a text, or keep something for it",
    operands: ["get|set", "NAME", "TEXT", "[VALUE]"],
    options: [
      {
        flag: "threshold",
        value: "D",
        summary: "how far a text may be, 0 to 2, by 1 - cosine (default 0.1)",
      },
      { ...TTL, summary: "how long it is kept, such as 10m or never (default the collection's)" },
    ],
    json: `{"key": string, "value", "distance": number} of get, {"name", "key": string} of set`,
    notes: [
      "set makes a collection that is not there: of embedded texts by their cosine, evicting the least",
      "recently used. VALUE is a text, or - to read it from standard input; values that programs have",
      "kept are shown as JSON. get prints the value; where there is none, its exit code is 1.",
    ],
    run: cache,
  },
  completions: {
    summary: "Print a shell's completions",
    operands: ["SHELL"],
    options: [],
    json: `{"shell", "script": string}`,
    notes: [
      `SHELL is ${SHELLS.join(", ")}; for bash: eval "$(vss completions bash)".`,
    ],
    run: completions,
  },
  add: {
    summary: "Store a vector in the default collection, by protocol 1",
    operands: ["ID", "VECTOR"],
    options: [],
    json: `{"id": number, "dimension": number}`,
    notes: [
      `ID is an integer from 0 to ${MAX_ID} that is not stored yet.`,
      `VECTOR is as for put, of up to ${MAX_DIMENSION} components.`,
    ],
    run: add,
  },
  query: {
    summary: "Search the default collection, by protocol 1",
    operands: ["VECTOR"],
    options: [{ ...K, summary: `how many hits, 1 to ${MAX_K} (default ${DEFAULT_K})` }],
    json: `{"hits": [{"id": number, "distance": number | null}]}, null where it is infinite`,
    notes: [`VECTOR is as for put, of up to ${MAX_DIMENSION} components.`],
    run: query,
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
  const { operands, switches, options: { device = DEVICE_PATH, ...options } } = parsed;
  const [least, most] = arity(command);
  if (operands.length < least || operands.length > most) {
    const wanted = command.operands.join(" ") || "no operand";
    const given = operands.map(quote).join(" ") || "nothing";
    throw new UsageError(`${name} takes ${wanted}, not ${given}`);
  }
  needPermission({ name: "ffi" }, "--allow-ffi", "call the C library");
  return (await command.run({ operands, options, switches, device, json })) ?? 0;
}

/** How many operands a command takes, at least and at most. */
function arity({ operands }: Command): [number, number] {
  const least = operands.filter((operand) => !operand.startsWith("[")).length;
  const most = operands.some((operand) => operand.includes("…")) ? Infinity : operands.length;
  return [least, most];
}

// ---------------------------------------------------------------------------------------------
// Arguments

/** What the arguments say, once every one of them is known. */
interface Parsed {
  readonly name: string | undefined;
  readonly operands: string[];
  readonly options: Record<string, string | undefined>;
  readonly switches: ReadonlySet<string>;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** Short forms. */
const ALIASES = { help: "h", version: "V" } as const;

/** All flags of all commands, with or without a value. */
function flagsOf(hasValue: boolean, commands: readonly Command[]): string[] {
  const options = commands.flatMap(({ options }) => options);
  const own = options.filter(({ value }) => (value !== undefined) === hasValue);
  const global = hasValue ? ["device"] : ["json", "help", "version"];
  return [...new Set([...global, ...own.map(({ flag }) => flag)])];
}

/** Options with a value, and those without one, of any command. */
const VALUED = flagsOf(true, Object.values(COMMANDS));
const SWITCHES = flagsOf(false, Object.values(COMMANDS));

/** Splits the arguments into command, operands and options. */
function parse(args: string[]): Parsed {
  // First those of no command at all, which the parser would trip over.
  checkOptions(args, undefined);
  const parsed = parseArgs(shield(args), {
    string: ["_", ...VALUED],
    boolean: SWITCHES,
    alias: ALIASES,
  });
  const [name, ...operands] = parsed._.map((operand) => unshield(String(operand)));
  if (name !== undefined && !Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(
      `Command ${quote(name)} is not known${suggest(name, Object.keys(COMMANDS))}`,
    );
  }
  checkOptions(args, name);
  const options: Record<string, string | undefined> = {};
  for (const flag of VALUED) {
    const given: unknown = parsed[flag];
    if (typeof given !== "string") continue;
    options[flag] = unshield(given);
    if (options[flag] === "") throw new UsageError(`Option ${flagName(flag)} needs a value`);
  }
  const switches = new Set(SWITCHES.filter((flag) => parsed[flag] === true));
  const [json, help, version] = ["json", "help", "version"].map((flag) => switches.has(flag));
  return { name, operands, options, switches, json: json!, help: help!, version: version! };
}

/** Refuses the words that look like options and are none of the command's. */
function checkOptions(args: readonly string[], name: string | undefined): void {
  const commands = name === undefined ? Object.values(COMMANDS) : [COMMANDS[name]!];
  const valued = flagsOf(true, commands);
  const known = [...valued, ...flagsOf(false, commands)];
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

/** Reads an option that is a whole number, if it is given. */
function parseOption(
  { options }: Context,
  flag: string,
  limits: { readonly least: number; readonly most: number },
): number | undefined {
  const text = options[flag];
  return text === undefined ? undefined : parseInteger(flagName(flag), text, limits);
}

/** Reads an id or tags: an unsigned 64-bit integer. */
function parseU64(name: string, text: string): bigint {
  if (/^(?:\d{1,20}|0x[\da-f]{1,16})$/i.test(text)) {
    const value = BigInt(text);
    if (value < 1n << 64n) return value;
  }
  throw new UsageError(`${name} must be an integer from 0 to 2^64 - 1, not ${quote(text)}`);
}

/** Reads an option that is one of some words, if it is given. */
function parseWord<Word extends string>(
  { options }: Context,
  flag: string,
  words: readonly Word[],
): Word | undefined {
  const text = options[flag];
  const word = words.find((word) => word === text);
  if (text === undefined || word !== undefined) return word;
  throw new UsageError(`${flagName(flag)} must be ${words.join(", ")}, not ${quote(text)}`);
}

/** The value of `-k`. */
function parseK(context: Context, most: number): number {
  return parseOption(context, "k", { least: 1, most }) ?? DEFAULT_K;
}

/** The value of `--tags V/MASK`. */
function parseFilter({ options }: Context): TagFilter | undefined {
  const text = options["tags"];
  if (text === undefined) return undefined;
  const [value, mask, ...rest] = text.split("/");
  if (value === undefined || mask === undefined || rest.length > 0) {
    throw new UsageError(`--tags must be V/MASK such as 1/1 or 0x10/0xf0, not ${quote(text)}`);
  }
  return { value: parseU64("V of --tags", value), mask: parseU64("MASK of --tags", mask) };
}

/** The value of `--mode`: octal, as chmod has it. */
function parseMode({ options }: Context): number | undefined {
  const text = options["mode"];
  if (text === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(text) && (parseInt(text, 8) & ~0o666) === 0) return parseInt(text, 8);
  throw new UsageError(`--mode must be octal within 0666, such as 0640, not ${quote(text)}`);
}

/** The value of an option that is a number, if it is given. */
function parseNumber({ options }: Context, flag: string): number | undefined {
  const text = options[flag];
  if (text === undefined) return undefined;
  const [number] = parseNumbers(flagName(flag), text.trim());
  if (number !== undefined && !/[,\s]/.test(text.trim())) return number;
  throw new UsageError(`${flagName(flag)} must be a number, not ${quote(text)}`);
}

/** The value of `--threshold`: a distance by the cosine. */
function parseThreshold(context: Context): number | undefined {
  const threshold = parseNumber(context, "threshold");
  if (threshold === undefined || (threshold >= 0 && threshold <= 2)) return threshold;
  throw new UsageError(`--threshold must be a number from 0 to 2, not ${threshold}`);
}

/** A number and its unit, both of which are known. */
function parseMeasure(
  text: string,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([A-Za-zµ]*)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** The value of `--max-bytes`: bytes, such as `64M`. */
function parseSize({ options }: Context, flag: string): number | undefined {
  const text = options[flag];
  if (text === undefined) return undefined;
  // As people write them: 64M, 64m, 64MB and 64MiB are all the same here.
  const bytes = parseMeasure(text.toUpperCase().replace(/(?<=[\d KMGT])I?B$/, ""), BYTE_UNITS);
  if (Number.isSafeInteger(bytes)) return bytes;
  const rule = `${flagName(flag)} must be bytes, such as 1048576, 64M or 1.5G`;
  throw new UsageError(`${rule}, not ${quote(text)}`);
}

/** The value of `--ttl`: milliseconds, and `Infinity` for ever. */
function parseTtl({ options }: Context): number | undefined {
  const text = options["ttl"];
  if (text === undefined) return undefined;
  if (text === "never") return Infinity;
  const milliseconds = parseMeasure(text.replace("µs", "us"), TIME_UNITS);
  if (milliseconds !== undefined && milliseconds >= TIME_UNITS["ns"]!) return milliseconds;
  const rule = "--ttl must be a time such as 500ms, 30s, 10m, 12h or 7d, or never";
  throw new UsageError(`${rule}, not ${quote(text)}`);
}

/** How much a collection is to keep, and for how long. */
function parseRetention(context: Context): RetentionOptions {
  return {
    capacity: parseOption(context, "capacity", { least: 0, most: Number.MAX_SAFE_INTEGER }),
    maxBytes: parseSize(context, "max-bytes"),
    evict: parseWord(context, "evict", EVICTIONS),
    ttl: parseTtl(context),
  };
}

/** The name that operands begin with, where there are more than needed, and the rest of them. */
function nameFirst(
  { operands }: Context,
  needed: number,
): { readonly name: string; readonly rest: readonly string[] } {
  const named = operands.length > needed;
  return { name: named ? operands[0]! : DEFAULT_NAME, rest: operands.slice(named ? 1 : 0) };
}

/** The name, unless the first operand is an id, and the ids. */
function nameAndIds(context: Context): { readonly name: string; readonly ids: bigint[] } {
  const given = context.options["name"];
  const [first] = context.operands;
  const named = given === undefined && first !== undefined && !/^\d/.test(first);
  const ids = context.operands.slice(named ? 1 : 0).map((operand) => parseU64("ID", operand));
  return { name: given ?? (named ? first : DEFAULT_NAME), ids };
}

/** Reads a vector: numbers between commas, or between blanks, or a JSON array of them. */
function parseVector(text: string, most: number): number[] {
  const trimmed = text.trim();
  const vector = trimmed.startsWith("[") ? parseJson(trimmed) : parseNumbers("the vector", trimmed);
  if (!Array.isArray(vector)) throw new UsageError(`Vector ${quote(text)} is no array of numbers`);
  if (vector.length < 1 || vector.length > most) {
    throw new UsageError(`Vector must have 1 to ${most} components, not ${vector.length}`);
  }
  const wrong = vector.findIndex((value) =>
    typeof value !== "number" || !Number.isFinite(Math.fround(value))
  );
  if (wrong < 0) return vector;
  const rule = `Component ${wrong} of the vector must be a finite 32-bit float`;
  throw new UsageError(`${rule}, not ${quote(showValue(vector[wrong]))}`);
}

function showValue(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** What the library says of a value that the user gave is wrong usage. */
function asUsage<T>(check: () => T): T {
  try {
    const result = check();
    return result instanceof Promise ? result.catch(rethrow) as T : result;
  } catch (cause) {
    return rethrow(cause);
  }
}

function rethrow(cause: unknown): never {
  if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
  throw new UsageError(cause.message, { cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`Vector ${quote(text)} is no JSON array of numbers`, { cause });
  }
}

function parseNumbers(name: string, text: string): number[] {
  // One kind of separator: where a comma stands for the decimal point, blanks separate.
  const parts = text === "" ? [] : text.includes(",") ? text.split(",") : text.split(/\s+/);
  return parts.map((part, index) => {
    const word = part.trim();
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word)) return Number(word);
    throw new UsageError(`Component ${index} of ${name} must be a number, not ${quote(word)}`);
  });
}

/** The vector that an operand gives, or standard input where it is `-`. */
async function readVector(operand: string, most: number = LIMITS.dimension): Promise<number[]> {
  if (operand !== "-") return parseVector(operand, most);
  const parts: Uint8Array[] = [];
  let length = 0;
  using source = openSource(operand);
  for await (const part of source.bytes()) {
    length += part.length;
    if (length > MAX_VECTOR_BYTES) {
      throw new UsageError(`Vector on standard input is longer than ${MAX_VECTOR_BYTES} bytes`);
    }
    parts.push(part);
  }
  return parseVector(new TextDecoder().decode(concat(parts)), most);
}

// ---------------------------------------------------------------------------------------------
// Commands: the device and its collections

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

function info({ device, json }: Context): void {
  using vss = Vss.open(device);
  printEntries(vss.info(), json);
}

function list({ device, json }: Context): void {
  using vss = Vss.open(device);
  const collections = vss.list();
  if (json) return print(toJson(collections));
  if (collections.length === 0) return print("There is no collection that may be read");
  printTable([
    ...["name", "rows", "capacity", "MiB", "dimension", "metric", "evict", "ttl", "mode"],
    ...["uid", "gid"],
  ], [
    ...collections.map(describeCollection),
  ]);
}

function describeCollection(collection: CollectionInfo): string[] {
  const { name, count, capacity, bytes, dimension, metric, evict, ttl, mode, uid, gid } =
    collection;
  const numbers = [count, capacity, mebibytes(bytes), dimension].map(String);
  const words = [metric, evict, ttl === 0 ? "-" : timeText(ttl), octal(mode), uid, gid].map(String);
  return [visible(name), ...numbers, ...words];
}

function create(context: Context): void {
  const { name } = nameFirst(context, 0);
  const dimension = parseOption(context, "dimension", { least: 1, most: LIMITS.dimension });
  if (dimension === undefined) throw new UsageError("create needs --dimension N");
  const metric = parseWord(context, "metric", METRICS);
  const retention = parseRetention(context);
  const mode = parseMode(context) ?? defaultMode(name);
  using vss = Vss.open(context.device);
  const codes = !context.switches.has("no-codes");
  using made = asUsage(() => vss.create(name, { dimension, metric, ...retention, mode, codes }));
  printDone(
    context,
    { name, dimension, metric: made.metric },
    () => `Created collection ${name} of ${plural(dimension, "component")} by ${made.metric}`,
  );
}

function defaultMode(name: string): number | undefined {
  return name === DEFAULT_NAME ? DEFAULT_COLLECTION_MODE : undefined;
}

async function configure(context: Context): Promise<void> {
  const { name } = nameFirst(context, 0);
  const settings = { ...parseRetention(context), mode: parseMode(context) };
  if (Object.values(settings).every((value) => value === undefined)) {
    throw new UsageError(
      "configure needs one of --capacity, --max-bytes, --evict, --ttl and --mode",
    );
  }
  using collection = openCollection(context, name, "write");
  await asUsage(() => collection.configure(settings));
  const changed = Object.entries({ ...settings, ttl: shownTtl(settings.ttl) })
    .filter(([, value]) => value !== undefined);
  const words = changed.map(([key, value]) => `${key} ${entryText(key, value, {})}`);
  printDone(
    context,
    { name, ...Object.fromEntries(changed) },
    () => `Changed collection ${name}: ${words.join(", ")}`,
  );
}

/** A lifetime as stats have it, in which 0 is for ever. */
function shownTtl(ttl: number | undefined): number | undefined {
  return ttl === Infinity ? 0 : ttl;
}

function drop(context: Context): void {
  const { name } = nameFirst(context, 0);
  using vss = Vss.open(context.device);
  asUsage(() => vss.drop(name));
  printDone(context, { name }, () => `Dropped collection ${name}`);
}

/** Opens the device and a collection that is there. */
function openCollection(
  { device }: Context,
  name: string,
  access: "read" | "write" | "both",
): Collection {
  using vss = Vss.open(device);
  return asUsage(() => vss.collection(name, { access }));
}

async function clear(context: Context): Promise<void> {
  using collection = openCollection(context, nameFirst(context, 0).name, "write");
  printDeleted(context, await collection.clear());
}

async function stats(context: Context): Promise<void> {
  const { name } = nameFirst(context, 0);
  if (!context.switches.has("watch")) return printEntries(readStats(context, name), context.json);
  await watch(context, name);
}

/** A collection's stats; a default collection that was not made yet is empty. */
function readStats(context: Context, name: string): object {
  try {
    using collection = openCollection(context, name, "read");
    return collection.statsSync();
  } catch (error) {
    const unmade = error instanceof VssError && error.code === "ENOENT" &&
      error.operation === "open" && name === DEFAULT_NAME;
    if (!unmade) throw error;
    using client = VssClient.open(context.device);
    return { name, ...client.stats() };
  }
}

/** What `--watch` shows: the rates at which these counters grow. */
const RATES = {
  searches: "queries",
  puts: "inserts",
  upserts: "updates",
  deletes: "deletes",
  gets: "gets",
  hits: "hits",
  evictions: "evictions",
  pressure: "pressureEvictions",
  expirations: "expirations",
} as const satisfies Record<string, keyof CollectionStats>;

/** What a collection did since the last look. */
interface Look {
  readonly stats: CollectionStats;
  /** By the names of {@linkcode RATES}, a second. */
  readonly rates: Readonly<Record<keyof typeof RATES, number>>;
}

/** Shows rates every second until it is interrupted: a table, and without a terminal lines of one. */
async function watch(context: Context, name: string): Promise<void> {
  using interruption = new Interruption();
  using collection = openCollection(context, name, "read");
  const { json } = context;
  const show = json ? showJson : Deno.stdout.isTerminal() ? showTable : showLine;
  let before = { at: performance.now(), stats: await collection.stats() };
  for (let looks = 0;; looks++) {
    await interruption.sleep(WATCH_INTERVAL);
    if (interruption.signal.aborted) return;
    const now = { at: performance.now(), stats: await collection.stats() };
    const seconds = (now.at - before.at) / 1000;
    const rates = Object.entries(RATES).map(([name, counter]) =>
      [name, Math.round((now.stats[counter] - before.stats[counter]) / seconds)] as const
    );
    show({ stats: now.stats, rates: Object.fromEntries(rates) as Look["rates"] }, looks);
    before = now;
  }
}

function showJson({ stats: { count, bytes }, rates }: Look): void {
  print(toJson({ count, bytes, ...rates }));
}

/** A line of the table that a pipe or a file is given, below a heading now and then. */
function showLine({ stats: { count, bytes }, rates }: Look, looks: number): void {
  const cells = [["rows", count], ["MiB", mebibytes(bytes)], ...Object.entries(rates)];
  const line = (texts: unknown[]) => texts.map((text) => String(text).padStart(14)).join("");
  if (looks % 20 === 0) print(line(cells.map(([name], i) => i < 2 ? name : `${name}/s`)));
  print(line(cells.map(([, cell]) => cell)));
}

/** The table that a terminal shows, over the one of the look before. */
function showTable({ stats, rates }: Look, looks: number): void {
  const { count, capacity, bytes, maxBytes, evict, ttl } = stats;
  const limit = maxBytes === 0 ? "" : ` of ${mebibytes(maxBytes)}`;
  const life = ttl === 0 ? "" : `, ttl ${timeText(ttl)}`;
  const label = stats.name === "" ? "" : `${stats.name}: `;
  const lines = [
    `${label}${count} rows of ${capacity}, ${mebibytes(bytes)}${limit} MiB, evict ${evict}${life}`,
    paint("bold", `${"".padEnd(12)}${"a second".padStart(14)}${"in all".padStart(18)}`),
    ...Object.entries(RATES).map(([name, counter]) => {
      const rate = rates[name as keyof typeof RATES];
      return `${name.padEnd(12)}${String(rate).padStart(14)}${String(stats[counter]).padStart(18)}`;
    }),
  ];
  // Up to where the table began, and each line to its end: what was there does not flicker.
  const start = looks === 0 ? "" : `\x1b[${lines.length}A`;
  // A terminal that does not know its size says 0.
  const columns = Deno.consoleSize().columns || 80;
  const shown = lines.map((line, i) => i === 0 ? visible(line).slice(0, columns - 1) : line);
  writeAll(Deno.stdout, start + shown.map((line) => `\r${line}\x1b[K\n`).join(""));
}

// ---------------------------------------------------------------------------------------------
// Commands: rows

async function put(context: Context): Promise<void> {
  const { name, rest } = nameFirst(context, 2);
  const id = parseU64("ID", rest[0]!);
  const { payload, tags: tagText } = context.options;
  const tags = tagText === undefined ? 0n : parseU64("--tags", tagText);
  const ttl = parseTtl(context);
  const vector = await readVector(rest[1]!);
  using collection = openOrMake(context, name, { dimension: vector.length });
  const upsert = context.switches.has("upsert");
  const { updated } = await asUsage(() =>
    collection.put([{ id, vector, tags, payload, ttl }], { upsert })
  );
  const dimension = vector.length;
  const result = { id: toId(id), dimension, updated: updated > 0 };
  printDone(
    context,
    result,
    () => `${updated > 0 ? "Replaced" : "Stored"} id ${id} with ${plural(dimension, "component")}`,
  );
}

async function get(context: Context): Promise<number> {
  const { name, ids } = nameAndIds(context);
  if (ids.length === 0) throw new UsageError("get takes [NAME] ID…, not a name alone");
  using collection = openCollection(context, name, "read");
  const rows = await collection.get(ids, { payload: "bytes" });
  if (context.json) print(toJson(rows.map((row) => row === undefined ? null : rowJson(row))));
  else rows.forEach((row, i) => print(row === undefined ? missing(ids[i]!) : rowText(row)));
  return rows.includes(undefined) ? 1 : 0;
}

function missing(id: bigint): string {
  return `${String(id).padStart(10)}  (not stored)`;
}

async function deleteRows(context: Context): Promise<void> {
  const { name, ids } = nameAndIds(context);
  const tags = parseFilter(context);
  if ((ids.length > 0) === (tags !== undefined)) {
    throw new UsageError("delete takes [NAME] ID…, or [NAME] --tags V/MASK");
  }
  using collection = openCollection(context, name, "write");
  printDeleted(context, await collection.delete(tags === undefined ? ids : { tags }));
}

function printDeleted(context: Context, deleted: number): void {
  printDone(context, { deleted }, () => `Deleted ${plural(deleted, "row")}`);
}

async function search(context: Context): Promise<void> {
  const { options } = context;
  const given = ["vector", "text", "queries"].filter((flag) => options[flag] !== undefined);
  const shorthand = given.length === 0 ? context.operands.at(-1) : undefined;
  if (given.length > 1 || (given.length === 0 && shorthand === undefined)) {
    throw new UsageError("search takes one of --vector V, --text TEXT and --queries FILE");
  }
  if (given.length === 1 && context.operands.length > 1) {
    throw new UsageError(`search takes [NAME] beside ${flagName(given[0]!)}`);
  }
  const { name } = nameFirst(context, shorthand === undefined ? 0 : 1);
  const text = options["text"] ?? shorthand;
  if (text?.trim() === "") throw new UsageError("TEXT must hold more than blanks");
  const asked: Asked = {
    k: parseK(context, LIMITS.k),
    tags: parseFilter(context),
    maxDistance: parseNumber(context, "max-distance"),
    withTags: true,
    payload: "bytes",
  };
  const vector = options["vector"] === undefined ? undefined : await readVector(options["vector"]);
  if (options["queries"] !== undefined) return await searchFile(context, name, asked);
  using collection = openCollection(context, name, "read");
  const query = vector ?? embedText(text!, collection.dimension);
  const matches = await searchOne(collection, query, asked);
  const lines = options["lines"] === undefined
    ? undefined
    : await findLines(options["lines"], matches);
  printMatches(matches, context.json, lines);
}

/** What a search asks for. */
type Asked = NonNullable<Parameters<Collection["search"]>[1]>;

async function searchOne(
  collection: Collection,
  query: number[] | Float32Array,
  asked: Asked,
): Promise<Match[]> {
  if (query.length !== collection.dimension) {
    const rule = `Collection ${collection.name} has vectors of ${collection.dimension} components`;
    throw new UsageError(`${rule}, not ${query.length}`);
  }
  return await collection.search(query, asked);
}

/** Searches for each row of a file. */
async function searchFile(context: Context, name: string, asked: Asked): Promise<void> {
  const file = context.options["queries"]!;
  const format = chooseFormat(context, file);
  using source = openSource(file);
  using collection = openCollection(context, name, "read");
  const { dimension } = collection;
  for await (const batch of format.read(source, { dimension })) {
    const bad = batch.find(isBad);
    if (bad !== undefined) throw badRow(source, format, bad);
    const queries = batch.filter((row): row is FileRow => !isBad(row)).map((row) =>
      vectorOf(row, dimension)
    );
    for (let i = 0; i < queries.length; i += BATCH) {
      const answers = await collection.searchBatch(queries.slice(i, i + BATCH), asked);
      answers.forEach((matches, j) => {
        if (!context.json) print(paint("bold", `${format.unit} ${batch[i + j]!.place}`));
        printMatches(matches, context.json);
      });
    }
  }
}

/** The row's vector, or that of its text. */
function vectorOf({ vector, text }: FileRow, dimension: number): Float32Array {
  return vector ?? embedText(text ?? "", dimension);
}

/** The lines of a text whose numbers are the ids of some matches. */
async function findLines(file: string, matches: readonly Match[]): Promise<Map<Id, string>> {
  const wanted = new Set(matches.map(({ id }) => id));
  const found = new Map<Id, string>();
  using source = openSource(file);
  for await (const batch of formatByName("txt")!.read(source, {})) {
    for (const row of batch) {
      if (!isBad(row) && wanted.has(row.id)) found.set(row.id, row.text ?? "");
    }
    if (found.size === wanted.size) break;
  }
  return found;
}

async function add({ operands, device, json }: Context): Promise<void> {
  const id = parseInteger("ID", operands[0]!, { least: 0, most: MAX_ID });
  const vector = await readVector(operands[1]!, MAX_DIMENSION);
  using client = VssClient.open(device);
  client.addVector(id, vector);
  const dimension = vector.length;
  print(
    json ? toJson({ id, dimension }) : `Stored id ${id} with ${plural(dimension, "component")}`,
  );
}

async function query(context: Context): Promise<void> {
  const k = parseK(context, MAX_K);
  const vector = await readVector(context.operands[0]!, MAX_DIMENSION);
  using client = VssClient.open(context.device);
  const hits = client.queryTopK(vector, k);
  if (context.json) print(toJson({ hits }));
  else printMatches(hits, false);
}

// ---------------------------------------------------------------------------------------------
// Commands: answers

async function cache(context: Context): Promise<void> {
  const [word = "", name = "", key = "", ...values] = context.operands;
  const action = CACHE_ACTIONS.find((action) => action === word);
  if (action === undefined) {
    const hint = suggest(word, CACHE_ACTIONS);
    throw new UsageError(`cache takes get or set, not ${quote(word)}${hint}`);
  }
  if (key.trim() === "") throw new UsageError("TEXT must hold more than blanks");
  if (action === "get") await cacheGet(context, name, key, values);
  else await cacheSet(context, name, key, values);
}

async function cacheGet(
  context: Context,
  name: string,
  key: string,
  values: readonly string[],
): Promise<void> {
  if (values.length > 0) {
    throw new UsageError(`cache get takes NAME TEXT, and no VALUE such as ${quote(values[0]!)}`);
  }
  if (context.options["ttl"] !== undefined) throw new UsageError("--ttl is for cache set");
  const threshold = parseThreshold(context);
  const collection = openCollection(context, name, "read");
  using cache = asUsage(() => cacheOver(collection, threshold));
  const hit = await cache.find(key);
  if (hit === undefined) {
    const range = `within ${cache.threshold} of ${quote(key)}`;
    throw new Failure("ENOENT", `Collection ${name} holds nothing ${range} (ENOENT)`);
  }
  const { value, distance } = hit;
  if (context.json) print(toJson({ key: hit.key, value, distance }));
  else if (typeof value === "string") print(value.split("\n").map(visible).join("\n"));
  else print(toJson(value));
}

async function cacheSet(
  context: Context,
  name: string,
  key: string,
  [given]: readonly string[],
): Promise<void> {
  if (given === undefined) {
    throw new UsageError("cache set takes NAME TEXT VALUE, and VALUE is missing");
  }
  if (context.options["threshold"] !== undefined) {
    throw new UsageError("--threshold is for cache get");
  }
  const ttl = parseTtl(context);
  const value = given === "-" ? await readText() : given;
  using cache = openCache(context, name);
  await asUsage(() => cache.set(key, value, { ttl }));
  printDone(context, { name, key }, () => `Kept the answer to ${quote(key)} in collection ${name}`);
}

/** A cache over a collection of texts that is there. */
function cacheOver(collection: Collection, threshold?: number): SemanticCache {
  const embedder = textEmbedder(collection.dimension);
  return SemanticCache.over(collection, { embedder, threshold });
}

/** A cache of texts, whose collection is made if it is not there. */
function openCache(context: Context, name: string): SemanticCache {
  try {
    return asUsage(() => cacheOver(openCollection(context, name, "both")));
  } catch (error) {
    if (!(error instanceof VssError) || error.code !== "ENOENT") throw error;
    using vss = Vss.open(context.device);
    return asUsage(() => SemanticCache.open(vss, name));
  }
}

/** All of standard input, as text without its last line feed. */
async function readText(): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  using source = openSource("-");
  for await (const part of source.bytes()) {
    length += part.length;
    if (length > LIMITS.payload) {
      throw new UsageError(`VALUE on standard input is longer than ${LIMITS.payload} bytes`);
    }
    parts.push(part);
  }
  const text = decode(concat(parts));
  if (text === undefined) throw new UsageError("VALUE on standard input is no UTF-8");
  return text.replace(/\r?\n$/, "");
}

// ---------------------------------------------------------------------------------------------
// Commands: files

/** What a collection is to be that may have to be made. */
interface Wanted {
  readonly dimension: number;
  readonly metric?: Metric | undefined;
}

/** Opens a collection for writing; one that is not there is made. */
function openOrMake({ device }: Context, name: string, { dimension, metric }: Wanted): Collection {
  using vss = Vss.open(device);
  try {
    return asUsage(() => vss.collection(name, { access: "write" }));
  } catch (error) {
    if (!(error instanceof VssError) || error.code !== "ENOENT") throw error;
    const create = { dimension, metric, mode: defaultMode(name) };
    return asUsage(() => vss.collection(name, { access: "write", create }));
  }
}

/** Opens a collection if it is there. */
function openIfThere(context: Context, name: string): Collection | undefined {
  try {
    return openCollection(context, name, "write");
  } catch (error) {
    if (error instanceof VssError && error.code === "ENOENT" && error.operation === "open") {
      // The device itself must be there.
      Vss.open(context.device).close();
      return undefined;
    }
    throw error;
  }
}

/** The format that is given, or that the file's name ends with. */
function chooseFormat({ options }: Context, file: string, toWrite = false): Format {
  const name = options["format"];
  if (name !== undefined) {
    const format = formatByName(name);
    if (format !== undefined) return format;
    const names = FORMATS.map((format) => format.name);
    throw new UsageError(`--format must be ${names.join(", ")}, not ${quote(name)}`);
  }
  // A text needs no ending to be read: anything may be one.
  const format = formatOfFile(file) ?? (toWrite ? undefined : formatByName("txt"));
  if (format !== undefined) return format;
  const endings = FORMATS.flatMap(({ extensions }) => extensions).join(", ");
  throw new UsageError(`FILE must end in ${endings}, or --format be given, not ${quote(file)}`);
}

/** An import that is under way. */
class Import implements Disposable {
  readonly file: string;
  readonly name: string;
  readonly source: Source;
  readonly format: Format;
  readonly skip: number;
  readonly skipsBad: boolean;
  stored = 0;
  bad = 0;
  /** Up to here all rows are in, or were bad ones. */
  place: number;
  readonly #context: Context;
  readonly #ttl: number | undefined;
  #collection: Collection | undefined;

  constructor(context: Context) {
    const { name, rest } = nameFirst(context, 1);
    this.#context = context;
    this.name = name;
    this.file = rest[0]!;
    this.format = chooseFormat(context, this.file);
    const most = Number.MAX_SAFE_INTEGER;
    this.skip = this.place = parseOption(context, "skip", { least: 0, most }) ?? 0;
    this.skipsBad = context.switches.has("skip-bad");
    this.#ttl = parseTtl(context);
    this.source = openSource(this.file);
    this.#collection = openIfThere(context, name);
    this.#checkForm();
  }

  /** What a new collection is to be must not be asked of one that is there and is not so. */
  #checkForm(): void {
    const collection = this.#collection;
    if (collection === undefined) return;
    const wanted = { dimension: this.#dimensionOption(), metric: this.#metricOption() };
    for (const flag of ["dimension", "metric"] as const) {
      if (wanted[flag] === undefined || wanted[flag] === collection[flag]) continue;
      const rule = `Collection ${this.name} has ${flag} ${collection[flag]}`;
      this[Symbol.dispose]();
      throw new UsageError(`${rule}, not ${wanted[flag]}; --${flag} is for a new one`);
    }
  }

  #metricOption(): Metric | undefined {
    return parseWord(this.#context, "metric", METRICS);
  }

  /** Reads all there is. */
  async run(interruption: Interruption, progress: Progress): Promise<void> {
    const dimension = this.#collection?.dimension ?? this.#dimensionOption();
    const batches = this.format.read(this.source, { skip: this.skip, dimension });
    for await (const batch of interruption.interruptible(batches)) {
      await this.#store(batch);
      progress.update();
    }
  }

  #dimensionOption(): number | undefined {
    return parseOption(this.#context, "dimension", { least: 1, most: LIMITS.dimension });
  }

  /** Stores the good rows of a batch, and stops at, or reports, the bad ones. */
  async #store(batch: readonly (FileRow | BadRow)[]): Promise<void> {
    const good: FileRow[] = [];
    for (const row of batch) {
      if (!isBad(row)) good.push(row);
      else if (this.skipsBad) this.#report(row);
      else {
        await this.#put(good);
        throw badRow(this.source, this.format, row);
      }
    }
    await this.#put(good);
    this.place = batch.at(-1)?.place ?? this.place;
  }

  /** Puts rows; one that the device refuses is a bad one. */
  async #put(rows: readonly FileRow[]): Promise<void> {
    while (rows.length > 0) {
      const collection = this.#open(rows[0]!);
      try {
        await collection.put(columnsOf(rows, collection.dimension), {
          upsert: this.#context.switches.has("upsert"),
          ttl: this.#ttl,
        });
        this.stored += rows.length;
        this.place = rows.at(-1)!.place;
        return;
      } catch (error) {
        const done = error instanceof VssError ? error.done ?? 0 : 0;
        this.stored += done;
        this.place = rows[done - 1]?.place ?? this.place;
        const row = rows[done];
        if (row === undefined || !isRowError(error)) throw error;
        const bad = { place: row.place, reason: rowReason(row, error) };
        if (!this.skipsBad) throw badRow(this.source, this.format, bad, error);
        this.#report(bad);
        rows = rows.slice(done + 1);
      }
    }
  }

  /** The collection, which the first row makes where it is not there. */
  #open(row: FileRow): Collection {
    const dimension = row.vector?.length ?? this.#dimensionOption() ?? TEXT_DIMENSION;
    const metric = this.#metricOption();
    return this.#collection ??= openOrMake(this.#context, this.name, { dimension, metric });
  }

  #report(row: BadRow): void {
    this.bad++;
    if (this.bad > MAX_WARNINGS) return;
    const last = this.bad === MAX_WARNINGS ? "; further ones are only counted" : "";
    const message = `${placeOf(this.source, this.format, row)}: ${row.reason}${last}`;
    if (this.#context.json) writeAll(Deno.stderr, `${toJson({ warning: { message } })}\n`);
    else writeAll(Deno.stderr, `${paint("yellow", "bad row", Deno.stderr)}: ${visible(message)}\n`);
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
    this.#collection?.close();
  }
}

async function importFile(context: Context): Promise<void> {
  using work = new Import(context);
  try {
    using interruption = new Interruption();
    using progress = new Progress(work.source, () => plural(work.stored, "row"), context.json);
    await work.run(interruption, progress);
  } catch (cause) {
    throw stopped(cause, work);
  }
  const { file, name, stored, bad, skip } = work;
  const notes = [skip > 0 ? `${skip} skipped` : "", bad > 0 ? `${bad} bad` : ""].filter(Boolean);
  const rest = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  printDone(
    context,
    { file, name, stored, bad, skipped: skip },
    () => `Stored ${plural(stored, "row")} of ${file} in collection ${name}${rest}`,
  );
}

/** The columns of rows whose vectors are checked. */
function columnsOf(rows: readonly FileRow[], dimension: number) {
  const vectors = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    const vector = vectorOf(row, dimension);
    if (vector.length !== dimension) {
      throw new FormatError(`Row has ${vector.length} components, the collection ${dimension}`);
    }
    vectors.set(vector, i * dimension);
  });
  return {
    ids: BigUint64Array.from(rows, ({ id }) => BigInt(id)),
    vectors,
    tags: BigUint64Array.from(rows, ({ tags }) => BigInt(tags ?? 0)),
    payloads: rows.map(({ payload }) => payload),
  };
}

/** Whether an error is one row's own fault. */
function isRowError(error: unknown): error is VssError {
  return error instanceof VssError && ["EEXIST", "EINVAL"].includes(error.code);
}

function rowReason({ id }: FileRow, { code, message }: VssError): string {
  return code === "EEXIST" ? `Id ${id} is stored already (EEXIST); --upsert replaces it` : message;
}

/** Where a row is, as compilers say it. */
function placeOf({ name }: ByteSource, { unit }: Format, { place, line }: BadRow): string {
  if (line !== undefined || unit === "line") return `${name}:${line ?? place}`;
  return `${name}, row ${place}`;
}

function badRow(source: ByteSource, format: Format, row: BadRow, cause?: VssError): Failure {
  const message = `${placeOf(source, format, row)}: ${row.reason}`;
  return new Failure(cause?.code ?? "FORMAT", message, { cause });
}

/** Says how far an import came and how to go on from there. */
function stopped(cause: unknown, { stored, place, bad }: Import): Error {
  if (cause instanceof ReaderGone || cause instanceof UsageError) return cause;
  const code = codeOf(cause) ?? "FAILED";
  const message = cause instanceof Error ? cause.message : String(cause);
  const rows = `${plural(stored, "row")} of it ${stored === 1 ? "is" : "are"} in`;
  const passed = bad > 0 ? `, ${plural(bad, "bad row")} passed over` : "";
  return new Failure(code, `${message}\n${rows}${passed}; continue with --skip ${place}`, {
    cause,
  });
}

async function exportFile(context: Context): Promise<void> {
  const { name, rest } = nameFirst(context, 1);
  const file = rest[0]!;
  const format = chooseFormat(context, file, true);
  using collection = openCollection(context, name, "read");
  const tags = parseFilter(context);
  let rows = 0;
  await withSink(file, async (sink) => {
    using interruption = new Interruption();
    const { dimension } = collection;
    const batches = interruption.interruptible(sortedRows(collection, tags));
    rows = await format.write(sink, batches, { dimension });
  });
  const lost = (["id", "tags", "payload"] as const).filter((part) => !format.keeps.includes(part));
  // Standard output may be the file.
  if (file === "-") return;
  const note = lost.length > 0 ? `, without ${lost.join(", ")}: ${format.name} has none` : "";
  printDone(
    context,
    { file, name, rows, lost },
    () => `Wrote ${plural(rows, "row")} of collection ${name} to ${file}${note}`,
  );
}

/** All rows in the order of their ids, a batch at a time: of all only the ids are held. */
async function* sortedRows(
  collection: Collection,
  tags: TagFilter | undefined,
): AsyncGenerator<Row[]> {
  const parts: BigUint64Array[] = [];
  let part: bigint[] = [];
  for await (const { id } of collection.scan({ tags, vectors: false })) {
    part.push(BigInt(id));
    if (part.length < 65_536) continue;
    parts.push(BigUint64Array.from(part));
    part = [];
  }
  parts.push(BigUint64Array.from(part));
  const ids = new BigUint64Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, some) => (ids.set(some, at), at + some.length), 0);
  ids.sort();
  for (let i = 0; i < ids.length; i += BATCH) {
    const rows = await collection.get(ids.subarray(i, i + BATCH), { payload: "bytes" });
    yield rows.filter((row) => row !== undefined);
  }
}

/** Prints a script that completes commands, options, names of formats and files. */
function completions(context: Context): void {
  const shell = SHELLS.find((shell) => shell === context.operands[0]);
  if (shell === undefined) {
    throw new UsageError(`SHELL must be ${SHELLS.join(", ")}, not ${quote(context.operands[0]!)}`);
  }
  const script = COMPLETIONS[shell]();
  printDone(context, { shell, script }, () => script);
}

/** Every word that a command knows, as typed. */
function knownWords({ operands, options }: Command): string[] {
  const words = operands.filter((operand) => operand.includes("|"));
  return [
    ...words.flatMap((word) => word.split("|")),
    ...options.map(({ flag }) => flagName(flag)),
    "--device",
    "--json",
    "--help",
  ];
}

/** Options whose values are words that are known. */
function wordOptions(): Map<string, readonly string[]> {
  const options = Object.values(COMMANDS).flatMap(({ options }) => options);
  return new Map(
    options.flatMap(({ flag, words }) =>
      words === undefined ? [] : [[flagName(flag), words] as const]
    ),
  );
}

const COMPLETIONS: Record<(typeof SHELLS)[number], () => string> = {
  bash: () =>
    [
      "_vss() {",
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i words",
      "  for ((i = 1; i < COMP_CWORD; i++)); do",
      "    case ${COMP_WORDS[i]} in",
      "      --device) ((i++)) ;;",
      "      -*) ;;",
      "      *) command=${COMP_WORDS[i]}; break ;;",
      "    esac",
      "  done",
      "  case $before in",
      ...[...wordOptions()].map(([flag, words]) => `    ${flag}) words="${words.join(" ")}" ;;`),
      "    *) case $command in",
      `      "") words="${Object.keys(COMMANDS).join(" ")} --device --json --help --version" ;;`,
      `      completions) words="${SHELLS.join(" ")}" ;;`,
      ...Object.entries(COMMANDS).filter(([name]) => name !== "completions").map((
        [name, command],
      ) => `      ${name}) words="${knownWords(command).join(" ")}" ;;`),
      "    esac ;;",
      "  esac",
      '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
      "}",
      "complete -o default -F _vss vss",
    ].join("\n"),
  zsh: () =>
    [
      "#compdef vss",
      "_vss() {",
      "  local -a commands",
      "  commands=(",
      ...Object.entries(COMMANDS).map(([name, { summary }]) =>
        `    '${name}:${summary.replaceAll("'", "'\\''")}'`
      ),
      "  )",
      "  local command=${words[(r)(" + Object.keys(COMMANDS).join("|") + ")]}",
      "  case $words[CURRENT-1] in",
      ...[...wordOptions()].map(([flag, words]) =>
        `    ${flag}) compadd ${words.join(" ")}; return ;;`
      ),
      "  esac",
      "  case $command in",
      "    '') _describe command commands; compadd -- --device --json --help --version ;;",
      `    completions) compadd ${SHELLS.join(" ")} ;;`,
      ...Object.entries(COMMANDS).filter(([name]) => name !== "completions").map((
        [name, command],
      ) => `    ${name}) compadd -- ${knownWords(command).join(" ")}; _files ;;`),
      "  esac",
      "}",
      "compdef _vss vss",
    ].join("\n"),
  fish: () =>
    [
      ...Object.entries(COMMANDS).map(([name, { summary }]) =>
        `complete -c vss -n __fish_use_subcommand -f -a ${name} -d "${summary}"`
      ),
      ...Object.entries(COMMANDS).flatMap(([name, { options }]) =>
        options.map(({ flag, value, summary, words }) =>
          [
            `complete -c vss -n "__fish_seen_subcommand_from ${name}"`,
            flag.length === 1 ? `-s ${flag}` : `-l ${flag}`,
            ...(value === undefined ? [] : ["-r"]),
            ...(words === undefined ? [] : [`-f -a "${words.join(" ")}"`]),
            `-d "${summary}"`,
          ].join(" ")
        )
      ),
      `complete -c vss -n "__fish_seen_subcommand_from completions" -f -a "${SHELLS.join(" ")}"`,
      'complete -c vss -l device -r -d "the device"',
      'complete -c vss -l json -d "print JSON"',
      'complete -c vss -s h -l help -d "show help"',
    ].join("\n"),
};

// ---------------------------------------------------------------------------------------------
// Files

/** A file or standard input, and how far it was read. */
interface Source extends ByteSource, Disposable {
  /** Bytes read so far. */
  readonly position: number;
}

/** Opens a file, or standard input where it is `-`. */
function openSource(name: string): Source {
  if (name === "-") return new Pipe();
  if (name === "") throw new UsageError("FILE must not be empty");
  needPermission({ name: "read", path: name }, "--allow-read", `read ${visible(name)}`);
  const opened = { file: undefined as Deno.FsFile | undefined };
  try {
    const file = opened.file = Deno.openSync(name);
    const info = file.statSync();
    if (info.isDirectory) throw new Deno.errors.IsADirectory();
    return new FileSource(name, file, info.isFile ? info.size : undefined);
  } catch (error) {
    opened.file?.close();
    throw unreadable(name, error);
  }
}

/** Standard input. */
class Pipe implements Source {
  readonly name = "standard input";
  readonly size = undefined;
  position = 0;

  async *bytes(): AsyncGenerator<Uint8Array> {
    const reader = Deno.stdin.readable.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => {
          throw unreadable(this.name, error);
        });
        if (done) return;
        this.position += value.length;
        yield value;
      }
    } finally {
      // Not awaited: a read of a terminal or pipe that is under way ends when it ends.
      reader.cancel().catch(() => {});
    }
  }

  [Symbol.dispose](): void {}
}

/** A file. What is no regular one, such as a named pipe, has no size and cannot be read at will. */
class FileSource implements Source {
  readonly name: string;
  readonly size: number | undefined;
  readonly slice?: NonNullable<ByteSource["slice"]>;
  position = 0;
  readonly #file: Deno.FsFile;

  constructor(name: string, file: Deno.FsFile, size: number | undefined) {
    this.name = name;
    this.size = size;
    this.#file = file;
    if (size !== undefined) this.slice = (start, end) => this.#slice(start, Math.min(end, size));
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const buffer = new Uint8Array(1 << 18);
      const length = await this.#read(buffer);
      if (length === null) return;
      this.position += length;
      yield buffer.subarray(0, length);
    }
  }

  async #slice(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Math.max(0, end - start));
    await this.#file.seek(start, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < bytes.length) {
      const length = await this.#read(bytes.subarray(filled));
      if (length === null) break;
      filled += length;
    }
    this.position = Math.max(this.position, start + filled);
    return bytes.subarray(0, filled);
  }

  async #read(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#file.read(into);
    } catch (error) {
      throw unreadable(this.name, error);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Gives `work` a file to write. It is written beside the file of that name and takes its place once
 * it is whole: a failure leaves what was there.
 */
async function withSink(name: string, work: (sink: ByteSink) => Promise<void>): Promise<void> {
  if (name === "-") {
    return await work({
      name: "standard output",
      write: (bytes) => Promise.resolve(writeBytes(Deno.stdout, bytes)),
    });
  }
  if (name === "") throw new UsageError("FILE must not be empty");
  const temporary = `${name}.${crypto.randomUUID().slice(0, 8)}.part`;
  needPermission({ name: "write", path: name }, "--allow-write", `write ${visible(name)}`);
  needPermission(
    { name: "write", path: temporary },
    "--allow-write",
    `write beside ${visible(name)}`,
  );
  let made = false;
  try {
    using file = Deno.openSync(temporary, { createNew: true, write: true });
    made = true;
    await work(fileSink(name, file));
    file.syncSync();
    Deno.renameSync(temporary, name);
  } catch (error) {
    if (made) Deno.removeSync(temporary);
    throw codeOf(error) === undefined ? unwritable(name, error) : error;
  }
}

function fileSink(name: string, file: Deno.FsFile): ByteSink {
  return {
    name,
    write: (bytes) => Promise.resolve(writeBytes(file, bytes)),
    patch: async (position, bytes) => {
      await file.seek(position, Deno.SeekMode.Start);
      writeBytes(file, bytes);
      await file.seek(0, Deno.SeekMode.End);
    },
  };
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

/** Names the file that could not be written, and why. */
function unwritable(name: string, cause: unknown): Failure {
  const code = (cause as { code?: string }).code ?? "EIO";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Failure(code, `Cannot write ${name}: ${reason}`, { cause });
}

/** The code of an error that says all that there is to say. */
function codeOf(error: unknown): string | undefined {
  const known = error instanceof VssError || error instanceof Failure ||
    error instanceof FormatError || error instanceof UsageError;
  return known ? error.code : error instanceof ReaderGone ? "EPIPE" : undefined;
}

/** Ctrl-C, or a request to end, as an error at the next chance, instead of the end of the process. */
class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #aborted = Promise.withResolvers<never>();
  readonly #listeners = (["SIGINT", "SIGTERM"] as const).map((name) =>
    [
      name,
      () => this.#controller.abort(new Failure("EINTR", `Interrupted by ${name} (EINTR)`)),
    ] as const
  );

  constructor() {
    this.#aborted.promise.catch(() => {});
    this.signal.addEventListener("abort", () => this.#aborted.reject(this.signal.reason));
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes batches on until it is interrupted. */
  async *interruptible<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = batches[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await Promise.race([this.#aborted.promise, iterator.next()]);
        if (done) return;
        yield value;
      }
    } finally {
      // Not awaited: a read that is under way ends when it ends.
      iterator.return?.().catch(() => {});
    }
  }

  /** Waits, unless it is interrupted. */
  async sleep(milliseconds: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, milliseconds);
    await Promise.race([timer.promise, this.#aborted.promise]).catch(() => {});
    clearTimeout(id);
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}

// ---------------------------------------------------------------------------------------------
// Output

/** Prints a result: as JSON, or as a sentence. */
function printDone({ json }: Context, result: object, sentence: () => string): void {
  print(json ? toJson(result) : sentence().split("\n").map(visible).join("\n"));
}

function printEntries(entries: object, json: boolean): void {
  if (json) return print(toJson(entries));
  const width = Math.max(...Object.keys(entries).map(({ length }) => length));
  for (const [name, value] of Object.entries(entries)) {
    const shown = entryText(name, value, entries);
    print(`${paint("bold", name.padEnd(width))} ${visible(shown)}`);
  }
}

/** How an entry is shown. */
function entryText(name: string, value: unknown, entries: { readonly scanned?: number }): string {
  return ENTRY_TEXTS[name]?.(Number(value), entries) ?? String(value);
}

/** How entries are shown that say more to people than their number does. */
const ENTRY_TEXTS: Readonly<
  Record<string, (value: number, entries: { readonly scanned?: number }) => string>
> = {
  mode: octal,
  maxBytes: (bytes) => bytes === 0 ? "no limit of its own" : `${bytes}`,
  ttl: (ttl) => ttl === 0 ? "for ever" : timeText(ttl),
  computed: (computed, { scanned }) =>
    scanned ? `${computed} (${((computed / scanned) * 100).toPrecision(3)} %)` : `${computed}`,
  longestSection: (nanoseconds) => `${(nanoseconds / 1000).toFixed(1)} µs`,
  searchCpus: (cpus) => cpus === 0 ? "all that the caller may use" : `${cpus}`,
};

/** Prints rows below a heading, each column as wide as it must be. */
function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heading.map((_, i) =>
    Math.max(...[heading, ...rows].map((row) => row[i]!.length))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ");
  print(paint("bold", line(heading)));
  for (const row of rows) print(line(row));
}

function printMatches(
  matches: readonly Match[],
  json: boolean,
  lines?: ReadonlyMap<Id, string>,
): void {
  if (json) return print(toJson(matches.map((match) => matchJson(match, lines))));
  if (matches.length === 0) print("Nothing is found");
  for (const { id, distance, tags, payload } of matches) {
    const text = lines === undefined ? payloadText(payload) : lines.get(id) ?? "(no such line)";
    const marks = tags ? `  [tags ${tags}]` : "";
    print(
      `${distance.toPrecision(6).padStart(12)}  ${paint("bold", String(id).padStart(10))}${marks}` +
        (text === "" ? "" : `  ${visible(text)}`),
    );
  }
}

function matchJson({ id, distance, tags, payload }: Match, lines?: ReadonlyMap<Id, string>) {
  const line = lines === undefined ? {} : { line: lines.get(id) };
  return { id, distance, ...extrasJson(tags, payload), ...line };
}

function rowJson({ id, vector, tags, payload }: Row) {
  return { id, vector: [...vector!], ...extrasJson(tags, payload) };
}

/** Tags and payload, where there are some. Bytes that are no text are base64. */
function extrasJson(tags: Id | undefined, payload: Uint8Array | undefined) {
  const text = payload === undefined ? undefined : decode(payload);
  return {
    ...(payload === undefined
      ? {}
      : text === undefined
      ? { payload_base64: payload.toBase64() }
      : { payload: text }),
    ...(tags ? { tags } : {}),
  };
}

function rowText({ id, vector, tags, payload }: Row): string {
  const shown = [...vector!.subarray(0, MAX_SHOWN_COMPONENTS)].map((value) => value.toPrecision(6));
  const rest = vector!.length > MAX_SHOWN_COMPONENTS ? `,… (${vector!.length} components)` : "";
  const marks = tags ? `  [tags ${tags}]` : "";
  const text = payloadText(payload);
  const end = text === "" ? "" : `  ${visible(text)}`;
  return `${paint("bold", String(id).padStart(10))}  ${shown.join(",")}${rest}${marks}${end}`;
}

/** A payload as a person sees it. */
function payloadText(payload: Uint8Array | undefined): string {
  if (payload === undefined) return "";
  return decode(payload) ?? `(${plural(payload.length, "byte")})`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A number where that is exact. */
function toId(id: bigint): Id {
  return id <= Number.MAX_SAFE_INTEGER ? Number(id) : id;
}

function printFinding({ check, status, found, advice }: Finding): void {
  const colour = { ok: "green", warning: "yellow", missing: "red" } as const;
  print(`${paint(colour[status], status.padEnd(7))}  ${check.padEnd(8)} ${visible(found)}`);
  if (advice !== undefined) print(`${"".padEnd(18)} ${visible(advice)}`);
}

/** A bar on standard error, where that is a terminal. */
class Progress implements Disposable {
  readonly #source: Source;
  readonly #label: () => string;
  readonly #isShown: boolean;
  readonly #start = performance.now();
  #next = 0;

  constructor(source: Source, label: () => string, json: boolean) {
    this.#source = source;
    this.#label = label;
    this.#isShown = !json && Deno.stderr.isTerminal();
  }

  update(): void {
    const now = performance.now();
    if (!this.#isShown || now < this.#next) return;
    this.#next = now + PROGRESS_INTERVAL;
    const seconds = (now - this.#start) / 1000;
    const { size, position } = this.#source;
    const share = size ? Math.min(1, position / size) : undefined;
    const bar = share === undefined
      ? ""
      : `[${"#".repeat(Math.round(share * 30)).padEnd(30, ".")}] ${Math.floor(share * 100)} % `;
    const rate = `${(position / 2 ** 20 / seconds).toFixed(1)} MiB/s`;
    const left = share ? `, ${duration(seconds / share - seconds)} left` : "";
    writeAll(Deno.stderr, `\r\x1b[K${bar}${this.#label()}, ${rate}${left}`);
  }

  [Symbol.dispose](): void {
    if (this.#isShown && this.#next > 0) writeAll(Deno.stderr, "\r\x1b[K");
    this.#next = 0;
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** A lifetime as `--ttl` takes it: by the greatest unit of which it has a whole number. */
function timeText(milliseconds: number): string {
  const isWhole = ([, factor]: [string, number]) =>
    factor >= 1 ? milliseconds % factor === 0 : false;
  const [unit, factor] = Object.entries(TIME_UNITS).find(isWhole) ?? ["ms", 1];
  return `${milliseconds / factor}${unit}`;
}

/** A time as `1:05`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Says on standard error what went wrong; returns the exit code. */
function report(error: unknown, json: boolean): number {
  const usage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  try {
    if (json) {
      const code = codeOf(error) ?? "FAILED";
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
    `  ${[name, ...operands].join(" ").padEnd(31)} ${summary}`
  );
  return [
    "Vectors in the kernel, shared by every process of the machine.",
    "",
    "Usage: vss COMMAND [OPTIONS]",
    "",
    "vss stands for deno run --allow-ffi cli.ts, with --allow-read too where FILE is",
    'no pipe, and --allow-write for export. NAME is a collection, by default "default".',
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
    ...options.map((option) => `[${optionForm(option)}]`),
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

function optionForm({ flag, value }: Option): string {
  return value === undefined ? flagName(flag) : `${flagName(flag)} ${value}`;
}

function optionsHelp(options: readonly Option[]): string[] {
  const own = options.map((option) => [optionForm(option), option.summary]);
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
  writeBytes(stream, new TextEncoder().encode(text));
}

/** Writes all bytes. */
function writeBytes(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
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

/** JSON on one line, safe on a terminal; integers beyond 2^53 are strings. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => typeof part === "bigint" ? String(part) : part);
  return text.replace(UNSAFE, escapeUnit);
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
