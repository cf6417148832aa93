/**
 * Checkpoints: with a library of SQLite that can lose commits, the only one is
 * made while a second connection holds the write lock. With every library it
 * waits for a pause of the writes, unless the write-ahead log grows too large,
 * and the log's file does not stay at its peak.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openStore } from "../mod.ts";
import {
  type Connection,
  type Driver,
  SqlError,
} from "../src/sqlite/driver/mod.ts";
import { hasSafeCheckpoints } from "../src/sqlite/connection/checkpoints.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { wrappedDriver } from "./support/faults/instrumented_driver.ts";
import { tempDir } from "./support/temp_dir.ts";

Deno.test("which versions of SQLite have safe checkpoints", () => {
  const safe = ["3.44.6", "3.44.7", "3.50.7", "3.51.3", "3.52.0", "3.53.2"];
  const unsafe = ["3.7.0", "3.40.1", "3.44.5", "3.45.3", "3.49.2", "3.50.6"];
  for (const version of safe) assert(hasSafeCheckpoints(version), version);
  for (const version of [...unsafe, "3.51.2"]) {
    assert(!hasSafeCheckpoints(version), version);
  }
  assert(hasSafeCheckpoints("4.0.0"));
});

/** What a driver's connections were asked, one after the other. */
interface Recorded {
  readonly sql: string;
  readonly connection: Connection;
}

/**
 * A driver whose library says that it is an old one, or this one. It tells of
 * each call before it carries it out.
 */
async function oldDriver(
  { name }: TestDriver,
  before: (call: Recorded) => void,
  version = "3.51.2",
): Promise<Driver> {
  return await wrappedDriver(name, (call, carryOut) => {
    if (call.method !== "prepare") before(call);
    const result = carryOut();
    return call.method === "get" && call.sql.includes("sqlite_version()")
      ? { ...result, version }
      : result;
  });
}

/** Some 100 kB. */
const LARGE = "x".repeat(100_000);

async function fill(store: { set: SetOf }, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.set("k", `${i % 10}`, `${i}${LARGE}`);
  }
}

type SetOf = (kind: string, key: string, value: unknown) => Promise<unknown>;

testOnEachDriver(
  "an old library makes checkpoints only under the write lock of a second connection",
  async (driver) => {
    await using dir = await tempDir();
    const calls: Recorded[] = [];
    const old = await oldDriver(driver, (call) => calls.push(call));
    const path = dir.file("app.db");
    const options = { path, driver: old, durability: "normal" } as const;
    {
      await using store = await openStore(options);
      await fill(store, 300);
      assertEquals((await store.info()).checkpoints, "exclusive");
      const { walSize } = await store.info();
      assert(walSize < 20_000_000, `${walSize} bytes`);
    }
    // Every connection that may write is told before its first commit.
    const writers = new Set(
      calls.filter(({ sql }) => sql === "COMMIT" || sql === "BEGIN IMMEDIATE")
        .map(({ connection }) => connection),
    );
    assert(writers.size >= 2);
    for (const writer of writers) {
      const own = calls.filter(({ connection }) => connection === writer);
      const first = own.findIndex(({ sql }) =>
        /^(BEGIN IMMEDIATE|COMMIT)/.test(sql)
      );
      const off = own.findIndex(({ sql }) =>
        sql.includes("wal_autocheckpoint = 0")
      );
      assert(off >= 0 && off < first);
    }
    const checkpoints = calls.flatMap(({ sql }, i) =>
      sql.includes("wal_checkpoint(") ? [i] : []
    );
    assert(checkpoints.length >= 2);
    for (const i of checkpoints) {
      const [before, checkpoint, after] = calls.slice(i - 1, i + 2);
      assertEquals(
        [before.sql, checkpoint.sql, after.sql],
        ["BEGIN IMMEDIATE", "PRAGMA wal_checkpoint(PASSIVE)", "ROLLBACK"],
      );
      assert(before.connection !== checkpoint.connection);
      assert(before.connection === after.connection);
    }
    await using again = await openOn(driver, { path });
    assertEquals(await again.count("k"), 10);
    assertEquals(await again.verify(), []);
  },
);

testOnEachDriver(
  "an old library makes no checkpoint while another connection writes, and makes it up",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    let isOpen = false;
    let first: Connection | undefined;
    let isLocked = true;
    const old = await oldDriver(driver, ({ sql, connection }) => {
      if (sql !== "BEGIN IMMEDIATE") return;
      // Only the store's own connection writes.
      if (isOpen) first ??= connection;
      if (isLocked && first && connection !== first) {
        throw new SqlError("busy", "database is locked");
      }
    });
    await using store = await openStore({
      path,
      driver: old,
      durability: "normal",
    });
    isOpen = true;
    const { size } = await Deno.stat(path);
    await fill(store, 200);
    assertEquals((await Deno.stat(path)).size, size);
    const { walSize } = await store.info();
    assert(walSize > 20_000_000, `${walSize} bytes`);
    isLocked = false;
    await fill(store, 1);
    assert((await Deno.stat(path)).size > size);
    await fill(store, 2);
    assert((await store.info()).walSize < 5_000_000);
  },
);

/** A library that can lose commits, and one that cannot. */
const VERSIONS = ["3.51.2", "3.51.3"];

testOnEachDriver(
  "a checkpoint that is due waits until the writes pause",
  async (driver) => {
    for (const version of VERSIONS) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      let isPaused = false;
      let madeInPause = Promise.withResolvers<void>();
      const recording = await oldDriver(driver, ({ sql }) => {
        if (isPaused && sql.includes("wal_checkpoint(")) madeInPause.resolve();
      }, version);
      await using store = await openStore({
        path,
        driver: recording,
        durability: "normal",
      });
      for (let i = 0; i < 3; i++) {
        madeInPause = Promise.withResolvers<void>();
        isPaused = false;
        // Some 6 MB, which is more than makes a log due. If this process was held up meanwhile, there was a pause before.
        await fill(store, 60);
        isPaused = true;
        if ((await store.info()).walSize < 5_000_000) continue;
        // The store's timer does not keep a process alive.
        const alive = setInterval(() => {}, 1_000);
        await madeInPause.promise;
        clearInterval(alive);
      }
      // It was copied, so the log begins anew, and its file is cut.
      await store.set("k", "last", 1);
      const { walSize } = await store.info();
      assert(walSize < 5_000_000, `${version}: ${walSize} bytes`);
      assertEquals(await store.count("k"), 11);
      assertEquals(await store.verify(), []);
    }
  },
);

testOnEachDriver(
  "the write-ahead log does not grow without end if writes never pause",
  async (driver) => {
    for (const version of VERSIONS) {
      await using dir = await tempDir();
      await using store = await openStore({
        path: dir.file("app.db"),
        driver: await oldDriver(driver, () => {}, version),
        durability: "normal",
      });
      let peak = 0;
      for (let i = 0; i < 30; i++) {
        await fill(store, 10);
        peak = Math.max(peak, (await store.info()).walSize);
      }
      assert(peak < 25_000_000, `${version}: ${peak} bytes`);
    }
  },
);

testOnEachDriver(
  "a store that closes makes no checkpoint later",
  async (driver) => {
    await using dir = await tempDir();
    const store = await openOn(driver, {
      path: dir.file("app.db"),
      durability: "normal",
    });
    // The test fails if a timer is left.
    await fill(store, 60);
    await store.close();
  },
);

testOnEachDriver(
  "the write-ahead log is cut when it begins anew",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    // One transaction of 40 MB is in the log as a whole.
    await store.setAll(
      "k",
      Array.from({ length: 100 }, (_, i) => [`${i}`, "x".repeat(200_000)]),
    );
    const peak = (await Deno.stat(`${path}-wal`)).size;
    assert(peak > 20_000_000);
    await fill(store, 2);
    const { walSize } = await store.info();
    assert(walSize < 5_000_000, `${walSize} bytes`);
  },
);

testOnEachDriver("`info()` says who makes the checkpoints", async (driver) => {
  await using dir = await tempDir();
  for (
    const [options, expected] of [
      [{ path: ":memory:" }, "none"],
      [{ path: dir.file("a.db"), wal: false }, "none"],
    ] as const
  ) {
    await using store = await openOn(driver, options);
    assertEquals((await store.info()).checkpoints, expected);
  }
  await using store = await openOn(driver, { path: dir.file("b.db") });
  const { checkpoints, sqliteVersion } = await store.info();
  assertEquals(
    checkpoints,
    hasSafeCheckpoints(sqliteVersion) ? "automatic" : "exclusive",
  );
});
