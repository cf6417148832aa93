/**
 * Keyv with its SQLite adapter. The adapter's version 4 needs a binary that is
 * built or downloaded as it is installed; 6 can use `node:sqlite`.
 *
 * @module
 */
import type { Value } from "../values.ts";
import { requirePeer } from "./npm.ts";
import type { Session, Subject } from "./subject.ts";

/** The part of Keyv that is used. */
interface Keyv {
  get(key: string): Promise<Value | undefined>;
  set(key: string, value: Value): Promise<boolean>;
  setMany(entries: { key: string; value: Value }[]): Promise<unknown>;
  iterator(): AsyncIterable<[string, Value]>;
  disconnect(): Promise<void>;
  on(event: "error", listener: (error: unknown) => void): void;
}

/** How many entries it reads, and writes, at once. */
const PAGE_SIZE = 249;

/** Keyv. */
export function loadKeyv(): Subject {
  const { Keyv } = requirePeer("keyv");
  const { KeyvSqlite } = requirePeer("@keyv/sqlite");
  return {
    name: "Keyv, SQLite",
    family: "peer",
    isDurable: true,
    durability: "WAL (`wal: true`), synchronous FULL",
    setsAllBy: `a transaction for each ${PAGE_SIZE}`,
    open(folder) {
      const store = new KeyvSqlite({
        uri: `sqlite://${folder}/keyv.db`,
        driver: "node:sqlite",
        wal: true,
        iterationLimit: PAGE_SIZE,
      });
      return Promise.resolve(
        sessionOf(new Keyv({ store, namespace: "users" })),
      );
    },
  };
}

function sessionOf(keyv: Keyv): Session {
  let failure: unknown;
  keyv.on("error", (error) => failure = error);
  const assertNoFailure = () => {
    if (failure) throw failure;
  };
  return {
    get: (key) => keyv.get(key),
    set: (key, value) => keyv.set(key, value),
    async setAll(entries) {
      await keyv.setMany(entries.map(([key, value]) => ({ key, value })));
      assertNoFailure();
    },
    async list() {
      const found = new Map<string, Value>();
      for await (const [key, value] of keyv.iterator()) found.set(key, value);
      return found;
    },
    async close() {
      await keyv.disconnect();
      assertNoFailure();
    },
  };
}
