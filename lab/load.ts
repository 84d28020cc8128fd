// SPDX-License-Identifier: MIT
/**
 * Builds the driver for the running kernel, inserts it, and lets the group `vss` use the device.
 *
 * @module
 */
import { cacheFolder, exists, exitWith, LabError, PROJECT, run, runOrThrow } from "./host.ts";
import { asRoot, isLoaded, show } from "./real_machine.ts";

const GROUP = "vss";
const DEVICE = "/dev/vss";

/** Where the driver is built if the project's own path holds white space. */
const BUILD_COPY = `${cacheFolder()}/load`;

async function load(parameters: string[]): Promise<number> {
  if (!await isLoaded()) await insert(parameters);
  else if (parameters.length > 0) {
    throw new LabError(
      `vss is loaded already, so ${parameters.join(" ")} cannot be set: \`just unload\` removes it`,
    );
  } else console.log("vss is loaded already; `just unload` removes it, with all rows");
  // Also where it was loaded already: an earlier run may have been stopped before this.
  await openToGroup();
  const version = (await Deno.readTextFile("/sys/module/vss/version")).trim();
  console.log(`vss ${version} is loaded: ${DEVICE} is open to root and to the group ${GROUP}
To let a user in:  sudo usermod -aG ${GROUP} USER  (it holds from the user's next login)`);
  return 0;
}

/** Builds the driver for the running kernel and inserts it. */
async function insert(parameters: string[]): Promise<void> {
  await requireHeaders();
  const folder = await buildFolder();
  await show(["make", `-j${navigator.hardwareConcurrency}`, "-C", folder]);
  try {
    await show(asRoot(["insmod", `${folder}/vss.ko`, ...parameters]));
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(
      `${error.message}; \`sudo dmesg | tail\` says why. ` +
        "Where Secure Boot is on, the kernel takes signed modules only",
    );
  }
  await requireKnown(parameters);
  await waitForDevice();
}

/** Where the driver is built: in its place, or a copy where Kbuild could not take the path. */
async function buildFolder(): Promise<string> {
  const place = `${PROJECT}/kernel`;
  if (!/\s/.test(place)) return place;
  const copy = `${BUILD_COPY}/kernel`;
  await Deno.remove(BUILD_COPY, { recursive: true }).catch(() => {});
  await Deno.mkdir(BUILD_COPY, { recursive: true });
  await runOrThrow(["cp", "-r", place, copy]);
  return copy;
}

/** Gives the device to the group, which is made if it is missing. */
async function openToGroup(): Promise<void> {
  if ((await run(["getent", "group", GROUP])).code !== 0) {
    await show(asRoot(["groupadd", "--system", GROUP]));
  }
  await show(asRoot(["chown", `root:${GROUP}`, DEVICE]));
  await show(asRoot(["chmod", "0660", DEVICE]));
}

async function requireHeaders(): Promise<void> {
  const release = Deno.osRelease();
  if (await exists(`/lib/modules/${release}/build`)) return;
  throw new LabError(
    `The headers of the running kernel ${release} are not installed. On Debian:\n` +
      `  sudo apt-get install linux-headers-${release}`,
  );
}

/** Takes a driver out again that was given a parameter it does not have; the kernel only logs it. */
async function requireKnown(parameters: string[]): Promise<void> {
  const known = [...Deno.readDirSync("/sys/module/vss/parameters")].map(({ name }) => name).sort();
  const unknown = parameters.find((parameter) => !known.includes(parameter.split("=")[0] ?? ""));
  if (unknown === undefined) return;
  await show(asRoot(["rmmod", "vss"]));
  throw new LabError(`Unknown parameter "${unknown}": the driver has ${known.join(", ")}`);
}

/** Waits for the device file, which devtmpfs or udev makes. */
async function waitForDevice(): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!await exists(DEVICE)) {
    if (Date.now() > deadline) throw new LabError(`The driver is loaded, but ${DEVICE} is missing`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

if (import.meta.main) await exitWith(() => load(Deno.args));
