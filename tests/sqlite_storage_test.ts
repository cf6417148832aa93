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
    `a storage in SQLite equals a plain model (${round})`,
    async (driver) => {
      using opened = await openStorage(driver);
      const { storage } = opened;
      await withSeed(`sqlite ${round}`, (random) => {
        using time = new FrozenTime();
        const model = new StorageModel(storage, random);
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

testOnEachDriver(
  "rows of the log that cannot be read are handed over, and others beside them",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage, db } = opened;
    db.exec(`
      INSERT INTO zestor_kv (kind, key, value) VALUES
        ('k', 'a', 1), ('k', 'b' || char(0) || 'c', 1),
        ('k', 'd', 1), ('k', 'e', 1), ('k' || char(0), 'f', 1), ('k', 'g', 1);
      UPDATE zestor_changes SET value = NULL WHERE key = 'd';
      UPDATE zestor_changes SET version = ${2n ** 60n} WHERE key = 'e'`);
    const expected = [
      "create a 1",
      ...[2, 3, 4, 5].map((revision) => `${revision} cannot be read`),
      "create g 1",
    ];
    assertEquals(logOf(storage), expected);
    const filter = { keys: ALL_KEYS, previous: true };
    const back = storage.readChangesBack(filter, 7, 0, 256);
    assertEquals(
      back.changes.map(({ revision }) => revision),
      [6, 5, 4, 3, 2, 1],
    );
    const read = (kinds: string[]) =>
      storage.readChanges({ kinds, keys: ALL_KEYS }, 0, 6, 256).changes
        .map(({ revision }) => revision);
    assertEquals(read(["k"]), [1, 2, 3, 4, 6]);
    assertEquals(read(["k", "l"]), [1, 2, 3, 4, 6]);
    assertEquals(read([]), []);
    // Nobody can ask for the key.
    assertEquals(
      storage.listChangedKeys("k", ALL_KEYS, 0, 6).map(({ key }) => key),
      ["a", "d", "e", "g"],
    );
  },
);

testOnEachDriver(
  "pages of changes are bounded by both of their values, in both directions",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage } = opened;
    const large = (n: number) => new Uint8Array(400_000).fill(n);
    const sizes = [1, 2, 3, 4, 5].map((n) => n % 2 ? large(n) : VALUE);
    transact(storage, () => {
      for (const value of sizes) storage.put("k", "a", { value });
    });
    const filter = { keys: ALL_KEYS, previous: true, times: true };
    const all: StoredChange[] = [];
    for (let after = 0; after < 5;) {
      const page = storage.readChanges(filter, after, 5, 256);
      assert(page.changes.length <= 3);
      all.push(...page.changes as StoredChange[]);
      after = page.cursor;
    }
    assertEquals(all.map(({ value }) => value.byteLength), [
      ...[400_000, 1, 400_000, 1, 400_000],
    ]);
    assertEquals(all.map(({ previous }) => previous?.byteLength), [
      ...[undefined, 400_000, 1, 400_000, 1],
    ]);
    for (const [i, change] of all.entries()) {
      assertEquals(change.value, sizes[i]);
      assertEquals(change.previous, sizes[i - 1]);
      assert(change.time && Number.isSafeInteger(change.mark));
    }
    const reversed: StoredChange[] = [];
    for (let before = 6; before > 1;) {
      const page = storage.readChangesBack(filter, before, 0, 256);
      reversed.push(...page.changes as StoredChange[]);
      before = page.cursor;
    }
    assertEquals(reversed, all.toReversed());
  },
);

testOnEachDriver(
  "expired entries with any name are removed",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage, db } = opened;
    db.exec(`INSERT INTO zestor_kv (kind, key, value, expires_at) VALUES
      ('k', 'a', 1, 1), ('k', 'b' || char(0), 1, 2), ('k', 'c', 1, 3),
      ('k', 'd', 1, 4000000000000), ('k', 'e', 1, 'never')`);
    assertEquals(storage.nextExpiry(), 1);
    assertEquals(transact(storage, () => storage.removeExpired(2)), 2);
    assertEquals(transact(storage, () => storage.removeExpired(2)), 1);
    assertEquals(transact(storage, () => storage.removeExpired(2)), 0);
    assertEquals(storage.nextExpiry(), 4_000_000_000_000);
    assertEquals(logOf(storage).slice(5), [
      "expire a 1",
      "7 cannot be read",
      "expire c 1",
    ]);
    assertEquals(storage.readKeys("k", ALL_KEYS).items, ["d", "e"]);
  },
);

testOnEachDriver(
  "a foreign trigger that keeps expired entries affects no others, and fails writes to them",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage, db } = opened;
    db.exec(`INSERT INTO zestor_kv (kind, key, value, expires_at) VALUES
        ('k', 'a', 1, 1), ('k', 'b', 1, 2), ('k', 'c', 1, 3);
      CREATE TRIGGER keeper BEFORE DELETE ON zestor_kv WHEN OLD.key = 'a'
        BEGIN SELECT RAISE(IGNORE); END`);
    // It tries all, and then that one again.
    assertEquals(transact(storage, () => storage.removeExpired(64)), 3);
    assertEquals(logOf(storage).slice(3), ["expire b 1", "expire c 1"]);
    assertEquals(transact(storage, () => storage.removeExpired(64)), 1);
    assertEquals(logOf(storage).length, 5);
    // Nor can it be put anew.
    storage.begin();
    assertThrows(
      () => storage.put("k", "a", { value: VALUE }),
      StoreError,
      "keeper",
    );
    storage.rollBack();
    assertEquals(storage.getValue("k", "a"), undefined);
  },
);

testOnEachDriver(
  "with triggers of others, each write tells its revision, and its expiry is kept",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage, db } = opened;
    db.exec(`CREATE TRIGGER audit AFTER INSERT ON zestor_kv
      WHEN NEW.kind <> 'audit' BEGIN
        INSERT INTO zestor_kv (kind, key, value)
          VALUES ('audit', NEW.key, NEW.value);
      END`);
    const expiresAt = Date.now() + 1_000_000;
    const result = transact(
      storage,
      () => storage.put("k", "a", { value: VALUE, expiresAt }),
    );
    assertEquals(result.status, "created");
    const entry = storage.getEntry("k", "a")!;
    assertEquals(
      [entry.revision, entry.expiresAt],
      [result.revision, expiresAt],
    );
    assertEquals(storage.headRevision(), 2);
    // A trigger that changes the expiry is told of.
    db.exec(`CREATE TRIGGER longer AFTER INSERT ON zestor_kv
      WHEN NEW.key = 'b' AND NEW.kind = 'k' BEGIN
        UPDATE zestor_kv SET expires_at = 5 WHERE kind = 'k' AND key = 'b';
      END`);
    storage.begin();
    assertThrows(
      () => storage.put("k", "b", { value: VALUE, expiresAt }),
      StoreError,
      "longer",
    );
    storage.commit();
    assertEquals(storage.getState("k", "b"), undefined);
  },
);

testOnEachDriver(
  "the log has a removal's type by the transaction's clock, not the system's",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage } = opened;
    using time = new FrozenTime();
    const now = Date.now();
    const put = (key: string, expiresAt: number) =>
      storage.put("k", key, { value: VALUE, expiresAt });
    transact(storage, () => {
      put("past", now - 5_000);
      put("soon", now + 1_000_000);
    });
    // By the system's clock, the one has expired, and the other one has not.
    time.jump(-10_000);
    transact(storage, () => assertEquals(storage.remove("k", "past"), 3));
    time.jump(2_000_000);
    transact(storage, () => {
      assertEquals(storage.remove("k", "soon"), undefined);
    });
    assertEquals(logOf(storage).slice(2), ["delete past 1", "expire soon 1"]);
  },
);

testOnEachDriver(
  "pruning leaves the newest change, and the mark of a log's beginning is the file's",
  async (driver) => {
    using opened = await openStorage(driver);
    const { storage, db } = opened;
    const { value } = db.prepare(
      "SELECT value FROM zestor_meta WHERE name = 'mark'",
    ).get()!;
    assertEquals(storage.getMark(0), Number(value));
    assertEquals(storage.getMark(1), undefined);
    transact(storage, () => {
      for (let i = 0; i < 3; i++) {
        storage.put("k", "a", { value: new Uint8Array([i]) });
      }
    });
    const newest = storage.getMark(3);
    transact(storage, () => storage.prune(3));
    assertEquals([storage.oldestRevision(), storage.headRevision()], [3, 3]);
    assertEquals([storage.getMark(2), storage.getMark(3)], [undefined, newest]);
    // What an earlier version logged has no mark of its own.
    db.exec("UPDATE zestor_changes SET mark = NULL");
    assertEquals(storage.getMark(3), Number(value));
    assertThrows(() => storage.getPrevious(3), WatchOverflowError);
  },
);
