/**
 * The SQLite bindings, as far as they are alike: for statements with no store
 * around them.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** What can be bound. */
export type Param = string | number | bigint | Uint8Array | null;

/** A row by column name. */
// deno-lint-ignore no-explicit-any -- each statement knows what it reads
export type Row = any;

/** A prepared statement. */
export interface Statement {
  run(...params: Param[]): unknown;
  get(...params: Param[]): Row | undefined;
  all(...params: Param[]): Row[];
}

/** A connection. */
export interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

/** A binding. */
export interface Binding {
  /** Opens a file, and creates it where there is none. */
  open(path: string): Connection;
}

/** `node:sqlite`, which is built into Deno. */
export const nodeSqlite: Binding = {
  open: (path) => new DatabaseSync(path) as Connection,
};

/** `@db/sqlite`, as who wants it fast would open it. */
export async function loadDbSqlite(): Promise<Binding> {
  // Not a static import: where JSR is out of reach, it throws.
  const { Database } = await import("@db/sqlite");
  return {
    open: (path) =>
      new Database(path, {
        int64: true,
        parseJson: false,
        unsafeConcurrency: true,
      }) as Connection,
  };
}

/** What makes a commit outlast the loss of power, as the store's "full" does. */
export const DURABLE =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON";
