// SPDX-License-Identifier: MIT
/**
 * An open file of the device: the one place that opens, calls and closes it.
 *
 * @module
 */
import { ERRNOS, VssError } from "./errors.ts";
import { cString, FCNTL, libc, OPEN_FLAGS, POLL } from "./libc.ts";
import { type Piece, pointAt, Shadow } from "./memory.ts";
import { struct } from "./struct.ts";

/** What `poll(2)` waits for, and what has come. */
const POLLFD = struct("pollfd", { fd: "s32", events: "u16", revents: "u16" });

/** An open file, on which calls run at once or off the event loop. */
export class DeviceFile {
  /** The path that was opened. */
  readonly path: string;
  /** The file, or -1 once closed. */
  #fd: number;
  /**
   * The pieces underway. Their arrays are known to the kernel by their addresses alone, so that
   * nothing else would keep them from being collected.
   */
  readonly #underway = new Set<Piece>();
  /** Calls underway, each of one piece or several. */
  #calls = 0;
  #closing = false;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /**
   * Opens the device.
   *
   * @param path The device's path.
   * @returns The file.
   * @throws {TypeError} If the path is not a string, or holds a NUL character.
   * @throws {VssError} If it cannot be opened.
   */
  static open(path: string): DeviceFile {
    if (typeof path !== "string") throw new TypeError(`Path must be a string, not ${typeof path}`);
    const { symbols, errno } = libc();
    const name = cString(path);
    // Never wait for a file that is no device, such as a FIFO.
    const flags = OPEN_FLAGS.O_RDWR | OPEN_FLAGS.O_CLOEXEC | OPEN_FLAGS.O_NONBLOCK;
    for (;;) {
      const fd = symbols.open(name, flags);
      const code = errno[0]!;
      if (fd >= 0) return new DeviceFile(path, fd);
      if (code !== ERRNOS.EINTR.number) {
        throw new VssError(code, { operation: "open", subject: `open ${path}` });
      }
    }
  }

  /**
   * Makes another descriptor of a file that this process has open, in any of its threads.
   *
   * @param path The path that it was opened by.
   * @param fd The descriptor.
   * @returns The file.
   * @throws {VssError} If there is no such descriptor (`EBADF`), or no room for another (`EMFILE`).
   */
  static duplicate(path: string, fd: number): DeviceFile {
    const { symbols, errno } = libc();
    const copy = symbols.fcntl(fd, FCNTL.F_DUPFD_CLOEXEC, 0);
    const code = errno[0]!;
    if (copy >= 0) return new DeviceFile(path, copy);
    throw new VssError(code, { operation: "open", subject: `share descriptor ${fd} of ${path}` });
  }

  /** The descriptor; -1 once closed. */
  get descriptor(): number {
    return this.isOpen ? this.#fd : -1;
  }

  /** Whether calls are taken. */
  get isOpen(): boolean {
    return this.#fd >= 0 && !this.#closing;
  }

  /**
   * Runs a command on this thread.
   *
   * @param command The command's number.
   * @param bytes Its struct.
   * @returns 0 or the errno; `EBADF`, from the kernel itself, once closed.
   */
  call(command: number, bytes: Uint8Array<ArrayBuffer>): number {
    const { symbols, errno } = libc();
    const result = symbols.ioctl(this.descriptor, command, bytes);
    const code = errno[0]!;
    return result < 0 ? code : 0;
  }

  /**
   * Runs a piece on this thread.
   *
   * @param piece The piece.
   * @returns 0 or the errno; `EBADF`, from the kernel itself, once closed.
   */
  run(piece: Piece): number {
    this.#underway.add(piece);
    try {
      pointAt(piece.view, piece.reads);
      pointAt(piece.view, piece.writes);
      return this.call(piece.command.number, piece.view.bytes);
    } finally {
      this.#underway.delete(piece);
    }
  }

  /**
   * Keeps the file open for a call, until {@linkcode DeviceFile.release}.
   *
   * @returns Whether it is open; nothing is kept where it is not.
   */
  hold(): boolean {
    if (!this.isOpen) return false;
    this.#calls++;
    return true;
  }

  /** Ends a call; the last one after {@linkcode DeviceFile.close} closes the file. */
  release(): void {
    if (--this.#calls === 0 && this.#closing) this.#closeNow();
  }

  /**
   * Runs a piece off the event loop, while the file is held open.
   *
   * @param piece The piece.
   * @returns 0 or the errno, as the struct's `status` tells: by then `errno` is another call's.
   */
  async runAsync(piece: Piece): Promise<number> {
    const { symbols } = libc();
    const shadow = Shadow.of(piece);
    if (shadow === undefined) return ERRNOS.ENOMEM.number;
    this.#underway.add(piece);
    try {
      const result = await symbols.ioctl_async(this.#fd, piece.command.number, shadow.bytes);
      shadow.copyBack();
      if (result >= 0) return 0;
      // Not written only where the struct was never looked at: no driver of protocol 2 is there.
      return -piece.view.get("status") || ERRNOS.ENOTTY.number;
    } finally {
      shadow.free();
      this.#underway.delete(piece);
    }
  }

  /**
   * Waits off the event loop, while the file is held open, for the device to report something urgent.
   *
   * @param milliseconds How long to wait at most: a thread is kept busy meanwhile, and nothing but the
   * end of this time ends the wait.
   * @returns Whether there is something.
   */
  async pollAsync(milliseconds: number): Promise<boolean> {
    const { symbols } = libc();
    // Not JavaScript's memory, which a worker that is terminated gives back while the kernel waits.
    const pointer = symbols.calloc(1n, BigInt(POLLFD.size));
    if (pointer === null) return false;
    try {
      const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, POLLFD.size));
      POLLFD.encode({ fd: this.#fd, events: POLL.POLLPRI, revents: 0 }, bytes);
      const found = await symbols.poll_async(bytes, 1n, milliseconds);
      return found > 0 && (POLLFD.on(bytes).get("revents") & POLL.POLLPRI) !== 0;
    } finally {
      symbols.free(pointer);
    }
  }

  /**
   * Closes the file; calls underway end first. Closing twice is harmless.
   *
   * @throws {VssError} If the kernel reports an error; the file is closed all the same.
   */
  close(): void {
    if (!this.isOpen) return;
    if (this.#calls === 0) this.#closeNow();
    else this.#closing = true;
  }

  #closeNow(): void {
    const { symbols, errno } = libc();
    const fd = this.#fd;
    this.#fd = -1;
    const result = symbols.close(fd);
    const code = errno[0]!;
    // Linux frees the descriptor even then: a second try could close another's file.
    if (result !== 0 && code !== ERRNOS.EINTR.number) {
      throw new VssError(code, { operation: "close", subject: `close ${this.path}` });
    }
  }
}
