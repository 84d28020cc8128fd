// SPDX-License-Identifier: MIT
/**
 * The driver through its Deno client. Runs where the driver is.
 *
 * @module
 */
import { type Collection, type Match, Vss } from "../../mod.ts";
import { type Contestant, K, runWorker } from "./worker.ts";

const SEARCH_CPUS = "/sys/module/vss/parameters/search_cpus";
const OPTIONS = { k: K };

const vss = Vss.open();
const { release, simd } = vss.info();
let collection: Collection;

const contestant: Contestant<Match[]> = {
  version: `${release}, ${simd}; Deno ${Deno.version.deno}`,
  begin(rows, dimension) {
    collection = vss.privateCollection({ dimension, capacity: rows });
  },
  insert(ids, vectors) {
    collection.putSync({ ids, vectors });
  },
  bytes: () => collection.statsSync().bytes,
  threads(wanted) {
    try {
      Deno.writeTextFileSync(SEARCH_CPUS, String(wanted), { create: false });
      return wanted;
    } catch (error) {
      // A driver without the parameter searches with one.
      if (error instanceof Deno.errors.NotFound) return 1;
      throw error;
    }
  },
  search: (query) => collection.searchSync(query, OPTIONS),
  idsOf: (hits) => hits.map((hit) => Number(hit.id)),
  batch(queries) {
    return collection.searchBatchSync(queries, OPTIONS).flatMap((hits) =>
      hits.map((hit) => hit.id)
    );
  },
  drop() {
    collection.close();
  },
};

await runWorker(contestant);
