// SPDX-License-Identifier: MIT
/**
 * Modules for workers, in a program that may not read files.
 *
 * @module
 */
import { readText } from "../../client/system.ts";

const IMPORT = /^((?:import|export|\}).* from )"(\..*)";$/gm;

/**
 * Gives a module and those that it imports addresses that a worker may import from: it may not read
 * files, as the tests may do nothing but call the C library.
 */
export function publish(url: string, known = new Map<string, string>()): string {
  const address = known.get(url);
  if (address !== undefined) return address;
  const text = readText(decodeURIComponent(new URL(url).pathname));
  if (text === undefined) throw new Error(`Cannot read ${url}`);
  const code = text.replace(IMPORT, (_, start: string, path: string) => {
    return `${start}"${publish(new URL(path, url).href, known)}";`;
  });
  const published = URL.createObjectURL(new Blob([code], { type: "application/typescript" }));
  known.set(url, published);
  return published;
}
