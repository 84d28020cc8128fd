// SPDX-License-Identifier: MIT
/**
 * What the lab knows of the host: its folders, its tools, and how to run one of them.
 *
 * @module
 */

/** A failure that its message explains completely; shown without a stack trace. */
export class LabError extends Error {
  override name = "LabError";
}

/** The project's folder, without symbolic links, which would lead elsewhere in a guest. */
export const PROJECT = Deno.realPathSync(`${import.meta.dirname}/..`);

/** The folder that the guest shares with the host for writing. */
export const BUILD = `${PROJECT}/build`;

/** The folder where downloads and unpacked kernels are kept, shared by all clones. */
export function cacheFolder(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/root"}/.cache`;
  return `${base}/vss`;
}

/** One line of `host_tools.txt`. */
export interface HostTool {
  /** A command's name, or a file's absolute path. */
  readonly name: string;
  /** The Debian package that holds it. */
  readonly debianPackage: string;
  /** The machine that alone needs it; none if all do. */
  readonly machine?: string;
}

/** The tools that the lab needs, read from `host_tools.txt`. */
export function hostTools(): HostTool[] {
  const text = Deno.readTextFileSync(new URL("host_tools.txt", import.meta.url));
  return text.split("\n")
    .filter((line) => line.trim() && !line.startsWith("#"))
    .map((line) => {
      const [name = "", debianPackage = "", machine] = line.trim().split(/\s+/);
      return { name, debianPackage, ...machine === undefined ? {} : { machine } };
    });
}

/** The tools of `tools` that are neither on `path` nor at their absolute place. */
export function missingTools(tools: HostTool[], path = Deno.env.get("PATH") ?? ""): HostTool[] {
  // Debian keeps insmod in a folder that not every user's PATH names.
  const folders = [...path.split(":"), "/usr/sbin", "/sbin"].filter(Boolean);
  const exists = (file: string) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  };
  return tools.filter(({ name }) =>
    name.startsWith("/") ? !exists(name) : !folders.some((folder) => exists(`${folder}/${name}`))
  );
}

/** Throws one message that names every tool a machine lacks, and the command that installs them. */
export function requireTools(machine: string): void {
  const needed = hostTools().filter((tool) => [undefined, machine].includes(tool.machine));
  const missing = missingTools(needed);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.debianPackage))].join(" ");
  throw new LabError(
    `The lab needs ${missing.map((tool) => tool.name).join(", ")}, not found on this machine. ` +
      `Install with:\n  sudo apt-get install --no-install-recommends ${packages}`,
  );
}

/** What a finished command left. */
export interface CommandResult {
  /** Its exit status. */
  readonly code: number;
  /** All it wrote, standard output and standard error together. */
  readonly output: string;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** The folder to run in. */
  readonly cwd?: string;
  /** Variables added to the environment. */
  readonly env?: Record<string, string>;
}

/** Runs a host command without input and returns what it left, whatever its status. */
export async function run(command: string[], options: RunOptions = {}): Promise<CommandResult> {
  const [file = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(file, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs a host command that must succeed and returns what it wrote. */
export async function runOrThrow(command: string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await run(command, options);
  if (code !== 0) throw new LabError(`${command.join(" ")} failed (${code}):\n${output.trimEnd()}`);
  return output;
}

/** Runs `work` while this process alone holds the lock at `file`; other labs wait. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
  using lock = await Deno.open(file, { create: true, write: true });
  await lock.lock(true);
  return await work();
}

/** Whether something exists at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Runs a program's main function and exits with the status it returns. A {@linkcode LabError}, or a
 * file that may not be used, is shown as its message alone.
 */
export async function exitWith(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main());
  } catch (error) {
    // Both name the thing; a trace would only hide it.
    const isClear = error instanceof LabError || error instanceof Deno.errors.PermissionDenied;
    if (!isClear) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
