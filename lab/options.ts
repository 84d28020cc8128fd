// SPDX-License-Identifier: MIT
/**
 * The options of `just lab` and `just shell`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { LabError } from "./host.ts";
import { type Machine, machineByName, MACHINES } from "./machines.ts";
import type { Session } from "./session.ts";

/** The values of options that are not given; where empty, the machine has one. */
const DEFAULTS = {
  accel: "",
  cpus: "",
  machine: MACHINES[0]?.name ?? "",
  memory: "",
  "module-args": "",
  timeout: "600",
};

/** How QEMU runs a machine unless told otherwise. */
const ACCEL = "tcg";

/** The names of the machines of a kind. */
function namesOf(kind: Machine["kind"]): string {
  return MACHINES.filter((machine) => machine.kind === kind).map(({ name }) => name).join(", ");
}

/** The machines' values of an option, for the help: most of them have the first one's. */
function ofEach(value: (machine: Machine) => string | number): string {
  const usual = value(MACHINES[0]!);
  const others = MACHINES.filter((machine) => value(machine) !== usual);
  return [`${usual}`, ...others.map((machine) => `${machine.name}: ${value(machine)}`)].join(", ");
}

/** What `--help` prints. */
export const USAGE = `Runs COMMAND in a throwaway Linux with the driver loaded.

  just lab [OPTIONS] -- COMMAND…
  just shell [OPTIONS]

COMMAND sees this machine's files at the same paths, as root. What it writes is gone
afterwards, except below the project's build/. Its input, output and exit status are the lab's.
In a shell, Ctrl-] stops the machine.

  --machine NAME       in QEMU, emulated: ${namesOf("qemu")};
                       user-mode Linux, at native speed: ${namesOf("uml")} (${DEFAULTS.machine})
  --memory SIZE        such as 512M or 2G (${ofEach((machine) => machine.memory)})
  --cpus N             processors (${ofEach((machine) => machine.cpus)})
  --module-args WORDS  the driver's parameters, such as "max_vectors=100 simd=scalar"
  --accel NAME         how QEMU runs a machine: tcg (software emulation) or kvm (${ACCEL})
  --timeout SECONDS    stop the machine after this long; 0 for never (${DEFAULTS.timeout}; shell: 0)
  --verbose            the kernel's log on standard error
  --shell              an interactive shell instead of COMMAND
  --help

Exit status: COMMAND's; 124 after the timeout; not 0 where the kernel complained.`;

/**
 * Reads the lab's arguments. The first that is not an option begins the command, whose own options
 * are left alone.
 *
 * @param args The arguments.
 * @returns The session they ask for, or `"help"`.
 * @throws {LabError} If they make no sense, saying what would.
 */
export function parseLabArgs(args: string[]): Session | "help" {
  const unknown: string[] = [];
  const { options, command } = splitCommand(args);
  const flags = parseArgs(options, {
    boolean: ["help", "shell", "verbose"],
    string: Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[],
    unknown: (arg) => unknown.push(arg) > 0,
  });
  if (flags.help) return "help";
  if (unknown.length > 0) throw new LabError(`Unknown option ${unknown.join(", ")}\n\n${USAGE}`);
  const values = { ...DEFAULTS, ...(flags.shell ? { timeout: "0" } : {}), ...flags };
  if (flags.shell ? command.length > 0 : command.length === 0) {
    throw new LabError(flags.shell ? "--shell takes no COMMAND" : `No COMMAND given\n\n${USAGE}`);
  }
  if (flags.shell && !Deno.stdin.isTerminal()) {
    throw new LabError("A shell needs a terminal: use `just lab -- COMMAND` without one");
  }
  const machine = machineByName(values.machine);
  const memory = values.memory || machine.memory;
  const cpus = values.cpus || String(machine.cpus);
  if (values.accel && machine.kind !== "qemu") {
    throw new LabError(`--accel is for machines in QEMU; ${machine.name} has native speed`);
  }
  return {
    machine,
    memory: matching("--memory", memory, /^[1-9]\d*[MG]$/, "a size such as 512M or 2G"),
    cpus: Number(matching("--cpus", cpus, /^[1-9]\d?$/, "a number from 1 to 99")),
    accel: matching("--accel", values.accel || ACCEL, /^(tcg|kvm)$/, "tcg or kvm"),
    moduleArgs: values["module-args"].split(/\s+/).filter(Boolean),
    timeout: Number(matching("--timeout", values.timeout, /^\d{1,6}$/, "seconds, 0 to 999999")),
    verbose: flags.verbose,
    interactive: flags.shell,
    command: flags.shell ? [Deno.env.get("SHELL") ?? "/bin/sh"] : command,
  };
}

/**
 * Cuts the arguments where the command begins. Each option is joined to its value, since the parser
 * would take a value that is empty or begins with a dash for something else.
 */
function splitCommand(args: string[]): { options: string[]; command: string[] } {
  const options: string[] = [];
  let next = 0;
  for (; args[next]?.startsWith("--") && args[next] !== "--"; next++) {
    const option = args[next]!;
    const value = Object.hasOwn(DEFAULTS, option.slice(2)) ? args[++next] : undefined;
    options.push(value === undefined ? option : `${option}=${value}`);
  }
  return { options, command: args.slice(args[next] === "--" ? next + 1 : next) };
}

function matching(option: string, value: string, pattern: RegExp, accepted: string): string {
  if (pattern.test(value)) return value;
  throw new LabError(`${option} must be ${accepted}, not "${value}"`);
}
