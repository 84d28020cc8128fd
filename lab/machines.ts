// SPDX-License-Identifier: MIT
/**
 * The table of machines that the lab can boot. A further Debian kernel is a further row.
 *
 * @module
 */
import { LabError } from "./host.ts";

/** A kind of processor that QEMU can be. */
export type Architecture = "amd64" | "arm64";

/** What every machine has, wherever its kernel comes from. */
interface CommonMachine {
  /** What `--machine` calls it, and its folder under `build/` and in the cache. */
  readonly name: string;
  /** How it is booted: in QEMU, or as user-mode Linux, an ordinary process. */
  readonly kind: "qemu" | "uml";
  /** Its processor, as Debian calls it. */
  readonly architecture: Architecture;
  /** Its memory, such as `2G`, unless told otherwise. */
  readonly memory: string;
  /** Its processors, unless told otherwise. */
  readonly cpus: number;
  /** The compiler of C programs that run in it; none where the host's own does. */
  readonly compiler?: string;
  /** What its kernel is told besides. */
  readonly parameters?: readonly string[];
}

/** A machine with a stock kernel of Debian's. */
export interface StockMachine extends CommonMachine {
  /** The Debian package that depends on the newest kernel headers. */
  readonly headers: string;
  /** How the releases of its kernel begin. */
  readonly series: string;
  /**
   * The suites of Debian's archive that hold it and the compiler for its modules, with spaces
   * between; none where this system's own do.
   */
  readonly suites?: string;
}

/** A machine with a kernel of our own configuration. */
export interface SourceMachine extends CommonMachine {
  /** The Debian package with the kernel's source. */
  readonly source: string;
  /** The suite of Debian's archive that holds it. */
  readonly suite: string;
  /** The files of its configuration, of which a later one overrides an earlier one. */
  readonly configuration: readonly string[];
  /** A file with changes to the source. */
  readonly patch?: string;
  /** What make is told besides while it builds the kernel, but not while it builds a module. */
  readonly settings?: readonly string[];
}

/** A throwaway Linux that the lab boots to run the driver. */
export type Machine = StockMachine | SourceMachine;

/** Every machine; the first is the default. */
export const MACHINES: readonly Machine[] = [
  {
    name: "debian-6.1",
    kind: "qemu",
    architecture: "amd64",
    headers: "linux-headers-amd64",
    series: "6.1.",
    memory: "2G",
    cpus: 2,
  },
  {
    name: "debian-6.12",
    kind: "qemu",
    architecture: "amd64",
    headers: "linux-headers-6.12-amd64",
    series: "6.12.",
    memory: "2G",
    cpus: 2,
  },
  {
    name: "debian-7.3",
    kind: "qemu",
    architecture: "amd64",
    headers: "linux-headers-amd64",
    series: "7.3.",
    suites: "trixie trixie-backports",
    memory: "2G",
    cpus: 2,
  },
  {
    name: "debian-arm64",
    kind: "qemu",
    architecture: "arm64",
    compiler: "aarch64-linux-gnu-gcc",
    headers: "linux-headers-arm64",
    series: "7.3.",
    suites: "trixie trixie-backports",
    memory: "2G",
    cpus: 2,
  },
  {
    name: "uml",
    kind: "uml",
    architecture: "amd64",
    source: "linux-source-7.3",
    suite: "trixie-backports",
    configuration: ["uml.config", "common.config"],
    memory: "4G",
    cpus: navigator.hardwareConcurrency,
  },
  {
    name: "uml-debug",
    kind: "uml",
    architecture: "amd64",
    source: "linux-source-7.3",
    suite: "trixie-backports",
    configuration: ["uml.config", "common.config", "uml-debug.config"],
    patch: "uml-debug.patch",
    // Checks on each allocation. They do without the arrays in which the allocator would else pass
    // objects on, and which kmemleak takes for pointers to what was in them last. (Its other checks
    // need memory that KASAN, as it is in user-mode Linux, does not let them write.)
    parameters: ["slab_debug=F"],
    memory: "2G",
    cpus: navigator.hardwareConcurrency,
  },
  {
    name: "kcsan",
    kind: "qemu",
    architecture: "amd64",
    source: "linux-source-7.3",
    suite: "trixie-backports",
    configuration: ["kcsan.config", "common.config"],
    // The rest of the kernel is full of races that it can live with. What is watched is the driver.
    settings: ["KCSAN_SANITIZE=n"],
    // One access in some hundreds is watched, for as long as an emulated processor needs to do much.
    parameters: ["kcsan.early_enable=1", "kcsan.skip_watch=499", "kcsan.udelay_task=200"],
    memory: "2G",
    cpus: 2,
  },
];

/** The machine called `name`; an unknown name lists those that are known. */
export function machineByName(name: string): Machine {
  const machine = MACHINES.find((candidate) => candidate.name === name);
  if (machine) return machine;
  const known = MACHINES.map((candidate) => candidate.name).join(", ");
  throw new LabError(`Unknown machine "${name}": known are ${known}`);
}
