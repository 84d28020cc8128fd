// SPDX-License-Identifier: MIT
/**
 * Protocol 1 of `/dev/vss`: its structs, command numbers and limits.
 *
 * This is `kernel/uapi/linux/vss.h` in TypeScript: same order, same names. A test compiles that
 * header and compares every size, offset and number with what stands here.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { COMMANDS, VECTOR_DATA } from "./protocol.ts";
 *
 * assertEquals(VECTOR_DATA.size, 520);
 * assertEquals(COMMANDS.VSS_ADD_VECTOR.number, 0x42087601);
 * ```
 *
 * @module
 */
import { type Struct, struct } from "./struct.ts";

/** Where the driver puts its device. */
export const DEVICE_PATH = "/dev/vss";

/** The most components that a vector of protocol 1 has. */
export const MAX_DIMENSION = 128;

/** The most hits that a query of protocol 1 gives. */
export const MAX_K = 32;

/** The greatest id of protocol 1: ids are unsigned 32-bit integers. */
export const MAX_ID = 0xffff_ffff;

/** `_IOC`'s directions, seen from the caller: what it writes and what it reads. */
const DIRECTIONS = { write: 1, read: 2, both: 3 } as const;

/** `VSS_IOC_MAGIC`. */
const MAGIC = "v".charCodeAt(0);

/** One command: its number and the struct that goes with it. */
export interface Command {
  /** What `ioctl` is called with. */
  readonly number: number;
  /** The struct that its argument points to. */
  readonly struct: Struct;
}

/** What `VSS_ADD_VECTOR` takes: one vector and its id. */
export const VECTOR_DATA: Struct<{
  readonly id: "u32";
  readonly dimension: "u32";
  readonly data: readonly ["f32", 128];
}> = struct("vss_vector_data", {
  id: "u32",
  dimension: "u32",
  data: ["f32", MAX_DIMENSION],
});

/** What `VSS_QUERY_TOP_K` takes and gives: a vector, and the stored ones nearest to it. */
export const QUERY_DATA: Struct<{
  readonly k: "u32";
  readonly dimension: "u32";
  readonly query_vector: readonly ["f32", 128];
  readonly result_ids: readonly ["u32", 32];
  readonly distances: readonly ["f32", 32];
}> = struct("vss_query_data", {
  k: "u32",
  dimension: "u32",
  query_vector: ["f32", MAX_DIMENSION],
  result_ids: ["u32", MAX_K],
  distances: ["f32", MAX_K],
});

/** What `VSS_GET_STATS` gives. */
export const STATS: Struct<{
  readonly count: "u64";
  readonly capacity: "u64";
  readonly bytes: "u64";
  readonly adds: "u64";
  readonly queries: "u64";
  readonly evictions: "u64";
  readonly dimension: "u32";
  readonly metric: "u32";
  readonly reserved: "u64";
}> = struct("vss_stats", {
  count: "u64",
  capacity: "u64",
  bytes: "u64",
  adds: "u64",
  queries: "u64",
  evictions: "u64",
  dimension: "u32",
  metric: "u32",
  reserved: "u64",
});

/** The names of the metrics, by number. Smaller is nearer in each. */
export const METRICS = ["l2sq", "ip", "cos"] as const;

/** The commands of protocol 1. */
export const COMMANDS: {
  readonly VSS_ADD_VECTOR: Command;
  readonly VSS_QUERY_TOP_K: Command;
  readonly VSS_GET_STATS: Command;
} = {
  VSS_ADD_VECTOR: command("write", 1, VECTOR_DATA),
  VSS_QUERY_TOP_K: command("both", 2, QUERY_DATA),
  VSS_GET_STATS: command("read", 3, STATS),
};

/** `_IOW`, `_IOR` or `_IOWR`. */
function command(
  direction: keyof typeof DIRECTIONS,
  sequence: number,
  struct: { readonly size: number },
): Command {
  return {
    number: commandNumber(DIRECTIONS[direction], sequence, struct.size),
    struct: struct as Struct,
  };
}

/**
 * Makes an `ioctl` number of the driver from its parts, as `_IOC` does.
 *
 * @param direction 0 for none, 1 where the caller writes, 2 where it reads, 3 for both.
 * @param sequence The command's number among the driver's.
 * @param size Bytes of its struct.
 * @returns The number, unsigned.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { commandNumber } from "./protocol.ts";
 *
 * assertEquals(commandNumber(3, 2, 776), 0xc3087602);
 * ```
 */
export function commandNumber(direction: number, sequence: number, size: number): number {
  return ((direction << 30) | (size << 16) | (MAGIC << 8) | sequence) >>> 0;
}
