/**
 * A mirror of many entries, which another process changes at a high rate, and a
 * live query beside it. They keep up, in flat memory, and end as the store is.
 *
 * `deno task soak tests/soak/mirror.ts --entries=100000 --rate=20000 --seconds=60 --history=100000 --driver=builtin`
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openStore } from "../../mod.ts";
import { startStorePeer } from "../support/processes/peer.ts";
import type { SteadyValue } from "../support/processes/store_peer.ts";
import { median } from "../support/ticks.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

/** By how much the memory may grow from the second third to the last, in bytes. */
const MEMORY = 100_000_000;

const { entries, rate, seconds, history, seed: _, ...flags } = readFlags({
  entries: 100_000,
  rate: 20_000,
  seconds: 60,
  history: 100_000,
  driver: "builtin",
});
const driver = flags.driver as "builtin" | "ffi";

await using dir = await tempDir();
const file = { path: dir.file("app.db"), driver, history };
const kind = "users";
await using peer = startStorePeer("writeSteadily", {
  ...file,
  kind,
  entries,
  rate,
  seconds,
});
assertEquals(await peer.next(), "filled");

await using store = await openStore<{ [kind]: SteadyValue }>({
  ...file,
  durability: "normal",
  busyTimeout: 60_000,
});
const start = performance.now();
await using mirror = await store.mirror(kind);
console.log(`listed in ${(performance.now() - start).toFixed(0)} ms`);
assertEquals(mirror.size, entries);
await using query = await store.mirror(kind, {
  where: (_key, { n }) => n % 10 === 0,
  sortBy: (_key, { n }) => -n,
});

/** How old the oldest change was when it was shown, in ms. */
const lags: number[] = [];
let patches = 0;
mirror.addEventListener("change", ({ detail }) => {
  const now = Date.now();
  let oldest = now;
  for (const { value } of detail.patches) oldest = Math.min(oldest, value.at);
  lags.push(now - oldest);
  patches += detail.patches.length;
});
// Nobody reads it until the end.
const unread = mirror.changes().getReader();

/** The time from each turn of a timer to the next, in ms. */
const gaps: number[] = [];
let last = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  gaps.push(now - last);
  last = now;
}, 1);
const memory: number[] = [];
const meter = setInterval(() => memory.push(Deno.memoryUsage().rss), 250);

const { changes, ms } = await peer.ask<{ changes: number; ms: number }>("go");
const { revision } = await store.set(kind, "end", {
  n: 0,
  name: "",
  at: Date.now(),
});
const behind = performance.now();
await mirror.reached(revision);
await query.reached(revision);
const late = performance.now() - behind;
clearInterval(timer);
clearInterval(meter);
await peer.exited();

const top = (list: number[], part: number) =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length * part)] ?? 0;
console.log(
  `${changes} changes at ${
    (changes / ms * 1_000).toFixed(0)
  } a second; ${patches} patches in ${lags.length} steps`,
);
console.log(
  `shown after: median ${median(lags)} ms, 99 % ${
    top(lags, 0.99)
  } ms, longest ${top(lags, 0.9999999)} ms; the end ${
    late.toFixed(0)
  } ms after`,
);
console.log(
  `between two turns of a timer: median ${median(gaps).toFixed(1)} ms, 99 % ${
    top(gaps, 0.99).toFixed(1)
  } ms, longest ${top(gaps, 0.9999999).toFixed(1)} ms`,
);
// Between two collections of garbage it grows, so only the lows count.
const third = Math.floor(memory.length / 3);
const lowIn = (part: number) =>
  Math.min(...memory.slice(part * third, (part + 1) * third));
const grown = lowIn(2) - lowIn(1);
console.log(`memory grew by ${grown} bytes from the second third to the last`);

const { value: difference } = await unread.read();
assert(difference!.patches.length <= entries + 1, "one patch for each entry");
// As lists, because two maps are compared in quadratic time.
assertEquals([...mirror], [...await store.list(kind)]);
const expected = [...mirror].filter(([, { n }]) => n % 10 === 0)
  .sort(([, a], [, b]) => b.n - a.n);
assertEquals([...query].map(([key]) => key), expected.map(([key]) => key));
assert(grown < MEMORY, `${grown} bytes more`);
assert(lags.length > 0);
