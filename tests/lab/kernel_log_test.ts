// SPDX-License-Identifier: MIT
/**
 * What counts as a complaint of the kernel's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { findComplaints, linesAfter, tail } from "../../lab/kernel_log.ts";

/** How kernels word their complaints, each from a real log. */
const COMPLAINTS = [
  "[    9.1] WARNING: CPU: 0 PID: 1 at kernel/fork.c:1 copy_process+0x1/0x2",
  "[    9.1] BUG: kernel NULL pointer dereference, address: 0000000000000000",
  "[    9.1] BUG: sleeping function called from invalid context at mm/page_alloc.c:1",
  "[    9.1] kernel BUG at mm/slub.c:379!",
  "[    9.1] Oops: 0000 [#1] PREEMPT SMP NOPTI",
  "[    9.1] general protection fault, probably for non-canonical address 0xdead: 0000 [#1]",
  "[    9.1] Kernel panic - not syncing: panic_on_warn set ...",
  "[    9.1] Call Trace:",
  "[    9.1] UBSAN: shift-out-of-bounds in lib/x.c:1:2",
  "[    9.1] BUG: KASAN: slab-use-after-free in vss_add+0x1/0x2 [vss]",
  "[    9.1] BUG: KFENCE: use-after-free read in x",
  "[    9.1] WARNING: possible circular locking dependency detected",
  "[    9.1] WARNING: suspicious RCU usage",
  "[    9.1] INFO: trying to register non-static key.",
  "[    9.1] INFO: task deno:12 blocked for more than 120 seconds.",
  "[    9.1] rcu: INFO: rcu_preempt self-detected stall on CPU",
  "[    9.1] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [deno:1]",
  "[    9.1] kmemleak: 3 new suspected memory leaks: unreferenced object 0xffff",
  "[    9.1] BUG: scheduling while atomic: deno/1/0x00000002",
  "[    9.1] refcount_t: underflow; use-after-free.",
  "[    9.1] BUG vss_row (Tainted: G): Objects remaining in vss_row on __kmem_cache_shutdown()",
  "[    9.1] vss: unknown parameter 'simdd' ignored",
  "[    9.1] invalid opcode: 0000 [#1] PREEMPT SMP",
  "[    9.1] kmemleak: Kernel memory leak detector disabled",
  "[    9.1] turning off the locking correctness validator.",
];

/** What a healthy guest says. */
const HARMLESS = [
  "[    2.2] AMD-Vi: AMD IOMMUv2 functionality not available - This is not a bug.",
  "[    1.4] PCI: Using host bridge windows; if necessary, use pci=nocrs and report a bug",
  "[    6.0] vss: loading out-of-tree module taints kernel.",
  "[    6.0] vss: module verification failed: signature and/or required key missing",
  "[    0.3] rcu: Preemptible hierarchical RCU implementation.",
  "[    6.1] vss: ready, distances by avx2",
];

Deno.test("findComplaints() knows the kernel's complaints", () => {
  for (const line of COMPLAINTS) {
    assertEquals(findComplaints(`fine\n${line}\n`), [{ line: 2, text: line }]);
  }
});

Deno.test("findComplaints() leaves a healthy log alone", () => {
  assertEquals(findComplaints(HARMLESS.join("\r\n")), []);
});

Deno.test("tail() gives the last lines that say something", () => {
  assertEquals(tail("a\r\nb\n\nc\n\n", 2), "b\nc");
});

Deno.test("linesAfter() gives what follows a marker", () => {
  assertEquals(linesAfter("a\nthe marker\nb\r\n\nc\n", "marker"), "b\nc");
  assertEquals(linesAfter("a\n", "marker"), "");
});
