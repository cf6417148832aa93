/**
 * Watching: the speed of catching up, and the delay of an event after its
 * commit.
 *
 * @module
 */
import { equal } from "node:assert";
import { openStore, type Store } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { type Contender, measure, spreadOf } from "../measure.ts";
import {
  atMost,
  formatCount,
  formatTime,
  type Line,
  linesOf,
  p99Of,
} from "../results.ts";
import type { Binding } from "../subjects/binding.ts";
import { changesOf } from "../subjects/raw.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, SMALL } from "../values.ts";
import type { Bench, Row } from "./row.ts";

/** The longest delay of an event in the same process, in ms. */
const MOST = 0.1;

/** The rows; `scale` makes them smaller. */
export function watchRows(scale: number): Row[] {
  return [catchUpRow(100_000 * scale), latencyRow(1_000 * scale)];
}

function catchUpRow(count: number): Row {
  return {
    name: "watch, catch-up",
    async measure(bench) {
      await using resources = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      for (const opened of await openStores(bench, { history: count })) {
        const { name, store, path, binding } = opened;
        resources.use(store);
        await store.setAll(KIND, entriesOf(SMALL, count));
        contenders.push({
          name,
          weight: count,
          operate: () => catchUp(store, count),
        });
        if (!binding) continue;
        const connection = binding.open(path);
        resources.defer(() => void connection.close());
        contenders.push({
          name: name.replace("store", "raw"),
          weight: count,
          operate: () => equal(changesOf(connection), count),
        });
      }
      const plan = {
        ...bench.plan,
        rounds: Math.min(bench.plan.rounds, 5),
        budget: Infinity,
      };
      const measurements = await measure(contenders, plan, {
        batchSize: 1,
        singles: 0,
      });
      return {
        name: this.name,
        work: `${
          formatCount(count)
        } changes, from the change log's beginning (\`after: 0\`), decoded; raw: by pages of 1 000`,
        unit: "event",
        lines: linesOf(bench.subjects, measurements, { rate: 100_000 }),
      };
    },
  };
}

async function catchUp(store: Store<Kinds>, count: number): Promise<void> {
  let left = count;
  for await (const { value } of store.watch(KIND, { after: 0 })) {
    if (value && --left === 0) return;
  }
}

function latencyRow(samples: number): Row {
  return {
    name: "watch, own event",
    async measure(bench) {
      const lines: Line[] = [];
      const watched: Watched[] = (await openStores(bench)).map(
        ({ name, store }) => watchStore(name, store),
      );
      if (bench.subjects.some(({ name }) => name === "Deno KV")) {
        const kv = await Deno.openKv(`${await bench.makeFolder()}/deno.kv`);
        watched.push(watchDenoKv(kv));
      }
      for (let n = 0; n < samples; n++) {
        for (const one of watched) {
          const seen = one.next();
          await one.set(n);
          const end = performance.now();
          one.latencies.push(Math.max(0, await seen - end));
        }
      }
      for (const { name, latencies, close } of watched) {
        await close();
        const value = spreadOf(latencies);
        const hasGoal = /builtin|ffi/.test(name);
        lines.push({
          subject: name,
          family: name === "Deno KV" ? "peer" : "store",
          value,
          times: latencies,
          p99: p99Of(latencies),
          ratios: {},
          goals: hasGoal ? [atMost(MOST, value.median, formatTime)] : [],
        });
      }
      return {
        name: this.name,
        work:
          `from the moment a durable \`set\` has resolved to its event, in the same process`,
        unit: "event",
        lines,
      };
    },
  };
}

interface Watched {
  readonly name: string;
  readonly latencies: number[];
  /** When the next event comes. */
  next(): Promise<number>;
  set(n: number): Promise<unknown>;
  close(): Promise<void>;
}

function watchStore(name: string, store: Store<Kinds>): Watched {
  const reader = store.watch(KIND).getReader();
  return {
    name,
    latencies: [],
    next: async () => {
      await reader.read();
      return performance.now();
    },
    set: (n) => store.set(KIND, "key", SMALL.of(n)),
    close: async () => {
      await reader.cancel();
      await store.close();
    },
  };
}

function watchDenoKv(kv: Deno.Kv): Watched {
  const key = ["users", "key"];
  const reader = kv.watch([key]).getReader();
  // It begins with what is there.
  const begun = reader.read();
  return {
    name: "Deno KV",
    latencies: [],
    next: async () => {
      await begun;
      await reader.read();
      return performance.now();
    },
    set: async (n) => {
      await begun;
      await kv.set(key, SMALL.of(n));
    },
    close: async () => {
      await reader.cancel();
      kv.close();
    },
  };
}

interface Opened {
  readonly name: string;
  readonly store: Store<Kinds>;
  readonly path: string;
  /** Of a store in a file. */
  readonly binding?: Binding;
}

async function openStores(
  bench: Bench,
  options: { history?: number } = {},
): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const [driver, binding] of bench.bindings) {
    const path = `${await bench.makeFolder()}/store.db`;
    const store = await openStore<Kinds>({ path, driver, ...options });
    opened.push({ name: `store (${driver})`, store, path, binding });
  }
  if (bench.subjects.some(({ name }) => name === "store (memory)")) {
    const store = await openMemoryStore<Kinds>(options);
    opened.push({ name: "store (memory)", store, path: "" });
  }
  return opened;
}
