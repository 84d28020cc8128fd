// SPDX-License-Identifier: MIT
/**
 * What loading and unloading on the running machine share.
 *
 * @module
 */
import { exists, LabError } from "./host.ts";

/** Whether the running kernel holds the driver. */
export function isLoaded(): Promise<boolean> {
  return exists("/sys/module/vss");
}

/** The command, through sudo unless this process is root's. */
export function asRoot(command: string[]): string[] {
  return Deno.uid() === 0 ? command : ["sudo", ...command];
}

/** Shows a command and runs it on this terminal; it must succeed. */
export async function show(command: string[]): Promise<void> {
  console.log(`+ ${command.join(" ")}`);
  const [file = "", ...args] = command;
  const env = { PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin` };
  const { code } = await started(file, args, env).status;
  if (code !== 0) throw new LabError(`${command.join(" ")} failed (${code})`);
}

function started(file: string, args: string[], env: Record<string, string>): Deno.ChildProcess {
  try {
    return new Deno.Command(file, { args, env }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new LabError(`${file} is not installed`);
    throw error;
  }
}
