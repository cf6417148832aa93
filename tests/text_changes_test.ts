/**
 * Pages of the change log that are read as one row: they have exactly what
 * their rows have, whatever plain SQL wrote.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import type { ChangeFilter } from "../src/engine/change_log.ts";
import type { ChangePage } from "../src/engine/entries.ts";
import { ALL_KEYS, prefixRange } from "../src/keys/key_range.ts";
import { Database } from "../src/sqlite/connection/database.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { ChangeLog } from "../src/sqlite/storage/change_log.ts";
import { connect } from "./support/connect.ts";
import { type TestDriver, testOnEachDriver } from "./support/drivers.ts";
import { Random } from "./support/random.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A store's tables, in memory. */
async function makeTables(
  driver: TestDriver,
): Promise<Connection & Disposable> {
  const db = await connect(driver);
  upgradeFile(db, inspectFile(db), new Map());
  return db;
}

const FILTERS: ChangeFilter[] = [
  { keys: ALL_KEYS },
  { keys: ALL_KEYS, kinds: ["k"] },
  { keys: prefixRange("a"), kinds: ["k", "other"] },
];

/** What a page tells, with its values as bytes. */
function plainOf({ changes, cursor }: ChangePage): unknown {
  return {
    cursor,
    changes: changes.map((change) => {
      if ("problem" in change) {
        return { revision: change.revision, problem: change.problem.message };
      }
      const { revision, mark, kind, type, isExpiry, key, version } = change;
      const { value, expiresAt, previous, time } = change;
      return [
        ...[revision, mark, kind, type, isExpiry, key, version],
        ...[value, expiresAt, previous, time],
      ];
    }),
  };
}

/** Asserts that each page as text is that by rows; gives how many changes came as text. */
function assertSamePages(db: Connection, head: number): number {
  let texts = 0;
  for (const filter of FILTERS) {
    for (const limit of [5, 1_000]) {
      for (let after = 0; after < head;) {
        // Another one each time: one remembers what it reads by rows.
        const log = () => new ChangeLog(new Database(db, undefined));
        const asText = { ...filter, asText: true };
        const page = log().readChanges(asText, after, head, limit);
        texts += page.changes
          .filter((it) => "text" in it && it.text !== undefined).length;
        const byRows = log().readChanges(filter, after, head, limit);
        assertEquals(plainOf(page), plainOf(byRows));
        after = byRows.cursor;
      }
    }
  }
  return texts;
}

/** Makes changes of all types by plain SQL; gives the newest revision. */
function change(
  db: Connection,
  random: Random,
  values: readonly (Uint8Array | string | number)[],
  count: number,
): number {
  const put = db.prepare(
    `INSERT INTO zestor_kv (kind, key, value, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1,
      expires_at = excluded.expires_at`,
  );
  const remove = db.prepare("DELETE FROM zestor_kv WHERE kind = ? AND key = ?");
  for (let i = 0; i < count; i++) {
    const kind = random.pick(["k", "other"]);
    const key = random.pick(["a", "ab", "b", 'a"\\', "é😀", ""]);
    if (random.chance(0.25)) remove.run(kind, key);
    else {
      // One of these has expired, so that its removal is logged as an expiry.
      const expiry = random.pick([null, null, 1, 4_102_444_800_000]);
      put.run(kind, key, random.pick(values), expiry);
    }
  }
  return db.prepare("SELECT max(revision) AS head FROM zestor_changes").get()!
    .head as number;
}

testOnEachDriver(
  "changes of text are read as text, and are those of the rows",
  async (driver) => {
    using db = await makeTables(driver);
    const values = ['{"a":1}', "1", '"é€😀"', " ", '""', "x".repeat(4096)]
      .map(bytesOf);
    const head = change(db, new Random("texts"), values, 200);
    assertGreater(assertSamePages(db, head), 200);
  },
);

testOnEachDriver(
  "changes of anything else are read by rows, none of them altered",
  async (driver) => {
    const values = [
      ...["1\x012", "\x01", "", "\0", "1\0", "\ufeff1", "\ufffd"],
      ...["x".repeat(4097), "x".repeat(9_000)],
    ].map(bytesOf);
    const hostile = [
      ...[...values, new Uint8Array([0xff]), new Uint8Array([0xc3])],
      ...["text", "te\x01xt", 12],
    ];
    for (const value of hostile) {
      using db = await makeTables(driver);
      const random = new Random(`hostile ${value}`);
      const others = [bytesOf("1"), bytesOf('{"b":2}')];
      const head = change(db, random, [...others, value], 60);
      assertSamePages(db, head);
    }
  },
);

testOnEachDriver(
  "a log that somebody damaged is read by rows",
  async (driver) => {
    const damages = [
      "UPDATE zestor_changes SET type = 'odd' WHERE revision = 12",
      "UPDATE zestor_changes SET version = 1.5 WHERE revision = 12",
      "UPDATE zestor_changes SET version = 9223372036854775807 WHERE revision = 12",
      "UPDATE zestor_changes SET mark = NULL WHERE revision = 12",
      "UPDATE zestor_changes SET expires_at = 'soon' WHERE revision = 12",
      "UPDATE zestor_changes SET expires_at = 9e300 WHERE revision = 12",
      "UPDATE zestor_changes SET key = x'61' WHERE revision = 12",
      "UPDATE zestor_changes SET kind = 'k' || char(0) WHERE revision = 12",
      "UPDATE zestor_changes SET key = 'a' || char(0) WHERE revision = 12",
      "UPDATE zestor_changes SET value = NULL, previous = NULL WHERE revision = 12",
      "UPDATE zestor_changes SET value = 7 WHERE revision = 12",
    ];
    for (const damage of damages) {
      using db = await makeTables(driver);
      const values = [bytesOf("1"), bytesOf("2")];
      const head = change(db, new Random("damage"), values, 40);
      db.exec(damage);
      assertSamePages(db, head);
    }
  },
);
