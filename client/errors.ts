// SPDX-License-Identifier: MIT
/**
 * What the device's refusals mean, as one error class.
 *
 * @module
 */

/** What was being done when it failed. */
export type Operation =
  | "load"
  | "open"
  | "add"
  | "query"
  | "stats"
  | "close"
  | "info"
  | "list"
  | "create"
  | "drop"
  | "put"
  | "get"
  | "delete"
  | "search"
  | "scan"
  | "clear"
  | "configure"
  | "pressure";

/** One errno: its number on Linux, what it means on this device, and what to do about it. */
interface Errno {
  readonly number: number;
  readonly meaning: string;
  readonly advice?: string;
}

/**
 * Every errno that opening or using the device gives, in Linux's order. Numbers are those of
 * x86-64 and arm64.
 */
export const ERRNOS = {
  EPERM: {
    number: 1,
    meaning: "the operation is not permitted",
    advice: "in a container, have the device passed to it",
  },
  ENOENT: {
    number: 2,
    meaning: "there is no such file",
    advice: "load the driver with `just load`, or name the device's path",
  },
  EINTR: { number: 4, meaning: "a signal interrupted it", advice: "try again" },
  EIO: { number: 5, meaning: "input or output failed" },
  ENXIO: { number: 6, meaning: "no driver answers", advice: "load the driver with `just load`" },
  E2BIG: {
    number: 7,
    meaning: "the driver does not know all that this client asks",
    advice: "use a driver as new as this client",
  },
  EBADF: { number: 9, meaning: "the file is not open for that" },
  ENOMEM: {
    number: 12,
    meaning: "the kernel has no memory for it",
    advice: "free memory, or raise the memory limit of the control group",
  },
  EACCES: {
    number: 13,
    meaning: "permission is denied",
    advice: "join the group that owns the device, or run as root",
  },
  EFAULT: { number: 14, meaning: "a pointer leads nowhere" },
  EBUSY: { number: 16, meaning: "it is in use" },
  EEXIST: {
    number: 17,
    meaning: "the id is stored already",
    advice: "choose an id that is not; a stored vector is never replaced",
  },
  ENODEV: { number: 19, meaning: "no driver answers", advice: "load the driver with `just load`" },
  ENOTDIR: { number: 20, meaning: "a part of the path is not a folder" },
  EISDIR: { number: 21, meaning: "it is a folder", advice: "name the device's path" },
  EINVAL: {
    number: 22,
    meaning: "the driver refuses a value",
    advice: "give as many components as the vectors stored have, see the stats",
  },
  ENFILE: { number: 23, meaning: "the system has too many open files" },
  EMFILE: {
    number: 24,
    meaning: "the process has too many open files",
    advice: "close clients when done, `using` does so",
  },
  ENOTTY: {
    number: 25,
    meaning: "the file does not know the command",
    advice: "name the path of a vss device, and use a driver as new as this client",
  },
  ENOSPC: {
    number: 28,
    meaning: "the collection is full",
    advice: "load the driver with a greater `max_vectors`",
  },
  EROFS: { number: 30, meaning: "the file system is read-only" },
  ENAMETOOLONG: { number: 36, meaning: "the path is too long" },
  ELOOP: { number: 40, meaning: "the path has too many symbolic links" },
  ELIBACC: {
    number: 79,
    meaning: "the C library cannot be used",
    advice: "run on Linux with glibc",
  },
  EOPNOTSUPP: { number: 95, meaning: "the driver does not support it yet" },
  EDQUOT: {
    number: 122,
    meaning: "the driver's memory limit is reached",
    advice: "load the driver with a greater `max_bytes`",
  },
} as const satisfies Record<string, Errno>;

/** The name of an errno that the device may give. */
export type ErrnoName = keyof typeof ERRNOS;

/** The same table by number. */
const NAMES: ReadonlyMap<number, ErrnoName> = new Map(
  Object.entries(ERRNOS).map(([name, { number }]) => [number, name as ErrnoName]),
);

/** What a {@linkcode VssError} is made of, besides its errno. */
export interface VssErrorOptions {
  /** What was being done. */
  readonly operation: Operation;
  /** The same in words that name the thing and the value: `add id 7 to /dev/vss`. */
  readonly subject: string;
  /** What is wrong, where more is known than the errno says. */
  readonly meaning?: string | undefined;
  /** What to do, where more is known than the errno says. */
  readonly advice?: string | undefined;
  /** How many rows came before the one that failed. */
  readonly done?: number | undefined;
  /** The error behind this one. */
  readonly cause?: unknown;
}

/**
 * The device, or the way to it, refused an operation.
 *
 * Branch on {@linkcode VssError.code}; the message is for people: it names the thing and the value,
 * and says what to do.
 *
 * @example Usage
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { VssClient, VssError } from "@vss/vss";
 *
 * const error = assertThrows(() => VssClient.open("/nowhere/vss"), VssError);
 *
 * assertEquals(error.code, "ENOENT");
 * assertEquals(error.errno, 2);
 * assertEquals(error.operation, "open");
 * ```
 */
export class VssError extends Error {
  /** `"VssError"`. */
  override readonly name: string = "VssError";
  /** The errno's name, such as `"ENOSPC"`; `"E"` and the number where the name is not known. */
  readonly code: string;
  /** The errno's number on Linux. */
  readonly errno: number;
  /** What was being done. */
  readonly operation: Operation;
  /** What to do about it, as the message says too, where that is known. */
  readonly advice: string | undefined;
  /**
   * Of a call on many rows, how many came before the one that failed: for those it has taken effect.
   * `undefined` for other calls.
   */
  readonly done: number | undefined;

  /**
   * Makes an error from an errno.
   *
   * @param errno The errno's name or number.
   * @param options What was being done, to what.
   */
  constructor(errno: ErrnoName | number, options: VssErrorOptions) {
    const code = typeof errno === "number" ? NAMES.get(errno) : errno;
    const known: Errno | undefined = code && ERRNOS[code];
    const label = code ?? `E${errno}`;
    const meaning = options.meaning ?? known?.meaning ?? "an unexpected error";
    const advice = options.advice ?? known?.advice;
    super(
      `Cannot ${options.subject}: ${meaning} (${label})${advice ? `; ${advice}` : ""}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = label;
    this.errno = known?.number ?? Number(errno);
    this.operation = options.operation;
    this.advice = advice || undefined;
    this.done = options.done;
  }
}
