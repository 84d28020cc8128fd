// SPDX-License-Identifier: MIT
/**
 * Boots a machine in QEMU. Each channel is a port of virtio on its side and a socket on this one.
 *
 * @module
 */
import { LabError } from "./host.ts";
import type { Architecture } from "./machines.ts";
import {
  type BootOptions,
  type Channel,
  CHANNELS,
  commonParameters,
  logPath,
  type MachineProcess,
} from "./machine_process.ts";
import { copyAll } from "./streams.ts";

/** The device files of channels in the guest that do not go by the name of a port. */
export const QEMU_DEVICES: Partial<Record<Channel, string>> = { terminal: "/dev/hvc0" };

/** What differs between the kinds of processors. */
interface Platform {
  /** QEMU's program. */
  readonly program: string;
  /** The machine that it is, with a processor that has all that can be emulated. */
  readonly machine: readonly string[];
  /** The kernel's parameters. */
  readonly parameters: readonly string[];
}

const PLATFORMS: Readonly<Record<Architecture, Platform>> = {
  amd64: {
    program: "qemu-system-x86_64",
    // The smallest firmware: the kernel needs none of what a BIOS does.
    machine: ["-machine", "q35", "-bios", "qboot.rom", "-cpu", "max"],
    parameters: [
      "console=ttyS0",
      // Under emulation the timers drift enough to make these two checks complain, and a kernel
      // that could not measure its clock would wait for ticks to measure its delay loop by.
      "no_timer_check",
      "tsc=reliable",
      "lpj=10000000",
    ],
  },
  arm64: {
    program: "qemu-system-aarch64",
    // Signed pointers as the architecture defines them take an emulator half of its time.
    machine: ["-machine", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on"],
    parameters: ["console=ttyAMA0"],
  },
};

/** Starts QEMU. */
export function startQemu(
  architecture: Architecture,
  options: BootOptions,
  cleanup: AsyncDisposableStack,
): MachineProcess {
  const listeners = CHANNELS.map((channel) => {
    const listener = Deno.listen({ transport: "unix", path: socketPath(options.job, channel) });
    cleanup.defer(() => listener.close());
    return listener;
  });
  const [file = "", ...args] = qemuCommand(PLATFORMS[architecture], options);
  const qemu = new Deno.Command(file, { args, stdin: "null", stdout: "null", stderr: "piped" })
    .spawn();
  const stderr = new Response(qemu.stderr).text();
  cleanup.defer(async () => {
    try {
      qemu.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await qemu.status;
  });
  const connected = Promise.all(listeners.map((listener) => listener.accept()));
  return {
    // Half-closed at the end, so that QEMU still reads what is underway.
    forwardInput: async (input) => {
      const port = (await connected)[CHANNELS.indexOf("stdin")]!;
      await copyAll(input, port);
      await port.closeWrite();
    },
    channels: connected.then((connections) => {
      for (const connection of connections) cleanup.defer(() => closeQuietly(connection));
      return new Map(CHANNELS.map((channel, index) => [channel, connections[index]!]));
    }),
    ended: qemu.status.then(async ({ code }) => {
      if (code !== 0) throw new LabError(`QEMU failed (${code}): ${(await stderr).trim()}`);
    }),
  };
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // A stream that was read to its end has closed it already.
  }
}

/** The socket of a channel in a run's scratch folder. */
function socketPath(job: string, channel: Channel): string {
  return `${job}/${channel}.socket`;
}

/** The command that boots a machine. */
function qemuCommand(platform: Platform, options: BootOptions): string[] {
  const { accel, job, userland } = options;
  return [
    // Should this process be killed, the machine must not outlive it.
    ...["setpriv", "--pdeathsig", "KILL", "--"],
    ...[platform.program, "-nodefaults", "-no-user-config", "-no-reboot"],
    ...[...platform.machine, "-display", "none", "-nic", "none"],
    ...["-accel", accel === "tcg" ? "tcg,thread=multi" : accel],
    ...["-smp", String(options.cpus), "-m", options.memory],
    ...["-kernel", options.image, "-initrd", options.initramfs],
    ...["-append", kernelParameters(platform, options)],
    ...["-serial", `file:${logPath(job)}`],
    ...share("host", "/", "on"),
    ...userland === undefined ? [] : share("userland", userland, "on"),
    ...share("build", options.build, "off"),
    ...["-device", "virtio-serial-pci"],
    ...CHANNELS.flatMap((channel) => channelArguments(job, channel)),
  ];
}

function kernelParameters(platform: Platform, options: BootOptions): string {
  return [
    ...platform.parameters,
    // A host that is busy, or halts, keeps an emulated processor waiting for longer than the kernel
    // expects of one that is stuck.
    "watchdog_thresh=60",
    "rcupdate.rcu_cpu_stall_timeout=120",
    "vss_files=9p",
    `vss_layers=${options.userland === undefined ? "/host" : "/userland:/host"}`,
    ...commonParameters(options),
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
