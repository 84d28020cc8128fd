// SPDX-License-Identifier: MIT
/**
 * Reads TAP, the form in which Deno's tests (`--reporter=tap`) and the C tests (KTAP) report.
 *
 * @module
 */

/** One test. */
export interface TapTest {
  /** Its name, below those of the tests that it is part of. */
  readonly name: string;
  /** How it ended. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** What the stream says about its failure. */
  readonly details: string;
}

/** What a TAP stream says. */
export interface TapReport {
  /** The tests in their order; a test with subtests is counted as these. */
  readonly tests: TapTest[];
  /** What makes the stream itself untrustworthy: cut short, no plan, given up. */
  readonly problems: string[];
}

/** A result as it is built up while reading. */
interface Result {
  name: string;
  outcome: TapTest["outcome"];
  details: string[];
  children: Result[];
}

/** The results of one depth that do not belong to a result above them yet. */
interface Level {
  readonly indent: number;
  readonly results: Result[];
  plan: number | undefined;
}

const RESULT = /^( *)(not )?ok\b(?: (\d+))?(?: -)? ?((?:\\.|[^\\])*?)(?:\s# +(SKIP|TODO)\b.*)?$/i;
const PLAN = /^( *)1\.\.(\d+)/;
const BAIL_OUT = /^ *Bail out! ?(.*)$/;

/**
 * Reads a whole stream.
 *
 * @param text The stream.
 * @returns Its tests, and what is wrong with it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { tests, problems } = parseTap("ok 1 - adds\nnot ok 2 - removes\n1..2\n");
 * assertEquals(tests.map((test) => test.outcome), ["passed", "failed"]);
 * assertEquals(problems, []);
 * ```
 */
export function parseTap(text: string): TapReport {
  const reader = new Reader();
  for (const line of text.split(/\r?\n/)) reader.read(line);
  return reader.finish();
}

class Reader {
  #levels: Level[] = [{ indent: 0, results: [], plan: undefined }];
  #problems: string[] = [];
  #last: Result | undefined;
  #inDetails = false;

  read(line: string): void {
    if (this.#inDetails) return this.#readDetail(line);
    const result = RESULT.exec(line);
    if (result) return this.#readResult(result);
    const plan = PLAN.exec(line);
    if (plan) {
      const level = this.#levelAt(plan[1]!.length);
      if (level.plan !== undefined) this.#problems.push(`planned twice: ${line.trim()}`);
      level.plan = Number(plan[2]);
      return;
    }
    const bail = BAIL_OUT.exec(line);
    if (bail) this.#problems.push(`gave up: ${bail[1]}`);
    else if (line.trim() === "---" && this.#last) this.#inDetails = true;
    else if (/^ *#/.test(line) && this.#last?.outcome === "failed") {
      this.#last.details.push(line.trim());
    }
  }

  finish(): TapReport {
    while (this.#levels.length > 1) this.#problems.push(...this.#close().problems);
    const { results, problems } = this.#close();
    this.#problems.push(...problems);
    return { tests: results.flatMap((result) => flatten(result)), problems: this.#problems };
  }

  #readResult([, indent = "", not, number, name = "", directive]: RegExpExecArray): void {
    const children: Result[] = [];
    while (this.#levels.at(-1)!.indent > indent.length) {
      const closed = this.#close();
      children.unshift(...closed.results);
      this.#problems.push(...closed.problems);
    }
    const outcome = not ? "failed" : directive ? "skipped" : "passed";
    const plain = name.trim().replace(/\\([#\\])/g, "$1");
    this.#last = { name: plain, outcome, details: [], children };
    const { results } = this.#levelAt(indent.length);
    results.push(this.#last);
    if (number !== undefined && Number(number) !== results.length) {
      this.#problems.push(`test ${number} ("${plain}") is out of order`);
    }
  }

  #readDetail(line: string): void {
    if (line.trim() === "...") this.#inDetails = false;
    else this.#last!.details.push(readable(line));
  }

  #levelAt(indent: number): Level {
    const top = this.#levels.at(-1)!;
    if (top.indent >= indent) return top;
    const level: Level = { indent, results: [], plan: undefined };
    this.#levels.push(level);
    return level;
  }

  #close(): { results: Result[]; problems: string[] } {
    const { plan, results } = this.#levels.pop()!;
    const problems: string[] = [];
    if (plan === undefined) problems.push(`cut short after ${results.length} tests: no plan`);
    else if (plan !== results.length) {
      problems.push(`planned ${plan} tests but reported ${results.length}`);
    }
    return { results, problems };
  }
}

/** Deno writes a test's details as one line of JSON; anything else is taken as it is. */
function readable(line: string): string {
  try {
    const details: unknown = JSON.parse(line);
    if (typeof details === "object" && details !== null && "message" in details) {
      return String(details.message);
    }
  } catch {
    // Not JSON.
  }
  return line.trim();
}

/** A result without children as a test; one with children as these, and itself only if none of them explains its failure. */
function flatten(result: Result, above = ""): TapTest[] {
  const name = above + result.name;
  const own = { name, outcome: result.outcome, details: result.details.join("\n") };
  if (result.children.length === 0) return [own];
  const tests = result.children.flatMap((child) => flatten(child, `${name} › `));
  const unexplained = own.outcome === "failed" && !tests.some((test) => test.outcome === "failed");
  return unexplained ? [...tests, own] : tests;
}
