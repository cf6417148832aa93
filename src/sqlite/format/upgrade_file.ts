/**
 * Upgrades a file to the current format. If its change log is not reliable, a
 * new log begins at a later revision, and nobody can resume across the gap.
 *
 * @module
 */
import type { Connection } from "../driver/driver.ts";
import type { FileState } from "./inspect_file.ts";
import { logBegin, newLogMeta } from "./log_meta.ts";
import { hasRows, readHead, readRevisions } from "./log_state.ts";
import type { Query } from "./schema_objects.ts";
import {
  entryColumns,
  FORMAT,
  INDEXES,
  LOG_COLUMNS,
  TABLES,
} from "./tables.ts";
import { TRIGGER_NAMES, TRIGGER_SQL } from "./triggers.ts";

/**
 * Upgrades a file inside the caller's write transaction, and keeps every row.
 * `meta` replaces the rows that exist.
 */
export function upgradeFile(
  connection: Connection,
  state: FileState,
  meta: ReadonlyMap<string, string>,
): void {
  for (const [name, sql] of Object.entries(TABLES)) {
    if (!hasTable(connection, name)) connection.exec(sql);
  }
  const query: Query = (sql) => connection.prepare(sql).all();
  const { earlierTables, hasLog } = state;
  const revision = hasLog
    ? readHead(connection)
    : restartRevision(query, state);
  addColumns(connection, earlierTables, revision);
  const hasOldNotes = earlierTables.has("zestor_replaced");
  if (!hasLog || hasOldNotes || !state.hasNewestTriggers) {
    installTriggers(connection, !hasLog || hasOldNotes);
  }
  if (!hasLog) {
    // Nobody logged the changes of the entries meanwhile.
    if (!earlierTables.has("zestor_kv")) renumber(connection, revision);
    beginLog(connection, revision);
  }
  for (const name of state.missingIndexes) {
    connection.exec(`DROP INDEX IF EXISTS ${name}`);
    connection.exec(INDEXES.get(name)!);
  }
  const put = connection.prepare(
    "INSERT OR REPLACE INTO zestor_meta (name, value) VALUES (?, ?)",
  );
  put.run("format", String(FORMAT));
  const isOldHistory = hasLog && !earlierTables.has("zestor_changes") &&
    logBegin(state.meta) !== undefined;
  const ofLog = isOldHistory ? [] : newLogMeta(revision);
  for (const [name, value] of [...ofLog, ...meta]) put.run(name, value);
}

/** Adds the missing columns without reading rows, which get a default value. */
function addColumns(
  connection: Connection,
  earlierTables: ReadonlySet<string>,
  revision: number,
): void {
  const add = (table: string, columns: readonly string[]) => {
    if (!earlierTables.has(table)) return;
    for (const column of columns) {
      connection.exec(`ALTER TABLE ${table} ADD COLUMN ${column}`);
    }
  };
  add("zestor_kv", entryColumns(revision));
  add("zestor_changes", LOG_COLUMNS);
}

function renumber(connection: Connection, revision: number): void {
  connection.prepare(
    "UPDATE zestor_kv SET revision = ? WHERE revision IS NOT ?",
  ).run(revision, revision);
}

/** Empties the log, so that the next change has the next revision. */
function beginLog(connection: Connection, revision: number): void {
  connection.exec(
    "DELETE FROM sqlite_sequence WHERE name = 'zestor_changes'; DELETE FROM zestor_changes",
  );
  // This row has existed from the beginning; if it is missing, somebody removed
  // it.
  connection.prepare(
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('zestor_changes', ?)",
  ).run(revision);
}

function installTriggers(connection: Connection, withNotes: boolean): void {
  for (const name of TRIGGER_NAMES) {
    connection.exec(`DROP TRIGGER IF EXISTS ${name}`);
  }
  if (withNotes) {
    // The table must be newer than zestor_kv, as in every sound file.
    connection.exec("DROP TABLE zestor_replaced");
    connection.exec(TABLES.zestor_replaced);
  }
  for (const sql of TRIGGER_SQL.values()) connection.exec(sql);
}

/**
 * The revision after which a log begins. It must be later than every revision
 * that a watch may resume from. If the newest one is uncertain, it is the
 * present time in microseconds: no store has made a change in every microsecond
 * since 1970.
 */
function restartRevision(query: Query, state: FileState): number {
  const hasEntries = hasRows(query);
  // These rows are older than the log, and nobody can resume from before them.
  if (!state.wasStore) return hasEntries ? 1 : 0;
  const { newest, given } = readRevisions(query);
  const isKnown = given !== null && (given > 0 || !hasEntries);
  const last = Math.max(given ?? 0, newest ?? 0);
  return (isKnown ? last : Math.max(last, Date.now() * 1000)) + 1;
}

function hasTable(connection: Connection, name: string): boolean {
  return connection.prepare(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE",
  ).get(name) !== undefined;
}
