// SPDX-License-Identifier: MIT
/**
 * Writes `docs/reliability.md` from what is kept of the trials.
 *
 * @module
 */
import { LabError, PROJECT } from "../../lab/host.ts";
import type { Records } from "./records.ts";
import type { Trial } from "./trials.ts";

const HEAD = `# What the driver was tried with

This page is written by \`just soak\`, which runs what it lists and takes some hours; \`just soak NAME…\`
runs some of it, and renews their rows. What every change has to pass is \`just test\`. A trial has
failed, too, where the kernel warned of anything, where \`uml-debug\` found memory that was lost, or
\`kcsan\` accesses of the driver's that race. The former's kernel has KASAN, UBSAN, lockdep, kmemleak,
and checks of sleeping in atomic context and of kernel objects; the latter's has KCSAN.
`;

const COLUMNS = ["trial", "what it tries", "kernel", "date", "time", "outcome", "seen"];

/** How long something took, as people say it. */
function duration(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

/** A line of a table. */
function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/**
 * The page.
 *
 * @param trials What is listed.
 * @param records What they came to; a trial without one has not been run.
 * @returns The page's text.
 */
export function page(trials: readonly Trial[], records: Records): string {
  const rows = trials.map(({ name, tries, machine }) => {
    const record = records[name];
    if (!record) return [`\`just soak ${name}\``, tries, machine ?? "", "", "", "not run", ""];
    const { date, kernel, seconds, passed, failed, skipped, notes } = record;
    const outcome = `${passed} passed, ${failed} failed` + (skipped ? `, ${skipped} skipped` : "");
    const where = [kernel, machine && machine !== name ? `(${machine})` : ""].join(" ").trim();
    return [
      ...[`\`just soak ${name}\``, tries, where, date, duration(seconds)],
      ...[outcome, notes.join("; ")],
    ];
  });
  const table = [COLUMNS, COLUMNS.map(() => "---"), ...rows].map(line).join("\n");
  return `${HEAD}\n${table}\n`;
}

/** A page as the project's formatter has it. */
export async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: PROJECT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed(child.stdin, text)]);
  if (code !== 0) throw new LabError(`deno fmt failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function feed(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  await ReadableStream.from([new TextEncoder().encode(text)]).pipeTo(stream);
}
