// SPDX-License-Identifier: MIT
/**
 * The protocol's description for syzkaller says what the header says: the compiler compares them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const ROOT = new URL("..", import.meta.url).pathname;
const TEXT = await Deno.readTextFile(`${ROOT}tests/syzkaller/dev_vss.txt`);
const HEADER = await Deno.readTextFile(`${ROOT}kernel/uapi/linux/vss.h`);

/** Structs by their names: each field's name and type, in order. */
const STRUCTS = new Map(
  [...TEXT.matchAll(/^(\w+) \{\n([^}]*)\}/gm)].map(([, name, body]) => [
    name!,
    body!.trim().split("\n").map((line) => line.trim().split("\t") as [string, string]),
  ]),
);

/** Commands: each with its struct. */
const COMMANDS = [...TEXT.matchAll(/^ioctl\$(\w+)\(.*const\[(\w+)\].*, (\w+)\]\)$/gm)]
  .map(([, name, command, struct]) => ({ name, command, struct }));

/** Bytes of a type: of numbers, of arrays of them, and of pointers. */
function bytesOf(type: string): number {
  if (type === "vss_name") return bytesOf(/^type vss_name (.*)$/m.exec(TEXT)![1]!);
  const array = /^array\[(\w+), (\d+)\]$/.exec(type);
  if (array) return bytesOf(array[1]!) * Number(array[2]);
  if (type.startsWith("ptr64[")) return 8;
  const bits = /^(?:\w+\[.*, )?int(8|16|32|64)(?:\[.*\])?\]?$/.exec(type)?.[1];
  return Number(bits) / 8;
}

Deno.test("syzkaller's structs have the header's fields, sizes and places", async () => {
  const claims = [...STRUCTS].flatMap(([name, fields]) => {
    let offset = 0;
    const lines = fields.map(([field, type]) => {
      const bytes = bytesOf(type);
      const place = `offsetof(struct ${name}, ${field}) == ${offset}`;
      offset += bytes;
      return `_Static_assert(${place} && sizeof(((struct ${name} *)0)->${field}) == ${bytes}, "${name}.${field}");`;
    });
    return [...lines, `_Static_assert(sizeof(struct ${name}) == ${offset}, "${name}");`];
  });
  const record = /record_size\tconst\[(\d+), int32\]/.exec(TEXT)![1];
  claims.push(`_Static_assert(sizeof(struct vss_list_record) == ${record}, "record_size");`);
  for (const line of TEXT.matchAll(/^\w+_(?:flags|metrics|evictions) = (.*)$/gm)) {
    claims.push(
      ...line[1]!.split(", ").map((constant, i) =>
        `enum { used_${line.index}_${i} = ${constant} };`
      ),
    );
  }
  claims.push(...COMMANDS.map(({ command }, i) => `enum { command_${i} = (int)${command} };`));
  const code = ["#include <fcntl.h>", "#include <stddef.h>", "#include <linux/vss.h>", ...claims];
  const child = new Deno.Command("gcc", {
    args: ["-fsyntax-only", "-Wall", `-I${ROOT}kernel/uapi`, "-xc", "-"],
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${code.join("\n")}\n`));
  await writer.close();
  const { code: status, stderr } = await child.output();
  assertEquals([status, new TextDecoder().decode(stderr)], [0, ""]);
});

Deno.test("syzkaller knows every struct and command of the header, and each command's struct", () => {
  const structs = [...HEADER.matchAll(/^struct (\w+) \{$/gm)].map(([, name]) => name!);
  assertEquals([...STRUCTS.keys()].sort(), structs.filter((name) => name !== "vss_header").sort());
  const commands = [
    ...HEADER.matchAll(
      /^#define (VSS_\w+)\s+_IO(?:W|R|WR)?\(VSS_IOC_MAGIC, \w+(?:, struct (\w+))?\)/gm,
    ),
  ];
  assertEquals(
    COMMANDS,
    commands.map(([, command, struct]) => ({
      name: command,
      command: command!,
      struct: struct ?? `vss_${command!.slice(4).toLowerCase()}`,
    })),
  );
});
