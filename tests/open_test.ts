/**
 * `openStore()`: what it makes of each file it can meet, what it refuses and
 * leaves as it was, and what its options set.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type Codec,
  CodecError,
  json,
  openStore,
  type Store,
  StoreBusyError,
  StoreOpenError,
  type StoreOptions,
  StoreReadOnlyError,
  type WatchEvent,
  WatchOverflowError,
} from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import type { Connection, Driver } from "../src/sqlite/driver/driver.ts";
import { HEAD_REVISION } from "../src/sqlite/format/queries.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import { runChild } from "./support/processes/child.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { testOnLockable } from "./support/faults/lockable_dir.ts";
import { tempDir } from "./support/temp_dir.ts";

/** The Go store's table as its documentation has it: `updated_at` has no default. */
const DOCUMENTED_TABLE = `
  CREATE TABLE zestor_kv (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT NOT NULL,
    PRIMARY KEY(kind, key)
  );
  CREATE INDEX idx_kv_kind ON zestor_kv(kind);`;

/** The Go store's table as its source has it. */
const SOURCE_TABLE = `
  CREATE TABLE IF NOT EXISTS zestor_kv (
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    version    INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT    NOT NULL DEFAULT (STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')),
    PRIMARY KEY(kind, key)
  );
  CREATE INDEX IF NOT EXISTS idx_kv_kind ON zestor_kv(kind);`;

const ROWS = `
  INSERT INTO zestor_kv (kind, key, value, version, updated_at) VALUES
    ('users', 'alice', CAST('{"name":"Alice"}' AS BLOB), 3, '2024-01-02T03:04:05.678Z'),
    ('users', 'bob', '{"name":"Bob"}', 1, '2024-02-03T04:05:06.789Z');`;

const UNSEEN = `INSERT INTO zestor_kv (kind, key, value, updated_at)
  VALUES ('users', 'unseen', '{}', '2024-01-02T03:04:05.678Z')`;

/** A codec that is JSON by another name. */
function renamed(name: string): Codec {
  return { ...json, name };
}

/** Makes a database by SQL. */
async function writeSql(
  driver: TestDriver,
  path: string,
  sql: string,
): Promise<void> {
  using db = await connect(driver, fileAt(path));
  db.exec(sql);
}

/** The rows of a query, read by a connection of its own. */
async function readSql(
  driver: TestDriver,
  path: string,
  sql: string,
): Promise<unknown[]> {
  using db = await connect(driver, fileAt(path));
  return db.prepare(sql).all();
}

/** Makes a store's file, with an entry. */
async function writeStore(
  driver: TestDriver,
  path: string,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  await using store = await openOn(driver, { path, ...options });
  await store.set("users", "alice", { name: "Alice" });
}

/**
 * A directory's files, and a digest of each. To be called while none is open:
 * to close a file drops every lock that the process has on it.
 */
async function contentsOf(dir: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for await (const { name } of Deno.readDir(dir)) {
    const bytes = await Deno.readFile(`${dir}/${name}`);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    contents.set(name, new Uint8Array(digest).toHex());
  }
  return contents;
}

/** Asserts that opening fails, and leaves the directory byte for byte. */
async function assertRefuses(
  driver: TestDriver,
  dir: string,
  options: StoreOptions,
  message: string,
): Promise<StoreOpenError> {
  const before = await contentsOf(dir);
  const error = await assertRejects(
    () => openOn(driver, options),
    StoreOpenError,
    message,
  );
  assertEquals(error.code, "OPEN");
  assert(error.message.startsWith("Cannot open store"), error.message);
  const after = await contentsOf(dir);
  if (String(options.path).endsWith("mode=ro")) await forgetWal(dir, after);
  assertEquals(after, before);
  return error;
}

/** Takes out what a reader of a file with a write-ahead log cannot remove. */
async function forgetWal(
  dir: string,
  contents: Map<string, string>,
): Promise<void> {
  for (const name of [...contents.keys()]) {
    if (!/-(wal|shm)$/.test(name)) continue;
    if (name.endsWith("-wal")) {
      assertEquals((await Deno.stat(`${dir}/${name}`)).size, 0, name);
    }
    contents.delete(name);
  }
}

function eventsOf(
  store: Store,
  kind: string,
  options?: { after?: number; initial?: boolean },
): ReadableStreamDefaultReader<WatchEvent> {
  return store.watch(kind, options).getReader();
}

async function nextOf<T>(reader: ReadableStreamDefaultReader<T>): Promise<T> {
  const { done, value } = await reader.read();
  assert(!done);
  return value;
}

// The format.

testOnEachDriver(
  "`openStore()` makes the Go store's table, with two more columns",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path })).close();
    await writeSql(driver, dir.file("go.db"), SOURCE_TABLE);
    const columns = "PRAGMA table_info(zestor_kv)";
    const own = await readSql(driver, path, columns);
    assertEquals(
      own.slice(0, 5),
      await readSql(driver, dir.file("go.db"), columns),
    );
    assertEquals(own.slice(5), [
      {
        cid: 5,
        name: "revision",
        type: "INTEGER",
        notnull: 1,
        dflt_value: "0",
        pk: 0,
      },
      {
        cid: 6,
        name: "expires_at",
        type: "INTEGER",
        notnull: 0,
        dflt_value: null,
        pk: 0,
      },
    ]);
  },
);

testOnEachDriver(
  "`openStore()` makes a change log, and one index for expiry",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path })).close();
    const log = await readSql(
      driver,
      path,
      "SELECT name, type, \"notnull\" AS required, pk FROM pragma_table_info('zestor_changes')",
    );
    assertEquals(log, [
      { name: "revision", type: "INTEGER", required: 0, pk: 1 },
      { name: "kind", type: "TEXT", required: 1, pk: 0 },
      { name: "key", type: "TEXT", required: 1, pk: 0 },
      { name: "type", type: "TEXT", required: 1, pk: 0 },
      { name: "version", type: "INTEGER", required: 1, pk: 0 },
      { name: "value", type: "BLOB", required: 0, pk: 0 },
      { name: "previous", type: "BLOB", required: 0, pk: 0 },
      { name: "time", type: "TEXT", required: 0, pk: 0 },
      { name: "mark", type: "INTEGER", required: 0, pk: 0 },
      { name: "expires_at", type: "INTEGER", required: 0, pk: 0 },
      { name: "previous_revision", type: "INTEGER", required: 0, pk: 0 },
      { name: "previous_time", type: "TEXT", required: 0, pk: 0 },
      { name: "previous_expires_at", type: "INTEGER", required: 0, pk: 0 },
    ]);
    assertEquals(
      await readSql(
        driver,
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'zestor_kv'",
      ),
      [{ name: "sqlite_autoindex_zestor_kv_1" }, { name: "zestor_expiry" }],
    );
    assertEquals(
      await readSql(
        driver,
        path,
        "SELECT name, value FROM zestor_meta WHERE name <> 'mark'",
      ),
      [
        { name: "format", value: "3" },
        { name: "begin", value: "0" },
        { name: "codec", value: "json" },
      ],
    );
    const [mark] = await readSql(
      driver,
      path,
      "SELECT value FROM zestor_meta WHERE name = 'mark'",
    );
    assertMatch((mark as { value: string }).value, /^\d{1,15}$/);
  },
);

testOnEachDriver(
  "`openStore()` changes nothing in a file of its own",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(driver, path);
    const before = await contentsOf(dir.path);
    for (let i = 0; i < 3; i++) {
      await using store = await openOn(driver, { path });
      assertEquals(await store.get("users", "alice"), { name: "Alice" });
    }
    assertEquals(await contentsOf(dir.path), before);
  },
);

testOnEachDriver(
  "`openStore()` takes an empty file for a new one",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await Deno.writeFile(path, new Uint8Array());
    await using store = await openOn(driver, { path });
    assertEquals((await store.set("k", "a", 1)).revision, 1);
  },
);

// Files of the Go store.

const GO_TABLES = { documentation: DOCUMENTED_TABLE, source: SOURCE_TABLE };

for (const [origin, table] of Object.entries(GO_TABLES)) {
  testOnEachDriver(
    `\`openStore()\` keeps the rows of a table as in the Go store's ${origin}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeSql(driver, path, table + ROWS);
      await using store = await openOn(driver, { path });
      assertEquals(await Array.fromAsync(store.entries("users")), [
        {
          key: "alice",
          value: { name: "Alice" },
          version: 3,
          revision: 1,
          updatedAt: new Date("2024-01-02T03:04:05.678Z"),
        },
        {
          key: "bob",
          value: { name: "Bob" },
          version: 1,
          revision: 1,
          updatedAt: new Date("2024-02-03T04:05:06.789Z"),
        },
      ]);
    },
  );

  testOnEachDriver(
    `a table as in the Go store's ${origin} can be written and watched`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeSql(driver, path, table + ROWS);
      const start = Date.now();
      let revision: number;
      {
        await using store = await openOn(driver, { path });
        const live = eventsOf(store, "users");
        const replayed = eventsOf(store, "users", { initial: true });

        const { status, version } = await store.set("users", "carol", {});
        assertEquals({ status, version }, { status: "created", version: 1 });
        assertEquals((await store.set("users", "alice", {})).version, 4);
        await store.update<string>("users", "bob", () => ({ name: "Robert" }));
        assertEquals((await store.delete("users", "carol"))?.version, 1);
        const { updatedAt } = (await store.entry("users", "bob"))!;
        assert(updatedAt.getTime() >= start);

        for (const reader of [live, replayed]) {
          if (reader === replayed) {
            const { key, version, revision } = await nextOf(reader);
            assertEquals([key, version, revision], ["alice", 3, 0]);
            assertEquals((await nextOf(reader)).key, "bob");
          }
          const events = [];
          for (let i = 0; i < 4; i++) {
            const { type, key, version } = await nextOf(reader);
            events.push(`${type} ${key}@${version}`);
          }
          assertEquals(events, [
            "create carol@1",
            "update alice@4",
            "update bob@2",
            "delete carol@1",
          ]);
        }
        revision = (await store.set("users", "dave", {})).revision;
      }
      // And the next opening goes on from there.
      await using store = await openOn(driver, { path });
      const resumed = eventsOf(store, "users", { after: revision - 1 });
      assertEquals((await nextOf(resumed)).key, "dave");
    },
  );

  testOnEachDriver(
    `nobody resumes past the rows of a table as in the Go store's ${origin}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeSql(driver, path, table + ROWS);
      await using store = await openOn(driver, { path });
      // Its rows are older than the log.
      const watch = eventsOf(store, "users", { after: 0 });
      await assertRejects(() => watch.read(), WatchOverflowError);
    },
  );
}

testOnEachDriver(
  "a table of the Go store's columns may be written in another way",
  async (driver) => {
    for (
      const table of [
        'create table "zestor_kv" (kind text not null, key text not null, value blob, version int, updated_at text, primary key (kind, key desc))',
        "CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL, value, version, updated_at, PRIMARY KEY (kind, key)) WITHOUT ROWID",
      ]
    ) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeSql(driver, path, table);
      await using store = await openOn(driver, { path });
      await store.setAll("k", { b: 1, a: 2, c: 3 });
      await store.delete("k", "b");
      assertEquals(await store.list("k"), new Map([["a", 2], ["c", 3]]));
      assertEquals(await store.verify(), []);
    }
  },
);

testOnEachDriver(
  "a table of the Go store that is empty can be watched from the start",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeSql(driver, path, DOCUMENTED_TABLE);
    await using store = await openOn(driver, { path });
    const watch = eventsOf(store, "users", { after: 0 });
    await store.set("users", "alice", 1);
    assertEquals((await nextOf(watch)).key, "alice");
  },
);

testOnEachDriver(
  "`openStore()` leaves the tables of others in the file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeSql(
      driver,
      path,
      `PRAGMA user_version = 7;
      PRAGMA application_id = 42;
      CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT);
      CREATE INDEX notes_text ON notes (text);
      CREATE VIEW loud AS SELECT upper(text) AS text FROM notes;
      CREATE TRIGGER noted AFTER INSERT ON notes BEGIN
        UPDATE notes SET text = text || '!' WHERE id = NEW.id;
      END;
      INSERT INTO notes (text) VALUES ('hello');`,
    );
    const schema =
      "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'zestor%' AND name NOT LIKE 'sqlite%'";
    const before = await readSql(driver, path, schema);
    assertEquals(before.length, 4);
    {
      await using store = await openOn(driver, { path });
      await store.set("k", "a", 1);
    }
    assertEquals(await readSql(driver, path, schema), before);
    await writeSql(driver, path, "INSERT INTO notes (text) VALUES ('again')");
    assertEquals(
      await readSql(driver, path, "SELECT text FROM loud ORDER BY text"),
      [{ text: "AGAIN!" }, { text: "HELLO!" }],
    );
    assertEquals(await readSql(driver, path, "PRAGMA user_version"), [
      { user_version: 7 },
    ]);
    assertEquals(await readSql(driver, path, "PRAGMA application_id"), [
      { application_id: 42 },
    ]);
  },
);

// What is refused.

for (const format of ["4", "99", "1.5", "new"]) {
  testOnEachDriver(
    `\`openStore()\` refuses a file of the newer format ${format}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeStore(driver, path);
      await writeSql(
        driver,
        path,
        `UPDATE zestor_meta SET value = '${format}' WHERE name = 'format'`,
      );
      for (const form of [path, `file:${path}?mode=ro`]) {
        await assertRefuses(
          driver,
          dir.path,
          { path: form },
          `the file's format is ${format}, but this version supports formats up to 3; use a newer version`,
        );
      }
    },
  );
}

testOnEachDriver(
  "`openStore()` refuses a file of another codec",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(driver, path);
    for (const form of [path, `file:${path}?mode=ro`]) {
      await assertRefuses(
        driver,
        dir.path,
        { path: form, codec: renamed("other") },
        'encoded with the codec "json", received "other"',
      );
    }
  },
);

testOnEachDriver(
  "`openStore()` refuses a file of another codec, although it has no entries",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path, codec: renamed("other") })).close();
    await assertRefuses(driver, dir.path, { path }, '"other", received "json"');
  },
);

testOnEachDriver(
  "`openStore()` refuses another codec for a kind that had one",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const users = renamed("own");
    await writeStore(driver, path, { codec: { users } });
    const others = [undefined, {}, { groups: users }, {
      users: renamed("2nd"),
    }];
    for (const codec of others) {
      const error = await assertRefuses(
        driver,
        dir.path,
        { path, codec },
        'in kind "users" are encoded with the codec "own"',
      );
      const given = codec && "users" in codec ? "2nd" : "json";
      assertStringIncludes(error.message, `received "${given}"`);
    }
    await using store = await openOn(driver, { path, codec: { users } });
    assertEquals(await store.get("users", "alice"), { name: "Alice" });
  },
);

testOnEachDriver(
  "`openStore()` refuses a codec for a kind that has entries without one",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(driver, path);
    await assertRefuses(
      driver,
      dir.path,
      { path, codec: { users: renamed("own") } },
      'in kind "users" are encoded with the codec "json", received "own"',
    );
  },
);

testOnEachDriver(
  "`openStore()` takes a codec for a kind that is new, and remembers it",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(driver, path);
    const codec = { groups: renamed("own"), users: json };
    await (await openOn(driver, { path, codec })).close();
    await assertRefuses(driver, dir.path, { path }, 'in kind "groups"');
    await using store = await openOn(driver, { path, codec });
    assertEquals(await store.get("users", "alice"), { name: "Alice" });
  },
);

for (const [origin, table] of Object.entries(GO_TABLES)) {
  testOnEachDriver(
    `\`openStore()\` refuses values that the codec cannot decode, in a table as in the Go store's ${origin}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeSql(
        driver,
        path,
        `${table} INSERT INTO zestor_kv (kind, key, value, updated_at)
          VALUES ('users', 'alice', x'0a05416c696365', '2024-01-02T03:04:05.678Z')`,
      );
      const error = await assertRefuses(
        driver,
        dir.path,
        { path },
        '"users"/"alice"',
      );
      assertInstanceOf(error.cause, CodecError);
      assertStringIncludes(error.message, "give the codec");
    },
  );
}

const NO_DATABASES: Record<string, Uint8Array<ArrayBuffer>> = {
  "a short text": new TextEncoder().encode("hello"),
  "a long text": new TextEncoder().encode("no database\n".repeat(1000)),
  "what may be encrypted": Uint8Array.from(
    { length: 8192 },
    (_, i) => (i * 197 + 31) % 256,
  ),
};

for (const [what, bytes] of Object.entries(NO_DATABASES)) {
  testOnEachDriver(`\`openStore()\` refuses ${what}`, async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await Deno.writeFile(path, bytes);
    const error = await assertRefuses(
      driver,
      dir.path,
      { path },
      "file is not a database; it belongs to another program, or is encrypted",
    );
    assertInstanceOf(error.cause, SqlError);
    assertEquals(error.cause.failure, "not_a_database");
  });
}

testOnEachDriver("`openStore()` refuses a truncated file", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await writeStore(driver, path);
  const whole = await Deno.readFile(path);
  assertGreater(whole.length, 4096);
  for (const length of [4096, 4096 * 2, whole.length - 4096]) {
    await Deno.writeFile(path, whole.subarray(0, length));
    const error = await assertRefuses(
      driver,
      dir.path,
      { path },
      "restore it from a backup",
    );
    assertInstanceOf(error.cause, SqlError);
    assertEquals(error.cause.failure, "corrupt");
  }
  // Not even a page of it.
  await Deno.writeFile(path, whole.subarray(0, 50));
  await assertRefuses(driver, dir.path, { path }, "restore it from a backup");
});

testOnEachDriver("`openStore()` refuses a directory", async (driver) => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("app.db"));
  const error = await assertRejects(
    () => openOn(driver, { path: dir.file("app.db") }),
    StoreOpenError,
    "it is a directory; give the path of a file",
  );
  assertEquals(error.code, "OPEN");
  assertEquals(await Array.fromAsync(Deno.readDir(dir.file("app.db"))), []);
});

testOnEachDriver(
  "`openStore()` refuses a file in a directory that is not there",
  async (driver) => {
    await using dir = await tempDir();
    await assertRefuses(
      driver,
      dir.path,
      { path: dir.file("missing/app.db") },
      "check that its directory exists",
    );
  },
);

for (const encoding of ["UTF-16le", "UTF-16be"]) {
  testOnEachDriver(
    `\`openStore()\` refuses a database in ${encoding}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      for (const table of [SOURCE_TABLE + ROWS, "CREATE TABLE t (x)"]) {
        await writeSql(
          driver,
          path,
          `PRAGMA encoding = '${encoding}'; ${table}`,
        );
        await assertRefuses(
          driver,
          dir.path,
          { path },
          `text encoding is ${encoding}`,
        );
        await Deno.remove(path);
      }
    },
  );
}

const OTHER_TABLES: Record<string, string> = {
  "a table zestor_kv of other columns":
    "CREATE TABLE zestor_kv (id INTEGER PRIMARY KEY, text TEXT)",
  "a table zestor_kv with one column more":
    "CREATE TABLE zestor_kv (kind, key, value, version, updated_at, more, PRIMARY KEY (kind, key))",
  "a table zestor_kv of another primary key":
    "CREATE TABLE zestor_kv (kind, key, value, version, updated_at, PRIMARY KEY (key, kind))",
  "a table zestor_kv without a primary key":
    "CREATE TABLE zestor_kv (kind, key, value, version, updated_at)",
  "a table zestor_kv whose names may be of any type":
    "CREATE TABLE zestor_kv (kind, key, value, version, updated_at, PRIMARY KEY (kind, key))",
  "a table zestor_kv whose names may be missing":
    "CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT, value, version, updated_at, PRIMARY KEY (kind, key))",
  "a table zestor_kv where keys that differ in case are the same":
    "CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL COLLATE NOCASE, value, version, updated_at, PRIMARY KEY (kind, key))",
  "a view zestor_kv":
    "CREATE VIEW zestor_kv AS SELECT 1 AS kind, 2 AS key, 3 AS value, 4 AS version, 5 AS updated_at",
};

for (const [what, sql] of Object.entries(OTHER_TABLES)) {
  testOnEachDriver(`\`openStore()\` refuses ${what}`, async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeSql(driver, path, sql);
    await assertRefuses(
      driver,
      dir.path,
      { path },
      "the file has a zestor_kv of another shape",
    );
  });
}

for (const name of ["zestor_changes", "zestor_replaced", "zestor_meta"]) {
  testOnEachDriver(
    `\`openStore()\` refuses a view ${name}, and a table of other columns`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      for (const as of [`VIEW ${name} AS SELECT 1 AS x`, `TABLE ${name} (x)`]) {
        await writeSql(driver, path, `CREATE ${as}`);
        await assertRefuses(
          driver,
          dir.path,
          { path },
          `the file has a ${name} of another shape`,
        );
        await Deno.remove(path);
      }
    },
  );
}

// Reading only.

testOnEachDriver(
  "`openStore()` with mode=ro reads, and refuses every write",
  async (driver) => {
    for (const wal of [true, false]) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeStore(driver, path, { wal });
      const before = await contentsOf(dir.path);
      {
        await using store = await openOn(driver, {
          path: `file:${path}?mode=ro`,
        });
        assertEquals(await store.get("users", "alice"), { name: "Alice" });
        assertEquals(await store.keys("users"), ["alice"]);
        assertEquals(await store.kinds(), ["users"]);
        const writes = {
          set: () => store.set("users", "bob", {}),
          setAll: () => store.setAll("users", { bob: {} }),
          update: () => store.update("users", "alice", () => ({})),
          delete: () => store.delete("users", "alice"),
          commit: () => store.atomic().set("users", "bob", {}).commit(),
          unchanged: () => store.set("users", "alice", { name: "Alice" }),
        };
        for (const [name, write] of Object.entries(writes)) {
          const error = await assertRejects(write, StoreReadOnlyError);
          assertStringIncludes(error.message, "mode=rwc", name);
        }
        assertEquals(await store.count("users"), 1);
      }
      const after = await contentsOf(dir.path);
      await forgetWal(dir.path, after);
      assertEquals(after, before);
    }
  },
);

testOnEachDriver(
  "`openStore()` with mode=ro watches the writes of others",
  async (driver) => {
    for (const wal of [true, false]) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeStore(driver, path, { wal });
      await using writer = await openOn(driver, { path, wal });
      await using store = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      const live = eventsOf(store, "users");
      const resumed = eventsOf(store, "users", { after: 0 });
      const replayed = eventsOf(store, "users", { initial: true });
      for (const reader of [resumed, replayed]) {
        assertEquals((await nextOf(reader)).key, "alice");
      }
      // Read only when it is written: the stream waits for it.
      const reads = [live, resumed, replayed].map(nextOf);
      await writer.set("users", "bob", { name: "Bob" });
      for (const event of await Promise.all(reads)) {
        assertEquals([event.type, event.key], ["create", "bob"]);
      }
      assertEquals(await store.get("users", "bob"), { name: "Bob" });
    }
  },
);

testOnEachDriver(
  "`openStore()` with mode=ro reads a file without a change log, and cannot watch it",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeSql(driver, path, DOCUMENTED_TABLE + ROWS);
    const before = await contentsOf(dir.path);
    {
      await using store = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      assertEquals(await store.get("users", "bob"), { name: "Bob" });
      assertEquals((await store.entry("users", "alice"))?.version, 3);
      assertEquals(await store.count("users"), 2);
      for (const options of [{}, { initial: true }, { after: 0 }]) {
        assertThrows(
          () => store.watch("users", options),
          StoreReadOnlyError,
          "the file has no change log",
        );
      }
      const past = {
        history: async () => await store.history("users").getReader().read(),
        snapshot: () => store.snapshot(),
        export: () => new Response(store.export({ at: 0 })).text(),
      };
      for (const [action, read] of Object.entries(past)) {
        await assertRejects(
          read,
          StoreReadOnlyError,
          `Cannot ${action}: the file has no change log`,
        );
      }
      await assertRejects(() => store.set("k", "a", 1), StoreReadOnlyError);
    }
    assertEquals(await contentsOf(dir.path), before);
  },
);

testOnEachDriver(
  "`openStore()` with mode=ro refuses a file that contains no store",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await Deno.writeFile(path, new Uint8Array());
    const ro = { path: `file:${path}?mode=ro` };
    await assertRefuses(driver, dir.path, ro, "the file contains no store");
    await writeSql(driver, path, "CREATE TABLE t (x)");
    await assertRefuses(driver, dir.path, ro, "the file contains no store");
  },
);

testOnLockable(
  "`openStore()` tells that a file cannot be written",
  async (driver, dir) => {
    const path = `${dir.path}/app.db`;
    const go = `${dir.path}/go.db`;
    await writeStore(driver, path, { wal: false });
    await writeSql(driver, go, SOURCE_TABLE + ROWS);
    await dir.lock();
    const before = await contentsOf(dir.path);
    for (const form of [path, go, `file:${path}?mode=rw`]) {
      for (const wal of [true, false]) {
        const error = await assertRejects(
          () => openOn(driver, { path: form, wal }),
          StoreReadOnlyError,
          `Cannot open store at ${form}: `,
        );
        assertEquals(error.code, "READ_ONLY");
        assertStringIncludes(
          error.message,
          "check that its file and directory",
        );
      }
    }
    assertEquals(await contentsOf(dir.path), before);
  },
);

testOnLockable(
  "`openStore()` with mode=ro reads a file that cannot be written",
  async (driver, dir) => {
    const path = `${dir.path}/app.db`;
    await writeStore(driver, path, { wal: false });
    await dir.lock();
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    assertEquals(await store.get("users", "alice"), { name: "Alice" });
    const watch = eventsOf(store, "users", { after: 0 });
    assertEquals((await nextOf(watch)).key, "alice");
  },
);

testOnLockable(
  "`openStore()` tells that it can make no file",
  async (driver, dir) => {
    await dir.lock();
    await assertRefuses(
      driver,
      dir.path,
      { path: `${dir.path}/app.db` },
      "check that its directory exists, and is readable and writable",
    );
  },
);

testOnEachDriver(
  "`openStore()` reports that there is no room for its tables",
  async ({ name }) => {
    await using dir = await tempDir();
    const driver = await instrumentedDriver(
      name,
      (sql, _params, connection) => {
        if (sql === "BEGIN IMMEDIATE") {
          connection.exec("PRAGMA max_page_count = 3");
        }
      },
    );
    const error = await assertRejects(
      () => openStore({ path: dir.file("app.db"), driver }),
      StoreOpenError,
      "database or disk is full; free some space",
    );
    assertInstanceOf(error.cause, SqlError);
    assertEquals(error.cause.failure, "full");
  },
);

testOnEachDriver(
  "`openStore()` changes neither a file nor its journal mode if there is no room for an upgrade",
  async ({ name }) => {
    for (const mode of ["DELETE", "WAL"]) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const tested = drivers.find((driver) => driver.name === name)!;
      await writeSql(
        tested,
        path,
        `PRAGMA journal_mode = ${mode}; ${SOURCE_TABLE} ${ROWS}`,
      );
      const driver = await instrumentedDriver(
        name,
        (sql, _params, connection) => {
          if (sql === "BEGIN IMMEDIATE") {
            connection.exec("PRAGMA max_page_count = 1");
          }
        },
      );
      const before = await contentsOf(dir.path);
      const wal = mode === "DELETE";
      await assertRejects(
        () => openStore({ path, driver, wal }),
        StoreOpenError,
        "database or disk is full",
      );
      assertEquals(await contentsOf(dir.path), before);
    }
  },
);

// At the same time.

testOnEachDriver(
  "stores of a process can open a new file at the same time",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => openOn(driver, { path })),
    );
    await Promise.all(stores.map((store, i) => store.set("k", `${i}`, i)));
    for (const store of stores) assertEquals(await store.count("k"), 5);
    await Promise.all(stores.map((store) => store.close()));
    assertEquals([...(await contentsOf(dir.path)).keys()], ["app.db"]);
  },
);

testOnEachDriver(
  "processes can open a new file at the same time",
  async (driver) => {
    await using dir = await tempDir();
    const files = 20;
    const program = (key: string) => `
      for (let i = 0; i < ${files}; i++) {
        const store = await zestor.openStore({
          path: i + ".db",
          driver: "${driver.name}",
          wal: i % 2 === 0,
          durability: "normal",
        });
        await store.set("k", "${key}", i);
        await store.close();
      }`;
    const results = await Promise.all(
      ["a", "b", "c"].map((key) =>
        runChild(dir.path, program(key), { permissions: ["--allow-all"] })
      ),
    );
    for (const result of results) {
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
    }
    for (let i = 0; i < files; i++) {
      await using store = await openOn(driver, { path: dir.file(`${i}.db`) });
      assertEquals(await store.keys("k"), ["a", "b", "c"], `${i}.db`);
    }
  },
);

testOnEachDriver(
  "drivers cannot open a file at the same time",
  async ({ name }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const own = await loadDriver(name);
    const other = { ...own, name: "another", library: "another library" };
    const [first, second] = await Promise.allSettled([
      openStore({ path, driver: own }),
      openStore({ path, driver: other }),
    ]);
    assert(first.status === "fulfilled" && second.status === "rejected");
    assertInstanceOf(second.reason, StoreOpenError);
    assertStringIncludes(second.reason.message, "use one driver for both");
    await first.value.close();

    // Nor does an opening that failed stand in the way.
    const codec = renamed("other");
    await assertRejects(() => openStore({ path, driver: own, codec }));
    await using store = await openStore({ path, driver: other });
    assertEquals(await store.kinds(), []);
  },
);

// Locks that are in the way of opening, and the statement that meets them.

const LOCKS = [
  {
    what: "the write lock of a new file",
    sql: "BEGIN IMMEDIATE",
    meets: /^BEGIN IMMEDIATE/,
  },
  {
    what: "the write lock of a file without a change log",
    sql: `PRAGMA journal_mode = WAL; ${SOURCE_TABLE}; BEGIN IMMEDIATE`,
    meets: /^BEGIN IMMEDIATE/,
  },
  {
    what: "a lock against readers",
    sql: `${SOURCE_TABLE}; BEGIN EXCLUSIVE`,
    meets: /^BEGIN$/,
  },
];

/** A driver that tells each SQL text before it is run or prepared. */
async function tellingDriver(
  { name }: TestDriver,
  tell: (sql: string) => void,
): Promise<Driver> {
  const driver = await loadDriver(name);
  return {
    name,
    open(location) {
      const connection = driver.open(location);
      return {
        exec(sql) {
          tell(sql);
          connection.exec(sql);
        },
        prepare(sql) {
          tell(sql);
          return connection.prepare(sql);
        },
        close: () => connection.close(),
      };
    },
  };
}

for (const { what, sql, meets } of LOCKS) {
  testOnEachDriver(`\`openStore()\` waits for ${what}`, async (tested) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using holder = await connect(tested, fileAt(path));
    holder.exec(sql);
    let tries = 0;
    const driver = await tellingDriver(tested, (sql) => {
      if (meets.test(sql) && ++tries === 3) holder.exec("COMMIT");
    });
    await using store = await openStore({ path, driver });
    assertGreater(tries, 2);
    assertEquals((await store.set("k", "a", 1)).status, "created");
  });

  testOnEachDriver(
    `\`openStore()\` gives up to wait for ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      using holder = await connect(driver, fileAt(path));
      holder.exec(sql);
      for (const busyTimeout of [0, 10]) {
        const error = await assertRejects(
          () => openOn(driver, { path, busyTimeout }),
          StoreBusyError,
          `Cannot open store at ${path}: `,
        );
        assertInstanceOf(error.cause, SqlError);
        assertStringIncludes(error.message, "a longer busyTimeout");
      }
      // It left nothing behind.
      holder.exec("COMMIT");
      holder.exec("BEGIN EXCLUSIVE; COMMIT");
      await using store = await openOn(driver, { path });
      assertEquals(await store.kinds(), []);
    },
  );

  testOnEachDriver(
    `a signal ends the wait of \`openStore()\` for ${what}`,
    async (tested) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      {
        using holder = await connect(tested, fileAt(path));
        holder.exec(sql);
        const controller = new AbortController();
        const reason = new Error("enough");
        let tries = 0;
        const driver = await tellingDriver(tested, (sql) => {
          if (meets.test(sql) && ++tries === 2) controller.abort(reason);
        });
        const { signal } = controller;
        const opening = openStore({ path, driver, signal });
        const error = await assertRejects(() => opening);
        assertStrictEquals(error, reason);
        assertEquals(tries, 2);
        holder.exec("COMMIT");
      }
      // The holder was the last to close: the opening's connection is closed.
      assertEquals([...(await contentsOf(dir.path)).keys()], ["app.db"]);
    },
  );
}

testOnEachDriver(
  "`openStore()` waits for a lock that comes when all is done but one",
  async (tested) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(tested, path, { wal: false });
    using holder = await connect(tested, fileAt(path));
    for (const form of [path, `file:${path}?mode=ro`]) {
      let tries = 0;
      const driver = await tellingDriver(tested, (sql) => {
        if (sql !== HEAD_REVISION) return;
        tries++;
        if (tries === 1) holder.exec("BEGIN EXCLUSIVE");
        if (tries === 3) holder.exec("ROLLBACK");
      });
      await using store = await openStore({ path: form, wal: false, driver });
      assertEquals(tries, 3);
      assertEquals(await store.count("users"), 1);
    }
  },
);

/** Opens a new file, and has another one make it a store's just before. */
async function openSecond(tested: TestDriver, path: string, codec: string) {
  using first = await connect(tested, fileAt(path));
  let begun = false;
  const driver = await tellingDriver(tested, (sql) => {
    if (sql !== "BEGIN IMMEDIATE" || begun) return;
    begun = true;
    upgradeFile(first, inspectFile(first), new Map([["codec", codec]]));
    first.exec(UNSEEN);
  });
  const store = await openStore({ path, driver });
  assert(begun);
  return store;
}

testOnEachDriver(
  "`openStore()` takes a file that another one has just made a store's",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openSecond(driver, dir.file("app.db"), "json");
    // And leaves its change log as it is.
    const watch = eventsOf(store, "users", { after: 0 });
    assertEquals((await nextOf(watch)).key, "unseen");
  },
);

testOnEachDriver(
  "`openStore()` refuses a file that another one has just made of another codec",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await assertRejects(
      () => openSecond(driver, path, "other"),
      StoreOpenError,
      'encoded with the codec "other", received "json"',
    );
    const codec = "SELECT value FROM zestor_meta WHERE name = 'codec'";
    assertEquals(await readSql(driver, path, codec), [{ value: "other" }]);
  },
);

testOnEachDriver(
  "`openStore()` does not wait for a writer of a file of its own",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeStore(driver, path);
    using holder = await connect(driver, fileAt(path));
    holder.exec("BEGIN IMMEDIATE");
    await using store = await openOn(driver, { path, busyTimeout: 0 });
    assertEquals(await store.get("users", "alice"), { name: "Alice" });
    holder.exec("ROLLBACK");
    assertEquals((await store.set("users", "bob", {})).status, "created");
  },
);

testOnEachDriver(
  "`openStore()` does nothing when its signal has aborted",
  async (driver) => {
    await using dir = await tempDir();
    const reason = new Error("enough");
    const error = await assertRejects(() =>
      openOn(driver, {
        path: dir.file("app.db"),
        signal: AbortSignal.abort(reason),
      })
    );
    assertStrictEquals(error, reason);
    assertEquals((await contentsOf(dir.path)).size, 0);
  },
);

testOnEachDriver(
  "the signal of `openStore()` does nothing to the open store",
  async (driver) => {
    const controller = new AbortController();
    await using store = await openOn(driver, {
      path: ":memory:",
      signal: controller.signal,
    });
    controller.abort();
    assertEquals((await store.set("k", "a", 1)).status, "created");
    assertEquals(await store.get("k", "a"), 1);
  },
);

// Options.

const WRONG_OPTIONS: [options: unknown, error: string, about: string][] = [
  [undefined, "TypeError", '"path"'],
  [null, "TypeError", "options"],
  ["app.db", "TypeError", "options"],
  [{}, "TypeError", '"path"'],
  [{ busytimeout: 1 }, "TypeError", 'unknown option "busytimeout"'],
  [{ Path: "app.db" }, "TypeError", 'unknown option "Path"'],
  [
    { schemas: 1 },
    "TypeError",
    '"schemas" must be an object of Standard Schemas',
  ],
  [{ busyTimeout: -1 }, "RangeError", '"busyTimeout"'],
  [{ busyTimeout: 0.5 }, "RangeError", '"busyTimeout"'],
  [{ busyTimeout: NaN }, "RangeError", '"busyTimeout"'],
  [{ busyTimeout: Infinity }, "RangeError", '"busyTimeout"'],
  [{ busyTimeout: "5s" }, "RangeError", '"busyTimeout"'],
  [{ busyTimeout: null }, "RangeError", '"busyTimeout"'],
  [{ wal: "false" }, "TypeError", '"wal"'],
  [{ wal: 0 }, "TypeError", '"wal"'],
  [{ durability: "max" }, "TypeError", '"durability"'],
  [{ durability: true }, "TypeError", '"durability"'],
  [{ history: 0 }, "RangeError", '"history"'],
  [{ history: -1 }, "RangeError", '"history"'],
  [{ history: 1.5 }, "RangeError", '"history"'],
  [{ history: Infinity }, "RangeError", '"history"'],
  [{ history: "all" }, "RangeError", '"history"'],
  [{ driver: "sqlite" }, "TypeError", '"driver"'],
  [{ driver: 1 }, "TypeError", '"driver"'],
  [{ driver: {} }, "TypeError", '"driver"'],
  [{ driver: null }, "TypeError", '"driver"'],
  [{ codec: "json" }, "TypeError", '"codec"'],
  [{ codec: null }, "TypeError", '"codec"'],
  [{ codec: { users: "json" } }, "TypeError", '"codec"'],
  [{ codec: { users: {} } }, "TypeError", '"codec"'],
  [{ codec: new Map([["users", json]]) }, "TypeError", '"codec"'],
  [{ codec: [json] }, "TypeError", '"codec"'],
  [{ codec: Promise.resolve(json) }, "TypeError", '"codec"'],
  [{ signal: {} }, "TypeError", '"signal"'],
];

for (const [wrong, name, about] of WRONG_OPTIONS) {
  Deno.test(`\`openStore()\` refuses ${Deno.inspect(wrong)}`, async () => {
    await using dir = await tempDir();
    const isEmpty = typeof wrong !== "object" || wrong === null ||
      Object.keys(wrong).length === 0;
    const options = isEmpty ? wrong : { path: dir.file("app.db"), ...wrong };
    const error = await assertRejects(
      () => openStore(options as StoreOptions),
      Error,
      about,
    );
    assertEquals(error.name, name);
    assert(error.message.startsWith("Cannot open store"), error.message);
    assertEquals((await contentsOf(dir.path)).size, 0);
  });
}

testOnEachDriver(
  "`wal` chooses between a write-ahead log and a rollback journal",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    for (
      const [wal, mode] of [
        [undefined, "wal"],
        [false, "delete"],
        [true, "wal"],
        [false, "delete"],
      ] as const
    ) {
      {
        await using store = await openOn(driver, { path, wal });
        await store.set("k", "a", mode);
        assertEquals(await readSql(driver, path, "PRAGMA journal_mode"), [
          { journal_mode: mode },
        ]);
      }
      assertEquals([...(await contentsOf(dir.path)).keys()], ["app.db"]);
    }
  },
);

testOnEachDriver(
  "`wal: false` waits for connections that use the write-ahead log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const first = await openOn(driver, { path });
    await first.set("k", "a", 1);
    const open = (busyTimeout: number) =>
      openOn(driver, { path, wal: false, busyTimeout });
    await assertRejects(() => open(10), StoreBusyError);
    // The one that was there works on.
    await first.set("k", "b", 2);
    await first.close();
    await using store = await open(10);
    assertEquals(await store.keys("k"), ["a", "b"]);
  },
);

testOnEachDriver(
  "a store goes on when another one switches to the write-ahead log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using first = await openOn(driver, { path, wal: false });
    const watch = eventsOf(first, "k");
    await first.set("k", "a", 1);
    await using second = await openOn(driver, { path, wal: true });
    await second.set("k", "b", 2);
    await first.set("k", "c", 3);
    assertEquals(await second.keys("k"), ["a", "b", "c"]);
    for (const key of ["a", "b", "c"]) {
      assertEquals((await nextOf(watch)).key, key);
    }
  },
);

// https://sqlite.org/pragma.html#pragma_synchronous
const SYNCHRONOUS = [
  { durability: undefined, wal: undefined, synchronous: 3 },
  { durability: "full", wal: true, synchronous: 3 },
  { durability: "normal", wal: true, synchronous: 1 },
  { durability: "full", wal: false, synchronous: 3 },
  { durability: "normal", wal: false, synchronous: 3 },
] as const;

testOnEachDriver("`durability` sets how a commit syncs", async ({ name }) => {
  await using dir = await tempDir();
  for (const { durability, wal, synchronous } of SYNCHRONOUS) {
    const driver = await observableDriver(name);
    await using _store = await openStore({
      path: dir.file("app.db"),
      durability,
      wal,
      driver,
    });
    assertEquals(driver.pragma("synchronous"), { synchronous });
    assertEquals(driver.pragma("fullfsync"), { fullfsync: 1 });
  }
});

testOnEachDriver("a store never waits inside SQLite", async ({ name }) => {
  await using dir = await tempDir();
  for (const mode of ["rwc", "ro"]) {
    const driver = await observableDriver(name);
    const path = `file:${dir.file("app.db")}?mode=${mode}`;
    await using _store = await openStore({ path, driver });
    assertEquals(driver.pragma("busy_timeout"), { timeout: 0 });
  }
});

/** A driver that tells its connection's pragmas, and waits by default. */
async function observableDriver(
  name: TestDriver["name"],
): Promise<Driver & { pragma(name: string): unknown }> {
  const driver = await loadDriver(name);
  let connection: Connection;
  return {
    name,
    open(location) {
      connection = driver.open(location);
      connection.exec("PRAGMA busy_timeout = 60000");
      return connection;
    },
    pragma: (name) => connection.prepare(`PRAGMA ${name}`).get(),
  };
}

testOnEachDriver("a store keeps `history` changes", async (driver) => {
  await using store = await openOn(driver, { path: ":memory:", history: 1 });
  await store.set("k", "a", 1);
  const watch = eventsOf(store, "k");
  await store.set("k", "a", 2);
  assertEquals((await nextOf(watch)).value, 2);
});

// A change log that did not see every change.

const TAMPERINGS: Record<string, string> = {
  "a trigger is gone": "DROP TRIGGER zestor_insert",
  "every trigger is gone":
    "DROP TRIGGER zestor_before_insert; DROP TRIGGER zestor_insert; DROP TRIGGER zestor_replace; DROP TRIGGER zestor_update; DROP TRIGGER zestor_before_rename; DROP TRIGGER zestor_rename; DROP TRIGGER zestor_rename_over; DROP TRIGGER zestor_delete",
  "a trigger is another":
    "DROP TRIGGER zestor_insert; CREATE TRIGGER zestor_insert AFTER INSERT ON zestor_kv BEGIN SELECT 1; END",
  "a trigger's notes are gone":
    "DROP TRIGGER zestor_replace; DROP TABLE zestor_replaced",
};

const TRIGGERS =
  "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";

for (const [what, sql] of Object.entries(TAMPERINGS)) {
  testOnEachDriver(
    `\`openStore()\` starts the change log anew where ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeStore(driver, path);
      const triggers = await readSql(driver, path, TRIGGERS);
      let revision: number;
      {
        await using store = await openOn(driver, { path });
        revision = (await store.set("users", "bob", {})).revision;
      }
      await writeSql(driver, path, sql);
      assertNotEquals(await readSql(driver, path, TRIGGERS), triggers);
      if (!sql.includes("TABLE")) await writeSql(driver, path, UNSEEN);

      await using store = await openOn(driver, { path });
      assertEquals(await readSql(driver, path, TRIGGERS), triggers);
      // Nobody resumes across the gap, from however late a revision.
      const resumed = eventsOf(store, "users", { after: revision });
      await assertRejects(() => resumed.read(), WatchOverflowError);
      // But from here on.
      const live = eventsOf(store, "users");
      const change = await store.set("users", "carol", {});
      assertGreater(change.revision, revision + 1);
      assertEquals((await nextOf(live)).revision, change.revision);
      const again = eventsOf(store, "users", { after: change.revision - 1 });
      assertEquals((await nextOf(again)).key, "carol");
    },
  );
}

testOnEachDriver(
  "a watch errors when another store starts the change log anew",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("users", "alice", {});
    const watch = eventsOf(store, "users");
    const next = watch.read();
    // Whatever the watch began with is done.
    await store.get("users", "alice");
    await writeSql(driver, path, `DROP TRIGGER zestor_insert; ${UNSEEN}`);
    await using _other = await openOn(driver, { path });
    await assertRejects(() => next, WatchOverflowError);
  },
);

testOnEachDriver(
  "`openStore()` starts the change log anew, although the store is empty",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path })).close();
    await writeSql(
      driver,
      path,
      `DROP TRIGGER zestor_insert; DROP TRIGGER zestor_delete; ${UNSEEN};
      DELETE FROM zestor_kv`,
    );
    await using store = await openOn(driver, { path });
    const watch = eventsOf(store, "users", { after: 0 });
    await assertRejects(() => watch.read(), WatchOverflowError);
  },
);

testOnEachDriver(
  "`openStore()` makes the tables anew that are gone",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const tables = "SELECT name, sql FROM sqlite_schema ORDER BY name";
    await writeStore(driver, path);
    const whole = await readSql(driver, path, tables);
    for (
      const name of [
        "zestor_kv",
        "zestor_changes",
        "zestor_replaced",
        "zestor_meta",
      ]
    ) {
      await writeSql(driver, path, `DROP TABLE ${name}`);
      await using store = await openOn(driver, { path });
      assertEquals(await readSql(driver, path, tables), whole, name);
      const live = eventsOf(store, "users");
      await store.set("users", name, {});
      await store.set("users", name, { again: true });
      assertEquals((await nextOf(live)).type, "create");
      assertEquals((await nextOf(live)).type, "update");
    }
  },
);
