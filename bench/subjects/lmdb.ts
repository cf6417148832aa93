/**
 * LMDB, by `lmdb`: reads of a memory-mapped file, writes committed in batches
 * on a thread. It packs values by MessagePack, which is its usual encoding.
 *
 * @module
 */
import { LMDB } from "../results.ts";
import type { Value } from "../values.ts";
import { requirePeer } from "./npm.ts";
import { AT_ONCE, type Session, type Subject } from "./subject.ts";

/** The part of a database that is used. */
interface Database {
  get(key: string): Value | undefined;
  put(key: string, value: Value): Promise<boolean>;
  getRange(): Iterable<{ key: string; value: Value }>;
  transaction(work: () => void): Promise<unknown>;
  close(): Promise<void>;
}

/** LMDB. */
export function loadLmdb(): Subject {
  const { open } = requirePeer("lmdb");
  return {
    name: LMDB,
    family: "peer",
    isDurable: true,
    durability: "`overlappingSync: false`, one fdatasync for each commit",
    setsAllBy: AT_ONCE,
    open: (folder) =>
      Promise.resolve(
        // Else a write resolves before it is durable.
        sessionOf(open({ path: `${folder}/lmdb.mdb`, overlappingSync: false })),
      ),
  };
}

function sessionOf(database: Database): Session {
  return {
    get: (key) => database.get(key),
    set: (key, value) => database.put(key, value),
    setAll: (entries) =>
      database.transaction(() => {
        for (const [key, value] of entries) database.put(key, value);
      }),
    list() {
      const found = new Map<string, Value>();
      for (const { key, value } of database.getRange()) found.set(key, value);
      return found;
    },
    close: () => database.close(),
  };
}
