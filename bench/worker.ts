// SPDX-License-Identifier: MIT
/**
 * The harness's side of the protocol: starts contestants, and asks them. Those that need the driver
 * share one machine, where `guest.ts` passes requests on.
 *
 * @module
 */
import { PROJECT, run } from "../lab/host.ts";
import { type Contestant, type ContestantName, CONTESTANTS } from "./plan.ts";
import { PROGRAMS } from "./prepare.ts";
import { LineProcess } from "./process.ts";

/** What a contestant answers; which fields depends on the request. */
export interface Answer {
  readonly version?: string;
  readonly seconds?: number;
  readonly bytes?: number;
  readonly threads?: number;
  readonly ns?: readonly number[];
  readonly ids?: readonly number[];
}

/** What runs contestants. */
export interface TeamOptions {
  /** The folder with the peers' npm packages. */
  readonly packages: string;
  /** The lab's machine that has the driver. */
  readonly machine: string;
  /** Processors that contestants may use, at most two of which they do. */
  readonly processors: readonly number[];
}

/** What the process that serves all contestants of the machine is called. */
const GUEST = "the machine";

/** Memory of the machine with the driver: three copies of the largest dataset, and its files. */
const GUEST_MEMORY = "6G";

/** Memory that contestants allocate shall lie in huge pages, as the driver's does. */
const ENV = { GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" };

/** All contestants, each started when it is first asked. */
export class Team implements Disposable {
  readonly #options: TeamOptions;
  readonly #processes = new Map<string, LineProcess>();
  /** The processors that each process is confined to. */
  readonly #pins = new Map<string, string>();

  constructor(options: TeamOptions) {
    this.#options = options;
  }

  /**
   * Asks a contestant.
   *
   * @param name Who.
   * @param request The request; see `native/worker.h`.
   * @returns Its answer.
   */
  async ask(name: ContestantName, request: string): Promise<Answer> {
    const line = placeOf(name) === GUEST ? `${name} ${request}` : request;
    const process = await this.#process(name);
    return JSON.parse(await process.ask(line)) as Answer;
  }

  /**
   * Lets a contestant use as many threads, on as many processors. One in the machine sees to that
   * itself: confined to fewer processors than it has, the machine would wait in vain for locks
   * whose holders are not running.
   *
   * @param name Who.
   * @param count How many.
   * @returns Whether it can.
   */
  async setThreads(name: ContestantName, count: number): Promise<boolean> {
    const { threads } = await this.ask(name, `threads ${count}`);
    const place = placeOf(name);
    const processors = this.#options.processors.slice(-count).join(",");
    if (place !== GUEST && this.#pins.get(place) !== processors) {
      this.#pins.set(place, processors);
      await pin((await this.#process(name)).pid, processors);
    }
    return threads === count;
  }

  async #process(name: ContestantName): Promise<LineProcess> {
    const place = placeOf(name);
    const running = this.#processes.get(place);
    if (running) return running;
    const { machine, packages, processors } = this.#options;
    const used = processors.slice(-2);
    const command = place === GUEST
      ? guestCommand(machine, used.length)
      : commandOf(contestantBy(name), packages);
    const started = new LineProcess(place, command, place === GUEST ? {} : ENV);
    this.#processes.set(place, started);
    if (place === GUEST) {
      await started.ready();
      await pinMachine(started.pid, used);
    }
    return started;
  }

  /** Lets everyone end, and complains where one ends badly. */
  async end(): Promise<void> {
    const processes = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.all(processes.map((process) => process.end()));
  }

  /** Ends those at once that still run. */
  [Symbol.dispose](): void {
    for (const process of this.#processes.values()) process.kill();
  }
}

/** The contestant of this name. */
export function contestantBy(name: string): Contestant {
  const found: Contestant | undefined = CONTESTANTS.find((contestant) => contestant.name === name);
  if (!found) throw new Error(`There is no contestant ${name}`);
  return found;
}

/** The process that serves a contestant. */
function placeOf(name: ContestantName): string {
  return contestantBy(name).place === "guest" ? GUEST : name;
}

/** The command that runs a contestant. */
export function commandOf({ program, args = [] }: Contestant, packages: string): string[] {
  if ("native" in program) return [`${PROGRAMS}/${program.native}`, ...args];
  const script = `${PROJECT}/bench/scripted/${program.script}`;
  return [...denoCommand(), script, packages];
}

/** The command that runs `guest.ts` in a machine. */
function guestCommand(machine: string, cpus: number): string[] {
  const options = ["--machine", machine, "--memory", GUEST_MEMORY, "--cpus", String(cpus)];
  options.push("--timeout", "0");
  const lab = [...denoCommand(), `${PROJECT}/lab/main.ts`, ...options, "--"];
  return [...lab, ...denoCommand(), `${PROJECT}/bench/guest.ts`];
}

function denoCommand(): string[] {
  return [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all"];
}

/** Confines a process, and all that it has started, to some processors. */
async function pin(root: number, processors: string): Promise<void> {
  for (const pid of await withDescendants(root)) {
    // One that has ended meanwhile needs no place.
    await run(["taskset", "--all-tasks", "--cpu-list", "--pid", processors, String(pid)]);
  }
}

/**
 * Gives each processor of a user-mode Linux one of the host's, so that a system call there does not
 * go from one to another: its first thread is the first, the others are the last. The processes that
 * execute programs for it begin where the thread is that starts them.
 */
async function pinMachine(root: number, processors: readonly number[]): Promise<void> {
  for (const pid of await withDescendants(root)) {
    const name = await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "");
    if (name.trim() !== "linux") continue;
    await pin(pid, String(processors.at(-1)));
    await run(["taskset", "--cpu-list", "--pid", String(processors[0]), String(pid)]);
    return;
  }
}

/** A process and all that descend from it. */
async function withDescendants(root: number): Promise<number[]> {
  const found = [root];
  for (const pid of found) {
    for await (const child of childrenOf(pid)) found.push(child);
  }
  return found;
}

async function* childrenOf(pid: number): AsyncGenerator<number> {
  const tasks = `/proc/${pid}/task`;
  try {
    for await (const { name } of Deno.readDir(tasks)) {
      const text = await Deno.readTextFile(`${tasks}/${name}/children`);
      yield* text.split(" ").filter(Boolean).map(Number);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
