// SPDX-License-Identifier: MIT
/**
 * The machines whose kernels check what a driver does find what they are there for: a module
 * commits one fault of each kind, and the session fails with the kernel's word for it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PROJECT } from "../../lab/host.ts";
import { prepareKernel } from "../../lab/kinds.ts";
import { type Machine, machineByName } from "../../lab/machines.ts";
import { buildModule } from "../../lab/module.ts";

/** What the kernel of each machine says to the faults of `faults.c` that it is there for. */
const FAULTS: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "uml-debug": {
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
  },
  kcsan: {
    racing_accesses: /BUG: KCSAN: data-race in rac/,
  },
};

/** What a session left. */
interface Outcome {
  readonly code: number;
  readonly stderr: string;
}

async function lab(machine: Machine, ...command: string[]): Promise<Outcome> {
  const words = [`${PROJECT}/lab/main.ts`, "--machine", machine.name, "--", ...command];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", ...words],
    cwd: PROJECT,
    stdin: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

async function commit(machine: Machine, fault: string): Promise<Outcome> {
  const folder = `${import.meta.dirname}/faults`;
  const kernel = await prepareKernel(machine);
  const module = await buildModule(machine, kernel, { name: "faults", folder });
  // The module refuses to stay, which is no failure here.
  return await lab(machine, "sh", "-c", 'insmod "$1" fault="$2"; true', "sh", module, fault);
}

for (const [name, faults] of Object.entries(FAULTS)) {
  const machine = machineByName(name);

  for (const [fault, word] of Object.entries(faults)) {
    Deno.test(`${name} finds ${fault.replaceAll("_", " ")}`, async () => {
      const { code, stderr } = await commit(machine, fault);
      assertMatch(stderr, word);
      assertEquals(code, 1);
    });
  }

  Deno.test(`${name} finds nothing where there is no fault`, async () => {
    const { code, stderr } = await commit(machine, "none");
    assertEquals(code, 0);
    assertMatch(stderr, /^insmod: [^\n]*Invalid (parameters|argument)\n$/);
  });
}
