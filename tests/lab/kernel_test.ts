// SPDX-License-Identifier: MIT
/**
 * Kernels in the cache.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { LabError } from "../../lab/host.ts";
import { cachedKernel, type Recipe } from "../../lab/kernel.ts";
import { mergeConfigurations, requireConfigured } from "../../lab/source_kernel.ts";

/** A kernel that takes no time to make, and says how often it was made. */
function recipe(ingredients: string, made: string[]): Recipe {
  return {
    name: "quick",
    ingredients,
    make: async (folder) => {
      await Deno.writeTextFile(`${folder}/busybox`, "");
      made.push(ingredients);
      return "1.0";
    },
    kernelIn: (folder, release) => ({
      ...{ release, image: "", modules: "", headers: "", bootModules: [], makeArguments: [] },
      busybox: `${folder}/busybox`,
    }),
  };
}

Deno.test("cachedKernel() makes a kernel once, and anew for other ingredients", async () => {
  const cache = await Deno.makeTempDir({ prefix: "vss-kernel-test-" });
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", cache);
  try {
    const made: string[] = [];
    for (const ingredients of ["flour", "flour", "rye", "rye"]) {
      assertEquals((await cachedKernel(recipe(ingredients, made))).release, "1.0");
    }
    assertEquals(made, ["flour", "rye"]);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("requireConfigured() names the wishes that a configuration does not have", () => {
  const wishes = "# Why.\nCONFIG_A=y\n\nCONFIG_B=y\n";
  requireConfigured(wishes, "CONFIG_B=y\nCONFIG_A=y\n");
  const { message } = assertThrows(
    () => requireConfigured(wishes, "CONFIG_A=y\n# CONFIG_B is not set\n"),
    LabError,
  );
  assertEquals(message, "This kernel's configuration cannot have CONFIG_B=y");
});

Deno.test("mergeConfigurations() lets later parts override earlier ones", () => {
  const merged = mergeConfigurations([
    '# Names.\nCONFIG_NAME="a"\nCONFIG_A=y\nCONFIG_AB=y\n',
    'CONFIG_NAME="b"\n# CONFIG_A is not set\n',
  ]);
  assertEquals(
    merged.split("\n").filter(Boolean),
    ["# Names.", "CONFIG_AB=y", 'CONFIG_NAME="b"', "# CONFIG_A is not set"],
  );
});
