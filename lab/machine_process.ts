// SPDX-License-Identifier: MIT
/**
 * What the lab knows of a machine that runs, however it was booted.
 *
 * @module
 */

/** The channels between host and guest. */
export const CHANNELS = ["control", "stdout", "stderr", "stdin", "terminal"] as const;

/** One channel's name. */
export type Channel = typeof CHANNELS[number];

/** The host's end of a channel. */
export interface ChannelEnd {
  /** What the guest writes. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** Writes a part of `bytes` for the guest and says how much. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What is told about one run, to whatever boots it. */
export interface BootOptions {
  /** `tcg` (software emulation) or `kvm`, where QEMU boots it. */
  readonly accel: string;
  /** Processors. */
  readonly cpus: number;
  /** Memory, such as `2G`. */
  readonly memory: string;
  /** The kernel to boot. */
  readonly image: string;
  /** The initramfs. */
  readonly initramfs: string;
  /** The folder whose files cover the host's, if there is one. */
  readonly userland?: string;
  /** The folder shared for writing. */
  readonly build: string;
  /** The project's folder. */
  readonly project: string;
  /** This run's scratch folder, where the log and the settings lie. */
  readonly job: string;
  /** Further parameters of the kernel. */
  readonly parameters: readonly string[];
  /** Whether the console shows the kernel's whole boot. */
  readonly verbose: boolean;
}

/** A machine that was started, and goes with the stack of things to clean up that it was given. */
export interface MachineProcess {
  /** The channels, once the machine has them. */
  readonly channels: Promise<ReadonlyMap<Channel, ChannelEnd>>;
  /** Resolves when the machine is gone; rejects if it could not even begin. */
  readonly ended: Promise<void>;
  /** Passes a stream, with its end, to the guest's standard input. */
  readonly forwardInput: (input: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** The file that receives the kernel's log. */
export function logPath(job: string): string {
  return `${job}/kernel.log`;
}

/** The kernel parameters of every machine; boot.sh reads those that begin with `vss_`. */
export function commonParameters(options: BootOptions): string[] {
  return [
    `loglevel=${options.verbose ? 7 : 5}`,
    // Whatever the kernel complains of ends the run: it panics, and a panic powers off.
    "panic_on_warn=1",
    "panic=-1",
    `vss_job="${options.job}"`,
    `vss_project="${options.project}"`,
    ...options.parameters,
  ];
}
