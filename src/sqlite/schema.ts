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
import type { Connection, Row } from "./driver/driver.ts";

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

/** Reads rows. */
export type Query = (sql: string) => Row[];

/** The store's tables and triggers that a file has: their SQL, by name. */
export type SchemaObjects = ReadonlyMap<string, string>;

/** The names of the store's tables. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

/** What a file holds of the format. */
export interface FileState {
  /** The format it says it has, 0 where it says nothing. */
  readonly format: number;
  /** Whether there is a `zestor_kv`. */
  readonly hasEntries: boolean;
  /** Whether there is a change log to rely on: with every trigger as it should be, and its newest change. */
  readonly hasLog: boolean;
  /** Whether a store was here before: it, or a part of it. */
  readonly wasStore: boolean;
  /** What `zestor_meta` holds, by name. */
  readonly meta: ReadonlyMap<string, string>;
}

/**
 * Looks at a file without changing it. Throws `StoreOpenError` where it cannot
 * be a store's: of a newer format, or with tables of something else's.
 */
export function inspectFile(connection: Connection): FileState {
  const query: Query = (sql) => connection.prepare(sql).all();
  const objects = readObjects(query);
  const wrong = wrongTables(query, objects);
  // With the format first: a newer one may have other tables.
  assertTable(wrong, "zestor_meta");
  const meta = objects.has("zestor_meta") ? readMeta(query) : new Map();
  const format = Number(meta.get("format") ?? 0);
  if (!(format <= FORMAT)) {
    throw new StoreOpenError(
      `Cannot open store: the file's format is ${
        meta.get("format")
      }, this version knows up to ${FORMAT}; use a newer version of @zestor/store`,
    );
  }
  for (const name of wrong.keys()) assertTable(wrong, name);
  assertEncoding(connection);
  const hasEntries = objects.has("zestor_kv");
  return {
    format,
    hasEntries,
    hasLog: hasEntries && objects.has("zestor_changes") &&
      objects.has("zestor_replaced") && triggerProblems(objects).length === 0 &&
      logProblem(query) === undefined,
    wasStore: [...objects.keys()].some((name) =>
      name !== "zestor_kv" && (name in TABLES || TRIGGER_SQL.has(name))
    ),
    meta,
  };
}

function assertTable(wrong: ReadonlyMap<string, string>, name: string): void {
  const problem = wrong.get(name);
  if (problem === undefined) return;
  throw new StoreOpenError(
    `Cannot open store: the file has ${problem}; give another file, or rename what is there`,
  );
}

/** The file's tables, triggers and other objects with the store's prefix. */
export function readObjects(query: Query): SchemaObjects {
  return new Map(
    query("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'zestor%'")
      .map(({ name, sql }) => [name as string, sql as string]),
  );
}

/** What `zestor_meta` holds, by name. */
export function readMeta(query: Query): Map<string, string> {
  return new Map(
    query("SELECT name, value FROM zestor_meta")
      // Of damage anything may have come.
      .map(({ name, value }) => [String(name), String(value)]),
  );
}

/** The tables of another shape, with what is wrong. */
export function wrongTables(
  query: Query,
  objects: SchemaObjects,
): Map<string, string> {
  const wrong = new Map<string, string>();
  for (const [name, expected] of Object.entries(TABLES)) {
    const sql = objects.get(name);
    if (sql === undefined) continue;
    const shape = name === "zestor_kv"
      ? entriesProblem(query)
      : sql === expected
      ? undefined
      : sql;
    if (shape) wrong.set(name, `a ${name} of another shape: ${shape}`);
  }
  return wrong;
}

/** Which triggers are not as they should be. */
export function triggerProblems(objects: SchemaObjects): string[] {
  const problems: string[] = [];
  for (const [name, sql] of TRIGGER_SQL) {
    const found = objects.get(name);
    if (found === sql) continue;
    problems.push(
      `The trigger ${name} ${
        found === undefined ? "is missing" : "is another"
      }`,
    );
  }
  return problems;
}

/**
 * Why the newest revision is not known for sure. SQLite keeps the newest one
 * that it gave in a table of its own, so that where both it and the log were
 * cut back, revisions would be given twice. It may be behind the log, where
 * a statement failed in the middle.
 */
export function logProblem(query: Query): string | undefined {
  const { newest, given } = readRevisions(query);
  if (given === null) return "SQLite's memory of the newest revision is gone";
  if (newest === null) {
    return given === 0 && hasRows(query)
      ? "The change log is gone, and SQLite's memory of its newest revision"
      : undefined;
  }
  return newest < given
    ? `The change log ends at revision ${newest}, and has been at ${given}`
    : undefined;
}

interface Revisions {
  /** The newest in the log. */
  readonly newest: number | null;
  /** The newest that SQLite remembers to have given. */
  readonly given: number | null;
}

function readRevisions(query: Query): Revisions {
  const [revisions] = query(
    `SELECT (SELECT max(revision) FROM zestor_changes) AS newest,
      (SELECT CAST(max(seq) AS INTEGER) FROM sqlite_sequence
        WHERE name = 'zestor_changes') AS given`,
  );
  return revisions as unknown as Revisions;
}

function hasRows(query: Query): boolean {
  return query("SELECT 1 FROM zestor_kv LIMIT 1").length > 0;
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
  if (!state.hasLog) installLog(connection, state);
  const put = connection.prepare(
    "INSERT OR REPLACE INTO zestor_meta (name, value) VALUES (?, ?)",
  );
  put.run("format", String(FORMAT));
  for (const [name, value] of meta) put.run(name, value);
}

function installLog(connection: Connection, state: FileState): void {
  for (const [name, sql] of TRIGGER_SQL) {
    connection.exec(`DROP TRIGGER IF EXISTS ${name}`);
    connection.exec(sql);
  }
  const revision = restartRevision(connection, state);
  connection.exec(
    "DELETE FROM sqlite_sequence WHERE name = 'zestor_changes'; DELETE FROM zestor_changes; DELETE FROM zestor_replaced",
  );
  // It is there from the beginning: where it is not, somebody removed it.
  connection.prepare(
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('zestor_changes', ?)",
  ).run(revision);
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
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
  ).get(name) !== undefined;
}

// The Go store's, or written by hand: its SQL may differ.
const COLUMNS = ["kind", "key", "value", "version", "updated_at"];

function entriesProblem(query: Query): string | undefined {
  const columns = query(
    `SELECT name, type, "notnull" AS required, pk
    FROM pragma_table_info('zestor_kv') ORDER BY cid`,
  );
  const names = columns.map((column) => column.name);
  const key = columns.filter((column) => column.pk !== 0)
    .sort((a, b) => (a.pk as number) - (b.pk as number));
  const keyNames = key.map((column) => column.name);
  if (names.join() !== COLUMNS.join() || keyNames.join() !== "kind,key") {
    return `it has the columns ${names.join(", ")} and the primary key ${
      keyNames.join(", ") || "none"
    }`;
  }
  // Else a key could be a number, or be the same as another one.
  const isText = key.every(({ type, required }) =>
    String(type).toUpperCase() === "TEXT" && required === 1
  );
  if (!isText) return "its kind and key are not TEXT NOT NULL";
  const collations = query(
    `SELECT DISTINCT coll FROM pragma_index_list('zestor_kv') AS list,
      pragma_index_xinfo(list.name) AS info
    WHERE list.origin = 'pk' AND info.key = 1`,
  ).map(({ coll }) => coll);
  return collations.some((collation) => collation !== "BINARY")
    ? `its kind and key are compared by ${collations.join(", ")}`
    : undefined;
}

function assertEncoding(connection: Connection): void {
  const { encoding } = connection.prepare("PRAGMA encoding").get()!;
  if (encoding === "UTF-8") return;
  throw new StoreOpenError(
    `Cannot open store: the file's text encoding is ${encoding}, which orders keys in another way; expected UTF-8`,
  );
}
