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

const ROOT = `${import.meta.dirname}/../../`;

Deno.test("COMMANDS has the numbers of protocol 1", () => {
  assertEquals(COMMANDS.VSS_ADD_VECTOR.number, 0x42087601);
  assertEquals(COMMANDS.VSS_QUERY_TOP_K.number, 0xc3087602);
  assertEquals(COMMANDS.VSS_GET_STATS.number, 0x80407603);
});

Deno.test("commandNumber() is unsigned", () => {
  assertEquals(commandNumber(2, 0xff, 16383), 0xbfff76ff);
});

Deno.test("every struct has the size of protocol 1", () => {
  assertEquals([VECTOR_DATA.size, QUERY_DATA.size, STATS.size], [520, 776, 64]);
});

/** A C program that prints what the compiler makes of the header. */
function layoutProgram(): string {
  const lines: string[] = [];
  const line = (name: string, value: string) =>
    lines.push(`printf("${name} %llu\\n", (unsigned long long)(${value}));`);
  line("VSS_V1_MAX_DIMENSION", "VSS_V1_MAX_DIMENSION");
  line("VSS_V1_MAX_K", "VSS_V1_MAX_K");
  METRICS.forEach((name) =>
    line(`VSS_METRIC_${name.toUpperCase()}`, `VSS_METRIC_${name.toUpperCase()}`)
  );
  for (const [name, { struct }] of Object.entries(COMMANDS)) {
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
  const lines = [
    `VSS_V1_MAX_DIMENSION ${MAX_DIMENSION}`,
    `VSS_V1_MAX_K ${MAX_K}`,
    ...METRICS.map((name, number) => `VSS_METRIC_${name.toUpperCase()} ${number}`),
  ];
  for (const [name, { number, struct }] of Object.entries(COMMANDS)) {
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
