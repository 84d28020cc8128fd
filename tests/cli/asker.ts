// SPDX-License-Identifier: MIT
/**
 * One of many processes that use a cache at once: it sets keys that the others set, too, and asks for
 * all of them. A key's values say who set them, and are great, so that half of one would show.
 *
 * Arguments: the cache's name, who this is, how many keys there are, how many rounds.
 *
 * @module
 */
import { SemanticCache, Vss } from "../../mod.ts";

const [name = "", self = "", keys, rounds] = Deno.args;

/** What is kept: of one process, all of it. */
interface Answer {
  readonly [field: string]: string;
  readonly key: string;
  readonly self: string;
  readonly rest: string;
}

const keyOf = (i: number) => `What is the answer to question ${i}, which is asked of everybody?`;

using vss = Vss.open();
using cache = SemanticCache.open<Answer>(vss, name, { capacity: Number(keys), threshold: 0 });

/** Refuses an answer that is another's, or not whole. */
function check(key: string, answer: Answer | undefined): void {
  if (answer === undefined) return;
  const isWhole = answer.rest === answer.self.repeat(2000);
  if (answer.key !== key || !isWhole) throw new Error(`${key}: ${JSON.stringify(answer)}`);
}

for (let round = 0; round < Number(rounds); round++) {
  for (let i = 0; i < Number(keys); i++) {
    const key = keyOf((i * 7 + Number(self)) % Number(keys));
    check(key, await cache.get(key));
    if ((i + round) % 3 === 0) await cache.set(key, { key, self, rest: self.repeat(2000) });
  }
}
console.log(JSON.stringify({ hits: cache.hits, misses: cache.misses }));
