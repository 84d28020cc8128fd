// SPDX-License-Identifier: MIT
/**
 * What a worker does that reads a collection while a history runs on it: each row that it gets must be
 * one that was put, as a whole, and searches must be in order. It ends when it is sent another message.
 *
 * @module
 */
import { Collection, type CollectionHandle, type Row } from "../../mod.ts";
import { makeQuery, makeRow } from "../model/rows.ts";

/** What the worker is asked. */
export interface ReaderTask {
  /** The collection, whose rows the model has made. */
  readonly handle: CollectionHandle;
  /** Decides what is looked for. */
  readonly seed: number;
}

/** What it answers when it has begun, and when it has ended. */
export interface ReaderAnswer {
  /** Searches that were made. */
  readonly rounds: number;
  /** What was wrong. */
  readonly wrong: readonly string[];
}

/** Wrong things that are told; further ones say nothing new. */
const MOST_WRONG = 5;

/** What a worker's global scope has and that of a window lacks. */
const scope = globalThis as unknown as { postMessage(answer: ReaderAnswer): void };

let isStopped = false;

globalThis.addEventListener("message", async (event) => {
  const { data } = event as MessageEvent<ReaderTask | "stop">;
  if (data === "stop") isStopped = true;
  else scope.postMessage(await read(data));
});

async function read({ handle, seed }: ReaderTask): Promise<ReaderAnswer> {
  const wrong: string[] = [];
  using store = Collection.from(handle);
  scope.postMessage({ rounds: 0, wrong });
  const check = (row: Row | undefined) => {
    const reason = row && whatIsWrong(row, store);
    if (reason) wrong.push(reason);
  };
  let rounds = 0;
  try {
    for (; !isStopped && wrong.length < MOST_WRONG; rounds++) {
      const hits = await store.search(makeQuery(seed + rounds, store), { k: 20 });
      const isSorted = hits.every((hit, i) => i === 0 || hits[i - 1]!.distance <= hit.distance);
      if (!isSorted) wrong.push("hits are not in order");
      for (const row of await store.get(hits.map(({ id }) => id), { payload: "text" })) check(row);
      if (rounds % 10 === 0) {
        for await (const row of store.scan({ payload: "text" })) check(row);
      }
    }
  } catch (error) {
    wrong.push(String(error));
  }
  while (!isStopped) await new Promise((resolve) => setTimeout(resolve, 10));
  return { rounds, wrong };
}

/** What is wrong with a row, whose payload says which it must be. */
function whatIsWrong(row: Row, store: Collection): string | undefined {
  const [, id, version] = /^(\d+)@(\d+) /.exec(row.payload ?? "") ?? [];
  if (id === undefined) return undefined;
  const whole = makeRow(Number(id), Number(version), store);
  const isWhole = row.id === whole.id && row.tags === whole.tags &&
    row.payload === whole.payload && row.vector!.every((x, i) => x === whole.vector[i]);
  return isWhole ? undefined : `id ${row.id} is torn: ${JSON.stringify(row.payload).slice(0, 40)}`;
}
