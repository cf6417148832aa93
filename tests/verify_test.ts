/**
 * `verify()` on files: each thing that it finds, made by plain SQL or by damage
 * to the file, while the store has it open; and the files, written by whomever,
 * where there is nothing to find.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import {
  type Codec,
  json,
  type SqliteStore,
  StoreCorruptError,
  StoreOpenError,
  type StoreOptions,
  type VerifyFinding,
} from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { runChild } from "./support/processes/child.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  GO_STORY,
  SQL_STORY,
  STORE_STORY,
} from "./support/processes/foreign_writes.ts";
import { createGoFile } from "./support/go_file.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

/** Five changes: `"k"/"a"` is at version 2, `"k"/"b"` was deleted. */
async function fill(store: SqliteStore): Promise<void> {
  await store.set("k", "a", 1);
  await store.set("k", "a", 2);
  await store.set("k", "b", 3);
  await store.delete("k", "b");
  await store.set("l", "x", 5);
}

/** A store on a file, and a connection beside it that knows nothing of stores. */
async function openFilled(
  driver: TestDriver,
  dir: TempDir,
  options: Partial<StoreOptions> = {},
): Promise<AsyncDisposable & { store: SqliteStore; db: Connection }> {
  const path = dir.file("app.db");
  const store = await openOn(driver, { path, ...options });
  await fill(store);
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

/** Runs SQL that no trigger sees. */
function runUntold(db: Connection, sql: string): void {
  const triggers = db.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  db.exec(sql);
  for (const trigger of triggers) db.exec(trigger.sql as string);
}

/** What a finding is expected to be: its part, then of which entry and revision, then a part of its message. */
type Expected = readonly [part: string, where: string, message: string];

function whereOf({ kind, key, revision }: VerifyFinding): string {
  const parts = [kind, key, revision];
  return parts.filter((part) => part !== undefined).join(" ");
}

function assertFindings(
  found: readonly VerifyFinding[],
  expected: readonly Expected[],
): void {
  const all = Deno.inspect(found);
  assertEquals(
    found.map((finding) => [finding.part, whereOf(finding)]),
    expected.map(([part, where]) => [part, where]),
    all,
  );
  for (const [i, { message }] of found.entries()) {
    assert(message.includes(expected[i][2]), `${expected[i][2]} in ${all}`);
    const fields = ["part", "message", "kind", "key", "revision"];
    assertEquals(
      Object.keys(found[i]).filter((it) => !fields.includes(it)),
      [],
    );
    // It says what to do.
    assertMatch(message, /^["A-Z][^]*; /);
    assertEquals(message.at(-1) === ".", false, message);
  }
}

const LOG = (where: string, message: string): Expected => [
  "log",
  where,
  message,
];
const ENTRIES = (where: string, message: string): Expected => [
  "entries",
  where,
  message,
];
const ROW = (key: string, rest = "value = value") =>
  `UPDATE zestor_kv SET ${rest} WHERE key = '${key}'`;
const CHANGE = (revision: number, set: string) =>
  `UPDATE zestor_changes SET ${set} WHERE revision = ${revision}`;
const INSERT = (columns: string, values: string) =>
  `INSERT INTO zestor_kv (${columns}) VALUES (${values})`;

/** SQL whose changes the triggers log, and what is wrong then. */
const TOLD: Record<string, readonly [sql: string, ...Expected[]]> = {
  "a key with a NUL": [
    INSERT("kind, key, value", "'k', 'c' || char(0) || 'd', 1"),
    LOG("6", 'Cannot use "c\\u0000d" as a key: it contains a NUL'),
    ENTRIES("", "it contains a NUL; rename it, or delete it, by SQL"),
  ],
  "a kind with a NUL": [
    INSERT("kind, key, value", "'m' || char(0), 'c', 1"),
    LOG("6", 'Cannot use "m\\u0000" as a kind: it contains a NUL'),
    ENTRIES("", "it contains a NUL"),
  ],
  "a key that is a blob": [
    INSERT("kind, key, value", "'k', x'6162', 1"),
    LOG("6", "it is not a string"),
    ENTRIES("", "as a key: it is not a string"),
  ],
  "a key that is no UTF-8": [
    INSERT("kind, key, value", "'k', CAST(x'ff41' AS TEXT), 1"),
    LOG("6", "Uint8Array(2) [ 255, 65 ] as a key"),
    ENTRIES("", "it is not a string"),
  ],
  "an empty key": [
    INSERT("kind, key, value", "'k', '', 1"),
    LOG("6", 'Cannot use "" as a key: it is empty'),
    ENTRIES("", "it is empty"),
  ],
  "the version 0": [
    INSERT("kind, key, value, version", "'k', 'c', 1, 0"),
    LOG("k c 6", "has the version 0, expected an integer from 1 on"),
    ENTRIES("k c", "has the version 0, expected an integer from 1 on"),
  ],
  "a version that is no integer": [
    INSERT("kind, key, value, version", "'k', 'c', 1, 1.5"),
    LOG("k c 6", "has the version 1.5"),
    ENTRIES("k c", "has the version 1.5"),
  ],
  "a version that is text": [
    INSERT("kind, key, value, version", "'k', 'c', 1, 'x'"),
    LOG("k c 6", 'has the version "x"'),
    ENTRIES("k c", 'has the version "x"'),
  ],
  "a version past every safe integer": [
    INSERT("kind, key, value, version", `'k', 'c', 1, ${2n ** 60n}`),
    LOG("k c 6", "has the version 1152921504606847000"),
    ENTRIES("k c", "has the version 1152921504606847000"),
  ],
  "a value that the codec cannot decode": [
    INSERT("kind, key, value", "'k', 'c', '{'"),
    ENTRIES("k c", 'the value of "k"/"c" with the codec "json"'),
  ],
  "a time that is none": [
    INSERT("kind, key, value, updated_at", "'k', 'c', 1, 'yesterday'"),
    ENTRIES("k c", "has no readable time of its last change"),
  ],
};

/** The same of SQL that no trigger sees. */
const UNTOLD: Record<string, readonly [sql: string, ...Expected[]]> = {
  "a value": [
    ROW("a", "value = '3'"),
    ENTRIES(
      "k a 2",
      "has another value than its last change, revision 2, wrote",
    ),
  ],
  "a value of the same length": [
    ROW("a", "value = CAST('9' AS BLOB)"),
    ENTRIES(
      "k a 2",
      "has another value than its last change, revision 2, wrote",
    ),
  ],
  "a version": [
    ROW("a", "version = 3"),
    ENTRIES(
      "k a 2",
      "has version 3, but version 2 in its last change, revision 2",
    ),
  ],
  "a deletion": [
    "DELETE FROM zestor_kv WHERE key = 'a'",
    ENTRIES("k a 2", "does not exist, although revision 2 wrote it"),
  ],
  "an entry": [
    INSERT("kind, key, value", "'k', 'c', 1"),
    ENTRIES("k c", "has no change in the log"),
  ],
  "an entry that was deleted": [
    INSERT("kind, key, value", "'k', 'b', 3"),
    ENTRIES("k b 4", "exists, although revision 4 deleted it"),
  ],
  "a change's value": [
    CHANGE(2, "value = NULL"),
    LOG("k a 2", "has no value, in a change of"),
    ENTRIES(
      "k a 2",
      "has another value than its last change, revision 2, wrote",
    ),
  ],
  "the bytes of a change": [
    CHANGE(2, "value = CAST('7' AS BLOB)"),
    ENTRIES(
      "k a 2",
      "has another value than its last change, revision 2, wrote",
    ),
  ],
  "a change's previous value": [
    CHANGE(2, "previous = CAST('7' AS BLOB)"),
    LOG("k a 2", "has another previous value than revision 1 wrote"),
  ],
  "a change's version": [
    CHANGE(1, "version = 7"),
    LOG("k a 2", "has version 2, expected 8"),
  ],
  "a deletion's version": [
    CHANGE(4, "version = 2"),
    LOG("k b 4", "has version 2, expected 1"),
  ],
  "a change's type, for one that there is not": [
    CHANGE(5, "type = 'touch'"),
    LOG("l x 5", 'has the type "touch"'),
  ],
  "a first change that updates": [
    CHANGE(
      5,
      "type = 'update', previous = x'31', previous_revision = 4, previous_time = ''",
    ),
    LOG("l x 5", "updates an entry that did not exist"),
  ],
  "an update without a previous value": [
    CHANGE(2, "previous = NULL"),
    LOG("k a 2", "has no previous"),
  ],
  "a second creation": [
    CHANGE(
      2,
      "type = 'create', previous = NULL, version = 1, previous_revision = NULL, previous_time = NULL",
    ),
    LOG("k a 2", "creates an entry that existed since revision 1"),
    ENTRIES(
      "k a 2",
      "has version 2, but version 1 in its last change, revision 2",
    ),
  ],
  "a creation with a previous value": [
    CHANGE(5, "previous = x'31'"),
    LOG("l x 5", "has a previous value, although it is a creation"),
  ],
  "a deletion with a value": [
    CHANGE(4, "value = x'31'"),
    LOG("k b 4", "has a value, although it is a deletion"),
  ],
  "a deletion that is one too many": [
    CHANGE(
      5,
      "kind = 'k', key = 'b', type = 'delete', previous = x'33', previous_revision = 4, previous_time = ''",
    ),
    LOG("k b 5", "has a value, although it is a deletion"),
    LOG("k b 5", "deletes an entry that did not exist"),
    ENTRIES("l x", "has no change in the log"),
  ],
  "an entry's revision": [
    ROW("a", "revision = 1"),
    ENTRIES("k a 2", "has the revision 1, expected 2"),
  ],
  "an expiry that is no integer": [
    ROW("a", "expires_at = 'soon'"),
    ENTRIES("k a", 'has the expiry "soon", expected an integer or none'),
  ],
  "an expiry past every safe integer": [
    ROW("a", `expires_at = ${2n ** 60n}`),
    ENTRIES("k a", "has the expiry 1152921504606847000"),
  ],
  "a change without a mark": [
    CHANGE(2, "mark = NULL"),
    LOG("k a 2", "has no mark"),
    LOG("k a 2", "has no mark"),
    ENTRIES("k a 2", "has the revision 2, expected 0"),
  ],
  "a mark that cannot be one": [
    CHANGE(2, `mark = ${2n ** 48n}`),
    LOG("k a 2", "has a mark that cannot be one"),
  ],
  "a change without a time": [
    CHANGE(2, "time = NULL"),
    LOG("k a 2", "has no time"),
  ],
  "a change with an expiry that is no integer": [
    CHANGE(2, "expires_at = 1.5"),
    LOG("k a 2", "has an expiry that cannot be one"),
  ],
  "a deletion with an expiry": [
    CHANGE(4, "expires_at = 1"),
    LOG("k b 4", "has an expiry that cannot be one"),
  ],
  "a change's previous revision": [
    CHANGE(2, "previous_revision = 0"),
    LOG("k a 2", "replaces revision 0, expected 1"),
  ],
  "a creation with a previous revision": [
    CHANGE(5, "previous_revision = 1"),
    LOG("l x 5", "has a previous revision that cannot be one"),
  ],
  "a previous expiry that is no integer": [
    CHANGE(2, "previous_expires_at = 'x'"),
    LOG("k a 2", "has a previous expiry that cannot be one"),
  ],
  "a change taken out of the log": [
    "DELETE FROM zestor_changes WHERE revision = 3",
    LOG("3", "Revision 3 is missing from the change log"),
  ],
  "changes taken out of the log": [
    "DELETE FROM zestor_changes WHERE revision IN (2, 3, 4)",
    LOG("2", "The revisions 2 to 4 are missing from the change log"),
  ],
  "the newest changes taken out of the log": [
    "DELETE FROM zestor_changes WHERE revision > 3",
    LOG("", "ends at revision 3, but it has reached revision 5 before"),
    ENTRIES("l x", "has no change in the log"),
    ENTRIES("k b 3", "does not exist, although revision 3 wrote it"),
  ],
  "SQLite's memory of the newest revision": [
    "DELETE FROM sqlite_sequence",
    LOG("", "SQLite's record of the newest revision is gone"),
  ],
  "the change log, and SQLite's memory of it": [
    "DELETE FROM zestor_changes; UPDATE sqlite_sequence SET seq = 0",
    LOG("", "The change log is gone"),
  ],
  "a trigger of others": [
    "CREATE TRIGGER others AFTER INSERT ON zestor_kv BEGIN SELECT 1; END",
    ["foreign", "", "The trigger others on zestor_kv is not the store's"],
  ],
  "a trigger of others on the log": [
    'CREATE TRIGGER "a b" BEFORE DELETE ON zestor_changes BEGIN SELECT 1; END',
    ["foreign", "", "The trigger a b on zestor_changes is not the store's"],
  ],
  "an index of others that allows a value once": [
    "CREATE UNIQUE INDEX once ON zestor_kv (value)",
    ["foreign", "", "The index once on zestor_kv is not the store's"],
  ],
  "a table that was made anew": [
    `CREATE TABLE anew AS SELECT * FROM zestor_kv; DROP TABLE zestor_kv;
    CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL,
      value BLOB NOT NULL, version INTEGER NOT NULL DEFAULT 1,
      updated_at TEXT NOT NULL DEFAULT '',
      revision INTEGER NOT NULL DEFAULT 0, expires_at INTEGER,
      PRIMARY KEY (kind, key));
    CREATE INDEX zestor_expiry ON zestor_kv (expires_at) WHERE expires_at IS NOT NULL;
    INSERT INTO zestor_kv SELECT * FROM anew; DROP TABLE anew`,
    ["triggers", "", "The table zestor_kv was created again"],
  ],
  "the file's format": [
    "UPDATE zestor_meta SET value = '4' WHERE name = 'format'",
    ["file", "", "its format is 4, and was opened as one of format 3"],
  ],
  "a file without the mark of its log": [
    "UPDATE zestor_meta SET value = 'x' WHERE name = 'mark'",
    ["file", "", "does not say at which revision its change log begins"],
  ],
  "a file without the index of expiry": [
    "DROP INDEX zestor_expiry",
    ["file", "", "The index zestor_expiry is missing"],
  ],
  "the file's codec": [
    "UPDATE zestor_meta SET value = 'yaml' WHERE name = 'codec'",
    ["file", "", 'encoded with the codec "yaml", received "json"'],
  ],
  "a kind's codec": [
    "INSERT INTO zestor_meta VALUES ('codec/l', 'yaml')",
    ["file", "", 'in kind "l" are encoded with the codec "yaml"'],
  ],
  "the name of the file's codec": [
    "DELETE FROM zestor_meta WHERE name = 'codec'",
    ["file", "", "does not say which codec"],
  ],
};

for (const [what, [sql, ...expected]] of Object.entries(TOLD)) {
  testOnEachDriver(`\`verify()\` finds ${what}`, async (driver) => {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    file.db.exec(sql);
    assertFindings(await file.store.verify(), expected);
  });
}

for (const [what, [sql, ...expected]] of Object.entries(UNTOLD)) {
  testOnEachDriver(
    `\`verify()\` finds what nobody told: ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      await using file = await openFilled(driver, dir);
      runUntold(file.db, sql);
      assertFindings(await file.store.verify(), expected);
    },
  );
}

const TRIGGERS = [
  "zestor_before_insert",
  "zestor_insert",
  "zestor_replace",
  "zestor_update",
  "zestor_before_rename",
  "zestor_rename",
  "zestor_rename_over",
  "zestor_delete",
];

testOnEachDriver("`verify()` finds a trigger that is gone", async (driver) => {
  for (const name of TRIGGERS) {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    file.db.exec(`DROP TRIGGER ${name}`);
    assertFindings(await file.store.verify(), [
      ["triggers", "", `The trigger ${name} is missing`],
    ]);
  }
});

testOnEachDriver(
  "`verify()` finds a trigger that is another",
  async (driver) => {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    file.db.exec(`DROP TRIGGER zestor_delete;
    CREATE TRIGGER zestor_delete AFTER DELETE ON zestor_kv BEGIN SELECT 1; END`);
    assertFindings(await file.store.verify(), [
      ["triggers", "", "The trigger zestor_delete differs"],
    ]);
  },
);

const TABLES = [
  "zestor_kv",
  "zestor_changes",
  "zestor_replaced",
  "zestor_meta",
];

testOnEachDriver("`verify()` finds a table that is gone", async (driver) => {
  for (const name of TABLES) {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    file.db.exec(`DROP TABLE ${name}`);
    const found = await file.store.verify();
    assertEquals(found[0].part, "file", name);
    assertMatch(found[0].message, new RegExp(`The table ${name} is missing; `));
  }
});

testOnEachDriver(
  "`verify()` finds a table of another shape",
  async (driver) => {
    for (const name of TABLES) {
      await using dir = await tempDir();
      await using file = await openFilled(driver, dir);
      file.db.exec(`ALTER TABLE ${name} ADD COLUMN more`);
      const [finding, ...others] = await file.store.verify();
      assertEquals(finding.part, "file");
      assert(finding.message.startsWith(`The file has a ${name} of another`));
      // What is in another table is still looked at.
      assertEquals(others.some(({ part }) => part === "file"), false);
    }
  },
);

testOnEachDriver(
  "`verify()` finds that the file is no longer at its path",
  async (driver) => {
    const isWindows = Deno.build.os === "windows";
    if (isWindows) return;
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    await Deno.rename(dir.file("app.db"), dir.file("moved.db"));
    assertFindings(await file.store.verify(), [
      ["file", "", "it was moved, replaced or deleted"],
    ]);
    await Deno.rename(dir.file("moved.db"), dir.file("app.db"));
    assertEquals(await file.store.verify(), []);
  },
);

/** Overwrites parts of a closed file. */
async function damage(
  path: string,
  change: (bytes: Uint8Array) => void,
): Promise<void> {
  const bytes = await Deno.readFile(path);
  change(bytes);
  await Deno.writeFile(path, bytes);
}

/** The page where a table or an index begins. */
async function rootPage(
  driver: TestDriver,
  path: string,
  name: string,
): Promise<number> {
  using db = await connect(driver, fileAt(path));
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
  return db.prepare(sql).get(name)!.rootpage as number;
}

/** A closed file, a page of which is overwritten: that where a table or an index begins. */
async function writeDamaged(
  driver: TestDriver,
  path: string,
  table: string,
): Promise<void> {
  {
    await using store = await openOn(driver, { path });
    await fill(store);
  }
  const page = await rootPage(driver, path, table);
  await damage(
    path,
    (bytes) => bytes.fill(0xff, (page - 1) * 4096, page * 4096),
  );
}

testOnEachDriver(
  "`verify()` tells of the entries' damage, and goes on to the rest",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeDamaged(driver, path, "zestor_kv");
    await using store = await openOn(driver, { path });
    await assertRejects(() => store.get("k", "a"), StoreCorruptError);
    using db = await connect(driver, fileAt(path));
    db.exec(CHANGE(5, "type = 'touch'"));
    const found = await store.verify();
    const parts = found.map(({ part }) => part);
    assertEquals(new Set(parts), new Set(["file", "log", "entries"]));
    const log = found.filter(({ part }) => part === "log");
    assertFindings(log, [LOG("l x 5", 'has the type "touch"')]);
    assertEquals([found[0].part, found.at(-1)!.part], ["file", "entries"]);
    assertMatch(found.at(-1)!.message, /malformed; restore the file/);
  },
);

testOnEachDriver(
  "`verify()` tells of the log's damage, and goes on to the rest",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      for (let i = 0; i < 40; i++) {
        await store.set("k", `${i}`, "#".repeat(500));
      }
      // Of what was deleted only the log knows.
      await store.set("k", "a", "marked");
      await store.delete("k", "a");
      for (let i = 0; i < 40; i++) {
        await store.set("k", `${i}`, "-".repeat(500));
      }
      await store.atomic().delete("k", "7").commit();
    }
    await damage(path, (bytes) => {
      const text = new TextDecoder("latin1").decode(bytes);
      const at = text.indexOf('"marked"');
      assert(at > 0);
      const start = Math.floor(at / 4096) * 4096;
      bytes.fill(0xff, start, start + 4096);
    });
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    runUntold(db, INSERT("kind, key, value", "'k', 'wrong', '{'"));
    const found = await store.verify();
    assertEquals(found.map(({ part }) => part), ["file", "log", "entries"]);
    assertMatch(found[1].message, /malformed; restore the file/);
    // Of the entries only what needs no log is found.
    assertFindings([found[2]], [ENTRIES("k wrong", "with the codec")]);
    assertEquals(await store.count("k"), 40);
  },
);

testOnEachDriver(
  "`openStore()` refuses a file whose log has no end",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeDamaged(driver, path, "zestor_changes");
    await assertRejects(
      () => openOn(driver, { path }),
      StoreOpenError,
      "malformed; restore it from a backup",
    );
  },
);

testOnEachDriver(
  "`verify()` finds an index that does not fit its table",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      await store.set("kind", "alice", 1);
    }
    const page = await rootPage(driver, path, "sqlite_autoindex_zestor_kv_1");
    await damage(path, (bytes) => {
      const start = (page - 1) * 4096;
      const at = new TextDecoder("latin1").decode(bytes)
        .indexOf("alice", start);
      assert(at > 0 && at < start + 4096);
      bytes[at] = "b".charCodeAt(0);
    });
    await using store = await openOn(driver, { path });
    const [first] = await store.verify();
    assertEquals(first.part, "file");
    assertMatch(first.message, /damaged: row 1 missing from index/);
  },
);

/** Files where there is nothing to find, by what wrote them last. */
testOnEachDriver("`verify()` finds nothing in a sound file", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path, history: 20 });
  using db = await connect(driver, fileAt(path));
  const assertSound = async (what: string) =>
    assertEquals(await store.verify(), [], what);
  const encoder = new TextEncoder();

  for (const [what, [write]] of Object.entries(STORE_STORY)) {
    await write(store);
    await assertSound(`a store: ${what}`);
  }
  db.exec("DELETE FROM zestor_kv");
  for (const [what, [sql]] of Object.entries(SQL_STORY)) {
    db.exec(sql);
    await assertSound(`SQL: ${what}`);
  }
  db.exec("DELETE FROM zestor_kv");
  for (const [what, [statements]] of Object.entries(GO_STORY)) {
    for (const { sql, params } of statements) {
      db.prepare(sql).run(
        ...params.map((param) =>
          typeof param === "string" ? param : encoder.encode(param.bytes)
        ),
      );
    }
    await assertSound(`the Go store: ${what}`);
  }
  const others: Record<string, string> = {
    "an insert with a version": INSERT(
      "kind, key, value, version",
      "'k', 'v', 1, 7",
    ),
    "an update of it": ROW("v", "value = 2"),
    "its deletion": "DELETE FROM zestor_kv WHERE key = 'v'",
    "values of every type": INSERT(
      "kind, key, value, updated_at",
      "'k', 't', 'true', '2024-01-02 03:04:05'), ('k', 'i', 1, '2024'), ('k', 'r', 1.5, '2024-01-02'), ('k', 'n', x'31', '2024-01-02T03:04:05+01:00'",
    ),
    "a number for a key": INSERT("kind, key, value", "1, 2, 3"),
    "other tables": "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT)",
    "a trigger of others on a table of theirs":
      "CREATE TRIGGER others AFTER INSERT ON notes BEGIN INSERT INTO zestor_kv (kind, key, value) VALUES ('notes', NEW.id, 1); END",
    "a view of others": "CREATE VIEW kinds AS SELECT kind FROM zestor_kv",
    "the Go store's index": "CREATE INDEX idx_kv_kind ON zestor_kv (kind)",
    VACUUM: "VACUUM",
    ANALYZE: "ANALYZE",
    REINDEX: "REINDEX",
    "pruning by hand":
      "DELETE FROM zestor_changes WHERE revision < (SELECT max(revision) FROM zestor_changes)",
    "emptying the log": "DELETE FROM zestor_changes",
  };
  for (const [what, sql] of Object.entries(others)) {
    db.exec(sql);
    await assertSound(what);
  }
  for (const conflict of ["FAIL", "ABORT", "IGNORE"]) {
    const sql =
      `INSERT OR ${conflict} INTO zestor_kv (kind, key, value) VALUES ('k', '${conflict}', 1), ('k', 't', 1), ('k', 'never', 1)`;
    try {
      db.exec(sql);
    } catch (error) {
      assertInstanceOf(error, SqlError);
    }
    await assertSound(`INSERT OR ${conflict}`);
  }
});

testOnEachDriver(
  "`verify()` finds nothing in a file that is only read",
  async (driver) => {
    for (const wal of [true, false]) {
      await using dir = await tempDir();
      await using file = await openFilled(driver, dir, { wal });
      const ro = `file:${dir.file("app.db")}?mode=ro`;
      await using reader = await openOn(driver, { path: ro });
      assertEquals(await reader.verify(), []);
      runUntold(file.db, ROW("a", "value = 3"));
      assertEquals((await reader.verify()).length, 1);
    }
  },
);

testOnEachDriver(
  "`verify()` finds nothing in a Go store's file that is only read",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createGoFile(driver, path);
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    assertEquals(await store.verify(), []);
  },
);

testOnEachDriver("`verify()` reads entries of many kinds", async (driver) => {
  await using dir = await tempDir();
  await using file = await openFilled(driver, dir, { history: 1_000 });
  const operation = file.store.atomic();
  // More than are read at once: of one kind, and kinds of one.
  for (let i = 0; i < 200; i++) {
    operation.set(`kind${i % 100}`, `${i}`, i).set("big", `${i}`, i);
  }
  await operation.commit();
  assertEquals(await file.store.verify(), []);
  const last = "ORDER BY kind DESC, key DESC LIMIT 1";
  for (const kind of ["big", "kind42", "l"]) {
    const row = `SELECT rowid FROM zestor_kv WHERE kind = '${kind}' ${last}`;
    runUntold(
      file.db,
      `UPDATE zestor_kv SET value = '"x"' WHERE rowid = (${row})`,
    );
  }
  const found = await file.store.verify();
  assertEquals(found.map(({ kind }) => kind), ["big", "kind42", "l"]);
});

testOnEachDriver(
  "`verify()` decodes with each kind's codec",
  async (driver) => {
    const upper: Codec = {
      name: "upper",
      encode: json.encode,
      decode(bytes) {
        const text = new TextDecoder().decode(bytes);
        if (text !== text.toUpperCase()) throw new Error("It is lower case");
        return text;
      },
    };
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir, { codec: { l: upper } });
    await file.store.set("l", "y", "LOUD");
    assertEquals(await file.store.verify(), []);
    await file.store.set("l", "z", "low");
    assertFindings(await file.store.verify(), [
      ENTRIES("l z", 'with the codec "upper": It is lower case'),
    ]);
  },
);

testOnEachDriver(
  "no read mistakes a fault that a verification finds",
  async (driver) => {
    const wrong: Record<string, string> = {
      "a key with a NUL": INSERT(
        "kind, key, value",
        "'k', 'c' || char(0) || 'd', 1",
      ),
      "a key that is a blob": INSERT("kind, key, value", "'k', x'63', 1"),
    };
    for (const [what, sql] of Object.entries(wrong)) {
      await using dir = await tempDir();
      await using file = await openFilled(driver, dir);
      const { store } = file;
      file.db.exec(sql);
      const reads = {
        list: () => store.list("k"),
        keys: () => store.keys("k"),
        values: () => store.values("k"),
        getAll: () => store.getAll(),
        entries: () => Array.fromAsync(store.entries("k")),
        replay: () => store.watch("k", { initial: true }).getReader().read(),
        watch: () => store.watch("k", { after: 5 }).getReader().read(),
      };
      for (const [name, read] of Object.entries(reads)) {
        await assertRejects(
          read as () => Promise<unknown>,
          StoreCorruptError,
          "find it by verify()",
          `${name} of ${what}`,
        );
      }
      // What does not touch it goes on.
      assertEquals(await store.get("k", "a"), 2);
      assertEquals((await store.set("k", "c", 1)).status, "created");
      assertEquals(await store.list("k", { end: "b" }), new Map([["a", 2]]));
    }
  },
);

testOnEachDriver(
  "listing the kinds reports a kind with a NUL",
  async (driver) => {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    file.db.exec(INSERT("kind, key, value", "'k' || char(0), 'c', 1"));
    for (const read of [() => file.store.kinds(), () => file.store.getAll()]) {
      await assertRejects(
        read as () => Promise<unknown>,
        StoreCorruptError,
        "find it by verify()",
      );
    }
    assertEquals(await file.store.list("k"), new Map([["a", 2]]));
  },
);

testOnEachDriver("an invalid version is reported", async (driver) => {
  for (const version of ["1.5", "'x'", 2n ** 60n]) {
    await using dir = await tempDir();
    await using file = await openFilled(driver, dir);
    const { store } = file;
    file.db.exec(
      INSERT("kind, key, value, version", `'k', 'c', 1, ${version}`),
    );
    const calls = [
      () => store.entry("k", "c"),
      () => Array.fromAsync(store.entries("k")),
      () => store.set("k", "c", 2),
      () => store.set("k", "c", 2, { ifVersion: 1 }),
      () => store.delete("k", "c"),
    ];
    for (const call of calls) {
      await assertRejects(call as () => Promise<unknown>, StoreCorruptError);
    }
    assertEquals(await store.get("k", "c"), 1);
    // An atomic operation deletes without looking.
    await store.atomic().delete("k", "c").commit();
    assertEquals(await store.get("k", "c"), undefined);
  }
});

testOnEachDriver("a time without a zone is in UTC", async (driver) => {
  await using dir = await tempDir();
  const times = {
    "2024-01-02 03:04:05": "2024-01-02T03:04:05.000Z",
    "2024-01-02T03:04": "2024-01-02T03:04:00.000Z",
    "2024-01-02T03:04:05.678Z": "2024-01-02T03:04:05.678Z",
    "2024-01-02T03:04:05+02:00": "2024-01-02T01:04:05.000Z",
    "2024-01-02": "2024-01-02T00:00:00.000Z",
  };
  {
    await using file = await openFilled(driver, dir);
    for (const time of Object.keys(times)) {
      const row = `'times', '${time}', 1, '${time}'`;
      file.db.exec(INSERT("kind, key, value, updated_at", row));
    }
  }
  // Where the local time is another.
  const program = `
    await using store = await zestor.openStore({
      path: "app.db", driver: "${driver.name}",
    });
    for await (const { updatedAt } of store.entries("times")) {
      console.log(updatedAt.toISOString());
    }`;
  const { stdout, stderr } = await runChild(dir.path, program, {
    permissions: ["--allow-all"],
    env: { TZ: "Asia/Tokyo" },
  });
  assertEquals(stderr, "");
  const inOrder = Object.entries(times).sort(([a], [b]) => a < b ? -1 : 1);
  assertEquals(stdout.split("\n"), inOrder.map(([, time]) => time));
});
