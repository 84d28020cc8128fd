// SPDX-License-Identifier: MIT
/**
 * A collection does what a simple model does, through random histories of everything that it may be
 * asked. A history that fails is made small and printed, with its seed.
 *
 * Arguments, after `--`: `--seed N` runs other histories.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { after, describe, it } from "@std/testing/bdd";
import { LIMITS, type Metric, Vss } from "../../mod.ts";
import { makeHistory, shrink, type Step } from "../model/history.ts";
import { checkHits, printable, runHistory } from "../model/model.ts";
import { random } from "../model/random.ts";
import { LEVELS } from "./levels.ts";
import { freshStore, leaveEmpty } from "./machine.ts";

const { seed: seedText } = parseArgs(Deno.args, { string: ["seed"] });
const SEED = Number(seedText ?? 20260);

/** Dimensions, and how long and how wide histories are at each. */
const SIZES = [
  { dimension: 1, steps: 300, ids: 400, batch: 30 },
  { dimension: 3, steps: 300, ids: 400, batch: 30 },
  { dimension: 16, steps: 300, ids: 400, batch: 30 },
  { dimension: 17, steps: 300, ids: 400, batch: 30 },
  { dimension: 128, steps: 200, ids: 200, batch: 30 },
  { dimension: 1000, steps: 60, ids: 60, batch: 20 },
  { dimension: 8192, steps: 30, ids: 30, batch: 8 },
];

const METRICS: readonly Metric[] = ["l2sq", "ip", "cos"];

/** Runs a history on a collection of its own; returns what went wrong. */
function tryHistory(
  vss: Vss,
  history: readonly Step[],
  dimension: number,
  metric: Metric,
): Error | undefined {
  using store = vss.privateCollection({ dimension, metric });
  try {
    runHistory(history, store);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

for (const level of LEVELS.toReversed()) {
  describe(`a collection at simd=${level}`, () => {
    after(leaveEmpty);

    for (const metric of METRICS) {
      for (const size of SIZES) {
        it(`does what the model does: ${metric}, ${size.dimension} dimensions`, () => {
          freshStore(`simd=${level}`);
          using vss = Vss.open();
          const seed = SEED + size.dimension;
          const history = makeHistory({ seed, ...size });
          const failure = tryHistory(vss, history, size.dimension, metric);
          if (failure === undefined) return;
          const small = shrink(
            history,
            (some) => tryHistory(vss, some, size.dimension, metric) !== undefined,
          );
          const again = tryHistory(vss, small, size.dimension, metric) ?? failure;
          const steps = small.map((step) => JSON.stringify(step, printable)).join("\n");
          throw new Error(`--seed ${SEED}: ${again.message}\nThe shortest history:\n${steps}`);
        });
      }
    }

    for (const metric of METRICS) {
      it(`finds as many as ${LIMITS.k} of more rows: ${metric}`, () => {
        freshStore(`simd=${level}`);
        using vss = Vss.open();
        using store = vss.privateCollection({ dimension: 16, metric });
        const next = random(SEED);
        const count = LIMITS.k + 1000;
        const vectors = Float32Array.from({ length: 16 * count }, () => next() - 0.5);
        const ids = Array.from({ length: count }, (_, i) => (i * 7919) % 100_003);
        store.putSync({ ids, vectors });
        const rows = ids.map((id, i) => ({ id, vector: vectors.subarray(i * 16, i * 16 + 16) }));
        const query = Float32Array.from({ length: 16 }, () => next() - 0.5);
        for (const k of [1, 1000, LIMITS.k]) {
          checkHits(store.searchSync(query, { k }), rows, { query, k, metric });
        }
      });
    }
  });
}
