/**
 * The storage in memory, below the store: entries, expiry, its clock, the log,
 * and what a transaction undoes.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { StoredChange } from "../src/engine/entries.ts";
import { compareKeys } from "../src/keys/key_order.ts";
import { ALL_KEYS, type KeyRange, singleKey } from "../src/keys/key_range.ts";
import { MemoryStorage } from "../src/memory/memory_storage.ts";
import { FrozenTime } from "./support/manual_time.ts";
import { withSeed } from "./support/random.ts";
import { checkLog, checkReads } from "./support/storage_checks.ts";
import { entriesAt, KINDS, StorageModel } from "./support/storage_model.ts";

function bytesOf(...numbers: number[]): Uint8Array {
  return new Uint8Array(numbers);
}

/** The keys of a kind. */
function keysOf(storage: MemoryStorage, kind = "k"): string[] {
  return storage.readKeys(kind, ALL_KEYS).items;
}

/** Each change of the log, as text. */
function logOf(storage: MemoryStorage): string[] {
  const all: string[] = [];
  const head = storage.headRevision();
  for (let after = 0; after < head;) {
    const page = storage.readChanges({ keys: ALL_KEYS }, after, head, 1_000);
    for (const change of page.changes as StoredChange[]) {
      const { type, isExpiry, key, version } = change;
      all.push(`${isExpiry ? "expire" : type} ${key} ${version}`);
    }
    after = page.cursor;
  }
  return all;
}

for (let round = 0; round < 10; round++) {
  Deno.test(`a storage in memory equals a plain model (${round})`, () =>
    withSeed(`memory ${round}`, (random) => {
      using time = new FrozenTime();
      const model = new StorageModel(new MemoryStorage(), random);
      const { storage } = model;
      for (let step = 0; step < 100; step++) {
        time.jump(random.below(40));
        model.change();
        const { state } = model.past[model.head];
        checkReads(storage, state, Date.now(), random);
        const at = Date.now() + random.between(-100, 100);
        storage.asOf(at, () => checkReads(storage, state, at, random));
        checkReads(storage.clone(), state, Date.now(), random);
        const expiries = KINDS.flatMap((kind) =>
          entriesAt(state, -Infinity, kind)
            .flatMap(({ expiresAt }) => expiresAt ?? [])
        );
        const next = expiries.length > 0 ? Math.min(...expiries) : undefined;
        assertEquals(storage.nextExpiry(), next);
      }
      checkLog(model);
    }));
}

Deno.test("an entry is there until the ms of its expiry, and then for nobody", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  storage.put("k", "a", { value: bytesOf(1), expiresAt: Date.now() + 10 });
  time.jump(9);
  assertEquals(keysOf(storage), ["a"]);
  time.jump(1);
  assertEquals(keysOf(storage), []);
  assertEquals(storage.listKinds(), []);
  assertEquals(storage.count("k", ALL_KEYS), 0);
  assertEquals(storage.remove("k", "a"), undefined);
  assertEquals(logOf(storage), ["create a 1", "expire a 1"]);
});

Deno.test("a put over an expired entry logs its end, then a creation", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const value = bytesOf(1);
  storage.put("k", "a", { value });
  storage.put("k", "a", { value, expiresAt: Date.now() + 10 });
  time.jump(10);
  assertEquals(storage.put("k", "a", { value, expiresAt: "keep" }), {
    status: "created",
    version: 1,
    revision: 4,
  });
  assertEquals(storage.getEntry("k", "a")?.expiresAt, undefined);
  assertEquals(logOf(storage), [
    "create a 1",
    "update a 2",
    "expire a 2",
    "create a 1",
  ]);
});

Deno.test("the same value with the same expiry is a no-op, with another expiry a change", () => {
  using _time = new FrozenTime();
  const storage = new MemoryStorage();
  const value = bytesOf(1);
  const at = Date.now() + 10;
  const put = (expiresAt?: number | "keep") =>
    storage.put("k", "a", { value: value.slice(), expiresAt }).status;
  assertEquals(
    [put(), put(), put("keep"), put(at), put(at), put("keep"), put(at + 1)],
    [
      ...["created", "unchanged", "unchanged", "updated", "unchanged"],
      ...["unchanged", "updated"],
    ],
  );
  assertEquals([put(), storage.nextExpiry()], ["updated", undefined]);
  assertEquals(storage.getState("k", "a"), { version: 4, revision: 4 });
});

Deno.test("an entry that was put with an expiry that has passed is never there", () => {
  const storage = new MemoryStorage();
  storage.put("k", "a", { value: bytesOf(1), expiresAt: Date.now() - 1 });
  assertEquals(keysOf(storage), []);
  assertEquals(storage.removeExpired(10), 1);
  assertEquals(logOf(storage), ["create a 1", "expire a 1"]);
});

Deno.test("the clock stands still in a transaction, in a moment and in a snapshot", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const start = Date.now();
  storage.put("k", "a", { value: bytesOf(1), expiresAt: start + 10 });
  const isThere = () => storage.getValue("k", "a") !== undefined;

  storage.begin();
  time.jump(10);
  assert(isThere());
  assertEquals(storage.removeExpired(10), 0);
  // What it writes has the time that its reads were of.
  storage.put("k", "b", { value: bytesOf(2) });
  assertEquals(storage.getEntry("k", "b")?.updatedAt, new Date(start));
  assertEquals(storage.getTime(2), new Date(start));
  storage.commit();
  assert(!isThere());

  time.jump(-10);
  const moments = [storage.openMoment(), storage.openMoment()];
  const snapshot = storage.openSnapshot();
  storage.snapshot(() => {
    time.jump(10);
    assert(isThere());
  });
  moments[0].close();
  assert(isThere());
  assert(storage.asOf(start + 10, () => !isThere()));
  assert(isThere());
  moments[1].close();
  assert(!isThere());
  assertEquals(
    snapshot.readEntries("k", ALL_KEYS).items.map(({ key }) => key),
    ["a", "b"],
  );
  snapshot.close();

  storage.begin();
  storage.rollBack();
  assert(!isThere());
});

Deno.test("`asOf` ends with its read, also if the read throws", () => {
  using _time = new FrozenTime();
  const storage = new MemoryStorage();
  storage.put("k", "a", { value: bytesOf(1), expiresAt: Date.now() + 10 });
  try {
    storage.asOf(Date.now() + 10, () => {
      throw new Error("no");
    });
  } catch {
    // As it should.
  }
  assertEquals(keysOf(storage), ["a"]);
});

Deno.test("undoing removes the new expiries, and restores the replaced ones", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const start = Date.now();
  const put = (key: string, ms?: number) =>
    storage.put("k", key, {
      value: bytesOf(1),
      expiresAt: ms === undefined ? undefined : start + ms,
    });
  put("a", 100);
  put("b", 200);
  const log = logOf(storage);
  storage.begin();
  put("c", 50);
  storage.save();
  put("a", 10);
  put("b");
  put("d", 20);
  storage.remove("k", "c");
  assertEquals(storage.nextExpiry(), start + 10);
  storage.undo();
  storage.release();
  assertEquals(storage.nextExpiry(), start + 50);
  storage.rollBack();
  assertEquals(storage.nextExpiry(), start + 100);
  assertEquals(logOf(storage), log);
  // A removal of what has expired, too: it is still to be removed.
  time.jump(100);
  storage.begin();
  put("a");
  assertEquals(storage.removeExpired(10), 0);
  storage.rollBack();
  assertEquals(storage.nextExpiry(), start + 100);
  assertEquals(storage.removeExpired(10), 1);
  assertEquals(logOf(storage), [...log, "expire a 1"]);
  assertEquals(storage.nextExpiry(), start + 200);
});

Deno.test("`removeExpired` removes the first ones, as many as it may", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const start = Date.now();
  for (const [key, ms] of [["c", 1], ["b", 2], ["a", 3], ["d", 9]] as const) {
    storage.put("k", key, { value: bytesOf(1), expiresAt: start + ms });
  }
  time.jump(3);
  assertEquals(storage.removeExpired(2), 2);
  assertEquals(storage.removeExpired(2), 1);
  assertEquals(storage.removeExpired(2), 0);
  assertEquals(logOf(storage).slice(4), [
    "expire c 1",
    "expire b 1",
    "expire a 1",
  ]);
  assertEquals(keysOf(storage), ["d"]);
});

Deno.test("the soonest expiry of the puts is returned once", () => {
  const storage = new MemoryStorage();
  const put = (key: string, expiresAt?: number) =>
    storage.put("k", key, { value: bytesOf(1), expiresAt });
  assertEquals(storage.takeSoonestPut(), undefined);
  put("a", 3_000);
  put("b", 2_000);
  put("c");
  assertEquals(storage.takeSoonestPut(), 2_000);
  assertEquals(storage.takeSoonestPut(), undefined);
  put("d", 4_000);
  assertEquals(storage.takeSoonestPut(), 4_000);
});

Deno.test("a range is removed in pages, and expired entries do not count", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const value = bytesOf(1);
  for (let i = 0; i < 600; i++) {
    const expiresAt = i % 3 === 0 ? Date.now() + 1 : undefined;
    storage.put("k", `${i}`, { value, expiresAt });
  }
  storage.put("l", "0", { value });
  time.jump(1);
  let counted = 0;
  let pages = 0;
  for (let rest: KeyRange | undefined = ALL_KEYS; rest; pages++) {
    const removed = storage.removeRange("k", rest);
    counted += removed.count;
    rest = removed.rest;
  }
  assertEquals([counted, pages], [400, 2]);
  assertEquals(keysOf(storage), []);
  assertEquals(keysOf(storage, "l"), ["0"]);
  const deleted = logOf(storage).slice(601)
    .filter((change) => change.startsWith("delete"))
    .map((change) => change.split(" ")[1]);
  assertEquals(deleted.length, 400);
  assertEquals(deleted, deleted.toSorted(compareKeys));
});

Deno.test("changes of several kinds, with previous values, are read in both directions", () => {
  const storage = new MemoryStorage();
  const put = (kind: string, key: string, n: number) =>
    storage.put(kind, key, { value: bytesOf(n) });
  put("k", "a", 1);
  put("l", "a", 2);
  put("m", "a", 3);
  put("k", "a", 4);
  storage.remove("l", "a");
  const read = (kinds?: string[], previous?: boolean, keys = ALL_KEYS) => {
    const filter = { kinds, keys, previous };
    const { changes, cursor } = storage.readChanges(filter, 0, 5, 100);
    const back = storage.readChangesBack(filter, 6, 0, 100);
    assertEquals([cursor, back.cursor], [5, 1]);
    assertEquals(back.changes, changes.toReversed());
    return (changes as StoredChange[]).map((change) =>
      [change.kind, ...change.value, ...change.previous ?? []].join(" ")
    );
  };
  assertEquals(read(), ["k 1", "l 2", "m 3", "k 4", "l 2"]);
  assertEquals(read(["l", "k"]), ["k 1", "l 2", "k 4", "l 2"]);
  assertEquals(read(["k"], true), ["k 1", "k 4 1"]);
  assertEquals(read(["l"], true), ["l 2", "l 2"]);
  assertEquals(read([]), []);
  assertEquals(read(undefined, true, singleKey("b")), []);
});

Deno.test("a page of changes is limited in both directions, and has the place to continue", () => {
  const storage = new MemoryStorage();
  for (let n = 1; n <= 10; n++) {
    storage.put(n % 2 ? "k" : "l", "a", { value: bytesOf(n) });
  }
  const filter = { kinds: ["k"], keys: ALL_KEYS };
  const revisions = (page: { changes: { revision: number }[] }) =>
    page.changes.map(({ revision }) => revision);
  const first = storage.readChanges(filter, 0, 10, 2);
  assertEquals([revisions(first), first.cursor], [[1, 3], 3]);
  const last = storage.readChanges(filter, 3, 10, 3);
  assertEquals([revisions(last), last.cursor], [[5, 7, 9], 10]);
  const back = storage.readChangesBack(filter, 11, 0, 2);
  assertEquals([revisions(back), back.cursor], [[9, 7], 7]);
  const rest = storage.readChangesBack(filter, 7, 0, 3);
  assertEquals([revisions(rest), rest.cursor], [[5, 3, 1], 1]);
  // Past the newest one there are none.
  const beyond = storage.readChangesBack(filter, 1_000, 8, 10);
  assertEquals([revisions(beyond), beyond.cursor], [[9], 9]);
});

Deno.test("each change has a mark of its own, and so has the beginning; pruning takes them away", () => {
  const storage = new MemoryStorage();
  for (let n = 1; n <= 5; n++) storage.put("k", "a", { value: bytesOf(n) });
  const marks = [0, 1, 2, 3, 4, 5].map((revision) => storage.getMark(revision));
  assertEquals(new Set(marks).size, 6);
  assert(!marks.includes(undefined));
  assertEquals(storage.getMark(6), undefined);
  assertNotEquals(new MemoryStorage().getMark(0), marks[0]);
  storage.prune(3);
  assertEquals(
    [1, 2, 3, 4, 5].map((revision) => storage.getMark(revision)),
    [undefined, undefined, undefined, marks[4], marks[5]],
  );
  assertEquals([storage.oldestRevision(), storage.headRevision()], [4, 5]);
  // A revision that is made again has another mark.
  storage.begin();
  storage.put("k", "a", { value: bytesOf(6) });
  const undone = storage.getMark(6);
  storage.rollBack();
  storage.put("k", "a", { value: bytesOf(6) });
  assertNotEquals(storage.getMark(6), undone);
});

Deno.test("a clone has the entries and expiries of its moment, after changes of either", () => {
  using time = new FrozenTime();
  const storage = new MemoryStorage();
  const at = Date.now() + 10;
  storage.put("k", "a", { value: bytesOf(1), expiresAt: at });
  storage.put("k", "b", { value: bytesOf(1) });
  const clone = storage.clone();
  storage.put("k", "a", { value: bytesOf(2), expiresAt: at + 10 });
  storage.remove("k", "b");
  clone.put("k", "c", { value: bytesOf(3), expiresAt: at + 5 });
  assertEquals(keysOf(storage), ["a"]);
  assertEquals(keysOf(clone), ["a", "b", "c"]);
  time.jump(10);
  assertEquals([keysOf(storage), storage.count("k", ALL_KEYS)], [["a"], 1]);
  assertEquals([keysOf(clone), clone.count("k", ALL_KEYS)], [["b", "c"], 2]);
  assertEquals([storage.nextExpiry(), clone.nextExpiry()], [at + 10, at]);
});
