// SPDX-License-Identifier: MIT
/**
 * Fetches a machine's stock Debian kernel and headers into the cache and unpacks them there,
 * without installing anything. With them comes busybox, which a machine starts from: the static
 * one, which Debian does not let stand beside the ordinary one on the host.
 *
 * @module
 */
import { cacheFolder, exists, LabError, run, runOrThrow, withLock } from "./host.ts";
import type { Machine } from "./machines.ts";

/** An unpacked kernel with its modules and headers. */
export interface Kernel {
  /** What `uname -r` prints in the guest. */
  readonly release: string;
  /** The kernel to boot, uncompressed. */
  readonly image: string;
  /** The folder with `modules.dep` and the stock modules. */
  readonly modules: string;
  /** The folder to build modules against. */
  readonly headers: string;
  /** A busybox that needs no library. */
  readonly busybox: string;
}

/** The machine's kernel, from the cache or, the first time, from Debian's archive. */
export async function prepareKernel(machine: Machine): Promise<Kernel> {
  const folder = `${cacheFolder()}/machines/${machine.name}`;
  const ready = await readKernel(folder);
  if (ready) return ready;
  return await withLock(`${folder}.lock`, async () => {
    // Another lab may have finished the work while this one waited.
    const finished = await readKernel(folder);
    if (finished) return finished;
    const partial = `${folder}.partial`;
    await removeTree(partial);
    await Deno.mkdir(partial, { recursive: true });
    const release = await fetchPackages(machine, partial);
    await makeRelocated(partial, folder, release);
    await uncompressKernel(`${partial}/boot`, release);
    await Deno.writeTextFile(`${partial}/release`, `${release}\n`);
    await removeTree(folder);
    await Deno.rename(partial, folder);
    return kernelIn(folder, release);
  });
}

function kernelIn(folder: string, release: string): Kernel {
  return {
    release,
    image: `${folder}/boot/vmlinux-${release}`,
    modules: `${folder}/lib/modules/${release}`,
    headers: `${folder}/usr/src/linux-headers-${release}`,
    busybox: `${folder}/bin/busybox`,
  };
}

async function readKernel(folder: string): Promise<Kernel | undefined> {
  try {
    const kernel = kernelIn(folder, (await Deno.readTextFile(`${folder}/release`)).trim());
    return await exists(kernel.busybox) ? kernel : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function removeTree(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
}

/** Downloads and unpacks the packages into `folder` and returns the kernel's release. */
async function fetchPackages(machine: Machine, folder: string): Promise<string> {
  console.error(`lab: fetching Debian's kernel for ${machine.name}`);
  const system: string[] = [];
  const own = await ownAptOptions();
  let failure: unknown;
  // The system's package lists may be absent or older than the archive. Lists of the lab's own
  // need neither root nor a change to the system.
  for (const apt of [system, own]) {
    try {
      if (apt === own) await runOrThrow(["apt-get", ...own, "update", "-qq"]);
      const release = await newestRelease(machine, apt);
      const packages = await kernelPackages(release, apt);
      await runOrThrow(
        ["apt-get", ...apt, "-o", "APT::Sandbox::User=root", "download", "-q", ...packages],
        { cwd: folder },
      );
      await unpack(folder);
      return release;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function ownAptOptions(): Promise<string[]> {
  const folder = `${cacheFolder()}/apt`;
  await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
  await Deno.mkdir(`${folder}/cache/archives/partial`, { recursive: true });
  return [`Dir::State::Lists=${folder}/lists`, `Dir::Cache=${folder}/cache`]
    .flatMap((option) => ["-o", option]);
}

async function newestRelease(machine: Machine, apt: string[]): Promise<string> {
  const { output } = await run(["apt-cache", ...apt, "depends", machine.headers]);
  const release = /Depends: linux-headers-(\S+)/.exec(output)?.[1];
  if (release?.startsWith(machine.series)) return release;
  throw new LabError(
    `${machine.name} needs a kernel ${machine.series}x from ${machine.headers}, but this ` +
      `machine's package lists offer ${release ?? "none"}`,
  );
}

/** The image, the headers with the packages that they include, and busybox. */
async function kernelPackages(release: string, apt: string[]): Promise<string[]> {
  const headers = `linux-headers-${release}`;
  const { output } = await run(["apt-cache", ...apt, "depends", headers]);
  const parts = [...output.matchAll(/Depends: (linux-(?:headers|kbuild)-\S+)/g)];
  const included = parts.map((match) => match[1] ?? "");
  return [`linux-image-${release}`, headers, ...included, "busybox-static"];
}

async function unpack(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".deb")) continue;
    await runOrThrow(["dpkg-deb", "-x", `${folder}/${entry.name}`, folder]);
    await Deno.remove(`${folder}/${entry.name}`);
  }
}

/** Makes the tree in `folder`, meant for `/`, work from `home`, where it will lie. */
async function makeRelocated(folder: string, home: string, release: string): Promise<void> {
  const makefile = `${folder}/usr/src/linux-headers-${release}/Makefile`;
  const text = await Deno.readTextFile(makefile);
  await Deno.writeTextFile(makefile, text.replaceAll("/usr/src/", `${home}/usr/src/`));

  const modules = `${folder}/lib/modules/${release}`;
  for (const name of ["build", "source"]) {
    const target = await Deno.readLink(`${modules}/${name}`);
    await Deno.remove(`${modules}/${name}`);
    await Deno.symlink(`${home}${target}`, `${modules}/${name}`);
  }
  await runOrThrow([`${folder}/bin/busybox`, "depmod", "-b", folder, release]);
}

/**
 * Unpacks the kernel proper from its boot image, which unpacks itself: natively a second's work,
 * but half of the whole boot under emulation. The image's format is the kernel's
 * Documentation/arch/x86/boot.rst.
 */
async function uncompressKernel(folder: string, release: string): Promise<void> {
  const image = await Deno.readFile(`${folder}/vmlinuz-${release}`);
  const header = new DataView(image.buffer);
  const setupSectors = header.getUint8(0x1f1);
  const begin = (setupSectors + 1) * 512 + header.getUint32(0x248, true);
  const end = begin + header.getUint32(0x24c, true);
  const payload = `${folder}/payload.xz`;
  await Deno.writeFile(payload, image.subarray(begin, end));
  // After the one stream stands its unpacked size, which is no part of it.
  await runOrThrow(["xz", "--decompress", "--single-stream", payload]);
  await Deno.rename(`${folder}/payload`, `${folder}/vmlinux-${release}`);
}
