/**
 * The objects of a file's schema: tables, views, indexes and triggers, also
 * those of other programs.
 *
 * Only the SQL text counts. SQLite wrote the other columns of `sqlite_master`,
 * and they may be wrong in a manipulated file. SQLite creates its objects from
 * the text alone.
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
  /** The SQL text; empty for an index that a table implies. */
  readonly sql: string;
  /** The first page of its content; 0 if it has none. */
  readonly rootPage: number;
  /** Its place among all objects: the newest object has the highest. */
  readonly order: number;
}

/** The objects of a file's schema, by name in lower case, because SQLite ignores the case of names. */
export interface SchemaObjects {
  /** Tables, views and indexes, which share a namespace. */
  readonly tables: ReadonlyMap<string, SchemaObject>;
  readonly triggers: ReadonlyMap<string, SchemaObject>;
}

// By its oldest name, which every version of SQLite knows.
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

/** Whether an object is an ordinary table, and not a view or a virtual table. */
export function isTable({ type, name, sql, rootPage }: SchemaObject): boolean {
  const made = /^CREATE TABLE (["'`[]?)(\w+)["'`\]]?(?=[\s(/-])/.exec(sql);
  return type === "table" && rootPage > 0 &&
    made?.[2].toLowerCase() === name.toLowerCase();
}

/**
 * The objects of others that act on writes to the store's tables: triggers, and
 * unique indexes, which may refuse or remove a row.
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

/** Whether the text of a trigger or an index may name this table. */
function mentions(sql: string, table: string): boolean {
  const plain = sql.replaceAll(/\/\*[^]*?\*\/|--.*/g, " ");
  return new RegExp(`\\bON\\W+${table}\\b`, "i").test(plain);
}
