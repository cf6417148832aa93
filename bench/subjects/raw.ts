/**
 * Raw prepared statements on the store's own tables, with its triggers: the
 * same work without a store around it, which is the limit for the store on that
 * binding.
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import type { Value } from "../values.ts";
import { type Binding, type Connection, DURABLE, type Row } from "./binding.ts";
import { type DriverName, KIND } from "./store.ts";
import { AT_ONCE, type Session, type Subject } from "./subject.ts";

/** Raw statements of the binding that a driver uses. */
export function rawSubject(driver: DriverName, binding: Binding): Subject {
  return {
    name: `raw (${driver})`,
    family: "raw",
    isDurable: true,
    durability: "WAL, synchronous EXTRA",
    setsAllBy: AT_ONCE,
    async open(folder) {
      const path = `${folder}/raw.db`;
      // It creates the tables and triggers.
      await (await openStore({ path, driver })).close();
      const connection = binding.open(path);
      connection.exec(DURABLE);
      return rawSession(connection);
    },
  };
}

const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";

/** Statements on a file that a store has made. */
export function rawSession(connection: Connection): Session {
  const get = connection.prepare(
    "SELECT value FROM zestor_kv WHERE kind = ? AND key = ?",
  );
  const update = connection.prepare(
    `UPDATE zestor_kv SET value = ?, version = version + 1, updated_at = ${NOW} WHERE kind = ? AND key = ?`,
  );
  const insert = connection.prepare(
    `INSERT INTO zestor_kv (kind, key, value, version, updated_at) VALUES (?, ?, ?, 1, ${NOW})`,
  );
  const list = connection.prepare(
    "SELECT key, value FROM zestor_kv WHERE kind = ? ORDER BY key",
  );
  const entries = connection.prepare(
    "SELECT key, value, version, updated_at FROM zestor_kv WHERE kind = ? ORDER BY key",
  );
  const inTransaction = (work: () => void) => {
    connection.exec("BEGIN IMMEDIATE");
    work();
    connection.exec("COMMIT");
  };
  return {
    get(key) {
      const row = get.get(KIND, key);
      return row && decode(row.value);
    },
    set(key, value) {
      update.run(encode(value), KIND, key);
    },
    setTogether(all) {
      inTransaction(() => {
        for (const [key, value] of all) update.run(encode(value), KIND, key);
      });
    },
    setAll(all) {
      inTransaction(() => {
        for (const [key, value] of all) insert.run(KIND, key, encode(value));
      });
    },
    list: () =>
      new Map(
        list.all(KIND).map(({ key, value }: Row) => [key, decode(value)]),
      ),
    entries() {
      const found = entries.all(KIND).map((row: Row) => ({
        key: row.key,
        value: decode(row.value),
        version: row.version,
        updatedAt: new Date(row.updated_at),
      }));
      return found.length;
    },
    close: () => connection.close(),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encode(value: Value): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function decode(bytes: Uint8Array): Value {
  return JSON.parse(decoder.decode(bytes));
}

const PAGE_SIZE = 1_000;

/** Reads the whole change log by pages, decoded. Returns the number of its changes. */
export function changesOf(connection: Connection): number {
  const page = connection.prepare(
    `SELECT revision, key, type, version, value FROM zestor_changes
    WHERE revision > ? AND kind = ? ORDER BY revision LIMIT ${PAGE_SIZE}`,
  );
  let count = 0;
  for (let after = 0, rows: Row[];; after = rows.at(-1).revision) {
    rows = page.all(BigInt(after), KIND);
    for (const { type, key, version, revision, value } of rows) {
      const event = { type, key, version, revision, value: decode(value) };
      if (event.value) count++;
    }
    if (rows.length < PAGE_SIZE) return count;
  }
}
