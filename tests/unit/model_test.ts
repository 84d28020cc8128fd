// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Row, type RowInput, VssError } from "../../mod.ts";
import { makeHistory, shrink, type Step } from "../model/history.ts";
import { checkHits, runHistory, type Store } from "../model/model.ts";

/** What is wrong with a store. */
type Fault = "none" | "upsert keeps the tags" | "delete forgets one" | "search misses the last";

/** A store in a map, which does all that a history without filters and ranges asks. */
function fakeStore(fault: Fault): Store {
  const rows = new Map<number, Row>();
  const matching = (tags?: { mask: number | bigint; value: number | bigint }) =>
    [...rows.values()].filter((row) =>
      !tags || (BigInt(row.tags!) & BigInt(tags.mask)) === BigInt(tags.value)
    );
  return {
    dimension: 2,
    metric: "l2sq",
    putSync(input, { upsert = false } = {}) {
      const before = rows.size;
      (input as RowInput[]).forEach((row, done) => {
        const old = rows.get(Number(row.id));
        if (old && !upsert) throw new VssError("EEXIST", { operation: "put", subject: "", done });
        const tags = old && fault === "upsert keeps the tags" ? old.tags! : row.tags!;
        rows.set(Number(row.id), { ...row, tags } as Row);
      });
      const done = (input as RowInput[]).length;
      const inserted = rows.size - before;
      return { done, inserted, updated: done - inserted, evicted: 0 };
    },
    getSync: (ids) => [...ids as number[]].map((id) => rows.get(id)),
    deleteSync(which) {
      const ids = "tags" in which
        ? matching((which as { tags: { mask: number; value: number } }).tags).map(({ id }) => id)
        : [...which as number[]];
      const known = ids.filter((id) => rows.has(Number(id)));
      if (fault === "delete forgets one" && known.length > 1) known.pop();
      return known.filter((id) => rows.delete(Number(id))).length;
    },
    clearSync() {
      const { size } = rows;
      rows.clear();
      return size;
    },
    scanSync: ({ tags } = {}) => matching(tags),
    statsSync: () => ({ count: rows.size }),
    searchSync(query, { k = 10, tags, maxDistance = Infinity } = {}) {
      const distance = ({ vector }: Row) =>
        Math.hypot(...vector!.map((x, i) => x - query[i]!)) ** 2;
      const hits = matching(tags).map((row) => ({ id: row.id, distance: distance(row) }))
        .filter((hit) => hit.distance <= maxDistance)
        .sort((a, b) => a.distance - b.distance || Number(a.id) - Number(b.id)).slice(0, k);
      return fault === "search misses the last" && hits.length === k ? hits.slice(0, -1) : hits;
    },
  };
}

const history = makeHistory({ seed: 7, steps: 300, ids: 50, batch: 10 });

/** Whether a history fails on a fresh store with a fault. */
const fails = (fault: Fault) => (steps: readonly Step[]) => {
  try {
    runHistory(steps, fakeStore(fault));
    return false;
  } catch {
    return true;
  }
};

Deno.test("runHistory() finds nothing wrong with a store that does what it must", () => {
  runHistory(history, fakeStore("none"));
});

for (
  const [fault, steps] of [
    ["upsert keeps the tags", ["put", "put"]],
    ["delete forgets one", ["put", "delete"]],
    ["search misses the last", ["put", "search"]],
  ] as [Fault, string[]][]
) {
  Deno.test(`runHistory() finds out that ${fault}, and shrink() leaves the least of it`, () => {
    assert(fails(fault)(history));
    const small = shrink(history, fails(fault));
    assert(fails(fault)(small));
    assert(small.length <= steps.length + 1, JSON.stringify(small));
    assertEquals(small[0]!.do, "put");
    for (const step of small) if ("ids" in step) assert(step.ids.length <= 2);
  });
}

Deno.test("checkHits() refuses what is wrong, missing, or out of order", () => {
  const rows = [0, 1, 2, 3].map((id) => ({ id, vector: new Float32Array([id]) }));
  const question = { query: new Float32Array([0]), k: 2, metric: "l2sq" } as const;
  const right = [{ id: 0, distance: 0 }, { id: 1, distance: 1 }];
  checkHits(right, rows, question);
  const wrong = [
    [right[1]!, right[0]!],
    [right[0]!],
    [right[0]!, { id: 2, distance: 4 }],
    [right[0]!, right[0]!],
    [right[0]!, { id: 1, distance: 1.1 }],
    [right[0]!, { id: 9, distance: 1 }],
    [...right, { id: 2, distance: 4 }],
  ];
  for (const hits of wrong) assertThrows(() => checkHits(hits, rows, question));
});
