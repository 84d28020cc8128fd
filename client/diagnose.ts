// SPDX-License-Identifier: MIT
/**
 * What is there and what is missing between a program and the driver.
 *
 * @module
 */
import { VssClient } from "./client.ts";
import { VssError } from "./errors.ts";
import { DEVICE_PATH } from "./protocol.ts";
import { fileStatus, identity, nameOf, readText } from "./system.ts";
import { VERSION } from "./version.ts";

/** The bits of a mode that let everybody read and write. */
const EVERYBODY = 0o006;

/** One thing looked at. */
export interface Finding {
  /**
   * What was looked at: `kernel`, `deno`, `toolkit`, `module`, `device`, `group`, `access`, `simd` or
   * `processors`.
   */
  readonly check: string;
  /** `missing` where nothing works without it, `warning` where something may not. */
  readonly status: "ok" | "warning" | "missing";
  /** What is there. */
  readonly found: string;
  /** What to do about it, unless it is as it should be. */
  readonly advice?: string;
}

/**
 * Looks at everything that a program needs to use the device, and says what to do where something
 * is not as it should be. Needs no permission but `--allow-ffi`, and changes nothing.
 *
 * @param path The device's path.
 * @returns The findings, in the order in which to mend them.
 * @throws {Deno.errors.NotCapable} If Deno runs without `--allow-ffi`.
 *
 * @example Usage
 * ```ts
 * import { assert } from "@std/assert";
 * import { diagnose } from "@vss/vss";
 *
 * const findings = diagnose("/nowhere/vss");
 * assert(findings.some(({ check, status }) => check === "device" && status === "missing"));
 * ```
 */
export function diagnose(path: string = DEVICE_PATH): Finding[] {
  return [
    { check: "kernel", status: "ok", found: kernelRelease() },
    { check: "deno", status: "ok", found: `${Deno.version.deno} on ${Deno.build.target}` },
    { check: "toolkit", status: "ok", found: VERSION },
    findModule(),
    findDevice(path),
    ...findGroup(path),
    findAccess(path),
    findSimd(),
    ...findProcessors(),
  ];
}

function kernelRelease(): string {
  const release = readText("/proc/sys/kernel/osrelease") ?? "unknown";
  return `Linux ${release}`;
}

function findModule(): Finding {
  const check = "module";
  const version = readText("/sys/module/vss/version");
  if (version === undefined) {
    const advice = "load the driver: `just load`";
    return { check, status: "missing", found: "vss is not loaded", advice };
  }
  if (version !== VERSION) {
    const advice = `load the driver of release ${VERSION}: \`just unload\`, then \`just load\``;
    return { check, status: "warning", found: `vss ${version}`, advice };
  }
  return { check, status: "ok", found: `vss ${version}` };
}

function findDevice(path: string): Finding {
  const check = "device";
  const status = fileStatus(path);
  if (status === undefined) {
    const advice = "load the driver: `just load`; if it is loaded, look for its path in /dev";
    return { check, status: "missing", found: `${path} is not there`, advice };
  }
  if (!status.isCharacterDevice) {
    const advice = `name the driver's device, usually ${DEVICE_PATH}`;
    return { check, status: "missing", found: `${path} is no character device`, advice };
  }
  const mode = status.mode.toString(8).padStart(4, "0");
  const owner = `${nameOf("/etc/passwd", status.uid)}:${nameOf("/etc/group", status.gid)}`;
  return { check, status: "ok", found: `${path} ${mode} ${owner}` };
}

/** Whether the device's group lets this user in; nothing to say where all are let in or none is. */
function findGroup(path: string): Finding[] {
  const check = "group";
  const status = fileStatus(path);
  if (!status?.isCharacterDevice) return [];
  const { uid, groups } = identity();
  const [user, group] = [nameOf("/etc/passwd", uid), nameOf("/etc/group", status.gid)];
  if (uid === 0) return [{ check, status: "ok", found: "root needs no group" }];
  if ((status.mode & EVERYBODY) === EVERYBODY) {
    return [{ check, status: "ok", found: "everybody is let in" }];
  }
  if (groups.includes(status.gid)) {
    return [{ check, status: "ok", found: `${user} is in group ${group}` }];
  }
  const found = `${user} is not in group ${group}`;
  const advice = status.gid === 0
    ? "`just load` gives the device to group vss; or run as root"
    : `\`sudo usermod -aG ${group} ${user}\`, then log in again`;
  return [{ check, status: "warning", found, advice }];
}

/** Whether the device opens and answers. */
function findAccess(path: string): Finding {
  const check = "access";
  try {
    using client = VssClient.open(path);
    const { count, capacity, dimension } = client.stats();
    const what = dimension === 0 ? "no vectors yet" : `${count} vectors of ${dimension} components`;
    return { check, status: "ok", found: `${what}, room for ${capacity}` };
  } catch (error) {
    if (!(error instanceof VssError)) throw error;
    const failure = error.operation === "open" ? "does not open" : "does not answer";
    const found = `${path} ${failure} (${error.code})`;
    const advice = error.code === "EACCES"
      ? "let this user in, see the group"
      : error.advice ?? error.message;
    return { check, status: "missing", found, advice };
  }
}

function findSimd(): Finding {
  const check = "simd";
  const level = readText("/sys/class/misc/vss/simd");
  if (level !== undefined) return { check, status: "ok", found: level };
  const advice = "load the driver: `just load`";
  return { check, status: "warning", found: "unknown while no driver is loaded", advice };
}

/** How many processors a search may use; nothing to say while no driver tells. */
function findProcessors(): Finding[] {
  const most = readText("/sys/module/vss/parameters/search_cpus");
  if (most === undefined) return [];
  const usable = navigator.hardwareConcurrency;
  const found = most === "0" ? `a search may use all ${usable}` : `a search may use ${most}`;
  return [{ check: "processors", status: "ok", found }];
}
