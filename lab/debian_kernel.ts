// SPDX-License-Identifier: MIT
/**
 * Fetches a machine's stock Debian kernel and headers into the cache and unpacks them there,
 * without installing anything. With them comes busybox, which a machine starts from: the static
 * one, which Debian does not let stand beside the ordinary one on the host.
 *
 * A kernel from other suites of the archive wants another compiler than the host's. That is
 * unpacked with it, and all that it needs: the machine's folder in the cache is a whole file system
 * then, in which modules are built (see `build_root.ts`).
 *
 * @module
 */
import { fetchPackages, fetchSystem, suiteOptions, withPackageLists } from "./apt.ts";
import { cacheFolder, exists, LabError, PROJECT, run, runOrThrow } from "./host.ts";
import { cachedKernel, type Kernel, type Userland } from "./kernel.ts";
import type { StockMachine } from "./machines.ts";

/** What the kernel's build needs besides what its headers depend on. */
const BUILD_TOOLS = [
  "base-files",
  "binutils",
  "coreutils",
  "dash",
  "findutils",
  "grep",
  "make",
  "mawk",
  "sed",
];

/** What a guest of another kind of processor runs in place of the host's own programs. */
const USERLAND = ["base-files", "bash", "busybox-static", "coreutils", "dash", "findutils", "grep"]
  .concat(["libc6", "libgcc-s1", "mawk", "procps", "sed"]);

/** The machine's kernel, from the cache or, the first time, from Debian's archive. */
export async function debianKernel(machine: StockMachine): Promise<Kernel> {
  if (isForeign(machine)) await runOrThrow(["sh", `${PROJECT}/lab/setup.sh`, "deno_arm64"]);
  return await cachedKernel({
    name: machine.name,
    kernelIn: (folder, release) => kernelIn(machine, folder, release),
    make: async (folder, home) => {
      console.error(`lab: fetching Debian's kernel for ${machine.name}`);
      const release = await fetchKernel(machine, folder);
      await makeRelocated(machine, folder, home, release);
      await unpackImage(machine, folder, release);
      return release;
    },
  });
}

/** Whether the host's own programs do not run on it. */
function isForeign(machine: StockMachine): boolean {
  return machine.architecture !== "amd64";
}

function kernelIn(machine: StockMachine, folder: string, release: string): Kernel {
  return {
    release,
    image: `${folder}/boot/vmlinux-${release}`,
    modules: `${folder}/lib/modules/${release}`,
    bootModules: ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"],
    headers: `${folder}/usr/src/linux-headers-${release}`,
    // What debuggers want to know takes a tool of its own to make.
    makeArguments: ["CONFIG_DEBUG_INFO_BTF_MODULES="],
    ...machine.suites === undefined ? {} : { buildRoot: folder },
    busybox: `${folder}/bin/busybox`,
    ...isForeign(machine) ? { userland: userlandIn(`${folder}/userland`) } : {},
  };
}

function userlandIn(root: string): Userland {
  const deno = `${cacheFolder()}/tools-arm64/node_modules/@deno/linux-arm64-glibc`;
  return { root, deno, busybox: `${root}/bin/busybox` };
}

/** Fetches the image, what modules are built with, and busybox; returns the kernel's release. */
async function fetchKernel(machine: StockMachine, folder: string): Promise<string> {
  const { suites, architecture } = machine;
  if (suites === undefined) {
    return await withPackageLists(async (apt) => {
      const release = await newestRelease(machine, apt);
      const parts = await partsOf(`linux-headers-${release}`, release, apt);
      const image = await partsOf(`linux-image-${release}`, release, apt);
      await fetchPackages([...image, ...parts, "busybox-static"], folder, apt);
      return release;
    });
  }
  const apt = await suiteOptions(suites, architecture);
  const release = await newestRelease(machine, apt);
  const image = await partsOf(`linux-image-${release}:${architecture}`, release, apt);
  await fetchPackages([...image, "busybox-static"], folder, apt);
  await fetchSystem([`linux-headers-${release}:${architecture}`, ...BUILD_TOOLS], folder, apt);
  // The packages' scripts would link it.
  await Deno.symlink("mawk", `${folder}/usr/bin/awk`);
  if (isForeign(machine)) {
    await Deno.mkdir(`${folder}/userland`);
    const options = [...apt, "-o", `APT::Architecture=${architecture}`];
    await fetchSystem(USERLAND, `${folder}/userland`, options);
  }
  return release;
}

async function newestRelease(machine: StockMachine, apt: string[]): Promise<string> {
  const { architecture, headers, name, series } = machine;
  const { output } = await run(["apt-cache", ...apt, "depends", `${headers}:${architecture}`]);
  const release = /Depends: linux-headers-([^\s:]+)/.exec(output)?.[1];
  if (release?.startsWith(series)) return release;
  throw new LabError(
    `${name} needs a kernel ${series}x from ${headers}, but ` +
      `${machine.suites ?? "this machine's package lists"} offer ${release ?? "none"}`,
  );
}

/** A package with those that it is split into: what it depends on of the same release. */
async function partsOf(name: string, release: string, apt: string[]): Promise<string[]> {
  const version = /^\d+\.\d+/.exec(release)?.[0];
  const { output } = await run(["apt-cache", ...apt, "depends", name]);
  const parts = [...output.matchAll(/^ *Depends: (linux-\S+)$/gm)].map((match) => match[1] ?? "");
  return [name, ...parts.filter((part) => part.includes(`-${version}`))];
}

/** Makes the tree in `folder`, meant for `/`, work from `home`, where it will lie. */
async function makeRelocated(
  machine: StockMachine,
  folder: string,
  home: string,
  release: string,
): Promise<void> {
  // Where modules are built in that tree, it is `/`.
  if (machine.suites === undefined) {
    const makefile = `${folder}/usr/src/linux-headers-${release}/Makefile`;
    const text = await Deno.readTextFile(makefile);
    await Deno.writeTextFile(makefile, text.replaceAll("/usr/src/", `${home}/usr/src/`));
  }
  const modules = `${folder}/lib/modules/${release}`;
  for (const name of ["build", "source"]) {
    const target = await Deno.readLink(`${modules}/${name}`);
    await Deno.remove(`${modules}/${name}`);
    const { pathname } = new URL(target, `file:///usr/lib/modules/${release}/`);
    await Deno.symlink(`${home}${pathname}`, `${modules}/${name}`);
  }
  await runOrThrow([`${folder}/bin/busybox`, "depmod", "-b", folder, release]);
}

/** What the kernel proper is compressed with in boot images, by the first bytes. */
const COMPRESSIONS = [
  { tool: "xz", magic: "fd377a58" },
  { tool: "zstd", magic: "28b52ffd" },
] as const;

/**
 * Unpacks the kernel proper from its boot image, which unpacks itself: natively a second's work,
 * but half of the whole boot under emulation. The image's format is the kernel's
 * Documentation/arch/x86/boot.rst. On arm64 it is packed no further.
 */
async function unpackImage(machine: StockMachine, folder: string, release: string): Promise<void> {
  const places = [`${folder}/boot/vmlinuz-${release}`, `${folder}/lib/modules/${release}/vmlinuz`];
  const place = await exists(places[0]!) ? places[0]! : places[1]!;
  const target = `${folder}/boot/vmlinux-${release}`;
  await Deno.mkdir(`${folder}/boot`, { recursive: true });
  if (machine.architecture === "arm64") return await Deno.copyFile(place, target);

  const image = await Deno.readFile(place);
  const header = new DataView(image.buffer);
  const setupSectors = header.getUint8(0x1f1);
  const begin = (setupSectors + 1) * 512 + header.getUint32(0x248, true);
  // After the one stream stands its unpacked size, which is no part of it.
  const payload = image.subarray(begin, begin + header.getUint32(0x24c, true) - 4);
  const magic = payload.subarray(0, 4).toHex();
  const tool = COMPRESSIONS.find((compression) => compression.magic === magic)?.tool;
  if (!tool) {
    throw new LabError(`${machine.name}'s kernel is packed in a way (${magic}) of its own`);
  }
  await Deno.writeFile(`${target}.${tool === "xz" ? "xz" : "zst"}`, payload);
  await runOrThrow([tool, "-d", "-q", `${target}.${tool === "xz" ? "xz" : "zst"}`]);
}
