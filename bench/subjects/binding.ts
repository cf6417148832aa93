/**
 * The common part of the SQLite bindings, for statements without a store.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** A value to bind. */
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

/** `@db/sqlite`, opened for speed. */
export async function loadDbSqlite(): Promise<Binding> {
  // Not a static import, because it throws if JSR is out of reach.
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

/** A commit survives a loss of power with this setting, which is also the store's "full". */
export const DURABLE =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON";
