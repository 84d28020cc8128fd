// SPDX-License-Identifier: MIT
/**
 * The byte helpers of `@std/bytes`, typed over the same code from npm.
 *
 * @module
 */
// @ts-types="./types.d.ts"
export * from "npm:deno-std@1.4.0/bytes/mod.js";
