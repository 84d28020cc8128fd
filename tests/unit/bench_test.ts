// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TextLineStream } from "../../bench/lines.ts";
import type { MachineFacts } from "../../bench/machine.ts";
import { commandText, parseBenchArgs } from "../../bench/options.ts";
import {
  allStages,
  CONTESTANTS,
  K,
  keyOf,
  type Measurement,
  quickStages,
  TARGETS,
} from "../../bench/plan.ts";
import { drawPlot, plotsOf } from "../../bench/plots.ts";
import { withResults } from "../../bench/readme.ts";
import { type Results, resultsOf } from "../../bench/results.ts";
import { format, median, pairedRatio, quantile } from "../../bench/statistics.ts";
import { ratioTable, tableOf } from "../../bench/table.ts";
import { describeTarget, ratiosOf, shortfalls } from "../../bench/targets.ts";
import { Truth } from "../../bench/truth.ts";
import { LabError } from "../../lab/host.ts";

const MACHINE: MachineFacts = {
  processor: "a processor",
  processors: 2,
  instructions: "avx2",
  memoryGiB: 8,
  kernel: "7.3",
  compiler: "gcc 12",
  driverIn: "uml",
};

/** Results where every measurement takes `time` nanoseconds. */
function madeUp(time: (measurement: Measurement) => number): Results {
  const series = allStages().flatMap((stage) =>
    stage.measurements.map((measurement) => ({
      measurement,
      rounds: [[time(measurement)], [time(measurement)]],
    }))
  );
  const loading = { stage: "100k_128", contestant: "faiss", rows: 100, seconds: 2, bytes: 51_200 };
  return resultsOf({
    started: new Date("2026-01-02"),
    command: "just bench",
    machine: MACHINE,
    versions: { faiss: "1" },
    series,
    loadings: [{ ...loading, contestant: "faiss" }],
  });
}

describe("quantile()", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  it("is one of the samples", () => {
    assertEquals(quantile(hundred, 0.99), 99);
    assertEquals(quantile([5, 10], 0.5), 5);
  });

  it("is the greatest where there are few", () => {
    assertEquals(quantile([3, 1, 2], 0.99), 3);
    assertEquals(quantile([7], 0), 7);
  });

  it("is no number of no samples", () => assert(Number.isNaN(quantile([], 0.5))));
});

describe("median()", () => {
  it("is in the middle, in the order of numbers", () => assertEquals(median([10, 9, 100]), 10));
  it("lies between two", () => assertEquals(median([1, 2, 4, 8]), 3));
  it("is no number of no samples", () => assert(Number.isNaN(median([]))));
});

describe("pairedRatio()", () => {
  it("is taken round by round, so that a slow round cancels", () => {
    assertEquals(pairedRatio([4, 400, 4], [2, 200, 2]), 2);
  });

  it("is no number where one is missing", () => assert(Number.isNaN(pairedRatio([1], []))));
});

describe("format()", () => {
  it("keeps three digits", () => {
    assertEquals([0.12345, 12.345, 999.4, 1234.5].map(format), ["0.123", "12.3", "999", "1,235"]);
    assertEquals(format(NaN), "–");
  });
});

describe("the plan", () => {
  const keys = allStages().flatMap(({ measurements }) => measurements.map(keyOf));

  it("measures nothing twice", () => assertEquals(new Set(keys).size, keys.length));

  it("measures all that a ratio is made of, quickly too", () => {
    const quick = quickStages().flatMap(({ measurements }) => measurements.map(keyOf));
    for (const { key, time, by } of TARGETS) {
      for (const measurement of time ? [time, by] : [by]) {
        assert(keys.includes(keyOf(measurement)), key);
        assert(quick.includes(keyOf(measurement)), key);
      }
    }
    assert(quick.length < keys.length / 2);
  });

  it("gives every measurement to a contestant that can take it", () => {
    for (const { measurements } of allStages()) {
      for (const { contestant, what, threads } of measurements) {
        const found = CONTESTANTS.find(({ name }) => name === contestant)!;
        assert(threads === 1 || "pairs" in found, contestant);
        assert(what !== "batch64" || "batches" in found, contestant);
      }
    }
  });

  it("aims at the thirteen ratios, each with one limit", () => {
    assertEquals(TARGETS.length, 13);
    for (const { least, most } of TARGETS) assert((least === undefined) !== (most === undefined));
  });
});

describe("ratiosOf()", () => {
  it("divides the times of the same rounds", () => {
    const rounds = new Map([
      ["100k_128 hnswlib single 1", [9, 90, 9]],
      ["100k_128 vss-c single 1", [2, 20, 3]],
    ]);
    assertEquals(ratiosOf(rounds), { single_100k_128: 4.5 });
  });

  it("gives rows a second of the time of a row", () => {
    assertEquals(ratiosOf(new Map([["put vss-deno put 1", [500, 800, 400]]])), {
      put_rows_per_second: 2e6,
    });
  });
});

describe("shortfalls()", () => {
  const reached = Object.fromEntries(
    TARGETS.map(({ key, least, most }) => [key, least ?? most!]),
  );

  it("finds none where every target is just reached", () => assertEquals(shortfalls(reached), []));

  it("names what is too small, too great, missing or no number", () => {
    const ratios: Record<string, number> = {
      ...reached,
      single_1m_128: 5.99,
      call_overhead: 1.31,
      two_cpus_1m_128: NaN,
    };
    delete ratios["usearch_100k_128"];
    assertEquals(
      shortfalls(ratios).map(({ target, value }) => [target.key, value]),
      [
        ["single_1m_128", 5.99],
        ["usearch_100k_128", undefined],
        ["two_cpus_1m_128", undefined],
        ["call_overhead", 1.31],
      ],
    );
  });

  it("finds all of them where there is nothing", () => {
    assertEquals(shortfalls({}).length, TARGETS.length);
  });
});

describe("describeTarget()", () => {
  it("says which way is good", () => {
    const target = (key: string) => TARGETS.find((one) => one.key === key)!;
    assertEquals(describeTarget(target("put_rows_per_second")), "at least 1,000,000");
    assertEquals(describeTarget(target("call_overhead")), "at most 1.3");
  });
});

describe("resultsOf()", () => {
  const results = madeUp(({ contestant }) => contestant === "probe" ? 2e6 : 4e6);

  it("says how fast rows pass by, and as what share of the limit", () => {
    const one = results.measurements.find(({ dataset, contestant, what }) =>
      dataset === "1m_128" && contestant === "hnswlib" && what === "single"
    );
    assertEquals([one?.gbps, one?.share, one?.samples], [128, 0.5, 2]);
  });

  it("counts a batch by its queries", () => {
    const one = results.measurements.find(({ what }) => what === "batch64");
    assertEquals(one?.share, 32);
  });

  it("sums up what loading took", () => {
    assertEquals(results.loadings[0], {
      dataset: "100k_128",
      contestant: "faiss",
      rowsPerSecond: 50,
      bytes: 51_200,
      bytesPerRow: 512,
    });
  });

  it("has every ratio, and names those that are short", () => {
    assertEquals(Object.keys(results.ratios), TARGETS.map(({ key }) => key));
    assert(results.short.includes("single_1m_128"));
    assert(!results.short.includes("call_overhead"));
  });

  it("holds no path", () => assert(!/"\/\w/.test(JSON.stringify(results))));
});

describe("tableOf()", () => {
  it("has a line for each measurement, each loading and each ratio", () => {
    const results = madeUp(() => 1e6);
    const lines = tableOf(results).split("\n");
    assertEquals(lines.length, results.measurements.length + 1 + TARGETS.length + 5);
    assert(ratioTable({}).includes("–"));
  });
});

describe("plotsOf()", () => {
  it("draws every contestant's bar, in colours for the dark too", async () => {
    const plots = plotsOf(madeUp(() => 1e6));
    assertEquals(plots.map(({ name }) => name), ["latency", "batch", "inserts", "bandwidth"]);
    const svg = await drawPlot(plots[0]!);
    for (const { name, label } of CONTESTANTS) assertEquals(svg.includes(label), name !== "probe");
    assert(svg.includes("prefers-color-scheme:dark"));
  });
});

describe("withResults()", () => {
  const marks =
    "before\n<!-- bench: written by `just bench --last --readme` -->\nold\n<!-- /bench -->\nafter";

  it("replaces what is between the marks, and only that", () => {
    const text = withResults(marks, madeUp(() => 1e6));
    assert(text.startsWith("before\n") && text.endsWith("\nafter") && !text.includes("old"));
    assert(text.includes("By `just bench` on 2026-01-02"));
    assertEquals(withResults(text, madeUp(() => 1e6)), text);
  });

  it("needs the marks", () => {
    assertThrows(() => withResults("none", madeUp(() => 1)), LabError, "README.md");
  });
});

describe("parseBenchArgs()", () => {
  it("measures everything unless told otherwise", () => {
    assertEquals(parseBenchArgs([]), {
      quick: false,
      check: false,
      measures: true,
      readme: false,
      machine: "uml",
      stages: [],
    });
  });

  it("names the command that gave the results", () => {
    const options = parseBenchArgs(["--check", "--quick", "1m_128"]);
    assert(options !== "help");
    assertEquals(commandText(options), "just bench --quick 1m_128");
  });

  it("refuses what it does not know", () => {
    assertThrows(() => parseBenchArgs(["--quik"]), LabError, "--quik");
  });
});

describe("TextLineStream", () => {
  it("gives whole lines of any pieces", async () => {
    const pieces = ReadableStream.from(["a", "b\nc\n", "\nd", "\n", "rest"]);
    const lines = await Array.fromAsync(pieces.pipeThrough(new TextLineStream()));
    assertEquals(lines, ["ab", "c", "", "d"]);
  });
});

describe("Truth", () => {
  const folder = Deno.makeTempDirSync();
  const write = (name: string, array: ArrayBufferView<ArrayBuffer>) =>
    Deno.writeFileSync(`${folder}/${name}`, new Uint8Array(array.buffer));
  // Rows on a line, the last two at the same place; two queries, at 0 and at 5.
  const places = [...Array.from({ length: 15 }, (_, i) => i), 14];
  const nearest = (query: number) =>
    places.map((x, id) => ({ id, distance: (x - query) ** 2 }))
      .sort((a, b) => a.distance - b.distance || a.id - b.id).slice(0, K);
  const hits = [0, 20].map(nearest);
  write("rows.f32", Float32Array.from(places));
  write("queries.f32", Float32Array.of(0, 20));
  write("truth.u32", Uint32Array.from(hits.flat(), ({ id }) => id));
  write("truth.f64", Float64Array.from(hits.flat(), ({ distance }) => distance));
  const [first, second] = hits.map((list) => list.map(({ id }) => id)) as [number[], number[]];

  it("accepts the truth, for a run of queries that goes round", () => {
    using truth = new Truth(folder, 1);
    assertEquals(truth.queries, 2);
    assertEquals(truth.mistake(1, [...second, ...first]), undefined);
  });

  it("accepts rows that tie in any order", () => {
    using truth = new Truth(folder, 1);
    const [a, b, ...rest] = second;
    assertEquals(truth.mistake(1, [b!, a!, ...rest]), undefined);
  });

  it("names a row that is too far, one that is there twice, and one that is not stored", () => {
    using truth = new Truth(folder, 1);
    assertEquals(
      truth.mistake(0, [...first.slice(0, 9), 10]),
      "query 0: row 10 is not as near as row 9",
    );
    assert(truth.mistake(0, Array(K).fill(0))?.includes("different"));
    assert(truth.mistake(0, [99, ...first.slice(1)])?.includes("row 99"));
  });
});
