// SPDX-License-Identifier: MIT
/**
 * What looks at the driver's C without running it, and what it may find: nothing, but for what a
 * table here names with its reason.
 *
 * @module
 */
import { PROJECT, run, runOrThrow } from "../../lab/host.ts";
import { prepareKernel } from "../../lab/kinds.ts";
import { machineByName } from "../../lab/machines.ts";

/** Looks, and gives a line a finding. */
export type Check = () => Promise<string[]>;

/** The checks by their names; `just test` has a stage for each. */
export const CHECKS: Readonly<Record<string, Check>> = { sparse, checkpatch, cppcheck, coccinelle };

const FOLDER = `${PROJECT}/tests/static`;

/** A kind of finding that is none. */
interface Exception {
  /** Where: a pattern of the path below the project. */
  readonly where: RegExp;
  /** The finding, as the tool says it. */
  readonly what: RegExp;
}

/** Bits have names in the kernel, but the user header is for C libraries that do not. */
const UAPI = /^kernel\/uapi\//;

/** What `checkpatch.pl` says that does not hold here. */
const PATCH_EXCEPTIONS: readonly Exception[] = [
  { where: UAPI, what: /BIT_(ULL_)?MACRO|LONG_LINE_COMMENT/ },
  // The driver is built for many kernels, and this file alone knows of that.
  {
    where: /^kernel\/compat\.h:/,
    what: /LINUX_VERSION_CODE|CONSTANT_COMPARISON|MACRO_ARG_UNUSED|COMPLEX_MACRO|MACRO_ARG_PREC/,
  },
  // Vectors are types of the compiler's, and have no struct. Attributes that are macros are taken
  // for functions, exponents of hexadecimal floats for differences.
  {
    where: /^kernel\/distance\//,
    what: /NEW_TYPEDEFS|OPEN_BRACE|FUNCTION_ARGUMENTS|_Pragma|ctx:VxV|MULTIPLE_ASSIGNMENTS/,
  },
  // TRACE_EVENT() is written like this everywhere.
  { where: /^kernel\/trace\.h:/, what: /PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE/ },
  // kzalloc_obj() came with Linux 7.0.
  { where: /^kernel\//, what: /ALLOC_WITH_SIZEOF/ },
  // A name, not an expression: what is reused has no side effects.
  { where: /^kernel\/sysfs\.c:/, what: /MACRO_ARG_REUSE.*'_name'/ },
];

/** What the kernel's semantic patches say that does not hold here. */
const SEMANTIC_EXCEPTIONS: readonly Exception[] = [
  // These files have no kernel header with min(), and floats, which it does not take.
  { where: /^kernel\/distance\//, what: /opportunity for (min|max)\(\)/ },
];

/** `make C=2`, with the stock kernel's headers. */
async function sparse(): Promise<string[]> {
  const kernel = await prepareKernel(machineByName("debian-6.1"));
  return await withSources(async (folder) => {
    const make = ["make", `-j${navigator.hardwareConcurrency}`, "-C", kernel.headers];
    const words = [`M=${folder}`, "C=2", `CHECK=${FOLDER}/sparse.sh`, "KCFLAGS=-Werror", "modules"];
    const { code, output } = await run([...make, ...kernel.makeArguments, ...words]);
    const said = lines(output.replaceAll(folder, "kernel"));
    // A check that ran on nothing would find nothing.
    const checked = said.filter((line) => /^\s*CHECK\b/.test(line)).length;
    if (code === 0 && checked === 0) return ["sparse looked at no file"];
    const found = said.filter((line) => /\b(warning|error):/.test(line));
    return code === 0 || found.length > 0 ? found : [output];
  });
}

/** The kernel's own rules of style, at their strictest. */
async function checkpatch(): Promise<string[]> {
  const script = `${await kernelSource()}/scripts/checkpatch.pl`;
  const words = ["--no-tree", "--strict", "--terse", "--show-types", "--no-summary", "--file"];
  return await withSources(async (folder) => {
    // It leaves a file where it runs.
    const { code, output } = await run(
      ["perl", script, ...words, ...await cFiles(folder)],
      { cwd: folder },
    );
    const found = findings(output, folder);
    return code === 0 || found.length > 0 ? unexpected(found, PATCH_EXCEPTIONS) : [output];
  });
}

/** What cppcheck knows, of the driver and of the C programs beside it. */
async function cppcheck(): Promise<string[]> {
  // Arithmetic on void pointers is GNU C. Headers are the kernel's, and the C library's.
  const common = ["cppcheck", "--quiet", "--enable=warning,performance,portability"]
    .concat(["--inline-suppr", "--suppress=missingInclude", "-D__x86_64__", "-Ikernel/uapi"])
    .concat([
      "--suppress=arithOperationsOnVoidPointer",
      "--template={file}:{line}: {id}: {message}",
    ]);
  const driver = ["-D__KERNEL__", "-DCONFIG_X86_64=1", `--include=${FOLDER}/iterators.h`, "kernel"];
  const outputs = [];
  for (const words of [driver, ["tests", "bench/native"]]) {
    outputs.push(await runOrThrow([...common, ...words], { cwd: PROJECT }));
  }
  return outputs.flatMap(lines);
}

/** The kernel's semantic patches, each of which looks for a kind of mistake. */
async function coccinelle(): Promise<string[]> {
  const folder = `${await kernelSource()}/scripts/coccinelle`;
  const all = lines(await runOrThrow(["find", folder, "-name", "*.cocci"])).sort();
  const scripts: string[] = [];
  for (const script of all) {
    const text = await Deno.readTextFile(script);
    // A few only make patches, and a few want a compiler for OCaml.
    if (/^virtual.*\breport\b/m.test(text) && !/@script:ocaml|initialize:ocaml/.test(text)) {
      scripts.push(script);
    }
  }
  if (scripts.length < 30) return [`only ${scripts.length} semantic patches in ${folder}`];
  return await withSources(async (sources) => {
    const files = await cFiles(sources);
    const words = [
      "-D",
      "report",
      "--very-quiet",
      "--no-show-diff",
      "--no-includes",
      "--include-headers",
    ];
    const work = scripts.values();
    const found: string[] = [];
    const workers = Array.from({ length: navigator.hardwareConcurrency }, async () => {
      for (const script of work) {
        const command = ["spatch", ...words, "--cocci-file", script, ...files];
        const { code, output } = await run(command);
        if (code !== 0) {
          found.push(`${script.slice(folder.length + 1)} failed (status ${code}): ${output}`);
        } else found.push(...findings(output, sources));
      }
    });
    await Promise.all(workers);
    return unexpected(found, SEMANTIC_EXCEPTIONS);
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** What a tool says of the sources in a folder; not what it says of itself. */
function findings(output: string, folder: string): string[] {
  return lines(output.replaceAll(folder, "kernel")).filter((line) => line.startsWith("kernel/"));
}

function unexpected(found: string[], exceptions: readonly Exception[]): string[] {
  return found.filter((finding) =>
    !exceptions.some(({ where, what }) => where.test(finding) && what.test(finding))
  );
}

/** A kernel's source, with its scripts: that of the machine that is built here. */
async function kernelSource(): Promise<string> {
  return (await prepareKernel(machineByName("uml"))).headers;
}

/** Gives a copy of the driver's sources, whose path holds no space and which may be written to. */
async function withSources<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "vss-static-" });
  try {
    await runOrThrow(["cp", "--recursive", `${PROJECT}/kernel/.`, folder]);
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function cFiles(folder: string): Promise<string[]> {
  const found = await runOrThrow(["find", folder, "-name", "*.[ch]", "!", "-name", "*.mod.c"]);
  return lines(found).sort();
}
