/**
 * The store's tables, and whether those of a file have their shape.
 *
 * @module
 */
import type { Row } from "../driver/driver.ts";
import { isTable, type Query, type SchemaObjects } from "./schema_objects.ts";

/** The newest format of file that this code knows. A change to a table makes a new one. */
export const FORMAT = 1;

/** What makes each table. */
export const TABLES = {
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

// SQLite's own, as it makes it, of which the store reads a row.
const KNOWN_TABLES = {
  ...TABLES,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)",
};

/** The names of the store's tables. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

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
