/**
 * A store guesses which version an entry has that it wrote last: no write
 * relies on that.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { Store } from "../mod.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

/** What somebody does to an entry that has the value 1, and what a `set` of 2 then gives. */
const MEANWHILE: Record<string, {
  act(other: Store): Promise<unknown>;
  expected: { status: string; version: number; revision: number };
}> = {
  "nothing": {
    act: () => Promise.resolve(),
    expected: { status: "updated", version: 2, revision: 2 },
  },
  "another value": {
    act: (other) => other.set("k", "a", 3),
    expected: { status: "updated", version: 3, revision: 3 },
  },
  "the same value": {
    act: (other) => other.set("k", "a", 2),
    expected: { status: "unchanged", version: 2, revision: 2 },
  },
  "an expiry": {
    act: (other) => other.set("k", "a", 1, { expireIn: 60_000 }),
    expected: { status: "updated", version: 3, revision: 3 },
  },
  "a deletion": {
    act: (other) => other.delete("k", "a"),
    expected: { status: "created", version: 1, revision: 3 },
  },
  "a deletion and a creation": {
    act: async (other) => {
      await other.delete("k", "a");
      await other.set("k", "a", 3);
    },
    expected: { status: "updated", version: 2, revision: 4 },
  },
  "a write of another entry": {
    act: (other) => other.set("k", "b", 3),
    expected: { status: "updated", version: 2, revision: 3 },
  },
};

for (const [what, { act, expected }] of Object.entries(MEANWHILE)) {
  for (const isOwn of [true, false]) {
    testOnEachDriver(
      `a set after ${what} of ${isOwn ? "this store" : "another one"}`,
      async (driver) => {
        await using dir = await tempDir();
        const path = dir.file("app.db");
        await using store = await openOn(driver, { path });
        await using other = await openOn(driver, { path });
        await store.set("k", "a", 1);
        await act(isOwn ? store : other);
        assertEquals(await store.set("k", "a", 2), expected);
        const entry = await other.entry("k", "a");
        assertEquals(entry?.value, 2);
        assertEquals(entry?.version, expected.version);
        assertEquals(entry?.revision, expected.revision);
        assertEquals(entry?.expiresAt, undefined);
        assertEquals(await other.verify(), []);
      },
    );
  }
}

testOnEachDriver("a set after a write that was undone", async (driver) => {
  await using dir = await tempDir();
  await using store = await openOn(driver, { path: dir.file("app.db") });
  await store.set("k", "a", 1);
  const failure = new Error("no");
  await assertRejects(() =>
    store.atomic().set("k", "a", 5).set("k", "a", 6)
      .update("k", "a", () => {
        throw failure;
      }).commit()
  );
  assertEquals(await store.set("k", "a", 2), {
    status: "updated",
    version: 2,
    revision: 2,
  });
  assertEquals(await store.verify(), []);
});

testOnEachDriver(
  "sets of more entries than a store has guesses of",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, durability: "normal" });
    for (const version of [1, 2, 3]) {
      const results = await Promise.all(
        Array.from(
          { length: 4_200 },
          (_, n) => store.set(`k${n % 3}`, `key${n}`, version),
        ),
      );
      assertEquals(
        new Set(results.map((it) => it.version)),
        new Set([version]),
      );
    }
    assertEquals((await store.entry("k1", "key4198"))?.version, 3);
    assertEquals(await store.verify(), []);
  },
);
