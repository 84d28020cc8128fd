// SPDX-License-Identifier: MIT
/**
 * The files of the billion-scale benchmarks (https://big-ann-benchmarks.com): the numbers of rows and
 * of components, then all components.
 *
 * @module
 */
import { ByteReader, type Element, ELEMENTS, packRows, readRecords } from "./binary.ts";
import { type Format, FormatError } from "./format.ts";
import { checkDimension } from "./rows.ts";

const HEADER_BYTES = 8;

function bin(name: string, element: Element, summary: string): Format {
  return {
    name,
    extensions: [`.${name}`],
    summary,
    unit: "row",
    keeps: [],

    async *read(source, { skip = 0, dimension: expected }) {
      const reader = new ByteReader(source);
      const header = await reader.read(HEADER_BYTES);
      if (header.length < HEADER_BYTES) {
        throw new FormatError(`${source.name} must begin with ${HEADER_BYTES} bytes of sizes`);
      }
      const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
      const count = view.getUint32(0, true);
      const dimension = checkDimension(source.name, view.getUint32(4, true), expected);
      yield* readRecords(reader, { dimension, element, head: 0, count, skip });
    },

    async write(sink, batches, { dimension }) {
      if (sink.patch === undefined) {
        throw new FormatError(`${name} needs a file to write to, not ${sink.name}`);
      }
      // How many rows there are is known at the end.
      await sink.write(headerOf(0, dimension));
      let count = 0;
      for await (const rows of batches) {
        await sink.write(packRows(rows, element, dimension, { bytes: 0 }));
        count += rows.length;
      }
      await sink.patch(0, headerOf(count, dimension));
      return count;
    },
  };
}

function headerOf(count: number, dimension: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  view.setUint32(0, count, true);
  view.setUint32(4, dimension, true);
  return new Uint8Array(view.buffer);
}

/** 32-bit floats. */
export const fbin: Format = bin("fbin", ELEMENTS.f4, "sizes, then 32-bit floats");

/** Bytes. */
export const u8bin: Format = bin("u8bin", ELEMENTS.u1, "sizes, then bytes");
