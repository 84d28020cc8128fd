// SPDX-License-Identifier: MIT
/**
 * The cache that is asked by meaning: what it finds and what it does not, whatever else is in its
 * collection, and from many threads at once.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import {
  type Collection,
  type Embedder,
  LIMITS,
  SemanticCache,
  textEmbedder,
  Vss,
  VssError,
} from "../../mod.ts";
import { freshStore, leaveEmpty } from "./machine.ts";

/** An embedder of two components, by which a text is the angle that it says, in degrees. */
const ANGLES: Embedder = {
  name: "angles",
  dimension: 2,
  embed: (text) => {
    const angle = parseFloat(text) * Math.PI / 180;
    return isNaN(angle) ? [0, 0] : [Math.cos(angle), Math.sin(angle)];
  },
};

/** 1 − the cosine of an angle in degrees. */
const distanceOf = (degrees: number) => 1 - Math.cos(degrees * Math.PI / 180);

/** Makes a private collection for an embedder. */
function openPrivate(embedder: Embedder = ANGLES): Collection {
  using vss = Vss.open();
  return vss.privateCollection({ dimension: embedder.dimension, metric: "cos" });
}

/** Makes a cache of a private collection, by angles up to ten degrees. */
function openCache(options: { embedder?: Embedder; threshold?: number } = {}): SemanticCache {
  const { embedder = ANGLES, threshold = distanceOf(10) } = options;
  return SemanticCache.over(openPrivate(embedder), { embedder, threshold });
}

describe("SemanticCache", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("find() gives the nearest answer that is near enough, and says whose it is", async () => {
    using cache = openCache();
    await cache.set("0", "east");
    await cache.set("90", "north");
    const hit = await cache.find("4");
    assertEquals([hit?.key, hit?.value], ["0", "east"]);
    assert(Math.abs(hit!.distance - distanceOf(4)) < 1e-6, `${hit!.distance}`);
    assertEquals(await cache.get("81"), "north");
    assertEquals(await cache.get("45"), undefined);
    assertEquals(await cache.find("11"), undefined);
    assertEquals([cache.hits, cache.misses], [2, 2]);
  });

  it("get() gives what was set for the very text first", async () => {
    using cache = openCache();
    const same = ["0", "0 and more", "0.0", "1"];
    for (const [i, key] of same.entries()) await cache.set(key, i);
    for (const [i, key] of same.entries()) assertEquals(await cache.get(key), i, key);
    await cache.set("0.0", "again");
    assertEquals(await cache.get("0.0"), "again");
    assertEquals((await cache.collection.stats()).count, same.length);
  });

  it("threshold 0 still finds vectors that are the same", async () => {
    using cache = openCache({ embedder: textEmbedder(), threshold: 0 });
    await cache.set("Play chess", 1);
    assertEquals((await cache.find("play  CHESS!"))?.distance, 0);
    assertEquals(await cache.get("play checkers"), undefined);
  });

  it("set() takes anything that JSON can hold", async () => {
    using cache = openCache();
    const values = ["", "text", 0, -1.5, true, false, null, [], [1, [null]], {}, { a: { b: "c" } }];
    for (const value of values) {
      await cache.set("7 \ud800", value);
      assertEquals(await cache.get("7 \ud800"), value);
    }
  });

  it("set() refuses what it could not give back", async () => {
    using cache = openCache();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const wrong of [undefined, () => 1, 1n, NaN, new Map(), new Uint8Array(2), cycle]) {
      await assertRejects(() => cache.set("1", wrong as never), TypeError, 'Value of key "1"');
    }
    await assertRejects(
      () => cache.set("1", "x".repeat(LIMITS.payload)),
      RangeError,
      "65536 bytes",
    );
    await assertRejects(() => cache.set("x".repeat(LIMITS.payload), 1), RangeError, "with its key");
    await assertRejects(() => cache.set("no angle", 1), RangeError, 'and "no angle" has none');
    for (const key of [undefined, 7, null]) {
      await assertRejects(() => cache.set(key as never, 1), TypeError, "Key must be a string");
      await assertRejects(() => cache.get(key as never), TypeError, "Key must be a string");
    }
    await assertRejects(() => cache.set("1", 1, { ttl: 0 }), RangeError, "Ttl");
    assertEquals((await cache.collection.stats()).count, 0);
    assertEquals(await cache.get("no angle"), undefined);
  });

  it("refuses options that are none, and closes the collection", () => {
    const wrong: [unknown, typeof TypeError, string][] = [
      [{ threshold: -0.1 }, RangeError, "Threshold must be a number from 0 to 2, not -0.1"],
      [{ threshold: NaN }, RangeError, "Threshold"],
      [{ threshold: "1" }, TypeError, "Threshold"],
      [{ embedder: {} }, TypeError, "Embedder must have a name"],
      [{ embedder: textEmbedder(3) }, RangeError, "3 by cos"],
      [{}, RangeError, 'of 256 by cos, as embedder "embedText" has them, not of 2 by cos'],
    ];
    for (const [options, error, says] of wrong) {
      const collection = openPrivate();
      assertThrows(() => SemanticCache.over(collection, options as never), error, says);
      assertEquals(assertThrows(() => collection.statsSync(), VssError).code, "EBADF");
    }
  });

  it("names an embedder whose vectors are not what it says", async () => {
    for (
      const [embed, says] of [
        [() => [1], "2 components, not 1"],
        [() => [1, NaN], "Component 1"],
        [() => "1,2", "Vector of embedder"],
      ] as [() => never, string][]
    ) {
      using cache = openCache({ embedder: { name: "wrong", dimension: 2, embed } });
      const error = await assertRejects(() => cache.get("a"), Error, says);
      assertStringIncludes(error.message, 'ector of embedder "wrong"');
    }
  });

  it("never finds rows that are no answers of its own", async () => {
    using cache = openCache();
    await cache.set("30", "mine");
    const [mine] = await cache.collection.get([(await cache.collection.search([1, 0]))[0]!.id]);
    const { tags } = mine!;
    const [x, y] = [Math.cos(0.1), Math.sin(0.1)];
    const payloads = [
      ...["", "no JSON", "null", "7", "[]", "{}", '{"form":1}', undefined],
      ...['{"form":2,"embedder":"angles","key":"0","value":1}'],
      ...['{"form":1,"embedder":"other","key":"0","value":1}'],
      ...['{"form":1,"embedder":"angles","key":7,"value":1}'],
      ...['{"form":1,"embedder":"angles","key":"0"}', new Uint8Array([0xff, 0xfe])],
    ];
    // Some look like its own by their tags, others by their payloads.
    const rows = payloads.map((payload, id) => ({ id, vector: [x, y], tags: tags!, payload }));
    const forged = '{"form":1,"embedder":"angles","key":"6","value":1}';
    rows.push({ id: 99, vector: [x, y], tags: 5, payload: forged });
    await cache.collection.put(rows);
    assertEquals(await cache.get("6"), undefined);
    assertEquals(await cache.get("29"), "mine");
    await cache.set("6", "mine, too");
    assertEquals(await cache.get("6"), "mine, too");
  });

  it("gives no wrong answer where another row has a key's id", async () => {
    using cache = openCache();
    await cache.set("0", "east");
    const id = (await cache.collection.search([1, 0]))[0]!.id;
    const [row] = await cache.collection.get([id], { payload: "json" });
    const entry = JSON.stringify({ ...row!.payload, key: "180", value: "west" });
    const other = { id, vector: [-1, 0], tags: row!.tags!, payload: entry };
    await cache.collection.put([other], { upsert: true });
    assertEquals(await cache.get("0"), undefined);
    assertEquals(await cache.get("179"), "west");
  });

  it("keeps vectors of embedders of different names apart", async () => {
    using vss = Vss.open();
    const open = (name: string) => {
      return SemanticCache.open(vss, "apart", { embedder: { ...ANGLES, name }, evict: "none" });
    };
    using one = open("one");
    using two = open("two");
    await one.set("0", 1);
    assertEquals(await two.get("0"), undefined);
    await two.set("0", 2);
    assertEquals([await one.get("0"), await two.get("1")], [1, 2]);
    const error = assertThrows(() => open("three"), RangeError);
    assertStringIncludes(error.message, 'Collection "apart" must hold answers of embedder "three"');
    vss.drop("apart");
  });

  it("open() says what a collection of another form is", () => {
    using vss = Vss.open();
    vss.create("other", { dimension: 2 }).close();
    const open = () => SemanticCache.open(vss, "other", { embedder: ANGLES, evict: "none" });
    assertThrows(open, RangeError, 'of 2 by cos, as embedder "angles" has them, not of 2 by l2sq');
    vss.drop("other");
  });

  it("open() takes the access that it is given", async () => {
    using vss = Vss.open();
    const options = { embedder: ANGLES, evict: "none" } as const;
    const open = (access?: "read" | "write") =>
      SemanticCache.open(vss, "access", access ? { ...options, access } : options);
    assertEquals(assertThrows(() => open("read"), VssError).code, "ENOENT");
    using both = open();
    using read = open("read");
    using write = open("write");
    await write.set("1", 1);
    assertEquals([await read.get("1"), await both.get("2")], [1, 1]);
    for (const wrong of [() => read.set("1", 1), () => write.get("1")]) {
      assertEquals((await assertRejects(wrong, VssError)).code, "EBADF");
    }
    read.close();
    assertEquals((await assertRejects(() => read.get("1"), VssError)).code, "EBADF");
    vss.drop("access");
  });
});

describe("SemanticCache.wrap()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("computes once what is asked for at once, and for ever after", async () => {
    using cache = openCache();
    const asked: string[] = [];
    const double = cache.wrap(async (text) => {
      asked.push(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 2 * Number(text);
    });
    const answers = await Promise.all(["10", "10", "50", "10"].map((text) => double(text)));
    assertEquals(answers, [20, 20, 100, 20]);
    assertEquals(await double("10.5"), 20);
    assertEquals(asked.sort(), ["10", "50"]);
  });

  it("gives errors to all who wait, and does not keep them", async () => {
    using cache = openCache();
    let calls = 0;
    const fail = cache.wrap((): Promise<number> => {
      calls++;
      return calls === 1 ? Promise.reject(new RangeError("not today")) : Promise.resolve(calls);
    });
    const both = await Promise.allSettled([fail("1"), fail("1")]);
    assertEquals(both.map(({ status }) => status), ["rejected", "rejected"]);
    assertEquals((both[0] as PromiseRejectedResult).reason.message, "not today");
    assertEquals(await fail("1"), 2);
    assertEquals(await fail("1"), 2);
    const thrown = cache.wrap(() => {
      throw new Error("at once");
    });
    await assertRejects(() => thrown("90"), Error, "at once");
  });

  it("gives answers that cannot be kept", async () => {
    using cache = openCache();
    const great = cache.wrap((text) => Promise.resolve(text.repeat(40_000)));
    assertEquals((await great("12")).length, 80_000);
    assertEquals(await cache.wrap(() => "blank")("no angle"), "blank");
    await cache.collection.configure({ capacity: 1 });
    await cache.set("180", "full");
    assertEquals(await cache.wrap(() => "no room")("90"), "no room");
    assertEquals([cache.unkept, (await cache.collection.stats()).count], [3, 1]);
    assertThrows(() => cache.wrap(() => 1, { ttl: -1 }), RangeError, "Ttl");
    await assertRejects(
      () => cache.wrap(() => undefined as never)("45"),
      TypeError,
      "Value of key",
    );
  });
});
