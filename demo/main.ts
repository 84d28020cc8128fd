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

/** How many of a text's own lines stand in for questions that are not given. */
const OWN_QUERIES = 3;

/** How much of a very long line is asked. */
const MAX_QUERY_LENGTH = 200;

/** A text and what to ask it. */
interface Material {
  readonly file: string;
  readonly queries: readonly string[];
}

/** Writes one line for every package that this machine's package lists know. */
async function packageDescriptions(): Promise<Material> {
  const file = `${BUILD}/demo/packages.txt`;
  let lines = packageLines(await runOrThrow(["apt-cache", "dumpavail"]));
  if (lines.length === 0) {
    console.error("demo: this machine's package lists are empty, fetching them");
    await runOrThrow(asRoot(["apt-get", "update", "-qq"]));
    lines = packageLines(await runOrThrow(["apt-cache", "dumpavail"]));
  }
  if (lines.length === 0) throw new LabError("This machine's package lists know no package");
  await Deno.mkdir(`${BUILD}/demo`, { recursive: true });
  await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
  return { file, queries: PACKAGE_QUERIES };
}

/** `name - description` for every package of a list in Debian's control format, sorted. */
function packageLines(list: string): string[] {
  const descriptions = new Map<string, string>();
  for (const record of list.split("\n\n")) {
    const name = /^Package: (.+)$/m.exec(record)?.[1];
    const description = /^Description(?:-en)?: (.+)$/m.exec(record)?.[1];
    if (name !== undefined && description !== undefined) descriptions.set(name, description);
  }
  return [...descriptions].map(([name, description]) => `${name} - ${description}`).sort();
}

/** The given text; without questions, some of its own lines are asked. */
async function givenText(file: string, queries: string[]): Promise<Material> {
  const path = await Deno.realPath(file).catch((error) => {
    throw new LabError(`Cannot read ${file}: ${error.message}`);
  });
  if (!(await Deno.stat(path)).isFile) throw new LabError(`${file} is no file; give a text file`);
  const text = await Deno.readTextFile(path);
  if (text.includes("\0")) throw new LabError(`${file} is no text: it holds NUL characters`);
  if (queries.length > 0) return { file: path, queries };
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  if (lines.length === 0) throw new LabError(`${file} holds no text`);
  // Evenly spread, and the same at every run.
  const own = Array.from(
    { length: OWN_QUERIES },
    (_, index) => {
      const line = lines[Math.floor((index + 0.5) / OWN_QUERIES * lines.length)]!;
      return line.trim().slice(0, MAX_QUERY_LENGTH);
    },
  );
  return { file: path, queries: own };
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
      ...[guest, material.file, ...material.queries],
    ],
  });
}

if (import.meta.main) await exitWith(() => main(Deno.args));
