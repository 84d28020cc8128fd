// SPDX-License-Identifier: MIT
/**
 * What the machine says about itself, read through the C library: `/proc`, `/sys` and file
 * metadata, for a program that has `--allow-ffi` and no permission to read files.
 *
 * @module
 */
import { cString, libc, OPEN_FLAGS } from "./libc.ts";
import { struct } from "./struct.ts";

/** The most that is read of a file; those of `/proc`, `/sys` and `/etc` used here are far smaller. */
const MAX_BYTES = 1 << 20;

/** `AT_FDCWD`: a path is relative to the working folder. */
const AT_FDCWD = -100;

/** `STATX_BASIC_STATS`. */
const STATX_BASIC_STATS = 0x7ff;

/** `S_IFMT` and `S_IFCHR`: the bits of a mode that say the file's kind, and a character device's. */
const KIND = { mask: 0o170000, character: 0o020000 } as const;

/** The start of `struct statx`, the same on every processor, up to what is needed of it. */
const STATX = struct("statx", {
  stx_mask: "u32",
  stx_blksize: "u32",
  stx_attributes: "u64",
  stx_nlink: "u32",
  stx_uid: "u32",
  stx_gid: "u32",
  stx_mode: "u16",
  rest: ["u16", 113],
});

/** Who owns a file and who may use it. */
export interface FileStatus {
  /** Whether it is a character device. */
  readonly isCharacterDevice: boolean;
  /** Its permission bits. */
  readonly mode: number;
  /** Its owner's number. */
  readonly uid: number;
  /** Its group's number. */
  readonly gid: number;
}

/**
 * Reads a small file.
 *
 * @param path The file's path.
 * @returns Its text without white space at the ends, or `undefined` where it cannot be read.
 */
export function readText(path: string): string | undefined {
  const { symbols } = libc();
  const fd = symbols.open(cString(path), OPEN_FLAGS.O_RDONLY | OPEN_FLAGS.O_CLOEXEC);
  if (fd < 0) return undefined;
  try {
    const bytes = new Uint8Array(MAX_BYTES);
    let length = 0;
    while (length < bytes.length) {
      const rest = bytes.subarray(length);
      const read = Number(symbols.read(fd, rest, BigInt(rest.length)));
      if (read < 0) return undefined;
      if (read === 0) break;
      length += read;
    }
    return new TextDecoder().decode(bytes.subarray(0, length)).trim();
  } finally {
    symbols.close(fd);
  }
}

/**
 * Reads a variable of the environment as the process was given it.
 *
 * @param name The variable's name.
 * @returns Whether it is set, and not empty.
 */
export function hasVariable(name: string): boolean {
  const value = libc().symbols.getenv(cString(name));
  return value !== null && new Deno.UnsafePointerView(value).getUint8() !== 0;
}

/**
 * Looks at a file without opening it.
 *
 * @param path The file's path.
 * @returns Its status, or `undefined` where there is none.
 */
export function fileStatus(path: string): FileStatus | undefined {
  const { symbols } = libc();
  const status = STATX.allocate();
  const result = symbols.statx(AT_FDCWD, cString(path), 0, STATX_BASIC_STATS, status.bytes);
  if (result !== 0) return undefined;
  const mode = status.get("stx_mode");
  return {
    isCharacterDevice: (mode & KIND.mask) === KIND.character,
    mode: mode & 0o7777,
    uid: status.get("stx_uid"),
    gid: status.get("stx_gid"),
  };
}

/**
 * Finds a group's or user's name.
 *
 * @param file `/etc/group` or `/etc/passwd`.
 * @param id The group's or user's number.
 * @returns The name, or the number as text where the file does not know it.
 */
export function nameOf(file: "/etc/group" | "/etc/passwd", id: number): string {
  for (const line of readText(file)?.split("\n") ?? []) {
    const [name, , number] = line.split(":");
    if (name && number === String(id)) return name;
  }
  return String(id);
}

/**
 * Says as whom this process runs.
 *
 * @returns The effective user's number, and the numbers of all groups it is in.
 */
export function identity(): { uid: number; groups: number[] } {
  const status = readText("/proc/self/status") ?? "";
  const numbers = (field: string) =>
    (new RegExp(`^${field}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean)
      .map(Number);
  const effective = 1; // real, effective, saved, file system
  return {
    uid: numbers("Uid")[effective] ?? -1,
    groups: [...numbers("Gid").slice(effective, effective + 1), ...numbers("Groups")],
  };
}
