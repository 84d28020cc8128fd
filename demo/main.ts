// SPDX-License-Identifier: MIT
/**
 * The demonstration's half on the host: finds a text and questions, and has `guest.ts` store and
 * search it in the lab.
 *
 *     just demo [FILE [QUERY…]]
 *
 * @module
 */
import { BUILD, exitWith, LabError, PROJECT, runOrThrow } from "../lab/host.ts";
import { MACHINES } from "../lab/machines.ts";
import { asRoot } from "../lab/real_machine.ts";
import { runSession } from "../lab/session.ts";

/** What to ask Debian's packages. */
const PACKAGE_QUERIES = [
  "edit photos",
  "play chess against the computer",
  "monitor network traffic",
  "recover deleted files",
];

/** The section of Debian's packages that the filtered search looks in. */
const FILTER_SECTION = "gnome";

/** How many of a text's own lines stand in for questions that are not given. */
const OWN_QUERIES = 3;

/** How much of a very long line is asked. */
const MAX_QUERY_LENGTH = 200;

/** What the guest stores and asks. */
export interface Material {
  /** A .jsonl file of all lines: their text, which is also their payload, and their tags. */
  readonly rows: string;
  /** What to ask. */
  readonly queries: readonly string[];
  /** A part of the lines: how people say it, and the tags that they have there, as V/MASK. */
  readonly filter: { readonly where: string; readonly tags: string };
}

/** A line of text, and the number of the part that it belongs to, from 1. */
interface Line {
  readonly text: string;
  readonly part: number;
}

/** Tags have the number of a line's part in these bits. */
const PART_MASK = 0xff;

/** Writes what the guest reads. */
async function prepare(
  lines: readonly Line[],
  material: Omit<Material, "rows" | "filter">,
  filter: { readonly where: string; readonly part: number },
): Promise<string> {
  const folder = `${BUILD}/demo`;
  const rows = `${folder}/lines.jsonl`;
  await Deno.mkdir(folder, { recursive: true });
  const records = lines.flatMap(({ text, part }, index) => {
    if (text.trim() === "") return [];
    return [JSON.stringify({ id: index + 1, text, payload: text, tags: part & PART_MASK })];
  });
  await Deno.writeTextFile(rows, `${records.join("\n")}\n`);
  const file = `${folder}/material.json`;
  const { where, part } = filter;
  const all: Material = {
    ...material,
    rows,
    filter: { where, tags: `${part & PART_MASK}/${PART_MASK}` },
  };
  await Deno.writeTextFile(file, JSON.stringify(all));
  return file;
}

/** One line for every package that this machine's package lists know; parts are their sections. */
async function packageDescriptions(): Promise<string> {
  let packages = packagesOf(await runOrThrow(["apt-cache", "dumpavail"]));
  if (packages.length === 0) {
    console.error("demo: this machine's package lists are empty, fetching them");
    await runOrThrow(asRoot(["apt-get", "update", "-qq"]));
    packages = packagesOf(await runOrThrow(["apt-cache", "dumpavail"]));
  }
  if (packages.length === 0) throw new LabError("This machine's package lists know no package");
  const sections = [...new Set(packages.map(({ section }) => section))].sort();
  const lines = packages.map(({ text, section }) => ({
    text,
    part: sections.indexOf(section) + 1,
  }));
  const where = `among packages of section "${FILTER_SECTION}"`;
  const filter = { where, part: sections.indexOf(FILTER_SECTION) + 1 };
  return await prepare(lines, { queries: PACKAGE_QUERIES }, filter);
}

/** A package as one line, and the section that it belongs to. */
interface Package {
  readonly text: string;
  readonly section: string;
}

/** `name - description` for every package of a list in Debian's control format, sorted. */
function packagesOf(list: string): Package[] {
  const packages = new Map<string, Package>();
  for (const record of list.split("\n\n")) {
    const name = /^Package: (.+)$/m.exec(record)?.[1];
    const description = /^Description(?:-en)?: (.+)$/m.exec(record)?.[1];
    // `non-free/games` are games, too.
    const section = /^Section: (?:.*\/)?(.+)$/m.exec(record)?.[1] ?? "none";
    if (name === undefined || description === undefined) continue;
    packages.set(name, { text: `${name} - ${description}`, section });
  }
  return [...packages.values()].sort((a, b) => a.text < b.text ? -1 : 1);
}

/** The given text, in two halves; without questions, some of its own lines are asked. */
async function givenText(file: string, queries: string[]): Promise<string> {
  const path = await Deno.realPath(file).catch((error) => {
    throw new LabError(`Cannot read ${file}: ${error.message}`);
  });
  if (!(await Deno.stat(path)).isFile) throw new LabError(`${file} is no file; give a text file`);
  const text = await Deno.readTextFile(path);
  if (text.includes("\0")) throw new LabError(`${file} is no text: it holds NUL characters`);
  const all = text.split(/\r?\n/);
  const lines = all.map((text, index) => ({ text, part: index < all.length / 2 ? 1 : 2 }));
  if (!lines.some(({ text }) => text.trim())) throw new LabError(`${file} holds no text`);
  const filter = { where: "in the second half of the text", part: 2 };
  return await prepare(lines, { queries: queries.length > 0 ? queries : ownLines(all) }, filter);
}

/** Some lines of a text as questions: evenly spread, and the same at every run. */
function ownLines(all: readonly string[]): string[] {
  const lines = all.filter((line) => line.trim());
  return Array.from({ length: OWN_QUERIES }, (_, index) => {
    const line = lines[Math.floor((index + 0.5) / OWN_QUERIES * lines.length)]!;
    return line.trim().slice(0, MAX_QUERY_LENGTH);
  });
}

async function main([file, ...queries]: string[]): Promise<number> {
  const machine = MACHINES[0]!;
  const guest = `${PROJECT}/demo/guest.ts`;
  const material = await (file === undefined ? packageDescriptions() : givenText(file, queries));
  // The guest has no network, so what its program imports must be in Deno's cache.
  await runOrThrow([Deno.execPath(), "cache", "--quiet", "--no-check", guest], { cwd: PROJECT });
  return await runSession({
    ...{ machine, memory: "2G", cpus: 2, accel: "tcg", moduleArgs: [], timeout: 600 },
    ...{ verbose: false, interactive: false },
    command: [
      ...["deno", "run", "--quiet", "--no-check", "--allow-ffi", "--allow-read"],
      ...[guest, material],
    ],
  });
}

if (import.meta.main) await exitWith(() => main(Deno.args));
