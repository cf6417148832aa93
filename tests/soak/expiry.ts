/**
 * Many entries that expire at once, and reads of many entries that have an
 * expiry. It measures how fast the first are removed and for how long that holds
 * the event loop, and compares the second with entries that have none.
 *
 * `deno task soak tests/soak/expiry.ts --entries=1000000 --rounds=60 --durability=normal --driver=builtin`
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Durability, openStore, type SqliteStore } from "../../mod.ts";
import type { Connection } from "../../src/sqlite/driver/mod.ts";
import { loadDriver } from "../../src/sqlite/driver/load.ts";
import { median } from "../support/ticks.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

const HOUR = 3_600_000;
/** How many entries one write has. */
const BATCH = 10_000;
/** How many single reads are timed together. */
const READS = 500;
/** How much slower reads of entries with an expiry may be. */
const MOST = 1.1;
/** How much memory a sweep may take, in bytes, however many entries it removes. */
const MEMORY = 100_000_000;

const { entries, rounds, seed: _, ...flags } = readFlags({
  entries: 1_000_000,
  rounds: 60,
  durability: "normal",
  driver: "builtin",
});
const durability = flags.durability as Durability;
const driver = flags.driver as "builtin" | "ffi";

await using dir = await tempDir();
const path = dir.file("app.db");
const { open } = await loadDriver(driver);
function keyOf(n: number): string {
  return String(n).padStart(8, "0");
}

async function fill(
  store: SqliteStore,
  kind: string,
  expireIn?: number,
): Promise<void> {
  for (let n = 0; n < entries; n += BATCH) {
    const batch = Array.from(
      { length: Math.min(BATCH, entries - n) },
      (_, i) => [keyOf(n + i), { n: n + i, text: "x".repeat(50) }] as const,
    );
    await store.setAll(kind, batch, { expireIn });
  }
}

/** Reads of a kind, each of which takes some ms. */
const READ: Record<
  string,
  (store: SqliteStore, kind: string, round: number) => Promise<unknown>
> = {
  async get(store, kind, round) {
    for (let i = 0; i < READS; i++) await store.get(kind, someKey(round + i));
  },
  async entry(store, kind, round) {
    for (let i = 0; i < READS; i++) await store.entry(kind, someKey(round + i));
  },
  async "list, a page"(store, kind, round) {
    for (let i = 0; i < 20; i++) {
      await store.list(kind, { start: someKey(round + i), limit: 256 });
    }
  },
  async "entries, 20 000"(store, kind, round) {
    const start = keyOf(round * 7_919 % Math.max(1, entries - 20_000));
    let count = 0;
    for await (const _ of store.entries(kind, { start })) {
      if (++count === 20_000) break;
    }
  },
  async "keys, 20 000"(store, kind, round) {
    const start = keyOf(round * 7_919 % Math.max(1, entries - 20_000));
    await store.keys(kind, { start, limit: 20_000 });
  },
  count: (store, kind) => store.count(kind),
};

function someKey(i: number): string {
  return keyOf(i * 7_919 % entries);
}

/** Each read of both kinds, one after the other, the first one in turn; gives those that are too slow. */
async function compareReads(): Promise<string[]> {
  const slow: string[] = [];
  await using store = await openStore({ path, durability, driver });
  for (const [name, read] of Object.entries(READ)) {
    const times: Record<string, number[]> = { plain: [], expiring: [] };
    for (let round = 0; round < rounds + 2; round++) {
      const kinds = ["plain", "expiring"];
      if (round % 2 === 1) kinds.reverse();
      for (const kind of kinds) {
        const start = performance.now();
        await read(store, kind, round);
        // The first ones fill the caches.
        if (round >= 2) times[kind].push(performance.now() - start);
      }
    }
    const ratios = times.expiring.map((ms, i) => ms / times.plain[i]);
    const ratio = median(ratios);
    console.log(
      `${name}: ${median(times.plain).toFixed(2)} ms, with expiry ${
        median(times.expiring).toFixed(2)
      } ms, ratio ${ratio.toFixed(3)}`,
    );
    if (ratio > MOST) slow.push(name);
  }
  return slow;
}

/** Makes all of a kind expire, as no writer does: the log does not tell of it. */
function expireAll(): void {
  const db = open({ path, mode: "rw" });
  const triggers = db.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  db.exec("BEGIN IMMEDIATE");
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  db.exec("UPDATE zestor_kv SET expires_at = 1 WHERE kind = 'expiring'");
  for (const { sql } of triggers) db.exec(sql as string);
  db.exec("COMMIT");
  db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
  db.close();
}

/** Removes all, while the same process writes now and then, and watches. */
async function sweep(): Promise<void> {
  await using store = await openStore({ path, durability, driver });
  const db = open({ path, mode: "ro" });
  const turns = timeTurns();
  const start = performance.now();
  const before = Deno.memoryUsage().rss;
  let memory = 0;
  const sets: number[] = [];
  while (hasExpired(db)) {
    const called = performance.now();
    await store.set("other", "a", sets.length);
    sets.push(performance.now() - called);
    memory = Math.max(memory, Deno.memoryUsage().rss - before);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const ms = performance.now() - start;
  const gaps = turns.stop();
  db.close();
  const wal = (await Deno.stat(`${path}-wal`)).size;
  console.log(
    `removed ${entries} in ${ms.toFixed(0)} ms: ${
      (entries / ms * 1_000).toFixed(0)
    } a second`,
  );
  console.log(
    `between two turns of a timer: longest ${gaps[0].toFixed(1)} ms, 99 % ${
      gaps[Math.floor(gaps.length / 100)].toFixed(1)
    } ms, median ${median(gaps).toFixed(1)} ms`,
  );
  console.log(
    `${sets.length} sets meanwhile: longest ${
      Math.max(...sets).toFixed(1)
    } ms, median ${median(sets).toFixed(1)} ms`,
  );
  console.log(`memory +${memory} bytes, write-ahead log ${wal} bytes`);
  assert(memory < MEMORY, `${memory} bytes more`);
  assertEquals(await store.count("plain"), entries);
  assertEquals(await store.count("expiring"), 0);
  assertEquals(await store.verify(), []);
}

function hasExpired(db: Connection): boolean {
  return db.prepare(
    "SELECT 1 FROM zestor_kv WHERE expires_at IS NOT NULL LIMIT 1",
  ).get() !== undefined;
}

/** Measures the time from each turn of a timer to the next, in ms; the longest first. */
function timeTurns(): { stop(): number[] } {
  const gaps: number[] = [];
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    timer = setTimeout(tick, 0);
  };
  let timer = setTimeout(tick, 0);
  return {
    stop() {
      clearTimeout(timer);
      return gaps.sort((a, b) => b - a);
    },
  };
}

{
  await using store = await openStore({ path, durability, driver });
  await fill(store, "plain");
  await fill(store, "expiring", HOUR);
}
const slow = await compareReads();
expireAll();
await sweep();
assertEquals(slow, []);
