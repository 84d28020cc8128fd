// SPDX-License-Identifier: MIT
/**
 * Finds what the kernel complains of in its log.
 *
 * @module
 */

/** The phrases with which the kernel reports that something is wrong with it. */
const COMPLAINTS: readonly RegExp[] = [
  /\bWARNING:/,
  /\bBUG:/,
  /\bBUG \S+ \(/,
  /\bkernel BUG at\b/,
  /\bOops:/,
  /\bgeneral protection fault\b/,
  /\bKernel panic\b/,
  /\bCall Trace:/,
  /\bUBSAN:/,
  /\bKASAN:/,
  /\bKCSAN:/,
  /\bKFENCE:/,
  /\bINFO: .*(possible|inconsistent|suspicious|trying to register non-static)/,
  /\bpossible (circular|recursive) locking\b/,
  /\bsuspicious RCU usage\b/,
  /\bINFO: task .* blocked for more than\b/,
  /\bINFO: rcu\w* .*(stall|self-detected)/,
  /\brcu: INFO: .*stall/,
  /\bsoft lockup\b/,
  /\bhard LOCKUP\b/,
  /\bunreferenced object\b/,
  /\bsleeping function called from invalid context\b/,
  /\bscheduling while atomic\b/,
  /\bunable to handle (kernel|page fault)/,
  /\bdivide error:/,
  /\binvalid opcode:/,
  /\bstack segment:/,
  /\bBad (page|rss-counter) state\b/,
  /\bODEBUG:/,
  /\brefcount_t:/,
  // From now on nothing is looked for that these find.
  /\bkmemleak: .*disabled\b/,
  /\bturning off the locking correctness validator\b/,
  // Not a fault of the kernel's, but a mistyped driver parameter would pass unnoticed.
  /\bunknown parameter '.*' ignored/,
];

/** One place in the log where the kernel complained. */
export interface Complaint {
  /** The line's number, from 1. */
  readonly line: number;
  /** The line. */
  readonly text: string;
}

/**
 * Lists the lines of a kernel log that report a fault of the kernel or of a driver.
 *
 * @param log The log, as `dmesg` or a serial console gives it.
 * @returns The lines, in order; none if the kernel was content.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(findComplaints("[1.0] vss: loaded\n"), []);
 * assertEquals(findComplaints("[1.0] BUG: sleeping").map((found) => found.line), [1]);
 * ```
 */
export function findComplaints(log: string): Complaint[] {
  return log.split(/\r?\n/)
    .map((text, index) => ({ line: index + 1, text }))
    .filter(({ text }) => COMPLAINTS.some((phrase) => phrase.test(text)));
}

/** The last `count` lines of a log that say something. */
export function tail(log: string, count: number): string {
  return log.split(/\r?\n/).filter((line) => line.trim()).slice(-count).join("\n");
}

/** The lines that the kernel wrote after the first one that holds `marker`. */
export function linesAfter(log: string, marker: string): string {
  const lines = log.split(/\r?\n/);
  const index = lines.findIndex((line) => line.includes(marker));
  return index < 0 ? "" : lines.slice(index + 1).filter((line) => line.trim()).join("\n");
}
