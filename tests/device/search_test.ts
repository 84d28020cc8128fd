// SPDX-License-Identifier: MIT
/**
 * A search finds what a double-precision scan finds, at every level of SIMD.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import { readText } from "../../client/system.ts";
import { COMMANDS, MAX_K, QUERY_DATA } from "../../client/protocol.ts";
import { VssClient } from "../../mod.ts";
import { LEVELS } from "./levels.ts";
import { freshStore, leaveEmpty, load, unload } from "./machine.ts";
import { Oracle } from "./oracle.ts";
import { RawFile } from "./raw.ts";

const DIMENSIONS = [1, 3, 8, 16, 100, 127, 128];
const K = 10;

/** Row counts, and how many queries each is asked. */
const SIZES = [[0, 1], [1, 2], [K - 1, 2], [K, 2], [1_000, 5], [20_000, 2]] as const;

for (const level of LEVELS) {
  describe(`queryTopK() at simd=${level}`, () => {
    after(leaveEmpty);

    for (const dimension of DIMENSIONS) {
      it(`finds what a double-precision scan finds at dimension ${dimension}`, () => {
        freshStore(`simd=${level}`);
        assertEquals(readText("/sys/class/misc/vss/simd"), level);
        using client = VssClient.open();
        const oracle = new Oracle(dimension, dimension);
        for (const [count, queries] of SIZES) {
          oracle.growTo(count, client);
          for (let i = 0; i < queries; i++) {
            const query = oracle.vector();
            oracle.check(client.queryTopK(query, K), query, K);
          }
        }
        const query = oracle.vector();
        oracle.check(client.queryTopK(query, MAX_K), query, MAX_K);
        oracle.check(client.queryTopK(query, 1), query, 1);
        assertEquals(client.stats().count, oracle.count);
      });
    }
  });
}

describe("the levels of SIMD", () => {
  after(leaveEmpty);

  it("find the same rows at the same distances but for rounding", () => {
    const answers = LEVELS.map((level) => {
      freshStore(`simd=${level}`);
      using client = VssClient.open();
      const oracle = new Oracle(128, 7);
      oracle.growTo(1_000, client);
      return Array.from({ length: 5 }, () => client.queryTopK(oracle.vector(), MAX_K));
    });
    for (const other of answers.slice(1)) {
      other.forEach((hits, query) => {
        hits.forEach(({ distance }, rank) => {
          const plainest = answers[0]![query]![rank]!.distance;
          assertEquals(Math.abs(distance - plainest) <= 1e-5 * plainest, true);
        });
      });
    }
  });
  it("are the best that suits the processor, unless one is asked for", () => {
    freshStore();
    const chosen = readText("/sys/class/misc/vss/simd") ?? "";
    // Some processors have AVX-512 and are faster without.
    assert(LEVELS.filter((level) => level !== "avx512").at(-1) === chosen || chosen === "avx512");
    assert(LEVELS.includes(chosen), chosen);
  });
  it("know the plainest one by the name scalar, too", () => {
    freshStore("simd=scalar");
    using client = VssClient.open();
    client.addVector(1, [3, 4]);
    assertEquals(client.queryTopK([0, 0], 1), [{ id: 1, distance: 25 }]);
  });
  it("refuse a name that is none with EINVAL", () => {
    unload();
    assertEquals(load("simd=mmx"), "EINVAL");
  });
});

describe("VSS_QUERY_TOP_K", () => {
  after(leaveEmpty);

  /** Runs a query on the raw struct, with every output filled beforehand. */
  function query(k: number, values: number[]) {
    const bytes = QUERY_DATA.encode({
      k,
      dimension: values.length,
      query_vector: values,
      result_ids: Array(MAX_K).fill(0xcccccccc),
      distances: Array(MAX_K).fill(-1),
    });
    using file = new RawFile();
    assertEquals(file.call(COMMANDS.VSS_QUERY_TOP_K.number, bytes), "ok");
    return QUERY_DATA.decode(bytes);
  }

  it("answers k = 0 and no hits where nothing is stored", () => {
    freshStore();
    const { k, result_ids, distances } = query(5, [1, 2]);
    assertEquals(k, 0);
    assertEquals(result_ids, Array(MAX_K).fill(0));
    assertEquals(distances, Array(MAX_K).fill(Infinity));
  });
  it("fills what is beyond the hits with id 0 and +Infinity", () => {
    freshStore();
    using client = VssClient.open();
    for (const id of [5, 6, 7]) client.addVector(id, [id]);
    const all = query(32, [5]);
    assertEquals(all.k, 3);
    assertEquals(all.result_ids, [5, 6, 7, ...Array(29).fill(0)]);
    assertEquals(all.distances, [0, 1, 4, ...Array(29).fill(Infinity)]);
    const two = query(2, [7]);
    assertEquals(two.k, 2);
    assertEquals(two.result_ids, [7, 6, ...Array(30).fill(0)]);
  });
  it("sorts equal distances by id", () => {
    freshStore();
    using client = VssClient.open();
    for (const id of [9, 4294967295, 0, 70, 8, 4000000000, 3]) client.addVector(id, [1, 1]);
    client.addVector(1, [1, 1.5]);
    const ids = client.queryTopK([1, 1], 32).map(({ id }) => id);
    assertEquals(ids, [0, 3, 8, 9, 70, 4000000000, 4294967295, 1]);
    assertEquals(client.queryTopK([1, 1], 3).map(({ id }) => id), [0, 3, 8]);
  });
  it("sorts distances that overflow to +Infinity last, by id", () => {
    freshStore();
    using client = VssClient.open();
    const huge = 3.4e38;
    client.addVector(3, [huge, huge]);
    client.addVector(2, [-huge, huge]);
    client.addVector(1, [0, 0]);
    assertEquals(client.queryTopK([-huge, -huge], 3), [
      { id: 1, distance: Infinity },
      { id: 2, distance: Infinity },
      { id: 3, distance: Infinity },
    ]);
    assertEquals(client.queryTopK([huge, huge], 1), [{ id: 3, distance: 0 }]);
  });
  it("takes denormal numbers and both zeros", () => {
    freshStore();
    using client = VssClient.open();
    const tiny = 2 ** -149;
    client.addVector(1, [tiny, -tiny, 0]);
    client.addVector(2, [-0, 0, 2 ** -70]);
    const hits = client.queryTopK([0, 0, 0], 2);
    assertEquals(hits.map(({ id }) => id), [1, 2]);
    assertEquals(hits[0]!.distance, 0);
    assertEquals(hits[1]!.distance, 2 ** -140);
  });
});
