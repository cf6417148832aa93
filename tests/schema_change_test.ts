/**
 * Others change the tables and triggers of a file while stores have it open:
 * every write is logged or refused, and no watch stays silent.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type SqliteStore,
  StoreError,
  StoreReadOnlyError,
  type WatchEvent,
  WatchOverflowError,
} from "../mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { TRIGGER_SQL } from "../src/sqlite/format/triggers.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { SPLIT_REPLACES } from "./support/earlier_triggers.ts";
import { tempDir } from "./support/temp_dir.ts";

/** What tools do when they change a table: its triggers go with it. */
const REBUILD = `BEGIN;
  CREATE TABLE anew (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')),
    revision INTEGER NOT NULL DEFAULT 0, expires_at INTEGER,
    PRIMARY KEY (kind, key));
  INSERT INTO anew SELECT * FROM zestor_kv;
  DROP TABLE zestor_kv;
  ALTER TABLE anew RENAME TO zestor_kv;
  COMMIT;`;

/** A tool that knows the columns of format 1 alone. */
const REBUILD_AS_OF_FORMAT_1 = REBUILD
  .replace("revision INTEGER NOT NULL DEFAULT 0, expires_at INTEGER,", "")
  .replace(
    "SELECT * FROM",
    "SELECT kind, key, value, version, updated_at FROM",
  );

/** The triggers that a rebuilt table lacks, as a careful tool restores them. */
const RESTORED = TRIGGER_SQL.values()
  .filter((sql) => sql.includes(" ON zestor_kv\n")).toArray().join(";\n");

/** Changes after which the log cannot be relied on. */
const BREAKS: Record<string, string> = {
  "a dropped trigger": "DROP TRIGGER zestor_insert",
  "a changed trigger":
    "DROP TRIGGER zestor_update; CREATE TRIGGER zestor_update AFTER UPDATE ON zestor_kv BEGIN SELECT 1; END",
  "a trigger that was dropped for a while": `DROP TRIGGER zestor_insert;
    INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'untold', 1);
    ${TRIGGER_SQL.get("zestor_insert")}`,
  "a rebuilt table": REBUILD,
  "a table rebuilt as of format 1": REBUILD_AS_OF_FORMAT_1,
  "a rebuilt table with its triggers": REBUILD + RESTORED,
  "a dropped log": "DROP TABLE zestor_changes",
  "a dropped table of notes": "DROP TABLE zestor_replaced",
  "a dropped memory of the codecs":
    "DROP TABLE zestor_meta; DROP TRIGGER zestor_delete",
  "an emptied log, and its memory":
    "DELETE FROM zestor_changes; DELETE FROM sqlite_sequence; CREATE TABLE other (x)",
};

/** Changes after which a file is no store's that this code can write. */
const ENDS: Record<string, readonly [sql: string, message: string]> = {
  "another column": [
    "ALTER TABLE zestor_kv ADD COLUMN note TEXT",
    "a zestor_kv of another shape",
  ],
  "a newer format": [
    "UPDATE zestor_meta SET value = '99' WHERE name = 'format'; CREATE TABLE newer (x)",
    "the file's format is 99",
  ],
  "another codec": [
    "UPDATE zestor_meta SET value = 'yaml' WHERE name = 'codec'; CREATE TABLE newer (x)",
    'encoded with the codec "yaml"',
  ],
  "a view in place of the log": [
    "DROP TABLE zestor_changes; CREATE VIEW zestor_changes AS SELECT 1 AS revision",
    "a zestor_changes of another shape: it is not an ordinary table",
  ],
};

interface Opened extends AsyncDisposable {
  readonly store: SqliteStore;
  readonly db: Connection;
}

async function openWith(
  driver: TestDriver,
  path: string,
  wal = true,
): Promise<Opened> {
  const store = await openOn(driver, { path, wal, durability: "normal" });
  await store.set("k", "a", 1);
  await store.set("k", "a", 2);
  const db = await connect(driver, fileAt(path));
  return {
    store,
    db,
    async [Symbol.asyncDispose]() {
      db.close();
      await store.close();
    },
  };
}

/** Asserts that a store logs and tells what it writes. */
async function assertTells(store: SqliteStore, key: string): Promise<void> {
  const events = store.watch("k").getReader();
  const next = events.read();
  const { status, revision } = await store.set("k", key, 9);
  assertEquals(status, "created");
  const { value } = await next;
  assertEquals(value?.key, key);
  assertEquals(value?.revision, revision);
  await events.cancel();
}

for (const [what, sql] of Object.entries(BREAKS)) {
  testOnEachDriver(`a write after ${what} is logged`, async (driver) => {
    await using dir = await tempDir();
    await using opened = await openWith(driver, dir.file("app.db"));
    const { store, db } = opened;
    db.exec(sql);
    const { status, version, revision } = await store.set("k", "a", 3);
    assertEquals({ status, version }, { status: "updated", version: 3 });
    assert(revision > 3, "the log begins anew at a later revision");
    const resumed = store.watch("k", { after: 2 }).getReader();
    const error = await assertRejects(() => resumed.read(), WatchOverflowError);
    // The log that was broken is gone, and the new one does not reach so far.
    assertEquals(error.reason, "pruned");
    await assertTells(store, "b");
    assertEquals(await store.verify(), []);
  });

  testOnEachDriver(
    `a watch ends after ${what}, also if only others write`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using opened = await openWith(driver, path, false);
      await using reading = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      const watches = [opened.store, reading].map((store) =>
        store.watch("k").getReader().read()
      );
      const ended = Promise.all(
        watches.map((next) => assertRejects(() => next, WatchOverflowError)),
      );
      opened.db.exec(sql);
      const [writing, read] = await ended;
      assertEquals(writing.reason, "broken");
      // The store that may write has brought the file back, or does so now. If
      // it was first, all that is left to see is a log that begins later.
      assert(["broken", "pruned"].includes(read.reason), read.reason);
      await assertTells(opened.store, "b");
      const again = reading.watch("k").getReader();
      const next = again.read();
      await opened.store.set("k", "c", 1);
      assertEquals((await next).value?.key, "c");
      await again.cancel();
    },
  );
}

testOnEachDriver(
  "all watches of a store get the error that the log is broken",
  async (driver) => {
    await using dir = await tempDir();
    await using opened = await openWith(driver, dir.file("app.db"));
    const { store, db } = opened;
    const watches = ["k", "k", "other"]
      .map((kind) => store.watch(kind).getReader());
    const ended = Promise.all(
      watches.map((watch) =>
        assertRejects(() => watch.read(), WatchOverflowError)
      ),
    );
    // Each of them reads the log in this turn of the event loop.
    db.exec(BREAKS["a dropped log"]);
    for (const { reason } of await ended) assertEquals(reason, "broken");
    await assertTells(store, "b");
  },
);

for (const [what, [sql, message]] of Object.entries(ENDS)) {
  testOnEachDriver(`a write after ${what} is refused`, async (driver) => {
    await using dir = await tempDir();
    await using opened = await openWith(driver, dir.file("app.db"), false);
    const { store, db } = opened;
    const watch = store.watch("k").getReader();
    const ended = assertRejects(() => watch.read(), WatchOverflowError);
    db.exec(sql);
    await ended;
    for (
      const write of [
        () => store.set("k", "a", 3),
        () => store.delete("k", "a"),
      ]
    ) {
      const error = await assertRejects(write, StoreError, message);
      assertEquals(error.code, "STORAGE");
    }
    // It is told again to whoever watches, and nothing was written.
    const again = store.watch("k").getReader();
    await assertRejects(() => again.read(), StoreError, message);
    assertEquals(
      db.prepare("SELECT CAST(value AS TEXT) AS value FROM zestor_kv").all(),
      [{ value: "2" }],
    );
  });
}

testOnEachDriver(
  "a store that only reads says that it cannot watch a file without a log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using opened = await openWith(driver, path);
    await opened.store.close();
    await using reading = await openOn(driver, {
      path: `file:${path}?mode=ro`,
    });
    const watch = reading.watch("k").getReader();
    const ended = assertRejects(() => watch.read(), WatchOverflowError);
    opened.db.exec("DROP TRIGGER zestor_delete");
    await ended;
    const error = await assertRejects(
      async () => await reading.watch("k").getReader().read(),
      StoreReadOnlyError,
    );
    assertEquals(error.code, "READ_ONLY");
    // Once another store has brought it back, it can.
    await using writing = await openOn(driver, { path });
    const next = reading.watch("k").getReader().read();
    await writing.set("k", "b", 1);
    assertEquals((await next).value?.key, "b");
  },
);

testOnEachDriver(
  "two stores that notice a dropped trigger begin the log anew once",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using opened = await openWith(driver, path);
    await using other = await openOn(driver, { path });
    opened.db.exec("DROP TRIGGER zestor_replace");
    const [first, second] = await Promise.all([
      opened.store.set("k", "b", 1),
      other.set("k", "c", 1),
    ]);
    // 2, then one for the gap.
    assertEquals(
      [first.revision, second.revision].toSorted((a, b) => a - b),
      [4, 5],
    );
    assertEquals((await other.info()).log, { oldest: 4, newest: 5, count: 2 });
  },
);

testOnEachDriver(
  "a change of others that harms nothing ends no watch",
  async (driver) => {
    await using dir = await tempDir();
    await using opened = await openWith(driver, dir.file("app.db"));
    const { store, db } = opened;
    const watch = store.watch("k", { after: 0 }).getReader();
    const keys: unknown[] = [];
    const next = async () => keys.push((await watch.read()).value?.revision);
    await next();
    await next();
    for (
      const sql of [
        "CREATE TABLE other (x)",
        "CREATE INDEX by_kind ON zestor_kv (kind)",
        "VACUUM",
        "ANALYZE",
        "DROP TABLE other",
      ]
    ) {
      db.exec(sql);
      await store.set("k", "a", sql);
      await next();
    }
    assertEquals(keys, [1, 2, 3, 4, 5, 6, 7]);
    await watch.cancel();
  },
);

testOnEachDriver(
  "a file with the triggers of an earlier version keeps its log, and gets the new ones",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using opened = await openWith(driver, path);
      for (const name of TRIGGER_SQL.keys()) {
        opened.db.exec(`DROP TRIGGER ${name}`);
      }
      opened.db.exec(SPLIT_REPLACES);
      // Read as it is, by whoever may not write.
      await using reading = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      assertEquals(await reading.verify(), []);
      const old = reading.watch("k", { after: 1 }).getReader();
      assertEquals((await old.read()).value?.revision, 2);
      await old.cancel();
    }
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 3);
    const events: WatchEvent[] = [];
    for await (const event of store.watch("k", { after: 0 })) {
      events.push(event);
      if (events.length === 3) break;
    }
    assertEquals(events.map(({ revision }) => revision), [1, 2, 3]);
    using db = await connect(driver, fileAt(path));
    db.exec(`PRAGMA recursive_triggers = ON;
      REPLACE INTO zestor_kv (kind, key, value) VALUES ('k', 'a', '4')`);
    const { type, version } = db.prepare(
      "SELECT type, version FROM zestor_changes ORDER BY revision DESC",
    ).get()!;
    assertEquals({ type, version }, { type: "update", version: 4 });
  },
);
