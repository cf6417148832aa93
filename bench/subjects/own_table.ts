/**
 * A simple table: a key, a value, three prepared statements. It has no
 * versions, no change log, and no watches.
 *
 * @module
 */
import type { Value } from "../values.ts";
import { type Binding, type Connection, DURABLE, type Row } from "./binding.ts";
import { requirePeer } from "./npm.ts";
import { AT_ONCE, type Session, type Subject } from "./subject.ts";

/** A table of one's own on a binding. */
export function ownTableSubject(name: string, binding: Binding): Subject {
  return {
    name,
    family: "peer",
    isDurable: true,
    durability: "WAL, synchronous EXTRA",
    setsAllBy: AT_ONCE,
    open(folder) {
      const connection = binding.open(`${folder}/own.db`);
      connection.exec(DURABLE);
      connection.exec(
        "CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT)",
      );
      return Promise.resolve(sessionOf(connection));
    },
  };
}

/** `better-sqlite3`, which brings its binaries along from its version 13 on. */
export function loadBetterSqlite(): Binding {
  const Database = requirePeer("better-sqlite3");
  // Only now is it certain that the binary loads.
  new Database(":memory:").close();
  return { open: (path) => new Database(path) };
}

function sessionOf(connection: Connection): Session {
  const get = connection.prepare("SELECT value FROM kv WHERE key = ?");
  const set = connection.prepare(
    `INSERT INTO kv (key, value) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  );
  const list = connection.prepare("SELECT key, value FROM kv ORDER BY key");
  return {
    get(key) {
      const row = get.get(key);
      return row && JSON.parse(row.value);
    },
    set(key, value) {
      set.run(key, JSON.stringify(value));
    },
    setAll(entries) {
      connection.exec("BEGIN IMMEDIATE");
      for (const [key, value] of entries) set.run(key, JSON.stringify(value));
      connection.exec("COMMIT");
    },
    list: () =>
      new Map<string, Value>(
        list.all().map(({ key, value }: Row) => [key, JSON.parse(value)]),
      ),
    close: () => connection.close(),
  };
}
