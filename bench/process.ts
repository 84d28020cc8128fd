// SPDX-License-Identifier: MIT
/**
 * A process that answers each line with a line.
 *
 * @module
 */
import { LabError } from "../lab/host.ts";
import { TextLineStream } from "./lines.ts";

/** How long a process may take to end once it gets no more requests. */
const END_SECONDS = 30;

/** A process that is asked, line by line. */
export class LineProcess {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;

  /**
   * Starts the process.
   *
   * @param name What it is called when it fails.
   * @param command The command and its arguments.
   * @param env Variables added to the environment.
   */
  constructor(name: string, [file = "", ...args]: string[], env: Record<string, string> = {}) {
    this.#name = name;
    this.#child = new Deno.Command(file, { args, env, stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** The number of the process. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Asks.
   *
   * @param line The request.
   * @returns The answer.
   */
  async ask(line: string): Promise<string> {
    try {
      await this.#input.write(new TextEncoder().encode(`${line}\n`));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    return await this.#read(`when asked "${line}"`);
  }

  /** Waits for the line that says that the process is ready to be asked. */
  async ready(): Promise<void> {
    await this.#read("before it was ready");
  }

  async #read(when: string): Promise<string> {
    const { value } = await this.#output.read();
    if (value !== undefined) return value;
    const { code } = await this.#child.status;
    throw new LabError(`${this.#name} ended with status ${code} ${when}`);
  }

  /** Lets the process end, and complains where it ends badly. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    const late = setTimeout(() => this.kill(), END_SECONDS * 1000);
    const { code } = await this.#child.status;
    clearTimeout(late);
    await this.#output.cancel();
    if (code !== 0) throw new LabError(`${this.#name} ended with status ${code}`);
  }

  /** Ends the process at once. */
  kill(): void {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
  }
}
