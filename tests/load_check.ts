// SPDX-License-Identifier: MIT
/**
 * What shows, in a machine of the lab, that the driver can be built, loaded and removed there as on
 * a real one.
 *
 * @module
 */

/**
 * The commands of the check.
 *
 * @param load The command that builds and loads the driver.
 * @param unload The command that removes it.
 * @returns A script for `sh -eu`.
 */
export function loadCheck(load: string, unload: string): string {
  const gone = "test ! -e /dev/vss";
  const open = `test "$(stat -c "%A %U:%G" /dev/vss)" = "crw-rw---- root:vss"`;
  return ["rmmod vss", gone, load, open, unload, gone].join("\n");
}

/**
 * What lets a kernel that was built here be built for, as Debian's headers do.
 *
 * @param folder Where it was built.
 * @param makeArguments What `make` is told of it, such as `ARCH=um`.
 * @returns The beginning of a script for `sh -eu`.
 */
export function headersIn(folder: string, makeArguments: readonly string[]): string {
  const modules = `/lib/modules/$(uname -r)`;
  const settings = makeArguments.map((setting) => `export ${setting}`);
  return [`mkdir -p ${modules}`, `ln -s ${folder} ${modules}/build`, ...settings].join("\n");
}
