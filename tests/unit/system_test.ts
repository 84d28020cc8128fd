// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { fileStatus, identity, nameOf, readText } from "../../client/system.ts";
import { diagnose, VERSION } from "../../mod.ts";

Deno.test("readText() reads what Deno reads", async () => {
  assertEquals(readText("/proc/sys/kernel/osrelease"), Deno.osRelease());
  assertEquals(readText("/etc/passwd"), (await Deno.readTextFile("/etc/passwd")).trim());
});

Deno.test("readText() gives undefined for what cannot be read", () => {
  for (const path of ["/nowhere", "/", ""]) assertEquals(readText(path), undefined);
});

Deno.test("fileStatus() says what Deno.stat() says", () => {
  for (const path of ["/dev/null", "/etc/passwd", "/"]) {
    const { mode, uid, gid, isCharDevice } = Deno.statSync(path);
    assertEquals(fileStatus(path), {
      isCharacterDevice: isCharDevice ?? false,
      mode: (mode ?? 0) & 0o7777,
      uid: uid ?? -1,
      gid: gid ?? -1,
    });
  }
  assertEquals(fileStatus("/nowhere"), undefined);
});

Deno.test("identity() is the user of this process", () => {
  assertEquals(identity().uid, Deno.uid());
  assert(identity().groups.includes(Deno.gid()!));
});

Deno.test("nameOf() finds names, and keeps numbers that have none", () => {
  assertEquals(nameOf("/etc/passwd", 0), "root");
  assertEquals(nameOf("/etc/group", 4_000_000_001), "4000000001");
});

Deno.test("diagnose() names what is missing and what to do", () => {
  const findings = diagnose("/nowhere/vss");
  for (const check of ["device", "access"]) {
    const finding = findings.find((candidate) => candidate.check === check);
    assertEquals(finding?.status, "missing", check);
    assert(finding?.advice?.includes("just load"), check);
  }
});

Deno.test("diagnose() tells a file that is not the device", () => {
  const find = (path: string, check: string) =>
    diagnose(path).find((candidate) => candidate.check === check);
  assertEquals(find("/etc/passwd", "device")?.status, "missing");
  assertEquals(find("/dev/null", "device")?.status, "ok");
  assertEquals(find("/dev/null", "access")?.status, "missing");
});

Deno.test("VERSION is the release that deno.json names", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(config.version, VERSION);
});

Deno.test("the driver's release is the toolkit's", async () => {
  const source = await Deno.readTextFile(new URL("../../kernel/main.h", import.meta.url));
  assertEquals(/VSS_RELEASE "([^"]*)"/.exec(source)?.[1], VERSION);
});
