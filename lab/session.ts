// SPDX-License-Identifier: MIT
/**
 * One run of a command in a machine: boot, forward its streams, learn how it ended, clean up.
 *
 * @module
 */
import { BUILD, cacheFolder, LabError, PROJECT, requireTools } from "./host.ts";
import { packInitramfs } from "./initramfs.ts";
import type { Kernel } from "./kernel.ts";
import { findComplaints, linesAfter, tail } from "./kernel_log.ts";
import { channelDevices, prepareKernel, startMachine } from "./kinds.ts";
import { type BootOptions, type Channel, type ChannelEnd, logPath } from "./machine_process.ts";
import type { Machine } from "./machines.ts";
import { buildModule } from "./module.ts";
import { type Settings, settingsScript } from "./settings.ts";
import { copyAll, untilToken, type Writer } from "./streams.ts";

/** What to run, and in what. */
export interface Session {
  /** The machine to boot. */
  readonly machine: Machine;
  /** Its memory, such as `2G`. */
  readonly memory: string;
  /** Its processors. */
  readonly cpus: number;
  /** `tcg` or `kvm`. */
  readonly accel: string;
  /** The driver's parameters, each `name=value`. */
  readonly moduleArgs: readonly string[];
  /** Seconds after which the machine is stopped; 0 for no limit. */
  readonly timeout: number;
  /** Whether the kernel's log also goes to standard error. */
  readonly verbose: boolean;
  /** Whether the command gets the caller's terminal. */
  readonly interactive: boolean;
  /** The command and its arguments. */
  readonly command: readonly string[];
}

/** How a session can end. */
type Ending =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "unloadable"; readonly message: string }
  | { readonly kind: "stuck"; readonly message: string }
  | { readonly kind: "died" }
  | { readonly kind: "never booted" }
  | { readonly kind: "timeout" }
  | { readonly kind: "reader gone" }
  | { readonly kind: "signal"; readonly number: number };

/** The signals that end a session early, with their numbers for the exit status. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** What a person types to stop a machine that does not answer: Ctrl-]. */
const ESCAPE = 0x1d;

/** How many lines of the kernel's log explain a failure. */
const TAIL_LINES = 40;

/**
 * How long a machine may take until the command can begin: two or three seconds, unless the host is
 * very busy. An emulated kernel that is kept waiting at the wrong moment of its start, while it
 * measures its timers, may wait for ever for the next tick.
 */
const BOOT_SECONDS = Number(Deno.env.get("VSS_LAB_BOOT_SECONDS") ?? 90);

/** The guest's first line, when the command can begin. */
const STARTED = "started\n";

/** How often a machine that does not start is started anew. */
const BOOTS = 3;

/** How long the output of a machine that died may take to arrive. */
const DRAIN_SECONDS = 2;

/** Runs the session and returns the exit status for the lab. */
export async function runSession(session: Session): Promise<number> {
  requireTools(session.machine.name);
  requireVisible([PROJECT, cacheFolder()]);
  const kernel = await prepareKernel(session.machine);
  const module = await buildModule(session.machine, kernel);
  const job = await Deno.makeTempDir({ prefix: "vss-lab-" });
  try {
    const initramfs = `${job}/initramfs`;
    await packInitramfs(kernel, initramfs);
    const settings = describe(session, kernel, module);
    await Deno.writeTextFile(`${job}/settings.sh`, settingsScript(settings));
    const { accel, cpus, memory, verbose } = session;
    const options: BootOptions = {
      ...{ accel, cpus, memory, verbose, initramfs, job },
      ...{ image: kernel.image, build: BUILD, project: PROJECT },
      ...kernel.userland ? { userland: kernel.userland.root } : {},
      parameters: session.machine.parameters ?? [],
    };
    const ending = await bootUntilItStarts(session, options, settings);
    return report(ending, await Deno.readTextFile(logPath(job)).catch(() => ""), session);
  } finally {
    await Deno.remove(job, { recursive: true });
  }
}

/** Refuses folders that lie where the guest has file systems of its own. */
function requireVisible(folders: string[]): void {
  const hidden = folders.find((folder) => /^\/(dev|proc|run|sys)\//.test(folder));
  if (hidden) throw new LabError(`The guest cannot see ${hidden}: move it out of /dev and /run`);
}

function describe(session: Session, kernel: Kernel, module: string): Settings {
  const env = Deno.env.toObject();
  const deno = kernel.userland?.deno ?? Deno.execPath().replace(/\/[^/]*$/, "");
  env["PATH"] = `${deno}:${env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;
  return {
    machine: session.machine.name,
    release: kernel.release,
    modules: kernel.modules,
    module,
    moduleArgs: session.moduleArgs,
    ...(session.interactive ? { terminal: Deno.consoleSize() } : {}),
    devices: channelDevices(session.machine),
    hasInput: !session.interactive && !Deno.stdin.isTerminal(),
    token: `end of stream ${crypto.randomUUID()}`,
    cwd: Deno.cwd(),
    env,
    command: session.command,
  };
}

/** Boots anew where the machine did not start. The command has not begun then, so nothing runs twice. */
async function bootUntilItStarts(
  session: Session,
  options: BootOptions,
  settings: Settings,
): Promise<Ending> {
  for (let boots = 1;; boots++) {
    const ending = await boot(session, options, settings);
    if (ending.kind !== "never booted" || boots === BOOTS) return ending;
    console.error("lab: the machine did not start; starting it anew");
  }
}

/** Starts the machine, serves its channels, and returns how the session ended; it is gone then. */
async function boot(
  session: Session,
  options: BootOptions,
  settings: Settings,
): Promise<Ending> {
  await using cleanup = new AsyncDisposableStack();
  const { job } = options;
  const interruption = waitForSignal(cleanup);
  const { channels, ended, forwardInput } = await startMachine(session.machine, options, cleanup);
  const drained = Promise.withResolvers<void>();
  let hasBooted = false;
  const died = ended.then(async (): Promise<Ending> => {
    // Emulated processors may see each other's changes to the kernel's own code too late.
    if (!hasBooted) return { kind: "never booted" };
    // What the command wrote before the machine died may still be on its way.
    await Promise.race([drained.promise, waitFor(DRAIN_SECONDS, cleanup)]);
    return { kind: "died" };
  });
  if (session.verbose) followLog(logPath(job), cleanup);

  const served = channels.then((connected) =>
    serve(connected, settings, cleanup, {
      booted: () => {
        hasBooted = true;
        // The command may end, and its machine with it, without reading all.
        if (settings.hasInput) forwardInput(Deno.stdin.readable).catch(() => {});
      },
      drained: drained.resolve,
    })
  );
  const neverBooted = waitFor(BOOT_SECONDS, cleanup).then((): Ending | Promise<never> =>
    hasBooted ? new Promise<never>(() => {}) : { kind: "never booted" }
  );
  // Whichever loses the race may still fail later, when everything is torn down.
  for (const loser of [channels, served, died]) loser.catch(() => {});
  return await Promise.race([
    served,
    died,
    interruption,
    neverBooted,
    waitFor(session.timeout, cleanup),
  ]);
}

/** What a session is told as it goes on. */
interface Milestones {
  /** The machine has started, and begins the command. */
  readonly booted: () => void;
  /** All output has arrived. */
  readonly drained: () => void;
}

/** Forwards input and output and waits for the guest's word on how the command ended. */
async function serve(
  channels: ReadonlyMap<Channel, ChannelEnd>,
  settings: Settings,
  cleanup: AsyncDisposableStack,
  milestones: Milestones,
): Promise<Ending> {
  const channel = (name: Channel) => channels.get(name)!;
  const token = new TextEncoder().encode(settings.token);
  const forward = (name: Channel, to: Writer) =>
    copyAll(untilToken(channel(name).readable, token), to);

  const outputs = settings.terminal
    ? [forward("terminal", Deno.stdout)]
    : [forward("stdout", Deno.stdout), forward("stderr", Deno.stderr)];
  Promise.allSettled(outputs).then(milestones.drained);
  const readerGone = new Promise<Ending>((resolve) => {
    Promise.all(outputs).catch((error) => {
      if (error instanceof Deno.errors.BrokenPipe) resolve({ kind: "reader gone" });
    });
  });
  // A machine that does not start must not have taken any input with it.
  const escaped = Promise.withResolvers<Ending>();
  const begin = () => {
    milestones.booted();
    if (settings.terminal) forwardTerminal(channel("terminal"), cleanup).then(escaped.resolve);
  };

  const verdict = readVerdict(channel("control"), begin).then(async (ending) => {
    if (ending.kind === "exit" || ending.kind === "stuck") await Promise.all(outputs);
    return ending;
  });
  return await Promise.race([verdict, readerGone, escaped.promise]);
}

/** Connects the keyboard; resolves when a person gives the machine up. */
function forwardTerminal(to: ChannelEnd, cleanup: AsyncDisposableStack): Promise<Ending> {
  Deno.stdin.setRaw(true);
  cleanup.defer(() => Deno.stdin.setRaw(false));
  return copyAll(untilEscape(Deno.stdin.readable), to)
    .then((): Ending => ({ kind: "signal", number: SIGNALS.SIGINT }))
    // A machine that is gone takes no input.
    .catch(() => new Promise<never>(() => {}));
}

async function* untilEscape(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    if (chunk.includes(ESCAPE)) return;
    yield chunk;
  }
}

/** Reads what the guest writes to the control channel: that it has started, and how it went. */
async function readVerdict(control: ChannelEnd, begin: () => void): Promise<Ending> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of control.readable) {
    text += decoder.decode(chunk, { stream: true });
    if (text.startsWith(STARTED)) {
      text = text.slice(STARTED.length);
      begin();
    }
    if (text.endsWith("\n")) break;
  }
  const [, kind, rest = ""] = /^(\w+) ([^]*)\n$/.exec(text) ?? [];
  // A machine that died says nothing; that its process has ended tells so.
  if (text === "") return new Promise<never>(() => {});
  if (kind === "exit") return { kind, status: Number(rest) };
  if (kind === "unloadable" || kind === "stuck") return { kind, message: rest };
  throw new LabError(`The guest said ${JSON.stringify(text)}`);
}

function waitForSignal(cleanup: AsyncDisposableStack): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  for (const [name, number] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]) {
    const listener = () => resolve({ kind: "signal", number });
    Deno.addSignalListener(name, listener);
    cleanup.defer(() => Deno.removeSignalListener(name, listener));
  }
  return promise;
}

function waitFor(seconds: number, cleanup: AsyncDisposableStack): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  if (seconds > 0) {
    const timer = setTimeout(() => resolve({ kind: "timeout" }), seconds * 1000);
    cleanup.defer(() => clearTimeout(timer));
  }
  return promise;
}

/** Copies a growing file to standard error. */
function followLog(file: string, cleanup: AsyncDisposableStack): void {
  let shown = 0;
  const show = () => {
    try {
      const bytes = Deno.readFileSync(file);
      Deno.stderr.writeSync(bytes.subarray(shown));
      shown = bytes.length;
    } catch {
      // The machine has not made it yet, or standard error is gone.
    }
  };
  const timer = setInterval(show, 100);
  cleanup.defer(() => {
    clearInterval(timer);
    show();
  });
}

/** The log from a line on, as far as it explains a fault. */
function excerpt(log: string, line: number): string {
  return log.split(/\r?\n/).slice(line - 1, line - 1 + TAIL_LINES).join("\n").trimEnd();
}

/** Says on standard error what went wrong, if anything did, and returns the exit status. */
function report(ending: Ending, log: string, session: Session): number {
  const say = (message: string) => console.error(`lab: ${message}`);
  const lastLines = () => `The kernel's last words:\n${tail(log, TAIL_LINES)}`;
  const firstFault = () => complaints[0] ? excerpt(log, complaints[0].line) : tail(log, TAIL_LINES);
  const complaints = findComplaints(log);
  switch (ending.kind) {
    case "reader gone":
      return 141;
    case "signal":
      return 128 + ending.number;
    case "died":
      say(`the machine died. The kernel's words:\n${firstFault()}`);
      return 1;
    case "never booted":
      say(`the machine did not start, ${BOOTS} times. ${lastLines()}`);
      return 1;
    case "timeout":
      say(`stopped after ${session.timeout} seconds (--timeout). ${lastLines()}`);
      return 124;
    case "unloadable":
      say(`the driver did not load: ${ending.message}`);
      say(`the kernel said:\n${linesAfter(log, "vss-lab: loading the driver") || "(nothing)"}`);
      return 1;
    case "stuck":
      say(`the driver could not be removed after the command: ${ending.message}`);
      return 1;
  }
  if (complaints.length === 0) return ending.status;
  say(`the kernel complained:\n${complaints.map(({ text }) => text).join("\n")}`);
  say(`where it did first:\n${firstFault()}`);
  return ending.status || 1;
}
