// SPDX-License-Identifier: MIT
/**
 * The table of machines that the lab can boot. A further Debian kernel is a further row.
 *
 * @module
 */
import { LabError } from "./host.ts";

/** A throwaway Linux that the lab boots to run the driver. */
export interface Machine {
  /** What `--machine` calls it, and its folder under `build/` and in the cache. */
  readonly name: string;
  /** The Debian package that depends on the newest kernel headers. */
  readonly headers: string;
  /** How the releases of its kernel begin. */
  readonly series: string;
}

/** Every machine; the first is the default. */
export const MACHINES: readonly Machine[] = [
  {
    name: "debian-6.1",
    headers: "linux-headers-amd64",
    series: "6.1.",
  },
];

/** The machine called `name`; an unknown name lists those that are known. */
export function machineByName(name: string): Machine {
  const machine = MACHINES.find((candidate) => candidate.name === name);
  if (machine) return machine;
  const known = MACHINES.map((candidate) => candidate.name).join(", ");
  throw new LabError(`Unknown machine "${name}": known are ${known}`);
}
