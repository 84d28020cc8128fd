// SPDX-License-Identifier: MIT
/**
 * Every errno of protocol 1, below the client's own checks; after each refusal the store answers as
 * it did before.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { commandNumber, COMMANDS, QUERY_DATA, STATS, VECTOR_DATA } from "../../client/protocol.ts";
import { VssClient } from "../../mod.ts";
import { freshStore, leaveEmpty } from "./machine.ts";
import { Mapping, O_RDONLY, O_WRONLY, PAGE, RawFile } from "./raw.ts";

const ADD = COMMANDS.VSS_ADD_VECTOR.number;
const QUERY = COMMANDS.VSS_QUERY_TOP_K.number;
const GET_STATS = COMMANDS.VSS_GET_STATS.number;

/** An argument of `VSS_ADD_VECTOR` that is right unless it is told otherwise. */
function vector(change: { id?: number; dimension?: number; data?: number[] } = {}) {
  return VECTOR_DATA.encode({ id: 1000, dimension: 3, data: [1, 2, 3], ...change });
}

/** An argument of `VSS_QUERY_TOP_K` that is right unless it is told otherwise. */
function query(change: { k?: number; dimension?: number; query_vector?: number[] } = {}) {
  return QUERY_DATA.encode({
    k: 2,
    dimension: 3,
    query_vector: [1, 2, 3],
    result_ids: [],
    distances: [],
    ...change,
  });
}

/** What the store answers: the same before and after a call that is refused. */
function answers(): unknown {
  using client = VssClient.open();
  const hits = client.queryTopK([0, 0, 0], 5);
  const { count, adds, bytes, capacity, dimension } = client.stats();
  return { hits, count, adds, bytes, capacity, dimension };
}

/** Asserts that a call is refused with an errno and changes nothing. */
function refuses(
  errno: string,
  command: number,
  argument: Uint8Array<ArrayBuffer> | bigint,
  flags?: number,
): void {
  const earlier = answers();
  using file = new RawFile(flags);
  assertEquals(file.call(command, argument), errno);
  assertEquals(answers(), earlier);
}

describe("protocol 1", () => {
  before(() => {
    freshStore();
    using client = VssClient.open();
    for (let id = 1; id <= 4; id++) client.addVector(id, [id, 0, 0]);
  });
  after(leaveEmpty);

  const values: [name: string, bits: number[]][] = [
    ["NaN", [0, NaN, 0]],
    ["+Inf", [Infinity, 0, 0]],
    ["-Inf", [0, 0, -Infinity]],
  ];
  for (const dimension of [0, 129, 2, 4, 128, 0xffffffff]) {
    it(`VSS_ADD_VECTOR refuses dimension ${dimension} with EINVAL`, () => {
      refuses("EINVAL", ADD, vector({ dimension }));
    });
    it(`VSS_QUERY_TOP_K refuses dimension ${dimension} with EINVAL`, () => {
      refuses("EINVAL", QUERY, query({ dimension }));
    });
  }
  for (const [name, data] of values) {
    it(`VSS_ADD_VECTOR refuses ${name} with EINVAL`, () => {
      refuses("EINVAL", ADD, vector({ data }));
    });
    it(`VSS_QUERY_TOP_K refuses ${name} with EINVAL`, () => {
      refuses("EINVAL", QUERY, query({ query_vector: data }));
    });
  }
  for (const k of [0, 33, 0xffffffff]) {
    it(`VSS_QUERY_TOP_K refuses k ${k} with EINVAL`, () => refuses("EINVAL", QUERY, query({ k })));
  }
  it("VSS_ADD_VECTOR does not look at components beyond the dimension", () => {
    const data = [9, 0, 0, NaN, Infinity];
    using file = new RawFile();
    assertEquals(file.call(ADD, vector({ id: 9, data })), "ok");
    assertEquals(file.call(QUERY, query({ query_vector: [9, 0, 0, NaN] })), "ok");
  });
  it("VSS_ADD_VECTOR refuses an id that is stored with EEXIST", () => {
    refuses("EEXIST", ADD, vector({ id: 1 }));
  });

  const commands = [["VSS_ADD_VECTOR", ADD, vector()], ["VSS_QUERY_TOP_K", QUERY, query()], [
    "VSS_GET_STATS",
    GET_STATS,
    STATS.allocate().bytes,
  ]] as const;
  for (const [name, command, argument] of commands) {
    it(`${name} refuses an unmapped pointer with EFAULT`, () => {
      refuses("EFAULT", command, 0n);
      refuses("EFAULT", command, 0x1000n);
    });
    it(`${name} refuses a pointer into the kernel with EFAULT`, () => {
      refuses("EFAULT", command, 0xffff_8880_0000_0000n);
    });
    it(`${name} refuses a struct that runs over the end of memory with EFAULT`, () => {
      using memory = new Mapping();
      const end = PAGE - argument.length;
      memory.bytes.set(argument.subarray(0, argument.length - 1), end + 1);
      refuses("EFAULT", command, memory.address + BigInt(end + 1));
      memory.bytes.set(argument, end);
      if (name !== "VSS_ADD_VECTOR") {
        using file = new RawFile();
        assertEquals(file.call(command, memory.address + BigInt(end)), "ok");
      }
    });
    it(`${name} refuses another size in its number with ENOTTY`, () => {
      const [direction, sequence] = [command >>> 30, command & 0xff];
      for (const size of [0, argument.length - 4, argument.length + 4, 16383]) {
        refuses("ENOTTY", commandNumber(direction, sequence, size), argument);
      }
    });
    it(`${name} refuses another direction in its number with ENOTTY`, () => {
      for (const direction of [0, 1, 2, 3]) {
        if (direction === command >>> 30) continue;
        refuses("ENOTTY", commandNumber(direction, command & 0xff, argument.length), argument);
      }
    });
  }
  it("VSS_QUERY_TOP_K refuses a read-only result with EFAULT", () => {
    using memory = new Mapping();
    memory.bytes.set(query());
    memory.makeReadOnly();
    refuses("EFAULT", QUERY, memory.address);
  });
  it("VSS_GET_STATS refuses a read-only result with EFAULT", () => {
    using memory = new Mapping();
    memory.makeReadOnly();
    refuses("EFAULT", GET_STATS, memory.address);
  });
  it("VSS_ADD_VECTOR reads a read-only argument", () => {
    using memory = new Mapping();
    memory.bytes.set(vector({ id: 77 }));
    memory.makeReadOnly();
    using file = new RawFile();
    assertEquals(file.call(ADD, memory.address), "ok");
  });
  it("ioctl() refuses an unknown command with ENOTTY", () => {
    for (const sequence of [0, 4, 0x3f, 0xff]) {
      refuses("ENOTTY", commandNumber(3, sequence, 64), STATS.allocate().bytes);
    }
    refuses("ENOTTY", 0x5401, STATS.allocate().bytes);
  });
  it("VSS_ADD_VECTOR refuses a file not open for writing with EBADF", () => {
    refuses("EBADF", ADD, vector(), O_RDONLY);
  });
  it("VSS_QUERY_TOP_K and VSS_GET_STATS refuse a file not open for reading with EBADF", () => {
    refuses("EBADF", QUERY, query(), O_WRONLY);
    refuses("EBADF", GET_STATS, STATS.allocate().bytes, O_WRONLY);
  });
  it("a refused command leaves the caller's struct alone", () => {
    const argument = query({ k: 33 });
    const copy = argument.slice();
    using file = new RawFile();
    assertEquals(file.call(QUERY, argument), "EINVAL");
    assertEquals(argument, copy);
  });
});

describe("a store that may hold no more", () => {
  after(leaveEmpty);

  it("refuses a row over max_vectors with ENOSPC", () => {
    freshStore("max_vectors=3");
    using client = VssClient.open();
    for (let id = 1; id <= 3; id++) client.addVector(id, [id, 0, 0]);
    assertEquals(client.stats().capacity, 3);
    refuses("ENOSPC", ADD, vector());
    refuses("EEXIST", ADD, vector({ id: 1 }));
  });
  it("refuses a row over max_bytes with EDQUOT", () => {
    const limit = 8 * 1024 * 1024;
    freshStore(`max_bytes=${limit}`);
    using client = VssClient.open();
    using file = new RawFile();
    const row = VECTOR_DATA.on(vector({ dimension: 128 }));
    let id = 0;
    let result: string;
    do {
      row.set("id", id++);
      result = file.call(ADD, row.bytes);
    } while (result === "ok" && id < 20_000);
    assertEquals(result, "EDQUOT");
    const { count, bytes } = client.stats();
    assertEquals(count, id - 1);
    assert(bytes <= limit, `${bytes} bytes of ${limit}`);
    row.set("id", 0xffff_ffff);
    assertEquals(file.call(ADD, row.bytes), "EDQUOT");
    assertEquals(client.stats().count, id - 1);
    assertEquals(client.queryTopK(new Float32Array(128), 1).length, 1);
  });
  it("leaves no trace of a first row that finds no room", () => {
    freshStore("max_bytes=1");
    using client = VssClient.open();
    using file = new RawFile();
    assertEquals(file.call(ADD, vector()), "EDQUOT");
    assertEquals(client.queryTopK([1], 1), []);
    assertEquals(client.stats().count, 0);
  });
});
