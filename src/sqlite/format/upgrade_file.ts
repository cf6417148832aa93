/**
 * Brings a file to the format. If its change log cannot be relied on, the log
 * begins anew, at a later revision: nobody can resume across the gap.
 *
 * @module
 */
import type { Connection } from "../driver/driver.ts";
import type { FileState } from "./inspect_file.ts";
import { hasRows, readRevisions } from "./log_state.ts";
import type { Query } from "./schema_objects.ts";
import { FORMAT, TABLES } from "./tables.ts";
import { TRIGGER_NAMES, TRIGGER_SQL } from "./triggers.ts";

/**
 * Brings a file to the format, inside the caller's write transaction, and
 * keeps every row. `meta` is written over what is there.
 */
export function upgradeFile(
  connection: Connection,
  state: FileState,
  meta: ReadonlyMap<string, string>,
): void {
  for (const [name, sql] of Object.entries(TABLES)) {
    if (!hasTable(connection, name)) connection.exec(sql);
  }
  if (!state.hasLog) installLog(connection, state);
  else if (!state.hasNewestTriggers) installTriggers(connection);
  const put = connection.prepare(
    "INSERT OR REPLACE INTO zestor_meta (name, value) VALUES (?, ?)",
  );
  put.run("format", String(FORMAT));
  for (const [name, value] of meta) put.run(name, value);
}

function installLog(connection: Connection, state: FileState): void {
  // It is newer than zestor_kv, as in every sound file.
  connection.exec("DROP TABLE zestor_replaced");
  connection.exec(TABLES.zestor_replaced);
  installTriggers(connection);
  const revision = restartRevision(connection, state);
  connection.exec(
    "DELETE FROM sqlite_sequence WHERE name = 'zestor_changes'; DELETE FROM zestor_changes",
  );
  // It is there from the beginning: where it is not, somebody removed it.
  connection.prepare(
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('zestor_changes', ?)",
  ).run(revision);
}

function installTriggers(connection: Connection): void {
  for (const name of TRIGGER_NAMES) {
    connection.exec(`DROP TRIGGER IF EXISTS ${name}`);
  }
  for (const sql of TRIGGER_SQL.values()) connection.exec(sql);
}

/**
 * The revision that a log begins after: a later one than any that somebody may
 * want to resume from. Where the newest is not known for sure, the time in
 * microseconds is: no store has made a change in each since 1970.
 */
function restartRevision(connection: Connection, state: FileState): number {
  const query: Query = (sql) => connection.prepare(sql).all();
  const hasEntries = hasRows(query);
  // Rows from before there was a log: nobody can resume from before them.
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
