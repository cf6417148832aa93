/**
 * What a file's schema has: tables, views, indexes and triggers, by whomever.
 *
 * Only SQL text counts. The other columns of `sqlite_master` are what SQLite
 * wrote beside it, and may lie in a file that somebody made by hand: SQLite
 * makes its objects from the text alone.
 *
 * @module
 */
import type { Row } from "../driver/driver.ts";

/** Reads rows. */
export type Query = (sql: string) => Row[];

/** An object of a file's schema. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  /** The table that it belongs to, in lower case. */
  readonly table: string;
  /** The text that SQLite makes it from; empty for an index that a table implies. */
  readonly sql: string;
  /** Where its content begins: 0 for what has none. */
  readonly rootPage: number;
  /** Its place among all objects: the one that was made last has the highest. */
  readonly order: number;
}

/** The objects of a file's schema, by name in lower case, as SQLite compares names. */
export interface SchemaObjects {
  /** Tables, views and indexes, which share their names. */
  readonly tables: ReadonlyMap<string, SchemaObject>;
  readonly triggers: ReadonlyMap<string, SchemaObject>;
}

// By the name that SQLite has always had for it.
const LIST_OBJECTS =
  "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rowid";

/** Every object of a file's schema. */
export function readObjects(query: Query): SchemaObjects {
  const tables = new Map<string, SchemaObject>();
  const triggers = new Map<string, SchemaObject>();
  query(LIST_OBJECTS).forEach((row, order) => {
    const object = {
      type: String(row.type),
      name: String(row.name),
      table: String(row.tbl_name).toLowerCase(),
      sql: String(row.sql ?? ""),
      rootPage: Number(row.rootpage),
      order,
    };
    const named = object.type === "trigger" ? triggers : tables;
    named.set(object.name.toLowerCase(), object);
  });
  return { tables, triggers };
}

/** Whether an object is an ordinary table of its name: no view, and no virtual table. */
export function isTable({ type, name, sql, rootPage }: SchemaObject): boolean {
  const made = /^CREATE TABLE (["'`[]?)(\w+)["'`\]]?(?=[\s(/-])/.exec(sql);
  return type === "table" && rootPage > 0 &&
    made?.[2].toLowerCase() === name.toLowerCase();
}

/**
 * The objects of others that run, or may refuse or remove a row, when somebody
 * writes to the tables: triggers, and indexes that allow a value once.
 */
export function foreignObjects(
  { tables, triggers }: SchemaObjects,
  ofTables: readonly string[],
  own: ReadonlySet<string>,
): SchemaObject[] {
  const isOn = ({ table, sql }: SchemaObject) =>
    ofTables.includes(table) || ofTables.some((name) => mentions(sql, name));
  return [
    ...triggers.values().filter((object) =>
      !own.has(object.name.toLowerCase()) && isOn(object)
    ),
    ...tables.values().filter((object) =>
      /^CREATE UNIQUE INDEX/.test(object.sql) && isOn(object)
    ),
  ];
}

/** Whether the text of a trigger or an index may name the table that it is on. */
function mentions(sql: string, table: string): boolean {
  const plain = sql.replaceAll(/\/\*[^]*?\*\/|--.*/g, " ");
  return new RegExp(`\\bON\\W+${table}\\b`, "i").test(plain);
}
