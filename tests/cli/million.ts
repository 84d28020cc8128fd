// SPDX-License-Identifier: MIT
/**
 * Writes vectors on standard output, as an .fbin file: row i is a pattern that follows from i.
 *
 * Usage: `deno run tests/cli/million.ts ROWS DIMENSION`
 *
 * @module
 */

/** Rows that are written at a time. */
const PIECE = 1_000;

/** Component j of row i. */
export function component(i: number, j: number): number {
  return ((i * 31 + j * 17) % 1009) / 1009;
}

/** Writes all rows. */
async function write(rows: number, dimension: number): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  await writer.write(new Uint8Array(Uint32Array.of(rows, dimension).buffer));
  for (let first = 0; first < rows; first += PIECE) {
    const piece = new Float32Array(Math.min(PIECE, rows - first) * dimension);
    for (let at = 0; at < piece.length; at++) {
      piece[at] = component(first + Math.floor(at / dimension), at % dimension);
    }
    await writer.write(new Uint8Array(piece.buffer));
  }
  await writer.close();
}

if (import.meta.main) {
  const [rows, dimension] = Deno.args.map(Number);
  await write(rows!, dimension!);
}
