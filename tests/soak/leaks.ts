/**
 * Many watches, stores and operations, one after the other, that end in every
 * way there is: what they leave behind does not grow with their number.
 *
 * `deno task soak tests/soak/leaks.ts --watches=100000 --stores=10000 --operations=20000 --writes=100000 --engine=all`
 *
 * @module
 */
import { type Engine, STORES, WATCHES } from "../support/leaks/leak_rounds.ts";
import { leaksIn, runLeakSide } from "../support/leaks/leak_check.ts";
import { readFlags } from "./flags.ts";

const { watches, stores, operations, writes, engine } = readFlags({
  watches: 100_000,
  stores: 10_000,
  operations: 20_000,
  writes: 100_000,
  engine: "all",
});

/**
 * In bytes. Of 100 000 watches, 11 ways to end share the number: 200 bytes of
 * each would be 1.8 MB in each share.
 */
const BOUNDS = { heap: 500_000, resident: 40_000_000 };

const engines: Engine[] = engine === "all"
  ? ["builtin", "ffi", "memory", "remote"]
  : [engine as Engine];
let leaks = 0;
for (const engine of engines) {
  const rests = await runLeakSide({
    engine,
    watches: share(watches, WATCHES),
    stores: share(stores, STORES),
    operations: Math.ceil(operations / 10),
    writes,
    memory: "measured",
  });
  for (const rest of rests) console.log(engine, JSON.stringify(rest));
  for (const leak of leaksIn(rests, BOUNDS)) {
    leaks++;
    console.error(`${engine}: ${leak}`);
  }
}
if (leaks > 0) throw new Error(`${leaks} leaks`);
console.log("nothing is left");

/** How often each way is gone. */
function share(total: number, ways: object): number {
  return Math.ceil(total / Object.keys(ways).length);
}
