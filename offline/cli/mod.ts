// SPDX-License-Identifier: MIT
/**
 * The argument parser of `@std/cli`, typed over the same code from npm.
 *
 * @module
 */
// @ts-types="./types.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
