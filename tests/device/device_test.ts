// SPDX-License-Identifier: MIT
/**
 * The device as a whole: its stats, what sysfs shows, and its coming and going.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import { fileStatus, readText } from "../../client/system.ts";
import { COMMANDS, STATS } from "../../client/protocol.ts";
import { diagnose, VERSION, VssClient, VssError } from "../../mod.ts";
import { freshStore, isLoaded, leaveEmpty, load, unload } from "./machine.ts";
import { RawFile } from "./raw.ts";

const SYSFS = "/sys/class/misc/vss";
const MAX_VECTORS = 16_777_216;

describe("stats()", () => {
  after(leaveEmpty);

  it("is all zeros but the capacity while nothing is stored", () => {
    freshStore();
    using client = VssClient.open();
    assertEquals(client.stats(), {
      count: 0,
      capacity: MAX_VECTORS,
      bytes: 0,
      adds: 0,
      queries: 0,
      evictions: 0,
      dimension: 0,
      metric: "l2sq",
    });
  });
  it("counts rows, queries and bytes", () => {
    freshStore("max_vectors=1000");
    using client = VssClient.open();
    for (let id = 0; id < 100; id++) client.addVector(id, [id, 1, 2]);
    for (let i = 0; i < 7; i++) client.queryTopK([i, 1, 2], 3);
    assertThrows(() => client.addVector(1, [1, 1, 1]), VssError);
    const { bytes, ...rest } = client.stats();
    assertEquals(rest, {
      count: 100,
      capacity: 1000,
      adds: 100,
      queries: 7,
      evictions: 0,
      dimension: 3,
      metric: "l2sq",
    });
    assert(bytes >= 100 * 12, `${bytes} bytes`);
  });
  it("leaves the reserved field 0", () => {
    const stats = STATS.on(new Uint8Array(STATS.size).fill(0xcc));
    using file = new RawFile();
    assertEquals(file.call(COMMANDS.VSS_GET_STATS.number, stats.bytes), "ok");
    assertEquals(stats.get("reserved"), 0n);
    assertEquals(stats.get("metric"), 0);
  });
});

describe("sysfs", () => {
  after(leaveEmpty);

  it("shows what stats() shows, and the level of SIMD, to everybody", () => {
    freshStore();
    using client = VssClient.open();
    for (let id = 0; id < 10; id++) client.addVector(id, [id, 1, 2]);
    client.queryTopK([0, 0, 0], 1);
    const { adds, bytes, count, queries } = client.stats();
    const numbers = { adds, bytes, collections: 1, count, queries };
    for (const [name, value] of Object.entries(numbers)) {
      assertEquals(readText(`${SYSFS}/${name}`), String(value), name);
    }
    assertMatch(readText(`${SYSFS}/simd`) ?? "", /^(?:avx512|avx2|sse2|neon)$/);
    for (const name of [...Object.keys(numbers), "simd"]) {
      assertEquals(fileStatus(`${SYSFS}/${name}`)?.mode, 0o444, name);
    }
  });
  it("shows the release and the parameters", () => {
    freshStore("max_vectors=12 max_bytes=12345678 simd=scalar");
    assertEquals(readText("/sys/module/vss/version"), VERSION);
    assertEquals(readText("/sys/module/vss/parameters/max_vectors"), "12");
    assertEquals(readText("/sys/module/vss/parameters/max_bytes"), "12345678");
    assertEquals(readText("/sys/module/vss/parameters/simd"), "scalar");
  });
  it("shows a device that only its owner and group may use", () => {
    const status = fileStatus("/dev/vss");
    assertEquals(status?.isCharacterDevice, true);
    assertEquals(status?.mode, 0o660);
  });
});

describe("the driver", () => {
  after(leaveEmpty);

  it("is not unloaded while a file is open, and keeps its rows", () => {
    freshStore();
    {
      using client = VssClient.open();
      client.addVector(1, [1]);
      assert(["EBUSY", "EWOULDBLOCK"].includes(unload()));
      assertEquals(client.queryTopK([1], 1), [{ id: 1, distance: 0 }]);
    }
    assertEquals(unload(), "ok");
    assertEquals(isLoaded(), false);
  });
  it("leaves neither device nor rows behind", () => {
    if (isLoaded()) unload();
    const error = assertThrows(() => VssClient.open(), VssError);
    assertEquals(error.code, "ENOENT");
    const missing = diagnose().filter(({ status }) => status === "missing");
    assertEquals(missing.map(({ check }) => check), ["module", "device", "access"]);
    assertEquals(load(), "ok");
    using client = VssClient.open();
    assertEquals(client.stats().count, 0);
  });
  it("is loaded once only", () => assertEquals(load(), "EEXIST"));
});

describe("VssClient", () => {
  after(leaveEmpty);

  it("shares its rows with every other client", () => {
    freshStore();
    using one = VssClient.open();
    using other = VssClient.open();
    one.addVector(0, new Float32Array([9, 0.25, 0.5, 9]).subarray(1, 3));
    other.addVector(4294967295, [0.25, 1]);
    one.close();
    assertEquals(other.queryTopK([0.25, 0.5], 32), [
      { id: 0, distance: 0 },
      { id: 4294967295, distance: 0.25 },
    ]);
  });
  it("says what stands in the way", () => {
    freshStore("max_vectors=2");
    using client = VssClient.open();
    client.addVector(1, [1, 2]);
    const thrown = (call: () => unknown) => {
      const { code, operation, message } = assertThrows(call, VssError);
      return { code, operation, message };
    };
    const duplicate = thrown(() => client.addVector(1, [1, 2]));
    assertEquals([duplicate.code, duplicate.operation], ["EEXIST", "add"]);
    assertStringIncludes(duplicate.message, "Cannot add id 1 to /dev/vss");
    const mismatch = thrown(() => client.queryTopK([1, 2, 3], 1));
    assertEquals([mismatch.code, mismatch.operation], ["EINVAL", "query"]);
    assertStringIncludes(mismatch.message, "has 3 components, the stored ones have 2");
    client.addVector(2, [1, 2]);
    assertStringIncludes(thrown(() => client.addVector(3, [1, 2])).message, "max_vectors");
  });
  it("diagnoses a driver that is loaded as healthy", () => {
    freshStore();
    assertEquals(diagnose().filter(({ status }) => status !== "ok"), []);
  });
});
