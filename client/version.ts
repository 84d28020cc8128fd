// SPDX-License-Identifier: MIT
/**
 * The release of this toolkit.
 *
 * @module
 */

/** The release, as `deno.json` names it; the driver of the same release speaks the same protocol. */
export const VERSION = "0.2.0";
