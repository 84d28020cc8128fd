// SPDX-License-Identifier: MIT
/**
 * Finds the npm packages of `peers/package.json`, which lie in a folder of their own.
 *
 * @module
 */
import { createRequire } from "node:module";

/** A package, as `require` gives it, and the release that is installed. */
export interface Loaded<Module> {
  readonly module: Module;
  readonly version: string;
}

/**
 * Loads a package.
 *
 * @param name Its name.
 * @returns What it exports, which the caller must know, and its release.
 */
export function loadPackage<Module>(name: string): Loaded<Module> {
  const folder = Deno.args[0];
  if (folder === undefined) throw new Error("The first argument must be the packages' folder");
  const module = createRequire(`${folder}/package.json`)(name) as Module;
  const manifest = Deno.readTextFileSync(`${folder}/node_modules/${name}/package.json`);
  return { module, version: (JSON.parse(manifest) as { version: string }).version };
}
