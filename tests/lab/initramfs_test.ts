// SPDX-License-Identifier: MIT
/**
 * The order in which the guest inserts modules.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { LabError } from "../../lab/host.ts";
import { moduleOrder } from "../../lab/initramfs.ts";

const DEPENDENCIES = `kernel/fs/9p.ko: kernel/net/9pnet.ko kernel/fs/netfs.ko
kernel/net/9pnet.ko:
kernel/fs/netfs.ko: kernel/fs/cache.ko
kernel/fs/cache.ko:
kernel/fs/other.ko:
`;

Deno.test("moduleOrder() names each module once, after those it depends on", () => {
  const order = ["kernel/net/9pnet.ko", "kernel/fs/cache.ko", "kernel/fs/netfs.ko"];
  assertEquals(moduleOrder(DEPENDENCIES, ["9p", "netfs"]), [...order, "kernel/fs/9p.ko"]);
});

Deno.test("moduleOrder() finds modules that are compressed", () => {
  const compressed = DEPENDENCIES.replaceAll(".ko", ".ko.xz");
  assertEquals(moduleOrder(compressed, ["cache"]), ["kernel/fs/cache.ko.xz"]);
});

Deno.test("moduleOrder() refuses a module that does not exist", () => {
  assertThrows(() => moduleOrder(DEPENDENCIES, ["10p"]), LabError, "10p");
});
