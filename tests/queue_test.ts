/**
 * The queue on SQLite: group commit, locks, and failures of SQLite. What every
 * store promises of writes is in the conformance suite.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { setImmediate } from "node:timers";
import { openStore, StoreBusyError, StoreError } from "../mod.ts";
import { type Connection, SqlError } from "../src/sqlite/driver/mod.ts";
import { Gate } from "../src/base/gate.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { connect, fileAt } from "./support/connect.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { tempDir } from "./support/temp_dir.ts";

/** Another connection, such as another process has, that takes the write lock. */
async function lockedBy(
  driver: TestDriver,
  path: string,
): Promise<Connection> {
  const other = await connect(driver, fileAt(path));
  other.exec("BEGIN IMMEDIATE");
  return other;
}

/** Stops `performance.now()`, until it is disposed of: it goes on by `advance` alone. */
function manualClock(): Disposable & {
  readonly reads: number;
  advance(ms: number): void;
} {
  const { now } = performance;
  let time = performance.now();
  let reads = 0;
  performance.now = () => {
    reads++;
    return time;
  };
  return {
    get reads() {
      return reads;
    },
    advance: (ms) => time += ms,
    [Symbol.dispose]: () => performance.now = now,
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Passes turns of the event loop until the condition holds. */
async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

testOnEachDriver(
  "writes called in one turn share a transaction",
  async ({ name }) => {
    await using dir = await tempDir();
    let commits = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql === "COMMIT") commits++;
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    commits = 0;
    // A slice never ends.
    using _clock = manualClock();
    const writes = Array.from(
      { length: 50 },
      (_, i) => store.set("k", `${i}`, i),
    );
    await Promise.all(writes);
    assertEquals(commits, 1);
    assertEquals(await store.count("k"), 50);
  },
);

testOnEachDriver(
  "a read with a signal takes the same turn as one without",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    // A slice never ends.
    using _clock = manualClock();
    const writesBefore = async (options?: { signal: AbortSignal }) => {
      let writes = 0;
      let done = false;
      // They write without a pause, up to a number that only a failure reaches.
      const writers = ["a", "b", "c"].map(async (key) => {
        while (!done && writes < 1_000) await store.set("k", key, writes++);
      });
      await store.get("k", "a", options);
      await store.entry("k", "a", options);
      done = true;
      const seen = writes;
      await Promise.all(writers);
      return seen;
    };
    const { signal } = new AbortController();
    const without = await writesBefore();
    assertLess(without, 20);
    assertEquals(await writesBefore({ signal }), without);
  },
);

Deno.test("all waiters at a gate go on in the same turn, in their order", async () => {
  const gate = new Gate();
  const { signal } = new AbortController();
  const passed: number[] = [];
  const waiting = [undefined, signal, undefined, signal].map(
    async (signal, i) => {
      await gate.wait(signal);
      passed.push(i);
    },
  );
  gate.open();
  await undefined;
  assertEquals(passed, [0, 1, 2, 3]);
  await Promise.all(waiting);
  await gate.wait();
});

Deno.test("an aborted waiter does not go through a gate", async () => {
  const gate = new Gate();
  const stop = new AbortController();
  const reason = new Error("stop");
  const waiting = [gate.wait(stop.signal), gate.wait()];
  stop.abort(reason);
  gate.open();
  const outcomes = await Promise.allSettled(waiting);
  assertEquals(outcomes, [
    { status: "rejected", reason },
    { status: "fulfilled", value: undefined },
  ]);
  const late = await assertRejects(() => gate.wait(stop.signal));
  assertStrictEquals(late, reason);
});

testOnEachDriver(
  "a queue of many writes becomes several transactions",
  async ({ name }) => {
    await using dir = await tempDir();
    let commits = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql === "COMMIT") commits++;
    });
    await using store = await openStore({
      path: dir.file("app.db"),
      driver,
      durability: "normal",
    });
    let turns = 0;
    let done = false;
    const counting = (async () => {
      while (!done) {
        turns++;
        await nextTurn();
      }
    })();
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 100_000; i++) writes.push(store.set("k", `${i}`, i));
    turns = 0;
    await Promise.all(writes);
    done = true;
    await counting;
    assertGreater(commits, 10);
    assertGreater(turns, commits / 2);
    assertLess(commits, 50_000);
    assertEquals(await store.count("k"), 100_000);
  },
);

testOnEachDriver(
  "a write waits for another connection's lock",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const other = await lockedBy(driver, path);
    let settled = false;
    const write = store.set("k", "a", 1).finally(() => settled = true);
    for (let i = 0; i < 100; i++) await nextTurn();
    assert(!settled);
    // Readers do not wait for writers.
    const reader = await openOn(driver, { path });
    assertEquals(await reader.get("k", "a"), undefined);
    await reader.close();
    other.exec("COMMIT");
    other.close();
    assertEquals((await write).status, "created");
  },
);

testOnEachDriver(
  "C8 waiting for a lock lets the event loop turn",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, busyTimeout: 200 });
    const other = await lockedBy(driver, path);
    let turns = 0;
    let settled = false;
    const write = store.set("k", "a", 1).catch((error) => error)
      .finally(() => settled = true);
    await turnsUntil(() => {
      turns++;
      return settled;
    });
    assertInstanceOf(await write, StoreBusyError);
    assertGreater(turns, 100);
    other.exec("ROLLBACK");
    other.close();
    assertEquals((await store.set("k", "a", 1)).revision, 1);
  },
);

testOnEachDriver(
  "a write gives up after `busyTimeout`, those called later have their own",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, busyTimeout: 60_000 });
    const other = await lockedBy(driver, path);
    using clock = manualClock();
    const first = store.set("k", "a", 1);
    await turnsUntil(() => clock.reads > 10); // It has met the lock.
    clock.advance(40_000);
    const later = store.set("k", "b", 2);
    clock.advance(30_000);
    const failure = await assertRejects(
      () => first,
      StoreBusyError,
      'set "k"/"a"',
    );
    assertInstanceOf(failure.cause, SqlError);
    other.exec("ROLLBACK");
    other.close();
    await later;
    assertEquals(await store.keys("k"), ["b"]);
  },
);

testOnEachDriver(
  "an abort ends the wait for a lock at once",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const other = await lockedBy(driver, path);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = store.set("k", "a", 1, { signal });
    const kept = store.set("k", "b", 2);
    await nextTurn();
    const reason = new Error("changed my mind");
    controller.abort(reason);
    assertStrictEquals(await aborted.catch((error) => error), reason);
    other.exec("COMMIT");
    other.close();
    await kept;
    assertEquals(await store.keys("k"), ["b"]);
  },
);

testOnEachDriver(
  "`close()` finishes the writes that wait for a lock",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const store = await openOn(driver, { path });
    const other = await lockedBy(driver, path);
    const write = store.set("k", "a", 1);
    const closed = store.close();
    await nextTurn();
    other.exec("COMMIT");
    other.close();
    assertEquals((await write).status, "created");
    await closed;
    await using again = await openOn(driver, { path });
    assertEquals(await again.get("k", "a"), 1);
  },
);

testOnEachDriver(
  "with a rollback journal a commit waits for readers",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, wal: false });
    await store.set("k", "a", 1);
    const reader = await connect(driver, fileAt(path));
    reader.exec("BEGIN");
    assertEquals(reader.prepare("SELECT key FROM zestor_kv").all().length, 1);
    let settled = false;
    const write = store.set("k", "b", 2).finally(() => settled = true);
    for (let i = 0; i < 100; i++) await nextTurn();
    assert(!settled);
    // Called after the write, so it waits for it.
    const keys = store.keys("k");
    reader.exec("COMMIT");
    reader.close();
    await write;
    assertEquals(await keys, ["a", "b"]);
  },
);

testOnEachDriver(
  "with a rollback journal a commit gives up after `busyTimeout`",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, {
      path,
      wal: false,
      busyTimeout: 100,
    });
    await store.set("k", "a", 1);
    const reader = await connect(driver, fileAt(path));
    reader.exec("BEGIN");
    reader.prepare("SELECT key FROM zestor_kv").all();
    await assertRejects(() => store.set("k", "b", 2), StoreBusyError);
    reader.exec("COMMIT");
    reader.close();
    assertEquals(await store.keys("k"), ["a"]);
    assertEquals((await store.set("k", "b", 2)).revision, 2);
  },
);

testOnEachDriver(
  "others see a `setAll` whole or not at all, while it runs",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, durability: "normal" });
    const size = 20_000;
    const other = await connect(driver, fileAt(path));
    const count = other.prepare("SELECT count(*) AS n FROM zestor_kv");
    let settled = false;
    const write = store.setAll(
      "k",
      Array.from({ length: size }, (_, i) => [`${i}`, i] as const),
    ).finally(() => settled = true);
    const seen = new Set<unknown>();
    await turnsUntil(() => {
      seen.add(count.get()!.n);
      return settled;
    });
    assertEquals((await write).created, size);
    seen.add(count.get()!.n);
    other.close();
    assertEquals([...seen], [0, size]);
  },
);

testOnEachDriver(
  "C4 a statement that fails fails its own write only",
  async ({ name }) => {
    await using dir = await tempDir();
    const driver = await instrumentedDriver(name, (sql, params) => {
      if (sql.startsWith("INSERT INTO zestor_kv") && params.includes("c")) {
        throw new SqlError("full", "database or disk is full");
      }
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    const outcomes = await Promise.allSettled([
      store.set("k", "a", 1),
      store.set("k", "b", 2),
      store.set("k", "c", 3),
      store.setAll("k", { bb: 1, c: 2, d: 3 }),
      store.set("k", "e", 5),
    ]);
    assertEquals(
      outcomes.map((outcome) =>
        outcome.status === "rejected" ? outcome.reason.name : outcome.status
      ),
      [
        "fulfilled",
        "fulfilled",
        "StoreFullError",
        "StoreFullError",
        "fulfilled",
      ],
    );
    assertEquals(await store.keys("k"), ["a", "b", "e"]);
    assertEquals((await store.set("k", "z", 1)).revision, 4);
  },
);

testOnEachDriver(
  "a commit that fails is tried again for each write alone",
  async ({ name }) => {
    await using dir = await tempDir();
    let failures = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql === "COMMIT" && failures-- > 0) {
        throw new SqlError("io", "disk I/O error");
      }
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    // The shared commit, and that of the first write alone.
    failures = 2;
    const outcomes = await Promise.allSettled([
      store.set("k", "a", 1),
      store.setAll("k", { b: 2, c: 3 }),
      store.update("k", "d", (n) => (n as number) + 1, { initial: 3 }),
    ]);
    assertEquals(outcomes.map(({ status }) => status), [
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    const { reason } = outcomes[0] as PromiseRejectedResult;
    assertInstanceOf(reason, StoreError);
    assertEquals(reason.code, "STORAGE");
    assertEquals(
      await store.list("k"),
      new Map<string, unknown>([["b", 2], ["c", 3], ["d", 4]]),
    );
    assertEquals((await store.set("k", "e", 5)).revision, 4);
  },
);

testOnEachDriver(
  "a full disk refuses writes that do not fit, and no others",
  async ({ name }) => {
    await using dir = await tempDir();
    const driver = await instrumentedDriver(
      name,
      (sql, _params, connection) => {
        if (sql.startsWith("PRAGMA synchronous")) {
          connection.exec("PRAGMA max_page_count = 60");
        }
      },
    );
    await using store = await openStore({ path: dir.file("app.db"), driver });
    const outcomes = await Promise.allSettled([
      store.set("k", "a", "small"),
      store.set("k", "big", "x".repeat(1_000_000)),
      store.set("k", "b", "small"),
      store.setAll("k", { c: "small", d: "x".repeat(1_000_000) }),
      store.set("k", "e", "small"),
    ]);
    assertEquals(
      outcomes.map((outcome) =>
        outcome.status === "rejected" ? outcome.reason.name : outcome.status
      ),
      [
        "fulfilled",
        "StoreFullError",
        "fulfilled",
        "StoreFullError",
        "fulfilled",
      ],
    );
    assertEquals(await store.keys("k"), ["a", "b", "e"]);
    assertEquals((await store.delete("k", "a"))?.value, "small");
  },
);

testOnEachDriver(
  "`update()` begins again from the stored value if its transaction is lost",
  async ({ name }) => {
    await using dir = await tempDir();
    let failures = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql === "COMMIT" && failures-- > 0) {
        throw new SqlError("busy", "database is locked");
      }
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    failures = 3;
    const add = (n: unknown) => (n as number) + 1;
    const results = await Promise.all([
      store.update("k", "n", add, { initial: 0 }),
      store.update("k", "n", add, { initial: 0 }),
    ]);
    assertEquals(results.map(({ value }) => value), [1, 2]);
    assertEquals((await store.entry("k", "n"))?.version, 2);
  },
);
