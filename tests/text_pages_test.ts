/**
 * Pages of values that are read as one row: they have exactly what their rows
 * have, whatever plain SQL wrote, and what is no small text is read by rows.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  CodecError,
  type Entry,
  json,
  openStore,
  StoreCorruptError,
} from "../mod.ts";
import { ALL_KEYS, type KeyRange, prefixRange } from "../src/keys/key_range.ts";
import type { StoredValue } from "../src/engine/entries.ts";
import { PAGE_ENTRIES, type PageOptions } from "../src/engine/page.ts";
import { Database } from "../src/sqlite/connection/database.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { Clock } from "../src/sqlite/storage/clock.ts";
import { EntryReads } from "../src/sqlite/storage/entry_reads.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { Random } from "./support/random.ts";
import { tempDir } from "./support/temp_dir.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A store's tables, in memory. */
async function makeTables(
  driver: TestDriver,
): Promise<Connection & Disposable> {
  const db = await connect(driver);
  upgradeFile(db, inspectFile(db), new Map());
  return db;
}

/** Writes rows by plain SQL, each value as bytes. */
function insert(db: Connection, rows: readonly [string, Uint8Array][]): void {
  const sql = db.prepare(
    "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', ?, ?)",
  );
  for (const row of rows) sql.run(...row);
}

/** What a read gives, or how it fails. */
function outcomeOf(
  read: () => { items: readonly StoredValue[]; rest?: KeyRange },
): unknown {
  try {
    const { items, rest } = read();
    return {
      rest,
      items: items.map((item) => {
        const { key, value } = item;
        const { version, revision, updatedAt, expiresAt } = item as Partial<
          Entry
        >;
        return { key, value, version, revision, updatedAt, expiresAt };
      }),
    };
  } catch (error) {
    assert(error instanceof StoreCorruptError, String(error));
    return error.message;
  }
}

/** Asserts that pages as text are those by rows; gives how many values came as text. */
function assertSamePages(db: Connection): number {
  let texts = 0;
  // Another one each time: one remembers which kinds it reads by rows.
  const reads = () => new EntryReads(new Database(db, undefined), new Clock());
  const pages: [KeyRange, PageOptions][] = [
    [ALL_KEYS, {}],
    [ALL_KEYS, { reverse: true }],
    [ALL_KEYS, { limit: 3 }],
    [ALL_KEYS, { limit: 3, reverse: true }],
    [prefixRange("a"), {}],
  ];
  for (const [range, page] of pages) {
    const asText = { ...page, asText: true };
    for (const method of ["readValues", "readEntries"] as const) {
      assertEquals(
        outcomeOf(() => {
          const found = reads()[method]("k", range, asText);
          const { items } = found;
          texts += items.filter(({ text }) => text !== undefined).length;
          return found;
        }),
        outcomeOf(() => reads()[method]("k", range, page)),
      );
    }
  }
  return texts;
}

/** What plain SQL may write, above all what might be taken for several values, or for a part of one. */
const HOSTILE = [
  '{"a":1}',
  "1",
  '"é€😀"',
  '"\ufffd"',
  "",
  " ",
  '1},{"v":2',
  '1,"v":2',
  "1,2",
  "1],[2",
  "[1",
  "2]",
  "[[1",
  '[{"x":1',
  "2}]",
  '"a',
  'b"',
  "1\x012",
  "\x01",
  "\x01\x01",
  "1\x01",
  "\0",
  "1\0",
  "1\0\x012",
  "\ufeff1",
  '{"a":1,"a":2}',
  '{"__proto__":{"b":1}}',
  "12345678901234567890.5e3",
  "1e400",
  "-0",
].map(bytesOf).concat(
  [[0xff], [0x31, 0xff, 0x32], [0xc3], [0xa9], [0xed, 0xa0, 0x80]]
    .map((bytes) => new Uint8Array(bytes)),
  bytesOf("x".repeat(4096)),
  bytesOf("x".repeat(4097)),
  bytesOf("é".repeat(4000)),
);

testOnEachDriver(
  "a page as text equals its rows, for any values",
  async (driver) => {
    using db = await makeTables(driver);
    for (const [i, value] of HOSTILE.entries()) {
      db.exec("DELETE FROM zestor_kv");
      insert(db, [["a", value]]);
      assertSamePages(db);
      insert(db, [["b", HOSTILE[(i + 1) % HOSTILE.length]]]);
      assertSamePages(db);
    }
    const random = new Random("hostile pages");
    let texts = 0;
    for (let n = 0; n < 150; n++) {
      db.exec("DELETE FROM zestor_kv");
      const most = random.chance(0.5) ? HOSTILE.length : 24;
      const rows = Array.from(
        { length: random.between(1, 6) },
        (_, i): [string, Uint8Array] => [
          "aé\uffee😀"[random.below(4)].toWellFormed() + i,
          HOSTILE[random.below(most)],
        ],
      );
      insert(db, rows);
      texts += assertSamePages(db);
    }
    assertGreater(texts, 100);
  },
);

testOnEachDriver(
  "a page as text equals its rows, for any other columns",
  async (driver) => {
    using db = await makeTables(driver);
    const columns: Record<string, string[]> = {
      key: [
        "'a' || char(0)",
        "'a' || char(1)",
        "'\"'",
        "'\\u0000'",
        "CAST(x'61ff' AS TEXT)",
        "'\ufffd'",
        "CAST(x'edafbf' AS TEXT)",
        "'\u{1f600}'",
        "'\uffee'",
        "x'1761'",
      ],
      value: ["'text'", "'é'", "'a' || char(0) || 'b'", "5", "1.5", "x''"],
      version: [
        "2",
        "-1",
        "1.5",
        "9007199254740993",
        "'x'",
        "1e300",
        "x'1331'",
      ],
      revision: ["7", "0.1", "9007199254740992", "'7'", "'é'", "x'1337'"],
      updated_at: ["'2020-01-01'", "'x' || char(0)", "''", "5", "x'1731'"],
      expires_at: [
        "NULL",
        "9e15",
        "8640000000000001",
        "4000000000000",
        "4000000000000.5",
        "9007199254740993",
        "'later'",
        "1",
        "x'1331'",
      ],
    };
    for (const [column, values] of Object.entries(columns)) {
      for (const value of values) {
        db.exec("DELETE FROM zestor_kv");
        insert(db, [["a1", bytesOf("1")], ["b", bytesOf("2")], [
          "c",
          bytesOf("3"),
        ]]);
        db.exec(`UPDATE zestor_kv SET ${column} = ${value} WHERE key = 'b'`);
        assertSamePages(db);
      }
    }
  },
);

/** A driver, and what it has read of ranges. */
async function countingDriver(name: TestDriver["name"]) {
  const count = { pages: 0, rows: 0 };
  const driver = await instrumentedDriver(name, (sql) => {
    if (!sql.includes("value")) return;
    if (!/FROM zestor_kv\s+WHERE kind = \? AND key >/.test(sql)) return;
    if (sql.includes("group_concat")) count.pages++;
    else count.rows++;
  });
  return { driver, count };
}

testOnEachDriver(
  "pages of JSON are read as one row, by every read that decodes them",
  async ({ name }) => {
    const { driver, count } = await countingDriver(name);
    await using store = await openStore<{ k: number }>({
      path: ":memory:",
      driver,
    });
    await store.setAll("k", { a: 1, b: 2 });
    await using snapshot = await store.snapshot();
    for (const reads of [store, snapshot]) {
      Object.assign(count, { pages: 0, rows: 0 });
      assertEquals(await reads.list("k"), new Map([["a", 1], ["b", 2]]));
      assertEquals((await reads.values("k")).length, 2);
      assertEquals((await Array.fromAsync(reads.entries("k"))).length, 2);
      assertEquals(await reads.keys("k", { where: () => true }), ["a", "b"]);
      assertEquals((await reads.getAll()).get("k")?.size, 2);
      assertEquals(count, { pages: 5, rows: 0 });
    }
    const watch = store.watch("k", { initial: true }).getReader();
    assertEquals((await watch.read()).value?.value, 1);
    await watch.cancel();
    assertEquals(count, { pages: 6, rows: 0 });
  },
);

testOnEachDriver(
  "values of other codecs, and large ones, are read by rows",
  async ({ name }) => {
    const { driver, count } = await countingDriver(name);
    await using store = await openStore<{ k: string; own: string }>({
      path: ":memory:",
      driver,
      codec: { own: { ...json, name: "own" } },
    });
    await store.setAll("own", { a: "1" });
    assertEquals(await store.list("own"), new Map([["a", "1"]]));
    assertEquals(count.pages, 0);
    await store.setAll("k", { a: "x".repeat(5000), b: "y" });
    for (let n = 0; n < 10; n++) assertEquals((await store.list("k")).size, 2);
    // It is remembered for a while.
    assertEquals(count.pages, 1);
    await store.set("k", "a", "x");
    for (let n = 0; n < 10; n++) assertEquals((await store.list("k")).size, 2);
    assertGreater(count.pages, 1);
  },
);

testOnEachDriver(
  "a page as text reports undecodable values as rows do",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn<{ k: unknown }>(driver, { path });
    {
      using db = await connect(driver, fileAt(path));
      const rows = HOSTILE.map((value, i): [string, Uint8Array] => [
        String(i).padStart(3, "0"),
        value,
      ]);
      insert(db, rows.filter(([, value]) => value.length < 100));
    }
    const told = async (
      read: (onUnreadable: (error: Error) => void) => Promise<unknown>,
    ) => {
      const errors: unknown[] = [];
      const found = await read((error) => {
        assert(error instanceof CodecError);
        const { message, kind, key, revision } = error;
        errors.push({ message, kind, key, revision });
      });
      return { found, errors };
    };
    const oneByOne = await told(async (onUnreadable) => {
      const found = new Map<string, unknown>();
      for (const key of await store.keys("k")) {
        try {
          found.set(key, await store.get("k", key));
        } catch (error) {
          onUnreadable(error as Error);
        }
      }
      return found;
    });
    const listed = await told((onUnreadable) =>
      store.list("k", { onUnreadable })
    );
    assertEquals(listed, oneByOne);
    const streamed = await told(async (onUnreadable) => {
      const entries = store.entries("k", { onUnreadable });
      const found = await Array.fromAsync(
        entries,
        ({ key, value }) => [key, value] as const,
      );
      return new Map(found);
    });
    assertEquals(streamed, oneByOne);
  },
);

testOnEachDriver(
  "a page as text leaves out expired entries",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn<{ k: number }>(driver, { path });
      await store.setAll("k", { a: 1, b: 2 });
      using db = await connect(driver, fileAt(path));
      db.exec("UPDATE zestor_kv SET expires_at = 1 WHERE key = 'a'");
    }
    await using store = await openOn<{ k: number }>(driver, {
      path: `file:${path}?mode=ro`,
    });
    assertEquals(await store.list("k"), new Map([["b", 2]]));
    const entries = await Array.fromAsync(store.entries("k"));
    assertEquals(entries.map(({ key }) => key), ["b"]);
  },
);

testOnEachDriver(
  "pages as text end where the next one begins",
  async (driver) => {
    await using store = await openOn<{ k: number }>(driver, {
      path: ":memory:",
    });
    const keys = Array.from(
      { length: 5 * PAGE_ENTRIES },
      (_, i) => `${"a😀\uffee"[i % 4].toWellFormed()}${i}`,
    );
    await store.setAll("k", keys.map((key, i) => [key, i] as [string, number]));
    for (const reverse of [false, true]) {
      const expected = await store.keys("k", { reverse });
      assertEquals(expected.length, keys.length);
      const listed = await store.list("k", { reverse });
      assertEquals([...listed.keys()], expected);
      const entries = await Array.fromAsync(store.entries("k", { reverse }));
      assertEquals(entries.map(({ key }) => key), expected);
    }
  },
);
