/**
 * Watches on a file: pruning, windows of the log, replay by undo, and other
 * connections. What every store promises of watches is in the conformance
 * suite.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  type AnyKinds,
  CodecError,
  openStore,
  type Store,
  type WatchBookmark,
  type WatchEvent,
  type WatchOptions,
  WatchOverflowError,
} from "../mod.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { connect, fileAt } from "./support/connect.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { tempDir } from "./support/temp_dir.ts";

type Item = WatchEvent | WatchBookmark;

/** A watch that a test reads one item at a time. */
function reader(
  store: Store<AnyKinds>,
  kind: string,
  options?: WatchOptions,
): { next(): Promise<Item>; cancel(): Promise<void> } {
  const items = store.watch(kind, options).getReader();
  return {
    async next() {
      const { value, done } = await items.read();
      assert(!done, "the stream has ended");
      return value;
    },
    cancel: () => items.cancel(),
  };
}

async function countChanges(
  driver: TestDriver,
  path: string,
): Promise<{ count: number; oldest: number }> {
  using database = await connect(driver, fileAt(path));
  const row = database.prepare(
    "SELECT count(*) AS count, min(revision) AS oldest FROM zestor_changes",
  ).get();
  return row as { count: number; oldest: number };
}

testOnEachDriver("the log is pruned to `history`", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path, history: 20 });
  for (let i = 1; i <= 100; i++) await store.set("k", "a", i);
  const { count, oldest } = await countChanges(driver, path);
  // It is pruned by tenths of the history.
  assert(count >= 20 && count < 20 + 2, `${count} changes`);
  assertEquals(oldest, 100 - count + 1);

  const resumed = reader(store, "k", { after: oldest - 1 });
  assertEquals((await resumed.next() as WatchEvent).value, oldest);
  await resumed.cancel();
  const error = await assertRejects(
    () => reader(store, "k", { after: oldest - 2 }).next(),
    WatchOverflowError,
    `begins at ${oldest}`,
  );
  assertEquals(error.code, "WATCH_OVERFLOW");
});

testOnEachDriver(
  "a write of more than `history` changes keeps them for watches",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, history: 10 });
    const watch = reader(store, "k");
    const keys = Array.from({ length: 500 }, (_, i) => `${i}`).sort();
    await store.setAll("k", keys.map((key) => [key, key]));
    for (const key of keys) {
      assertEquals((await watch.next() as WatchEvent).key, key);
    }
    // The next write may prune them, and soon has.
    await store.set("k", "a", 1);
    assertLess((await countChanges(driver, path)).count, 12);
    assertEquals((await watch.next() as WatchEvent).key, "a");
    await watch.cancel();
  },
);

testOnEachDriver("pruning takes a bounded slice at a time", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, {
    path,
    history: 10,
    durability: "normal",
  });
  await store.setAll("k", Array.from({ length: 5_000 }, (_, i) => [`${i}`, i]));
  const counts = [(await countChanges(driver, path)).count];
  while (counts.at(-1)! > 100) {
    await store.set("k", "a", counts.length);
    counts.push((await countChanges(driver, path)).count);
  }
  assertEquals(counts.slice(0, 3), [5_000, 4_001, 3_002]);
});

testOnEachDriver(
  "a watcher of a quiet kind crosses a busy log in windows",
  async ({ name }) => {
    await using dir = await tempDir();
    let mostRows = 0;
    let reads = 0;
    const driver = await instrumentedDriver(name, (sql, params) => {
      if (!/FROM zestor_changes\s+WHERE revision > \?/.test(sql)) return;
      reads++;
      mostRows = Math.max(mostRows, Number(params[1]) - Number(params[0]));
    });
    await using store = await openStore({
      path: dir.file("app.db"),
      driver,
      durability: "normal",
      history: 100_000,
    });
    const start = await store.set("quiet", "a", 1);
    await store.setAll(
      "busy",
      Array.from({ length: 35_000 }, (_, i) => [`${i}`, i]),
    );
    await store.set("quiet", "b", 2);
    const watch = reader(store, "quiet", { after: start.revision });
    assertEquals((await watch.next() as WatchEvent).key, "b");
    assertEquals(mostRows, 10_000);
    assertEquals(reads, 4);
    // It does not read them again.
    reads = 0;
    await store.set("quiet", "c", 3);
    assertEquals((await watch.next() as WatchEvent).key, "c");
    assertLess(reads, 3);
    await watch.cancel();
  },
);

testOnEachDriver(
  "a watcher that is not read keeps no transaction open",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.setAll("k", { a: 1, b: 2, c: 3 });
    const watch = reader(store, "k", { initial: true, bufferSize: 1 });
    assertEquals((await watch.next() as WatchEvent).key, "a");
    const other = await connect(driver, fileAt(path));
    // 0: the checkpoint was not kept from finishing.
    const { busy } = other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()!;
    other.close();
    assertEquals(busy, 0);
    assertEquals((await watch.next() as WatchEvent).key, "b");
    await watch.cancel();
  },
);

testOnEachDriver(
  "W4 a replay is unaffected by changes while it is read",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await store.setAll("k", { b: "b", d: "d", f: "f", h: "h", j: "j" });
    await store.set("k", "d", "d2");
    const watch = reader(store, "k", {
      initial: true,
      bufferSize: 1,
      bookmarks: true,
    });
    const shown: string[] = [];
    const show = async () => {
      const item = await watch.next();
      shown.push(
        item.type === "bookmark"
          ? `bookmark ${item.revision}`
          : `${item.type} ${item.key}=${item.value} v${item.version}`,
      );
    };
    await show();
    // Behind, at, and ahead of the cursor: each kind of change.
    await store.set("k", "a", "new");
    await store.set("k", "b", "b2");
    await store.delete("k", "d");
    await store.set("k", "e", "new");
    await show();
    await store.set("k", "d", "again");
    await store.set("k", "f", "f2");
    await store.delete("k", "f");
    await store.delete("k", "e");
    await store.set("k", "h", "h2");
    await store.set("k", "h", "h3");
    await store.delete("k", "j");
    await store.set("k", "z", "new");
    for (let i = 0; i < 16; i++) await show();
    assertEquals(shown, [
      "create b=b v1",
      "create d=d2 v2",
      "create f=f v1",
      "create h=h v1",
      "create j=j v1",
      "bookmark 6",
      "create a=new v1",
      "update b=b2 v2",
      "delete d=d2 v2",
      "create e=new v1",
      "create d=again v1",
      "update f=f2 v2",
      "delete f=f2 v2",
      "delete e=new v1",
      "update h=h2 v2",
      "update h=h3 v3",
      "delete j=j v1",
      "create z=new v1",
    ]);
    await watch.cancel();
  },
);

testOnEachDriver(
  "W3 a replay that the log no longer reaches errors",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, {
      path: dir.file("app.db"),
      history: 5,
    });
    await store.setAll("k", { a: 1, b: 2, c: 3 });
    const watch = reader(store, "k", { initial: true, bufferSize: 1 });
    await watch.next();
    for (let i = 0; i < 50; i++) await store.set("other", "x", i);
    await assertRejects(() => watch.next(), WatchOverflowError);
  },
);

testOnEachDriver(
  "a watch sees the writes of other connections, plain SQL too",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using readOnly = await openOn(driver, {
      path: `file:${path}?mode=ro`,
    });
    const watches = [reader(store, "k"), reader(readOnly, "k")];
    const waiting = watches.map((watch) => watch.next());
    const other = await connect(driver, fileAt(path));
    other.exec(
      `INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', '{"n":1}')`,
    );
    other.close();
    const events = await Promise.all(waiting);
    const [{ cursor }] = events;
    for (const event of events) {
      assertEquals(event, {
        type: "create",
        kind: "k",
        key: "a",
        value: { n: 1 },
        version: 1,
        revision: 1,
        cursor,
      });
    }
    for (const watch of watches) await watch.cancel();
  },
);

testOnEachDriver(
  "W3 a commit of another between two reads of the log does not overflow",
  async (testDriver) => {
    const { name } = testDriver;
    // Four to find that there is nothing, then the look before it sleeps.
    for (let nth = 1; nth <= 5; nth++) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await (await openStore({ path, driver: name })).close();
      using other = await connect(testDriver, fileAt(path));
      let isOpen = false;
      let reads = 0;
      const driver = await instrumentedDriver(name, (sql) => {
        if (!isOpen || !sql.includes("zestor_changes")) return;
        if (++reads !== nth) return;
        other.exec(
          "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', '1')",
        );
      });
      await using store = await openStore({ path, driver });
      isOpen = true;
      const watch = reader(store, "k", { after: 0 });
      const next = watch.next();
      assertEquals((await next as WatchEvent).revision, 1);
      await watch.cancel();
    }
  },
);

testOnEachDriver(
  "a value that cannot be decoded errors the watch, with kind and key",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const watch = reader(store, "k");
    const next = watch.next();
    const other = await connect(driver, fileAt(path));
    other.exec(
      "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', 'no JSON')",
    );
    other.close();
    await assertRejects(() => next, CodecError, '"k"/"a"');
  },
);

testOnEachDriver("idle watches leave no timer behind", async (driver) => {
  // Deno's sanitizers are what fails this test.
  await using store = await openOn(driver, { path: ":memory:" });
  const controller = new AbortController();
  const watches = Array.from(
    { length: 100 },
    () => store.watch("k", { signal: controller.signal }).getReader(),
  );
  const reads = watches.map((watch) => watch.read());
  await store.set("k", "a", 1);
  for (const { value } of await Promise.all(reads)) {
    assertStrictEquals((value as WatchEvent).key, "a");
  }
  const ends = watches.map((watch) => watch.read());
  controller.abort();
  for (const { done } of await Promise.all(ends)) assert(done);
});
