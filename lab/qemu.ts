// SPDX-License-Identifier: MIT
/**
 * The QEMU command line of a machine.
 *
 * @module
 */

/** The channels between host and guest, in the order of their port numbers. */
export const CHANNELS = ["control", "stdout", "stderr", "stdin", "terminal"] as const;

/** One channel's name. */
export type Channel = typeof CHANNELS[number];

/** What QEMU is told about one run. */
export interface QemuOptions {
  /** `tcg` (software emulation) or `kvm`. */
  readonly accel: string;
  /** Processors. */
  readonly cpus: number;
  /** Memory, such as `2G`. */
  readonly memory: string;
  /** The kernel image. */
  readonly image: string;
  /** The initramfs. */
  readonly initramfs: string;
  /** The folder shared for writing. */
  readonly build: string;
  /** The project's folder. */
  readonly project: string;
  /** This run's scratch folder, where the sockets, the log and the settings lie. */
  readonly job: string;
  /** Whether the console shows the kernel's whole boot. */
  readonly verbose: boolean;
}

/** The socket of a channel in a run's scratch folder. */
export function socketPath(job: string, channel: Channel): string {
  return `${job}/${channel}.socket`;
}

/** The file that receives the kernel's log. */
export function logPath(job: string): string {
  return `${job}/kernel.log`;
}

/** The command that boots a machine. */
export function qemuCommand(options: QemuOptions): string[] {
  const { accel, job } = options;
  return [
    // Should this process be killed, the machine must not outlive it.
    ...["setpriv", "--pdeathsig", "KILL", "--"],
    ...["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"],
    // The smallest firmware: the kernel needs none of what a BIOS does.
    ...["-machine", "q35", "-bios", "qboot.rom", "-display", "none", "-nic", "none"],
    ...["-accel", accel === "tcg" ? "tcg,thread=multi" : accel, "-cpu", "max"],
    ...["-smp", String(options.cpus), "-m", options.memory],
    ...["-kernel", options.image, "-initrd", options.initramfs],
    ...["-append", kernelParameters(options)],
    ...["-serial", `file:${logPath(job)}`],
    ...share("host", "/", "on"),
    ...share("build", options.build, "off"),
    ...["-device", "virtio-serial-pci"],
    ...CHANNELS.flatMap((channel) => channelArguments(job, channel)),
  ];
}

function kernelParameters(options: QemuOptions): string {
  return [
    "console=ttyS0",
    `loglevel=${options.verbose ? 7 : 5}`,
    // Whatever the kernel complains of ends the run: it panics, and a panic powers off.
    "panic_on_warn=1",
    "panic=-1",
    // Under emulation the timers drift enough to make these two checks complain, and a kernel that
    // could not measure its clock would wait for ticks to measure its delay loop by.
    "no_timer_check",
    "tsc=reliable",
    "lpj=10000000",
    `vss_job="${options.job}"`,
    `vss_project="${options.project}"`,
  ].join(" ");
}

function share(name: string, folder: string, readonly: "on" | "off"): string[] {
  // In QEMU's option lists a comma is written twice.
  const path = folder.replaceAll(",", ",,");
  const options = "security_model=none,multidevs=remap";
  return ["-virtfs", `local,path=${path},mount_tag=${name},readonly=${readonly},${options}`];
}

function channelArguments(job: string, channel: Channel): string[] {
  const path = socketPath(job, channel).replaceAll(",", ",,");
  const device = channel === "terminal" ? "virtconsole" : "virtserialport";
  return [
    ...["-chardev", `socket,id=${channel},path=${path}`],
    ...["-device", `${device},chardev=${channel},name=${channel}`],
  ];
}
