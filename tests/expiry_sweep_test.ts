/**
 * Many entries that expire at once: they are removed in many transactions, so
 * that others read and write in between. `soak/expiry.ts` does it with a million.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { WatchOverflowError } from "../mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { connect, fileAt } from "./support/connect.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { turn } from "./support/manual_time.ts";
import { startStorePeer } from "./support/processes/peer.ts";
import { tempDir } from "./support/temp_dir.ts";

const HOUR = 3_600_000;
const MANY = 20_000;

/** Entries by key, in key order. */
const ENTRIES = Array.from(
  { length: MANY },
  (_, i) => [String(i).padStart(6, "0"), i] as const,
);

/** Makes all that may expire do so at once. */
function expireAll(db: Connection): void {
  db.exec("UPDATE zestor_kv SET expires_at = 1 WHERE expires_at IS NOT NULL");
}

function countLeft(db: Connection): number {
  const row = db.prepare("SELECT count(*) AS n FROM zestor_kv WHERE kind = 'k'")
    .get();
  return row!.n as number;
}

/** The revisions of a kind's changes, from a revision on. */
function revisionsOf(db: Connection, kind: string, from: number): number[] {
  return db.prepare(
    "SELECT revision FROM zestor_changes WHERE kind = ? AND revision >= ? ORDER BY revision",
  ).all(kind, from).map(({ revision }) => revision as number);
}

testOnEachDriver(
  "while many that expired at once are removed, others read and write",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const history = 1_000_000;
    await using store = await openOn(driver, {
      path,
      durability: "normal",
      history,
    });
    using db = await connect(driver, fileAt(path));
    await using peer = startStorePeer("writePairs", {
      path,
      driver: driver.name,
      kind: "pairs",
      history,
    });
    assertEquals(await peer.next(), "writing");
    await store.setAll("k", ENTRIES, { expireIn: HOUR });
    const events = store.watch("k", { types: ["delete"] }).getReader();
    // It may have to wait for the peer's lock.
    await store.set("other", "first", 1);
    db.exec("PRAGMA busy_timeout = 60000");
    expireAll(db);
    // Nobody removes any meanwhile.
    db.exec("BEGIN IMMEDIATE");
    assertGreater(countLeft(db), 0);
    assertEquals(await store.count("k"), 0);
    assertEquals(await store.keys("k"), []);
    assertEquals((await store.list("k", { limit: 10 })).size, 0);
    assertEquals(await store.get("k", ENTRIES.at(-1)![0]), undefined);
    assertEquals(await store.kinds(), ["other", "pairs"]);
    const writing = store.set("other", "a", 1);
    // An entry that is written again lives on.
    const [last] = ENTRIES.at(-1)!;
    const again = store.set("k", last, 1);
    db.exec("COMMIT");
    const { revision } = await writing;
    assertEquals((await again).version, 1);
    assertEquals(await store.keys("k"), [last]);
    const { value: first } = await events.read();
    assert(first);

    const keys = [first.key];
    for (let before = first.revision; keys.length < MANY;) {
      const { value } = await events.read();
      assert(value?.type === "delete" && value.expired, value?.key);
      assertGreater(value.revision, before);
      before = value.revision;
      keys.push(value.key);
    }
    await events.cancel();
    assertEquals(keys.toSorted(), ENTRIES.map(([key]) => key));
    assertEquals(countLeft(db), 1);
    await peer.say("stop");
    assertGreater(await peer.next<number>(), 0);
    // Both wrote between two transactions of the sweep.
    const end = revisionsOf(db, "k", first.revision).at(-1)!;
    assertLess(revision, end);
    const pairs = revisionsOf(db, "pairs", first.revision);
    assertLess(pairs[0], end);
    assertEquals(await store.get("k", last), 1);
  },
);

testOnEachDriver(
  "`close()` in the middle of many that expired leaves the rest to the next store",
  async (driver) => {
    await using dir = await tempDir();
    const options = { path: dir.file("app.db"), history: 1_000_000 };
    const store = await openOn(driver, options);
    using db = await connect(driver, fileAt(options.path));
    await store.setAll("k", ENTRIES, { expireIn: HOUR });
    const events = store.watch("k", { types: ["delete"] }).getReader();
    // The watch begins between the writes around it, and so before what follows.
    await store.set("other", "a", 1);
    expireAll(db);
    const { value } = await events.read();
    await store.close();
    assertGreater(countLeft(db), 0);

    await using next = await openOn(driver, options);
    assertEquals(await next.count("k"), 0);
    const rest = next.watch("k", { after: value!.cursor }).getReader();
    const keys = new Set([value!.key]);
    for (let i = 1; i < MANY; i++) keys.add((await rest.read()).value!.key);
    await rest.cancel();
    assertEquals(keys.size, MANY);
    const expired = db.prepare(
      "SELECT count(*) AS n, count(DISTINCT key) AS keys FROM zestor_changes WHERE type = 'expire'",
    ).get();
    assertEquals({ ...expired }, { n: MANY, keys: MANY });
    assertEquals(countLeft(db), 0);
  },
);

testOnEachDriver(
  "a watch that is far behind in expiries overflows, and the log keeps its size",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, history: 100 });
    using db = await connect(driver, fileAt(path));
    await store.setAll("k", ENTRIES, { expireIn: HOUR });
    const { revision } = await store.set("other", "a", 1);
    const slow = store.watch("k", { bufferSize: 1 }).getReader();
    expireAll(db);
    while (countLeft(db) > 0) await turn();
    await assertRejects(async () => {
      for (let i = 0; i < MANY; i++) await slow.read();
    }, WatchOverflowError);
    await assertRejects(
      () => store.watch("k", { after: revision }).getReader().read(),
      WatchOverflowError,
    );
    const row = db.prepare("SELECT count(*) AS n FROM zestor_changes").get();
    assertLess(row!.n as number, 1_000);
  },
);
