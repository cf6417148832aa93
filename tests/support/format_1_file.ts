/**
 * Files of format 1, and what programs of that format do with them.
 *
 * @module
 */
import type { Connection } from "../../src/sqlite/driver/driver.ts";
import { connect, fileAt } from "./connect.ts";
import type { TestDriver } from "./drivers.ts";
import { FORMAT_1 } from "./earlier_triggers.ts";

const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";

/** The tables of format 1, as it made them. */
const TABLES = `CREATE TABLE zestor_kv (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  updated_at TEXT NOT NULL DEFAULT (${NOW}),
  PRIMARY KEY (kind, key)
);
CREATE TABLE zestor_changes (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB,
  previous BLOB
);
CREATE TABLE zestor_meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE zestor_replaced (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL
);
INSERT INTO zestor_meta VALUES ('format', '1'), ('codec', 'json');
INSERT INTO sqlite_sequence VALUES ('zestor_changes', 0);`;

/** What a program of format 1 writes with. */
export interface Format1Writes {
  insert(kind: string, key: string, value: string): void;
  update(kind: string, key: string, value: string): void;
  remove(kind: string, key: string): void;
}

/** The statements of format 1, prepared on a connection. */
export function format1Writes(db: Connection): Format1Writes {
  const insert = db.prepare(
    `INSERT INTO zestor_kv (kind, key, value, version, updated_at) VALUES (?, ?, ?, ?, coalesce(?, ${NOW}))`,
  );
  const update = db.prepare(
    `UPDATE zestor_kv SET value = ?, version = version + 1, updated_at = ${NOW} WHERE kind = ? AND key = ?`,
  );
  const remove = db.prepare("DELETE FROM zestor_kv WHERE kind = ? AND key = ?");
  const bytes = (text: string) => new TextEncoder().encode(text);
  return {
    insert: (kind, key, value) =>
      void insert.run(kind, key, bytes(value), 1, null),
    update: (kind, key, value) => void update.run(bytes(value), kind, key),
    remove: (kind, key) => void remove.run(kind, key),
  };
}

/**
 * Makes a file of format 1 with 5 changes: of `k`/`a`, which is 2, at version 2;
 * of `k`/`b`, which is 1; and of `k`/`c`, which is gone.
 */
export async function createFormat1File(
  driver: TestDriver,
  path: string,
  triggers = FORMAT_1,
): Promise<void> {
  using db = await connect(driver, fileAt(path));
  db.exec(TABLES);
  db.exec(triggers);
  const { insert, update, remove } = format1Writes(db);
  insert("k", "a", "1");
  insert("k", "b", "1");
  insert("k", "c", "1");
  update("k", "a", "2");
  remove("k", "c");
}
