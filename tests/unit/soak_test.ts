// SPDX-License-Identifier: MIT
/**
 * The page about long trials.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { PROJECT } from "../../lab/host.ts";
import { formatted, page } from "../soak/page.ts";
import { readRecords } from "../soak/records.ts";
import { type Trial, TRIALS } from "../soak/trials.ts";

const TRIAL: Trial = { name: "fuzz", tries: "a | b", stages: () => Promise.resolve([]) };

Deno.test("the page shows a trial's outcome, and what it said", () => {
  const record = {
    ...{ date: "2026-01-31", kernel: "7.3.4", seconds: 601, passed: 19, failed: 1, skipped: 2 },
    notes: ["seed 7", "12 calls"],
  };
  const text = page([TRIAL], { fuzz: record });
  assertStringIncludes(
    text,
    "| `just soak fuzz` | a \\| b | 7.3.4 | 2026-01-31 | 10 min | 19 passed, 1 failed, 2 skipped | seed 7; 12 calls |",
  );
});

Deno.test("the page says what was not run", () => {
  assertStringIncludes(page([TRIAL], {}), "| not run |");
});

Deno.test("docs/reliability.md is what the records give", async () => {
  const written = await Deno.readTextFile(`${PROJECT}/docs/reliability.md`);
  assertEquals(written, await formatted(page(TRIALS, await readRecords())));
});
