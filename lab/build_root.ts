// SPDX-License-Identifier: MIT
/**
 * Runs a command in another file system that was unpacked into a folder: a compiler's own, say, with
 * the libraries that it needs.
 *
 * @module
 */
import { LabError, run } from "./host.ts";

/** Enters $1, with the folder $2, the devices and /proc at their own paths there. */
const ENTER = `
root=$1 folder=$2
shift 2
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
for own in /dev /proc; do mount --rbind $own "$root$own"; done
mount -t tmpfs tmp "$root/tmp"
exec chroot "$root" "$@"
`;

/** The words that run `command` with `root` as its root, and with `folder` of this system in it. */
export async function inRoot(root: string, folder: string, command: string[]): Promise<string[]> {
  for (const rights of [[], ["--map-root-user"]]) {
    const words = ["unshare", "--mount", ...rights, "--", "sh", "-ec", ENTER, "sh", root, folder];
    const { code } = await run([...words, "true"]);
    if (code === 0) return [...words, ...command];
  }
  throw new LabError(`To run ${command[0]} in ${root} takes root, or user namespaces`);
}
