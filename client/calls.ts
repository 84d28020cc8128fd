// SPDX-License-Identifier: MIT
/**
 * How a call of several pieces runs, at once or off the event loop: it is written once, as a
 * generator that yields each piece, and driven in one way or the other.
 *
 * @module
 */
import { type ErrnoName, ERRNOS, type Operation, VssError } from "./errors.ts";
import type { DeviceFile } from "./file.ts";
import type { Arrays, Piece } from "./memory.ts";
import type { SizedCommand, SizedView } from "./protocol2.ts";
import type { FieldSpecs, StructView } from "./struct.ts";

/** A call: yields its pieces, is given each one's errno, and returns its result. */
export type Call<Result> = Generator<Piece, Result, number>;

/**
 * Runs a call on this thread.
 *
 * @param file The device.
 * @param call The call.
 * @returns Its result.
 */
export function runSync<Result>(file: DeviceFile, call: Call<Result>): Result {
  let step = call.next();
  while (!step.done) {
    step = call.next(file.run(step.value));
  }
  return step.value;
}

/**
 * Runs a call off the event loop.
 *
 * @param file The device.
 * @param call The call.
 * @param signal Stops it before the next piece.
 * @returns Its result.
 * @throws The signal's reason, if that stopped it.
 */
export async function run<Result>(
  file: DeviceFile,
  call: Call<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const isOpen = file.hold();
  try {
    let step = call.next();
    while (!step.done) {
      signal?.throwIfAborted();
      step = call.next(isOpen ? await file.runAsync(step.value) : ERRNOS.EBADF.number);
    }
    return step.value;
  } finally {
    if (isOpen) file.release();
  }
}

/**
 * Makes a command's struct.
 *
 * @param command The command.
 * @param values What its fields are to be, the others being 0.
 * @returns The struct, its size filled in.
 */
export function argument<Specs extends FieldSpecs>(
  command: SizedCommand<Specs>,
  values: { readonly [Name in keyof Specs]?: number | bigint },
): StructView<Specs> {
  const view = command.struct.allocate();
  view.set("size", command.struct.size as never);
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) view.set(name, value as never);
  }
  return view;
}

/**
 * The piece that runs a command.
 *
 * @param command The command.
 * @param view Its struct.
 * @param arrays What the kernel reads and writes beside it, by the fields that hold the addresses.
 * @returns The piece.
 */
export function piece<Specs extends FieldSpecs>(
  command: SizedCommand<Specs>,
  view: StructView<Specs>,
  { reads = {}, writes = {} }: {
    readonly reads?: ArraysOf<Specs>;
    readonly writes?: ArraysOf<Specs>;
  } = {},
): Piece {
  return {
    command: command as unknown as SizedCommand,
    view: view as unknown as SizedView,
    reads: reads as Arrays,
    writes: writes as Arrays,
  };
}

/** Arrays by the fields of a struct. */
type ArraysOf<Specs extends FieldSpecs> = {
  readonly [Name in keyof Specs]?: ArrayBufferView | undefined;
};

/** What an errno means to one call, where it is more than the errno says. */
export type Meanings = Partial<
  Record<ErrnoName, { readonly meaning?: string; readonly advice?: string }>
>;

/** What failed. */
export interface Failure {
  /** What was being done. */
  readonly operation: Operation;
  /** The same in words. */
  readonly subject: string;
  /** Rows that came before. */
  readonly done?: number;
  /** What errnos mean here. */
  readonly meanings?: Meanings;
}

/**
 * Makes an error of a call's errno.
 *
 * @param errno The errno.
 * @param failure What failed.
 * @returns The error.
 */
export function failed(errno: number, { operation, subject, done, meanings }: Failure): VssError {
  const name = (Object.keys(ERRNOS) as ErrnoName[]).find((key) => ERRNOS[key].number === errno);
  const known = name && meanings?.[name];
  return new VssError(errno, {
    operation,
    subject: done ? `${subject} (after ${done})` : subject,
    done,
    meaning: known?.meaning,
    // What a meaning of its own says goes without the errno's usual advice.
    advice: known?.advice ?? (known?.meaning === undefined ? undefined : ""),
  });
}
