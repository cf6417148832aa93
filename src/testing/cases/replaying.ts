/**
 * Tests of `initial`: the replay is the kind exactly at the moment of the call,
 * and every later change follows (W4).
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Store } from "../../contract/store.ts";
import type { Cases } from "../case.ts";
import {
  brief,
  fill,
  keysOf,
  next,
  numberedKey,
  numberedKeys,
  take,
  takeUntil,
  withoutCursor,
  withoutCursors,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const replaying: Cases = {
  "watch initial: replays the entries as creates, in key order": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["b", "c", "a"]);
    await store.set("users", "b", { n: 2 });
    await store.delete("users", "c");
    await fill(store, "groups", ["a"]);
    const events = store.watch("users", { initial: true }).getReader();
    const event = { type: "create", kind: "users", revision: 0 };
    assertEquals(withoutCursors(await take(events, 2)), [
      { ...event, key: "a", value: { of: "a" }, version: 1 },
      { ...event, key: "b", value: { n: 2 }, version: 2 },
    ]);
    const { revision } = await store.set("users", "0", 1);
    assertEquals(withoutCursor(await next(events)), {
      type: "create",
      kind: "users",
      key: "0",
      value: 1,
      version: 1,
      revision,
    });
  },

  "watch initial: replays nothing of an empty kind": async (open) => {
    await using store = await open();
    const events = store.watch("users", { initial: true }).getReader();
    const { revision } = await store.set("users", "alice", 1);
    assertEquals((await next(events)).revision, revision);
  },

  "watch initial: false replays nothing": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const events = store.watch("users", { initial: false }).getReader();
    await store.set("users", "bob", 1);
    assertEquals(brief([await next(events)]), ["create bob@1"]);
  },

  "watch initial: replays a kind of many pages": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(5_000);
    await fillMany(store, "users", keys, supports);
    const events = store.watch("users", { initial: true }).getReader();
    assertEquals(keysOf(await take(events, keys.length)), keys);
  },

  "W4 replay and subscription are one step": async (open) => {
    await using store = await open();
    const before = store.set("users", "a", 1);
    const events = store.watch("users", { initial: true }).getReader();
    const after = store.set("users", "b", 1);
    const [a, b] = await take(events, 2);
    assertEquals(brief([a, b]), ["create a@1", "create b@1"]);
    assertEquals([a.revision, b.revision], [0, (await after).revision]);
    await before;
  },

  "W4 replay and subscription are one step, for every write": async (open) => {
    await using store = await open();
    await fill(store, "users", ["deleted", "updated", "later"]);
    const writes: Promise<unknown>[] = [
      store.delete("users", "deleted"),
      store.update("users", "updated", () => 2),
      store.setAll("users", { one: 1, two: 1 }),
      store.atomic().set("users", "three", 1).delete("users", "one").commit(),
    ];
    const events = store.watch("users", { initial: true }).getReader();
    writes.push(
      store.delete("users", "later"),
      store.update("users", "updated", () => 3),
      store.setAll("users", { one: 1, two: 2 }),
      store.atomic().delete("users", "three").set("users", "0", 1).commit(),
    );
    assertEquals(brief(await take(events, 10)), [
      "create later@1",
      "create three@1",
      "create two@1",
      "create updated@2",
      "delete later@1",
      "update updated@3",
      "create one@1",
      "update two@2",
      "delete three@1",
      "create 0@1",
    ]);
    await Promise.all(writes);
  },

  "W4 each of many watches begins at its own call": async (open) => {
    await using store = await open();
    const keys = numberedKeys(60);
    const watches = [];
    const writes = [];
    for (const key of keys) {
      watches.push({
        fresh: store.watch("users").getReader(),
        replayed: store.watch("users", { initial: true }).getReader(),
      });
      writes.push(store.set("users", key, 1));
    }
    const revisions = (await Promise.all(writes)).map(
      ({ revision }) => revision,
    );
    for (const [i, { fresh, replayed }] of watches.entries()) {
      const live = await take(fresh, keys.length - i);
      assertEquals(keysOf(live), keys.slice(i), `live since ${i}`);
      const all = await take(replayed, keys.length);
      assertEquals(keysOf(all), keys, `replayed at ${i}`);
      assertEquals(
        all.map(({ revision }) => revision),
        [...Array(i).fill(0), ...revisions.slice(i)],
        `replayed at ${i}`,
      );
    }
  },

  "W4 a replay does not depend on when it is read": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(300), supports);
    const events = store.watch("users", { initial: true, bufferSize: 10 })
      .getReader();
    for (let n = 0; n < 300; n += 3) {
      await store.set("users", numberedKey(n), "changed");
      await store.delete("users", numberedKey(n + 1));
      await store.set("users", `${numberedKey(n)}+`, "new");
    }
    const replay = await take(events, 300);
    assertEquals(
      replay.map(({ key, value, version, revision }) => ({
        key,
        value,
        version,
        revision,
      })),
      numberedKeys(300).map((key) => ({
        key,
        value: { of: key },
        version: 1,
        revision: 0,
      })),
    );
    const live = brief(await take(events, 3));
    assertEquals(live, [
      `update ${numberedKey(0)}@2`,
      `delete ${numberedKey(1)}@1`,
      `create ${numberedKey(0)}+@1`,
    ]);
  },

  "W4 a replay during writes is the state at the call, then every change":
    async (open, supports) => {
      await using store = await open();
      await fillMany(store, "users", numberedKeys(400), supports);
      const random = generator(1);
      for (let i = 0; i < 100; i++) await changeSomething(store, random);

      const snapshot = await Promise.all(
        (await store.keys("users")).map((key) => store.entry("users", key)),
      );
      const events = store.watch("users", { initial: true, bufferSize: 8 })
        .getReader();
      const changes: Change[] = [];
      const replay = [];
      for (let i = 0; i < snapshot.length; i++) {
        replay.push(await next(events));
        if (i % 2 === 0) changes.push(await changeSomething(store, random));
      }
      await store.set("users", "end", 1);
      const live = await takeUntil(events, "end");

      assertEquals(
        replay.map(({ type, key, value, version, revision }) => {
          return { type, key, value, version, revision };
        }),
        snapshot.map((entry) => {
          assert(entry);
          const { key, value, version } = entry;
          return { type: "create" as const, key, value, version, revision: 0 };
        }),
      );
      assertEquals(
        live.slice(0, -1).map(({ type, key, value }) => ({ type, key, value })),
        changes,
      );
      assertGreater(new Set(changes.map(({ type }) => type)).size, 2);
    },

  "W4 a replay by key, prefix or type is exact during writes": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(100);
    await fillMany(store, "users", keys, supports);
    const byKey = store.watch("users", { initial: true, key: keys[50] })
      .getReader();
    const byPrefix = store.watch("users", {
      initial: true,
      prefix: "00005",
      bufferSize: 3,
    }).getReader();
    const creates = store.watch("users", {
      initial: true,
      types: ["create"],
      bufferSize: 3,
    }).getReader();
    for (const key of keys) await store.delete("users", key);
    await store.set("users", keys[50], "again");

    assertEquals(brief(await take(byKey, 3)), [
      `create ${keys[50]}@1`,
      `delete ${keys[50]}@1`,
      `create ${keys[50]}@1`,
    ]);
    const tens = keys.slice(50, 60);
    assertEquals(brief(await take(byPrefix, 21)), [
      ...tens.map((key) => `create ${key}@1`),
      ...tens.map((key) => `delete ${key}@1`),
      `create ${keys[50]}@1`,
    ]);
    assertEquals(keysOf(await take(creates, 101)), [...keys, keys[50]]);
  },
};

interface Change {
  type: "create" | "update" | "delete";
  key: string;
  value: unknown;
}

/** Creates, updates or deletes an entry, and returns what it did. */
async function changeSomething(
  store: Store,
  random: () => number,
): Promise<Change> {
  const key = numberedKey(Math.floor(random() * 500));
  if (random() < 0.4) {
    const deleted = await store.delete("users", key);
    if (deleted) return { type: "delete", key, value: deleted.value };
  }
  const value = { random: random() };
  const { status } = await store.set("users", key, value);
  return { type: status === "created" ? "create" : "update", key, value };
}

/** Pseudo-random numbers in [0, 1), the same in every run (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
