/**
 * Files of format 1, and of none: brought to the newest format in place, or read as they
 * are; and programs that knew them before.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { SqliteStore, WatchEvent } from "../mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { FORMAT, TABLES } from "../src/sqlite/format/tables.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { FORMAT_1, SPLIT_REPLACES } from "./support/earlier_triggers.ts";
import { createFormat1File, format1Writes } from "./support/format_1_file.ts";
import { createGoFile } from "./support/go_file.ts";
import { tempDir } from "./support/temp_dir.ts";

const ENTRIES =
  "SELECT key, version, revision, expires_at FROM zestor_kv ORDER BY key";

/** What the log tells past a revision, in few words. */
function changesPast(db: Connection, revision: number): string[] {
  return db.prepare(
    "SELECT * FROM zestor_changes WHERE revision > ? ORDER BY revision",
  ).all(revision).map(({ type, key, version, expires_at }) =>
    `${type} ${key}@${version} ${expires_at}`
  );
}

async function take(
  store: SqliteStore,
  after: number,
  count: number,
): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of store.watch("k", { after })) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

for (
  const [version, triggers] of Object.entries({ FORMAT_1, SPLIT_REPLACES })
) {
  testOnEachDriver(
    `a file with the triggers ${version} is brought to the newest format, with its log`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await createFormat1File(driver, path, triggers);
      await using store = await openOn(driver, { path });
      assertEquals(await store.list("k"), new Map([["a", 2], ["b", 1]]));
      assertEquals((await store.info()).format, FORMAT);
      const events = await take(store, 0, 5);
      assertEquals(events.map(({ revision }) => revision), [1, 2, 3, 4, 5]);
      assertEquals((await store.set("k", "a", 3)).revision, 6);
      assertEquals(await store.verify(), []);

      using db = await connect(driver, fileAt(path));
      assertEquals(db.prepare(ENTRIES).all(), [
        { key: "a", version: 3, revision: 6, expires_at: null },
        { key: "b", version: 1, revision: 5, expires_at: null },
      ]);
      const [before, after] = db.prepare(
        "SELECT * FROM zestor_changes WHERE revision >= 5 ORDER BY revision",
      ).all();
      assertEquals([before.mark, before.time], [null, null]);
      assertEquals(after.previous_revision, 5);
      assert(Number.isSafeInteger(after.mark));
    },
  );
}

testOnEachDriver(
  "a file that was brought to the newest format has the schema of a new one",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createFormat1File(driver, path);
    await (await openOn(driver, { path })).close();
    using db = await connect(driver, fileAt(path));
    using fresh = await connect(driver);
    upgradeFile(fresh, inspectFile(fresh), new Map());
    const schemaOf = (db: Connection) =>
      db.prepare(
        `SELECT name, sql FROM sqlite_master WHERE name <> 'zestor_kv'
        ORDER BY name`,
      ).all();
    assertEquals(schemaOf(db), schemaOf(fresh));
    const columnsOf = (db: Connection) =>
      db.prepare("PRAGMA table_info(zestor_kv)").all()
        .map(({ name, type, notnull, pk }) => ({ name, type, notnull, pk }));
    assertEquals(columnsOf(db), columnsOf(fresh));
    assertEquals(
      schemaOf(fresh).find(({ name }) => name === "zestor_changes")?.sql,
      TABLES.zestor_changes,
    );
  },
);

testOnEachDriver(
  "the time of an upgrade to the newest format does not depend on the entries",
  async (driver) => {
    const make = {
      "format 1": `${FORMAT_1}`,
      "no format": "",
    };
    for (const [what, triggers] of Object.entries(make)) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      if (triggers) await createFormat1File(driver, path);
      else await createGoFile(driver, path);
      using db = await connect(driver, fileAt(path));
      db.exec(`WITH RECURSIVE n (i) AS (
          SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
        INSERT INTO zestor_kv (kind, key, value, updated_at)
          SELECT 'k', printf('key%05d', i), zeroblob(100), '' FROM n`);
      const changesOf = () =>
        db.prepare("SELECT total_changes() AS n").get()!.n as number;
      const before = changesOf();
      upgradeFile(db, inspectFile(db), new Map());
      assertLess(changesOf() - before, 100, what);
      const revisions = db.prepare(
        "SELECT DISTINCT revision FROM zestor_kv",
      ).all();
      assertEquals(revisions, [{ revision: triggers ? 5005 : 1 }], what);
    }
  },
);

testOnEachDriver(
  "the log of a file of format 1 that cannot be relied on begins anew",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createFormat1File(driver, path);
    {
      using db = await connect(driver, fileAt(path));
      db.exec("DROP TRIGGER zestor_update");
      format1Writes(db).update("k", "a", "3");
    }
    await using store = await openOn(driver, { path });
    assertEquals((await store.info()).log, { oldest: 7, newest: 6, count: 0 });
    assertEquals(await store.get("k", "a"), 3);
    assertEquals(await store.verify(), []);
    using db = await connect(driver, fileAt(path));
    assertEquals(db.prepare(ENTRIES).all().map(({ revision }) => revision), [
      6,
      6,
    ]);
  },
);

testOnEachDriver(
  "a log that begins anew has another mark, and gives the entries its revision",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    await store.set("k", "b", 1);
    using db = await connect(driver, fileAt(path));
    const mark = () =>
      db.prepare("SELECT value FROM zestor_meta WHERE name = 'mark'").get()!
        .value as string;
    const first = mark();
    assertMatch(first, /^\d{1,15}$/);
    db.exec("CREATE TABLE other (x)");
    await store.set("k", "a", 2);
    assertEquals(mark(), first);
    db.exec("DROP TRIGGER zestor_update; UPDATE zestor_kv SET value = 3");
    await store.set("k", "b", 4);
    assert(mark() !== first);
    assertEquals(db.prepare(ENTRIES).all(), [
      { key: "a", version: 2, revision: 4, expires_at: null },
      { key: "b", version: 2, revision: 5, expires_at: null },
    ]);
    assertEquals(await store.verify(), []);
  },
);

testOnEachDriver(
  "an index of expiry that was dropped or changed is made again",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path })).close();
    const DROP = "DROP INDEX zestor_expiry";
    using db = await connect(driver, fileAt(path));
    const sqlOf = () =>
      db.prepare("SELECT sql FROM sqlite_master WHERE name = 'zestor_expiry'")
        .get()?.sql;
    const original = sqlOf();
    assertMatch(String(original), /WHERE expires_at IS NOT NULL$/);
    for (
      const sql of [
        DROP,
        `${DROP}; CREATE INDEX zestor_expiry ON zestor_kv (updated_at)`,
      ]
    ) {
      // At the next opening.
      db.exec(sql);
      await using store = await openOn(driver, { path });
      assertEquals(sqlOf(), original);
      await store.set("k", "a", 1);
      // With the next write.
      db.exec(sql);
      await store.set("k", "a", 2);
      assertEquals(sqlOf(), original);
      await store.delete("k", "a");
    }
    await using store = await openOn(driver, { path });
    assertEquals((await take(store, 0, 6)).length, 6);
    assertEquals(await store.verify(), []);
  },
);

// Programs that were there before.

testOnEachDriver(
  "a program of format 1 goes on while its file is brought to the newest format",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createFormat1File(driver, path);
    using db = await connect(driver, fileAt(path));
    const { insert, update, remove } = format1Writes(db);
    update("k", "b", "2");
    await using store = await openOn(driver, { path });
    update("k", "a", "3");
    insert("k", "d", "1");
    remove("k", "b");
    assertEquals(changesPast(db, 6), [
      "update a@3 null",
      "create d@1 null",
      "delete b@2 null",
    ]);
    assertEquals(
      (await take(store, 5, 4)).map(({ type, key }) => `${type} ${key}`),
      ["update b", "update a", "create d", "delete b"],
    );
    // What it writes does not vanish.
    db.exec("UPDATE zestor_kv SET expires_at = 4000000000000");
    update("k", "d", "2");
    assertEquals(db.prepare(ENTRIES).all(), [
      { key: "a", version: 4, revision: 10, expires_at: 4_000_000_000_000 },
      { key: "d", version: 3, revision: 12, expires_at: null },
    ]);
    assertEquals(await store.verify(), []);
  },
);

testOnEachDriver(
  "the Go store's statements go on on a file of the newest format",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createGoFile(driver, path);
    using db = await connect(driver, fileAt(path));
    const now = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";
    const insert = db.prepare(
      "INSERT INTO zestor_kv(kind,key,value,updated_at) VALUES(?,?,?,'2024-01-01T00:00:00.000Z') ON CONFLICT(kind,key) DO NOTHING;",
    );
    const update = db.prepare(
      `UPDATE zestor_kv SET value=?, version=version+1, updated_at=${now} WHERE kind=? AND key=?;`,
    );
    const upsert = db.prepare(
      `INSERT INTO zestor_kv(kind,key,value,updated_at) VALUES(?,?,?,${now})
     ON CONFLICT(kind,key) DO UPDATE SET
       value      = excluded.value,
       version    = zestor_kv.version + 1,
       updated_at = ${now};`,
    );
    const remove = db.prepare("DELETE FROM zestor_kv WHERE kind=? AND key=?;");
    await using store = await openOn(driver, { path });
    const bytes = (text: string) => new TextEncoder().encode(text);
    upsert.run("k", "b", bytes("1"));
    db.exec("UPDATE zestor_kv SET expires_at = 4000000000000");
    upsert.run("k", "a", bytes("2"));
    insert.run("k", "b", bytes("2"));
    update.run(bytes("2"), "k", "b");
    remove.run("k", "b");
    assertEquals(changesPast(db, 1), [
      "create b@1 null",
      "update a@4 4000000000000",
      "update b@2 4000000000000",
      "update a@5 null",
      "update b@3 null",
      "delete b@3 null",
    ]);
    assertEquals(await store.get("k", "a"), 2);
    assertEquals(await store.verify(), []);
  },
);

// Files that may only be read.

interface ReadOnlyFile {
  create(driver: TestDriver, path: string): Promise<void>;
  readonly entries: [string, unknown][];
  readonly format: number;
  readonly revisions: number[];
}

const READ_ONLY: Record<string, ReadOnlyFile> = {
  "format 1": {
    create: createFormat1File,
    entries: [["a", 2], ["b", 1]],
    format: 1,
    revisions: [1, 2, 3, 4, 5],
  },
  "no format": {
    create: createGoFile,
    entries: [["a", 1]],
    format: 0,
    revisions: [],
  },
};

for (const [what, file] of Object.entries(READ_ONLY)) {
  testOnEachDriver(
    `a file of ${what} that is opened only to read is not changed`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await file.create(driver, path);
      const before = await Deno.readFile(path);
      {
        await using store = await openOn(driver, {
          path: `file:${path}?mode=ro`,
        });
        await assertReads(store, file);
        assertEquals((await store.info()).format, file.format);
        const events = file.revisions.length > 0
          ? await take(store, 0, file.revisions.length)
          : [];
        assertEquals(
          events.map(({ revision }) => revision),
          file.revisions,
        );
      }
      assertEquals(await Deno.readFile(path), before);
    },
  );

  testOnEachDriver(
    `a store that reads a file of ${what} goes on when another one brings it to the newest format`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await file.create(driver, path);
      await using reading = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      await assertReads(reading, file);
      await using writing = await openOn(driver, { path });
      await writing.set("k", "new", 1);
      await assertReads(reading, {
        ...file,
        entries: [...file.entries, ["new", 1]],
      });
      assertEquals((await reading.info()).format, FORMAT);
      const next = reading.watch("k").getReader().read();
      await writing.delete("k", "new");
      assertEquals((await next).value?.key, "new");
    },
  );
}

/** Reads by everything that reads. */
async function assertReads(
  store: SqliteStore,
  { entries }: Pick<ReadOnlyFile, "entries">,
): Promise<void> {
  assertEquals([...await store.list("k")], entries);
  const keys = entries.map(([key]) => key);
  assertEquals(await store.keys("k"), keys);
  assertEquals(await store.count("k"), keys.length);
  assertEquals(await store.kinds(), ["k"]);
  const [[key, value]] = entries;
  assertEquals(await store.get("k", key), value);
  assertEquals((await store.entry("k", key))?.value, value);
  const exported = await new Response(store.export()).text();
  assertEquals(exported.trim().split("\n").length, entries.length);
  assertEquals(await store.verify(), []);
  const { kinds } = await store.info();
  assertEquals(kinds, [{ kind: "k", count: keys.length }]);
}
