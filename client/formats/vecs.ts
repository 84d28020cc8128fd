// SPDX-License-Identifier: MIT
/**
 * The files of the TEXMEX collection (http://corpus-texmex.irisa.fr): each vector is preceded by its
 * dimension.
 *
 * @module
 */
import { ByteReader, type Element, ELEMENTS, packRows, readRecords } from "./binary.ts";
import { type Format, FormatError } from "./format.ts";
import { checkDimension } from "./rows.ts";

const DIMENSION_BYTES = 4;

/** Makes the format with one type of components. */
function vecs(name: string, element: Element, summary: string): Format {
  return {
    name,
    extensions: [`.${name}`],
    summary,
    unit: "row",
    keeps: [],

    async *read(source, { skip = 0, dimension: expected }) {
      // The first row's dimension is needed before it is read: it is looked at twice.
      const { first, again } = await peek(new ByteReader(source));
      if (first.length === 0) return;
      if (first.length < DIMENSION_BYTES) {
        throw new FormatError(`${source.name} ends within row 1, at byte ${first.length}`);
      }
      const dimension = checkDimension(source.name, int32(first, 0), expected);
      yield* readRecords(again, {
        dimension,
        element,
        head: DIMENSION_BYTES,
        skip,
        checkHead(view, offset, place) {
          const own = view.getInt32(offset, true);
          if (own === dimension) return;
          const rule = `${source.name}, row ${place}: Vector must have ${dimension} components`;
          throw new FormatError(`${rule} as the first one, not ${own}`);
        },
      });
    },

    async write(sink, batches, { dimension }) {
      const head = {
        bytes: DIMENSION_BYTES,
        write: (view: DataView, offset: number) => view.setInt32(offset, dimension, true),
      };
      let count = 0;
      for await (const rows of batches) {
        await sink.write(packRows(rows, element, dimension, head));
        count += rows.length;
      }
      return count;
    },
  };
}

function int32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(offset, true);
}

/** The first bytes, and a reader that gives them again. */
async function peek(reader: ByteReader): Promise<{ first: Uint8Array; again: ByteReader }> {
  const first = await reader.read(DIMENSION_BYTES);
  const { name } = reader;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield first;
    try {
      for (let part; (part = await reader.read(1 << 18)).length > 0;) yield part;
    } finally {
      await reader.close();
    }
  }
  return { first, again: new ByteReader({ name, size: undefined, bytes }) };
}

/** 32-bit floats. */
export const fvecs: Format = vecs("fvecs", ELEMENTS.f4, "vectors of 32-bit floats, after TEXMEX");

/** Bytes. */
export const bvecs: Format = vecs("bvecs", ELEMENTS.u1, "vectors of bytes, after TEXMEX");

/** 32-bit integers. */
export const ivecs: Format = vecs("ivecs", ELEMENTS.i4, "vectors of 32-bit integers, after TEXMEX");
