// SPDX-License-Identifier: MIT
/**
 * Fetches a machine's stock Debian kernel and headers into the cache and unpacks them there,
 * without installing anything. With them comes busybox, which a machine starts from: the static
 * one, which Debian does not let stand beside the ordinary one on the host.
 *
 * @module
 */
import { fetchPackages, withPackageLists } from "./apt.ts";
import { LabError, run, runOrThrow } from "./host.ts";
import { cachedKernel, type Kernel } from "./kernel.ts";
import type { QemuMachine } from "./machines.ts";

/** The machine's kernel, from the cache or, the first time, from Debian's archive. */
export function debianKernel(machine: QemuMachine): Promise<Kernel> {
  return cachedKernel({
    name: machine.name,
    kernelIn,
    make: async (folder, home) => {
      console.error(`lab: fetching Debian's kernel for ${machine.name}`);
      const release = await withPackageLists(async (apt) => {
        const newest = await newestRelease(machine, apt);
        await fetchPackages(await kernelPackages(newest, apt), folder, apt);
        return newest;
      });
      await makeRelocated(folder, home, release);
      await uncompressKernel(`${folder}/boot`, release);
      return release;
    },
  });
}

function kernelIn(folder: string, release: string): Kernel {
  return {
    release,
    image: `${folder}/boot/vmlinux-${release}`,
    modules: `${folder}/lib/modules/${release}`,
    bootModules: ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"],
    headers: `${folder}/usr/src/linux-headers-${release}`,
    makeArguments: [],
    busybox: `${folder}/bin/busybox`,
  };
}

async function newestRelease(machine: QemuMachine, apt: string[]): Promise<string> {
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
