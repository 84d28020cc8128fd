// SPDX-License-Identifier: MIT
/**
 * The lab's command line: runs a command in a throwaway Linux with the driver loaded.
 *
 * @module
 */
import { exitWith } from "./host.ts";
import { parseLabArgs, USAGE } from "./options.ts";
import { runSession } from "./session.ts";

async function main(args: string[]): Promise<number> {
  const session = parseLabArgs(args);
  if (session !== "help") return await runSession(session);
  console.log(USAGE);
  return 0;
}

if (import.meta.main) await exitWith(() => main(Deno.args));
