// SPDX-License-Identifier: MIT
/**
 * Vectors in the kernel, shared by every process of the machine: the client of `/dev/vss`.
 *
 * The driver holds vectors in collections and finds the nearest ones exactly. {@linkcode Vss} opens
 * the device, a {@linkcode Collection} puts, gets, searches and deletes rows. Run with `--allow-ffi`.
 * Text becomes vectors without a model by {@linkcode embedText}. A {@linkcode SemanticCache} keeps
 * answers to texts. {@linkcode VssClient} speaks the device's first protocol: one collection of up to
 * 128 dimensions.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embedText, Vss, VssError } from "@vss/vss";
 *
 * try {
 *   using vss = Vss.open();
 *   using lines = vss.privateCollection({ dimension: 256, metric: "cos" });
 *   await lines.put([{ id: 1, vector: embedText("play chess", 256), payload: "play chess" }]);
 *
 *   const hits = await lines.search(embedText("a chess game", 256), { payload: "text" });
 *   assertEquals(hits[0]?.payload, "play chess");
 * } catch (error) {
 *   if (!(error instanceof VssError)) throw error;
 *   console.error(error.message); // names what is wrong, and what to do
 * }
 * ```
 *
 * @module
 */
export {
  type CacheHit,
  type CacheOptions,
  type Embedder,
  type OpenCacheOptions,
  SemanticCache,
  type SetOptions,
  textEmbedder,
} from "./client/cache.ts";
export { type Hit, type Stats, VssClient } from "./client/client.ts";
export {
  Collection,
  type CollectionHandle,
  type CollectionStats,
  type ConfigureOptions,
  type GetOptions,
  type OpenedCollection,
  type PutOptions,
  type PutResult,
  type ScanOptions,
} from "./client/collection.ts";
export { diagnose, type Finding } from "./client/diagnose.ts";
export { embedText, MAX_EMBEDDING_DIMENSION } from "./client/embed.ts";
export {
  type ErrnoName,
  ERRNOS,
  type Operation,
  VssError,
  type VssErrorOptions,
} from "./client/errors.ts";
export { DEVICE_PATH, MAX_DIMENSION, MAX_ID, MAX_K } from "./client/protocol.ts";
export { LIMITS, type Limits } from "./client/protocol2.ts";
export type {
  Columns,
  Id,
  JsonValue,
  Match,
  Metric,
  PayloadInput,
  PayloadKind,
  Row,
  RowInput,
  TagFilter,
} from "./client/rows.ts";
export type { SearchOptions } from "./client/search.ts";
export type { Eviction, RetentionOptions } from "./client/settings.ts";
export { hasVariable } from "./client/system.ts";
export { checkId, checkK, checkVector, type Vector } from "./client/validate.ts";
export { VERSION } from "./client/version.ts";
export {
  type Access,
  type CollectionInfo,
  type CreateOptions,
  type Info,
  type OpenOptions,
  type PrivateOptions,
  Vss,
} from "./client/vss.ts";
