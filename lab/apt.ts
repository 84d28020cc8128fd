// SPDX-License-Identifier: MIT
/**
 * Fetches Debian packages and unpacks them into a folder, without installing anything and without
 * a change to the system's package lists and sources.
 *
 * @module
 */
import { cacheFolder, LabError, runOrThrow } from "./host.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Runs `work` with the options that give apt the system's package lists, and again with lists of
 * the lab's own where that fails: the system's may be absent or older than the archive.
 */
export async function withPackageLists<T>(work: (apt: string[]) => Promise<T>): Promise<T> {
  try {
    return await work([]);
  } catch {
    const own = await stateOptions(`${cacheFolder()}/apt`);
    await runOrThrow(["apt-get", ...own, "update", "-qq"]);
    return await work(own);
  }
}

/**
 * The options that give apt the lists of other suites of the archive that the system uses.
 *
 * @param suites Their names, with spaces between.
 * @param architecture Whose packages are wanted beside the system's own kind.
 */
export async function suiteOptions(suites: string, architecture?: string): Promise<string[]> {
  const site = await withPackageLists(debianSite);
  const words = suites.split(" ").concat(architecture ?? []);
  const folder = `${cacheFolder()}/apt/${words.join("+")}`;
  const options = [
    ...await stateOptions(folder),
    ...["-o", "Dir::Etc::SourceList=/dev/null", "-o", `Dir::Etc::SourceParts=${folder}/sources`],
    // Of packages that two of them have, the last one's are wanted.
    ...["-o", `APT::Default-Release=${suites.split(" ").at(-1)}`],
    ...architecture ? ["-o", `APT::Architectures::=${architecture}`] : [],
  ];
  await Deno.mkdir(`${folder}/sources`, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/sources/lab.sources`,
    `Types: deb\nURIs: ${site}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYRING}\n`,
  );
  await runOrThrow(["apt-get", ...options, "update", "-qq"]);
  return options;
}

/** Downloads packages with the given apt options and unpacks them into `folder`. */
export async function fetchPackages(
  packages: string[],
  folder: string,
  apt: string[],
): Promise<void> {
  await runOrThrow(
    ["apt-get", ...apt, "-o", "APT::Sandbox::User=root", "download", "-q", ...packages],
    { cwd: folder },
  );
  await unpackAll(folder, folder);
}

/**
 * Downloads packages with all that they need, as though the system had none, and unpacks them into
 * `folder`.
 */
export async function fetchSystem(
  packages: string[],
  folder: string,
  apt: string[],
): Promise<void> {
  const scratch = `${folder}/apt`;
  await Deno.mkdir(`${scratch}/archives/partial`, { recursive: true });
  await Deno.writeTextFile(`${scratch}/status`, "");
  const options = [
    ...["APT::Sandbox::User=root", "APT::Install-Recommends=false"],
    ...[`Dir::State::status=${scratch}/status`, `Dir::Cache::archives=${scratch}/archives`],
  ].flatMap((option) => ["-o", option]);
  await runOrThrow(
    ["apt-get", ...apt, ...options, "install", "--download-only", "--yes", "-qq", ...packages],
  );
  await unpackAll(`${scratch}/archives`, folder);
  await Deno.remove(scratch, { recursive: true });
}

/** Unpacks the packages that lie in `from` into `folder`, and removes them. */
async function unpackAll(from: string, folder: string): Promise<void> {
  for await (const entry of Deno.readDir(from)) {
    if (!entry.name.endsWith(".deb")) continue;
    await runOrThrow(["dpkg-deb", "-x", `${from}/${entry.name}`, folder]);
    await Deno.remove(`${from}/${entry.name}`);
  }
}

/** Options for an apt state below `folder`, which needs neither root nor a change to the system. */
async function stateOptions(folder: string): Promise<string[]> {
  await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
  await Deno.mkdir(`${folder}/cache/archives/partial`, { recursive: true });
  return [`Dir::State::Lists=${folder}/lists`, `Dir::Cache=${folder}/cache`]
    .flatMap((option) => ["-o", option]);
}

/** Where the system gets Debian's own packages from. */
async function debianSite(apt: string[]): Promise<string> {
  const debian = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
  const output = await runOrThrow(
    ["apt-get", ...apt, "indextargets", "--format", "$(SITE)", ...debian],
  );
  const site = output.split("\n")[0];
  if (site) return site;
  throw new LabError("This machine's package sources name no archive of Debian's");
}
