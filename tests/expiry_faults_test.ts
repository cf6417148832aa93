/**
 * Expiry in a file to which things happen: failures of SQLite, locks, clocks
 * that are wrong, triggers of others, an index that somebody dropped. What has
 * expired is gone for every reader all the same, and each deletion is logged
 * once, as soon as that can be done.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreError,
  type StoreOptions,
} from "../mod.ts";
import {
  type Connection,
  SqlError,
  type SqlFailure,
} from "../src/sqlite/driver/driver.ts";
import {
  DELETE_ENTRY,
  LIST_EXPIRED,
  NEXT_EXPIRY,
  SET_REMOVAL,
} from "../src/sqlite/storage/queries.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { createFormat1File } from "./support/format_1_file.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { ManualTime } from "./support/manual_time.ts";
import { tempDir } from "./support/temp_dir.ts";

const HOUR = 3_600_000;

/** Each change in short, such as `expire a`. */
function logOf(db: Connection): string[] {
  return db.prepare(
    "SELECT type, key FROM zestor_changes ORDER BY revision",
  ).all().map(({ type, key }) => `${type} ${key}`);
}

/** Every read of the kind "k". */
async function readAll(store: SqliteStore) {
  return {
    keys: await store.keys("k"),
    values: [...(await store.list("k")).keys()],
    count: await store.count("k"),
    kinds: await store.kinds(),
    has: await store.has("k", "a"),
  };
}

const NOTHING = { keys: [], values: [], count: 0, kinds: [], has: false };

/** Resolves when so many deletions were told since the call. */
async function deletions(
  store: SqliteStore,
  count: number,
): Promise<string[]> {
  const keys: string[] = [];
  for await (const event of store.watch("k", { types: ["delete"] })) {
    assert(event.type === "delete" && event.expired, event.key);
    keys.push(event.key);
    if (keys.length === count) break;
  }
  return keys;
}

// Failures.

/** What a statement of the sweep is. */
const STATEMENTS: Record<string, string> = {
  "asks what expires next": NEXT_EXPIRY,
  "begins": "BEGIN IMMEDIATE",
  "lists them": LIST_EXPIRED,
  "deletes": DELETE_ENTRY,
  "tells that they had expired": SET_REMOVAL,
  "commits": "COMMIT",
};
const FAILURES: SqlFailure[] = ["busy", "full", "io", "other"];

for (const driver of drivers) {
  for (const [what, failing] of Object.entries(STATEMENTS)) {
    for (const failure of FAILURES) {
      driver.test(`what expires is removed once, later, if SQLite fails (${failure}) when it ${what} [${driver.name}]`, async () => {
        await using dir = await tempDir();
        const path = dir.file("app.db");
        let failures = 0;
        let tries = 0;
        using time = new ManualTime();
        await using store = await openStore({
          path,
          driver: await instrumentedDriver(driver.name, (sql) => {
            if (sql !== failing || failures === 0) return;
            failures--;
            tries++;
            throw new SqlError(failure, `${failure}, as a test has it`);
          }),
        });
        using db = await connect(driver, fileAt(path));
        await store.setAll("k", { a: 1, b: 1 }, { expireIn: 100 });
        failures = 5;
        await time.advance(99);
        assertEquals((await readAll(store)).keys, ["a", "b"]);
        await time.advance(1);
        assertEquals(await readAll(store), NOTHING);
        await time.advance(5_500);
        assertEquals(tries, 5);
        assertEquals(logOf(db).slice(2).toSorted(), ["expire a", "expire b"]);
      });
    }
  }
}

testOnEachDriver(
  "`close()` does not wait for a lock to remove expired entries",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    let begins = 0;
    const twice = Promise.withResolvers<void>();
    // The store keeps nothing running.
    const running = setInterval(() => {}, 1_000);
    const store = await openStore({
      path,
      busyTimeout: 24 * HOUR,
      driver: await instrumentedDriver(driver.name, (sql) => {
        if (sql === "BEGIN IMMEDIATE" && ++begins === 3) twice.resolve();
      }),
    });
    using db = await connect(driver, fileAt(path));
    await store.set("k", "a", 1, { expireIn: 1 });
    begins = 0;
    db.exec("BEGIN IMMEDIATE");
    await twice.promise;
    await store.close();
    clearInterval(running);
    db.exec("ROLLBACK");
  },
);

// Triggers of others.

const REFUSALS = ["IGNORE", "ABORT, 'no'", "FAIL, 'no'"];

for (const refusal of REFUSALS) {
  testOnEachDriver(
    `a trigger of others that refuses deletes by RAISE(${refusal}) keeps nothing else`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      let begins = 0;
      using time = new ManualTime();
      await using store = await openStore({
        path,
        driver: await instrumentedDriver(driver.name, (sql) => {
          if (sql === "BEGIN IMMEDIATE") begins++;
        }),
      });
      using db = await connect(driver, fileAt(path));
      db.exec(`CREATE TRIGGER meddler BEFORE DELETE ON zestor_kv
        WHEN OLD.key LIKE 'bad%' BEGIN SELECT RAISE(${refusal}); END`);
      const keys = (name: string, count: number) =>
        Array.from(
          { length: count },
          (_, i) => [`${name}${String(i).padStart(3, "0")}`, 1] as const,
        );
      const bad = keys("bad", 200);
      const good = keys("good", 200);
      // The bad ones come first.
      await store.setAll("k", bad, { expireIn: 100 });
      await store.setAll("k", good, { expireIn: 150 });
      await time.advance(1_500);
      assertEquals(await readAll(store), NOTHING);
      const log = logOf(db).slice(400);
      assertEquals(log, good.map(([key]) => `expire ${key}`));

      // It tries them again, but now and then.
      begins = 0;
      await time.advance(20_000);
      assert(begins > 10 && begins < 150, `${begins} transactions`);
      assertEquals(logOf(db).length, 600);
      // Others' writes go on.
      await store.set("k", "good", 1);
      const error = await assertRejects(
        () => store.set("k", "bad000", 1),
        StoreError,
        "meddler",
      );
      assertEquals(error.code, "STORAGE");
      await store.set("k", "soon", 1, { expireIn: 100 });
      await time.advance(2_000);
      assertEquals(logOf(db).slice(600), [
        "create good",
        "create soon",
        "expire soon",
      ]);

      db.exec("DROP TRIGGER meddler");
      await time.advance(3_000);
      assertEquals(
        logOf(db).slice(603).toSorted(),
        bad.map(([key]) => `expire ${key}`),
      );
    },
  );
}

testOnEachDriver(
  "a trigger of others that refuses a write hurts no other write",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    db.exec(`CREATE TRIGGER meddler BEFORE INSERT ON zestor_kv
      WHEN NEW.key LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'no bad ones'); END`);
    const writes = await Promise.allSettled([
      store.set("k", "a", 1),
      store.set("k", "bad", 1),
      store.setAll("k", { b: 1, "bad b": 1 }),
      store.set("k", "c", 1),
    ]);
    assertEquals(
      writes.map((write) =>
        write.status === "rejected" && /no bad ones.*meddler/.test(write.reason)
      ),
      [false, true, true, false],
    );
    assertEquals(await store.keys("k"), ["a", "c"]);
  },
);

// The index.

testOnEachDriver(
  "an index of expiry that somebody dropped comes back, and nothing is missed",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using time = new ManualTime();
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    const indexes = () =>
      db.prepare(
        "SELECT sql FROM sqlite_schema WHERE name = 'zestor_expiry'",
      ).all();
    const made = indexes();
    await store.setAll("k", { a: 1, b: 1 }, { expireIn: 2_000 });
    await store.set("k", "stays", 1);
    db.exec("DROP INDEX zestor_expiry");
    // No write, and nothing has expired yet.
    await time.advance(1_100);
    assertEquals(indexes(), made);

    db.exec("DROP INDEX zestor_expiry");
    time.jump(5_000);
    assertEquals(await readAll(store), {
      keys: ["stays"],
      values: ["stays"],
      count: 1,
      kinds: ["k"],
      has: false,
    });
    await time.advance(1_100);
    assertEquals(indexes(), made);
    assertEquals(logOf(db).slice(3).toSorted(), ["expire a", "expire b"]);

    // Another one of that name goes with the next write.
    db.exec(`DROP INDEX zestor_expiry;
      CREATE INDEX zestor_expiry ON zestor_kv (version)`);
    await time.advance(1_100);
    await store.set("k", "stays", 2);
    assertEquals(indexes(), made);
    db.exec("PRAGMA foreign_keys = ON; CREATE TABLE other (id INTEGER)");
    await store.set("k", "c", 1, { expireIn: 100 });
    await time.advance(200);
    assertEquals(logOf(db).at(-1), "expire c");
    assertEquals(await store.verify(), []);
  },
);

// Clocks.

/** What plain SQL may say of expiry, from the first to expire to the last. */
const LONG_GONE = ["-9e999", "-8640000000000001", "-1", "0", "1", "1000.5"];
const NEVER = ["9e999", "9007199254740993", "'soon'", "x'00'", "NULL"];

testOnEachDriver(
  "entries whose expiry is long past are removed in its order, and nonsense never",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(driver, fileAt(path));
    {
      await using store = await openOn(driver, { path });
      const all = [...LONG_GONE, ...NEVER];
      await store.setAll("k", all.map((expiry) => [expiry, 1] as const));
    }
    for (const expiry of [...LONG_GONE, ...NEVER].toReversed()) {
      db.prepare(`UPDATE zestor_kv SET expires_at = ${expiry} WHERE key = ?`)
        .run(expiry);
    }
    await using store = await openOn(driver, { path });
    assertEquals(await store.count("k"), NEVER.length);
    assertEquals(await deletions(store, LONG_GONE.length), LONG_GONE);
    const soon = deletions(store, 1);
    await store.set("k", "soon", 1, { expireIn: 1 });
    assertEquals(await soon, ["soon"]);
    assertEquals(await store.count("k"), NEVER.length);
  },
);

const MODES: Record<string, Partial<StoreOptions>> = {
  "a write-ahead log": { durability: "normal" },
  "a rollback journal": { wal: false, durability: "normal" },
};

/** Registers a test on each driver, in each mode of a file. */
function testInEachMode(
  name: string,
  fn: (driver: TestDriver, options: StoreOptions) => Promise<void>,
): void {
  for (const [mode, options] of Object.entries(MODES)) {
    testOnEachDriver(`${name}, with ${mode}`, async (driver) => {
      await using dir = await tempDir();
      await fn(driver, { path: dir.file("app.db"), ...options });
    });
  }
}

const many = (count: number, prefix = "") =>
  Array.from(
    { length: count },
    (_, i) => [`${prefix}${String(i).padStart(5, "0")}`, i] as const,
  );

testInEachMode(
  "entries that expire during a long write are gone after it",
  async (driver, options) => {
    // The removal may come before the watch has read past the long write.
    const history = 1_000_000;
    await using store = await openOn(driver, { ...options, history });
    const deleted = deletions(store, 1);
    await store.set("k", "a", 1, { expireIn: 20 });
    const expiry = Date.now() + 20;
    let revision = 0;
    // The write is longer than the expiry, however fast the machine is.
    while (revision === 0) {
      const rounds = many(20_000, `${revision}`);
      const { revision: last } = await store.setAll("l", rounds);
      if (Date.now() >= expiry) revision = last;
    }
    assertEquals(await store.has("k", "a"), false);
    assertEquals(await deleted, ["a"]);
    assertEquals(await store.verify(), []);
  },
);

testInEachMode(
  "entries that expire during a read of one moment are there to its end",
  async (driver, options) => {
    using time = new ManualTime();
    await using store = await openOn(driver, options);
    const entries = many(3_000);
    await store.setAll("k", entries, { expireIn: HOUR });
    const expire = () => time.jump(2 * HOUR);

    const listed = store.list("k");
    const snapshot = await store.snapshot();
    const exported = store.export().getReader();
    assertEquals(await snapshot.count("k"), 3_000);
    assertEquals((await exported.read()).done, false);
    expire();
    await time.advance(10);
    assertEquals(await store.count("k"), 0);
    assertEquals((await listed).size, 3_000);
    assertEquals(await snapshot.count("k"), 3_000);
    assertEquals((await snapshot.list("k")).size, 3_000);
    let chunks = 1;
    while (!(await exported.read()).done) chunks++;
    assert(chunks > 1, `${chunks} chunks`);
    await time.advance(60_000);
    using db = await connect(driver, fileAt(options.path as string));
    assertEquals(
      logOf(db).slice(3_000),
      entries.map(([key]) => `expire ${key}`),
    );
  },
);

testOnEachDriver(
  "a store that reads a file of format 1 sees expiries after an upgrade",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createFormat1File(driver, path);
    await using reader = await openOn(driver, { path: `file:${path}?mode=ro` });
    assertEquals(await reader.keys("k"), ["a", "b"]);
    await using writer = await openOn(driver, { path });
    await writer.set("k", "a", 3, { expireIn: 1 });
    while (await reader.has("k", "a"));
    assertEquals(await reader.keys("k"), ["b"]);
    assertEquals(await reader.count("k"), 1);
  },
);

testOnEachDriver(
  "a change that plain SQL gave a time to come hides no entry of the past",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1, { expireIn: HOUR });
    await store.set("k", "b", 1);
    {
      using db = await connect(driver, fileAt(path));
      db.exec(
        "UPDATE zestor_kv SET value = '2', updated_at = '2999-01-01T00:00:00.000Z' WHERE key = 'b'",
      );
    }
    await using past = await store.snapshot({ at: 3 });
    assertEquals([...await past.list("k")], [["a", 1], ["b", 2]]);
  },
);

testOnEachDriver(
  "an expiry from plain SQL that is later than any Date counts as none",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const events = store.watch("k").getReader();
    {
      using db = await connect(driver, fileAt(path));
      db.exec(
        "INSERT INTO zestor_kv (kind, key, value, expires_at) VALUES ('k', 'a', '1', 8640000000000001)",
      );
    }
    const { value: event } = await events.read();
    assert(event && !("expiresAt" in event));
    assert(!("expiresAt" in (await store.entry("k", "a"))!));
    assertEquals(await store.keys("k"), ["a"]);
    await events.cancel();
  },
);
