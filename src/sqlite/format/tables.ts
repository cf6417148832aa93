/**
 * The store's tables, and a check of the tables in a file.
 *
 * @module
 */
import type { Row } from "../driver/driver.ts";
import { LARGE_INDEX } from "./large_values.ts";
import {
  isTable,
  type Query,
  type SchemaObject,
  type SchemaObjects,
} from "./schema_objects.ts";

/** The newest format that this code knows. Each change to a table makes a new one. */
export const FORMAT = 3;

/** The columns that format 2 adds to the entries. Existing entries get this revision. */
export function entryColumns(revision: number): string[] {
  return [
    `revision INTEGER NOT NULL DEFAULT ${revision}`,
    "expires_at INTEGER",
  ];
}

/** The columns that format 2 adds to the change log. */
export const LOG_COLUMNS: readonly string[] = [
  "time TEXT",
  "mark INTEGER",
  "expires_at INTEGER",
  "previous_revision INTEGER",
  "previous_time TEXT",
  "previous_expires_at INTEGER",
];

/**
 * The tables of format 1 that format 2 changed, except that of the entries,
 * whose columns are checked.
 */
const EARLIER_TABLES = {
  // AUTOINCREMENT: a revision is never given twice, even after pruning.
  zestor_changes: `CREATE TABLE zestor_changes (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB,
  previous BLOB
)`,
  zestor_replaced: `CREATE TABLE zestor_replaced (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL
)`,
};

/** The SQL of each table. */
export const TABLES = {
  zestor_kv: `CREATE TABLE zestor_kv (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  updated_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')),
  ${entryColumns(0).join(",\n  ")},
  PRIMARY KEY (kind, key)
)`,
  // A new file has the same text that ALTER TABLE leaves in an upgraded file.
  zestor_changes: withColumns(EARLIER_TABLES.zestor_changes, LOG_COLUMNS),
  // The entry that the present insert is about to replace; see the triggers.
  zestor_replaced: `CREATE TABLE zestor_replaced (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL,
  revision INTEGER,
  updated_at TEXT,
  expires_at INTEGER
)`,
  zestor_meta: `CREATE TABLE zestor_meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
)`,
};

/** The text of a table after `ALTER TABLE … ADD COLUMN` for each column. */
function withColumns(sql: string, columns: readonly string[]): string {
  return `${sql.slice(0, -1)}${columns.map((name) => `, ${name}`).join("")})`;
}

/** The SQL of each index. */
export const INDEXES: ReadonlyMap<string, string> = new Map([
  // This index finds expired entries. No other query uses it.
  [
    "zestor_expiry",
    "CREATE INDEX zestor_expiry ON zestor_kv (expires_at) WHERE expires_at IS NOT NULL",
  ],
  ["zestor_large", LARGE_INDEX],
]);

// A table of SQLite, with its SQL. The store reads a row of it.
const KNOWN_TABLES = {
  ...TABLES,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)",
};

/** The names of the store's tables. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

/** The result of the check of a file's tables. */
export interface JudgedTables {
  /** The tables of another shape, each with the difference. */
  readonly wrong: ReadonlyMap<string, string>;
  /** The tables with the shape of an earlier format. */
  readonly earlier: ReadonlySet<string>;
}

/** Checks the tables of a file. A missing table is in neither result. */
export function judgeTables(
  query: Query,
  objects: SchemaObjects,
): JudgedTables {
  const wrong = new Map<string, string>();
  const earlier = new Set<string>();
  for (const [name, expected] of Object.entries(KNOWN_TABLES)) {
    const found = objects.tables.get(name);
    if (found === undefined) {
      // In a manipulated file, the schema may name a table that SQLite does not
      // have.
      if (columnsOf(query, name).length === 0) continue;
      wrong.set(name, `a ${name} under another name`);
      continue;
    }
    const problem = !isTable(found)
      ? `it is not an ordinary table: ${found.sql}`
      : name === "zestor_kv"
      ? entriesProblem(query)
      : found.sql === expected || found.sql === EARLIER_SQL.get(name)
      ? undefined
      : found.sql;
    if (problem) wrong.set(name, `a ${name} of another shape: ${problem}`);
    else if (isEarlier(query, found)) earlier.add(name);
  }
  return { wrong, earlier };
}

const EARLIER_SQL: ReadonlyMap<string, string> = new Map(
  Object.entries(EARLIER_TABLES),
);

/** Whether a table that is not wrong has an earlier shape. */
function isEarlier(query: Query, { name, sql }: SchemaObject): boolean {
  const lower = name.toLowerCase();
  return lower === "zestor_kv"
    ? columnsOf(query, lower).length === FIRST_COLUMNS.length
    : sql === EARLIER_SQL.get(lower);
}

// The Go store or a person may have created it, so its SQL may differ.
const FIRST_COLUMNS = ["kind", "key", "value", "version", "updated_at"];
const NUMBERS = ["revision", "expires_at"];
const COLUMNS = [...FIRST_COLUMNS, ...NUMBERS];

// The pragma names the schema, because a read-only connection may have views
// with the same names. It is not used as a function, because a table may have
// such a name.

function columnsOf(query: Query, table: string): Row[] {
  return query(`PRAGMA main.table_xinfo(${table})`);
}

function entriesProblem(query: Query): string | undefined {
  const columns = columnsOf(query, "zestor_kv");
  const names = columns.map((column) => column.name).join();
  const key = columns.filter((column) => column.pk !== 0)
    .sort((a, b) => (a.pk as number) - (b.pk as number));
  const keyNames = key.map((column) => column.name).join();
  const areKnown = names === COLUMNS.join() || names === FIRST_COLUMNS.join();
  if (!areKnown || keyNames !== "kind,key") {
    return `it has the columns ${
      names.replaceAll(",", ", ")
    } and the primary key ${keyNames.replaceAll(",", ", ") || "none"}`;
  }
  if (columns.some(({ hidden }) => hidden !== 0)) {
    return "a column is generated";
  }
  const hasType = (column: Row, type: string) =>
    String(column.type).toUpperCase() === type;
  // Otherwise, a key could be a number, or equal another key.
  const isText = key.every((column) =>
    hasType(column, "TEXT") && column.notnull === 1
  );
  if (!isText) return "its kind and key are not TEXT NOT NULL";
  // Otherwise, they would be compared as text.
  const added = columns.slice(FIRST_COLUMNS.length);
  if (!added.every((column) => hasType(column, "INTEGER"))) {
    return `its ${NUMBERS.join(" and ")} are not INTEGER`;
  }
  const indexes = query("PRAGMA main.index_list(zestor_kv)");
  if (indexes.some(({ origin }) => origin === "u")) {
    return "it has a UNIQUE constraint beside its primary key";
  }
  const collations = new Set(keyCollations(query, indexes));
  collations.delete("BINARY");
  return collations.size > 0
    ? `its kind and key are compared by ${[...collations].join(", ")}`
    : undefined;
}

/** The collations of the primary key's index. */
function keyCollations(query: Query, indexes: Row[]): unknown[] {
  return indexes
    .filter(({ origin }) => origin === "pk")
    .flatMap(({ name }) =>
      query(
        `PRAGMA main.index_xinfo("${String(name).replaceAll('"', '""')}")`,
      )
    )
    .filter(({ key }) => key === 1)
    .map(({ coll }) => coll);
}
