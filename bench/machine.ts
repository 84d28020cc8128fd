// SPDX-License-Identifier: MIT
/**
 * What a run ran on.
 *
 * @module
 */
import { outputOf } from "./prepare.ts";

/** What results tell of the machine. */
export interface MachineFacts {
  readonly processor: string;
  /** Processors that this process may use. */
  readonly processors: number;
  /** The widest instructions that peers are compiled with. */
  readonly instructions: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly compiler: string;
  /** The lab's machine that the driver runs in. */
  readonly driverIn: string;
}

/** The instruction sets that matter here, widest first, as the kernel names them. */
const INSTRUCTIONS = ["avx512_vnni", "avx512f", "avx2", "sse2"];

/**
 * Looks at the machine.
 *
 * @param processors Processors that may be used.
 * @param driverIn The lab's machine that the driver runs in.
 * @returns What it is.
 */
export async function machineFacts(processors: number, driverIn: string): Promise<MachineFacts> {
  const info = await Deno.readTextFile("/proc/cpuinfo");
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(info)?.[1] ?? "";
  const flags = field("flags").split(" ");
  return {
    processor: [field("model name"), modelOf(field)].filter(Boolean).join(", "),
    processors,
    instructions: INSTRUCTIONS.find((name) => flags.includes(name)) ?? "",
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    // What follows tells of who built it.
    kernel: /^\d+\.\d+/.exec(Deno.osRelease())?.[0] ?? "",
    compiler: `gcc ${await outputOf(["gcc", "-dumpfullversion"])}`,
    driverIn,
  };
}

function modelOf(field: (name: string) => string): string {
  const [family, model] = [field("cpu family"), field("model")];
  return family && model ? `family ${family}, model ${model}` : "";
}
