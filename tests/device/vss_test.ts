// SPDX-License-Identifier: MIT
/**
 * The device through the library's second protocol: what it tells of itself, and how collections are
 * made, opened, listed and dropped.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import {
  type Collection,
  type CreateOptions,
  DEVICE_PATH,
  type ErrnoName,
  ERRNOS,
  LIMITS,
  type Metric,
  type OpenOptions,
  type Operation,
  VERSION,
  Vss,
  VssError,
} from "../../mod.ts";
import { FEATURES, MIN_CODES_DIMENSION } from "../../client/protocol2.ts";
import { freshStore, leaveEmpty } from "./machine.ts";

/** What a new collection is, where it does not matter. */
const PLAIN = { dimension: 2 } as const;

/** Asserts that the device refuses a call, and that the error says all that there is to say. */
function assertRefused(
  call: () => unknown,
  code: ErrnoName,
  operation: Operation,
  ...says: string[]
): void {
  const error = assertThrows(call, VssError);
  assertEquals([error.code, error.operation], [code, operation]);
  assertEquals(error.errno, ERRNOS[code].number);
  assertStringIncludes(error.message, `(${code}); ${error.advice}`);
  for (const words of says) assertStringIncludes(error.message, words);
}

/** Opens the device and drops, at the end, what the test left. */
function openClean(): Vss {
  const vss = Vss.open();
  for (const { name } of vss.list()) vss.drop(name);
  return vss;
}

/** The names of all collections, as they are listed. */
function names(vss: Vss): string[] {
  return vss.list().map(({ name }) => name);
}

/** Names that no collection can have. */
const WRONG_NAMES: readonly [what: string, name: unknown, error: typeof TypeError][] = [
  ["nothing", undefined, TypeError],
  ["null", null, TypeError],
  ["a number", 7, TypeError],
  ["an empty string", "", RangeError],
  ["64 bytes", "a".repeat(64), RangeError],
  ["64 bytes in 32 characters", "é".repeat(32), RangeError],
  ["a slash", "a/b", RangeError],
  ["a NUL", "a\0b", RangeError],
  ["a line feed", "a\nb", RangeError],
  ["U+001F", "\u001f", RangeError],
  ["U+007F", "\u007f", RangeError],
  ["U+0080", "\u0080", RangeError],
  ["U+009F", "\u009f", RangeError],
  ["half a surrogate pair", "a\ud800", RangeError],
];

/** Names at the edges of what a collection can have. */
const RIGHT_NAMES = [
  "a",
  " ",
  ".",
  "..",
  "a b",
  '"',
  "\u00a0",
  "a".repeat(63),
  "é".repeat(31) + "a",
  "😀".repeat(15) + "abc",
];

/** Settings that no collection can have, and how the message begins. */
const WRONG_SETTINGS: readonly [settings: unknown, error: typeof TypeError, says: string][] = [
  [{}, TypeError, "Dimension must be an integer from 1 to 8192, not undefined"],
  [
    { dimension: "3" },
    TypeError,
    'Dimension must be an integer from 1 to 8192, not the string "3"',
  ],
  [{ dimension: 0 }, RangeError, "Dimension must be an integer from 1 to 8192, not 0"],
  [{ dimension: 8193 }, RangeError, "Dimension"],
  [{ dimension: 1.5 }, RangeError, "Dimension"],
  [{ dimension: NaN }, RangeError, "Dimension"],
  [{ ...PLAIN, metric: "l1" }, RangeError, "Metric must be l2sq, ip, cos, not l1"],
  [{ ...PLAIN, metric: 0 }, RangeError, "Metric"],
  [{ ...PLAIN, capacity: -1 }, RangeError, "Capacity"],
  [{ ...PLAIN, capacity: 0.5 }, RangeError, "Capacity"],
  [{ ...PLAIN, capacity: 2 ** 53 }, RangeError, "Capacity"],
  [{ ...PLAIN, capacity: 5n }, TypeError, "Capacity"],
  [{ ...PLAIN, maxBytes: -1 }, RangeError, "Max bytes must be an integer from 0"],
  [{ ...PLAIN, maxBytes: "64M" }, TypeError, "Max bytes"],
  [{ ...PLAIN, evict: "random" }, RangeError, "Evict must be none, fifo, lru, not random"],
  [{ ...PLAIN, evict: 1 }, RangeError, "Evict must be none, fifo, lru, not a number"],
  [{ ...PLAIN, ttl: -1 }, RangeError, "Ttl must be a number of milliseconds from 0.000001"],
  [{ ...PLAIN, ttl: NaN }, RangeError, "Ttl"],
  [{ ...PLAIN, ttl: 1e-7 }, RangeError, "Ttl"],
  [{ ...PLAIN, ttl: 1e13 }, RangeError, "Ttl"],
  [{ ...PLAIN, ttl: "10m" }, TypeError, "Ttl must be a number of milliseconds"],
  [{ ...PLAIN, mode: -1 }, RangeError, "Mode"],
  [{ ...PLAIN, mode: 0o667 }, RangeError, "Mode"],
  [
    { ...PLAIN, mode: 0o100 },
    RangeError,
    "Mode must be made of read and write bits alone",
  ],
  [{ ...PLAIN, mode: "640" }, TypeError, "Mode"],
  [{ ...PLAIN, codes: 0 }, TypeError, "Codes must be true or false, not a number"],
  [{ ...PLAIN, codes: null }, TypeError, "Codes must be true or false, not null"],
];

describe("Vss.open()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("refuses a path that is none before any call", () => {
    assertThrows(() => Vss.open(7 as never), TypeError, "Path");
    assertThrows(() => Vss.open("/dev/v\0ss"), TypeError);
  });
  it("says what stands in the way of the device", () => {
    assertRefused(
      () => Vss.open("/nowhere/vss"),
      "ENOENT",
      "open",
      "open /nowhere/vss",
      "just load",
    );
    assertRefused(() => Vss.open("/tmp"), "EISDIR", "open", "open /tmp");
  });
  it("opens another file, which then does not know the commands", () => {
    using other = Vss.open("/dev/null");
    assertEquals(other.path, "/dev/null");
    assertRefused(() => other.info(), "ENOTTY", "info", "/dev/null");
    assertRefused(() => other.list(), "ENOTTY", "list", "/dev/null");
    assertRefused(() => other.create("a", PLAIN), "ENOTTY", "create", "/dev/null");
    assertRefused(() => other.collection("a"), "ENOTTY", "open", "/dev/null");
    assertRefused(() => other.drop("a"), "ENOTTY", "drop", "/dev/null");
  });
  it("opens the device by its usual path", () => {
    using vss = Vss.open();
    assertEquals(vss.path, DEVICE_PATH);
  });
});

describe("Vss.info()", () => {
  after(leaveEmpty);

  it("tells the driver's limits, version and level of SIMD", () => {
    freshStore("max_vectors=1000 max_bytes=99999744 max_collections=7");
    using vss = Vss.open();
    const { features, simd, ...rest } = vss.info();
    assertEquals(rest, {
      release: VERSION,
      maxDimension: LIMITS.dimension,
      maxK: LIMITS.k,
      maxRows: LIMITS.rows,
      maxCallBytes: LIMITS.callBytes,
      maxPayload: LIMITS.payload,
      maxCollections: 7,
      maxVectors: 1000,
      bytes: 0,
      maxBytes: 99999744,
      collections: 0,
      searchCpus: 0,
    });
    const all = Object.values(FEATURES).reduce((bits: number, feature) => bits | feature, 0);
    assertEquals(Number(features), all);
    assertMatch(simd, /^(?:avx512|avx2|sse2|neon)$/);
  });
  it("counts collections and their bytes, private ones included", () => {
    freshStore();
    using vss = Vss.open();
    using named = vss.create("named", PLAIN);
    using hidden = vss.privateCollection(PLAIN);
    for (const store of [named, hidden]) store.putSync([{ id: 1, vector: [1, 2] }]);
    const { collections, bytes } = vss.info();
    assertEquals([collections, bytes], [2, named.statsSync().bytes + hidden.statsSync().bytes]);
    hidden.close();
    assertEquals(vss.info().collections, 1);
    assertEquals(vss.info().bytes, named.statsSync().bytes);
  });
});

describe("Vss.create()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  for (const [what, name, error] of WRONG_NAMES) {
    it(`refuses ${what} as a name before any call`, () => {
      using vss = openClean();
      for (const call of ["create", "collection", "drop"] as const) {
        assertThrows(() => vss[call](name as never, PLAIN as never), error, "Name must");
      }
      assertEquals(names(vss), []);
    });
  }
  for (const [settings, error, says] of WRONG_SETTINGS) {
    const what = Deno.inspect(settings);
    it(`refuses ${what} before any call`, () => {
      using vss = openClean();
      assertThrows(() => vss.create("a", settings as CreateOptions), error, says);
      assertThrows(() => vss.collection("a", { create: settings } as OpenOptions), error, says);
      assertThrows(() => vss.privateCollection(settings as CreateOptions), error, says);
      assertEquals(names(vss), []);
    });
  }
  it("takes every name that a collection can have", () => {
    using vss = openClean();
    for (const name of RIGHT_NAMES) {
      using made = vss.create(name, PLAIN);
      assertEquals([made.name, made.statsSync().name], [name, name]);
    }
    assertEquals(names(vss), RIGHT_NAMES);
    for (const name of RIGHT_NAMES) vss.drop(name);
  });
  it("makes a collection as it is told, at the edges of what it can be", () => {
    using vss = openClean();
    for (const dimension of [1, 8192]) {
      for (const metric of ["l2sq", "ip", "cos"] as Metric[]) {
        using made = vss.create("made", { dimension, metric, capacity: 5, mode: 0o606 });
        assertEquals([made.dimension, made.metric], [dimension, metric]);
        const { capacity, mode, count, ...rest } = made.statsSync();
        assertEquals([capacity, mode, count], [5, 0o606, 0]);
        assertEquals([rest.dimension, rest.metric], [dimension, metric]);
        vss.drop("made");
      }
    }
  });
  it("makes a collection with the defaults where it is told no more than the dimension", () => {
    using vss = openClean();
    using made = vss.create("made", { ...PLAIN, metric: undefined, capacity: 0, mode: undefined });
    const { metric, capacity, mode } = made.statsSync();
    assertEquals([metric, capacity, mode], ["l2sq", vss.info().maxVectors, 0o640]);
  });
  it("makes a collection that keeps codes, unless it is told otherwise or its rows are short", () => {
    using vss = openClean();
    const least = MIN_CODES_DIMENSION;
    const cases: [number, boolean | undefined, boolean][] = [
      [least, undefined, true],
      [least, true, true],
      [least, false, false],
      [least - 1, true, false],
    ];
    for (const [dimension, codes, keeps] of cases) {
      using made = vss.create("made", { dimension, codes });
      using hidden = vss.privateCollection({ dimension, codes });
      using again = vss.collection("made", { create: { dimension, codes: codes === false } });
      for (const store of [made, hidden, again]) assertEquals(store.statsSync().codes, keeps);
      vss.drop("made");
    }
  });
  it("refuses a name that is taken with EEXIST", () => {
    using vss = openClean();
    using _made = vss.create("taken", PLAIN);
    assertRefused(() => vss.create("taken", PLAIN), "EEXIST", "create", '"taken"', "already");
  });
  it("refuses a capacity above the driver's with EINVAL", () => {
    using vss = openClean();
    const capacity = vss.info().maxVectors + 1;
    assertRefused(() => vss.create("a", { ...PLAIN, capacity }), "EINVAL", "create", '"a"');
  });
  it("refuses a collection above max_collections with ENOSPC", () => {
    freshStore("max_collections=2");
    using vss = Vss.open();
    using _one = vss.create("one", PLAIN);
    {
      using _two = vss.privateCollection(PLAIN);
      const says = ["as many collections as there may be", "max_collections"];
      assertRefused(() => vss.create("three", PLAIN), "ENOSPC", "create", ...says);
      const anonymous = "create a private collection on /dev/vss";
      assertRefused(() => vss.privateCollection(PLAIN), "ENOSPC", "create", anonymous);
    }
    using three = vss.create("three", PLAIN);
    assertEquals(three.name, "three");
  });
});

describe("Vss.collection()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("refuses an access that there is none of before any call", () => {
    using vss = openClean();
    for (const access of ["", "rw", "toString", null]) {
      const call = () => vss.collection("a", { access, create: PLAIN } as never);
      assertThrows(call, RangeError, "Access must be read, write or both");
    }
    assertEquals(names(vss), []);
  });
  it("refuses a name that there is none of with ENOENT", () => {
    using vss = openClean();
    const says = ['open collection "none" on /dev/vss', "no such collection"];
    assertRefused(() => vss.collection("none"), "ENOENT", "open", ...says);
  });
  it("makes the collection that is not there, and opens the one that is", () => {
    using vss = openClean();
    const create = { dimension: 3, metric: "cos", capacity: 9, mode: 0o600 } as const;
    using first = vss.collection("both", { create });
    using second = vss.collection("both", { create: { ...create, capacity: 8, mode: 0o666 } });
    using third = vss.collection("both");
    first.putSync([{ id: 1, vector: [1, 2, 3] }]);
    for (const store of [first, second, third]) {
      const { count, capacity, mode } = store.statsSync();
      assertEquals([store.serial, store.dimension, store.metric], [first.serial, 3, "cos"]);
      assertEquals([count, capacity, mode], [1, 9, 0o600]);
    }
  });
  it("refuses to make one with another dimension or metric than it has with EINVAL", () => {
    using vss = openClean();
    using _made = vss.create("made", PLAIN);
    const differing = [{ dimension: 3 }, { ...PLAIN, metric: "ip" }] as const;
    for (const create of differing) {
      const call = () => vss.collection("made", { create });
      assertRefused(call, "EINVAL", "open", '"made"', "another dimension or metric");
    }
  });
});

describe("Vss.privateCollection()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("makes collections without a name, which nobody lists", () => {
    using vss = openClean();
    using one = vss.privateCollection({ dimension: 4, metric: "ip", capacity: 3 });
    using other = vss.privateCollection(PLAIN);
    one.putSync([{ id: 1, vector: [1, 2, 3, 4] }]);
    assertEquals([one.name, one.dimension, one.metric], ["", 4, "ip"]);
    assertEquals([one.statsSync().capacity, one.statsSync().name], [3, ""]);
    assertNotEquals(one.serial, other.serial);
    assertEquals(other.statsSync().count, 0);
    assertEquals(vss.list(), []);
  });
});

describe("Vss.list()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("gives collections with all that they are, oldest first", () => {
    using vss = openClean();
    using b = vss.create("b", {
      ...{ dimension: 3, metric: "cos", capacity: 10, mode: 0o604 } as const,
      ...{ evict: "lru", ttl: 60_000.5 } as const,
    });
    using a = vss.create("a", PLAIN);
    b.putSync([{ id: 1, vector: [1, 2, 3], payload: "one" }]);
    const capacity = vss.info().maxVectors;
    const record = (store: Collection) => ({
      name: store.name,
      serial: store.serial,
      dimension: store.dimension,
      metric: store.metric,
      bytes: store.statsSync().bytes,
      uid: 0,
      gid: 0,
    });
    assertEquals(vss.list(), [
      { ...record(b), count: 1, capacity: 10, mode: 0o604, evict: "lru", ttl: 60_000.5 },
      { ...record(a), count: 0, capacity, mode: 0o640, evict: "none", ttl: 0 },
    ]);
  });
  it("gives more collections than one call does", () => {
    using vss = openClean();
    const made = Array.from({ length: 150 }, (_, i) => `many ${150 - i}`);
    for (const name of made) vss.create(name, PLAIN).close();
    assertEquals(names(vss), made);
    for (const name of made.slice(0, 149)) vss.drop(name);
    assertEquals(names(vss), ["many 1"]);
  });
  it("gives nothing where there is nothing", () => {
    using vss = openClean();
    assertEquals(vss.list(), []);
  });
});

describe("Vss.drop()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("refuses a name that there is none of with ENOENT", () => {
    using vss = openClean();
    const says = ['drop collection "none" of /dev/vss', "no such collection"];
    assertRefused(() => vss.drop("none"), "ENOENT", "drop", ...says);
  });
  it("frees the name, and leaves the rows to those who have them open", () => {
    using vss = openClean();
    using old = vss.create("name", PLAIN);
    old.putSync([{ id: 1, vector: [1, 2] }]);
    vss.drop("name");
    assertEquals(names(vss), []);
    assertRefused(() => vss.collection("name"), "ENOENT", "open");
    using young = vss.create("name", { dimension: 5 });
    assertEquals([old.statsSync().count, young.statsSync().count], [1, 0]);
    assert(young.serial > old.serial, "the serial is another");
    assertEquals(old.searchSync([1, 2]), [{ id: 1, distance: 0 }]);
    assertEquals(vss.info().collections, 2);
    old.close();
    assertEquals(vss.info().collections, 1);
    assertEquals(vss.list().map(({ serial }) => serial), [young.serial]);
  });
  it("keeps a collection that nobody has open until then", () => {
    using vss = openClean();
    {
      using made = vss.create("kept", PLAIN);
      made.putSync([{ id: 1, vector: [1, 2] }]);
    }
    assertEquals(vss.list().map(({ count }) => count), [1]);
    vss.drop("kept");
    assertEquals([vss.info().collections, vss.info().bytes], [0, 0]);
  });
});

describe("Vss.close()", () => {
  before(() => freshStore());
  after(leaveEmpty);

  it("may be called twice, and leaves collections open", () => {
    const vss = openClean();
    using store = vss.privateCollection(PLAIN);
    vss.close();
    vss.close();
    assertEquals(store.putSync([{ id: 1, vector: [1, 2] }]).inserted, 1);
  });
  it("makes every later call fail with EBADF", () => {
    const vss = openClean();
    vss.create("open", PLAIN).close();
    vss.close();
    const says = ["the device is closed", "open it again"];
    assertRefused(() => vss.info(), "EBADF", "info", ...says);
    assertRefused(() => vss.list(), "EBADF", "list", ...says);
    assertRefused(() => vss.create("new", PLAIN), "EBADF", "create", ...says);
    assertRefused(() => vss.collection("open"), "EBADF", "open", ...says);
    assertRefused(() => vss.privateCollection(PLAIN), "EBADF", "create", ...says);
    assertRefused(() => vss.drop("open"), "EBADF", "drop", ...says);
    using again = Vss.open();
    assertEquals(names(again), ["open"]);
  });
  it("is what `using` does", () => {
    let kept: Vss;
    {
      using vss = Vss.open();
      kept = vss;
    }
    assertRefused(() => kept.info(), "EBADF", "info");
  });
});
