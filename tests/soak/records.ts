// SPDX-License-Identifier: MIT
/**
 * What trials came to, as it is kept in `records.json`.
 *
 * @module
 */
import { exists, PROJECT } from "../../lab/host.ts";

/** What one trial came to. */
export interface Record {
  /** The day on which it began, as `2026-01-31`. */
  readonly date: string;
  /** The release of the machine's kernel; empty where it ran in no machine. */
  readonly kernel: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  /** Tests that said that the machine cannot show them. */
  readonly skipped: number;
  /** What it said besides. */
  readonly notes: readonly string[];
}

/** All of them, by the trial's name. */
export type Records = Readonly<{ [trial: string]: Record }>;

const PATH = `${PROJECT}/tests/soak/records.json`;

/** Reads what is kept; nothing where there is none yet. */
export async function readRecords(): Promise<Records> {
  return await exists(PATH) ? JSON.parse(await Deno.readTextFile(PATH)) as Records : {};
}

/** Keeps all of them. */
export async function writeRecords(records: Records): Promise<void> {
  await Deno.writeTextFile(PATH, `${JSON.stringify(records, null, 2)}\n`);
}
