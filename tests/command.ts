// SPDX-License-Identifier: MIT
/**
 * Runs the command line as a process of its own, as people do.
 *
 * @module
 */

/** The project's folder. */
export const ROOT: string = `${import.meta.dirname}/../`;

/** How a process ended and what it printed. */
export interface Outcome {
  /** The exit code. */
  readonly code: number;
  /** All of standard output. */
  readonly stdout: string;
  /** All of standard error. */
  readonly stderr: string;
}

/** What a run may be given besides its arguments. */
export interface RunOptions {
  /** Standard input; empty if not given. */
  readonly stdin?: string | Uint8Array;
  /** Deno's permission flags; `--allow-ffi` if not given. */
  readonly permissions?: readonly string[];
  /** Environment variables to add. */
  readonly env?: Record<string, string>;
}

/** The program and arguments that run the command line. */
export function command(args: readonly string[], permissions = ["--allow-ffi"]): string[] {
  return [
    Deno.execPath(),
    "run",
    "--no-check",
    "--quiet",
    ...permissions,
    `${ROOT}cli.ts`,
    ...args,
  ];
}

/** Runs the command line to its end. */
export function vss(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program, ...rest] = command(args, [...options.permissions ?? ["--allow-ffi"]]);
  return run(program!, rest, options);
}

/** Runs any program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  { stdin = "", env = {} }: RunOptions = {},
): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  // A program that does not read its input closes it.
  await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin)
    .catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await output;
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
