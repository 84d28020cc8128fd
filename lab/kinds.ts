// SPDX-License-Identifier: MIT
/**
 * What differs between the kinds of machines: where the kernel comes from and how it is booted.
 *
 * @module
 */
import { debianKernel } from "./debian_kernel.ts";
import type { Kernel } from "./kernel.ts";
import type { BootOptions, Channel, MachineProcess } from "./machine_process.ts";
import type { Machine } from "./machines.ts";
import { QEMU_DEVICES, startQemu } from "./qemu.ts";
import { hasSourceKernel, sourceKernel } from "./source_kernel.ts";
import { startUml, UML_DEVICES } from "./uml.ts";

/** The machine's kernel, from the cache or, the first time, fetched or built. */
export function prepareKernel(machine: Machine): Promise<Kernel> {
  return "source" in machine ? sourceKernel(machine) : debianKernel(machine);
}

/** Whether the machine's kernel need not be compiled first. */
export async function hasKernel(machine: Machine): Promise<boolean> {
  return !("source" in machine) || await hasSourceKernel(machine);
}

/** The device files of those channels that do not go by the name of a port in the guest. */
export function channelDevices(machine: Machine): Partial<Record<Channel, string>> {
  return machine.kind === "qemu" ? QEMU_DEVICES : UML_DEVICES;
}

/** Starts the machine; it is gone when `cleanup` is done. */
export async function startMachine(
  machine: Machine,
  options: BootOptions,
  cleanup: AsyncDisposableStack,
): Promise<MachineProcess> {
  return machine.kind === "qemu"
    ? startQemu(machine.architecture, options, cleanup)
    : await startUml(options, cleanup);
}
