/**
 * `compact()`: what it gives back, what it waits for, and what it leaves alone.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreBusyError,
  StoreClosedError,
  StoreError,
  StoreFullError,
  type StoreOptions,
  StoreReadOnlyError,
} from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import { textOf } from "../src/testing/reading.ts";
import { connect, fileAt } from "./support/connect.ts";
import { drivers, openOn, testOnEachDriver } from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { smallDisk, whyNoSmallDisk } from "./support/faults/small_disk.ts";
import { turn } from "./support/manual_time.ts";
import { runChild } from "./support/processes/child.ts";
import { tempDir } from "./support/temp_dir.ts";

const MB = 2 ** 20;
const TEXT = "x".repeat(1_000);

/** Writes some MB, and deletes most of it; the log keeps the last ten changes. */
async function fill(store: SqliteStore): Promise<void> {
  await store.setAll(
    "big",
    Array.from({ length: 2_000 }, (_, i) => [`${i}`, TEXT]),
  );
  const deletion = store.atomic();
  for (let i = 100; i < 2_000; i++) deletion.delete("big", `${i}`);
  await deletion.commit();
  await store.set("k", "a", 1);
}

const SMALL_HISTORY = { history: 10 };

/** Asserts that a write-ahead log is empty: with an old SQLite library that is a page. */
async function assertLogIsEmpty(store: SqliteStore): Promise<void> {
  const { checkpoints, walSize } = await store.info();
  assert(walSize <= (checkpoints === "exclusive" ? 4_152 : 0), `${walSize}`);
}

async function contentsOf(store: SqliteStore) {
  const { log } = await store.info();
  return { log, text: await textOf(store.export()) };
}

/** How each sort of database is opened. */
const DATABASES: Record<string, (path: string) => StoreOptions> = {
  "a file with a write-ahead log": (path) => ({ path }),
  "a file with a rollback journal": (path) => ({ path, wal: false }),
  "a database in memory": () => ({ path: ":memory:" }),
  "a database in shared memory": (path) => ({
    path: `file:${encodeURIComponent(path)}?mode=memory&cache=shared`,
  }),
};

for (const [what, optionsFor] of Object.entries(DATABASES)) {
  testOnEachDriver(
    `\`compact()\` shrinks ${what}, and changes nothing that it holds`,
    async (driver) => {
      await using dir = await tempDir();
      const options = { ...optionsFor(dir.file("app.db")), ...SMALL_HISTORY };
      await using store = await openOn(driver, options);
      await fill(store);
      const contents = await contentsOf(store);
      const info = await store.info();
      const { before, after } = await store.compact();
      assertEquals(before, info.size + info.walSize);
      const { size, walSize } = await store.info();
      assertEquals(after, size + walSize);
      await assertLogIsEmpty(store);
      assert(after < before / 2, `${before} ${after}`);

      assertEquals(await contentsOf(store), contents);
      assertEquals(await store.verify(), []);
      const { revision } = await store.set("k", "a", 2);
      assertEquals(revision, contents.log!.newest + 1);
      assert((await store.compact()).after <= after);
    },
  );
}

testOnEachDriver("`compact()` keeps the newest revision", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path });
  for (let i = 1; i <= 5; i++) await store.set("k", "a", i);
  {
    using db = await connect(driver, fileAt(path));
    db.exec("DELETE FROM zestor_changes");
  }
  await store.compact();
  assertEquals((await store.set("k", "b", 1)).revision, 6);
});

testOnEachDriver(
  "`compact()` comes after the writes called before it, and before the later ones",
  async (driver) => {
    await using dir = await tempDir();
    const order: string[] = [];
    const instrumented = await instrumentedDriver(driver.name, (sql) => {
      if (sql === "VACUUM") order.push(sql);
    });
    const path = dir.file("app.db");
    await using store = await openStore({ path, driver: instrumented });
    const changes = store.watch("k").getReader();
    const update = (name: string) => () => {
      order.push(name);
      return 1;
    };
    const calls = [
      store.update("k", "a", update("a"), { initial: 0 }),
      store.update("k", "b", update("b"), { initial: 0 }),
      store.compact(),
      store.update("k", "c", update("c"), { initial: 0 }),
      store.setAll("k", Array.from({ length: 500 }, (_, i) => [`d${i}`, i])),
    ];
    const closed = store.close();
    await Promise.all(calls);
    assertEquals(order, ["a", "b", "VACUUM", "c"]);
    await closed;
    const seen: string[] = [];
    for (let next; !(next = await changes.read()).done;) {
      seen.push(next.value.key);
    }
    assertEquals(seen.slice(0, 3), ["a", "b", "c"].slice(0, seen.length));
  },
);

testOnEachDriver(
  "watches and readers of other stores go on while one compacts",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    await fill(store);
    const watch = other.watch("k").getReader();
    const next = watch.read();
    const [{ after }] = await Promise.all([
      store.compact(),
      other.get("k", "a"),
    ]);
    assert(after > 0);
    await store.set("k", "b", 1);
    const { value } = await next;
    assertEquals([value?.type, value?.key], ["create", "b"]);
    await other.set("k", "c", 1);
    assertEquals((await watch.read()).value?.key, "c");
    await watch.cancel();
    assertEquals(await other.count("big"), 100);
    assertEquals(await other.verify(), []);
  },
);

testOnEachDriver(
  "`compact()` waits for another's lock, on timers",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(driver, fileAt(path));
    let tries = 0;
    const instrumented = await instrumentedDriver(driver.name, (sql) => {
      if (sql === "VACUUM" && ++tries === 3) db.exec("COMMIT");
    });
    await using store = await openStore({ path, driver: instrumented });
    await store.set("k", "a", 1);
    db.exec("BEGIN IMMEDIATE; DELETE FROM zestor_kv");
    const compacting = store.compact();
    await compacting;
    assertEquals(tries, 3);
    assertEquals(await store.get("k", "a"), undefined);
  },
);

testOnEachDriver(
  "a `compact()` that gets no lock fails alone",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, busyTimeout: 300 });
    await store.set("k", "a", 1);
    using db = await connect(driver, fileAt(path));
    db.exec("BEGIN IMMEDIATE");
    const compacting = store.compact();
    const writing = store.set("k", "b", 1);
    const reading = store.get("k", "b");
    const error = await assertRejects(() => compacting, StoreBusyError);
    assertStringIncludes(error.message, "Cannot compact: ");
    db.exec("COMMIT");
    assertEquals((await writing).status, "created");
    assertEquals(await reading, 1);
    await store.compact();
  },
);

testOnEachDriver(
  "C7 `compact()` ends when its signal aborts before it begins",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    let tries = 0;
    const instrumented = await instrumentedDriver(driver.name, (sql) => {
      if (sql === "VACUUM") tries++;
    });
    await using store = await openStore({ path, driver: instrumented });
    await store.set("k", "a", 1);
    const reason = new Error("changed my mind");
    await assertRejects(
      () => store.compact({ signal: AbortSignal.abort(reason) }),
      Error,
      reason.message,
    );
    assertEquals(tries, 0);

    using db = await connect(driver, fileAt(path));
    db.exec("BEGIN IMMEDIATE");
    const controller = new AbortController();
    const compacting = store.compact({ signal: controller.signal });
    const writing = store.set("k", "b", 1);
    while (tries === 0) await turn();
    controller.abort(reason);
    await assertRejects(() => compacting, Error, reason.message);
    db.exec("COMMIT");
    assertEquals((await writing).status, "created");

    // When it is done it is too late.
    const late = new AbortController();
    const { after } = await store.compact({ signal: late.signal });
    late.abort(reason);
    assert(after > 0);
  },
);

testOnEachDriver(
  "`compact()` empties the write-ahead log when nobody reads it any more",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, ...SMALL_HISTORY });
    await fill(store);
    const reader = store.export().getReader();
    await reader.read();
    let isDone = false;
    const compacting = store.compact().finally(() => isDone = true);
    // The store goes on while it waits.
    await store.set("k", "b", 1);
    assertEquals(await store.get("k", "b"), 1);
    assertEquals(isDone, false);
    await reader.cancel();
    const { before, after } = await compacting;
    assert(after < before);
    await assertLogIsEmpty(store);
    const { size, walSize } = await store.info();
    assertEquals(size + walSize, after);

    // If they read on, it is compact all the same.
    await using hasty = await openOn(driver, { path, busyTimeout: 0 });
    await fill(hasty);
    const again = hasty.export().getReader();
    await again.read();
    await hasty.compact();
    assert((await hasty.info()).walSize > 0);
    await again.cancel();
    await hasty.compact();
    await assertLogIsEmpty(hasty);
    assertEquals(await hasty.verify(), []);
  },
);

testOnEachDriver(
  "`compact()` waits for a verification that keeps writes out",
  async (driver) => {
    for (const path of [":memory:", "app.db"]) {
      await using dir = await tempDir();
      await using store = await openOn(driver, {
        path: path === ":memory:" ? path : dir.file(path),
        wal: false,
      });
      await fill(store);
      const checked = store.verify();
      const compacting = store.compact();
      assertEquals(await store.verify(), []);
      assertEquals(await checked, []);
      assert((await compacting).after > 0);
    }
  },
);

testOnEachDriver(
  "a failure of `compact()` is its own, and nothing is lost",
  async (driver) => {
    await using dir = await tempDir();
    let failure: SqlError | undefined;
    const instrumented = await instrumentedDriver(driver.name, (sql) => {
      if (sql === "VACUUM" && failure) throw failure;
    });
    const path = dir.file("app.db");
    await using store = await openStore({ path, driver: instrumented });
    await fill(store);
    for (
      const [error, expected] of [
        [new SqlError("full", "database or disk is full"), StoreFullError],
        [new SqlError("io", "disk I/O error"), StoreError],
      ] as const
    ) {
      failure = error;
      const compacting = store.compact();
      const writing = store.update("k", "a", (n) => Number(n) + 1);
      await assertRejects(() => compacting, expected, "Cannot compact: ");
      await writing;
    }
    assertEquals(await store.get("k", "a"), 3);
    failure = undefined;
    await store.compact();
    assertEquals(await store.verify(), []);
  },
);

const noSmallDisk = await whyNoSmallDisk();
for (const driver of drivers) {
  const test = noSmallDisk === undefined ? driver.test : Deno.test.ignore;
  test(`a disk that is too full to compact loses nothing [${driver.name}]`, async () => {
    await using disk = await smallDisk(24 * MB);
    await using store = await openOn(driver, { path: disk.file("app.db") });
    await store.setAll(
      "big",
      Array.from({ length: 2_000 }, (_, i) => [`${i}`, TEXT]),
    );
    await store.compact();
    const contents = await contentsOf(store);
    await disk.fill();
    // The write-ahead log has room for a part of the pages.
    const ballast = disk.file("ballast");
    await Deno.truncate(ballast, (await Deno.stat(ballast)).size - MB);
    await assertRejects(() => store.compact(), StoreFullError, "free some");
    // It has left nothing that takes the room.
    await assertLogIsEmpty(store);
    assertEquals(await contentsOf(store), contents);
    await store.set("k", "a", 0);
    await disk.free();
    await store.set("k", "a", 1);
    await store.compact();
    assertEquals(await store.verify(), []);
    assertEquals(await store.count("big"), 2_000);
  });
}

testOnEachDriver("`compact()` fails if it cannot work", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  const store = await openOn(driver, { path });
  await store.set("k", "a", 1);
  await assertRejects(
    () => store.compact({ sginal: undefined } as never),
    TypeError,
    'Cannot compact: unknown option "sginal"',
  );
  {
    await using reader = await openOn(driver, { path: `file:${path}?mode=ro` });
    await assertRejects(
      () => reader.compact(),
      StoreReadOnlyError,
      "Cannot compact: the store was opened read-only",
    );
  }
  await Deno.rename(path, dir.file("moved.db"));
  await assertRejects(
    () => store.compact(),
    StoreError,
    "no longer at its path",
  );
  await Deno.rename(dir.file("moved.db"), path);
  await store.compact();
  await store.close();
  await assertRejects(() => store.compact(), StoreClosedError);
});

Deno.test("without every permission the builtin driver does not compact, and says so", async () => {
  await using dir = await tempDir();
  const program = `
    await using store = await zestor.openStore({ path: "app.db" });
    await store.set("k", "a", 1);
    console.log(await store.compact().catch((error) => error.message));
    console.log(await store.set("k", "a", 2).then(({ status }) => status));
  `;
  const { stdout, stderr } = await runChild(dir.path, program, {
    permissions: ["--allow-read", "--allow-write"],
  });
  assertEquals(stderr, "");
  const [message, status] = stdout.split("\n");
  assertStringIncludes(message, "Cannot compact: Deno lets node:sqlite");
  assertStringIncludes(message, "--allow-all");
  assertEquals(status, "updated");
});
