// SPDX-License-Identifier: MIT
/**
 * The machine `uml-debug` finds what it is there for: a module commits one fault of each kind, and
 * the session fails with the kernel's word for it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PROJECT } from "../../lab/host.ts";
import { prepareKernel } from "../../lab/kinds.ts";
import { machineByName } from "../../lab/machines.ts";
import { buildModule } from "../../lab/module.ts";

const MACHINE = machineByName("uml-debug");

/** What the kernel says to each fault of `faults.c`. */
const FAULTS: Readonly<Record<string, RegExp>> = {
  use_after_free: /KASAN: slab-use-after-free in use_after_free/,
  free_twice: /KASAN: double-free in free_twice/,
  out_of_bounds: /KASAN: slab-out-of-bounds in out_of_bounds/,
  out_of_bounds_vmalloc: /KASAN: vmalloc-out-of-bounds in out_of_bounds_vmalloc/,
  leak: /unreferenced object .* \(size 32\)/,
  lock_inversion: /possible circular locking dependency detected/,
  reclaim_recursion: /possible circular locking dependency detected[^]*fs_reclaim/,
  sleep_in_atomic: /sleeping function called from invalid context/,
  unprotected_rcu: /suspicious rcu_dereference_check\(\) usage/,
  shift_overflow: /UBSAN: shift-out-of-bounds/,
  index_overflow: /UBSAN: array-index-out-of-bounds/,
  list_corruption: /BUG: failure at lib\/list_debug\.c/,
  free_active: /ODEBUG: free active/,
};

async function lab(...command: string[]): Promise<{ code: number; stderr: string }> {
  const words = [`${PROJECT}/lab/main.ts`, "--machine", MACHINE.name, "--", ...command];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", ...words],
    cwd: PROJECT,
    stdin: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** The module with the faults, built on first use. */
let module: Promise<string> | undefined;

async function build(): Promise<string> {
  const folder = `${import.meta.dirname}/faults`;
  return await buildModule(MACHINE, await prepareKernel(MACHINE), { name: "faults", folder });
}

async function commit(fault: string): Promise<{ code: number; stderr: string }> {
  module ??= build();
  // The module refuses to stay, which is no failure here.
  return await lab("sh", "-c", 'insmod "$1" fault="$2"; true', "sh", await module, fault);
}

for (const [fault, word] of Object.entries(FAULTS)) {
  Deno.test(`uml-debug finds ${fault.replaceAll("_", " ")}`, async () => {
    const { code, stderr } = await commit(fault);
    assertMatch(stderr, word);
    assertEquals(code, 1);
  });
}

Deno.test("uml-debug finds nothing where there is no fault", async () => {
  const { code, stderr } = await commit("none");
  assertEquals(code, 0);
  assertMatch(stderr, /^insmod: [^\n]*Invalid (parameters|argument)\n$/);
});
