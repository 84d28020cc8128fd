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

/** The options that give apt the lists of another suite of the archive that the system uses. */
export async function suiteOptions(suite: string): Promise<string[]> {
  const site = await withPackageLists(debianSite);
  const folder = `${cacheFolder()}/apt/${suite}`;
  const options = [
    ...await stateOptions(folder),
    ...["-o", "Dir::Etc::SourceList=/dev/null", "-o", `Dir::Etc::SourceParts=${folder}/sources`],
  ];
  await Deno.mkdir(`${folder}/sources`, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/sources/lab.sources`,
    `Types: deb\nURIs: ${site}\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`,
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
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".deb")) continue;
    await runOrThrow(["dpkg-deb", "-x", `${folder}/${entry.name}`, folder]);
    await Deno.remove(`${folder}/${entry.name}`);
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
