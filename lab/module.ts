// SPDX-License-Identifier: MIT
/**
 * Builds a module for a machine, in `build/` and only when needed: `vss.ko` out of `kernel/`.
 *
 * @module
 */
import { inRoot } from "./build_root.ts";
import { BUILD, cacheFolder, exists, LabError, PROJECT, run, withLock } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import type { Machine } from "./machines.ts";

/** A module's name and the folder of its sources. */
export interface Module {
  readonly name: string;
  readonly folder: string;
}

/** The driver. */
export const DRIVER: Module = { name: "vss", folder: `${PROJECT}/kernel` };

/** Where the machine's module lies once built. */
export function modulePath(machine: Machine, { name } = DRIVER): string {
  return `${BUILD}/${machine.name}/${name}.ko`;
}

/** Builds the machine's module if its sources, kernel or compiler changed; returns its path. */
export async function buildModule(
  machine: Machine,
  kernel: Kernel,
  module = DRIVER,
): Promise<string> {
  const target = modulePath(machine, module);
  return await withLock(`${target}.lock`, async () => {
    const sources = await readSources(module.folder);
    const stamp = await fingerprint(sources, kernel);
    if (await exists(target) && await readText(`${target}.stamp`) === stamp) return target;
    const workshop = await workshopFolder(machine, module);
    await syncSources(sources, workshop);
    await make(workshop, kernel);
    // The rename keeps a guest that is loading the previous build from reading half of this one.
    await Deno.copyFile(`${workshop}/${module.name}.ko`, `${target}.new`);
    await Deno.rename(`${target}.new`, target);
    await Deno.writeTextFile(`${target}.stamp`, stamp);
    return target;
  });
}

/**
 * Where this clone's module is compiled: outside the clone, because the kernel's build works in no
 * folder whose path holds a space.
 */
async function workshopFolder(machine: Machine, { folder }: Module): Promise<string> {
  return `${cacheFolder()}/modules/${machine.name}-${(await sha256(folder)).slice(0, 16)}`;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** The files that make up the module, by path below `kernel/`; not what a build left there. */
async function readSources(folder: string, below = ""): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const entry of Deno.readDir(folder)) {
    const path = `${below}${entry.name}`;
    if (entry.isDirectory) {
      for (const [name, text] of await readSources(`${folder}/${entry.name}`, `${path}/`)) {
        sources.set(name, text);
      }
    } else if (isSource(entry.name)) {
      sources.set(path, await Deno.readTextFile(`${folder}/${entry.name}`));
    }
  }
  return sources;
}

function isSource(name: string): boolean {
  return /^[^.].*\.[chS]$|^Kbuild$|^Makefile$/.test(name) && !name.endsWith(".mod.c");
}

async function fingerprint(sources: Map<string, string>, kernel: Kernel): Promise<string> {
  const { output } = await run(["gcc-12", "--version"]);
  const files = [...sources].sort(([a], [b]) => a < b ? -1 : 1);
  // A kernel that was built anew may have the old one's release.
  const { mtime } = await Deno.stat(kernel.image);
  return await sha256(JSON.stringify([kernel.release, kernel.headers, mtime, output, files]));
}

async function readText(file: string): Promise<string | undefined> {
  return await exists(file) ? await Deno.readTextFile(file) : undefined;
}

/** Makes `folder` hold the sources, touching only files that differ so that make skips the rest. */
async function syncSources(sources: Map<string, string>, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of (await readSources(folder)).keys()) {
    if (!sources.has(name)) await Deno.remove(`${folder}/${name}`);
  }
  for (const [name, text] of sources) {
    const file = `${folder}/${name}`;
    if (await readText(file) === text) continue;
    await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
}

/** Runs the kernel's build in `folder`; what it warns about is shown and fails. */
async function make(folder: string, kernel: Kernel): Promise<void> {
  const { code, output } = await run(await makeCommand(folder, kernel));
  const noteworthy = output.replaceAll(`${folder}/`, "kernel/").split("\n")
    // The stock headers come without vmlinux, so a module's BTF cannot be made; it needs none.
    .filter((line) => !/Skipping BTF generation/.test(line));
  if (code === 0 && !noteworthy.some((line) => /warning/i.test(line))) return;
  // Objects that compiled with a warning would be silent the next time.
  await Deno.remove(folder, { recursive: true });
  throw new LabError(`Building the module failed:\n${noteworthy.join("\n").trim()}`);
}

async function makeCommand(folder: string, kernel: Kernel): Promise<string[]> {
  const { buildRoot, headers } = kernel;
  const jobs = `-j${navigator.hardwareConcurrency}`;
  const place = buildRoot === undefined ? headers : headers.slice(buildRoot.length);
  const command = ["make", jobs, "-C", place, ...kernel.makeArguments, `M=${folder}`]
    .concat("KCFLAGS=-Werror", "modules");
  return buildRoot === undefined ? command : await inRoot(buildRoot, folder, command);
}
