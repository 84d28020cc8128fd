// SPDX-License-Identifier: MIT
/**
 * C structs as data: name the fields and their types, and offsets, size, encoder and decoder follow.
 *
 * The layout is that of every Linux ABI Deno runs on: natural alignment, little-endian.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { struct } from "./struct.ts";
 *
 * const POINT = struct("point", { tag: "u32", at: ["f32", 2] });
 *
 * assertEquals(POINT.size, 12);
 * assertEquals(POINT.fields.at.offset, 4);
 * assertEquals(POINT.decode(POINT.encode({ tag: 7, at: [0.5, 2] })), { tag: 7, at: [0.5, 2] });
 * ```
 *
 * @module
 */

/** What one C type takes and how it is read and written. */
interface Scalar {
  readonly size: number;
  readonly read: (view: DataView, offset: number) => number | bigint;
  readonly write: (view: DataView, offset: number, value: number | bigint) => void;
}

/** The C types that a field may have. Alignment equals size for each of them. */
const SCALARS = {
  u8: {
    size: 1,
    read: (view, offset) => view.getUint8(offset),
    write: (view, offset, value) => view.setUint8(offset, Number(value)),
  },
  u16: {
    size: 2,
    read: (view, offset) => view.getUint16(offset, true),
    write: (view, offset, value) => view.setUint16(offset, Number(value), true),
  },
  u32: {
    size: 4,
    read: (view, offset) => view.getUint32(offset, true),
    write: (view, offset, value) => view.setUint32(offset, Number(value), true),
  },
  s32: {
    size: 4,
    read: (view, offset) => view.getInt32(offset, true),
    write: (view, offset, value) => view.setInt32(offset, Number(value), true),
  },
  u64: {
    size: 8,
    read: (view, offset) => view.getBigUint64(offset, true),
    write: (view, offset, value) => view.setBigUint64(offset, BigInt(value), true),
  },
  f32: {
    size: 4,
    read: (view, offset) => view.getFloat32(offset, true),
    write: (view, offset, value) => view.setFloat32(offset, Number(value), true),
  },
} as const satisfies Record<string, Scalar>;

/** The name of a C type: `u8`, `u16`, `u32`, `s32`, `u64` or `f32`. */
export type ScalarType = keyof typeof SCALARS;

/** A field's declaration: a type, or a type and the length of an array of it. */
export type FieldSpec = ScalarType | readonly [type: ScalarType, count: number];

/** The fields of a struct, in the order in which C declares them. */
export type FieldSpecs = Readonly<Record<string, FieldSpec>>;

/** What one element of a field reads as: 64-bit integers are bigints, all else is a number. */
export type Element<Spec extends FieldSpec> = (
  Spec extends readonly [infer Type, number] ? Type : Spec
) extends "u64" ? bigint : number;

/** What a whole field reads as. */
export type FieldValue<Spec extends FieldSpec> = Spec extends readonly [ScalarType, number]
  ? Element<Spec>[]
  : Element<Spec>;

/** What may be written to a whole field; an array may be shorter than the field. */
export type FieldInput<Spec extends FieldSpec> = Spec extends readonly [ScalarType, number]
  ? ArrayLike<Element<Spec>>
  : Element<Spec>;

/** Where a field lies. */
export interface Field {
  /** The field's C type. */
  readonly type: ScalarType;
  /** How many elements it has; 1 for a plain field. */
  readonly count: number;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes that the field takes. */
  readonly size: number;
  /** Whether C declares it as an array. */
  readonly isArray: boolean;
}

/** One struct in memory: its fields are read and written in place. */
export class StructView<Specs extends FieldSpecs> {
  /** The bytes, as they go to the kernel. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #fields: { readonly [Name in keyof Specs]: Field };

  /**
   * Lays fields over bytes; {@linkcode Struct.on} and {@linkcode Struct.allocate} are how one is made.
   *
   * @param fields Where the fields lie.
   * @param bytes The memory, at least as long as the struct.
   */
  constructor(
    fields: { readonly [Name in keyof Specs]: Field },
    bytes: Uint8Array<ArrayBuffer>,
  ) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fields = fields;
  }

  /**
   * Reads a field, or one element of an array.
   *
   * @param name The field.
   * @param index Which element.
   * @returns The element's value.
   * @throws {RangeError} If the field has no such element.
   */
  get<Name extends keyof Specs>(name: Name, index = 0): Element<Specs[Name]> {
    const field = this.#fields[name];
    const scalar: Scalar = SCALARS[field.type];
    const offset = elementOffset(name, field, index);
    return scalar.read(this.#view, offset) as Element<Specs[Name]>;
  }

  /**
   * Writes a field, or one element of an array.
   *
   * @param name The field.
   * @param value What to write.
   * @param index Which element.
   * @throws {RangeError} If the field has no such element.
   */
  set<Name extends keyof Specs>(name: Name, value: Element<Specs[Name]>, index = 0): void {
    const field = this.#fields[name];
    const scalar: Scalar = SCALARS[field.type];
    scalar.write(this.#view, elementOffset(name, field, index), value);
  }

  /**
   * Writes the first elements of an array; the others keep their values.
   *
   * @param name The field.
   * @param values What to write.
   * @param count How many of the values to write.
   * @throws {RangeError} If there are more values than elements.
   */
  setAll<Name extends keyof Specs>(
    name: Name,
    values: ArrayLike<Element<Specs[Name]>>,
    count: number = values.length,
  ): void {
    const field = this.#fields[name];
    if (count > field.count) {
      throw new RangeError(`Field ${String(name)} holds ${field.count} elements, not ${count}`);
    }
    const scalar: Scalar = SCALARS[field.type];
    for (let i = 0; i < count; i++) {
      scalar.write(this.#view, field.offset + i * scalar.size, values[i]!);
    }
  }

  /**
   * Reads an array of bytes as a C string.
   *
   * @param name The field.
   * @returns The text before the first NUL, as UTF-8.
   */
  getText(name: keyof Specs): string {
    const { offset, size } = this.#fields[name];
    const bytes = this.bytes.subarray(offset, offset + size);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }
}

/** A struct's name, layout and codec. */
export interface Struct<Specs extends FieldSpecs = FieldSpecs> {
  /** The struct's name in C. */
  readonly name: string;
  /** What `sizeof` gives. */
  readonly size: number;
  /** Where each field lies. */
  readonly fields: { readonly [Name in keyof Specs]: Field };
  /** Makes a zeroed struct. */
  allocate(): StructView<Specs>;
  /** Lays the struct over bytes that are there already. */
  on(bytes: Uint8Array<ArrayBuffer>): StructView<Specs>;
  /** Writes a whole struct; elements that an array does not give stay as they are in `into`. */
  encode(
    values: { readonly [Name in keyof Specs]: FieldInput<Specs[Name]> },
    into?: Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer>;
  /** Reads a whole struct. */
  decode(bytes: Uint8Array<ArrayBuffer>): { [Name in keyof Specs]: FieldValue<Specs[Name]> };
}

/**
 * Declares a C struct.
 *
 * @param name The struct's name in C.
 * @param specs Its fields in C's order.
 * @returns The struct's layout and codec.
 *
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { struct } from "./struct.ts";
 *
 * const PAIR = struct("pair", { key: "u32", value: "u64" });
 *
 * assertEquals(PAIR.fields.value.offset, 8);
 * assertEquals(PAIR.size, 16);
 * ```
 */
export function struct<const Specs extends FieldSpecs>(name: string, specs: Specs): Struct<Specs> {
  const { fields, size } = layOut(specs);
  const names = Object.keys(specs) as (keyof Specs & string)[];

  function on(bytes: Uint8Array<ArrayBuffer>): StructView<Specs> {
    if (bytes.byteLength < size) {
      throw new RangeError(`Struct ${name} takes ${size} bytes, not ${bytes.byteLength}`);
    }
    return new StructView<Specs>(fields, bytes);
  }

  return {
    name,
    size,
    fields,
    on,
    allocate: () => on(new Uint8Array(size)),
    encode(values, into = new Uint8Array(size)) {
      const view = on(into);
      for (const field of names) {
        const value: unknown = values[field];
        if (fields[field].isArray) view.setAll(field, value as never);
        else view.set(field, value as never);
      }
      return into;
    },
    decode(bytes) {
      const view = on(bytes);
      const values: Record<string, unknown> = {};
      for (const field of names) {
        const { isArray, count } = fields[field];
        values[field] = isArray
          ? Array.from({ length: count }, (_, index) => view.get(field, index))
          : view.get(field);
      }
      return values as { [Name in keyof Specs]: FieldValue<Specs[Name]> };
    },
  };
}

/** Where an element lies, once it is known to lie inside its field. */
function elementOffset(name: PropertyKey, field: Field, index: number): number {
  if (!(index >= 0 && index < field.count)) {
    throw new RangeError(`Field ${String(name)} has ${field.count} elements, none at ${index}`);
  }
  return field.offset + index * SCALARS[field.type].size;
}

/** Places each field at the next multiple of its type's size, as every C compiler here does. */
function layOut<Specs extends FieldSpecs>(
  specs: Specs,
): { fields: { readonly [Name in keyof Specs]: Field }; size: number } {
  const fields: Record<string, Field> = {};
  let end = 0;
  let alignment = 1;
  for (const [name, spec] of Object.entries(specs)) {
    const [type, count] = typeof spec === "string" ? [spec, 1] : spec;
    const unit = SCALARS[type].size;
    const offset = Math.ceil(end / unit) * unit;
    fields[name] = { type, count, offset, size: unit * count, isArray: typeof spec !== "string" };
    end = offset + unit * count;
    alignment = Math.max(alignment, unit);
  }
  return {
    fields: fields as { readonly [Name in keyof Specs]: Field },
    size: Math.ceil(end / alignment) * alignment,
  };
}
