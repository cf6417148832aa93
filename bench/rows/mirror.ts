/**
 * Mirrors: reads of a map that follows a kind, compared with LMDB's reads of
 * mapped memory.
 *
 * @module
 */
import { deepStrictEqual } from "node:assert";
import { openStore, type Store } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { type Contender, measure, speedOf } from "../measure.ts";
import {
  atMost,
  digits,
  formatCount,
  formatTime,
  type Line,
  lineOf,
} from "../results.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";
import type { Bench, Row } from "./row.ts";

/** How long a read may take, in ms. */
const MOST = 0.000_3;

const LMDB = "lmdb";

/** The rows; `scale` makes them smaller. */
export function mirrorRows(scale: number): Row[] {
  return [getRow(1_000 * scale)];
}

function getRow(count: number): Row {
  // Made once, as in a program.
  const keys = Array.from({ length: count }, (_, n) => keyOf(n * 7 % count));
  const entries = entriesOf(SMALL, count);
  return {
    name: "mirror, get",
    async measure(bench) {
      await using resources = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      for (const [name, store] of await openStores(bench)) {
        resources.use(store);
        await store.setAll(KIND, entries);
        const mirror = resources.use(await store.mirror(KIND));
        deepStrictEqual(mirror.size, count);
        const operate = (n: number) => mirror.get(keys[n % count]);
        contenders.push({ name, operate });
      }
      const lmdb = bench.subjects.find(({ name }) => name === LMDB);
      if (lmdb) {
        const session = await lmdb.open(await bench.makeFolder());
        resources.defer(() => void session.close());
        await session.setAll(entries);
        const operate = (n: number) => session.get(keys[n % count]);
        contenders.push({ name: LMDB, operate });
      }
      const measurements = await measure(contenders, bench.plan);
      const base = measurements.find(({ name }) => name === LMDB);
      const lines = measurements.map((measurement): Line => {
        if (measurement === base) return lineOf(measurement, "peer");
        const line = lineOf(measurement, "store");
        const goals = [atMost(MOST, line.value.median, formatTime)];
        if (!base) return { ...line, goals };
        const speed = speedOf(measurement, base);
        goals.push({
          goal: "≥ 1 × lmdb",
          actual: digits(speed.median),
          reached: speed.median >= 1,
        });
        return { ...line, ratios: { "speed / lmdb": speed }, goals };
      });
      return {
        name: this.name,
        work: `one of ${
          formatCount(count)
        } values of ${SMALL.label} by its key, in a mirror of the kind; LMDB: decoded from mapped memory`,
        unit: "get",
        lines,
      };
    },
  };
}

async function openStores(bench: Bench): Promise<[string, Store<Kinds>][]> {
  const opened: [string, Store<Kinds>][] = [];
  for (const driver of bench.bindings.keys()) {
    const path = `${await bench.makeFolder()}/store.db`;
    const store = await openStore<Kinds>({ path, driver });
    opened.push([`store (${driver})`, store]);
  }
  if (bench.subjects.some(({ name }) => name === "store (memory)")) {
    opened.push(["store (memory)", await openMemoryStore<Kinds>()]);
  }
  return opened;
}
