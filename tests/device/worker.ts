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
}

/** What it answers. */
export interface WorkerAnswer {
  /** Rows put that were new. */
  readonly inserted: number;
  /** Searches that found the row that was put just before. */
  readonly found: number;
  /** What a refusal was, or none. */
  readonly code: string | undefined;
}

/** Rows that are put at a time. */
const BATCH = 100;

/** Puts rows whose one component is their id, and looks for the last of each batch. */
async function work({ handle, first, count }: WorkerTask): Promise<WorkerAnswer> {
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

/** What a worker's global scope has and that of a window lacks. */
const scope = globalThis as unknown as { postMessage(message: unknown): void };

globalThis.addEventListener("message", async (event) => {
  scope.postMessage(await work((event as MessageEvent<WorkerTask>).data));
});
