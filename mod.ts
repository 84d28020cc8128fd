// SPDX-License-Identifier: MIT
/**
 * Vectors in the kernel, shared by every process of the machine: the client of `/dev/vss`.
 *
 * The driver holds vectors and finds the nearest ones exactly; this library opens its device, adds,
 * queries and reads counters. Run with `--allow-ffi`. Text becomes vectors without a model by
 * {@linkcode embedText}.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embedText, VssClient, VssError } from "@vss/vss";
 *
 * try {
 *   using client = VssClient.open();
 *   for (const hit of client.queryTopK(embedText("play chess", 128), 3)) console.log(hit);
 * } catch (error) {
 *   if (!(error instanceof VssError)) throw error;
 *   console.error(error.message); // names what is wrong, and what to do
 * }
 *
 * assertEquals(embedText("play chess", 128).length, 128);
 * ```
 *
 * @module
 */
export { type Hit, type Stats, VssClient } from "./client/client.ts";
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
export { hasVariable } from "./client/system.ts";
export { checkId, checkK, checkVector, type Vector } from "./client/validate.ts";
export { VERSION } from "./client/version.ts";
