// SPDX-License-Identifier: MIT
/**
 * The instruction sets that this processor has by its own account, not by the driver's.
 *
 * @module
 */
import { readText } from "../../client/system.ts";

/** What each level needs, from the plainest to the best. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  x86_64: {
    sse2: [],
    avx2: ["avx2", "fma"],
    avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"],
  },
  aarch64: { neon: ["asimd"] },
}[Deno.build.arch];

const flags =
  /^(?:flags|Features)\s*:(.*)$/m.exec(readText("/proc/cpuinfo") ?? "")?.[1]?.split(" ") ?? [];

/** The values of the parameter `simd` that load here, from the plainest to the best. */
export const LEVELS: readonly string[] = Object.keys(NEEDS).filter((level) =>
  NEEDS[level]!.every((flag) => flags.includes(flag))
);
