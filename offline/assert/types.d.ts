// SPDX-License-Identifier: MIT
/**
 * The types of `@std/assert`'s functions.
 *
 * @module
 */

/** A class whose instances are errors, abstract or not. */
// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error = Error> = abstract new (...args: any[]) => E;

/** A class of any kind, abstract or not. */
// deno-lint-ignore no-explicit-any
type AnyClass = abstract new (...args: any[]) => any;

/** What an assertion that does not hold throws. */
export declare class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** Whether two values are deeply equal. */
export declare function equal(a: unknown, b: unknown): boolean;
/** Asserts that `expr` is truthy. */
export declare function assert(expr: unknown, msg?: string): asserts expr;
/** Asserts that two numbers differ by no more than `tolerance`. */
export declare function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void;
/** Asserts that `actual` holds everything that `expected` does. */
export declare function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void;
/** Asserts that two values are deeply equal. */
export declare function assertEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is neither null nor undefined. */
export declare function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T>;
/** Asserts that `expr` is falsy. */
export declare function assertFalse(
  expr: unknown,
  msg?: string,
): asserts expr is false | 0 | 0n | "" | null | undefined;
/** Asserts that `actual` is greater than `expected`. */
export declare function assertGreater<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is not less than `expected`. */
export declare function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is less than `expected`. */
export declare function assertLess<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is not greater than `expected`. */
export declare function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is an instance of `expectedType`. */
export declare function assertInstanceOf<T extends AnyClass>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T>;
/** Asserts that `actual` is no instance of `unexpectedType`. */
export declare function assertNotInstanceOf<A, T>(
  actual: A,
  unexpectedType: abstract new (...args: never[]) => T,
  msg?: string,
): asserts actual is Exclude<A, T>;
/** Asserts that `error` is an error, of a class and with a text in its message. */
export declare function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E;
/** Asserts that `actual` matches `expected`. */
export declare function assertMatch(actual: string, expected: RegExp, msg?: string): void;
/** Asserts that `actual` does not match `expected`. */
export declare function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
/** Asserts that two values are not deeply equal. */
export declare function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that two values are the same. */
export declare function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T;
/** Asserts that two values are not the same. */
export declare function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` has the properties of `expected`, at any depth. */
export declare function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void;
/** Asserts that `actual` contains `expected`. */
export declare function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void;
/** Asserts that `fn` throws, and returns what it threw. */
export declare function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that `fn` throws an error of a class, and returns that error. */
export declare function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
/** Asserts that `fn` rejects, and returns what it rejected with. */
export declare function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that `fn` rejects with an error of a class, and returns that error. */
export declare function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
/** Fails. */
export declare function fail(msg?: string): never;
/** Fails because something is not there yet. */
export declare function unimplemented(msg?: string): never;
/** Fails because this place should not be reached. */
export declare function unreachable(msg?: string): never;
