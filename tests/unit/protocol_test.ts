// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import {
  commandNumber,
  COMMANDS,
  MAX_DIMENSION,
  MAX_K,
  METRICS,
  QUERY_DATA,
  STATS,
  VECTOR_DATA,
} from "../../client/protocol.ts";
import {
  COMMANDS_2,
  ELEMENTS,
  EVICTIONS,
  FEATURES,
  FLAGS,
  LIMITS,
  LIST_RECORD,
  MIN_CODES_DIMENSION,
} from "../../client/protocol2.ts";
import type { Struct } from "../../client/struct.ts";

/** Every struct, with the number of the command that takes it. */
const STRUCTS = [
  ...Object.entries({ ...COMMANDS, ...COMMANDS_2 } as Record<string, {
    number: number;
    struct: Struct;
  }>),
  ["VSS_LIST", { number: COMMANDS_2.VSS_LIST.number, struct: LIST_RECORD as unknown as Struct }],
] as [string, { number: number; struct: Struct }][];

/** Every constant of the header, by its name there. */
const CONSTANTS: Record<string, number> = {
  VSS_V1_MAX_DIMENSION: MAX_DIMENSION,
  VSS_V1_MAX_K: MAX_K,
  VSS_MAX_DIMENSION: LIMITS.dimension,
  VSS_MAX_K: LIMITS.k,
  VSS_MIN_CODES_DIMENSION: MIN_CODES_DIMENSION,
  VSS_MAX_ROWS: LIMITS.rows,
  VSS_MAX_CALL_BYTES: LIMITS.callBytes,
  VSS_MAX_PAYLOAD: LIMITS.payload,
  VSS_NAME_BYTES: LIMITS.name + 1,
  ...FEATURES,
  ...FLAGS,
  ...numbered("VSS_METRIC", METRICS),
  ...numbered("VSS_ELEMENT", ELEMENTS),
  ...numbered("VSS_EVICTION", EVICTIONS),
};

function numbered(prefix: string, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [`${prefix}_${name.toUpperCase()}`, i]));
}

const ROOT = `${import.meta.dirname}/../../`;

Deno.test("COMMANDS has the numbers of protocol 1", () => {
  assertEquals(COMMANDS.VSS_ADD_VECTOR.number, 0x42087601);
  assertEquals(COMMANDS.VSS_QUERY_TOP_K.number, 0xc3087602);
  assertEquals(COMMANDS.VSS_GET_STATS.number, 0x80407603);
});

Deno.test("commandNumber() is unsigned", () => {
  assertEquals(commandNumber(2, 0xff, 16383), 0xbfff76ff);
});

Deno.test("every struct has the size of protocol 2", () => {
  const sizes = Object.values(COMMANDS_2).map(({ struct }) => struct.size);
  assertEquals(sizes, [128, 136, 80, 40, 96, 88, 48, 96, 96, 264, 16, 48]);
  assertEquals(LIST_RECORD.size, 136);
});

Deno.test("every struct has the size of protocol 1", () => {
  assertEquals([VECTOR_DATA.size, QUERY_DATA.size, STATS.size], [520, 776, 64]);
});

/** A C program that prints what the compiler makes of the header. */
function layoutProgram(): string {
  const lines: string[] = [];
  const line = (name: string, value: string) =>
    lines.push(`printf("${name} %llu\\n", (unsigned long long)(${value}));`);
  for (const name of Object.keys(CONSTANTS)) line(name, name);
  for (const [name, { struct }] of STRUCTS) {
    const type = `struct ${struct.name}`;
    line(name, name);
    line(`sizeof ${struct.name}`, `sizeof(${type})`);
    for (const field of Object.keys(struct.fields)) {
      const member = `((${type} *)0)->${field}`;
      line(`${struct.name}.${field} offset`, `offsetof(${type}, ${field})`);
      line(`${struct.name}.${field} size`, `sizeof(${member})`);
      // Integers are unsigned, floats are not integers.
      line(`${struct.name}.${field} kind`, `KIND(${member})`);
    }
  }
  return `#include <stddef.h>
#include <stdio.h>
#include <linux/vss.h>
#define KIND(x) _Generic((x), float: 1, float *: 1, default: 0)
int main(void) { ${lines.join("\n")} return 0; }
`;
}

/** The same from the TypeScript side. */
function layoutExpected(): string[] {
  const lines = Object.entries(CONSTANTS).map(([name, value]) => `${name} ${value}`);
  for (const [name, { number, struct }] of STRUCTS) {
    lines.push(`${name} ${number}`, `sizeof ${struct.name} ${struct.size}`);
    for (const [field, { offset, size, type }] of Object.entries(struct.fields)) {
      const path = `${struct.name}.${field}`;
      lines.push(`${path} offset ${offset}`, `${path} size ${size}`);
      lines.push(`${path} kind ${type === "f32" ? 1 : 0}`);
    }
  }
  return lines;
}

Deno.test("the C header has every size, offset and number of the TypeScript layouts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [source, program] = [`${folder}/layout.c`, `${folder}/layout`];
    await Deno.writeTextFile(source, layoutProgram());
    const flags = ["-Wall", "-Wextra", "-Werror", `-I${ROOT}kernel/uapi`];
    const build = new Deno.Command("gcc", { args: [...flags, "-o", program, source] });
    const built = await build.output();
    assertEquals(new TextDecoder().decode(built.stderr), "");
    const { stdout } = await new Deno.Command(program).output();
    assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), layoutExpected());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
