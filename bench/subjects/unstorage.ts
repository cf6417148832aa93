/**
 * unstorage, with files of a folder and with a table by db0.
 *
 * @module
 */
import type { Value } from "../values.ts";
import { requirePeer } from "./npm.ts";
import { AT_ONCE, type Session, type Subject } from "./subject.ts";

/** The part of a storage that is used. */
interface Storage {
  getItem(key: string): Promise<Value | null>;
  setItem(key: string, value: Value): Promise<void>;
  getKeys(): Promise<string[]>;
  getItems(keys: string[]): Promise<{ key: string; value: Value }[]>;
  dispose(): Promise<void>;
}

/** unstorage on files. */
export function loadUnstorageFiles(): Subject {
  const { createStorage } = requirePeer("unstorage");
  const fsDriver = requirePeer("unstorage/drivers/fs-lite");
  return {
    name: "unstorage, files",
    family: "peer",
    isDurable: false,
    durability: "it writes over the file, and syncs nothing",
    open: (folder) =>
      Promise.resolve(
        sessionOf(createStorage({ driver: fsDriver({ base: folder }) })),
      ),
  };
}

/** unstorage on a table. */
export function loadUnstorageTable(): Subject {
  const { createStorage } = requirePeer("unstorage");
  const db0Driver = requirePeer("unstorage/drivers/db0");
  const { createDatabase } = requirePeer("db0");
  const { default: connector } = requirePeer("db0/connectors/node-sqlite");
  return {
    name: "unstorage, SQLite",
    family: "peer",
    isDurable: true,
    durability: "WAL (set by hand), synchronous FULL",
    setsAllBy: AT_ONCE,
    async open(folder) {
      const database = createDatabase(connector({ path: `${folder}/db0.db` }));
      await database.exec("PRAGMA journal_mode = WAL");
      const storage = createStorage({ driver: db0Driver({ database }) });
      const session = sessionOf(storage);
      return {
        ...session,
        async setAll(entries) {
          await database.exec("BEGIN");
          await session.setAll(entries);
          await database.exec("COMMIT");
        },
        close: () => database.dispose(),
      };
    },
  };
}

function sessionOf(storage: Storage): Session {
  return {
    get: async (key) => await storage.getItem(key) ?? undefined,
    set: (key, value) => storage.setItem(key, value),
    async setAll(entries) {
      for (const [key, value] of entries) await storage.setItem(key, value);
    },
    async list() {
      const items = await storage.getItems(await storage.getKeys());
      return new Map(items.map(({ key, value }) => [key, value]));
    },
    close: () => storage.dispose(),
  };
}
