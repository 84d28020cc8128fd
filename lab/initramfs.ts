// SPDX-License-Identifier: MIT
/**
 * Packs the initramfs that a machine starts from: busybox, the modules that reach the host's
 * files, and the two scripts of `guest/`.
 *
 * @module
 */
import { LabError, runOrThrow } from "./host.ts";
import type { Kernel } from "./kernel.ts";

/** Packs a machine's initramfs into the file `target`. */
export async function packInitramfs(kernel: Kernel, target: string): Promise<void> {
  const tree = await Deno.makeTempDir({ prefix: "vss-initramfs-" });
  try {
    const dependencies = await Deno.readTextFile(`${kernel.modules}/modules.dep`);
    const builtIn = await builtInModules(kernel);
    const wanted = kernel.bootModules.filter((name) => !builtIn.has(name));
    const modules = moduleOrder(dependencies, wanted);
    await fillTree(tree, kernel, modules);
    const pack = 'find . | "$1" cpio -o -H newc >"$2"';
    await runOrThrow(["sh", "-c", pack, "sh", kernel.busybox, target], { cwd: tree });
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

async function fillTree(tree: string, kernel: Kernel, modules: string[]): Promise<void> {
  for (const folder of ["bin", "modules", "host", "userland", "root", "proc", "sys", "dev"]) {
    await Deno.mkdir(`${tree}/${folder}`, { recursive: true });
  }
  await Deno.copyFile(kernel.userland?.busybox ?? kernel.busybox, `${tree}/bin/busybox`);
  for (const [index, file] of modules.entries()) {
    // Numbered, because a shell's * sorts by name and the order matters.
    const name = `${String(index).padStart(2, "0")}-${file.split("/").at(-1)}`;
    await Deno.copyFile(`${kernel.modules}/${file}`, `${tree}/modules/${name}`);
    if (name.endsWith(".xz")) await runOrThrow(["xz", "--decompress", `${tree}/modules/${name}`]);
  }
  for (const [script, place] of [["boot.sh", "init"], ["session.sh", "session.sh"]] as const) {
    await Deno.copyFile(new URL(`guest/${script}`, import.meta.url), `${tree}/${place}`);
    await Deno.chmod(`${tree}/${place}`, 0o755);
  }
}

/** The names of those modules that are part of the kernel itself. */
async function builtInModules(kernel: Kernel): Promise<Set<string>> {
  const text = await Deno.readTextFile(`${kernel.modules}/modules.builtin`);
  return new Set([...text.matchAll(/([^/]+)\.ko$/gm)].map((match) => match[1] ?? ""));
}

/**
 * The files to insert, each after those it depends on.
 *
 * @param dependencies The text of `modules.dep`.
 * @param wanted The modules' names.
 * @returns Paths as `modules.dep` writes them.
 */
export function moduleOrder(dependencies: string, wanted: readonly string[]): string[] {
  const table = new Map(
    dependencies.split("\n").filter(Boolean).map((line) => {
      const [file = "", needs = ""] = line.split(":");
      return [file, needs.split(" ").filter(Boolean)] as const;
    }),
  );
  const order = new Set<string>();
  const insert = (file: string) => {
    for (const need of table.get(file) ?? []) insert(need);
    order.add(file);
  };
  for (const name of wanted) {
    const file = [...table.keys()].find((path) =>
      path.replace(/\.xz$/, "").endsWith(`/${name}.ko`)
    );
    if (!file) throw new LabError(`The kernel package has no module ${name}`);
    insert(file);
  }
  return [...order];
}
