// SPDX-License-Identifier: MIT
/**
 * How a call of several pieces runs, at once or off the event loop: it is written once, as a
 * generator that yields each piece, and driven in one way or the other.
 *
 * @module
 */
import { type ErrnoName, ERRNOS, type Operation, VssError } from "./errors.ts";
import type { DeviceFile, Piece } from "./file.ts";
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
 * @param arrays The arrays whose addresses are in it.
 * @returns The piece.
 */
export function piece<Specs extends FieldSpecs>(
  command: SizedCommand<Specs>,
  view: StructView<Specs>,
  arrays: readonly (ArrayBufferView | undefined)[] = [],
): Piece {
  return { command: command.number, view: view as unknown as SizedView, arrays };
}

/**
 * Where an array lies, for a struct's field. The piece must be given the array, too, which keeps it.
 *
 * @param array The array.
 * @returns Its address; 0 where it is empty or left out.
 */
export function address(array: ArrayBufferView | undefined): bigint {
  if (array === undefined || array.byteLength === 0) return 0n;
  const pointer = Deno.UnsafePointer.of(array as Uint8Array<ArrayBuffer>);
  return BigInt(Deno.UnsafePointer.value(pointer));
}

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
