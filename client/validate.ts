// SPDX-License-Identifier: MIT
/**
 * What may be sent to the device: checked here, so that a wrong value is named before any call.
 *
 * @module
 */
import { MAX_DIMENSION, MAX_ID, MAX_K } from "./protocol.ts";

/** A vector as callers give it. */
export type Vector = Float32Array | readonly number[];

/**
 * Checks an id.
 *
 * @param id What should be an integer from 0 to 4294967295.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is another number.
 *
 * @example Usage
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { checkId } from "@vss/vss";
 *
 * checkId(4294967295);
 * assertThrows(() => checkId(-1), RangeError, "0 to 4294967295");
 * ```
 */
export function checkId(id: unknown): asserts id is number {
  checkInteger("Id", id, 0, MAX_ID);
}

/**
 * Checks how many hits are asked for.
 *
 * @param k What should be an integer from 1 to 32.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is another number.
 *
 * @example Usage
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { checkK } from "@vss/vss";
 *
 * checkK(32);
 * assertThrows(() => checkK(33), RangeError, "1 to 32");
 * ```
 */
export function checkK(k: unknown): asserts k is number {
  checkInteger("k", k, 1, MAX_K);
}

/**
 * Checks a vector.
 *
 * @param vector What should be a `Float32Array` or an array of 1 to 128 numbers that are finite as
 * 32-bit floats: at most about 3.4e38 in magnitude.
 * @throws {TypeError} If it is neither, or a component is not a number.
 * @throws {RangeError} If it has too few or too many components, or one is not finite.
 *
 * @example Usage
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { checkVector } from "@vss/vss";
 *
 * checkVector([0.5, -2]);
 * assertThrows(() => checkVector([]), RangeError, "1 to 128 components");
 * assertThrows(() => checkVector([1, 1e39]), RangeError, "Component 1");
 * ```
 */
export function checkVector(vector: unknown): asserts vector is Vector {
  if (!(vector instanceof Float32Array || Array.isArray(vector))) {
    throw new TypeError(
      `Vector must be a Float32Array or an array of numbers, not ${describe(vector)}`,
    );
  }
  if (vector.length < 1 || vector.length > MAX_DIMENSION) {
    throw new RangeError(
      `Vector must have 1 to ${MAX_DIMENSION} components, not ${vector.length}`,
    );
  }
  for (let i = 0; i < vector.length; i++) {
    const component: unknown = vector[i];
    // The device stores 32-bit floats: 1e39 is a finite number here and infinite there.
    if (typeof component !== "number" || !Number.isFinite(Math.fround(component))) {
      throw componentError(i, component);
    }
  }
}

/** Names the component that is wrong, and how. */
function componentError(index: number, component: unknown): TypeError | RangeError {
  const rule = `Component ${index} of the vector must be`;
  return typeof component === "number"
    ? new RangeError(`${rule} finite as a 32-bit float (at most about 3.4e38), not ${component}`)
    : new TypeError(`${rule} a number, not ${describe(component)}`);
}

/** Checks an integer between two limits, both included. */
function checkInteger(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
    return;
  }
  const rule = `${name} must be an integer from ${least} to ${most}`;
  if (typeof value !== "number") throw new TypeError(`${rule}, not ${describe(value)}`);
  throw new RangeError(`${rule}, not ${value}`);
}

/** Names a value of a wrong type: short, and never by running its code. */
function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (ArrayBuffer.isView(value)) {
    return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
