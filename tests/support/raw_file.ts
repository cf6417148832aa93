/**
 * What a store's file holds, read by plain SQL and nothing of the store.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../../src/sqlite/driver/mod.ts";
import type { Change } from "./watches/watch_validators.ts";

/** A row of the entries' table. */
export interface RawEntry {
  kind: string;
  key: string;
  version: number;
  /** As text. */
  value: string;
}

/** What a file holds. */
export interface RawFile {
  /** The newest revision ever. */
  readonly head: number;
  /** The change log, by revision. */
  readonly changes: Change[];
  /** The entries, by kind and key. */
  readonly entries: RawEntry[];
}

const HEAD = `SELECT coalesce(
  (SELECT seq FROM sqlite_sequence WHERE name = 'zestor_changes'), 0) AS head`;
// Of a large value the log has a checksum, while the entry has the value, or the
// change that replaced it.
const LARGE = `coalesce(
  (SELECT value FROM zestor_kv
    WHERE kind = c.kind AND key = c.key AND revision = c.revision),
  (SELECT previous FROM zestor_changes AS later
    WHERE previous_revision = c.revision AND kind = c.kind AND key = c.key))`;
const CHANGES = `SELECT revision, kind, key, type, version,
  CAST(CASE WHEN type = 'delete' THEN previous
    WHEN typeof(value) = 'integer' THEN ${LARGE} ELSE value END AS TEXT) AS value
FROM zestor_changes AS c ORDER BY revision`;
const ENTRIES = `SELECT kind, key, version, CAST(value AS TEXT) AS value
FROM zestor_kv ORDER BY kind, key`;

/** Reads a file that nobody else has open; asserts that SQLite finds it sound. */
export function readRawFile(path: string): RawFile {
  using db = new DatabaseSync(path);
  const [{ integrity_check }] = db.prepare("PRAGMA integrity_check").all();
  assertEquals(integrity_check, "ok");
  // Its process may have been killed before it made the tables.
  const tables = db.prepare(
    "SELECT name FROM sqlite_schema WHERE name = 'zestor_changes'",
  ).all();
  if (tables.length === 0) return { head: 0, changes: [], entries: [] };
  return readTables(db);
}

/** What there is on a connection of whoever has it open. */
export function readTables(db: Tables): RawFile {
  const [{ head }] = select<{ head: number }>(db, HEAD);
  return { head, changes: select(db, CHANGES), entries: select(db, ENTRIES) };
}

/** A connection, of the driver's or of `node:sqlite`. */
type Tables = Pick<Connection | DatabaseSync, "prepare">;

function select<T>(db: Tables, sql: string): T[] {
  // The binding's rows have no prototype.
  return db.prepare(sql).all().map((row) => ({ ...row }) as T);
}
