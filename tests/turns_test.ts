/**
 * Whose turn it is: what keeps everybody else out, and reads with several calls.
 *
 * @module
 */
import {
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { setImmediate } from "node:timers";
import { StoreBusyError } from "../mod.ts";
import { Turns } from "../src/local/turns.ts";
import { connect, fileAt } from "./support/connect.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { FrozenTime, turn } from "./support/manual_time.ts";
import { testOnEachStore } from "./support/stores.ts";
import { tempDir } from "./support/temp_dir.ts";

Deno.test("all that wait to run alone run one after the other", async () => {
  const turns = new Turns(() => false, 0);
  const gate = Promise.withResolvers<void>();
  const reading = turns.readTogether(
    () => ({ keepsWritesOut: true, close() {} }),
    () => gate.promise,
  );
  const told: string[] = [];
  const waiting = ["a", "b", "c"].map((name) =>
    turns.alone(async () => {
      told.push(`${name} begins`);
      await turn();
      told.push(`${name} ends`);
    })
  );
  gate.resolve();
  await Promise.all([reading, ...waiting]);
  assertEquals(told, [
    "a begins",
    "a ends",
    "b begins",
    "b ends",
    "c begins",
    "c ends",
  ]);
});

testOnEachDriver(
  "backups of a database in memory wait for `verify()`, and for each other",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: ":memory:" });
    // It takes `verify()` several slices to read them.
    const entries = Array.from({ length: 5_000 }, (_, i) => [`${i}`, i]);
    await store.setAll("k", Object.fromEntries(entries));
    const verified = store.verify();
    const paths = ["1.db", "2.db", "3.db"].map((name) => dir.file(name));
    await Promise.all(paths.map((path) => store.backup(path)));
    assertEquals(await verified, []);
    for (const path of paths) {
      await using copy = await openOn(driver, { path });
      assertEquals(await copy.count("k"), 5_000);
    }
    assertEquals((await store.set("k", "0", 1)).version, 2);
  },
);

testOnEachDriver(
  "a read with several calls waits for a lock no longer than `busyTimeout`",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const busyTimeout = 500;
    await using store = await openOn(driver, { path, wal: false, busyTimeout });
    await store.set("k", "a", 1);
    using other = await connect(driver, fileAt(path));
    other.exec("BEGIN EXCLUSIVE");
    {
      using time = new FrozenTime();
      let waited: number | undefined;
      const refused = assertRejects(() => store.getAll(), StoreBusyError)
        .finally(() => waited = performance.now());
      await time.until(() => waited !== undefined, () => time.timers);
      await refused;
      assertEquals(waited, busyTimeout);
    }
    other.exec("ROLLBACK");
    assertEquals((await store.getAll()).get("k"), new Map([["a", 1]]));
  },
);

testOnEachDriver(
  "writes that wait for the same lock each wait for `busyTimeout`, not one after the other",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const busyTimeout = 500;
    await using store = await openOn(driver, { path, wal: false, busyTimeout });
    await store.set("k", "a", 1);
    using reader = await connect(driver, fileAt(path));
    for (const lock of ["BEGIN; SELECT * FROM zestor_kv", "BEGIN IMMEDIATE"]) {
      reader.exec(lock);
      {
        using time = new FrozenTime();
        const waited: number[] = [];
        // Each has a transaction of its own.
        const entries = Array.from({ length: 200 }, (_, i) => [`${i}`, i]);
        const refused = Array.from({ length: 3 }, () =>
          assertRejects(
            () => store.setAll("k", Object.fromEntries(entries)),
            StoreBusyError,
          ).finally(() => waited.push(performance.now())));
        await time.until(() => waited.length === 3, () => time.timers);
        await Promise.all(refused);
        assertEquals(waited, [busyTimeout, busyTimeout, busyTimeout]);
      }
      reader.exec("ROLLBACK");
    }
    assertEquals(await store.keys("k"), ["a"]);
  },
);

testOnEachDriver(
  "a write whose commit was refused may be aborted again",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, {
      path,
      wal: false,
      busyTimeout: 100,
    });
    await store.set("k", "a", 1);
    using reader = await connect(driver, fileAt(path));
    reader.exec("BEGIN; SELECT * FROM zestor_kv");
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("changed my mind");
    const commit = store.atomic().set("k", "a", 2);
    const writing = commit.commit({ signal }).catch((error) => error);
    // Meanwhile it has begun, and waits for the reader.
    await turn();
    controller.abort(reason);
    assertStrictEquals(await writing, reason);
    reader.exec("ROLLBACK");
    // It did nothing, so it can be committed again.
    assertEquals((await commit.commit()).ok, true);
    assertEquals(await store.get("k", "a"), 2);
  },
);

testOnEachStore(
  "`getAll` of many kinds gives the event loop its turns",
  async (open) => {
    await using store = await open();
    const writing = store.atomic();
    for (let i = 0; i < 1_000; i++) writing.set(`${i}`, "a", i);
    await writing.commit();
    let turns = 0;
    let isReading = true;
    const count = () => {
      turns++;
      if (isReading) setImmediate(count);
    };
    setImmediate(count);
    {
      // What is done between two looks at the clock takes 0.1 ms.
      using _clock = tickingClock(0.1);
      assertEquals((await store.getAll()).size, 1_000);
    }
    isReading = false;
    // Reading a kind takes a look, in slices of 2 ms; decoding it does, of 8 ms.
    assertGreaterOrEqual(turns, 1_000 / 20 + 1_000 / 80 - 5);
  },
);

/** A clock that goes on by so many ms whenever somebody looks at it. */
function tickingClock(ms: number): Disposable {
  const { now } = performance;
  let time = now.call(performance);
  performance.now = () => time += ms;
  return { [Symbol.dispose]: () => performance.now = now };
}
