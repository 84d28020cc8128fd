// SPDX-License-Identifier: MIT
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { embedText } from "../../mod.ts";

/** The squared Euclidean distance of two texts. */
function distance(a: string, b: string, dimension = 128): number {
  const [x, y] = [embedText(a, dimension), embedText(b, dimension)];
  return x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0);
}

/** Lines with little in common. */
const LINES = [
  "gnuchess - strategy game of chess against the computer",
  "darkstat - network traffic analyzer",
  "fotoxx - edit photos and manage a large collection",
  "postfix - high-performance mail transport agent",
  "libpng16-16 - PNG library, runtime",
  "python3-numpy - fast array facility for the Python 3 language",
  "fonts-dejavu - metapackage to pull in fonts",
  "vlc - multimedia player and streamer",
];

/** The line nearest to a text. */
function nearest(text: string): string {
  return LINES.toSorted((a, b) => distance(text, a) - distance(text, b))[0]!;
}

Deno.test("embedText() gives vectors of length 1", () => {
  for (const dimension of [8, 100, 127, 128, 1000, 8192]) {
    for (const text of [...LINES, "x", "!", "\u{1f600}", "日本語", "a".repeat(5_000)]) {
      const vector = embedText(text, dimension);
      assertEquals(vector.length, dimension);
      const length = Math.hypot(...vector);
      assert(Math.abs(length - 1) < 1e-5, `${text} at ${dimension}: ${length}`);
    }
  }
});

Deno.test("embedText() tells symbols apart that end in the same mark", () => {
  for (const [a, b] of [["❤️", "☎️"], ["☀️", "❄️"], ["!", "?"]]) assert(distance(a!, b!) > 0.5);
});

Deno.test("embedText() gives the zero vector for blank text", () => {
  for (const text of ["", " ", "\t\r\n", "\u3000"]) {
    assertEquals(embedText(text, 16), new Float32Array(16));
  }
});

Deno.test("embedText() depends on nothing but its arguments", () => {
  const first = embedText(LINES[0]!, 128);
  for (const line of LINES) embedText(line.repeat(50), 64);
  assertEquals(embedText(LINES[0]!, 128), first);
});

Deno.test("embedText() gives the same vectors as ever", () => {
  const vector = embedText("Play chess", 8);
  const expected = [-0.35355338, 0.1767767, 0, -0.8838835, 0.1767767, 0.1767767, 0, 0];
  expected.forEach((value, i) => assertAlmostEquals(vector[i]!, value, 1e-6));
});

Deno.test("embedText() does not mind case, composition, width or punctuation", () => {
  assertEquals(distance("Play CHESS!", "play chess"), 0);
  assertEquals(distance("caf\u00e9", "cafe\u0301"), 0);
  assertEquals(distance("ｃｈｅｓｓ", "chess"), 0);
  assertEquals(distance("read, write - copy", "read write copy"), 0);
});

Deno.test("embedText() finds a line by some of its words", () => {
  assertEquals(nearest("chess"), LINES[0]);
  assertEquals(nearest("mail agent"), LINES[3]);
  assertEquals(nearest("network traffic"), LINES[1]);
});

Deno.test("embedText() finds a line by its words in another order", () => {
  for (const line of LINES) {
    assertEquals(nearest(line.split(" ").reverse().join(" ")), line);
  }
});

Deno.test("embedText() finds a line with typing errors and other endings", () => {
  assertEquals(nearest("edting photo colection"), LINES[2]);
  assertEquals(nearest("nework trafic analyser"), LINES[1]);
  assertEquals(nearest("streaming multimedia playing"), LINES[7]);
});

Deno.test("embedText() tells texts with words in common from texts without", () => {
  assert(distance("play chess", "chess game") < distance("play chess", "mail server"));
  assert(distance("the of and", "chess of and") > distance("chess the", "chess of"));
});

Deno.test("embedText() grows with long texts and goes on with short ones", () => {
  const words = Array.from({ length: 50_000 }, (_, i) => `word${i}`).join(" ");
  assertAlmostEquals(Math.hypot(...embedText(words, 128)), 1, 1e-5);
  assertEquals(distance("play chess", "Play chess"), 0);
});

Deno.test("embedText() refuses other types and dimensions outside 1 to 8192", () => {
  assertThrows(() => embedText(5 as unknown as string, 8), TypeError, "must be a string");
  for (const dimension of [0, 8193, 1.5, NaN, -1]) {
    assertThrows(() => embedText("x", dimension), RangeError, "1 to 8192");
  }
});
