// SPDX-License-Identifier: MIT
/**
 * The manual, the C header and the TypeScript layouts say the same thing, in the same order and with
 * the same names.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ERRNOS } from "../client/errors.ts";
import { COMMANDS } from "../client/protocol.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const manual = read("docs/protocol.md");
const header = read("kernel/uapi/linux/vss.h");

/** The first and further matches of a pattern's groups. */
function matches(text: string, pattern: RegExp): string[][] {
  return [...text.matchAll(pattern)].map((match) => match.slice(1).map(String));
}

/** The part of the manual below a heading of the second level. */
function section(heading: string): string {
  const text = manual.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0];
  assert(text !== undefined, `docs/protocol.md has no section "${heading}"`);
  return text;
}

describe("docs/protocol.md", () => {
  for (const [name, { number, struct }] of Object.entries(COMMANDS)) {
    it(`gives ${name} the number, struct and fields of the TypeScript layout`, () => {
      const text = section(name);
      assert(text.includes(`\`0x${number.toString(16)}\``));
      assert(text.includes(`\`struct ${struct.name}\`, ${struct.size} bytes`));
      const rows = matches(text, /^\| `(\w+)` +\| `([\w[\]]+)` +\| (\d+) +\|/gm);
      const fields = Object.entries(struct.fields).map((
        [field, { type, count, offset, isArray }],
      ) => [
        field,
        isArray ? `${type}[${count}]` : type,
        `${offset}`,
      ]);
      assertEquals(rows, fields);
    });
  }

  it("has a section for each command and no other", () => {
    const sections = matches(manual, /^## (VSS_\w+)$/gm).flat();
    assertEquals(sections, Object.keys(COMMANDS));
  });

  it("lists the header's errors in the header's order", () => {
    const listed = matches(section("Errors"), /^\| `(E\w+)` +\|/gm).flat();
    assertEquals(listed, matches(header, /^ \* ``(E\w+)`` /gm).flat());
  });
});

describe("kernel/uapi/linux/vss.h", () => {
  for (const { struct } of Object.values(COMMANDS)) {
    it(`documents every field of ${struct.name}, in the order of the layout`, () => {
      const comment = header.split(` * struct ${struct.name} - `)[1]?.split("*/")[0];
      assert(comment !== undefined);
      assertEquals(
        matches(comment, /^ \* @(\w+): (?:in|out): /gm).flat(),
        Object.keys(struct.fields),
      );
    });
  }

  it("names only errors that the client can explain", () => {
    for (const name of matches(header, /``(E\w+)``/g).flat()) assert(name in ERRNOS, name);
  });
});

describe("the release", () => {
  it("is the same in deno.json, the driver and what builds it for new kernels", () => {
    const release = JSON.parse(read("deno.json")).version;
    assert(read("kernel/main.c").includes(`MODULE_VERSION("${release}")`));
    assert(read("kernel/dkms.conf").includes(`PACKAGE_VERSION="${release}"`));
    assert(read("docs/operations.md").includes(`dkms install vss/${release}`));
  });
});
