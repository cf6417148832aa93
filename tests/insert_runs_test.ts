/**
 * Many new entries are inserted by few statements, which look for what is there
 * as seldom as they can: an entry that somebody put in between is not missed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Store } from "../mod.ts";
import { ENTRIES_AT_ONCE } from "../src/sqlite/storage/queries.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const keyOf = (n: number) => `key${String(n).padStart(4, "0")}`;

/** The entries of so many statements, from a number on. */
function entriesFrom(first: number, runs = 1): [string, number][] {
  return Array.from(
    { length: runs * ENTRIES_AT_ONCE },
    (_, i) => [keyOf(first + i), i],
  );
}

/** Where the third run of three is. */
const THIRD = 2 * ENTRIES_AT_ONCE;

testOnEachDriver(
  "an entry that one atomic operation sets between its runs of new entries",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    let atomic = store.atomic();
    const setRun = (first: number) => {
      for (const [key, value] of entriesFrom(first)) {
        atomic = atomic.set("k", key, value);
      }
    };
    setRun(0);
    atomic.set("k", keyOf(THIRD + 3), "between", { expireIn: 60_000 });
    setRun(ENTRIES_AT_ONCE);
    setRun(THIRD);
    const result = await atomic.commit();
    assertEquals(result.ok && result.results.at(-1)?.status, "created");
    assertEquals((await store.entry("k", keyOf(THIRD + 3)))?.version, 2);
    assertEquals((await store.entry("k", keyOf(THIRD + 4)))?.version, 1);
    assertEquals(await store.count("k"), 3 * ENTRIES_AT_ONCE);
    assertEquals(await store.verify(), []);
  },
);

/** Who puts an entry between two calls of `setAll`. */
const WRITERS = {
  "this store": (store: Store, _other: Store) => store,
  "another store": (_store: Store, other: Store) => other,
};

for (const [who, writerOf] of Object.entries(WRITERS)) {
  testOnEachDriver(
    `an entry that ${who} sets between two calls of setAll`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      await using other = await openOn(driver, { path });
      await store.setAll("k", entriesFrom(0, 2));
      await writerOf(store, other).set("k", keyOf(THIRD + 3), "between");
      const { created, updated } = await store.setAll(
        "k",
        entriesFrom(THIRD, 2),
      );
      assertEquals({ created, updated }, {
        created: 2 * ENTRIES_AT_ONCE - 1,
        updated: 1,
      });
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver(
  "keys that come in no order after many that did are sorted, and the last value counts",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const entries = entriesFrom(0, 3);
    const { created } = await store.setAll("k", [
      ...entries,
      [entries.at(-1)![0], "last"],
      [entries[0][0], "first"],
      ["a", 1],
    ]);
    assertEquals(created, entries.length + 1);
    const list = await store.list("k");
    assertEquals([...list.keys()], ["a", ...entries.map(([key]) => key)]);
    assertEquals(list.get(entries[0][0]), "first");
    assertEquals(list.get(entries.at(-1)![0]), "last");
    assertEquals(await store.verify(), []);
  },
);
