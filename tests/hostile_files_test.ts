/**
 * Files that somebody made to do harm to whoever opens them, and files with
 * names that a store might want for itself.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore, StoreOpenError } from "../mod.ts";
import type { Connection, Driver } from "../src/sqlite/driver/driver.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

// A rollback journal that names another file (https://sqlite.org/fileformat2.html#the_rollback_journal).

const MAGIC = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const SECTOR = 512;

/** A journal that SQLite takes for one of an interrupted transaction on several files. */
function journalNaming(victim: string, pages: number): Uint8Array {
  const name = new TextEncoder().encode(victim);
  const journal = new Uint8Array(SECTOR + 4 + name.length + 16);
  const view = new DataView(journal.buffer);
  journal.set(MAGIC);
  view.setUint32(16, pages);
  view.setUint32(20, SECTOR);
  view.setUint32(24, 4096);
  let at = SECTOR;
  // The page of the locks, which none has content on.
  view.setUint32(at, 2 ** 30 / 4096 + 1);
  journal.set(name, at += 4);
  view.setUint32(at += name.length, name.length);
  view.setUint32(at += 4, name.reduce((sum, byte) => sum + byte, 0));
  journal.set(MAGIC, at + 4);
  return journal;
}

async function writeFilled(
  driver: TestDriver,
  path: string,
  wal: boolean,
): Promise<void> {
  await using store = await openOn(driver, { path, wal });
  await store.set("k", "a", 1);
}

for (const wal of [true, false]) {
  testOnEachDriver(
    `a file whose journal names another file is not opened, wal: ${wal}`,
    async (driver) => {
      await using dir = await tempDir();
      const [path, victim] = [dir.file("app.db"), dir.file("victim")];
      await writeFilled(driver, path, wal);
      const content = new Uint8Array(1000).fill(65);
      await Deno.writeFile(victim, content);
      const { size } = await Deno.stat(path);
      const journal = journalNaming(victim, size / 4096);
      await Deno.writeFile(`${path}-journal`, journal);
      const link = dir.file("link.db");
      await Deno.symlink(path, link);
      for (const form of [path, `file:${path}?mode=ro`, link]) {
        const error = await assertRejects(
          () => openOn(driver, { path: form, wal }),
          StoreOpenError,
          `${path}-journal names another file`,
        );
        assertStringIncludes(error.message, "remove the journal");
        assertEquals(await Deno.readFile(victim), content);
        assertEquals(await Deno.readFile(`${path}-journal`), journal);
      }
      await Deno.remove(`${path}-journal`);
      await using store = await openOn(driver, { path, wal });
      assertEquals(await store.get("k", "a"), 1);
    },
  );
}

testOnEachDriver(
  "an export does not read through a journal that names another file",
  async (driver) => {
    await using dir = await tempDir();
    const [path, victim] = [dir.file("app.db"), dir.file("victim")];
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    await Deno.writeTextFile(victim, "A");
    await Deno.writeFile(`${path}-journal`, journalNaming(victim, 1));
    await assertRejects(
      () => new Response(store.export()).text(),
      StoreOpenError,
      "names another file",
    );
    assertEquals(await Deno.readTextFile(victim), "A");
    await Deno.remove(`${path}-journal`);
  },
);

testOnEachDriver(
  "a journal of the file's own is rolled back",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeFilled(driver, path, false);
    // A journal of no page: there is nothing to bring back.
    const journal = journalNaming("", 1).subarray(0, SECTOR);
    await Deno.writeFile(`${path}-journal`, journal.with(19, 0));
    await using store = await openOn(driver, { path, wal: false });
    assertEquals(typeof store.driver, "string");
  },
);

// Names that lead elsewhere.

/** Long enough to be noticed, and not for ever, so that a failure ends. */
const ENDLESS =
  "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000000)";
const VIEW_OF = (columns: string) => `AS ${ENDLESS} SELECT ${columns} FROM n`;
const REWRITE = (name: string, sql: string, rest = "") =>
  `PRAGMA writable_schema = ON; UPDATE sqlite_master
    SET sql = '${sql.replaceAll("'", "''")}' ${rest} WHERE name = '${name}'`;
const AS_VIEW = ", type = 'view', rootpage = 0";
const SEQUENCE = `CREATE VIEW sqlite_sequence ${
  VIEW_OF("'other' AS name, x AS seq")
}`;

const LEAD_ELSEWHERE: Record<string, string> = {
  "a view for SQLite's own table": REWRITE(
    "sqlite_sequence",
    SEQUENCE,
    AS_VIEW,
  ),
  "a view for SQLite's own table, said to be one": REWRITE(
    "sqlite_sequence",
    SEQUENCE,
  ),
  "a view for SQLite's own table, under another name": REWRITE(
    "sqlite_sequence",
    SEQUENCE,
    ", name = 'harmless'",
  ),
  "a view for the entries": `DROP TABLE zestor_kv; CREATE VIEW zestor_kv ${
    VIEW_OF("'k' AS kind, x AS key, x AS value, 1 AS version, '' AS updated_at")
  }`,
  "a view for the log":
    `DROP TABLE zestor_changes; CREATE VIEW zestor_changes ${
      VIEW_OF("x AS revision, 'k' AS kind")
    }`,
  "a view for the notes": `DROP TABLE zestor_replaced;
    CREATE VIEW zestor_replaced ${VIEW_OF("x AS kind")}`,
  "a view for the format": `DROP TABLE zestor_meta; CREATE VIEW zestor_meta ${
    VIEW_OF("x AS name, x AS value")
  }`,
  "a view for the format, said to be a table": REWRITE(
    "zestor_meta",
    `CREATE VIEW zestor_meta ${VIEW_OF("x AS name, x AS value")}`,
  ),
  "a view for the format, in capitals": `DROP TABLE zestor_meta;
    CREATE VIEW ZESTOR_META ${VIEW_OF("x AS name, x AS value")}`,
  "a virtual table for the entries":
    `DROP TABLE zestor_kv; CREATE VIRTUAL TABLE zestor_kv
    USING fts5 (kind, key, value, version, updated_at)`,
  "a virtual table for the format": `DROP TABLE zestor_meta;
    CREATE VIRTUAL TABLE zestor_meta USING fts5 (name, value)`,
  "an index for the format": `DROP TABLE zestor_meta;
    CREATE INDEX zestor_meta ON zestor_kv (value)`,
  "a column that is computed": `DROP TABLE zestor_kv; CREATE TABLE zestor_kv (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT AS (hex(value)), PRIMARY KEY (kind, key))`,
  "a constraint that removes entries": `DROP TABLE zestor_kv;
    CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL,
    value BLOB NOT NULL UNIQUE ON CONFLICT REPLACE,
    version INTEGER NOT NULL DEFAULT 1, updated_at TEXT,
    PRIMARY KEY (kind, key))`,
  "a view for SQLite's schema": `CREATE VIEW harmless AS SELECT 1; ${
    REWRITE(
      "harmless",
      `CREATE VIEW sqlite_schema ${VIEW_OF("x AS type, x AS name, x AS sql")}`,
      ", name = 'sqlite_schema', tbl_name = 'sqlite_schema'",
    )
  }`,
  "more memory than a store has": `INSERT INTO zestor_meta (name, value)
    WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000)
    SELECT 'codec/' || x, 'json' FROM n`,
};

/** A connection that may write whatever it likes. */
function connectFreely(path: string): DatabaseSync {
  return new DatabaseSync(path, { defensive: false } as object);
}

for (const [what, sql] of Object.entries(LEAD_ELSEWHERE)) {
  testOnEachDriver(`a file with ${what} is refused`, async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeFilled(driver, path, false);
    {
      using db = connectFreely(path);
      db.exec(sql);
    }
    const before = await Deno.readFile(path);
    for (const form of [path, `file:${path}?mode=ro`]) {
      await assertRejects(() => openOn(driver, { path: form }), StoreOpenError);
      assertEquals(await Deno.readFile(path), before);
    }
  });
}

const HARMLESS: Record<string, string> = {
  "the name that a store once made to try": "CREATE TABLE zestor_probe (x)",
  "a view of that name": "CREATE VIEW zestor_probe AS SELECT 1",
  "names of SQLite's functions that tell of tables": [
    "table_info",
    "table_xinfo",
    "index_list",
    "index_xinfo",
    "page_count",
  ]
    .map((name) => `CREATE VIEW pragma_${name} ${VIEW_OF("x AS name")};`)
    .join(""),
  "a trigger with a table's name":
    "CREATE TABLE t (x); CREATE TRIGGER zestor_kv AFTER INSERT ON t BEGIN SELECT 1; END",
};

for (const [what, sql] of Object.entries(HARMLESS)) {
  testOnEachDriver(`a file that has ${what} is a store`, async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeFilled(driver, path, false);
    {
      using db = connectFreely(path);
      db.exec(sql);
    }
    {
      await using reading = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      assertEquals(await reading.get("k", "a"), 1);
    }
    await using store = await openOn(driver, { path });
    assertEquals((await store.set("k", "a", 2)).version, 2);
    assertEquals((await store.info()).kinds, [{ kind: "k", count: 1 }]);
    assertEquals(await store.verify(), []);
  });
}

// Connections.

/** A driver that keeps the connections that it opens. */
async function keepingDriver(
  { name }: TestDriver,
): Promise<Driver & { readonly connections: Connection[] }> {
  const driver = await loadDriver(name);
  const connections: Connection[] = [];
  return {
    name,
    connections,
    open(location) {
      const connection = driver.open(location);
      connections.push(connection);
      return connection;
    },
  };
}

testOnEachDriver(
  "no connection trusts functions in the file's schema",
  async (tested) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const driver = await keepingDriver(tested);
    await using store = await openStore({ path, driver });
    await store.set("k", "a", 1);
    const lines = store.export().getReader();
    await lines.read();
    assert(driver.connections.length > 1, "an export has its own");
    for (const connection of driver.connections) {
      const pragma = (name: string) =>
        Object.values(connection.prepare(`PRAGMA ${name}`).get()!)[0];
      assertEquals(pragma("trusted_schema"), 0);
      assertEquals(pragma("cell_size_check"), 1);
      assertEquals(pragma("busy_timeout"), 0);
    }
    await lines.cancel();
  },
);

async function containsText(dir: TempDir, text: string): Promise<boolean> {
  for await (const { name } of Deno.readDir(dir.path)) {
    const bytes = await Deno.readFile(dir.file(name));
    if (new TextDecoder("latin1").decode(bytes).includes(text)) return true;
  }
  return false;
}

testOnEachDriver(
  "with `secureDelete` values that left the log are gone from the file",
  async (driver) => {
    const text = "the text that nobody may find";
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const open = () =>
      openOn(driver, { path, wal: false, history: 1, secureDelete: true });
    {
      await using store = await open();
      await store.set("k", "secret", text);
      await store.set("k", "large", text.repeat(1000));
      await store.delete("k", "secret");
      await store.delete("k", "large");
    }
    // The log still has them.
    assert(await containsText(dir, text));
    {
      await using store = await open();
      for (let i = 0; i < 10; i++) await store.set("k", "a", i);
    }
    assertEquals(await containsText(dir, text), false);
    await using store = await open();
    assertEquals(await store.verify(), []);
    const wrong = { path, secureDelete: 1 as unknown as boolean };
    assertInstanceOf(await openOn(driver, wrong).catch((e) => e), TypeError);
  },
);
