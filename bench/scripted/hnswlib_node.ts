// SPDX-License-Identifier: MIT
/**
 * npm's `hnswlib-node`: its brute force, one thread.
 *
 * @module
 */
import { loadPackage } from "./packages.ts";
import { type Contestant, K, runWorker } from "./worker.ts";

/** The part of the package's index that is used; it takes plain arrays only. */
interface Index {
  initIndex(capacity: number): void;
  addPoint(vector: number[], id: number): void;
  searchKnn(query: number[], k: number): { neighbors: number[] };
}

/** The part of the package that is used. */
interface HnswlibNode {
  BruteforceSearch: new (space: "l2", dimension: number) => Index;
}

const { module, version } = loadPackage<HnswlibNode>("hnswlib-node");
let index: Index | undefined;
let components = 0;

const contestant: Contestant<number[]> = {
  version: `${version}; Deno ${Deno.version.deno}`,
  begin(rows, dimension) {
    components = dimension;
    index = new module.BruteforceSearch("l2", dimension);
    index.initIndex(rows);
  },
  insert(ids, vectors) {
    for (let i = 0; i < ids.length; i++) {
      const vector = Array.from(vectors.subarray(i * components, (i + 1) * components));
      index!.addPoint(vector, Number(ids[i]));
    }
  },
  threads: () => 1,
  search: (query) => index!.searchKnn(Array.from(query), K).neighbors,
  idsOf: (neighbours) => neighbours,
  drop() {
    index = undefined;
  },
};

await runWorker(contestant);
