// SPDX-License-Identifier: MIT
/**
 * A driver to test: loads and unloads it by system calls, so that `--allow-ffi` is enough.
 *
 * There is no way to empty a store but to load the driver afresh. A driver that holds rows is left
 * alone unless `--wipe` says that they may go.
 *
 * Arguments, after `--`: `--module PATH` names the built driver. The default is what the lab built
 * for the machine that it is, or `kernel/vss.ko`, where `just load` leaves it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { VssClient, type VssError } from "../../mod.ts";
import { readText } from "../../client/system.ts";
import { cString, lastErrno, libc, O_RDONLY } from "./raw.ts";

const args = parseArgs(Deno.args, { string: ["module"], boolean: ["wipe"] });

/** Where the built driver may lie: the lab's machines are called as their folders are. */
const MODULES = args.module === undefined
  ? [`build/${readText("/proc/sys/kernel/hostname")}/vss.ko`, "kernel/vss.ko"]
  : [args.module];

/** Numbers of system calls that the C library has no function for. */
const CALLS = {
  x86_64: { finit_module: 313n, delete_module: 176n },
  aarch64: { finit_module: 273n, delete_module: 106n },
}[Deno.build.arch];

/** `O_NONBLOCK`: do not wait until nobody uses the driver. */
const O_NONBLOCK = 0o4000n;

/** Whether the driver that is loaded was loaded here. */
let isOurs = false;

/** Opens the first of the files in which the driver may lie. */
function openModule(): number {
  for (const path of MODULES) {
    const fd = libc.open(cString(path), O_RDONLY);
    if (fd >= 0) return fd;
  }
  throw new Error(`Cannot open ${MODULES.join(" or ")}; name the driver with -- --module PATH`);
}

/** Loads the driver; returns `"ok"` or the errno's name. */
export function load(parameters = ""): string {
  const fd = openModule();
  const result = libc.syscall(CALLS.finit_module, BigInt(fd), cString(parameters), 0n);
  const error = lastErrno();
  libc.close(fd);
  if (result === 0n) isOurs = true;
  return result === 0n ? "ok" : error;
}

/**
 * Unloads the driver.
 *
 * @returns `"ok"` or the errno's name.
 * @throws {Error} If it holds rows that are not these tests' own and `--wipe` is not given.
 */
export function unload(): string {
  if (isLoaded()) guardRows();
  const result = libc.delete_module(CALLS.delete_module, cString("vss"), O_NONBLOCK);
  const error = lastErrno();
  return result === 0n ? "ok" : error;
}

/** Whether the driver is loaded. */
export function isLoaded(): boolean {
  return readText("/sys/module/vss/initstate") === "live";
}

/**
 * Makes a fresh, empty store.
 *
 * @param parameters Module parameters, such as `max_vectors=3`.
 * @throws {Error} If a driver is loaded whose rows are not these tests' own, and `--wipe` is not
 * given; or if it cannot be loaded.
 */
export function freshStore(parameters = ""): void {
  if (isLoaded()) {
    const unloaded = unload();
    if (unloaded !== "ok") throw new Error(`Cannot unload the driver: ${unloaded}`);
  }
  const loaded = load(parameters);
  if (loaded !== "ok") throw new Error(`Cannot load the driver with "${parameters}": ${loaded}`);
  waitForDevice();
}

/** Refuses to lose rows that somebody else stored. */
function guardRows(): void {
  // Each test file leaves an empty store behind, so rows found by the first test are somebody's.
  if (isOurs || args.wipe || Number(readText("/sys/class/misc/vss/count") ?? 0) === 0) return;
  throw new Error("The loaded driver holds rows; give --wipe to lose them");
}

/** Leaves a driver as it is loaded by default, without rows. */
export function leaveEmpty(): void {
  freshStore();
}

/** Waits for the device, which the kernel makes soon after the driver is loaded. */
function waitForDevice(): void {
  const end = performance.now() + 5_000;
  for (;;) {
    try {
      return VssClient.open().close();
    } catch (error) {
      if ((error as VssError).code !== "ENOENT" || performance.now() > end) throw error;
    }
  }
}
