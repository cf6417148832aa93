/**
 * The storage in SQLite, below the store: beside the plain model that the one in
 * memory is compared with.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { StoreError, WatchOverflowError } from "../mod.ts";
import type { StoredChange } from "../src/engine/entries.ts";
import { ALL_KEYS } from "../src/keys/key_range.ts";
import { Database } from "../src/sqlite/connection/database.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { OpenFiles } from "../src/sqlite/file/open_files.ts";
import { KnownSchema } from "../src/sqlite/format/known_schema.ts";
import { SqliteStorage } from "../src/sqlite/storage/sqlite_storage.ts";
import { KindCodecs } from "../src/values/codecs/kind_codecs.ts";
import { connect } from "./support/connect.ts";
import { type TestDriver, testOnEachDriver } from "./support/drivers.ts";
import { FrozenTime } from "./support/manual_time.ts";
import { withSeed } from "./support/random.ts";
import { checkLog, checkReads } from "./support/storage_checks.ts";
import { entriesAt, KINDS, StorageModel } from "./support/storage_model.ts";

interface OpenedStorage extends Disposable {
  readonly storage: SqliteStorage;
  readonly db: Connection;
}

/** A storage in memory, and its connection. */
async function openStorage(driver: TestDriver): Promise<OpenedStorage> {
  const db = await connect(driver);
  const database = new Database(db, undefined);
  const location = {
    path: ":memory:",
    mode: "rwc",
    memory: "private",
  } as const;
  const codecs = new KindCodecs();
  const schema = new KnownSchema(database, db, codecs);
  const files = new OpenFiles(location);
  const storage = new SqliteStorage(database, {
    location,
    schema,
    codecs,
    files,
  });
  // It brings the file to the format.
  storage.begin();
  storage.commit();
  return { storage, db, [Symbol.dispose]: () => storage.close() };
}

const VALUE = new Uint8Array([49]);

/** Writes in a transaction. */
function transact<T>(storage: SqliteStorage, work: () => T): T {
  storage.begin();
  const result = work();
  storage.commit();
  return result;
}

/** Each change of the log, as text. */
function logOf(storage: SqliteStorage): string[] {
  const head = storage.headRevision();
  const { changes } = storage.readChanges({ keys: ALL_KEYS }, 0, head, 256);
  return changes.map((change) => {
    if ("problem" in change) return `${change.revision} cannot be read`;
    const { type, isExpiry, key, version } = change;
    return `${isExpiry ? "expire" : type} ${key} ${version}`;
  });
}

for (let round = 0; round < 5; round++) {
  testOnEachDriver(
    `a storage in SQLite is what a plain model says (${round})`,
    async (driver) => {
      using opened = await openStorage(driver);
      const { storage } = opened;
      await withSeed(`sqlite ${round}`, (random) => {
        using time = new FrozenTime();
        const model = new StorageModel(random, storage);
        for (let step = 0; step < 60; step++) {
          time.jump(random.below(40));
          model.change();
          const { state } = model.past[model.head];
          checkReads(storage, state, Date.now(), random, "system");
          const at = Date.now() + random.between(-100, 100);
          storage.asOf(
            at,
            () => checkReads(storage, state, at, random, "system"),
          );
          const expiries = KINDS.flatMap((kind) =>
            entriesAt(state, -Infinity, kind)
              .flatMap(({ expiresAt }) => expiresAt ?? [])
          );
          const next = expiries.length > 0 ? Math.min(...expiries) : undefined;
          assertEquals(storage.nextExpiry(), next);
        }
        checkLog(model, "system");
      });
    },
  );
}
