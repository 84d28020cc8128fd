// SPDX-License-Identifier: MIT
/**
 * Boots a machine as user-mode Linux: a kernel that is an ordinary process of the host's. Each
 * channel is a serial line on its side and an inherited socket on this one.
 *
 * @module
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import type { Duplex } from "node:stream";
import { exists, run } from "./host.ts";
import {
  type BootOptions,
  type Channel,
  type ChannelEnd,
  CHANNELS,
  commonParameters,
  logPath,
  type MachineProcess,
} from "./machine_process.ts";

/** The channels' device files in the guest. */
export const UML_DEVICES = Object.fromEntries(
  CHANNELS.map((channel, index) => [channel, `/dev/ttyS${index}`]),
) as Record<Channel, string>;

/** How many files of input may wait for the guest. */
const FILES_AHEAD = 8;

/** The first file descriptor that is neither input, output nor error. */
const FIRST_CHANNEL = 3;

/** Runs a command that does not outlive whoever runs it. */
const NO_ORPHAN = ["setpriv", "--pdeathsig", "KILL", "--"];

/**
 * Runs the kernel $4…, its log going to the file $1, with $3 bytes of memory in the folder $2, if
 * one is named: a file system of huge pages, which only this process sees and which goes with it.
 */
const LAUNCH = `
log=$1 memory=$2 size=$3
shift 3
ulimit -c 0
if [ "$memory" ]; then
  mount -t tmpfs -o "huge=always,size=$size,mode=700" memory "$memory" || exit
  export TMPDIR="$memory"
fi
${NO_ORPHAN.join(" ")} "$@" 2>"$log"
exit $?
`;

/** Starts user-mode Linux. */
export async function startUml(
  options: BootOptions,
  cleanup: AsyncDisposableStack,
): Promise<MachineProcess> {
  const memory = `${options.job}/memory`;
  await Deno.mkdir(memory, { recursive: true });
  const namespace = await ownNamespace(memory);
  if (!namespace && options.verbose) {
    console.error("lab: no huge pages here, for want of the right to mount; the machine is slower");
  }
  const launch = ["sh", "-c", LAUNCH, "sh", logPath(options.job), namespace ? memory : ""];
  const command = [
    ...NO_ORPHAN,
    ...namespace ?? [],
    ...launch,
    options.memory,
    ...umlCommand(options),
  ];
  return serve(begin(command, options.job), options.job, cleanup);
}

/**
 * The words that run a command where it may mount what only it sees, and whose end is the end of all
 * that it began; none if nothing allows it.
 */
async function ownNamespace(folder: string): Promise<string[] | undefined> {
  const mount = ["mount", "-t", "tmpfs", "-o", "huge=always", "memory", folder];
  for (const rights of [[], ["--map-root-user"]]) {
    const words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", ...rights, "--"];
    const { code } = await run([...words, ...mount]).catch(() => ({ code: 1 }));
    if (code === 0) return words;
  }
  return undefined;
}

/** The kernel and its arguments. */
function umlCommand(options: BootOptions): string[] {
  const lines = CHANNELS.map((_, index) => `ssl${index}=fd:${FIRST_CHANNEL + index}`);
  return [
    ...[options.image, `mem=${options.memory}`, `initrd=${options.initramfs}`],
    // Processors beyond the first need the newer way of watching over the guest's processes.
    ...["seccomp=on", `ncpus=${options.cpus}`],
    // Its own files, which would else lie in the home folder.
    ...["uml_dir=.", "umid=uml"],
    ...["con=null", "con0=null,fd:2", ...lines, "vss_files=hostfs", "vss_layers=/host"],
    ...commonParameters(options),
  ];
}

function begin([file = "", ...args]: string[], job: string): ChildProcess {
  const stdio: StdioOptions = [
    "ignore",
    "ignore",
    "ignore",
    ...CHANNELS.map(() => "pipe" as const),
  ];
  // Of the environment it would take its folder for temporary files, the guest none at all.
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };
  return spawn(file, args, { cwd: job, env, stdio });
}

function serve(uml: ChildProcess, job: string, cleanup: AsyncDisposableStack): MachineProcess {
  const ended = new Promise<void>((resolve, reject) => {
    uml.once("exit", () => resolve());
    uml.once("error", reject);
  });
  cleanup.defer(async () => {
    uml.kill("SIGKILL");
    await ended.catch(() => {});
  });
  const ends = CHANNELS.map((channel, index) =>
    [channel, channelEnd(uml.stdio[FIRST_CHANNEL + index] as Duplex)] as const
  );
  const channels = new Map(ends);
  return {
    channels: Promise.resolve(channels),
    ended,
    forwardInput: (input) => passInFiles(input, job, channels.get("stdin")!),
  };
}

function channelEnd(socket: Duplex): ChannelEnd {
  // Whoever writes is told; a machine that is gone is no news to anybody else.
  socket.on("error", () => {});
  return {
    // The kernel does not survive that a line is closed on this side.
    readable: socket.iterator({ destroyOnReturn: false }),
    write: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length))
      ),
  };
}

/**
 * Passes a stream on in files of the job's folder, whose names go down the line, and an empty one
 * for the end. The guest removes each when it has read it. (A serial line of user-mode Linux that
 * ever was full of input never takes any again.)
 */
async function passInFiles(
  input: AsyncIterable<Uint8Array>,
  job: string,
  line: ChannelEnd,
): Promise<void> {
  const announce = (name: string) => line.write(new TextEncoder().encode(`${name}\n`));
  let files = 0;
  for await (const chunk of input) {
    const oldest = `${job}/input.${files - FILES_AHEAD}`;
    while (await exists(oldest)) await new Promise((resolve) => setTimeout(resolve, 2));
    const name = `input.${files++}`;
    await Deno.writeFile(`${job}/${name}`, chunk);
    await announce(name);
  }
  await announce("");
}
