// SPDX-License-Identifier: MIT
/**
 * Builds a kernel of our own configuration out of Debian's source, once, into the cache.
 *
 * @module
 */
import { fetchPackages, suiteOptions, withPackageLists } from "./apt.ts";
import { LabError, run, runOrThrow } from "./host.ts";
import { cachedKernel, isCached, type Kernel, type Recipe } from "./kernel.ts";
import type { SourceMachine } from "./machines.ts";

/** What differs between kernels that are booted in different ways. */
interface Build {
  /** The architecture, as the kernel's build calls it. */
  readonly architecture: string;
  /** What make makes, and is booted. */
  readonly image: string;
}

const BUILDS: Readonly<Record<SourceMachine["kind"], Build>> = {
  qemu: { architecture: "x86_64", image: "vmlinux" },
  uml: { architecture: "um", image: "linux" },
};

/** The architecture, and the compiler that modules for stock Debian kernels are built with, too. */
function makeArguments({ kind }: SourceMachine): string[] {
  return [`ARCH=${BUILDS[kind].architecture}`, "CC=gcc-12", "HOSTCC=gcc-12"];
}

/** What a build would else take from the clock and the machine that it runs on. */
const REPRODUCIBLE = {
  KBUILD_BUILD_TIMESTAMP: "Thu Jan  1 00:00:00 UTC 1970",
  KBUILD_BUILD_USER: "lab",
  KBUILD_BUILD_HOST: "vss",
};

/** Most of the source: what this kernel has no use for, but for the parts that describe it. */
const UNUSED = ["Documentation", "arch/[!xu]*", "drivers/gpu", "drivers/infiniband"]
  .concat(["drivers/media", "drivers/net/ethernet", "drivers/net/wireless", "drivers/scsi"])
  .concat(["drivers/staging", "sound", "tools/testing"]);

/** The machine's kernel, from the cache or, the first time, compiled. */
export async function sourceKernel(machine: SourceMachine): Promise<Kernel> {
  return await cachedKernel(await recipe(machine));
}

/** Whether the machine's kernel needs no compiling. */
export async function hasSourceKernel(machine: SourceMachine): Promise<boolean> {
  return await isCached(await recipe(machine));
}

async function recipe(machine: SourceMachine): Promise<Recipe> {
  const { name, patch } = machine;
  const read = (file: string) => Deno.readTextFile(new URL(file, import.meta.url));
  const config = mergeConfigurations(await Promise.all(machine.configuration.map(read)));
  const changes = patch === undefined ? "" : await read(patch);
  return {
    name,
    ingredients: `# ${[machine.source, ...machine.settings ?? []].join(" ")}\n${config}${changes}`,
    kernelIn: (folder, release) => kernelIn(machine, folder, release),
    make: (folder, home) => build(machine, { config, changes }, folder, home),
  };
}

/** One configuration of several, each of which overrides those before it. */
export function mergeConfigurations(parts: readonly string[]): string {
  const option = (line: string) => /^(?:# )?(CONFIG_\w+)[= ]/.exec(line)?.[1];
  const lines = parts.flatMap((part) => part.split("\n"));
  const last = new Map(lines.map((line, index) => [option(line), index]));
  return lines.filter((line, index) => !option(line) || last.get(option(line)) === index)
    .join("\n");
}

function kernelIn(machine: SourceMachine, folder: string, release: string): Kernel {
  return {
    release,
    image: `${folder}/source/${BUILDS[machine.kind].image}`,
    modules: `${folder}/modules`,
    bootModules: [],
    headers: `${folder}/source`,
    makeArguments: makeArguments(machine),
    busybox: `${folder}/bin/busybox`,
  };
}

/** What a kernel is made of besides Debian's source. */
interface Ingredients {
  readonly config: string;
  readonly changes: string;
}

async function build(
  machine: SourceMachine,
  { config, changes }: Ingredients,
  folder: string,
  home: string,
): Promise<string> {
  const version = machine.source.replace(/^\D*/, "");
  console.error(`lab: fetching the source of Linux ${version}`);
  await withPackageLists((apt) => fetchPackages(["busybox-static"], folder, apt));
  await fetchPackages([machine.source], folder, await suiteOptions(machine.suite));
  const source = `${folder}/source`;
  await unpackSource(`${folder}/usr/src/${machine.source}.tar.xz`, source);
  await Deno.remove(`${folder}/usr`, { recursive: true });
  if (changes) await change(source, changes);

  console.error(
    `lab: building Linux ${version} for the ${machine.name} machine, once, some minutes`,
  );
  await Deno.writeTextFile(`${source}/lab.config`, config);
  const words = [...makeArguments(machine), ...machine.settings ?? []];
  await make(source, [...words, "KCONFIG_ALLCONFIG=lab.config", "allnoconfig"]);
  requireConfigured(config, await Deno.readTextFile(`${source}/.config`));
  const jobs = `-j${navigator.hardwareConcurrency}`;
  await make(source, [...words, jobs, BUILDS[machine.kind].image, "modules"]);
  // Modules are built against the rest.
  const compiled = ["(", "-name", "*.c", "-o", "-name", "*.[oa]", ")"];
  await runOrThrow(["find", source, ...compiled, "!", "-path", "*/scripts/*", "-delete"]);
  await makeModulesFolder(`${folder}/modules`, `${home}/source`);
  return (await Deno.readTextFile(`${source}/include/config/kernel.release`)).trim();
}

async function unpackSource(archive: string, folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const unused = UNUSED.flatMap((place) =>
    ["[chS]", "rst"].map((ending) => `--exclude=*/${place}/*.${ending}`)
  );
  const tar = ["tar", "--extract", "--file", archive, "--strip-components=1", ...unused];
  await runOrThrow([...tar, "--directory", folder]);
}

async function change(source: string, changes: string): Promise<void> {
  const file = `${source}/lab.patch`;
  await Deno.writeTextFile(file, changes);
  await runOrThrow(["patch", "--directory", source, "--strip=1", "--fuzz=0", "--input", file]);
}

async function make(source: string, words: string[]): Promise<void> {
  // The build leaves the processors to whatever else runs.
  const command = ["nice", "make", "-C", source, ...words];
  const { code, output } = await run(command, { env: REPRODUCIBLE });
  if (code === 0) return;
  const lines = output.trimEnd().split("\n");
  throw new LabError(`Building the kernel failed:\n${lines.slice(-40).join("\n")}`);
}

/** Refuses a configuration that lost a wish: the options' names and needs change with the kernel. */
export function requireConfigured(wishes: string, config: string): void {
  const lines = new Set(config.split("\n"));
  const lost = wishes.split("\n").filter((line) =>
    line && !line.startsWith("#") && !lines.has(line)
  );
  if (lost.length === 0) return;
  throw new LabError(`This kernel's configuration cannot have ${lost.join(", ")}`);
}

/** The folder that a guest shows as its kernel's modules: none, but where to build some against. */
async function makeModulesFolder(folder: string, source: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.symlink(source, `${folder}/build`);
  for (const name of ["modules.dep", "modules.builtin", "modules.order"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "");
  }
}
