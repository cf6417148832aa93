/**
 * The file's format: tables, triggers, and how a file is brought to it.
 *
 * The invariant: every change of a row of `zestor_kv`, by whomever, writes
 * exactly one row of `zestor_changes` in the same transaction, so that the log
 * tells the whole story from its oldest row on. If that did not hold for
 * a while (rows older than the log, triggers that were dropped) the log starts
 * anew, at a later revision: nobody can resume across the gap.
 *
 * A file may come from anybody. So this reads no table before it knows that the
 * name is an ordinary table, and reads a bounded number of rows.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";
import type { Connection, Row } from "../driver/driver.ts";
import { SEQUENCES } from "./queries.ts";
import {
  foreignObjects,
  isTable,
  readObjects,
  type SchemaObjects,
} from "./schema_objects.ts";
import { earlierTriggers, TRIGGER_NAMES, TRIGGER_SQL } from "./triggers.ts";

/** The newest format of file that this code knows. A change to a table makes a new one. */
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
  // The entry that the row now being written is about to replace, see the triggers.
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

/** Reads rows. */
export type Query = (sql: string) => Row[];

// SQLite's own, as it makes it, of which the store reads a row.
const KNOWN_TABLES = {
  ...TABLES,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)",
};

/** The names of the store's tables. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

/** What a file holds of the format. */
export interface FileState {
  /** The format it says it has, 0 where it says nothing. */
  readonly format: number;
  /** Whether there is a `zestor_kv`. */
  readonly hasEntries: boolean;
  /** Whether there is a change log to rely on: with triggers that log every change, and its newest change. */
  readonly hasLog: boolean;
  /** Whether the triggers are those that this code makes. */
  readonly hasNewestTriggers: boolean;
  /** Whether a store was here before: it, or a part of it. */
  readonly wasStore: boolean;
  /** What `zestor_meta` holds, by name. */
  readonly meta: ReadonlyMap<string, string>;
  /** The triggers on the store's tables that are not the store's. */
  readonly foreignTriggers: readonly string[];
}

/**
 * Looks at a file without changing it. Throws `StoreOpenError` if it cannot be
 * a store's: of a newer format, or with tables of something else's.
 */
export function inspectFile(connection: Connection): FileState {
  const query: Query = (sql) => connection.prepare(sql).all();
  const objects = readObjects(query);
  const wrong = wrongTables(query, objects);
  // With the format first: a newer one may have other tables.
  assertTable(wrong, "zestor_meta");
  const { tables } = objects;
  const meta = tables.has("zestor_meta") ? readMeta(query) : new Map();
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
  const hasEntries = tables.has("zestor_kv");
  return {
    format,
    hasEntries,
    hasLog: hasEntries && tables.has("zestor_changes") &&
      tables.has("zestor_replaced") && triggerProblems(objects).length === 0 &&
      logProblem(query, objects) === undefined,
    hasNewestTriggers: hasNewestTriggers(objects),
    wasStore:
      TABLE_NAMES.some((name) => name !== "zestor_kv" && tables.has(name)) ||
      [...TRIGGER_NAMES].some((name) => objects.triggers.has(name)),
    meta,
    foreignTriggers: foreignObjects(objects, TABLE_NAMES, TRIGGER_NAMES)
      .filter(({ type }) => type === "trigger").map(({ name }) => name),
  };
}

function assertTable(wrong: ReadonlyMap<string, string>, name: string): void {
  const problem = wrong.get(name);
  if (problem === undefined) return;
  throw new StoreOpenError(
    `Cannot open store: the file has ${problem}; give another file, or rename what is there`,
  );
}

/** How many rows `zestor_meta` may have: one for each kind with a codec of its own, and a few. */
const MOST_META = 10_000;

/** What `zestor_meta` holds, by name. */
export function readMeta(query: Query): Map<string, string> {
  const rows = query(
    `SELECT name, value FROM zestor_meta LIMIT ${MOST_META + 1}`,
  );
  if (rows.length > MOST_META) {
    throw new StoreOpenError(
      `Cannot open store: zestor_meta has more than ${MOST_META} rows, which no store wrote; restore the file from a backup`,
    );
  }
  // Of damage anything may have come.
  return new Map(rows.map(({ name, value }) => [String(name), String(value)]));
}

/** The tables of another shape, with what is wrong. */
export function wrongTables(
  query: Query,
  objects: SchemaObjects,
): Map<string, string> {
  const wrong = new Map<string, string>();
  for (const [name, expected] of Object.entries(KNOWN_TABLES)) {
    const found = objects.tables.get(name);
    if (found === undefined) {
      // Then the file says so in one place, and has it in another.
      if (query(`PRAGMA table_xinfo(${name})`).length === 0) continue;
      wrong.set(name, `a ${name} under another name, as no program makes it`);
      continue;
    }
    const shape = !isTable(found)
      ? `it is no ordinary table: ${found.sql}`
      : name === "zestor_kv"
      ? entriesProblem(query)
      : found.sql === expected
      ? undefined
      : found.sql;
    if (shape) wrong.set(name, `a ${name} of another shape: ${shape}`);
  }
  return wrong;
}

function hasNewestTriggers({ triggers }: SchemaObjects): boolean {
  return [...TRIGGER_SQL].every(([name, sql]) =>
    triggers.get(name)?.sql === sql
  );
}

/** Which triggers are not as they should be, or have not always been there. */
export function triggerProblems(objects: SchemaObjects): string[] {
  const { tables, triggers } = objects;
  const names = hasNewestTriggers(objects)
    ? [...TRIGGER_SQL.keys()]
    : earlierTriggers(triggers);
  if (!names) {
    return [...TRIGGER_SQL.keys()].flatMap((name) => {
      const found = triggers.get(name)?.sql;
      if (found === TRIGGER_SQL.get(name)) return [];
      return `The trigger ${name} ${
        found === undefined ? "is missing" : "is another"
      }`;
    });
  }
  // What was dropped and made again is newer than what was made after it, for
  // VACUUM too keeps the order. A tool that changes a table makes it anew.
  const made = [
    ["zestor_kv", "zestor_replaced"].map((name) => tables.get(name)),
    names.map((name) => triggers.get(name)),
  ];
  return made.flatMap((objects) =>
    objects.filter((object, i) => {
      const next = objects[i + 1];
      return object && next && object.order > next.order;
    })
  ).map((object) => `The ${object!.type} ${object!.name} was made anew`);
}

/**
 * Why the newest revision is not known for sure. SQLite keeps the newest one
 * that it gave in a table of its own, so that where both it and the log were
 * cut back, revisions would be given twice. It may be behind the log, where
 * a statement failed in the middle.
 */
export function logProblem(
  query: Query,
  { tables }: SchemaObjects,
): string | undefined {
  if (!tables.has("sqlite_sequence")) return NO_MEMORY;
  const { newest, given } = readRevisions(query);
  if (given === null) return NO_MEMORY;
  if (newest === null) {
    return given === 0 && hasRows(query)
      ? "The change log is gone, and SQLite's memory of its newest revision"
      : undefined;
  }
  return newest < given
    ? `The change log ends at revision ${newest}, and has been at ${given}`
    : undefined;
}

const NO_MEMORY = "SQLite's memory of the newest revision is gone";

interface Revisions {
  /** The newest in the log. */
  readonly newest: number | null;
  /** The newest that SQLite remembers to have given. */
  readonly given: number | null;
}

function readRevisions(query: Query): Revisions {
  const [revisions] = query(
    `SELECT (SELECT max(revision) FROM zestor_changes) AS newest,
      (SELECT CAST(max(seq) AS INTEGER) FROM ${SEQUENCES}
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

// The Go store's, or written by hand: its SQL may differ.
const COLUMNS = ["kind", "key", "value", "version", "updated_at"];

function entriesProblem(query: Query): string | undefined {
  // Not by the functions of the same names: a table may have such a name.
  const columns = query("PRAGMA table_xinfo(zestor_kv)");
  const names = columns.map((column) => column.name);
  const key = columns.filter((column) => column.pk !== 0)
    .sort((a, b) => (a.pk as number) - (b.pk as number));
  const keyNames = key.map((column) => column.name);
  if (names.join() !== COLUMNS.join() || keyNames.join() !== "kind,key") {
    return `it has the columns ${names.join(", ")} and the primary key ${
      keyNames.join(", ") || "none"
    }`;
  }
  if (columns.some(({ hidden }) => hidden !== 0)) {
    return "a column is generated";
  }
  // Else a key could be a number, or be the same as another one.
  const isText = key.every(({ type, notnull }) =>
    String(type).toUpperCase() === "TEXT" && notnull === 1
  );
  if (!isText) return "its kind and key are not TEXT NOT NULL";
  const indexes = query("PRAGMA index_list(zestor_kv)");
  if (indexes.some(({ origin }) => origin === "u")) {
    return "it has a UNIQUE constraint beside its primary key";
  }
  const collations = new Set(keyCollations(query, indexes));
  collations.delete("BINARY");
  return collations.size > 0
    ? `its kind and key are compared by ${[...collations].join(", ")}`
    : undefined;
}

/** How the index of the primary key compares. */
function keyCollations(query: Query, indexes: Row[]): unknown[] {
  return indexes
    .filter(({ origin }) => origin === "pk")
    .flatMap(({ name }) =>
      query(`PRAGMA index_xinfo("${String(name).replaceAll('"', '""')}")`)
    )
    .filter(({ key }) => key === 1)
    .map(({ coll }) => coll);
}

function assertEncoding(connection: Connection): void {
  const { encoding } = connection.prepare("PRAGMA encoding").get()!;
  if (encoding === "UTF-8") return;
  throw new StoreOpenError(
    `Cannot open store: the file's text encoding is ${encoding}, which orders keys in another way; expected UTF-8`,
  );
}
