// SPDX-License-Identifier: MIT
/**
 * What a worker of the tests does: it uses a collection that the main thread has open.
 *
 * @module
 */
import { Collection, type CollectionHandle, type VssError } from "../../mod.ts";

/** What the worker is asked. */
export interface WorkerTask {
  /** The collection. */
  readonly handle: CollectionHandle;
  /** The first of the ids to put. */
  readonly first: number;
  /** How many rows to put. */
  readonly count: number;
  /** Searches of zeros to begin instead; the answer comes while they are underway. */
  readonly searches?: number;
}

/** What it answers. */
export interface WorkerAnswer {
  /** Rows put that were new. */
  readonly inserted: number;
  /** Searches that found the row that was put just before. */
  readonly found: number;
  /** What a refusal was, or none. */
  readonly code: string | undefined;
  /** The descriptor of a collection that is left open. */
  readonly descriptor?: number;
}

/** Rows that are put at a time. */
const BATCH = 100;

/** Puts rows whose one component is their id, and looks for the last of each batch. */
async function work({ handle, first, count, searches }: WorkerTask): Promise<WorkerAnswer> {
  if (searches !== undefined) return begin(Collection.from(handle), searches);
  let inserted = 0;
  let found = 0;
  try {
    using store = Collection.from(handle);
    for (let start = first; start < first + count; start += BATCH) {
      const ids = Array.from({ length: BATCH }, (_, i) => start + i);
      inserted += (await store.put(ids.map((id) => ({ id, vector: [id] })))).inserted;
      const last = start + BATCH - 1;
      const [hit] = store.searchSync([last], { k: 1 });
      if (hit?.id === last && hit.distance === 0) found++;
    }
    return { inserted, found, code: undefined };
  } catch (error) {
    return { inserted, found, code: (error as VssError).code ?? String(error) };
  }
}

/** Begins searches, and does not wait for them. */
function begin(store: Collection, searches: number): WorkerAnswer {
  const query = new Float32Array(store.dimension);
  for (let i = 0; i < searches; i++) store.search(query, { k: i + 1 });
  return { inserted: 0, found: 0, code: undefined, descriptor: store.handle().descriptor };
}

/** What a worker's global scope has and that of a window lacks. */
const scope = globalThis as unknown as { postMessage(message: unknown): void };

globalThis.addEventListener("message", async (event) => {
  scope.postMessage(await work((event as MessageEvent<WorkerTask>).data));
});
