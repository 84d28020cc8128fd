// SPDX-License-Identifier: MIT
/**
 * Removes the driver, and with it all rows, from the running kernel.
 *
 * @module
 */
import { exitWith, LabError } from "./host.ts";
import { asRoot, isLoaded, show } from "./real_machine.ts";

async function unload(): Promise<number> {
  if (!await isLoaded()) {
    console.log("vss is not loaded");
    return 0;
  }
  const users = Number(await Deno.readTextFile("/sys/module/vss/refcnt"));
  if (users > 0) {
    throw new LabError(
      `vss is in use: /dev/vss is open ${users} times. ` +
        "`sudo fuser -v /dev/vss` lists the processes; end them, then try again",
    );
  }
  await show(asRoot(["rmmod", "vss"]));
  console.log("vss is removed, and all its rows with it");
  return 0;
}

if (import.meta.main) await exitWith(() => unload());
