// SPDX-License-Identifier: MIT
/**
 * The assertions of `@std/assert`, typed over the same code from npm.
 *
 * @module
 */
// @ts-types="./types.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
