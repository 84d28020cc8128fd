// SPDX-License-Identifier: MIT
/**
 * The device below the client: calls with any flags, any bytes and any address, and the errno that
 * comes back. The client refuses most of what is tried here before it reaches the driver.
 *
 * @module
 */
import { ERRNOS } from "../../mod.ts";

/** The functions of the C library that the tests call. */
const SYMBOLS = {
  open: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int flags
    ],
    result: "i32",
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "isize",
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request
      "u64", // ...: any address
    ],
    result: "i32",
  },
  mmap: {
    parameters: [
      "usize", // void *addr
      "usize", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "isize", // off_t offset
    ],
    result: "isize",
  },
  mprotect: {
    parameters: [
      "usize", // void *addr
      "usize", // size_t len
      "i32", // int prot
    ],
    result: "i32",
  },
  munmap: {
    parameters: [
      "usize", // void *addr
      "usize", // size_t length
    ],
    result: "i32",
  },
  syscall: {
    parameters: [
      "isize", // long number
      "i64", // ...
      "buffer", // ...
      "i64", // ...
    ],
    result: "isize",
  },
  delete_module: {
    name: "syscall",
    parameters: [
      "isize", // long number
      "buffer", // const char *name
      "i64", // unsigned int flags
    ],
    result: "isize",
  },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export const libc = Deno.dlopen("libc.so.6", SYMBOLS).symbols;

const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(libc.__errno_location()!, 4));

/** Open flags. */
export const O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2;

const PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20;

/** Bytes of a page, or of several: what memory is mapped by. */
export const PAGE = 65_536;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNOS).map(([name, { number }]) => [number, name]),
);
const OTHERS = new Map([[11, "EWOULDBLOCK"], [8, "ENOEXEC"]]);

/** The name of the errno that the last call left; read it in the statement after the call. */
export function lastErrno(): string {
  const code = errno[0]!;
  return NAMES.get(code) ?? OTHERS.get(code) ?? `E${code}`;
}

/** Makes a C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** One open file of the device. */
export class RawFile implements Disposable {
  readonly #fd: number;

  /** Opens the device. */
  constructor(flags: number = O_RDWR, path = "/dev/vss") {
    this.#fd = libc.open(cString(path), flags);
    const error = lastErrno();
    if (this.#fd < 0) throw new Error(`Cannot open ${path}: ${error}`);
  }

  /** Calls `ioctl`; returns `"ok"` or the errno's name. */
  call(command: number, argument: Uint8Array<ArrayBuffer> | bigint): string {
    const address = typeof argument === "bigint" ? argument : addressOf(argument);
    const result = libc.ioctl(this.#fd, command, address);
    const error = lastErrno();
    return result < 0 ? error : "ok";
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }
}

/** Where a buffer lies. */
function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** Memory from the kernel, with nothing mapped behind its end. */
export class Mapping implements Disposable {
  /** The first byte's address. */
  readonly address: bigint;
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** Maps `PAGE` bytes that can be read and written. */
  constructor() {
    const protection = PROT_READ | PROT_WRITE;
    const size = BigInt(2 * PAGE);
    this.address = BigInt(libc.mmap(0n, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n));
    if (this.address === -1n) throw new Error("Cannot map memory");
    libc.munmap(this.address + BigInt(PAGE), BigInt(PAGE));
    const pointer = Deno.UnsafePointer.create(this.address)!;
    this.bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, PAGE));
  }

  /** Takes the permission to write away. */
  makeReadOnly(): void {
    if (libc.mprotect(this.address, BigInt(PAGE), PROT_READ) !== 0) {
      throw new Error("Cannot protect memory");
    }
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    libc.munmap(this.address, BigInt(PAGE));
  }
}
