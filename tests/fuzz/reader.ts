// SPDX-License-Identifier: MIT
/**
 * Reads case after case, and says which one is next: the process that may crash or never end, for
 * readers.ts to watch. `reader.ts SEED FIRST [FORMAT]`
 *
 * @module
 */
import { formatByName, FormatError } from "../../client/formats/mod.ts";
import { type Case, caseSeed, caseSource, makeCase } from "./cases.ts";

/** Reads a case to its end. Any error but one of the format's own is what is looked for. */
export async function readCase(damaged: Case): Promise<void> {
  try {
    for await (const rows of formatByName(damaged.format)!.read(caseSource(damaged), {})) {
      for (const row of rows) {
        if ("reason" in row && row.reason === "") throw new Error("a bad row without a reason");
      }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.message === "") throw new Error("a format error without a message");
  }
}

async function main([seed, first, format]: string[]): Promise<void> {
  for (let index = Number(first);; index++) {
    const damaged = await makeCase(caseSeed(Number(seed), index), format);
    console.log(`${index} ${damaged.format} ${damaged.bytes.length}`);
    await readCase(damaged);
  }
}

if (import.meta.main) await main(Deno.args);
