/**
 * Triggers of others on a store's tables: no write tells of what is not there,
 * and one that fails hurts no other.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type SqliteStore, StoreError } from "../mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const IGNORE = "BEGIN SELECT RAISE(IGNORE); END";
const BAD = (row: "NEW" | "OLD") => `WHEN ${row}.key LIKE 'bad%'`;
const TO_BAD = `SET value = x'30' WHERE key LIKE 'bad%'`;

/** Triggers that undo or change every write of a key that begins with "bad". */
const TRIGGERS: Record<string, readonly [event: string, body: string]> = {
  "ignores inserts": [
    `BEFORE INSERT ON zestor_kv ${BAD("NEW")}`,
    IGNORE,
  ],
  "ignores inserts when they are done": [
    `AFTER INSERT ON zestor_kv ${BAD("NEW")}`,
    IGNORE,
  ],
  "removes what is inserted": [
    `AFTER INSERT ON zestor_kv ${BAD("NEW")}`,
    "BEGIN DELETE FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key; END",
  ],
  "changes what is inserted": [
    `AFTER INSERT ON zestor_kv ${BAD("NEW")}`,
    `BEGIN UPDATE zestor_kv ${TO_BAD}; END`,
  ],
  "moves what is inserted": [
    `AFTER INSERT ON zestor_kv ${BAD("NEW")}`,
    "BEGIN UPDATE zestor_kv SET kind = 'other' WHERE key = NEW.key; END",
  ],
  "ignores updates": [
    `BEFORE UPDATE ON zestor_kv ${BAD("NEW")}`,
    IGNORE,
  ],
  "ignores updates when they are done": [
    `AFTER UPDATE ON zestor_kv ${BAD("NEW")}`,
    IGNORE,
  ],
  "changes what is updated": [
    `AFTER UPDATE ON zestor_kv ${BAD("NEW")} AND NEW.value <> x'30'`,
    `BEGIN UPDATE zestor_kv ${TO_BAD}; END`,
  ],
  "sets another version": [
    `AFTER INSERT ON zestor_kv ${BAD("NEW")}`,
    "BEGIN UPDATE zestor_kv SET version = 77 WHERE key = NEW.key; END",
  ],
  "ignores deletes": [`BEFORE DELETE ON zestor_kv ${BAD("OLD")}`, IGNORE],
  "ignores deletes when they are done": [
    `AFTER DELETE ON zestor_kv ${BAD("OLD")}`,
    IGNORE,
  ],
  "puts back what is deleted": [
    `AFTER DELETE ON zestor_kv ${BAD("OLD")}`,
    "BEGIN INSERT INTO zestor_kv (kind, key, value) VALUES (OLD.kind, OLD.key, OLD.value); END",
  ],
  "keeps changes out of the log": [
    `BEFORE INSERT ON zestor_changes ${BAD("NEW")}`,
    IGNORE,
  ],
  "takes changes out of the log": [
    `AFTER INSERT ON zestor_changes ${BAD("NEW")}`,
    "BEGIN DELETE FROM zestor_changes WHERE revision = NEW.revision; END",
  ],
  "changes the log": [
    `AFTER INSERT ON zestor_changes ${BAD("NEW")}`,
    "BEGIN UPDATE zestor_changes SET key = 'good' WHERE revision = NEW.revision; END",
  ],
};

type Write = (store: SqliteStore) => Promise<unknown>;

const many = (first: string) =>
  new Map([
    [first, 2],
    ...Array.from(
      { length: 200 },
      (_, i): [string, number] => [`many${String(i).padStart(3, "0")}`, i],
    ),
  ]);

/** Writes that create, update or delete a bad key. "bad" is there, "bad new" is not. */
const WRITES: Record<string, Write> = {
  "INSERT set": (store) => store.set("k", "bad new", 2),
  "INSERT setAll": (store) => store.setAll("k", { "bad new": 2, good: 2 }),
  "INSERT setAll of many": (store) => store.setAll("k", many("bad new")),
  "INSERT update": (store) =>
    store.update("k", "bad new", () => 2, { initial: 1 }),
  "INSERT import": (store) =>
    store.import(
      ReadableStream.from(['{"kind":"k","key":"bad new","value":2}\n']),
    ),
  "UPDATE set": (store) => store.set("k", "bad", 2),
  "UPDATE setAll": (store) => store.setAll("k", many("bad")),
  "UPDATE update": (store) => store.update("k", "bad", () => 2),
  "UPDATE atomic": (store) =>
    store.atomic().set("k", "good", 3).set("k", "bad", 2).commit(),
  "DELETE delete": (store) => store.delete("k", "bad"),
  "DELETE atomic": (store) =>
    store.atomic().delete("k", "bad").set("k", "good", 3).commit(),
};

/** Everything that is there: entries and changes. */
function contents(db: Connection): unknown[] {
  return [
    db.prepare("SELECT kind, key, value, version FROM zestor_kv").all(),
    db.prepare("SELECT * FROM zestor_changes").all(),
  ];
}

async function openFilled(driver: TestDriver, path: string) {
  const store = await openOn(driver, { path, durability: "normal" });
  await store.set("k", "bad", 1);
  await store.set("k", "good", 1);
  return store;
}

for (const [what, [event, body]] of Object.entries(TRIGGERS)) {
  testOnEachDriver(
    `no write reports a wrong result with a trigger that ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openFilled(driver, path);
      using db = await connect(driver, fileAt(path));
      db.exec(`CREATE TRIGGER meddler ${event} ${body}`);
      const [statement] = /INSERT|UPDATE|DELETE/.exec(event)!;
      for (const [name, write] of Object.entries(WRITES)) {
        const isHit = name.startsWith(statement) ||
          event.includes("zestor_changes");
        if (!isHit) continue;
        const before = contents(db);
        const error = await assertRejects(() => write(store), StoreError);
        const code = name.endsWith("import") ? "IMPORT" : "STORAGE";
        assertEquals(error.code, code, name);
        const isNamed = /meddler/.test(`${error.message} ${error.cause}`);
        assertEquals(isNamed, true, `${name}: ${error.message}`);
        assertEquals(contents(db), before, name);

        // Writes that share its transaction are not hurt.
        const [hurt, ...others] = await Promise.allSettled([
          write(store),
          store.set("l", `of ${name}`, 1),
          store.setAll("l", { [`more of ${name}`]: 1 }),
          store.set("k", "good", name),
        ]);
        assertEquals(hurt.status, "rejected", name);
        assertEquals(
          others.map(({ status }) => status),
          ["fulfilled", "fulfilled", "fulfilled"],
          name,
        );
        await store.set("k", "good", 1);
      }
      const findings = await store.verify();
      assertEquals(findings.map(({ part }) => part), ["foreign"]);
      assertEquals(await store.get("k", "bad"), 1);
    },
  );
}

testOnEachDriver(
  "triggers of others that change no entry of a write leave it true",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openFilled(driver, path);
    using db = await connect(driver, fileAt(path));
    db.exec(`
      CREATE TABLE audit (key TEXT);
      CREATE TRIGGER audits AFTER INSERT ON zestor_kv WHEN NEW.kind = 'k' BEGIN
        INSERT INTO audit VALUES (NEW.key);
        INSERT INTO zestor_kv (kind, key, value) VALUES ('audit', NEW.key, 1);
      END;
      CREATE TRIGGER stamps AFTER UPDATE OF value ON zestor_kv BEGIN
        UPDATE zestor_kv SET updated_at = '2020-01-01T00:00:00.000Z'
          WHERE kind = NEW.kind AND key = NEW.key;
      END`);
    const created = await store.set("k", "new", 1);
    const updated = await store.set("k", "good", 2);
    const logged = db.prepare(
      "SELECT key, kind, version FROM zestor_changes WHERE revision = ?",
    );
    assertEquals(logged.get(created.revision), {
      kind: "k",
      key: "new",
      version: created.version,
    });
    assertEquals(logged.get(updated.revision), {
      kind: "k",
      key: "good",
      version: 2,
    });
    const many = Array.from({ length: 100 }, (_, i) => [`${i}`, i] as const);
    assertEquals((await store.setAll("k", many)).created, 100);
    assertEquals(await store.count("audit"), 101);
    assertEquals((await store.delete("k", "new"))?.value, 1);

    // A backup has them too: it is sound.
    await store.backup(dir.file("copy.db"));
    await using copy = await openOn(driver, { path: dir.file("copy.db") });
    assertEquals(await copy.count("k"), 102);
  },
);

testOnEachDriver(
  "a file whose tables cannot be made says which trigger is in the way",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openFilled(driver, path)).close();
    {
      using db = await connect(driver, fileAt(path));
      db.exec(`DROP TRIGGER zestor_delete;
        DELETE FROM zestor_meta;
        CREATE TRIGGER meddler BEFORE INSERT ON zestor_meta ${IGNORE}`);
    }
    const error = await assertRejects(
      () => openOn(driver, { path }),
      StoreError,
      "meddler",
    );
    assertEquals(error.code, "OPEN");
  },
);
