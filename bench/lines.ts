// SPDX-License-Identifier: MIT
/**
 * Cuts text into lines.
 *
 * @module
 */

/** Gives whole lines, without their ends, of text that arrives in any pieces. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let parts: string[] = [];
    super({
      transform(text, controller) {
        const lines = text.split("\n");
        if (lines.length === 1) return void parts.push(text);
        controller.enqueue(parts.join("") + lines[0]);
        for (const line of lines.slice(1, -1)) controller.enqueue(line);
        parts = [lines.at(-1)!];
      },
    });
  }
}

/**
 * Writes a line to standard output, all of it.
 *
 * @param line The line, without its end.
 */
export function writeLine(line: string): void {
  let rest = new TextEncoder().encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
