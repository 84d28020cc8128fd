// SPDX-License-Identifier: MIT
/**
 * Arrays of numpy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 *
 * @module
 */
import { ByteReader, ELEMENTS, packRows, readRecords } from "./binary.ts";
import { type Format, FormatError } from "./format.ts";
import { checkDimension } from "./rows.ts";

const MAGIC = "\x93NUMPY";

/** Bytes before the header: magic, version and, in version 1, the header's length. */
const PREFIX_BYTES = 10;

/** Where the array begins is a multiple of this. */
const ALIGNMENT = 64;

/** Digits that numpy leaves room for in the number of rows, so that it can grow. */
const COUNT_DIGITS = 21;

/** Bytes of the longest header that is read; numpy's own reader stops sooner. */
const MAX_HEADER_BYTES = 65_536;

/** What a header says. */
interface Header {
  readonly count: number;
  readonly dimension: number;
  readonly element: keyof typeof ELEMENTS;
  readonly littleEndian: boolean;
}

/** A two-dimensional array of floats, a row a vector; ids are places, from 0. */
export const npy: Format = {
  name: "npy",
  extensions: [".npy"],
  summary: "a numpy array of rows: f4, f8 or f2, C order; written as f4",
  unit: "row",
  keeps: [],

  async *read(source, { skip = 0, dimension: expected }) {
    const reader = new ByteReader(source);
    const { count, dimension, element, littleEndian } = await readHeader(reader);
    checkDimension(source.name, dimension, expected);
    const layout = { dimension, element: ELEMENTS[element], littleEndian, head: 0, count, skip };
    yield* readRecords(reader, layout);
  },

  async write(sink, batches, { dimension }) {
    if (sink.patch === undefined) {
      throw new FormatError(`npy needs a file to write to, not ${sink.name}`);
    }
    // How many rows there are is known at the end; the header is as long, then.
    await sink.write(headerOf(0, dimension));
    let count = 0;
    for await (const rows of batches) {
      await sink.write(packRows(rows, ELEMENTS.f4, dimension, { bytes: 0 }));
      count += rows.length;
    }
    await sink.patch(0, headerOf(count, dimension));
    return count;
  },
};

async function readHeader(reader: ByteReader): Promise<Header> {
  const start = await reader.read(MAGIC.length + 2);
  const [major = 0] = start.subarray(MAGIC.length);
  if (latin1(start.subarray(0, MAGIC.length)) !== MAGIC || major < 1 || major > 3) {
    throw new FormatError(`${reader.name} must be a numpy array of format version 1 to 3`);
  }
  const lengthBytes = await reader.read(major === 1 ? 2 : 4);
  const length = lengthBytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `Header of ${reader.name} must have at most ${MAX_HEADER_BYTES} bytes, not ${length}`,
    );
  }
  const bytes = await reader.read(length);
  if (length === 0 || bytes.length < length) {
    throw new FormatError(`${reader.name} ends within its header, at byte ${reader.position}`);
  }
  return parseHeader(reader.name, latin1(bytes));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Reads the one kind of Python literal that numpy writes. */
function parseHeader(name: string, text: string): Header {
  const form =
    /^\{(?:\s*'(?:descr|fortran_order|shape)'\s*:\s*(?:'[^']*'|True|False|\([\d, ]*\))\s*,?)+\s*\}\s*$/;
  const [, order, element] = /'descr'\s*:\s*'([<>|=])?(\w+)'/.exec(text) ?? [];
  const [, fortran] = /'fortran_order'\s*:\s*(True|False)/.exec(text) ?? [];
  const [, shape] = /'shape'\s*:\s*\(([\d, ]*)\)/.exec(text) ?? [];
  const isArray = form.test(text) && element !== undefined && shape !== undefined;
  if (!isArray || fortran === undefined) {
    throw new FormatError(
      `Header of ${name} must be numpy's, not ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  if (element !== "f2" && element !== "f4" && element !== "f8") {
    throw new FormatError(`${name} must hold floats (f4, f8 or f2), not ${order ?? ""}${element}`);
  }
  if (fortran === "True") {
    throw new FormatError(`${name} must be in C order, not Fortran's; use numpy.ascontiguousarray`);
  }
  const sizes = shape.split(",").map((size) => size.trim()).filter((size) => size !== "");
  const [count = NaN, dimension = NaN] = sizes.map(Number);
  if (sizes.length !== 2 || !Number.isSafeInteger(count)) {
    throw new FormatError(`${name} must have two dimensions, rows and components, not (${shape})`);
  }
  return { count, dimension, element, littleEndian: order !== ">" };
}

/** The header that numpy.save() writes. */
function headerOf(count: number, dimension: number): Uint8Array {
  const shape = `(${count}, ${dimension})`;
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const grown = fields + " ".repeat(COUNT_DIGITS - String(count).length);
  const padding = ALIGNMENT - (PREFIX_BYTES + grown.length + 1) % ALIGNMENT;
  const header = `${grown}${" ".repeat(padding)}\n`;
  const prefix = `${MAGIC}\x01\x00${String.fromCharCode(header.length & 255, header.length >> 8)}`;
  return Uint8Array.from(prefix + header, (character) => character.charCodeAt(0));
}
