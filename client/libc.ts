// SPDX-License-Identifier: MIT
/**
 * The few functions of the C library that reach the device, bound through Deno's FFI.
 *
 * `errno` belongs to a thread, and only a call on this thread leaves it where this thread can read
 * it: a call off the event loop has to learn of its failure in another way.
 *
 * @module
 */
import { VssError } from "./errors.ts";

/** The C library of every Linux that Deno supports. A bare name, so that `--allow-ffi` is enough. */
const LIBRARY = "libc.so.6";

/** The one table of bound functions. */
const SYMBOLS = {
  open: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int flags
    ],
    result: "i32", // int: a file descriptor, or -1
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32", // int
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request: the kernel takes 32 bits of it
      "buffer", // ...: here always a pointer to a struct
    ],
    result: "i32", // int
  },
  ioctl_async: {
    name: "ioctl",
    nonblocking: true,
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request
      "buffer", // ...: a pointer to a struct, which lives until the call has ended
    ],
    result: "i32", // int; errno is that of a thread of the pool, and lost
  },
  poll_async: {
    name: "poll",
    nonblocking: true,
    parameters: [
      "buffer", // struct pollfd *fds: lives until the call has ended
      "usize", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32", // int: how many have events
  },
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int cmd
      "i32", // ...: an int, for the commands used here
    ],
    result: "i32", // int
  },
  statx: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // unsigned int mask
      "buffer", // struct statx *statxbuf
    ],
    result: "i32", // int
  },
  getenv: {
    parameters: [
      "buffer", // const char *name
    ],
    result: "pointer", // char *, or NULL
  },
  calloc: {
    parameters: [
      "usize", // size_t n
      "usize", // size_t size
    ],
    result: "pointer", // void *, or NULL
  },
  free: {
    parameters: [
      "pointer", // void *ptr
    ],
    result: "void",
  },
  __errno_location: {
    parameters: [],
    result: "pointer", // int *
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** `open(2)`'s flags; the same on x86-64 and arm64. */
export const OPEN_FLAGS = { O_RDONLY: 0, O_RDWR: 2, O_NONBLOCK: 0o4000, O_CLOEXEC: 0o2000000 };

/** `fcntl(2)`'s commands that are used. */
export const FCNTL = { F_DUPFD_CLOEXEC: 1030 };

/** `poll(2)`'s events that are used. */
export const POLL = { POLLPRI: 2 };

/** The bound functions and this thread's `errno`. */
interface Binding {
  readonly symbols: Libc;
  /** The thread's `errno` itself, not a copy; index 0. */
  readonly errno: Int32Array;
}

let binding: Binding | undefined;

/**
 * Binds the C library on first use, so that importing the module asks for no permission.
 *
 * The library is never closed: its descriptors may outlive any one client.
 *
 * @returns The bound functions and this thread's `errno`. Read `errno[0]` in the statement right
 * after the call that failed: with an allocation or another call in between, it may be another's.
 * @throws {Deno.errors.NotCapable} If Deno runs without `--allow-ffi`.
 * @throws {VssError} If there is no such C library (`ELIBACC`).
 */
export function libc(): Binding {
  if (binding !== undefined) return binding;
  let symbols: Libc;
  try {
    symbols = Deno.dlopen(LIBRARY, SYMBOLS).symbols;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new VssError("ELIBACC", { operation: "load", subject: `load ${LIBRARY}`, cause });
  }
  const location = symbols.__errno_location();
  if (location === null) {
    throw new VssError("ELIBACC", { operation: "load", subject: `find errno in ${LIBRARY}` });
  }
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  binding = { symbols, errno };
  return binding;
}

/**
 * Makes a C string.
 *
 * @param text The text.
 * @returns Its UTF-8 bytes and a final NUL.
 * @throws {TypeError} If the text holds a NUL, where C would see its end.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(`Path ${JSON.stringify(text)} holds a NUL character`);
  }
  return new TextEncoder().encode(text + "\0");
}
