/**
 * The file's format: tables, triggers, and how a file is brought to it.
 *
 * The invariant: every change of a row of `zestor_kv`, by whomever, writes
 * exactly one row of `zestor_changes` in the same transaction, so that the log
 * tells the whole story from its oldest row on. Where that did not hold for
 * a while (rows older than the log, triggers that were dropped) the log starts
 * anew, at a later revision: nobody can resume across the gap.
 *
 * The triggers run in the SQLite of whoever writes, which may be an old one, so
 * their SQL is plain. They have no `ON CONFLICT` of their own: the outer
 * statement's would override it (https://sqlite.org/lang_createtrigger.html).
 *
 * @module
 */
import { StoreOpenError } from "../errors.ts";
import type { Connection } from "./driver/driver.ts";

/** The newest format of file that this code knows. Any change to a table or a trigger makes a new one. */
export const FORMAT = 1;

const TABLES = {
  zestor_kv: `CREATE TABLE zestor_kv (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  updated_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')),
  PRIMARY KEY (kind, key)
)`,
  // AUTOINCREMENT: a revision is never given twice, whatever was pruned.
  zestor_changes: `CREATE TABLE zestor_changes (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB,
  previous BLOB
)`,
  // The entry that the row now being written is about to replace, see below.
  zestor_replaced: `CREATE TABLE zestor_replaced (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL
)`,
  zestor_meta: `CREATE TABLE zestor_meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
)`,
};

const NEW_ROW = "kind = NEW.kind AND key = NEW.key";
const SAME_KEY = "OLD.kind IS NEW.kind AND OLD.key IS NEW.key";
const OTHER_KEY = "(OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key)";
// Plain SQL may store text where the store would store its bytes.
const OLD_VALUE = "CAST(OLD.value AS BLOB)";
const NEW_VALUE = "CAST(NEW.value AS BLOB)";

const LOG =
  "INSERT INTO zestor_changes (kind, key, type, version, value, previous)";

// REPLACE deletes a row without running the delete triggers (unless the writer
// set PRAGMA recursive_triggers), so the row that a statement is about to
// displace is noted before it. There is one note at most, and its row exists,
// or is being displaced right now: whatever else removes the row, removes the
// note. So a row that arrives where there is a note of it, replaces.
const NOTE_REPLACED = `DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced (kind, key, version, value)
    SELECT kind, key, version, CAST(value AS BLOB) FROM zestor_kv WHERE ${NEW_ROW};`;
const IS_NOTED =
  "EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)";
const FORGET_REPLACED =
  "DELETE FROM zestor_replaced WHERE kind IS OLD.kind AND key IS OLD.key;";
const LOG_REPLACED = `${LOG}
    SELECT NEW.kind, NEW.key, 'update', version + 1, ${NEW_VALUE}, value
    FROM zestor_replaced WHERE value IS NOT ${NEW_VALUE};
  UPDATE zestor_kv
    SET version = (SELECT version + (value IS NOT ${NEW_VALUE}) FROM zestor_replaced)
    WHERE ${NEW_ROW};`;
const LOG_REMOVED = `${LOG}
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, ${OLD_VALUE});
  ${FORGET_REPLACED}`;

// Triggers of one event run in no defined order. Those below exclude each
// other by conditions that none of them changes.
const TRIGGERS = {
  zestor_before_insert: `BEFORE INSERT ON zestor_kv
WHEN EXISTS (SELECT 1 FROM zestor_kv WHERE ${NEW_ROW})
BEGIN
  ${NOTE_REPLACED}
END`,
  zestor_insert: `AFTER INSERT ON zestor_kv
WHEN NOT ${IS_NOTED}
BEGIN
  ${LOG}
    VALUES (NEW.kind, NEW.key, 'create', NEW.version, ${NEW_VALUE}, NULL);
END`,
  zestor_replace: `AFTER INSERT ON zestor_kv
WHEN ${IS_NOTED}
BEGIN
  ${LOG_REPLACED}
END`,
  // A version that the writer left alone, or set at will, is set right.
  zestor_update: `AFTER UPDATE OF kind, key, value ON zestor_kv
WHEN ${SAME_KEY}
  AND (${OLD_VALUE} IS NOT ${NEW_VALUE} OR OLD.version IS NOT NEW.version)
BEGIN
  ${LOG}
    SELECT NEW.kind, NEW.key, 'update', OLD.version + 1, ${NEW_VALUE}, ${OLD_VALUE}
    WHERE ${OLD_VALUE} IS NOT ${NEW_VALUE};
  UPDATE zestor_kv SET version = OLD.version + (${OLD_VALUE} IS NOT ${NEW_VALUE})
    WHERE ${NEW_ROW}
    AND version IS NOT OLD.version + (${OLD_VALUE} IS NOT ${NEW_VALUE});
END`,
  zestor_before_rename: `BEFORE UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND EXISTS (SELECT 1 FROM zestor_kv WHERE ${NEW_ROW})
BEGIN
  ${NOTE_REPLACED}
END`,
  zestor_rename: `AFTER UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND NOT ${IS_NOTED}
BEGIN
  ${LOG_REMOVED}
  ${LOG}
    VALUES (NEW.kind, NEW.key, 'create', 1, ${NEW_VALUE}, NULL);
  UPDATE zestor_kv SET version = 1 WHERE ${NEW_ROW};
END`,
  zestor_rename_over: `AFTER UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND ${IS_NOTED}
BEGIN
  ${LOG_REMOVED}
  ${LOG_REPLACED}
END`,
  zestor_delete: `AFTER DELETE ON zestor_kv
BEGIN
  ${LOG_REMOVED}
END`,
};

/** SQL text of each trigger by name, as SQLite keeps it. */
const TRIGGER_SQL: ReadonlyMap<string, string> = new Map(
  Object.entries(TRIGGERS).map((
    [name, body],
  ) => [name, `CREATE TRIGGER ${name} ${body}`]),
);

/** What a file holds of the format. */
export interface FileState {
  /** The format it says it has, 0 where it says nothing. */
  readonly format: number;
  /** Whether there is a `zestor_kv`. */
  readonly hasEntries: boolean;
  /** Whether there is a change log, with every trigger as it should be. */
  readonly hasLog: boolean;
  /** What `zestor_meta` holds, by name. */
  readonly meta: ReadonlyMap<string, string>;
}

/**
 * Looks at a file without changing it. Throws `StoreOpenError` where it cannot
 * be a store's: of a newer format, or with tables of something else's.
 */
export function inspectFile(connection: Connection): FileState {
  const objects = new Map(
    connection.prepare(
      "SELECT name, sql FROM sqlite_schema WHERE name LIKE 'zestor%'",
    ).all().map(({ name, sql }) => [name as string, sql as string]),
  );
  assertOwnTable(objects, "zestor_meta");
  const meta = new Map<string, string>();
  if (objects.has("zestor_meta")) {
    for (
      const row of connection.prepare("SELECT name, value FROM zestor_meta")
        .all()
    ) meta.set(row.name as string, row.value as string);
  }
  const format = Number(meta.get("format") ?? 0);
  if (!(format <= FORMAT)) {
    throw new StoreOpenError(
      `Cannot open store: the file's format is ${
        meta.get("format")
      }, this version knows up to ${FORMAT}; use a newer version of @zestor/store`,
    );
  }
  assertOwnTable(objects, "zestor_changes");
  assertOwnTable(objects, "zestor_replaced");
  const hasEntries = objects.has("zestor_kv");
  if (hasEntries) assertEntriesTable(connection);
  assertEncoding(connection);
  return {
    format,
    hasEntries,
    hasLog: objects.has("zestor_changes") && objects.has("zestor_replaced") &&
      [...TRIGGER_SQL].every(([name, sql]) => objects.get(name) === sql),
    meta,
  };
}

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
  if (!state.hasLog) installLog(connection);
  const put = connection.prepare(
    "INSERT OR REPLACE INTO zestor_meta (name, value) VALUES (?, ?)",
  );
  put.run("format", String(FORMAT));
  for (const [name, value] of meta) put.run(name, value);
}

function installLog(connection: Connection): void {
  for (const [name, sql] of TRIGGER_SQL) {
    connection.exec(`DROP TRIGGER IF EXISTS ${name}`);
    connection.exec(sql);
  }
  // Rows from before the log; or a store's file, which had a log once.
  const { untold } = connection.prepare(
    `SELECT EXISTS (SELECT 1 FROM zestor_kv) OR
      EXISTS (SELECT 1 FROM zestor_meta) AS untold`,
  ).get()!;
  if (untold === 0) return;
  connection.exec(`
    INSERT INTO sqlite_sequence (name, seq)
      SELECT 'zestor_changes', 0 WHERE NOT EXISTS
        (SELECT 1 FROM sqlite_sequence WHERE name = 'zestor_changes');
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'zestor_changes';
    DELETE FROM zestor_changes;
    DELETE FROM zestor_replaced;`);
}

function hasTable(connection: Connection, name: string): boolean {
  return connection.prepare(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
  ).get(name) !== undefined;
}

function assertOwnTable(
  objects: ReadonlyMap<string, string>,
  name: keyof typeof TABLES,
): void {
  const sql = objects.get(name);
  if (sql === undefined || sql === TABLES[name]) return;
  throw new StoreOpenError(
    `Cannot open store: the file has a ${name} of another shape: ${sql}`,
  );
}

// The Go store's, or written by hand: its SQL may differ.
const COLUMNS = ["kind", "key", "value", "version", "updated_at"];

function assertEntriesTable(connection: Connection): void {
  const columns = connection.prepare(
    "SELECT name, pk FROM pragma_table_info('zestor_kv') ORDER BY cid",
  ).all();
  const names = columns.map((column) => column.name);
  const key = columns.filter((column) => column.pk !== 0)
    .sort((a, b) => (a.pk as number) - (b.pk as number))
    .map((column) => column.name);
  if (names.join() === COLUMNS.join() && key.join() === "kind,key") return;
  throw new StoreOpenError(
    `Cannot open store: the file has a zestor_kv of another shape, with columns ${
      names.join(", ")
    } and primary key ${key.join(", ") || "none"}`,
  );
}

function assertEncoding(connection: Connection): void {
  const { encoding } = connection.prepare("PRAGMA encoding").get()!;
  if (encoding === "UTF-8") return;
  throw new StoreOpenError(
    `Cannot open store: the file's text encoding is ${encoding}, which orders keys in another way; expected UTF-8`,
  );
}
