/**
 * This store, on each driver and in memory.
 *
 * @module
 */
import { openStore, type Store } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import type { Value } from "../values.ts";
import { AT_ONCE, type Session, type Subject } from "./subject.ts";

/** The kind that a session writes to. */
export const KIND = "users";

/** The kinds of a measured store. */
export type Kinds = { [KIND]: Value };

/** A driver of the store. */
export type DriverName = "builtin" | "ffi";

/** The store in a file. */
export function storeSubject(driver: DriverName): Subject {
  return {
    name: `store (${driver})`,
    family: "store",
    isDurable: true,
    durability: 'WAL, synchronous EXTRA (`durability: "full"`, the default)',
    setsAllBy: AT_ONCE,
    limit: `raw (${driver})`,
    open: async (folder) =>
      sessionOf(await openStore<Kinds>({ path: `${folder}/store.db`, driver })),
  };
}

/** The store in memory. */
export const memorySubject: Subject = {
  name: "store (memory)",
  family: "store",
  isDurable: false,
  durability: "in memory",
  setsAllBy: AT_ONCE,
  open: async () => sessionOf(await openMemoryStore<Kinds>()),
};

function sessionOf(store: Store<Kinds>): Session {
  return {
    get: (key) => store.get(KIND, key),
    set: (key, value) => store.set(KIND, key, value),
    setAll: (entries) => store.setAll(KIND, entries),
    list: () => store.list(KIND),
    async entries() {
      let count = 0;
      for await (const { version } of store.entries(KIND)) {
        if (version > 0) count++;
      }
      return count;
    },
    close: () => store.close(),
  };
}
