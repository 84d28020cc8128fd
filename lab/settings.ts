// SPDX-License-Identifier: MIT
/**
 * The settings that the host hands to the guest's `session.sh`, as a piece of shell.
 *
 * @module
 */
import { type Channel, CHANNELS } from "./machine_process.ts";
import { shellQuote } from "./quote.ts";

/** What the guest is told about one run. */
export interface Settings {
  /** The machine's name, which becomes the guest's host name. */
  readonly machine: string;
  /** The kernel's release. */
  readonly release: string;
  /** The folder with the kernel's modules. */
  readonly modules: string;
  /** The driver's file. */
  readonly module: string;
  /** The driver's parameters, each `name=value`. */
  readonly moduleArgs: readonly string[];
  /** The terminal's columns and rows, if the command gets a terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** The device files of those channels that do not go by the name of a port. */
  readonly devices: Readonly<Partial<Record<Channel, string>>>;
  /** Whether standard input is forwarded. */
  readonly hasInput: boolean;
  /** What ends each output stream. */
  readonly token: string;
  /** The folder to run the command in. */
  readonly cwd: string;
  /** The command's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The command and its arguments. */
  readonly command: readonly string[];
}

/** Writes settings as `session.sh` reads them. */
export function settingsScript(settings: Settings): string {
  const { devices, terminal } = settings;
  const variables = {
    machine: settings.machine,
    release: settings.release,
    modules: settings.modules,
    module: settings.module,
    module_args: shellQuote(settings.moduleArgs),
    interactive: terminal ? "yes" : "no",
    terminal_size: terminal ? `cols ${terminal.columns} rows ${terminal.rows}` : "",
    has_input: settings.hasInput ? "yes" : "no",
    token: settings.token,
    ...Object.fromEntries(CHANNELS.map((name) => [`device_${name}`, devices[name] ?? ""])),
  };
  const assignments = Object.entries(variables).map(([name, value]) =>
    `${name}=${shellQuote([value])}`
  );
  const env = Object.entries(settings.env).map(([name, value]) => `${name}=${value}`);
  // coreutils' env, since the shell could neither set every name nor leave out its own variables.
  const command = ["/usr/bin/env", "-i", "-C", settings.cwd, ...env, ...settings.command];
  return `${assignments.join("\n")}\nrun_command() {\nexec ${shellQuote(command)}\n}\n`;
}
