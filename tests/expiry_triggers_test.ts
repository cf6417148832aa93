/**
 * Revisions, times, marks and expiry under plain SQL: who does not know of them
 * writes as ever, and the triggers set them right.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { connect } from "./support/connect.ts";
import { drivers, testOnEachDriver } from "./support/drivers.ts";

const PAST = 1_000;
const FUTURE = 4_000_000_000_000;

/** One entry without expiry, one that has expired, and one that will. */
const FIXTURE = `
  INSERT INTO zestor_kv (kind, key, value, updated_at, expires_at) VALUES
    ('k', 'plain', 1, '2001-01-01T00:00:00.000Z', NULL),
    ('k', 'gone', 1, '2002-01-01T00:00:00.000Z', ${PAST}),
    ('k', 'soon', 1, '2003-01-01T00:00:00.000Z', ${FUTURE})`;

function fill(db: Connection, recursive: boolean): void {
  upgradeFile(db, inspectFile(db), new Map());
  db.exec(`PRAGMA recursive_triggers = ${recursive ? "ON" : "OFF"}`);
  db.exec(FIXTURE);
}

/** Changes past the fixture's, such as `update soon@2 of 3, expires then to never`. */
function changesOf(db: Connection): string[] {
  return db.prepare(
    "SELECT * FROM zestor_changes WHERE revision > 3 ORDER BY revision",
  ).all().map((row) => {
    const { type, key, version, previous_revision, previous_expires_at } = row;
    const replaced = previous_revision === null
      ? ""
      : ` of ${previous_revision}, which expired ${
        timeOf(previous_expires_at)
      }`;
    const expiry = type === "delete" || type === "expire"
      ? ""
      : `, expires ${timeOf(row.expires_at)}`;
    return `${type} ${key}@${version}${replaced}${expiry}`;
  });
}

function timeOf(expiry: unknown): string {
  if (expiry === null) return "never";
  if (expiry === PAST) return "long ago";
  if (expiry === FUTURE) return "then";
  return `at ${expiry}`;
}

interface Case {
  readonly sql: string;
  /** What the log then has. */
  readonly changes: string[];
}

const INTO = "INTO zestor_kv (kind, key, value) VALUES";

const CASES: Record<string, Case> = {
  "an update of a writer who does not know of expiry": {
    sql: "UPDATE zestor_kv SET value = 2 WHERE key = 'soon'",
    changes: ["update soon@2 of 3, which expired then, expires never"],
  },
  "an update of what had expired": {
    sql:
      "UPDATE zestor_kv SET value = 2, version = version + 1 WHERE key = 'gone'",
    changes: ["update gone@2 of 2, which expired long ago, expires never"],
  },
  "an update to the same value": {
    sql: "UPDATE zestor_kv SET value = 1, version = 9, revision = 9",
    changes: [],
  },
  "an update with another expiry": {
    sql: "UPDATE zestor_kv SET value = 2, expires_at = 5 WHERE key = 'soon'",
    changes: ["update soon@2 of 3, which expired then, expires at 5"],
  },
  "an update that sets the revision, and leaves the expiry": {
    sql: "UPDATE zestor_kv SET value = 2, revision = 4 WHERE key = 'soon'",
    changes: ["update soon@2 of 3, which expired then, expires then"],
  },
  "an update that sets the newest revision of all": {
    sql:
      "UPDATE zestor_kv SET value = 2, expires_at = NULL, revision = (SELECT max(revision) FROM zestor_changes) WHERE key = 'soon'",
    changes: ["update soon@2 of 3, which expired then, expires never"],
  },
  "an update of the expiry alone": {
    sql: `UPDATE zestor_kv SET expires_at = ${FUTURE}`,
    changes: [
      "update plain@2 of 1, which expired never, expires then",
      "update gone@2 of 2, which expired long ago, expires then",
    ],
  },
  "an update of the expiry to none": {
    sql: "UPDATE zestor_kv SET expires_at = NULL",
    changes: [
      "update gone@2 of 2, which expired long ago, expires never",
      "update soon@2 of 3, which expired then, expires never",
    ],
  },
  "an update of the expiry to the same": {
    sql: "UPDATE zestor_kv SET expires_at = expires_at, version = 7",
    changes: [],
  },

  "an upsert of a writer who does not know of expiry": {
    sql: `INSERT ${INTO} ('k', 'soon', 2) ON CONFLICT (kind, key) DO UPDATE
      SET value = excluded.value, version = version + 1`,
    changes: ["update soon@2 of 3, which expired then, expires never"],
  },
  "a replace": {
    sql: `REPLACE ${INTO} ('k', 'soon', 2)`,
    changes: ["update soon@2 of 3, which expired then, expires never"],
  },
  "a replace of what had expired": {
    sql: `REPLACE ${INTO} ('k', 'gone', 2)`,
    changes: ["update gone@2 of 2, which expired long ago, expires never"],
  },
  "a replace by the same value without expiry": {
    sql: `REPLACE ${INTO} ('k', 'soon', 1)`,
    changes: ["update soon@2 of 3, which expired then, expires never"],
  },
  "a replace with an expiry": {
    sql: `REPLACE INTO zestor_kv (kind, key, value, expires_at)
      VALUES ('k', 'plain', 2, ${FUTURE}), ('k', 'new', 2, ${FUTURE})`,
    changes: [
      "update plain@2 of 1, which expired never, expires then",
      "create new@1, expires then",
    ],
  },

  "a delete": {
    sql: "DELETE FROM zestor_kv WHERE key <> 'gone'",
    changes: [
      "delete plain@1 of 1, which expired never",
      "delete soon@1 of 3, which expired then",
    ],
  },
  "a delete of what had expired": {
    sql: "DELETE FROM zestor_kv WHERE key = 'gone'",
    changes: ["expire gone@1 of 2, which expired long ago"],
  },

  "a rename": {
    sql: "UPDATE zestor_kv SET key = 'new' WHERE key = 'soon'",
    changes: [
      "delete soon@1 of 3, which expired then",
      "create new@1, expires then",
    ],
  },
  "a rename of what had expired": {
    sql: "UPDATE zestor_kv SET key = 'new' WHERE key = 'gone'",
    changes: [
      "expire gone@1 of 2, which expired long ago",
      "create new@1, expires long ago",
    ],
  },
  "a rename with another value": {
    sql: "UPDATE zestor_kv SET key = 'new', value = 2 WHERE key = 'soon'",
    changes: [
      "delete soon@1 of 3, which expired then",
      "create new@1, expires never",
    ],
  },
  "a rename onto what had expired": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'gone', value = 2
      WHERE key = 'plain'`,
    changes: [
      "delete plain@1 of 1, which expired never",
      "update gone@2 of 2, which expired long ago, expires never",
    ],
  },
  "a rename of what had expired onto another": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'plain' WHERE key = 'gone'`,
    changes: [
      "expire gone@1 of 2, which expired long ago",
      "update plain@2 of 1, which expired never, expires long ago",
    ],
  },
  "a rename of what expires onto another, with another value": {
    sql: `UPDATE OR REPLACE zestor_kv SET key = 'plain', value = 2
      WHERE key = 'soon'`,
    changes: [
      "delete soon@1 of 3, which expired then",
      "update plain@2 of 1, which expired never, expires never",
    ],
  },
};

/** Asserts that the log's last word of each entry is what the table has. */
function assertToldLast(db: Connection): void {
  const last = db.prepare(
    `SELECT key, version, revision, expires_at
    FROM zestor_changes WHERE revision IN (
      SELECT max(revision) FROM zestor_changes GROUP BY kind, key)
    AND value IS NOT NULL ORDER BY key`,
  ).all();
  const entries = db.prepare(
    "SELECT key, version, revision, expires_at FROM zestor_kv ORDER BY key",
  ).all();
  assertEquals(last, entries);
}

for (const driver of drivers) {
  for (const [name, { sql, changes }] of Object.entries(CASES)) {
    driver.test(`the log tells expiry of ${name} [${driver.name}]`, async () => {
      for (const recursive of [false, true]) {
        using db = await connect(driver);
        fill(db, recursive);
        db.exec(sql);
        assertEquals(
          changesOf(db),
          changes,
          `recursive_triggers: ${recursive}`,
        );
        assertToldLast(db);
      }
    });
  }
}

testOnEachDriver("each change has a time and a mark", async (driver) => {
  for (const recursive of [false, true]) {
    using db = await connect(driver);
    const started = new Date().toISOString();
    fill(db, recursive);
    db.exec(`
      UPDATE zestor_kv SET value = 2, updated_at = '2004-01-01T00:00:00.000Z'
        WHERE key = 'soon';
      UPDATE OR REPLACE zestor_kv SET key = 'soon' WHERE key = 'plain';
      DELETE FROM zestor_kv WHERE key = 'soon'`);
    const rows = db.prepare(
      "SELECT * FROM zestor_changes ORDER BY revision",
    ).all();
    const times = rows.map(({ type, time, previous_time }) => [
      type,
      String(time) >= started ? "now" : String(time).slice(0, 4),
      previous_time && String(previous_time).slice(0, 4),
    ]);
    assertEquals(times, [
      ["create", "2001", null],
      ["create", "2002", null],
      ["create", "2003", null],
      ["update", "2004", "2003"],
      ["delete", "now", "2001"],
      ["update", "now", "2004"],
      ["delete", "now", "2001"],
    ]);
    const marks = rows.map(({ mark }) => mark as number);
    for (const mark of marks) assert(mark >= 0 && mark < 2 ** 48, `${mark}`);
    assertEquals(new Set(marks).size, rows.length);
  }
});

testOnEachDriver("files made alike have other marks", async (driver) => {
  using one = await connect(driver);
  using other = await connect(driver);
  const [a, b] = [one, other].map((db) => {
    fill(db, false);
    return [
      ...db.prepare("SELECT value FROM zestor_meta WHERE name = 'mark'").all(),
      ...db.prepare("SELECT mark FROM zestor_changes").all(),
    ].map((row) => String(row.value ?? row.mark));
  });
  assertEquals(a.length, 4);
  for (const [i, mark] of a.entries()) assertNotEquals(mark, b[i]);
});
