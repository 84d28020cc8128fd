// SPDX-License-Identifier: MIT
/**
 * Runs the static checks, or those that are named: `deno run -A tests/static/main.ts [NAME…]`.
 *
 * @module
 */
import { exitWith, LabError } from "../../lab/host.ts";
import { CHECKS } from "./checks.ts";

async function main(names: string[]): Promise<number> {
  const known = Object.keys(CHECKS);
  let findings = 0;
  for (const name of names.length > 0 ? names : known) {
    const check = CHECKS[name];
    if (check === undefined) {
      throw new LabError(`Unknown check "${name}": known are ${known.join(", ")}`);
    }
    const found = await check();
    for (const finding of found) console.log(`${name}: ${finding}`);
    console.error(`${name}: ${found.length === 0 ? "nothing found" : `${found.length} findings`}`);
    findings += found.length;
  }
  return findings === 0 ? 0 : 1;
}

if (import.meta.main) await exitWith(() => main(Deno.args));
