/**
 * Contention: other processes that write the same file, and many watches on one
 * store. What a single process sees of locks is in the write queue's tests.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { delay } from "@std/async";
import { setImmediate } from "node:timers";
import {
  openStore,
  type SqliteStore,
  StoreBusyError,
  type WatchEvent,
} from "../mod.ts";
import type { Driver } from "../src/sqlite/driver/mod.ts";
import type { Durability } from "../mod.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import { HEAD_REVISION } from "../src/sqlite/format/queries.ts";
import { LIST_CHANGED_KINDS } from "../src/sqlite/storage/change_queries.ts";
import { NEXT_EXPIRY } from "../src/sqlite/storage/queries.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { type Peer, startStorePeer } from "./support/processes/peer.ts";
import type { Counted, Lock } from "./support/processes/store_peer.ts";
import { tempDir } from "./support/temp_dir.ts";
import { type Lateness, median, timeTicks } from "./support/ticks.ts";

interface Kinds {
  k: number;
  other: number;
}

// Other processes.

/** Another process that holds locks until it is told to go on, or dismissed. */
async function lockedByPeer(
  driver: TestDriver,
  ...locks: Lock[]
): Promise<Peer> {
  const peer = startStorePeer("hold", { driver: driver.name, locks });
  assertEquals(await peer.next(), "locked");
  return peer;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

// Counting.

interface Count {
  readonly wal: boolean;
  readonly durability: Durability;
  /** By each process. */
  readonly increments: number;
}

/** How each process counts: how many updates it calls at once, in turn. */
const GROUPS = [[1], [1, 2, 3], [8], [1, 16]];

async function countTogether(count: Count): Promise<void> {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const path = dir.file("app.db");
  const available = drivers.filter(({ unavailable }) => !unavailable);
  const { wal } = count;
  const create = await openOn(available[0], { path, wal });
  await create.set("k", "n", 0);
  await create.close();

  const peers = GROUPS.map((groups, i) => {
    const driver = available[i % available.length].name;
    const task = { ...count, path, driver, groups };
    return stack.use(startStorePeer("count", task));
  });
  for (const peer of peers) assertEquals(await peer.next(), "ready");
  for (const peer of peers) await peer.say("go");
  const reports = await Promise.all(peers.map((peer) => peer.next<Counted>()));

  const total = GROUPS.length * count.increments;
  const values = reports.flatMap((report) => report.values);
  // Each of them once.
  assertEquals(
    values.sort((a, b) => a - b),
    Array.from({ length: total }, (_, i) => i + 1),
  );
  await using store = await openOn(available[0], { path, wal });
  const { value, version } = (await store.entry("k", "n"))!;
  assertEquals({ value, version }, { value: total, version: total + 1 });
  const longest = Math.max(...reports.map(({ longestWait }) => longestWait));
  console.log(`the longest wait of an update: ${longest.toFixed(0)} ms`);
}

Deno.test("4 processes count to 8 000 together", () =>
  countTogether({ wal: true, durability: "normal", increments: 2_000 }));

Deno.test('4 processes count together with durability "full"', () =>
  countTogether({ wal: true, durability: "full", increments: 250 }));

Deno.test("4 processes count together with a rollback journal", () =>
  countTogether({ wal: false, durability: "normal", increments: 500 }));

// Waiting for locks.

/** How late a timer may be while something waits for a lock, in ms. */
const LATE = 20;
/** How long another process holds the lock, in ms. */
const HELD = 3_000;

/** What became of a process that waited for locks, in ms. */
interface Waited {
  /** How long the longest call of the driver took. */
  readonly longestCall: number;
  /** How long the calls took that found the file locked: their median. */
  readonly refusal: number;
  /** How late its ticks were. */
  readonly late: Lateness;
  /** The same in the process that held the locks, which did nothing else. */
  readonly lateElsewhere: number;
}

/** Waits for locks of each sort, with each sort of operation, all at once. */
async function waitForLocks(driver: TestDriver): Promise<Waited> {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  let longestCall = 0;
  const refusals: number[] = [];
  const timedDriver = timed(await loadDriver(driver.name), (ms, isRefused) => {
    longestCall = Math.max(longestCall, ms);
    if (isRefused) refusals.push(ms);
  });
  const open = async (name: string, wal: boolean) =>
    stack.use(
      await openStore<Kinds>({
        path: dir.file(name),
        driver: timedDriver,
        durability: "normal",
        busyTimeout: 60_000,
        wal,
      }),
    );
  const wal = await open("wal.db", true);
  const journal = await open("journal.db", false);
  const exclusive = await open("exclusive.db", false);
  await using holder = await lockedByPeer(
    driver,
    { path: dir.file("wal.db"), lock: "IMMEDIATE" },
    { path: dir.file("journal.db"), lock: "IMMEDIATE" },
    { path: dir.file("exclusive.db"), lock: "EXCLUSIVE" },
    // The file is new: a store's opening has to write it.
    { path: dir.file("new.db"), lock: "IMMEDIATE" },
  );

  longestCall = 0;
  const ticks = timeTicks();
  let settled = 0;
  const operations = [
    wal.set("k", "a", 1),
    wal.setAll("k", { b: 2, c: 3 }),
    journal.set("k", "a", 1),
    journal.setAll("k", { b: 2, c: 3 }),
    exclusive.get("k", "a"),
    exclusive.set("k", "a", 1),
    open("exclusive.db", false),
    open("new.db", true),
  ].map((operation: Promise<unknown>) => operation.finally(() => settled++));
  // These need not wait.
  await open("wal.db", true);
  assertEquals(await (await open("journal.db", false)).keys("k"), []);
  await delay(HELD);
  const refusal = median(refusals);
  const waited = { longestCall, refusal, late: ticks.stop() };
  assertGreater(refusals.length, 100);
  assertEquals(settled, 0);

  await holder.say("let go");
  const lateElsewhere = await holder.next<number>();
  await Promise.all(operations);
  for (const store of [wal, journal]) {
    assertEquals(await store.keys("k"), ["a", "b", "c"]);
  }
  assertEquals(await exclusive.get("k", "a"), 1);
  return { ...waited, lateElsewhere };
}

/** A driver, connection or statement that tells how long each call of it takes. */
function timed<T extends object>(
  target: T,
  took: (ms: number, isRefused: boolean) => void,
): T {
  return new Proxy(target, {
    get(_target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...params: unknown[]) => {
        const start = performance.now();
        let isRefused = true;
        try {
          const result = member.apply(target, params);
          isRefused = false;
          const isPart = name === "open" || name === "prepare";
          return isPart ? timed(result, took) : result;
        } finally {
          took(performance.now() - start, isRefused);
        }
      };
    },
  });
}

testOnEachDriver(
  "C8 while another process holds the lock for 3 s no timer is late",
  async (driver) => {
    // A busy machine makes a timer late now and then, in the process that only
    // holds the lock, too: then it is tried again. To wait inside SQLite makes
    // every refused call slow, and most ticks late, however busy it is.
    for (let attempt = 1;; attempt++) {
      const waited = await waitForLocks(driver);
      const { longestCall, refusal, late, lateElsewhere } = waited;
      const told = Deno.inspect(waited);
      assertLessOrEqual(refusal, LATE, told);
      assertLessOrEqual(late.median, LATE, told);
      if (longestCall <= LATE && late.latest <= LATE + lateElsewhere) return;
      const isBusyMachine = lateElsewhere > LATE / 4;
      if (attempt === 5) return assert(isBusyMachine, told);
    }
  },
);

testOnEachDriver(
  "an operation gives up after `busyTimeout` while another process holds the lock",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const options = { path, wal: false, busyTimeout: 500 };
    await using store = await openOn(driver, options);
    await using holder = await lockedByPeer(driver, {
      path,
      lock: "EXCLUSIVE",
    });
    const operations = [
      () => store.set("k", "a", 1),
      () => store.setAll("k", { b: 1, c: 2 }),
      () => store.get("k", "a"),
      () => openOn(driver, options),
    ];
    for (const operation of operations) {
      const start = performance.now();
      await assertRejects(operation, StoreBusyError);
      const took = performance.now() - start;
      assertGreaterOrEqual(took, 500);
      assertLess(took, 3_000);
    }
    await holder.say("let go");
    await holder.next();
    assertEquals(await store.keys("k"), []);
    assertEquals((await store.set("k", "a", 1)).revision, 1);
  },
);

testOnEachDriver(
  "C7 an abort ends the wait while another process still holds the lock",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, wal: false });
    await using holder = await lockedByPeer(driver, {
      path,
      lock: "EXCLUSIVE",
    });
    const operations = [
      (signal: AbortSignal) => store.set("k", "a", 1, { signal }),
      (signal: AbortSignal) => store.setAll("k", { b: 1 }, { signal }),
      (signal: AbortSignal) => store.get("k", "a", { signal }),
      (signal: AbortSignal) => openOn(driver, { path, wal: false, signal }),
    ];
    for (const operation of operations) {
      const controller = new AbortController();
      const failure = operation(controller.signal).catch((error) => error);
      for (let i = 0; i < 100; i++) await nextTurn();
      const reason = new Error("changed my mind");
      controller.abort(reason);
      assertStrictEquals(await failure, reason);
    }
    await holder.say("let go");
    await holder.next();
    assertEquals(await store.keys("k"), []);
    assertEquals((await store.set("k", "a", 1)).revision, 1);
  },
);

for (const wal of [true, false]) {
  testOnEachDriver(
    `watches go on reading while a write waits for the lock, with wal ${wal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, {
        path,
        wal,
        durability: "normal",
        busyTimeout: 60_000,
      });
      const keys = Array.from({ length: 100 }, (_, i) => `${100 + i}`);
      await store.setAll("k", keys.map((key) => [key, 1]));
      const watches = [
        store.watch("k", { initial: true, bufferSize: 10 }),
        store.watch("k", { after: 0, bufferSize: 10 }),
      ].map((watch) => watch.getReader());
      await using holder = await lockedByPeer(driver, {
        path,
        lock: "IMMEDIATE",
      });
      let settled = false;
      const write = store.set("k", "z", 2).finally(() => settled = true);
      for (const watch of watches) {
        for (const key of keys) {
          assertEquals((await watch.read()).value?.key, key);
        }
      }
      const changes = watches.map((watch) => watch.read());
      assert(!settled);
      await holder.say("let go");
      await write;
      for (const change of changes) {
        assertEquals((await change).value?.key, "z");
      }
      for (const watch of watches) await watch.cancel();
    },
  );
}

// Many watches.

/** Counts what a store's watches do, until it is disposed of. */
async function countingDriver(
  { name }: TestDriver,
): Promise<
  {
    driver: Driver;
    counts: { statements: number; heads: number; looks: number; reads: number };
  }
> {
  const counts = { statements: 0, heads: 0, looks: 0, reads: 0 };
  const driver = await instrumentedDriver(name, (sql) => {
    // That is asked each second.
    if (sql !== NEXT_EXPIRY) counts.statements++;
    if (sql === HEAD_REVISION) counts.heads++;
    if (sql === LIST_CHANGED_KINDS) counts.looks++;
    if (sql.includes("FROM zestor_changes\nWHERE revision > ?")) counts.reads++;
  });
  return { driver, counts };
}

/** A store that may write has a timer to look for what has expired. */
const EXPIRY_TIMERS = 1;

/** Counts the notifiers that are opened, and the timers that have not fired or been cleared. */
function countSources(): Disposable & {
  readonly notifiers: number;
  readonly open: number;
  /** How many were open at once. */
  readonly mostOpen: number;
  readonly timers: number;
} {
  const { watchFs } = Deno;
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Set<unknown>();
  let notifiers = 0;
  let open = 0;
  let mostOpen = 0;
  Deno.watchFs = (...params) => {
    const watcher = watchFs(...params);
    notifiers++;
    mostOpen = Math.max(mostOpen, ++open);
    const close = watcher.close.bind(watcher);
    watcher.close = () => {
      open--;
      close();
    };
    return watcher;
  };
  Object.assign(globalThis, {
    setTimeout(work: () => void, ms?: number) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer: number) {
      timers.delete(timer);
      clearTimeout(timer);
    },
  });
  return {
    get notifiers() {
      return notifiers;
    },
    get open() {
      return open;
    },
    get mostOpen() {
      return mostOpen;
    },
    get timers() {
      return timers.size;
    },
    [Symbol.dispose]() {
      Deno.watchFs = watchFs;
      Object.assign(globalThis, { setTimeout, clearTimeout });
    },
  };
}

type Reading = Promise<ReadableStreamReadResult<WatchEvent<number>>>;

testOnEachDriver(
  "100 watches have one wake-up source, and read the log once when their kind changes",
  async (testDriver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using sources = countSources();
    const { driver, counts } = await countingDriver(testDriver);
    await using store = await openStore<Kinds>({ path, driver });
    const watches = Array.from(
      { length: 100 },
      () => store.watch("k").getReader(),
    );
    let events: Reading[] = [];
    // Until each has seen that there is nothing new, and waits.
    const settle = async () => {
      counts.heads = 0;
      events = watches.map((watch) => watch.read());
      // Those that look in the same turn share the look.
      await turnsUntil(() => counts.heads >= 1);
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      counts.reads = counts.looks = 0;
    };
    const expectAll = async (value: number) => {
      for (const event of events) {
        assertEquals((await event).value?.value, value);
      }
    };
    await settle();
    assertEquals(sources.open, 1);

    await store.set("other", "a", 1);
    await turnsUntil(() => counts.looks === 1);
    await nextTurn();
    // Nobody had to read the log: nobody's kind has changed.
    assertEquals(counts.reads, 0);
    using other = await connect(testDriver, fileAt(path));
    const update = (kind: string, value: number) =>
      other.prepare(
        "INSERT OR REPLACE INTO zestor_kv (kind, key, value) VALUES (?, 'b', ?)",
      ).run(kind, new TextEncoder().encode(`${value}`));
    update("other", 2);
    await turnsUntil(() => counts.looks === 2);
    await nextTurn();
    assertEquals(counts.reads, 0);

    await store.set("k", "a", 3);
    await expectAll(3);
    assertEquals(counts.reads, 1);
    assertEquals(counts.looks, 3);

    await settle();
    update("k", 4);
    await expectAll(4);
    assertEquals(counts.reads, 1);
    assertEquals(counts.looks, 1);

    // It goes when nobody waits for a moment, as on a busy machine.
    assertEquals(sources.mostOpen, 1);
    assertLessOrEqual(sources.timers, 1 + EXPIRY_TIMERS);
    for (const watch of watches) await watch.cancel();
    assertEquals(sources.open, 0);
    assertLessOrEqual(sources.timers, EXPIRY_TIMERS);
  },
);

testOnEachDriver(
  "without watches nothing runs, except the look for expired entries",
  async (testDriver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using sources = countSources();
    const { driver, counts } = await countingDriver(testDriver);
    await using store = await openStore<Kinds>({ path, driver });
    const use = async (store: SqliteStore<Kinds>) => {
      await store.set("k", "a", 1);
      await store.setAll("k", { b: 2, c: 3 });
      await store.update("k", "a", (n) => n + 1);
      await store.delete("k", "b");
      assertEquals(await store.keys("k"), ["a", "c"]);
    };
    const idle = async () => {
      counts.statements = 0;
      using other = await connect(testDriver, fileAt(path));
      other.exec("DELETE FROM zestor_kv");
      for (let i = 0; i < 100; i++) await nextTurn();
      assertEquals(counts.statements, 0);
      assertLessOrEqual(sources.timers, EXPIRY_TIMERS);
      assertEquals(sources.open, 0);
    };
    await use(store);
    await idle();
    assertEquals(sources.notifiers, 0);

    // Nor when nobody watches any more.
    const watch = store.watch("k").getReader();
    const event = watch.read();
    await turnsUntil(() => sources.open === 1);
    await use(store);
    assertEquals((await event).value?.key, "a");
    await watch.cancel();
    await idle();
    assertEquals(sources.notifiers, 1);
  },
);
