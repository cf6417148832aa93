/**
 * A read of many entries is of one moment. While it goes on, the store's other
 * reads are of that moment, too: what others wrote since is not told to be
 * another store's.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { SqliteStore } from "../mod.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

/** More than one slice of the event loop, in ms. */
const LONG_MS = 10;

/** More than one page. */
const ENTRIES = Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i] as const);

/** Reads every entry, as slowly as it can until it is told to end. */
function readSlowly(store: SqliteStore) {
  let isLong = true;
  const read = store.list("k", {
    where: () => {
      const end = performance.now() + LONG_MS;
      while (isLong && performance.now() < end);
      return true;
    },
  });
  return { read, end: () => isLong = false };
}

testOnEachDriver(
  "a cursor that others gave during a long read is not ahead",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using writer = await openOn(driver, { path });
    await using store = await openOn(driver, { path });
    await writer.setAll("k", ENTRIES);
    const events = writer.watch("other").getReader();
    const slow = readSlowly(store);
    await writer.set("other", "a", 1);
    const { value } = await events.read();
    assert(value);
    // The read has begun before that, and goes on.
    assertEquals(await store.get("other", "a"), undefined);
    const { cursor, revision } = value;
    const resumed = store.watch("other", { after: cursor }).getReader();
    const next = resumed.read();
    const past = store.snapshot({ at: revision });
    slow.end();
    assertEquals((await slow.read).size, ENTRIES.length);
    await using snapshot = await past;
    assertEquals(await snapshot.get("other", "a"), 1);
    await writer.set("other", "b", 2);
    assertEquals((await next).value?.key, "b");
    await Promise.all([events.cancel(), resumed.cancel()]);
  },
);
