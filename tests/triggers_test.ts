/**
 * The change log under plain SQL: whoever writes a row of `zestor_kv`, and by
 * whatever statement, writes the change. After each, the log has to tell the
 * whole story of the table.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { connect, fileAt, preparingOnce } from "./support/connect.ts";
import {
  drivers,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  execUnlessRefused,
  isInTransaction,
  randomStatements,
} from "./support/random_statements.ts";
import { tempDir } from "./support/temp_dir.ts";

interface EntryRow {
  kind: string;
  key: string;
  value: Uint8Array;
  version: number;
  revision: number;
  expires_at: number | null;
}

interface ChangeRow extends Omit<EntryRow, "value"> {
  type: string;
  value: Uint8Array | null;
  previous: Uint8Array | null;
  time: string;
  mark: number;
  previous_revision: number | null;
  previous_time: string | null;
  previous_expires_at: number | null;
}

/** The table, built again from the log alone. */
class Replay {
  readonly #db: Connection;
  readonly #entries = new Map<string, EntryRow>();
  #revision = 0;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Asserts that the rest of the log leads to what the table holds now. */
  assertLogTellsTable(): void {
    const changes = this.#db.prepare(
      "SELECT * FROM zestor_changes WHERE revision > ? ORDER BY revision",
    ).all(this.#revision) as unknown as ChangeRow[];
    for (const change of changes) this.#assertFollows(change);
    const rows = this.#db.prepare(
      `SELECT kind, key, CAST(value AS BLOB) AS value, version, revision,
        expires_at FROM zestor_kv`,
    ).all() as unknown as EntryRow[];
    assertEquals(
      this.#entries,
      new Map(rows.map((row) => [idOf(row), { ...row }])),
    );
    assertOneNote(this.#db);
  }

  #assertFollows(change: ChangeRow): void {
    try {
      this.#apply(change);
    } catch (cause) {
      throw new Error(`The log is wrong at ${Deno.inspect(change)}`, { cause });
    }
  }

  #apply(change: ChangeRow): void {
    const { kind, key, type, version, value, revision, expires_at } = change;
    assertEquals(revision, ++this.#revision);
    assert(change.mark >= 0 && change.mark < 2 ** 48);
    assert(!Number.isNaN(Date.parse(change.time)));
    const before = this.#entries.get(idOf(change));
    assertEquals(
      [change.previous, change.previous_revision, change.previous_expires_at],
      [
        before?.value ?? null,
        before?.revision ?? null,
        before?.expires_at ?? null,
      ],
    );
    assertEquals(change.previous_time !== null, before !== undefined);
    if (type === "delete" || type === "expire") {
      assert(before);
      const isPast = before.expires_at !== null &&
        before.expires_at < Date.now();
      assertEquals(type, isPast ? "expire" : "delete");
      assertEquals(expires_at, null);
      assertEquals({ version, value }, {
        version: before.version,
        value: null,
      });
      this.#entries.delete(idOf(change));
      return;
    }
    assertEquals(type, before ? "update" : "create");
    assert(value);
    if (before) {
      assertEquals(version, before.version + 1);
    }
    this.#entries.set(idOf(change), {
      kind,
      key,
      value,
      version,
      revision,
      expires_at,
    });
  }
}

function assertLogTellsTable(db: Connection): void {
  new Replay(db).assertLogTellsTable();
}

/** The triggers read the note without asking which. */
function assertOneNote(db: Connection): void {
  const notes = db.prepare("SELECT kind, key FROM zestor_replaced").all();
  assert(notes.length <= 1, Deno.inspect(notes));
}

function idOf({ kind, key }: { kind: string; key: string }): string {
  return JSON.stringify([kind, key]);
}

/** Makes the tables and triggers of a store. */
function install(db: Connection): void {
  upgradeFile(db, inspectFile(db), new Map());
}

/** A store's tables in memory, with nothing in them. */
async function emptyStore(
  driver: TestDriver,
  recursive: boolean,
): Promise<Connection & Disposable> {
  const db = preparingOnce(await connect(driver));
  install(db);
  db.exec(`PRAGMA recursive_triggers = ${recursive ? "ON" : "OFF"}`);
  return db;
}

/** Two kinds, versions above 1, a value as text, and one value twice. */
const FIXTURE = `
  INSERT INTO zestor_kv (kind, key, value) VALUES
    ('k', 'a', x'30'), ('k', 'b', x'32'), ('k', 'same', x'31'), ('l', 'a', 'text');
  UPDATE zestor_kv SET value = x'31' WHERE kind = 'k' AND key = 'a';`;

/** Changes past the fixture's, such as `update k/a@3 1 to 9`. */
function changesOf(db: Connection): string[] {
  return db.prepare(
    "SELECT * FROM zestor_changes WHERE revision > 5 ORDER BY revision",
  ).all().map((row) => {
    const { kind, key, type, version, value, previous } =
      row as unknown as ChangeRow;
    const values = [previous, value].flatMap((bytes) =>
      bytes ? [new TextDecoder().decode(bytes)] : []
    );
    return `${type} ${kind}/${key}@${version} ${values.join(" to ")}`;
  });
}

interface Case {
  readonly sql: string;
  /** What the log then has. */
  readonly changes: string[];
  /** The same with `PRAGMA recursive_triggers` on, where it differs. */
  readonly recursive?: string[];
}

const COLUMNS = "zestor_kv (kind, key, value)";
const A = "kind = 'k' AND key = 'a'";

const CASES: Record<string, Case> = {
  "an insert": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', x'33')`,
    changes: ["create k/c@1 3"],
  },
  "an insert of text": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 'three')`,
    changes: ["create k/c@1 three"],
  },
  "an insert of a number": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3)`,
    changes: ["create k/c@1 3"],
  },
  "an insert of an empty value": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', x'')`,
    changes: ["create k/c@1 "],
  },
  "an insert of several rows": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3), ('j', 'a', 4)`,
    changes: ["create k/c@1 3", "create j/a@1 4"],
  },
  "an insert of what a query gives": {
    sql: `INSERT INTO ${COLUMNS} SELECT 'j', key, value FROM zestor_kv
      WHERE kind = 'k' ORDER BY key`,
    changes: ["create j/a@1 1", "create j/b@1 2", "create j/same@1 1"],
  },
  "an insert with a version": {
    sql: `INSERT INTO zestor_kv (kind, key, value, version)
      VALUES ('k', 'c', 3, 7)`,
    changes: ["create k/c@7 3"],
  },
  "an insert that fails": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3), ('k', 'a', 4)`,
    changes: [],
  },
  "an insert that fails on a null": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3), ('k', 'd', NULL)`,
    changes: [],
  },
  "an insert that fails after some rows": {
    sql: `INSERT OR FAIL INTO ${COLUMNS} VALUES ('k', 'c', 3), ('k', 'a', 4)`,
    changes: ["create k/c@1 3"],
  },

  "an update that leaves the version alone": {
    sql: `UPDATE zestor_kv SET value = 9 WHERE ${A}`,
    changes: ["update k/a@3 1 to 9"],
  },
  "an update that counts the version": {
    sql: `UPDATE zestor_kv SET value = 9, version = version + 1 WHERE ${A}`,
    changes: ["update k/a@3 1 to 9"],
  },
  "an update with any version": {
    sql: `UPDATE zestor_kv SET value = 9, version = 100 WHERE ${A}`,
    changes: ["update k/a@3 1 to 9"],
  },
  "an update to the same value": {
    sql: `UPDATE zestor_kv SET value = x'31' WHERE ${A}`,
    changes: [],
  },
  "an update to the same value that counts the version": {
    sql: `UPDATE zestor_kv SET value = x'31', version = version + 1 WHERE ${A}`,
    changes: [],
  },
  "an update to the same bytes as text": {
    sql: `UPDATE zestor_kv SET value = '1' WHERE ${A}`,
    changes: [],
  },
  "an update of text to the same bytes": {
    sql: `UPDATE zestor_kv SET value = CAST('text' AS BLOB) WHERE kind = 'l'`,
    changes: [],
  },
  "an update of the time alone": {
    sql: `UPDATE zestor_kv SET updated_at = '2000-01-01T00:00:00.000Z'`,
    changes: [],
  },
  "an update of several rows, one to the same value": {
    sql: `UPDATE zestor_kv SET value = 2, version = version + 1
      WHERE kind = 'k'`,
    changes: ["update k/a@3 1 to 2", "update k/same@2 1 to 2"],
  },
  "an update of no row": {
    sql: `UPDATE zestor_kv SET value = 9 WHERE kind = 'none'`,
    changes: [],
  },
  "an update that fails": {
    sql: `UPDATE zestor_kv SET value = CASE key WHEN 'a' THEN 9 END
      WHERE kind = 'k'`,
    changes: [],
  },

  "an update of a key": {
    sql: `UPDATE zestor_kv SET key = 'c' WHERE ${A}`,
    changes: ["delete k/a@2 1", "create k/c@1 1"],
  },
  "an update of a kind": {
    sql: `UPDATE zestor_kv SET kind = 'j' WHERE kind = 'k'`,
    changes: [
      "delete k/a@2 1",
      "create j/a@1 1",
      "delete k/b@1 2",
      "create j/b@1 2",
      "delete k/same@1 1",
      "create j/same@1 1",
    ],
  },
  "an update of kind, key, value and version": {
    sql: `UPDATE zestor_kv SET kind = 'j', key = 'c', value = 9, version = 50
      WHERE ${A}`,
    changes: ["delete k/a@2 1", "create j/c@1 9"],
  },
  "an update of a key to itself": {
    sql: "UPDATE zestor_kv SET key = key, kind = kind, version = 50",
    changes: [],
  },
  "an update of a key to itself, and of the value": {
    sql: `UPDATE zestor_kv SET key = key, value = 9 WHERE ${A}`,
    changes: ["update k/a@3 1 to 9"],
  },
  "an update of a key that fails": {
    sql: `UPDATE zestor_kv SET key = 'b' WHERE ${A}`,
    changes: [],
  },
  "an update of a key that is ignored": {
    sql: `UPDATE OR IGNORE zestor_kv SET key = 'b' WHERE ${A}`,
    changes: [],
  },
  "a key that two entries take turns to have": {
    sql: `UPDATE zestor_kv SET key = 'tmp' WHERE kind = 'k' AND key = 'a';
      UPDATE zestor_kv SET key = 'a' WHERE kind = 'k' AND key = 'b';
      UPDATE zestor_kv SET key = 'b' WHERE kind = 'k' AND key = 'tmp'`,
    changes: [
      "delete k/a@2 1",
      "create k/tmp@1 1",
      "delete k/b@1 2",
      "create k/a@1 2",
      "delete k/tmp@1 1",
      "create k/b@1 1",
    ],
  },

  "an update of a key onto another": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'b' WHERE ${A}`,
    changes: ["delete k/a@2 1", "update k/b@2 2 to 1"],
  },
  "an update of a key onto another with the same value": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'a', version = 9
      WHERE key = 'same'`,
    changes: ["delete k/same@1 1"],
  },
  "an update of every key onto one": {
    sql: "UPDATE OR REPLACE zestor_kv SET kind = 'k', key = 'x'",
    changes: [
      "delete k/a@2 1",
      "create k/x@1 1",
      "delete k/b@1 2",
      "update k/x@2 1 to 2",
      "delete k/same@1 1",
      "update k/x@3 2 to 1",
      "delete l/a@1 text",
      "update k/x@4 1 to text",
    ],
  },

  "a replace of no entry": {
    sql: `INSERT OR REPLACE INTO ${COLUMNS} VALUES ('k', 'c', 3)`,
    changes: ["create k/c@1 3"],
  },
  "a replace with a new value": {
    sql: `INSERT OR REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 9)`,
    changes: ["update k/a@3 1 to 9"],
  },
  "a replace with the same value": {
    sql: `REPLACE INTO ${COLUMNS} VALUES ('k', 'a', x'31')`,
    changes: [],
    recursive: ["update k/a@3 1 to 1"],
  },
  "a replace with the same bytes as text": {
    sql: `REPLACE INTO ${COLUMNS} VALUES ('k', 'a', '1')`,
    changes: [],
    recursive: ["update k/a@3 1 to 1"],
  },
  "a replace with a version": {
    sql: `INSERT OR REPLACE INTO zestor_kv (kind, key, value, version)
      VALUES ('k', 'a', 9, 50)`,
    changes: ["update k/a@3 1 to 9"],
  },
  "a replace with no version": {
    sql: `INSERT OR REPLACE INTO zestor_kv (kind, key, value, version)
      VALUES ('k', 'a', 9, NULL), ('k', 'c', 3, NULL)`,
    changes: ["update k/a@3 1 to 9", "create k/c@1 3"],
  },
  "a replace of several rows, with a key twice": {
    sql: `REPLACE INTO ${COLUMNS} VALUES
      ('k', 'a', 8), ('k', 'c', 3), ('k', 'a', 9), ('k', 'c', 3)`,
    changes: ["update k/a@3 1 to 8", "create k/c@1 3", "update k/a@4 8 to 9"],
    recursive: [
      "update k/a@3 1 to 8",
      "create k/c@1 3",
      "update k/a@4 8 to 9",
      "update k/c@2 3 to 3",
    ],
  },
  "a replace of what a query gives": {
    sql: `REPLACE INTO ${COLUMNS} SELECT 'l', key, value FROM zestor_kv
      WHERE kind = 'k' AND key < 'c' ORDER BY key`,
    changes: ["update l/a@2 text to 1", "create l/b@1 2"],
  },
  "a replace that fails": {
    sql: `REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 9), ('k', 'b', NULL)`,
    changes: [],
  },

  "an insert that is ignored": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES ('k', 'a', 9)`,
    changes: [],
  },
  "an insert of which some rows are ignored": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES
      ('k', 'a', 9), ('k', 'c', 3), ('k', 'd', NULL), ('k', 'c', 4)`,
    changes: ["create k/c@1 3"],
  },
  "an insert that does nothing on conflict": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9), ('k', 'c', 3)
      ON CONFLICT (kind, key) DO NOTHING`,
    changes: ["create k/c@1 3"],
  },
  "an upsert with a new value": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9), ('k', 'c', 3)
      ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`,
    changes: ["update k/a@3 1 to 9", "create k/c@1 3"],
  },
  "an upsert that counts the version": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9)
      ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1`,
    changes: ["update k/a@3 1 to 9"],
  },
  "an upsert with the same value": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', '1')
      ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1`,
    changes: [],
  },
  "an upsert whose condition does not hold": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9)
      ON CONFLICT DO UPDATE SET value = excluded.value WHERE version > 9`,
    changes: [],
  },
  "an upsert of several rows, with a key twice": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3), ('k', 'c', 4)
      ON CONFLICT DO UPDATE SET value = excluded.value`,
    changes: ["create k/c@1 3", "update k/c@2 3 to 4"],
  },
  "an upsert that moves the entry": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9)
      ON CONFLICT DO UPDATE SET key = 'c', value = excluded.value;
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9)`,
    changes: ["delete k/a@2 1", "create k/c@1 9", "create k/a@1 9"],
  },

  "a delete": {
    sql: `DELETE FROM zestor_kv WHERE ${A}`,
    changes: ["delete k/a@2 1"],
  },
  "a delete of a value that is text": {
    sql: "DELETE FROM zestor_kv WHERE kind = 'l'",
    changes: ["delete l/a@1 text"],
  },
  "a delete of no entry": {
    sql: "DELETE FROM zestor_kv WHERE kind = 'none'",
    changes: [],
  },
  "a delete of a kind": {
    sql: "DELETE FROM zestor_kv WHERE kind = 'k'",
    changes: ["delete k/a@2 1", "delete k/b@1 2", "delete k/same@1 1"],
  },
  "a delete of everything": {
    sql: "DELETE FROM zestor_kv",
    changes: [
      "delete k/a@2 1",
      "delete k/b@1 2",
      "delete k/same@1 1",
      "delete l/a@1 text",
    ],
  },
  "a delete, and the key anew": {
    sql: `DELETE FROM zestor_kv WHERE ${A};
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', x'31')`,
    changes: ["delete k/a@2 1", "create k/a@1 1"],
  },

  // A note of a row that was not replaced after all.

  "a key anew after an insert that did nothing": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9) ON CONFLICT DO NOTHING;
      DELETE FROM zestor_kv WHERE ${A};
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', 9)`,
    changes: ["delete k/a@2 1", "create k/a@1 9"],
  },
  "the same key and value anew after an insert that was ignored": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES ('k', 'a', 9);
      DELETE FROM zestor_kv;
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', '1')`,
    changes: [
      "delete k/a@2 1",
      "delete k/b@1 2",
      "delete k/same@1 1",
      "delete l/a@1 text",
      "create k/a@1 1",
    ],
  },
  "a replace after an insert that did nothing and an update": {
    sql: `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 7) ON CONFLICT DO NOTHING;
      UPDATE zestor_kv SET value = 8 WHERE ${A};
      REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 1)`,
    changes: ["update k/a@3 1 to 8", "update k/a@4 8 to 1"],
  },
  "a key anew after an insert that did nothing and a rename": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES ('k', 'a', 7);
      UPDATE zestor_kv SET key = 'c' WHERE ${A};
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', '1')`,
    changes: ["delete k/a@2 1", "create k/c@1 1", "create k/a@1 1"],
  },
  "a rename to a key after an insert there that did nothing": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES ('k', 'a', 7);
      DELETE FROM zestor_kv WHERE ${A};
      UPDATE zestor_kv SET key = 'a' WHERE kind = 'k' AND key = 'b'`,
    changes: ["delete k/a@2 1", "delete k/b@1 2", "create k/a@1 2"],
  },
  "a key anew after a rename onto it": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'b' WHERE ${A};
      DELETE FROM zestor_kv WHERE kind = 'k' AND key = 'b';
      INSERT INTO ${COLUMNS} VALUES ('k', 'b', 2), ('k', 'a', 1)`,
    changes: [
      "delete k/a@2 1",
      "update k/b@2 2 to 1",
      "delete k/b@2 1",
      "create k/b@1 2",
      "create k/a@1 1",
    ],
  },
  "a key anew after a rename onto it that was ignored": {
    sql: `UPDATE OR IGNORE zestor_kv SET key = 'b' WHERE ${A};
      DELETE FROM zestor_kv WHERE kind = 'k' AND key IN ('a', 'b');
      INSERT INTO ${COLUMNS} VALUES ('k', 'b', 2), ('k', 'a', 1)`,
    changes: [
      "delete k/a@2 1",
      "delete k/b@1 2",
      "create k/b@1 2",
      "create k/a@1 1",
    ],
  },
  "a rename away and another one back": {
    sql: `REPLACE INTO ${COLUMNS} VALUES ('k', 'a', x'31');
      UPDATE zestor_kv SET key = 'c' WHERE ${A};
      UPDATE zestor_kv SET key = 'a' WHERE kind = 'k' AND key = 'same'`,
    changes: [
      "delete k/a@2 1",
      "create k/c@1 1",
      "delete k/same@1 1",
      "create k/a@1 1",
    ],
    recursive: [
      "update k/a@3 1 to 1",
      "delete k/a@3 1",
      "create k/c@1 1",
      "delete k/same@1 1",
      "create k/a@1 1",
    ],
  },

  // Transactions.

  "a transaction": {
    sql: `BEGIN; UPDATE zestor_kv SET value = 9 WHERE ${A};
      DELETE FROM zestor_kv WHERE ${A};
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', 3); COMMIT`,
    changes: ["update k/a@3 1 to 9", "delete k/a@3 9", "create k/a@1 3"],
  },
  "a transaction that is rolled back": {
    sql: `BEGIN; UPDATE zestor_kv SET value = 9; DELETE FROM zestor_kv;
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', 3); ROLLBACK;
      INSERT INTO ${COLUMNS} VALUES ('k', 'c', 3)`,
    changes: ["create k/c@1 3"],
  },
  "a transaction that a statement rolls back": {
    sql: `BEGIN; DELETE FROM zestor_kv WHERE kind = 'l';
      INSERT OR ROLLBACK INTO ${COLUMNS} VALUES ('k', 'a', 3)`,
    changes: [],
  },
  "a savepoint that is rolled back": {
    sql: `BEGIN; UPDATE zestor_kv SET value = 8 WHERE ${A};
      SAVEPOINT s; REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 9);
      DELETE FROM zestor_kv WHERE ${A}; ROLLBACK TO s; RELEASE s;
      REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 7); COMMIT`,
    changes: ["update k/a@3 1 to 8", "update k/a@4 8 to 7"],
  },
  "a savepoint that brings a note back": {
    sql: `INSERT OR IGNORE INTO ${COLUMNS} VALUES ('k', 'a', 7);
      SAVEPOINT s; DELETE FROM zestor_kv WHERE ${A}; ROLLBACK TO s; RELEASE s;
      DELETE FROM zestor_kv WHERE ${A};
      INSERT INTO ${COLUMNS} VALUES ('k', 'a', '1')`,
    changes: ["delete k/a@2 1", "create k/a@1 1"],
  },
};

for (const driver of drivers) {
  for (const [name, { sql, changes, recursive }] of Object.entries(CASES)) {
    driver.test(`the log tells of ${name} [${driver.name}]`, async () => {
      for (const isRecursive of [false, true]) {
        using db = await emptyStore(driver, isRecursive);
        db.exec(FIXTURE);
        assertLogTellsTable(db);
        execUnlessRefused(db, sql);
        assertEquals(
          changesOf(db),
          isRecursive ? recursive ?? changes : changes,
          `recursive_triggers: ${isRecursive}`,
        );
        assertLogTellsTable(db);
      }
    });
  }
}

testOnEachDriver(
  "the log tells of the Go store's statements",
  async (driver) => {
    using db = await emptyStore(driver, false);
    db.exec(FIXTURE);
    const now = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";
    const set = db.prepare(
      "INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?) ON CONFLICT(kind,key) DO NOTHING;",
    );
    const update = db.prepare(
      `UPDATE zestor_kv SET value=?, version=version+1, updated_at=${now} WHERE kind=? AND key=?;`,
    );
    const upsert = db.prepare(
      `INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?)
     ON CONFLICT(kind,key) DO UPDATE SET
       value      = excluded.value,
       version    = zestor_kv.version + 1,
       updated_at = ${now};`,
    );
    const remove = db.prepare("DELETE FROM zestor_kv WHERE kind=? AND key=?;");
    const bytes = (text: string) => new TextEncoder().encode(text);

    // Set: of a new key, of another value, of the same.
    db.exec("BEGIN");
    set.run("k", "c", bytes("3"));
    db.exec("COMMIT; BEGIN");
    set.run("k", "a", bytes("9"));
    update.run(bytes("9"), "k", "a");
    db.exec("COMMIT; BEGIN");
    set.run("k", "a", bytes("9"));
    db.exec("COMMIT");
    // SetMany.
    db.exec("BEGIN");
    upsert.run("k", "a", bytes("10"));
    upsert.run("k", "d", bytes("4"));
    db.exec("COMMIT");
    // Delete, and Set anew.
    db.exec("BEGIN");
    remove.run("k", "a");
    db.exec("COMMIT; BEGIN");
    set.run("k", "a", bytes("1"));
    db.exec("COMMIT");

    assertEquals(changesOf(db), [
      "create k/c@1 3",
      "update k/a@3 1 to 9",
      "update k/a@4 9 to 10",
      "create k/d@1 4",
      "delete k/a@4 10",
      "create k/a@1 1",
    ]);
    assertLogTellsTable(db);
  },
);

testOnEachDriver(
  "the log tells of a writer that attached the file to its own",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      using db = await connect(driver, fileAt(path));
      install(db);
    }
    {
      using own = await connect(driver);
      // Tables of the same names, which are not meant.
      own.exec("CREATE TABLE zestor_changes (x); CREATE TABLE zestor_kv (x)");
      own.exec("CREATE TEMP TABLE zestor_replaced (x)");
      own.prepare("ATTACH ? AS app").run(path);
      own.exec(`
        INSERT INTO app.${COLUMNS} VALUES ('k', 'a', 1), ('k', 'b', 2);
        REPLACE INTO app.${COLUMNS} VALUES ('k', 'a', 3);
        DELETE FROM app.zestor_kv WHERE key = 'b'`);
      assertEquals(
        own.prepare("SELECT count(*) AS n FROM main.zestor_changes").get(),
        { n: 0 },
      );
    }
    using db = await connect(driver, fileAt(path));
    assertLogTellsTable(db);
    assertEquals(
      db.prepare("SELECT type FROM zestor_changes").all().map(({ type }) =>
        type
      ),
      ["create", "create", "update", "delete"],
    );
  },
);

testOnEachDriver(
  "the log tells of keys that SQLite could take for the same",
  async (driver) => {
    using db = await emptyStore(driver, false);
    const replace = db.prepare(`REPLACE INTO ${COLUMNS} VALUES (?, ?, 1)`);
    const names = ["a", "A", "a ", " a", "1", "1.0", "01", "é", "e\u0301"];
    for (const kind of names) {
      for (const key of names) replace.run(kind, key);
    }
    assertLogTellsTable(db);
    const { n } = db.prepare("SELECT count(*) AS n FROM zestor_changes").get()!;
    assertEquals(n, names.length ** 2);
  },
);

// Anything, in any order.

const STATEMENTS = 4_000;

for (const seed of [1, 2, 3]) {
  testOnEachDriver(
    `the log tells of ${STATEMENTS} random statements, seed ${seed}`,
    async (driver) => {
      using db = await emptyStore(driver, false);
      const statement = randomStatements(seed);
      const replay = new Replay(db);
      const history: string[] = [];
      for (let i = 0; i < STATEMENTS; i++) {
        const sql = statement();
        history.push(sql);
        execUnlessRefused(db, sql);
        if (isInTransaction(db)) continue;
        try {
          replay.assertLogTellsTable();
        } catch (error) {
          throw new Error(`The log is wrong after\n${history.join(";\n")}`, {
            cause: error,
          });
        }
        history.length = 0;
      }
      if (isInTransaction(db)) db.exec("ROLLBACK");
      assertLogTellsTable(db);
      // It was not all in vain.
      const { head } = db.prepare(
        "SELECT max(revision) AS head FROM zestor_changes",
      ).get()!;
      assertGreater(head as number, STATEMENTS / 4);
    },
  );
}
