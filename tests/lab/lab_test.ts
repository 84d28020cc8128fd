// SPDX-License-Identifier: MIT
/**
 * The lab as its users see it: each test boots a machine.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { BUILD, exists, PROJECT } from "../../lab/host.ts";
import { channelDevices } from "../../lab/kinds.ts";
import { type Machine, machineByName, MACHINES } from "../../lab/machines.ts";
import { shellQuote } from "../../lab/quote.ts";

/** What a finished lab left. */
interface Outcome {
  readonly code: number;
  readonly stdout: Uint8Array;
  /** Without the word of a machine that had to be started anew, which happens where it is busy. */
  readonly stderr: string;
  /** How often it had to be. */
  readonly restarts: number;
}

/** What the lab says then. */
const STARTED_ANEW = "lab: the machine did not start; starting it anew\n";

/** How to run the lab. */
interface Options {
  readonly project?: string;
  readonly cwd?: string;
  readonly input?: Uint8Array<ArrayBuffer>;
  readonly env?: Record<string, string>;
}

/** One machine of each kind. */
const KINDS = MACHINES.filter(({ kind }, index) =>
  index === MACHINES.findIndex((machine) => machine.kind === kind)
);

/** Declares a test of each kind of machine. */
function testMachines(name: string, test: (machine: Machine) => Promise<void>): void {
  for (const machine of KINDS) Deno.test(`${name}: ${machine.name}`, () => test(machine));
}

function labCommand(machine: Machine, args: string[], project = PROJECT): string[] {
  const words = [`${project}/lab/main.ts`, "--machine", machine.name, ...args];
  return ["run", "--quiet", "--no-check", "--allow-all", ...words];
}

async function lab(machine: Machine, args: string[], options: Options = {}): Promise<Outcome> {
  const { project = PROJECT, cwd = project, input, env = {} } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: labCommand(machine, args, project),
    cwd,
    env,
    stdin: input ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // At the same time, as nobody promises to hold what is not read.
  const output = child.output();
  if (input) await new Blob([input]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await output;
  const parts = new TextDecoder().decode(stderr).split(STARTED_ANEW);
  return { code, stdout, stderr: parts.join(""), restarts: parts.length - 1 };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Every byte value, in an order that repeats late. */
function sampleBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index * 31 + (index >> 8));
}

/** The processes of running machines whose scratch folder lies in `folder`. */
async function machinesIn(folder: string): Promise<number> {
  let count = 0;
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    const words = await Deno.readTextFile(`/proc/${entry.name}/cmdline`).catch(() => "");
    if (/qemu-system|initrd=/.test(words) && words.includes(folder)) count++;
  }
  return count;
}

async function until(condition: () => Promise<boolean>, seconds: number): Promise<boolean> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline;) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return await condition();
}

testMachines("lab passes input, both outputs and the exit status unchanged", async (machine) => {
  const input = sampleBytes(1_000_003);
  const { code, stdout, stderr } = await lab(
    machine,
    ["--", "sh", "-c", "tee build/lab-test-stderr; sha256sum build/lab-test-stderr >&2; exit 7"],
    { input },
  );
  await Deno.remove(`${BUILD}/lab-test-stderr`);
  assertEquals(code, 7);
  assertEquals(stdout, input);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", input)).toHex();
  assertEquals(stderr, `${digest}  build/lab-test-stderr\n`);
});

testMachines("lab passes arguments, folder and environment unchanged", async (machine) => {
  const words = ["a b", "", "it's", '"q"', "$HOME `id` \\", "two\nlines", "--verbose", "ä"];
  const script = 'pwd; printf %s "$VSS_TEST" >/dev/stderr; printf "[%s]" "$@"';
  const { code, stdout, stderr } = await lab(machine, ["--", "sh", "-c", script, "sh", ...words], {
    cwd: `${PROJECT}/kernel/uapi`,
    env: { VSS_TEST: "x  y\n'z'" },
  });
  assertEquals(stderr, "x  y\n'z'");
  assertEquals(
    text(stdout),
    `${PROJECT}/kernel/uapi\n${words.map((word) => `[${word}]`).join("")}`,
  );
  assertEquals(code, 0);
});

testMachines(
  "lab works from a clone in a folder with a space and keeps only build/",
  async (machine) => {
    const scratch = await Deno.makeTempDir({ prefix: "vss lab test " });
    try {
      const project = `${scratch}/clone`;
      await Deno.mkdir(project);
      for (const name of ["deno.json", "deno.lock", "kernel", "lab", "offline"]) {
        const copy = new Deno.Command("cp", { args: ["-r", `${PROJECT}/${name}`, project] });
        assert((await copy.output()).success);
      }
      const script = "ls /dev/vss; echo gone >kernel/new; rm deno.json; echo kept >build/new";
      const { code, stdout, stderr } = await lab(machine, ["--", "sh", "-c", script], { project });
      assertEquals(stderr, "");
      assertEquals(text(stdout), "/dev/vss\n");
      assertEquals(code, 0);
      assertEquals(await Deno.readTextFile(`${project}/build/new`), "kept\n");
      assert(await exists(`${project}/deno.json`));
      assertEquals(await exists(`${project}/kernel/new`), false);
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  },
);

testMachines("lab passes more output than its reader takes at once", async (machine) => {
  const child = new Deno.Command(Deno.execPath(), {
    args: labCommand(machine, ["--", "head", "-c", "3000000", "/dev/zero"]),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let length = 0;
  for await (const chunk of child.stdout) {
    if (length < 1_000_000) await new Promise((resolve) => setTimeout(resolve, 20));
    length += chunk.length;
  }
  assertEquals([(await child.status).code, length], [0, 3_000_000]);
});

testMachines("lab gives the command a complete Linux", async (machine) => {
  const script = `
    set -e
    test -c /dev/vss; test -d /sys/class/misc/vss; test -d /lib/modules/$(uname -r)/build/include
    grep -q memory /sys/fs/cgroup/cgroup.controllers; ls /dev/pts/ptmx /dev/fd/0 >/dev/null
    touch /dev/shm/x /run/x /tmp/x; cat /sys/class/net/lo/operstate; hostname; id -u
    deno --version | head -n 1 | cut -d " " -f 1`;
  const { code, stdout, stderr } = await lab(machine, ["--", "sh", "-c", script]);
  assertEquals(stderr, "");
  assertEquals(text(stdout), `unknown\n${machine.name}\n0\ndeno\n`);
  assertEquals(code, 0);
});

testMachines("lab reports a machine that panics, with the kernel's words", async (machine) => {
  const { code, stdout, stderr } = await lab(
    machine,
    ["--", "sh", "-c", "echo before; sleep 1; echo c >/proc/sysrq-trigger"],
  );
  assertEquals(text(stdout), "before\n");
  assertStringIncludes(stderr, "the machine died");
  assertStringIncludes(stderr, "Kernel panic - not syncing: sysrq triggered crash");
  assertEquals(code, 1);
});

testMachines("lab fails where the kernel complains, whatever the command says", async (machine) => {
  const { code, stderr } = await lab(machine, [
    "--",
    "sh",
    "-c",
    "echo '<3>BUG: made up' >/dev/kmsg",
  ]);
  assertStringIncludes(stderr, "BUG: made up");
  assertEquals(code, 1);
});

testMachines(
  "lab ends what a command leaves running, and the driver's removal is quiet",
  async (machine) => {
    const { code, stdout, stderr } = await lab(
      machine,
      ["--", "sh", "-c", "(exec 3<>/dev/vss; sleep 1000) & echo started"],
    );
    assertEquals([code, text(stdout), stderr], [0, "started\n", ""]);
  },
);

testMachines(
  "lab starts a machine anew that does not start, and gives up in the end",
  async (machine) => {
    // Less than either takes.
    const seconds = machine.kind === "qemu" ? "0.2" : "0.02";
    const { code, stderr, restarts } = await lab(machine, ["--", "true"], {
      env: { VSS_LAB_BOOT_SECONDS: seconds },
    });
    assertEquals([code, restarts], [1, 2]);
    assertStringIncludes(stderr, "the machine did not start, 3 times");
  },
);

testMachines("lab stops a machine after the timeout", async (machine) => {
  const seconds = machine.kind === "qemu" ? "60" : "10";
  const { code, stdout, stderr } = await lab(
    machine,
    ["--timeout", seconds, "--", "sh", "-c", "echo begun; sleep 1000"],
  );
  assertEquals(text(stdout), "begun\n");
  assertStringIncludes(stderr, `stopped after ${seconds} seconds`);
  assertStringIncludes(stderr, "vss");
  assertEquals(code, 124);
});

testMachines("lab says why the driver did not load", async (machine) => {
  const { code, stdout, stderr } = await lab(
    machine,
    ["--module-args", "max_vectors=1 simd=nonsense", "--", "echo", "never"],
  );
  assertEquals(text(stdout), "");
  assertStringIncludes(stderr, "the driver did not load");
  assertStringIncludes(stderr, "Invalid argument");
  assertEquals(code, 1);
});

Deno.test("lab names every missing tool and the command that installs them", async () => {
  const { code, stderr } = await lab(MACHINES[0]!, ["--", "true"], {
    env: { PATH: "/nonexistent" },
  });
  assertStringIncludes(stderr, "qemu-system-x86_64, gcc-12");
  assertStringIncludes(stderr, "apt-get install --no-install-recommends qemu-system-x86 gcc-12");
  assert(!stderr.includes("aarch64"));
  assertEquals(code, 1);
});

Deno.test("lab names the tools that only one machine needs, for that one", async () => {
  const { stderr } = await lab(machineByName("debian-arm64"), ["--", "true"], {
    env: { PATH: "/nonexistent" },
  });
  assertStringIncludes(stderr, "qemu-system-x86_64, gcc-12");
  assertStringIncludes(stderr, "qemu-system-aarch64");
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  testMachines(`lab leaves no machine behind when ${signal} ends it`, async (machine) => {
    const scratch = await Deno.makeTempDir({ prefix: "vss-lab-test-" });
    try {
      const child = new Deno.Command(Deno.execPath(), {
        args: labCommand(machine, ["--", "sh", "-c", "echo up; sleep 1000"]),
        env: { TMPDIR: scratch },
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      await child.stdout.values().next();
      assert(await machinesIn(scratch) > 0);
      child.kill(signal);
      const { code } = await child.status;
      assertNotEquals(code, 0);
      assert(await until(async () => await machinesIn(scratch) === 0, 5));
      if (signal === "SIGTERM") assertEquals([...Deno.readDirSync(scratch)], []);
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  });
}

testMachines("lab ends when nobody reads its output any more", async (machine) => {
  const child = new Deno.Command(Deno.execPath(), {
    args: labCommand(machine, ["--timeout", "180", "--", "yes"]),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  for await (const _chunk of child.stdout) break;
  assertEquals((await child.status).code, 141);
});

testMachines("lab --shell gives a terminal with job control", async (machine) => {
  const inner = shellQuote([
    Deno.execPath(),
    ...labCommand(machine, ["--shell", "--timeout", "180"]),
  ]);
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", inner, "/dev/null"],
    env: { SHELL: "/bin/bash", TERM: "dumb" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  // What to type when the screen shows something new, as a person would.
  const script = [
    ["# ", "tty; sleep 100 & jobs; fg\n"],
    ["Running", "\x03"],
    ["^C", "echo status $?; exit 5\n"],
  ];
  let screen = "";
  let typed = 0;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    screen += chunk;
    const [prompt = "", keys = ""] = script[0] ?? [];
    if (script.length === 0 || !screen.slice(typed).includes(prompt)) continue;
    script.shift();
    typed = screen.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await keyboard.write(new TextEncoder().encode(keys));
  }
  await keyboard.close().catch(() => {});
  assertStringIncludes(screen, channelDevices(machine).terminal!);
  assertStringIncludes(screen, "status 130");
  // Bash says so where it has none.
  assertEquals(screen.includes("no job control"), false);
  assertEquals((await child.status).code, 5);
});
