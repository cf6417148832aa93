/**
 * Cursors and the files that they are of: in another process, in a copy, in a
 * file that was put back, moved or made anew. A watch resumes where nothing is
 * missing, and nowhere else.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  type SqliteStore,
  type WatchEvent,
  WatchOverflowError,
  type WatchOverflowReason,
} from "../mod.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { startSqlPeer, startStorePeer } from "./support/processes/peer.ts";
import { tempDir } from "./support/temp_dir.ts";

/** Writes to a store, and gives the events of it. */
async function write(
  store: SqliteStore,
  values: Record<string, unknown>,
): Promise<WatchEvent[]> {
  const reader = store.watch("k").getReader();
  const events: WatchEvent[] = [];
  for (const [key, value] of Object.entries(values)) {
    await store.set("k", key, value);
    const { done, value: event } = await reader.read();
    assert(!done);
    events.push(event);
  }
  await reader.cancel();
  return events;
}

/** Asserts that a watch after a cursor gives the changes of these keys. */
async function assertResumes(
  store: SqliteStore,
  after: string,
  keys: readonly string[],
): Promise<void> {
  const reader = store.watch("k", { after, bookmarks: true }).getReader();
  const seen: string[] = [];
  for (;;) {
    const { done, value: item } = await reader.read();
    assert(!done);
    if (item.type === "bookmark") break;
    seen.push(item.key);
  }
  assertEquals(seen, keys);
  await reader.cancel();
}

/**
 * Asserts that no watch resumes after a cursor. One that did would give an
 * event or a bookmark.
 */
async function assertRefused(
  store: SqliteStore,
  after: string,
  ...reasons: WatchOverflowReason[]
): Promise<void> {
  const options = { after, bookmarks: true };
  for (const stream of [store.watch("k", options), store.watchAll(options)]) {
    const reader = (stream as ReadableStream<unknown>).getReader();
    const error = await assertRejects(() => reader.read(), WatchOverflowError);
    assert(reasons.includes(error.reason), error.reason);
  }
}

/** Copies a file that nobody has open. */
async function copyClosed(from: string, to: string): Promise<void> {
  assertEquals(await exists(`${from}-wal`), false);
  await Deno.copyFile(from, to);
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

testOnEachDriver(
  "a cursor is good for every store on the file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using one = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    const mine = await write(one, { a: 1, b: 1 });
    const theirs = await write(other, { c: 1, d: 1 });
    for (const store of [one, other]) {
      await assertResumes(store, mine[0].cursor, ["b", "c", "d"]);
      await assertResumes(store, theirs[0].cursor, ["d"]);
      await assertResumes(store, theirs[1].cursor, []);
    }
  },
);

for (const first of drivers) {
  for (const second of drivers) {
    const { test } = first.unavailable ? first : second;
    test(
      `a cursor is good in another process [${first.name}, ${second.name}]`,
      () => assertGoodElsewhere(first, second),
    );
  }
}

async function assertGoodElsewhere(
  first: TestDriver,
  second: TestDriver,
): Promise<void> {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(first, { path });
  const events = await write(store, { a: 1, b: 2, c: 3 });
  await using anew = await openOn(first, { path: dir.file("other.db") });
  const [foreign] = await write(anew, { a: 1 });
  const file = { path, driver: second.name, kind: "k" };
  {
    const options = { after: events[0].cursor };
    await using peer = startStorePeer("tellWatch", { ...file, options });
    assertEquals(await peer.next(), "ready");
    assertEquals(await peer.next(), "2 create k/b@1 2");
    assertEquals(await peer.next(), "3 create k/c@1 3");
    await store.set("k", "d", 4);
    assertEquals(await peer.next(), "4 create k/d@1 4");
  }
  const options = { after: foreign.cursor };
  await using peer = startStorePeer("tellWatch", { ...file, options });
  assertEquals(await peer.next(), "ready");
  assertEquals(await peer.next(), "WatchOverflowError");
  await peer.exited();
}

testOnEachDriver(
  "a change of plain SQL has a cursor like any other",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await write(store, { a: 1 });
    const events = store.watch("k").getReader();
    await using sql = startSqlPeer("runSql", { path });
    assertEquals(await sql.next(), "ready");
    for (const key of ["b", "c"]) {
      await sql.ask(
        `INSERT INTO zestor_kv (kind, key, value) VALUES ('k', '${key}', 1)`,
      );
    }
    const cursors: string[] = [];
    for (const key of ["b", "c"]) {
      const { value: event } = await events.read();
      assertEquals(event?.key, key);
      cursors.push(event!.cursor);
    }
    await write(store, { d: 1 });
    await assertResumes(store, cursors[0], ["c", "d"]);
    await assertResumes(store, cursors[1], ["d"]);
  },
);

testOnEachDriver("a cursor is good in a moved file", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  let events: WatchEvent[];
  {
    await using store = await openOn(driver, { path });
    events = await write(store, { a: 1, b: 1 });
  }
  await Deno.rename(path, dir.file("moved.db"));
  await using moved = await openOn(driver, { path: dir.file("moved.db") });
  await assertResumes(moved, events[0].cursor, ["b"]);
  const [c] = await write(moved, { c: 1 });
  await assertResumes(moved, events[1].cursor, ["c"]);
  await assertResumes(moved, c.cursor, []);
});

testOnEachDriver("a copy of a closed file that is put back", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  const saved = dir.file("saved.db");
  let before: WatchEvent[];
  let lost: WatchEvent[];
  {
    await using store = await openOn(driver, { path });
    before = await write(store, { a: 1, b: 1 });
  }
  await copyClosed(path, saved);
  {
    await using store = await openOn(driver, { path });
    lost = await write(store, { c: 1, d: 1, e: 1 });
  }
  assertEquals(await exists(`${path}-wal`), false);
  await Deno.copyFile(saved, path);

  await using store = await openOn(driver, { path });
  await assertResumes(store, before[0].cursor, ["b"]);
  await assertResumes(store, before[1].cursor, []);
  for (const { cursor } of lost) await assertRefused(store, cursor, "ahead");
  // The same writes again: their revisions are the same.
  const again = await write(store, { c: 1, d: 1 });
  assertEquals(
    again.map(({ revision }) => revision),
    lost.slice(0, 2).map(({ revision }) => revision),
  );
  await assertRefused(store, lost[0].cursor, "history");
  await assertRefused(store, lost[1].cursor, "history");
  await assertRefused(store, lost[2].cursor, "ahead");
  await write(store, { e: 1, f: 1 });
  await assertRefused(store, lost[2].cursor, "history");
  await assertResumes(store, before[1].cursor, ["c", "d", "e", "f"]);
  await assertResumes(store, again[1].cursor, ["e", "f"]);
});

testOnEachDriver(
  "a backup that is restored in the file's place",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const saved = dir.file("saved.db");
    let before: WatchEvent[];
    let lost: WatchEvent[];
    {
      await using store = await openOn(driver, { path });
      before = await write(store, { a: 1, b: 1 });
      await store.backup(saved);
      lost = await write(store, { c: 1, d: 1 });
    }
    await Deno.remove(path);
    await Deno.rename(saved, path);
    await using store = await openOn(driver, { path });
    await assertResumes(store, before[0].cursor, ["b"]);
    for (const { cursor } of lost) await assertRefused(store, cursor, "ahead");
    await write(store, { x: 1, y: 1, z: 1 });
    for (const { cursor } of lost) {
      await assertRefused(
        store,
        cursor,
        "history",
      );
    }
    await assertResumes(store, before[1].cursor, ["x", "y", "z"]);
  },
);

testOnEachDriver("two copies of a file go different ways", async (driver) => {
  await using dir = await tempDir();
  await using one = await openOn(driver, { path: dir.file("one.db") });
  const shared = await write(one, { a: 1, b: 1 });
  await one.backup(dir.file("two.db"));
  await using two = await openOn(driver, { path: dir.file("two.db") });
  const mine = await write(one, { c: 1, d: 1 });
  const theirs = await write(two, { c: 1, d: 1 });
  assertEquals(mine[1].revision, theirs[1].revision);
  for (
    const [store, own, foreign] of [[one, mine, theirs], [
      two,
      theirs,
      mine,
    ]] as const
  ) {
    await assertResumes(store, shared[0].cursor, ["b", "c", "d"]);
    await assertResumes(store, shared[1].cursor, ["c", "d"]);
    await assertResumes(store, own[0].cursor, ["d"]);
    for (const { cursor } of foreign) {
      await assertRefused(store, cursor, "history");
    }
  }
});

testOnEachDriver("a file that is deleted and made anew", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  let events: WatchEvent[];
  let empty: string;
  {
    await using store = await openOn(driver, { path });
    empty = await headOf(store);
    events = await write(store, { a: 1, b: 1 });
  }
  await Deno.remove(path);
  await using store = await openOn(driver, { path });
  await assertRefused(store, empty, "history");
  for (const { cursor } of events) await assertRefused(store, cursor, "ahead");
  await write(store, { a: 1, b: 1, c: 1 });
  await assertRefused(store, empty, "history");
  for (const { cursor } of events) {
    await assertRefused(store, cursor, "history");
  }
});

async function headOf(store: SqliteStore): Promise<string> {
  const options = { initial: true, bookmarks: true } as const;
  const reader = store.watch("none", options).getReader();
  const { value: item } = await reader.read();
  await reader.cancel();
  assert(item?.type === "bookmark");
  return item.cursor;
}

testOnEachDriver(
  "an import into another file brings no cursors",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await using copy = await openOn(driver, { path: dir.file("copy.db") });
    const events = await write(store, { a: 1, b: 1 });
    await copy.import(store.export());
    for (const { cursor } of events) {
      await assertRefused(
        copy,
        cursor,
        "history",
      );
    }
  },
);

testOnEachDriver(
  "cursors stay good when the file is compacted",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const events = await write(store, { a: 1, b: 1, c: 1 });
    await store.compact();
    await assertResumes(store, events[0].cursor, ["b", "c"]);
    await store.close();
    {
      using db = new DatabaseSync(path);
      db.exec("VACUUM");
    }
    await using reopened = await openOn(driver, { path });
    await assertResumes(reopened, events[0].cursor, ["b", "c"]);
  },
);

testOnEachDriver("a log that others cut off at its end", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  let events: WatchEvent[];
  {
    await using store = await openOn(driver, { path });
    events = await write(store, { a: 1, b: 1, c: 1 });
  }
  {
    using db = new DatabaseSync(path);
    db.exec("DELETE FROM zestor_changes");
  }
  await using store = await openOn(driver, { path });
  for (const { cursor } of events) {
    await assertRefused(store, cursor, "pruned", "history", "broken");
  }
  await write(store, { d: 1 });
  for (const { cursor } of events) {
    await assertRefused(store, cursor, "pruned", "history", "broken");
  }
});

testOnEachDriver("a log that begins anew", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  let events: WatchEvent[];
  let empty: string;
  {
    await using store = await openOn(driver, { path });
    empty = await headOf(store);
    events = await write(store, { a: 1, b: 1, c: 1 });
  }
  {
    using db = new DatabaseSync(path);
    const triggers = db.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
    ).all() as { name: string }[];
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
    db.exec("DELETE FROM zestor_kv WHERE key = 'a'");
  }
  await using store = await openOn(driver, { path });
  const refused: WatchOverflowReason[] = ["pruned", "history", "ahead"];
  for (const cursor of [empty, ...events.map(({ cursor }) => cursor)]) {
    await assertRefused(store, cursor, ...refused);
  }
  const later = await write(store, { d: 1, e: 1 });
  for (const cursor of [empty, ...events.map(({ cursor }) => cursor)]) {
    await assertRefused(store, cursor, ...refused);
  }
  await assertResumes(store, later[0].cursor, ["e"]);
});

testOnEachDriver(
  "a store that may only be read knows the cursors of its file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const [a] = await write(store, { a: 1, b: 1 });
    await using other = await openOn(driver, { path: dir.file("other.db") });
    const [foreign] = await write(other, { a: 1 });
    await using reader = await openOn(driver, { path: `file:${path}?mode=ro` });
    await assertResumes(reader, a.cursor, ["b"]);
    await assertRefused(reader, foreign.cursor, "history");
    const [c] = await write(store, { c: 1 });
    await assertResumes(reader, a.cursor, ["b", "c"]);
    await assertResumes(reader, c.cursor, []);
  },
);
