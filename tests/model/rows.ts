// SPDX-License-Identifier: MIT
/**
 * Rows and queries that a seed decides.
 *
 * @module
 */
import type { Id, Row, TagFilter } from "../../mod.ts";
import { random } from "./random.ts";

/** A row with all that it has. */
export type FullRow = Required<Row> & { tags: Id };

/** What rows are made for. */
interface Space {
  /** Components of a vector. */
  readonly dimension: number;
}

/**
 * Makes a row that its id and version decide. Some rows are equal, some have no payload.
 *
 * @param id The id.
 * @param version The version.
 * @param store A store of the row's dimension.
 * @returns The row.
 */
export function makeRow(
  id: number,
  version: number,
  { dimension }: Space,
): FullRow {
  const next = random(Math.imul(id + 1, 0x9e3779b1) ^ version);
  const cluster = random(id % 5);
  const scale = id % 7 === 0 ? 0 : 0.3;
  const vector = Float32Array.from(
    { length: dimension },
    () => cluster() - 0.5 + scale * (next() - 0.5),
  );
  const tags = BigInt(Math.floor(next() * 256)) | (next() < 0.2 ? 1n << 63n : 0n);
  const payload = next() < 0.3 ? undefined : `${id}@${version} `.repeat(Math.floor(next() * 50));
  return { id, vector, tags: tags < 2n ** 53n ? Number(tags) : tags, payload };
}

/** Whether a row matches a tag filter. */
export function matches({ tags }: Pick<FullRow, "tags">, { mask, value }: TagFilter): boolean {
  return (BigInt(tags) & BigInt(mask)) === BigInt(value);
}

/** Makes a query near one of the clusters that the rows lie around. */
export function makeQuery(seed: number, { dimension }: Space): Float32Array {
  const next = random(seed);
  const cluster = random(seed % 5);
  return Float32Array.from({ length: dimension }, () => cluster() - 0.5 + 0.3 * (next() - 0.5));
}
