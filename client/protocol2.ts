// SPDX-License-Identifier: MIT
/**
 * Protocol 2 of `/dev/vss`: its structs, command numbers and limits.
 *
 * The second part of `kernel/uapi/linux/vss.h` in TypeScript: same order, same names. A test compiles
 * that header and compares every size, offset and number with what stands here.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { COMMANDS_2, PUT } from "./protocol2.ts";
 *
 * assertEquals(PUT.size, 96);
 * assertEquals(COMMANDS_2.VSS_PUT.number, 0x7644);
 * ```
 *
 * @module
 */
import { commandNumber } from "./protocol.ts";
import { type FieldSpecs, type Struct, struct, type StructView } from "./struct.ts";

/** What the device allows in one call. */
export interface Limits {
  /** Components of a vector, from 1. */
  readonly dimension: number;
  /** Hits of a query, from 1. */
  readonly k: number;
  /** Rows, or queries, of one call. */
  readonly rows: number;
  /** Bytes of each array of one call. */
  readonly callBytes: number;
  /** Bytes of one row's payload. */
  readonly payload: number;
  /** UTF-8 bytes of a collection's name, from 1. */
  readonly name: number;
}

/**
 * What the device allows in one call of its second protocol. The library cuts greater batches into
 * several calls.
 */
export const LIMITS: Limits = {
  dimension: 8192,
  k: 4096,
  rows: 65536,
  callBytes: 64 << 20,
  payload: 65536,
  name: 63,
};

/** The least components of a vector whose collection keeps codes of its rows. */
export const MIN_CODES_DIMENSION = 33;

/** Bytes of a name's field, with its final NUL. */
const NAME_BYTES = 64;

/** In an array of payload sizes: this row has none. */
export const NO_PAYLOAD = 0xffff_ffff;

/** In an array of lifetimes: this row is kept for ever. */
export const TTL_NEVER = 0xffff_ffff_ffff_ffffn;

/** A cursor that is at the end. */
export const CURSOR_END = 0xffff_ffff_ffff_ffffn;

/** The names of the eviction policies, by number. */
export const EVICTIONS = ["none", "fifo", "lru"] as const;

/** The names of the element types, by number. */
export const ELEMENTS = ["f32", "f16", "i8", "b1"] as const;

/** The bits of what a driver can do. */
export const FEATURES = {
  VSS_FEATURE_COLLECTIONS: 1,
  VSS_FEATURE_CODES: 2,
  VSS_FEATURE_EVICTION: 4,
} as const;

/** The flag bits of the commands that have some. */
export const FLAGS = {
  VSS_OPEN_CREATE: 1,
  VSS_OPEN_EXCLUSIVE: 2,
  VSS_OPEN_PRIVATE: 4,
  VSS_OPEN_READ_ONLY: 8,
  VSS_OPEN_WRITE_ONLY: 16,
  VSS_OPEN_NO_CODES: 32,
  VSS_PUT_UPSERT: 1,
  VSS_DELETE_MATCHING: 1,
  VSS_SEARCH_RANGE: 1,
  VSS_CONFIGURE_CAPACITY: 1,
  VSS_CONFIGURE_EVICTION: 2,
  VSS_CONFIGURE_TTL: 4,
  VSS_CONFIGURE_MODE: 8,
  VSS_CONFIGURE_MAX_BYTES: 16,
} as const;

/** What every struct of protocol 2 begins with. */
const HEADER = { size: "u32", status: "s32" } as const;

/** What `VSS_INFO` gives. */
export const INFO = struct("vss_info", {
  ...HEADER,
  features: "u64",
  max_dimension: "u32",
  max_k: "u32",
  max_rows: "u32",
  max_call_bytes: "u32",
  max_payload: "u32",
  max_collections: "u32",
  max_vectors: "u64",
  bytes: "u64",
  max_bytes: "u64",
  collections: "u32",
  reserved: "u32",
  simd: ["u8", 16],
  release: ["u8", 32],
  search_cpus: "u32",
  reserved2: "u32",
});

/** What `VSS_OPEN` takes and gives. */
export const OPEN = struct("vss_open", {
  ...HEADER,
  flags: "u32",
  dimension: "u32",
  metric: "u32",
  element: "u32",
  capacity: "u64",
  ttl: "u64",
  eviction: "u32",
  mode: "u32",
  uid: "u32",
  gid: "u32",
  serial: "u64",
  name: ["u8", NAME_BYTES],
  max_bytes: "u64",
});

/** What `VSS_DROP` takes. */
export const DROP = struct("vss_drop", {
  ...HEADER,
  flags: "u32",
  reserved: "u32",
  name: ["u8", NAME_BYTES],
});

/** One collection, as `VSS_LIST` writes it. */
export const LIST_RECORD = struct("vss_list_record", {
  serial: "u64",
  count: "u64",
  capacity: "u64",
  bytes: "u64",
  dimension: "u32",
  metric: "u32",
  element: "u32",
  eviction: "u32",
  ttl: "u64",
  mode: "u32",
  uid: "u32",
  gid: "u32",
  reserved: "u32",
  name: ["u8", NAME_BYTES],
});

/** What `VSS_LIST` takes and gives. */
export const LIST = struct("vss_list", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  record_size: "u32",
  done: "u32",
  cursor: "u64",
  records: "u64",
});

/** What `VSS_PUT` takes and gives. */
export const PUT = struct("vss_put", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  dimension: "u32",
  reserved: "u32",
  ids: "u64",
  vectors: "u64",
  tags: "u64",
  payload_sizes: "u64",
  payloads: "u64",
  payload_bytes: "u64",
  done: "u32",
  inserted: "u32",
  updated: "u32",
  evicted: "u32",
  ttls: "u64",
});

/** What `VSS_GET` takes and gives. */
export const GET = struct("vss_get", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  dimension: "u32",
  reserved: "u32",
  ids: "u64",
  vectors: "u64",
  tags: "u64",
  payload_sizes: "u64",
  payloads: "u64",
  payload_bytes: "u64",
  found: "u64",
  done: "u32",
  hits: "u32",
});

/** What `VSS_DELETE` takes and gives. */
export const DELETE = struct("vss_delete", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  ids: "u64",
  tag_mask: "u64",
  tag_value: "u64",
  done: "u32",
  deleted: "u32",
});

/** What `VSS_SEARCH` takes and gives. */
export const SEARCH = struct("vss_search", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  dimension: "u32",
  k: "u32",
  queries: "u64",
  tag_mask: "u64",
  tag_value: "u64",
  ids: "u64",
  distances: "u64",
  counts: "u64",
  max_distance: "f32",
  done: "u32",
  scanned: "u64",
  computed: "u64",
});

/** What `VSS_SCAN` takes and gives. */
export const SCAN = struct("vss_scan", {
  ...HEADER,
  flags: "u32",
  count: "u32",
  dimension: "u32",
  done: "u32",
  cursor: "u64",
  tag_mask: "u64",
  tag_value: "u64",
  ids: "u64",
  vectors: "u64",
  tags: "u64",
  payload_sizes: "u64",
  payloads: "u64",
  payload_bytes: "u64",
});

/** What `VSS_STAT` gives. */
export const STAT = struct("vss_stat", {
  ...HEADER,
  count: "u64",
  capacity: "u64",
  bytes: "u64",
  payload_bytes: "u64",
  inserts: "u64",
  updates: "u64",
  deletes: "u64",
  evictions: "u64",
  queries: "u64",
  gets: "u64",
  scanned: "u64",
  computed: "u64",
  serial: "u64",
  ttl: "u64",
  dimension: "u32",
  metric: "u32",
  element: "u32",
  eviction: "u32",
  mode: "u32",
  uid: "u32",
  gid: "u32",
  reserved: "u32",
  name: ["u8", NAME_BYTES],
  longest_section: "u64",
  codes: "u32",
  reserved2: "u32",
  max_bytes: "u64",
  pressure_evictions: "u64",
  expirations: "u64",
  hits: "u64",
});

/** What `VSS_CLEAR` takes and gives. */
export const CLEAR = struct("vss_clear", { ...HEADER, flags: "u32", done: "u32" });

/** What `VSS_CONFIGURE` takes. */
export const CONFIGURE = struct("vss_configure", {
  ...HEADER,
  flags: "u32",
  eviction: "u32",
  capacity: "u64",
  ttl: "u64",
  mode: "u32",
  reserved: "u32",
  max_bytes: "u64",
});

/** A struct of protocol 2 in memory. */
export type SizedView = StructView<typeof HEADER>;

/** A command of protocol 2 and its struct. */
export interface SizedCommand<Specs extends FieldSpecs = FieldSpecs> {
  /** What `ioctl` is called with. */
  readonly number: number;
  /** The struct that its argument points to. */
  readonly struct: Struct<Specs>;
}

/** `_IO`: the struct's size is in the struct. */
function command<const Specs extends FieldSpecs>(
  sequence: number,
  struct: Struct<Specs>,
): SizedCommand<Specs> {
  return { number: commandNumber(0, sequence, 0), struct };
}

/** The commands of protocol 2. */
export const COMMANDS_2 = {
  VSS_INFO: command(0x40, INFO),
  VSS_OPEN: command(0x41, OPEN),
  VSS_DROP: command(0x42, DROP),
  VSS_LIST: command(0x43, LIST),
  VSS_PUT: command(0x44, PUT),
  VSS_GET: command(0x45, GET),
  VSS_DELETE: command(0x46, DELETE),
  VSS_SEARCH: command(0x47, SEARCH),
  VSS_SCAN: command(0x48, SCAN),
  VSS_STAT: command(0x49, STAT),
  VSS_CLEAR: command(0x4a, CLEAR),
  VSS_CONFIGURE: command(0x4b, CONFIGURE),
};
