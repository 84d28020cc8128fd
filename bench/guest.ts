// SPDX-License-Identifier: MIT
/**
 * Runs where the driver is: passes each request on to the contestant that it names, `NAME REQUEST`,
 * and its answer back. A contestant is started when it is first asked. The first line says that
 * requests may come: what is written to a machine that is about to start may be late.
 *
 * @module
 */
import { TextLineStream, writeLine } from "./lines.ts";
import { LineProcess } from "./process.ts";
import { commandOf, contestantBy } from "./worker.ts";

const running = new Map<string, LineProcess>();

/** Each begins on the last processor; what else goes on here has the others. */
const PLACE = ["taskset", "--cpu-list", String(navigator.hardwareConcurrency - 1)];

function contestant(name: string): LineProcess {
  const found = running.get(name) ??
    new LineProcess(name, [...PLACE, ...commandOf(contestantBy(name), "")]);
  running.set(name, found);
  return found;
}

const requests = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
writeLine("ready");
for await (const line of requests) {
  const [name = ""] = line.split(" ", 1);
  writeLine(await contestant(name).ask(line.slice(name.length + 1)));
}
for (const process of running.values()) await process.end();
