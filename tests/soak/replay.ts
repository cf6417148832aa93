/**
 * A large kind, streamed; then replayed, read slowly while another task writes:
 * it must give exactly the state at the call, then every change. Both in flat
 * memory.
 *
 * `deno task soak tests/soak/replay.ts --entries=1000000 --changes=50000 --driver=auto`
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { openStore, type SqliteStore, type WatchEvent } from "../../mod.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

interface Kinds {
  items: { n: number };
}

interface ExpectedChange {
  type: WatchEvent["type"];
  key: string;
  n: number;
  version: number;
}

const { entries, changes, seed, ...flags } = readFlags({
  entries: 1_000_000,
  changes: 50_000,
  driver: "auto",
});
const driver = flags.driver as "auto" | "ffi" | "builtin";

/** Each tenth key is left free, for the writer to create. */
const keys = Math.floor(entries * 10 / 9);
const keyOf = (i: number) => String(i).padStart(9, "0");
const isThere = (i: number) => i % 10 !== 9;

const dir = await Deno.makeTempDir({ prefix: "zestor-soak-" });
try {
  await using store = await openStore<Kinds>({
    path: `${dir}/soak.db`,
    driver,
    durability: "normal",
    history: changes + 1,
  });
  console.log(`On the driver ${store.driver}`);
  await fill(store);
  await stream(store);
  await replay(store);
} finally {
  await Deno.remove(dir, { recursive: true });
}

async function fill(store: SqliteStore<Kinds>): Promise<void> {
  for (let from = 0; from < keys; from += 10_000) {
    const part: [string, { n: number }][] = [];
    for (let i = from; i < Math.min(from + 10_000, keys); i++) {
      if (isThere(i)) part.push([keyOf(i), { n: i }]);
    }
    await store.setAll("items", part);
  }
}

async function stream(store: SqliteStore<Kinds>): Promise<void> {
  const memory = sampleMemory();
  let next = 0;
  for await (const { key, value } of store.entries("items")) {
    while (!isThere(next)) next++;
    equal(key, keyOf(next), "a streamed key");
    equal(value.n, next, "a streamed value");
    next++;
  }
  while (next < keys && !isThere(next)) next++;
  equal(next, keys, "the stream's end");
  console.log(`streamed every entry; ${memory.stop()}`);
}

async function replay(store: SqliteStore<Kinds>): Promise<void> {
  const memory = sampleMemory();
  const expected: ExpectedChange[] = [];
  const watch = store.watch("items", { initial: true, bookmarks: true });
  const writing = write(store, expected);
  let next = 0;
  let replayed = 0;
  let live = 0;
  let inReplay = true;
  for await (const event of watch) {
    if (event.type === "bookmark") {
      if (!inReplay) continue;
      inReplay = false;
      while (next < keys && !isThere(next)) next++;
      equal(next, keys, "the replay's end");
      console.log(
        `replayed ${replayed} entries, during ${expected.length} changes`,
      );
      if (expected.length === changes) {
        console.log("(every change was made during the replay)");
      }
      if (live === changes) break;
      continue;
    }
    if (inReplay) {
      while (!isThere(next)) next++;
      equal(event.key, keyOf(next), "a replayed key");
      equal(event.value.n, next, "a replayed value");
      equal(event.version, 1, "a replayed version");
      next++;
      // Slowly: the writer gets a turn for every few entries.
      if (++replayed % 16 === 0) await turn();
    } else {
      if (expected.length <= live) await turn();
      const change = expected[live++];
      equal(event.type, change.type, "a change's type");
      equal(event.key, change.key, "a change's key");
      equal(event.value.n, change.n, "a change's value");
      equal(event.version, change.version, "a change's version");
      if (live === changes) break;
    }
  }
  await writing;
  equal(live, changes, "the number of changes");
  console.log(`every change followed; ${memory.stop()}`);
}

/** Makes each kind of change to random keys, all over the range. */
async function write(
  store: SqliteStore<Kinds>,
  expected: ExpectedChange[],
): Promise<void> {
  const random = new Random(seed);
  const touched = new Map<number, { n: number; version: number } | null>();
  for (let done = 0; done < changes; done++) {
    const i = random.below(keys);
    const now = touched.has(i)
      ? touched.get(i)!
      : isThere(i)
      ? { n: i, version: 1 }
      : null;
    const key = keyOf(i);
    if (now && random.chance(0.4)) {
      expected.push({ type: "delete", key, n: now.n, version: now.version });
      touched.set(i, null);
      await store.delete("items", key);
    } else {
      const n = keys + done;
      const version = (now?.version ?? 0) + 1;
      expected.push({ type: now ? "update" : "create", key, n, version });
      touched.set(i, { n, version });
      await store.set("items", key, { n });
    }
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Samples the process's resident memory until stopped, then tells of it. */
function sampleMemory(): { stop(): string } {
  const base = Deno.memoryUsage().rss;
  let peak = base;
  const timer = setInterval(() => {
    peak = Math.max(peak, Deno.memoryUsage().rss);
  }, 20);
  return {
    stop() {
      clearInterval(timer);
      return `memory ${mib(base)} MiB before, at most ${mib(peak)} MiB during`;
    },
  };
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function equal<T>(actual: T, expected: T, what: string): void {
  if (actual === expected) return;
  throw new Error(`Expected ${what} to be ${expected}, found ${actual}`);
}
