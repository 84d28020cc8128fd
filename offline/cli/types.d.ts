// SPDX-License-Identifier: MIT
/**
 * The types of `@std/cli`'s argument parser.
 *
 * @module
 */

/** What {@linkcode parseArgs} is told about the arguments. */
export interface ParseOptions<
  Booleans extends string = string,
  Strings extends string = string,
  Collected extends string = string,
  Defaults extends Record<string, unknown> = Record<string, unknown>,
  DoubleDash extends boolean = boolean,
> {
  /** Whether what follows `--` goes to `"--"` instead of `_`. */
  "--"?: DoubleDash;
  /** Other names of arguments. */
  alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Arguments that take no value. */
  boolean?: boolean | Booleans | readonly Booleans[];
  /** Arguments that keep their value as a string. */
  string?: Strings | readonly Strings[];
  /** Arguments that may be given several times. */
  collect?: Collected | readonly Collected[];
  /** Arguments that `--no-` turns off. */
  negatable?: string | readonly string[];
  /** Values of arguments that are not given. */
  default?: Defaults;
  /** Whether the first positional argument ends the options. */
  stopEarly?: boolean;
  /** Called with each argument that is not known; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns. */
export type Args<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Defaults = Record<never, never>,
  DoubleDash extends boolean = false,
> =
  & Record<string, unknown>
  & { _: Array<string | number> }
  & { [Key in Exclude<Booleans, Collected>]: boolean }
  & { [Key in Extract<Booleans, Collected>]: boolean[] }
  & { [Key in Exclude<Strings, Collected | keyof Defaults | "_">]?: string }
  & { [Key in Exclude<Extract<Strings, keyof Defaults>, Collected>]: string }
  & { [Key in Extract<Strings, Collected>]: string[] }
  & (DoubleDash extends true ? { "--": string[] } : Record<never, never>);

/** Turns command-line arguments into an object of options and positionals. */
export declare function parseArgs<
  const Booleans extends string = never,
  const Strings extends string = never,
  const Collected extends string = never,
  const Defaults extends Record<string, unknown> = Record<never, never>,
  const DoubleDash extends boolean = false,
>(
  args: string[],
  options?: ParseOptions<Booleans, Strings, Collected, Defaults, DoubleDash>,
): Args<Booleans, Strings, Collected, Defaults, DoubleDash>;
