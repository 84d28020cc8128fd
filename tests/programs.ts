// SPDX-License-Identifier: MIT
/**
 * The C programs of `tests/kernel` as stages.
 *
 * @module
 */
import { PROJECT } from "../lab/host.ts";
import { type Machine, machineByName } from "../lab/machines.ts";
import { modulePath } from "../lab/module.ts";
import { filesIn, inLab, type Stage, stageName, type Wants } from "./stage.ts";

/** Every C program for a machine, each in a boot of its own. */
export async function programStages(machine: string): Promise<Stage[]> {
  return (await programs()).filter((program) => runsOn(program, machine)).map((program) =>
    programStage(program, machineByName(machine), program.args(machine))
  );
}

/**
 * A C program in a machine, with arguments of its own.
 *
 * @param name The program's file.
 * @param machine The machine's name.
 * @param args Its arguments.
 * @param wants What it wants of the machine besides what its source says.
 */
export async function longProgramStage(
  name: string,
  machine: string,
  args: readonly string[],
  wants: Wants,
): Promise<Stage> {
  const program = (await programs()).find((program) => program.name === name);
  if (!program) throw new Error(`There is no tests/kernel/${name}`);
  return programStage({ ...program, ...wants }, machineByName(machine), args, wants.seconds);
}

function programStage(
  program: Program,
  machine: Machine,
  args: readonly string[],
  seconds?: number,
): Stage {
  const { moduleArgs, memory } = program;
  return {
    name: stageName(`kernel/${program.name}`, machine.name),
    prepare: [compile(program, machine)],
    command: inLab(machine.name, [`./${binaryFor(program, machine)}`, ...args], {
      ...{ moduleArgs, memory, seconds },
    }),
    result: "tap",
    machine: machine.name,
    seconds,
  };
}

/** All C programs for a machine, in one boot for each size of its memory that they ask for. */
export async function sharedProgramStages(machine: Machine, seconds?: number): Promise<Stage[]> {
  const found = (await programs()).filter((program) => runsOn(program, machine.name));
  return [...Map.groupBy(found, ({ memory }) => memory)].map(([memory, some]): Stage => ({
    name: `kernel/${memory && ` in ${memory}`} on ${machine.name}`,
    prepare: some.map((program) => compile(program, machine)),
    command: inLab(
      machine.name,
      ["tests/kernel/each.sh", modulePath(machine)]
        .concat(some.flatMap((program) => [
          [`./${binaryFor(program, machine)}`, ...program.args(machine.name)].join(" "),
          program.moduleArgs,
        ])),
      { memory, seconds },
    ),
    result: "tap",
    machine: machine.name,
    seconds,
  }));
}

/** A C program of `tests/kernel`, and how it wants to be run. */
interface Program {
  readonly name: string;
  /** Its name once it is compiled. */
  readonly binary: string;
  readonly moduleArgs: string;
  readonly memory: string;
  /** The machines it is for, unless it is for all. */
  readonly machines: readonly string[] | undefined;
  /** Its arguments on a machine. */
  readonly args: (machine: string) => readonly string[];
}

async function programs(): Promise<Program[]> {
  const folder = `${PROJECT}/tests/kernel`;
  return await Promise.all((await filesIn(folder, ".c")).map(async (name): Promise<Program> => {
    const source = await Deno.readTextFile(`${folder}/${name}`);
    return {
      name,
      binary: name.replace(/\.c$/, ""),
      moduleArgs: comment(source, "module-args") ?? "",
      memory: comment(source, "memory") ?? "",
      machines: comment(source, "machines")?.split(" "),
      args: (machine) =>
        (comment(source, `arguments on ${machine}`) ?? comment(source, "arguments"))?.split(" ") ??
          [],
    };
  }));
}

function runsOn({ machines }: Program, machine: string): boolean {
  return machines?.includes(machine) ?? true;
}

/** Where a program lies that was compiled for a machine: stages of two run at the same time. */
function binaryFor({ binary }: Program, machine: Machine): string {
  return `build/tests/kernel/${machine.name}/${binary}`;
}

function compile(program: Program, machine: Machine): string[] {
  const flags = ["-static", "-pthread", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
  const words = ["-Ikernel/uapi", "-o", binaryFor(program, machine)];
  return [machine.compiler ?? "gcc", ...flags, ...words, `tests/kernel/${program.name}`, "-lm"];
}

/**
 * What a C test says of how it wants to be run, in a comment `name: …`: the driver's parameters as
 * `module-args`, the machine's `memory`, such as `512M`, the `machines`, where those are not all, and
 * its own `arguments`, or its `arguments on …` one machine.
 */
export function comment(source: string, name: string): string | undefined {
  return new RegExp(`^[ /]*\\*? *${name}: *(.*?) *(?:\\*/)?$`, "m").exec(source)?.[1];
}
