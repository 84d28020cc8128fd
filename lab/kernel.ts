// SPDX-License-Identifier: MIT
/**
 * A machine's kernel in the cache, whatever its kind.
 *
 * @module
 */
import { cacheFolder, exists, withLock } from "./host.ts";

/** A kernel with what is needed to boot it and to build modules for it. */
export interface Kernel {
  /** What `uname -r` prints in the guest. */
  readonly release: string;
  /** The kernel to boot. */
  readonly image: string;
  /** The folder that becomes the guest's `/lib/modules/RELEASE`. */
  readonly modules: string;
  /** The modules that the guest loads before it sees the host's files. */
  readonly bootModules: readonly string[];
  /** The folder to build modules against. */
  readonly headers: string;
  /** What make is told besides, to build them. */
  readonly makeArguments: readonly string[];
  /** The folder that make sees as the whole file system, where the compiler came with the kernel. */
  readonly buildRoot?: string;
  /** A busybox that needs no library. */
  readonly busybox: string;
  /** The programs that run on it, where the host's own cannot. */
  readonly userland?: Userland;
}

/** Programs for another kind of processor than the host's. */
export interface Userland {
  /** The folder of which whatever lies in it covers the host's in a guest. */
  readonly root: string;
  /** The folder with its Deno. */
  readonly deno: string;
  /** The busybox that a guest starts from. */
  readonly busybox: string;
}

/** How a kernel gets into the cache. */
export interface Recipe {
  /** The machine's name. */
  readonly name: string;
  /** What the kernel is made of, if it is made here: another text, and it is made anew. */
  readonly ingredients?: string;
  /** Puts the kernel into `folder`, from where it moves to `home`, and returns its release. */
  readonly make: (folder: string, home: string) => Promise<string>;
  /** The kernel that lies in a folder. */
  readonly kernelIn: (folder: string, release: string) => Kernel;
}

/** Whether the kernel of a recipe is in the cache. */
export async function isCached(recipe: Recipe): Promise<boolean> {
  return await readKernel(recipe, homeOf(recipe)) !== undefined;
}

/** The kernel of a recipe: from the cache or, the first time, made. */
export async function cachedKernel(recipe: Recipe): Promise<Kernel> {
  const folder = homeOf(recipe);
  const ready = await readKernel(recipe, folder);
  if (ready) return ready;
  return await withLock(`${folder}.lock`, async () => {
    // Another lab may have finished the work while this one waited.
    const finished = await readKernel(recipe, folder);
    if (finished) return finished;
    const partial = `${folder}.partial`;
    await removeTree(partial);
    await Deno.mkdir(partial, { recursive: true });
    const release = await recipe.make(partial, folder);
    if (recipe.ingredients) await Deno.writeTextFile(`${partial}/ingredients`, recipe.ingredients);
    await Deno.writeTextFile(`${partial}/release`, `${release}\n`);
    await removeTree(folder);
    await Deno.rename(partial, folder);
    return recipe.kernelIn(folder, release);
  });
}

function homeOf(recipe: Recipe): string {
  return `${cacheFolder()}/machines/${recipe.name}`;
}

async function readKernel(recipe: Recipe, folder: string): Promise<Kernel | undefined> {
  try {
    const release = (await Deno.readTextFile(`${folder}/release`)).trim();
    const { ingredients } = recipe;
    if (ingredients && await Deno.readTextFile(`${folder}/ingredients`) !== ingredients) return;
    const kernel = recipe.kernelIn(folder, release);
    return await exists(kernel.busybox) ? kernel : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function removeTree(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
}
