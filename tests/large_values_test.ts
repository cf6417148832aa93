/**
 * Large values, which a store's change writes once: into the entry. The change
 * log has them only when they are replaced, and until then a checksum.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  CodecError,
  RevisionUnavailableError,
  type SqliteStore,
  type Store,
  type WatchEvent,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { LARGE_BYTES } from "../src/sqlite/format/large_values.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { createFormat2File } from "./support/format_2_file.ts";
import { tempDir } from "./support/temp_dir.ts";

/** A value whose JSON has so many bytes. */
function valueOf(bytes: number, letter: string): string {
  return letter.repeat(bytes - 2);
}

const large = (letter: string) => valueOf(3 * LARGE_BYTES, letter);
const small = (letter: string) => valueOf(100, letter);
/** The least value that is large, and the largest that is not. */
const least = (letter: string) => valueOf(LARGE_BYTES, letter);
const most = (letter: string) => valueOf(LARGE_BYTES - 1, letter);

/** A value in few words. */
function short(value: unknown): string {
  return typeof value === "string" ? `${value[0]}${value.length}` : `${value}`;
}

function tell(event: WatchEvent): string {
  const { type, key, value, version, revision } = event;
  const previous = "previous" in event ? ` was ${short(event.previous)}` : "";
  return `${revision} ${type} ${key}@${version} ${short(value)}${previous}`;
}

/** Everything that the log tells, one way and the other, and by a watch. */
async function tellAll(store: Store, oldest = 1): Promise<string[]> {
  const told: string[] = [];
  for await (const change of store.history("k", undefined, {})) {
    told.push(tell(change as WatchEvent));
  }
  const back: string[] = [];
  for await (const change of store.history("k", undefined, { reverse: true })) {
    back.push(tell(change as WatchEvent));
  }
  assertEquals(back, told.toReversed());
  const watched: string[] = [];
  const options = { after: oldest - 1, previous: true };
  if (told.length > 0) {
    for await (const event of store.watch("k", options)) {
      watched.push(tell(event as WatchEvent));
      if (watched.length === told.length) break;
    }
  }
  assertEquals(watched, told);
  return told;
}

/** Applies what the log tells, and compares what that leads to with the entries. */
async function assertLeadsToEntries(store: Store): Promise<void> {
  const entries = new Map<string, unknown>();
  for await (const change of store.history("k")) {
    const { type, key, value } = change;
    const before = entries.get(key);
    if (type === "create") assertEquals(before, undefined);
    if (type === "update") assertEquals(short(change.previous), short(before));
    if (type === "delete") assertEquals(short(value), short(before));
    if (type === "delete") entries.delete(key);
    else entries.set(key, value);
  }
  const now = await store.list("k");
  const shorten = (map: Map<string, unknown>) =>
    [...map].map(([key, value]) => `${key} ${short(value)}`).sort();
  assertEquals(shorten(entries), shorten(now));
}

/** How many large values the log has, and how many of them as `value`. */
function countLarge(db: Connection) {
  return db.prepare(
    `SELECT count(CASE WHEN length(previous) >= ${LARGE_BYTES} THEN 1 END) AS previous,
      count(CASE WHEN length(value) >= ${LARGE_BYTES} THEN 1 END) AS value
    FROM zestor_changes`,
  ).get();
}

/** Writes values of every size, each after every other, and removals between them. */
async function writeSizes(store: Store): Promise<void> {
  const makers = [large, small, least, most, large];
  for (const [i, from] of makers.entries()) {
    for (const [j, to] of makers.entries()) {
      await store.set("k", `${i}`, from("a"));
      await store.set("k", `${i}`, to("b"));
      await store.set("k", `${i}`, to("b")); // No change.
      if (j % 2) await store.delete("k", `${i}`);
    }
  }
  await store.setAll("k", { x: large("x"), y: small("y"), z: least("z") });
  await store.update("k", "x", () => large("u"));
  await store.set("k", "x", large("u"), { expireIn: 1e9 });
  await store.set("k", "y", large("v"));
}

testOnEachDriver(
  "the log tells large values as a store in memory does",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using memory = await openMemoryStore();
    await writeSizes(store);
    await writeSizes(memory);
    assertEquals(await tellAll(store), await tellAll(memory));
    await assertLeadsToEntries(store);
    assertEquals(await store.verify(), []);
    const { revision: newest } = (await store.entry("k", "y"))!;
    for (let at = 0; at <= newest; at++) {
      await using past = await store.snapshot({ at });
      await using expected = await memory.snapshot({ at });
      assertEquals(
        [...await past.list("k")].map(([key, value]) => [key, short(value)]),
        [...await expected.list("k")].map((
          [key, value],
        ) => [key, short(value)]),
      );
    }
    using db = await connect(driver, fileAt(path));
    const found = countLarge(db)!;
    assertEquals(found.value, 0);
    assert(found.previous as number > 20);
  },
);

testOnEachDriver(
  "a watch in another store sees large values, also late",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using other = await openOn(driver, { path: `file:${path}?mode=ro` });
    const events = other.watch("k", { previous: true }).getReader();
    await store.set("k", "a", large("a"));
    assertEquals(tell((await events.read()).value!), `1 create a@1 a24574`);
    await store.set("k", "a", large("b"));
    await store.set("k", "a", large("c"));
    await store.delete("k", "a");
    const told: string[] = [];
    while (told.length < 3) told.push(tell((await events.read()).value!));
    assertEquals(told, [
      "2 update a@2 b24574 was a24574",
      "3 update a@3 c24574 was b24574",
      "4 delete a@3 c24574",
    ]);
    await events.cancel();
    assertEquals(await tellAll(other), await tellAll(store));
  },
);

testOnEachDriver(
  "pruning loses no large value that is still to be read, wherever it cuts",
  async (driver) => {
    for (let cut = 1; cut <= 9; cut++) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      for (const letter of "abcd") {
        await store.set("k", "x", large(letter));
        await store.set("k", "y", letter < "c" ? large(letter) : small(letter));
      }
      await store.delete("k", "x");
      await store.set("k", "x", large("e"));
      const all = await tellAll(store);
      using db = await connect(driver, fileAt(path));
      db.exec(`DELETE FROM zestor_changes WHERE revision <= ${cut}`);
      assertEquals(await tellAll(store, cut + 1), all.slice(cut));
      assertEquals(await store.verify(), []);
      for (let at = cut; at <= 10; at++) {
        await using past = await store.snapshot({ at });
        const x = at === 9 ? undefined : "aabbccdd.e"[at - 1];
        assertEquals((await past.get("k", "x") as string)?.[0], x);
      }
      await assertRejects(
        async () => {
          await using past = await store.snapshot({ at: cut - 1 });
          await past.get("k", "x");
        },
        RevisionUnavailableError,
      );
    }
  },
);

const WRITES: Record<string, string> = {
  insert: "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', $v)",
  update: "UPDATE zestor_kv SET value = $v WHERE key = 'a'",
  "update of text":
    "UPDATE zestor_kv SET value = CAST($v AS TEXT) WHERE key = 'a'",
  "the same as text": "UPDATE zestor_kv SET value = CAST(value AS TEXT)",
  replace: "REPLACE INTO zestor_kv (kind, key, value) VALUES ('k', 'a', $v)",
  "replace by the same":
    "REPLACE INTO zestor_kv SELECT * FROM zestor_kv WHERE key = 'a'",
  upsert: `INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', $v)
    ON CONFLICT DO UPDATE SET value = excluded.value`,
  "rename away": "UPDATE OR REPLACE zestor_kv SET key = 'b' WHERE key = 'a'",
  "rename over": "UPDATE OR REPLACE zestor_kv SET key = 'a' WHERE key = 'b'",
  "rename with another value":
    "UPDATE OR REPLACE zestor_kv SET key = 'c', value = $v WHERE key = 'a'",
  delete: "DELETE FROM zestor_kv WHERE key = 'a'",
  "delete all": "DELETE FROM zestor_kv",
  "an expiry": "UPDATE zestor_kv SET expires_at = 4000000000000",
  "a revision that is wrong":
    "UPDATE zestor_kv SET value = $v, revision = 77, version = 9",
};

for (const recursive of ["OFF", "ON"]) {
  testOnEachDriver(
    `plain SQL logs large values, with recursive_triggers ${recursive}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      using db = await connect(driver, fileAt(path));
      db.exec(`PRAGMA recursive_triggers = ${recursive}`);
      const sizes = [large, least, small, most];
      let n = 0;
      // Each statement comes after each other one.
      for (const first of Object.values(WRITES)) {
        for (const second of Object.values(WRITES)) {
          for (const sql of [first, second]) {
            const letter = String.fromCharCode(97 + n % 26);
            const value = JSON.stringify(sizes[n++ % sizes.length](letter));
            const text = `CAST('${value}' AS BLOB)`;
            try {
              db.exec(sql.replaceAll("$v", text));
            } catch (error) {
              // The entry is there already.
              assert(/UNIQUE/.test(String(error)), `${error}`);
            }
          }
        }
      }
      await assertLeadsToEntries(store);
      await tellAll(store);
      assertEquals(await store.verify(), []);
      // The store's own writes come after those of plain SQL, and before them.
      await store.set("k", "a", large("x"));
      db.exec(WRITES.update.replace("$v", "CAST('1' AS BLOB)"));
      await store.set("k", "a", large("y"));
      db.exec(WRITES["rename away"]);
      await store.set("k", "b", large("z"));
      db.exec(WRITES["replace by the same"]);
      db.exec(WRITES.delete.replace("'a'", "'b'"));
      await assertLeadsToEntries(store);
      await tellAll(store);
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver(
  "a trigger of others that writes the value again leaves a log that can be read",
  async (driver) => {
    for (const order of ["before", "after"]) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const trigger = `CREATE TRIGGER meddler AFTER UPDATE ON zestor_kv
        WHEN NEW.value NOT LIKE '%!"' BEGIN
          UPDATE zestor_kv SET value = substr(NEW.value, 1, length(NEW.value) - 2) || '!"'
            WHERE kind = NEW.kind AND key = NEW.key;
        END`;
      await using store = await openOn(driver, { path });
      using db = await connect(driver, fileAt(path));
      if (order === "after") db.exec(trigger);
      await store.set("k", "a", `${large("a")}!`);
      if (order === "before") db.exec(trigger);
      db.exec(
        `UPDATE zestor_kv SET value = '"' || replace(hex(zeroblob(12000)), '0', 'b') || '"'`,
      );
      await store.set("k", "a", `${large("c")}!`);
      const told = await tellAll(store);
      assertEquals(told[0], "1 create a@1 a24575");
      assertEquals(told.at(-1)?.split(" ").slice(1, 4), [
        "update",
        `a@${told.at(-1)?.match(/@(\d+)/)?.[1]}`,
        "c24575",
      ]);
      assertEquals(told.length, 4);
    }
  },
);

testOnEachDriver(
  "a file of format 2 is brought to format 3, with the large values in its log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await createFormat2File(driver, path);
    const write = (sql: string, value: string) =>
      db.exec(sql.replace("$v", `CAST('${JSON.stringify(value)}' AS BLOB)`));
    write(WRITES.insert, large("a"));
    write(WRITES.update, large("b"));
    write(WRITES.replace, small("c"));
    write(WRITES.update, large("d"));
    const told = [
      "1 create a@1 a24574",
      "2 update a@2 b24574 was a24574",
      "3 update a@3 c98 was b24574",
      "4 update a@4 d24574 was c98",
    ];
    {
      await using reading = await openOn(driver, {
        path: `file:${path}?mode=ro`,
      });
      assertEquals((await reading.info()).format, 2);
      assertEquals(await tellAll(reading), told);
      assertEquals(await reading.verify(), []);
    }
    await using reading = await openOn(driver, {
      path: `file:${path}?mode=ro`,
    });
    await using store = await openOn(driver, { path });
    assertEquals((await store.info()).format, 3);
    assertEquals(await tellAll(store), told);
    await store.set("k", "a", large("e"));
    write(WRITES.update, large("f"));
    told.push(
      "5 update a@5 e24574 was d24574",
      "6 update a@6 f24574 was e24574",
    );
    assertEquals(await tellAll(store), told);
    assertEquals(await tellAll(reading), told);
    assertEquals(await store.verify(), []);
    // What was logged before stays as it is, and plain SQL makes no checksum.
    assertEquals(countLarge(db), { previous: 4, value: 4 });
  },
);

testOnEachDriver(
  "a copy of a file, and a compacted one, have the large values of the log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await writeSizes(store);
    const told = await tellAll(store);
    await store.compact();
    assertEquals(await tellAll(store), told);
    await store.backup(dir.file("copy.db"));
    await using copy = await openOn(driver, { path: dir.file("copy.db") });
    assertEquals(await tellAll(copy), told);
    assertEquals(await copy.verify(), []);
  },
);

const DAMAGE: Record<string, [sql: string, revision: number]> = {
  "a value that was replaced": [
    "UPDATE zestor_changes SET previous = zeroblob(9000) WHERE revision = 2",
    1,
  ],
  "a checksum": [
    "UPDATE zestor_changes SET value = value + 1 WHERE revision = 2",
    2,
  ],
  "the value of the entry, and its checksum is of before": [
    `UPDATE zestor_changes SET value = (SELECT value FROM zestor_changes WHERE revision = 2)
      WHERE revision = 3`,
    3,
  ],
};

for (const [what, [sql, revision]] of Object.entries(DAMAGE)) {
  testOnEachDriver(
    `\`verify()\` finds damage in a large value: ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openChain(driver, path);
      assertEquals(await store.verify(), []);
      using db = await connect(driver, fileAt(path));
      db.exec(sql);
      const found = await store.verify();
      assertEquals(found.map((finding) => finding.revision), [revision]);
      assertMatch(found[0].message, /wrote a value that is damaged/);
    },
  );
}

async function openChain(
  driver: TestDriver,
  path: string,
): Promise<SqliteStore> {
  const store = await openOn(driver, { path });
  for (const letter of "abc") await store.set("k", "a", large(letter));
  await store.set("k", "b", 1);
  return store;
}

const LOST: Record<string, [sql: string, revision: number]> = {
  "the entry has another revision": [
    "UPDATE zestor_kv SET revision = 77 WHERE key = 'a'",
    3,
  ],
  "the next change replaces another one": [
    "UPDATE zestor_changes SET previous_revision = 0 WHERE revision = 2",
    1,
  ],
  "the next change has no previous value": [
    "UPDATE zestor_changes SET previous = NULL WHERE revision = 3",
    2,
  ],
};

for (const [why, [sql, revision]] of Object.entries(LOST)) {
  testOnEachDriver(
    `a lost large value is an error, never another value: ${why}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openChain(driver, path);
      using db = await connect(driver, fileAt(path));
      db.exec(sql);
      const found = await store.verify();
      assert(found.some((finding) => finding.revision === revision));
      const unreadable: number[] = [];
      const read: number[] = [];
      const history = store.history("k", undefined, {
        onUnreadable: (error) => {
          if (error instanceof CodecError) unreadable.push(error.revision!);
        },
      });
      for await (const change of history) read.push(change.revision);
      assert(unreadable.includes(revision), `${unreadable}`);
      assert(read.includes(4));
    },
  );
}
