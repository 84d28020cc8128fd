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
  checkInteger("Id", id, { least: 0, most: MAX_ID });
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
  checkInteger("k", k, { least: 1, most: MAX_K });
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
  copyVector(vector, new Float32Array(MAX_DIMENSION));
}

/**
 * Checks a vector and copies it, reading each component once: what was checked is what is copied,
 * whatever the vector does meanwhile.
 *
 * @param vector What should be a vector, as {@linkcode checkVector} wants it.
 * @param into Where to, with room for 128 components.
 * @returns How many components the vector has.
 * @throws {TypeError} If it is no vector, or a component is not a number.
 * @throws {RangeError} If it has too few or too many components, or one is not finite.
 */
export function copyVector(vector: unknown, into: Float32Array): number {
  return copyComponents(vector, into, "Vector", MAX_DIMENSION);
}

/**
 * Checks a vector and copies it, as {@linkcode copyVector} does, with limits and a name of its own.
 *
 * @param vector What should be a vector.
 * @param into Where to, with room for the most components.
 * @param name What it is called in the error.
 * @param most The most components that it may have.
 * @param least The least; 1 where it is left out.
 * @returns How many components the vector has.
 * @throws {TypeError} If it is no vector, or a component is not a number.
 * @throws {RangeError} If it has too few or too many components, or one is not finite.
 */
export function copyComponents(
  vector: unknown,
  into: Float32Array,
  name: string,
  most: number,
  least: number = 1,
): number {
  if (!(isFloat32Array(vector) || Array.isArray(vector))) {
    throw new TypeError(
      `${name} must be a Float32Array or an array of numbers, not ${describe(vector)}`,
    );
  }
  const length = vector.length;
  if (length < least || length > most) {
    const wanted = least === most ? least : `${least} to ${most}`;
    throw new RangeError(`${name} must have ${wanted} components, not ${length}`);
  }
  const end = isFloat32Array(vector)
    ? copyFloats(vector, into, length)
    : copyNumbers(vector, into, length);
  if (end < length) throw componentError(end, vector[end], name);
  return length;
}

/** Copies floats; returns the index of the first that is not finite, or `length`. */
function copyFloats(vector: Float32Array, into: Float32Array, length: number): number {
  for (let i = 0; i < length; i++) {
    const component = vector[i]!;
    if (!Number.isFinite(component)) return i;
    into[i] = component;
  }
  return length;
}

/** Copies numbers; returns the index of the first that is none, or not finite as a float. */
function copyNumbers(vector: readonly unknown[], into: Float32Array, length: number): number {
  for (let i = 0; i < length; i++) {
    const component = vector[i];
    // The device stores 32-bit floats: 1e39 is a finite number here and infinite there.
    if (typeof component !== "number" || !Number.isFinite(Math.fround(component))) return i;
    into[i] = component;
  }
  return length;
}

/** Names the component that is wrong, and how. */
function componentError(index: number, component: unknown, name: string): TypeError | RangeError {
  const rule = `Component ${index} of the ${name[0]!.toLowerCase()}${name.slice(1)} must be`;
  return typeof component === "number"
    ? new RangeError(`${rule} finite as a 32-bit float (at most about 3.4e38), not ${component}`)
    : new TypeError(`${rule} a number, not ${describe(component)}`);
}

/**
 * Checks an integer.
 *
 * @param name What it is called in the error.
 * @param value What should be an integer.
 * @param limits The least and the greatest that it may be.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is another number.
 */
export function checkInteger(
  name: string,
  value: unknown,
  { least, most }: { readonly least: number; readonly most: number },
): asserts value is number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
    return;
  }
  const rule = `${name} must be an integer from ${least} to ${most}`;
  if (typeof value !== "number") throw new TypeError(`${rule}, not ${describe(value)}`);
  throw new RangeError(`${rule}, not ${value}`);
}

/** The getter behind a typed array's name, which works across realms and runs nobody's code. */
const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Float32Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** Whether a value is a `Float32Array`, of this realm or another. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return typedArrayName.call(value) === "Float32Array";
}

/** Names a value of a wrong type: short, and without running its code. */
export function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (ArrayBuffer.isView(value)) return `a ${typedArrayName.call(value) ?? "DataView"}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
