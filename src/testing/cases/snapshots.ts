/**
 * Tests of `snapshot`: all its reads are of one moment, whatever others write
 * meanwhile.
 *
 * @module
 */
import { assertEquals, assertInstanceOf } from "@std/assert";
import type { RangeOptions, Snapshot, Store } from "../../contract/mod.ts";
import { type Cases, needing, needsImportedVersions } from "../case.ts";
import { entryLine, streamOf } from "../lines.ts";
import {
  drain,
  fill,
  keysOf,
  makeTraffic,
  next,
  numberedKey,
  numberedKeys,
  textOf,
} from "../reading.ts";
import { everythingOf } from "../reads_of.ts";
import { fillMany } from "../sizes.ts";

const KEYS = [...numberedKeys(10), "a", "a/1", "b", "none"];
const KINDS = ["users", "groups", "later", "none"];

export const snapshots: Cases = {
  "snapshot: every read gives the same result as at the call": async (open) => {
    await using store = await open();
    await fill(store, "users", KEYS.slice(0, -1));
    await fill(store, "groups", ["a", "b"]);
    await store.set("users", "b", "changed");
    const before = await everythingOf(store, KINDS, KEYS);
    await using snapshot = await store.snapshot();
    assertEquals(await everythingOf(snapshot, KINDS, KEYS), before);
    await changeEverything(store);
    assertEquals(await everythingOf(snapshot, KINDS, KEYS), before);
    await store.deleteAll("users");
    await store.deleteAll("groups");
    assertEquals(await everythingOf(snapshot, KINDS, KEYS), before);
    await fill(store, "users", KEYS);
    assertEquals(await everythingOf(snapshot, KINDS, KEYS), before);
  },

  "snapshot: of an empty store it is empty": async (open) => {
    await using store = await open();
    await using snapshot = await store.snapshot();
    assertEquals(snapshot.revision, 0);
    await fill(store, "users", ["alice"]);
    assertEquals(await snapshot.kinds(), []);
    assertEquals(await snapshot.getAll(), new Map());
    assertEquals(await snapshot.get("users", "alice"), undefined);
    assertEquals(await snapshot.has("users", "alice"), false);
    assertEquals(await textOf(snapshot.export()), "");
  },

  "snapshot: revision is that of the last change before it": async (open) => {
    await using store = await open();
    for (let n = 0; n < 3; n++) {
      const { revision } = await store.set("users", "a", n);
      await using snapshot = await store.snapshot();
      assertEquals(snapshot.revision, revision);
      await using same = await store.snapshot({ at: revision });
      assertEquals(same.revision, revision);
      assertEquals(
        await same.entry("users", "a"),
        await snapshot.entry("users", "a"),
      );
    }
  },

  "C3 a snapshot has every write that was called before it": async (open) => {
    await using store = await open();
    const writes = [
      store.set("users", "a", 1),
      store.setAll("users", { b: 1, c: 1 }),
      store.delete("users", "b"),
    ];
    await using snapshot = await store.snapshot();
    assertEquals(await snapshot.keys("users"), ["a", "c"]);
    await Promise.all(writes);
    await store.deleteAll("users");
    assertEquals(await snapshot.keys("users"), ["a", "c"]);
  },

  "snapshot: entries are unaffected by later changes": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "updated", 1);
    await store.set("users", "updated", 2);
    await store.set("users", "deleted", 1);
    await store.set("users", "again", 1);
    await store.set("users", "mortal", 1, { expireIn: 1_000_000 });
    await store.set("users", "kept", 1);
    const keys = await store.keys("users");
    const entries = () =>
      Promise.all(keys.map((key) => store.entry("users", key)));
    const before = await entries();
    await using snapshot = await store.snapshot();
    await store.set("users", "updated", 3);
    await store.set("users", "updated", 4);
    await store.delete("users", "deleted");
    await store.delete("users", "again");
    await store.set("users", "again", 2, { expireIn: 1_000_000 });
    await store.set("users", "mortal", 1);
    const past = await Promise.all(
      keys.map((key) => snapshot.entry("users", key)),
    );
    assertEquals(past, before);
    assertEquals(await Array.fromAsync(snapshot.entries("users")), before);
    const mortal = past[keys.indexOf("mortal")];
    assertInstanceOf(mortal?.expiresAt, Date);
    assertEquals(
      Object.hasOwn(past[keys.indexOf("kept")]!, "expiresAt"),
      false,
    );
  },

  "snapshot: ranges are unaffected by later changes": async (
    open,
  ) => {
    await using store = await open();
    const keys = numberedKeys(40);
    // Every third is deleted later, and every third is created later.
    const there = keys.filter((_, n) => n % 3 !== 2);
    await fill(store, "users", there);
    await using snapshot = await store.snapshot();
    for (const [n, key] of keys.entries()) {
      if (n % 3 === 1) await store.delete("users", key);
      if (n % 3 === 2) await store.set("users", key, "new");
    }
    const ranges = [undefined, keys[0], keys[7], keys[8], keys[39]].flatMap(
      (start) =>
        [undefined, keys[8], keys[9], keys[20], "zzz"].flatMap((end) =>
          [undefined, 1, 4, 100].flatMap((limit): RangeOptions[] => [
            { start, end, limit },
            { start, end, limit, reverse: true },
          ])
        ),
    ).filter(({ start, end }) => !start || !end || start <= end);
    await Promise.all(ranges.map(async (range) => {
      const { start, end, limit, reverse } = range;
      const inRange = there.filter((key) =>
        (!start || key >= start) && (!end || key < end)
      );
      if (reverse) inRange.reverse();
      const expected = inRange.slice(0, limit);
      const what = JSON.stringify(range);
      assertEquals(await snapshot.keys("users", range), expected, what);
      const count = await snapshot.count("users", range);
      assertEquals(count, expected.length, what);
      assertEquals(
        await snapshot.values("users", range),
        expected.map((key) => ({ key, value: { of: key } })),
        what,
      );
    }));
  },

  "snapshot: where gets the past values": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2, c: 3, d: 4 });
    await using snapshot = await store.snapshot();
    await store.setAll("users", { a: 10, c: 10, e: 10 });
    await store.delete("users", "d");
    const asked: string[] = [];
    const where = (key: string, value: unknown) => {
      asked.push(`${key} ${value}`);
      return (value as number) % 2 === 0;
    };
    assertEquals(await snapshot.keys("users", { where }), ["b", "d"]);
    assertEquals(new Set(asked), new Set(["a 1", "b 2", "c 3", "d 4"]));
    assertEquals(await snapshot.count("users", { where, limit: 1 }), 1);
    assertEquals([...await snapshot.list("users", { where, reverse: true })], [
      ["d", 4],
      ["b", 2],
    ]);
  },

  "snapshot: many, each of its own moment": async (open) => {
    await using store = await open();
    const taken: { snapshot: Snapshot; all: Record<string, unknown> }[] = [];
    for (let n = 0; n < 6; n++) {
      await store.set("users", numberedKey(n), n);
      await store.set("users", "a", n);
      await store.delete("users", numberedKey(n - 2));
      if (n % 2 === 1) await store.deleteAll("groups");
      else await fill(store, "groups", ["a", numberedKey(n)]);
      const all = await everythingOf(store, KINDS, KEYS);
      taken.push({ snapshot: await store.snapshot(), all });
    }
    await Promise.all(taken.map(async ({ snapshot, all }) => {
      assertEquals(await everythingOf(snapshot, KINDS, KEYS), all);
    }));
    // Closing one does not affect the others.
    for (const { snapshot, all } of taken) {
      assertEquals(await everythingOf(snapshot, KINDS, KEYS), all);
      await snapshot.close();
    }
  },

  "snapshot: stays as it is while others write": async (open) => {
    await using store = await open();
    await makeTraffic(store, ["users", "groups"], 5);
    const kinds = ["users", "groups", "busy"];
    const keys = ["0/0", "1/1", "2/2", "end"];
    const before = await everythingOf(store, kinds, keys);
    await using snapshot = await store.snapshot();
    const writing = makeTraffic(store, kinds, 60);
    for (let n = 0; n < 5; n++) {
      assertEquals(await everythingOf(snapshot, kinds, keys), before);
    }
    await writing;
    assertEquals(await everythingOf(snapshot, kinds, keys), before);
  },

  "snapshot: entries of a large kind are as they were, page by page": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(3_000);
    await fillMany(store, "users", keys, supports);
    await using snapshot = await store.snapshot();
    const reader = snapshot.entries("users").getReader();
    const back = snapshot.entries("users", { reverse: true }).getReader();
    const first = [await next(reader)];
    const last = [await next(back)];
    for (let n = 0; n < 3_000; n += 7) {
      const write = n % 3;
      if (write === 0) await store.delete("users", keys[n]);
      else if (write === 1) await store.set("users", keys[n], "changed");
      else await store.set("users", `${keys[n]}+`, "new");
    }
    const there = [...first, ...(await drain(reader)).chunks];
    assertEquals(keysOf(there), keys);
    for (const { key, value, version } of there) {
      assertEquals([value, version], [{ of: key }, 1]);
    }
    const backwards = [...last, ...(await drain(back)).chunks];
    assertEquals(backwards, there.toReversed());
    assertEquals(await snapshot.count("users"), keys.length);
    assertEquals(await snapshot.keys("users"), keys);
    assertEquals((await snapshot.list("users")).size, keys.length);
    const many = await snapshot.getMany("users", keys.toReversed());
    assertEquals([...many.keys()], keys.toReversed());
  },

  "snapshot: many later keys are not in it": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "z"]);
    await using snapshot = await store.snapshot();
    await fillMany(store, "users", numberedKeys(700), supports);
    await fillMany(store, "later", numberedKeys(700), supports);
    const reads = [
      snapshot.keys("users"),
      snapshot.keys("users", { limit: 2 }),
      snapshot.keys("users", { prefix: "" }),
      Array.fromAsync(snapshot.entries("users"), ({ key }) => key),
    ];
    for (const keys of await Promise.all(reads)) assertEquals(keys, ["a", "z"]);
    assertEquals(await snapshot.keys("users", { reverse: true, limit: 1 }), [
      "z",
    ]);
    assertEquals(await snapshot.kinds(), ["users"]);
    assertEquals(await snapshot.count("later"), 0);
    assertEquals(await snapshot.get("later", numberedKey(1)), undefined);
  },

  ...needing(needsImportedVersions, {
    "snapshot: a later import is not in it": async (open) => {
      await using store = await open();
      await store.set("a", "x", 1);
      const before = await textOf(store.export());
      await using snapshot = await store.snapshot();
      await store.import(streamOf(
        entryLine("x", 2, { version: 7 }),
        entryLine("y", 1, {
          version: 7,
          updatedAt: "2020-01-01T00:00:00.000Z",
        }),
      ));
      assertEquals(await textOf(snapshot.export()), before);
      await using later = await store.snapshot();
      await store.deleteAll("a");
      const [, y] = await Array.fromAsync(later.entries("a"));
      assertEquals([y.key, y.version], ["y", 7]);
      assertEquals(y.updatedAt, new Date("2020-01-01T00:00:00.000Z"));
    },
  }),

  "snapshot: values are the caller's own": async (open) => {
    await using store = await open();
    await store.set("users", "a", { tags: ["a"] });
    await using snapshot = await store.snapshot();
    const mine = await snapshot.get("users", "a") as { tags: string[] };
    mine.tags.push("b");
    assertEquals(await snapshot.get("users", "a"), { tags: ["a"] });
    await store.delete("users", "a");
    const past = await snapshot.get("users", "a") as { tags: string[] };
    past.tags.push("b");
    assertEquals(await snapshot.get("users", "a"), { tags: ["a"] });
  },
};

/** Creates, updates, deletes and re-creates entries of every kind. */
async function changeEverything(store: Store): Promise<void> {
  await store.setAll("users", KEYS.map((key) => [key, { n: key }] as const));
  await store.delete("users", "a");
  await store.delete("users", "b");
  await store.set("users", "b", "again");
  await store.atomic().delete("groups", "a").set("groups", "b", 2)
    .set("later", "a", 1).commit();
  await fill(store, "later", KEYS);
}
