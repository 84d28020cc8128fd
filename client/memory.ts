// SPDX-License-Identifier: MIT
/**
 * The memory that a command reads and writes: where its arrays are, and where what it writes goes
 * while it runs off the event loop.
 *
 * @module
 */
import { libc } from "./libc.ts";
import type { SizedCommand, SizedView } from "./protocol2.ts";

/** Arrays, by the fields of a struct that hold their addresses. */
export type Arrays = Readonly<Record<string, ArrayBufferView | undefined>>;

/** One `ioctl` of protocol 2. */
export interface Piece {
  /** The command. */
  readonly command: SizedCommand;
  /** Its struct, which nobody else may touch meanwhile. */
  readonly view: SizedView;
  /** What the kernel reads. */
  readonly reads: Arrays;
  /** What the kernel writes. */
  readonly writes: Arrays;
}

/** Where each thing in a {@linkcode Shadow} begins: the greatest alignment of any. */
const ALIGNMENT = 8;

/**
 * Where an array lies, for a struct's field. Whoever uses it must keep the array.
 *
 * @param array The array.
 * @returns Its address; 0 where it is empty or left out.
 */
export function address(array: ArrayBufferView | undefined): bigint {
  if (array === undefined || array.byteLength === 0) return 0n;
  const pointer = Deno.UnsafePointer.of(array as Uint8Array<ArrayBuffer>);
  return BigInt(Deno.UnsafePointer.value(pointer));
}

/**
 * Writes the addresses of a piece's arrays into its struct.
 *
 * @param view The struct.
 * @param arrays The arrays, by their fields.
 */
export function pointAt(view: SizedView, arrays: Arrays): void {
  for (const [field, array] of Object.entries(arrays)) setAddress(view, field, address(array));
}

function setAddress(view: SizedView, field: string, at: bigint): void {
  view.set(field as "size", at as never);
}

/**
 * A piece's struct, and the arrays that the kernel writes, in memory that is the process's and not
 * JavaScript's. Where a worker is terminated, or the process exits, all of JavaScript's memory is
 * given back, while the kernel goes on to write for a call that is underway. This memory is lost
 * then, and nobody else's is overwritten.
 */
export class Shadow {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #piece: Piece;
  readonly #pointer: Deno.PointerObject;
  readonly #memory: ArrayBuffer;

  private constructor(piece: Piece, pointer: Deno.PointerObject, length: number) {
    this.#piece = piece;
    this.#pointer = pointer;
    this.#memory = Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    this.bytes = new Uint8Array(this.#memory, 0, piece.command.struct.size);
    this.bytes.set(piece.view.bytes);
    this.#point();
  }

  /**
   * Copies a piece's struct.
   *
   * @param piece The piece.
   * @returns Its shadow, which must be freed; none where there is no memory.
   */
  static of(piece: Piece): Shadow | undefined {
    let length = aligned(piece.command.struct.size);
    for (const array of Object.values(piece.writes)) length += aligned(array?.byteLength ?? 0);
    // Zeros, as new arrays are: what the kernel leaves out reads as it does without a shadow.
    const pointer = libc().symbols.calloc(1n, BigInt(length));
    return pointer === null ? undefined : new Shadow(piece, pointer, length);
  }

  /** Gives what the kernel has written to the piece. Its addresses are then the shadow's. */
  copyBack(): void {
    const { command, view, writes } = this.#piece;
    view.bytes.set(this.bytes);
    let offset = aligned(command.struct.size);
    for (const array of Object.values(writes)) {
      if (array === undefined) continue;
      bytesOf(array).set(new Uint8Array(this.#memory, offset, array.byteLength));
      offset += aligned(array.byteLength);
    }
  }

  /** Frees the memory, once no call is underway on it. */
  free(): void {
    libc().symbols.free(this.#pointer);
  }

  /** Has the copied struct point at what the kernel reads, and at the shadows of what it writes. */
  #point(): void {
    const { command, reads, writes } = this.#piece;
    const view = command.struct.on(this.bytes) as unknown as SizedView;
    pointAt(view, reads);
    const base = BigInt(Deno.UnsafePointer.value(this.#pointer));
    let offset = aligned(command.struct.size);
    for (const [field, array] of Object.entries(writes)) {
      const length = array?.byteLength ?? 0;
      setAddress(view, field, length === 0 ? 0n : base + BigInt(offset));
      offset += aligned(length);
    }
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
