// SPDX-License-Identifier: MIT
/**
 * npm's `usearch`: its exact search, which scans one array of all vectors.
 *
 * @module
 */
import { loadPackage } from "./packages.ts";
import { type Contestant, K, runWorker } from "./worker.ts";

/** The part of the package that is used. */
interface Usearch {
  MetricKind: { L2sq: string };
  exactSearch(
    dataset: Float32Array,
    queries: Float32Array,
    dimension: number,
    k: number,
    metric: string,
    threads: number,
  ): { keys: BigUint64Array };
}

const { module: usearch, version } = loadPackage<Usearch>("usearch");
let dataset = new Float32Array();
let components = 0;
let threadCount = 1;
let filled = 0;

/** The queries must begin at the beginning of their buffer: their offset is ignored. */
function search(queries: Float32Array): BigUint64Array {
  const metric = usearch.MetricKind.L2sq;
  return usearch.exactSearch(dataset, queries, components, K, metric, threadCount).keys;
}

const contestant: Contestant<BigUint64Array> = {
  version: `${version}; Deno ${Deno.version.deno}`,
  begin(rows, dimension) {
    dataset = new Float32Array(rows * dimension);
    components = dimension;
    filled = 0;
  },
  insert(_ids, vectors) {
    dataset.set(vectors, filled);
    filled += vectors.length;
  },
  threads: (wanted) => threadCount = wanted,
  search,
  idsOf: (keys) => keys,
  batch: search,
  drop() {
    dataset = new Float32Array();
  },
};

await runWorker(contestant);
