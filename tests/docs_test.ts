// SPDX-License-Identifier: MIT
/**
 * The manual, the C header and the TypeScript layouts say the same thing, in the same order and with
 * the same names.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { VERSION } from "../client/version.ts";
import { ERRNOS } from "../client/errors.ts";
import { type Command, COMMANDS } from "../client/protocol.ts";
import { COMMANDS_2, LIMITS, LIST_RECORD } from "../client/protocol2.ts";

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

/** A command's name, number and struct, of either protocol. */
const ALL = Object.entries({ ...COMMANDS, ...COMMANDS_2 } as Record<string, Command>);

describe("docs/protocol.md", () => {
  for (const [name, { number, struct }] of ALL) {
    it(`gives ${name} the number, struct and fields of the TypeScript layout`, () => {
      const text = section(name);
      assert(text.includes(`\`0x${number.toString(16)}\``));
      assert(text.includes(`\`struct ${struct.name}\`, ${struct.size} bytes`));
      const table = text.split(/^\| record /m)[0]!;
      const rows = matches(table, /^\| `(\w+)` +\| `([\w[\]]+)` +\| (\d+) +\|/gm);
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
    assertEquals(sections, ALL.map(([name]) => name));
  });

  it("gives the fields of a listed collection", () => {
    const rows = matches(section("VSS_LIST"), /^\| `(\w+)` +\| `[\w[\]]+` +\| (\d+) +\|/gm);
    const own = Object.keys(COMMANDS_2.VSS_LIST.struct.fields).length;
    const fields = Object.entries(LIST_RECORD.fields).map((
      [name, { offset }],
    ) => [name, `${offset}`]);
    assertEquals(rows.slice(own), fields);
  });

  it("gives the limits of the TypeScript constants", () => {
    const limits = matches(section("Rows"), /^\| `VSS_\w+` +\| (\d+) +\|/gm).flat().map(Number);
    const { dimension, k, rows, callBytes, payload, name } = LIMITS;
    assertEquals(limits, [dimension, k, rows, callBytes, payload, name + 1]);
  });

  it("lists the header's errors in the header's order", () => {
    const listed = matches(section("Errors"), /^\| `(E\w+)` +\|/gm).flat();
    assertEquals(listed, matches(header, /^ \* ``(E\w+)`` /gm).flat());
  });
});

describe("kernel/uapi/linux/vss.h", () => {
  for (const [, { struct }] of ALL) {
    it(`documents every field of ${struct.name}, in the order of the layout`, () => {
      const comment = header.split(` * struct ${struct.name} - `)[1]?.split("*/")[0];
      assert(comment !== undefined);
      assertEquals(
        matches(comment, /^ \* @(\w+): (?:in|out|in, out): /gm).flat(),
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
    assert(read("kernel/main.h").includes(`VSS_RELEASE "${release}"`));
    assertEquals(VERSION, release);
    assert(read("kernel/dkms.conf").includes(`PACKAGE_VERSION="${release}"`));
    assert(read("docs/operations.md").includes(`dkms install vss/${release}`));
  });
});
