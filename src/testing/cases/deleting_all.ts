/**
 * Tests of `deleteAll`: the deleted entries, the order of their events, and
 * that it is one transaction.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { KeyRangeOptions } from "../../contract/mod.ts";
import type { InvalidNameError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertLoopTurns,
  assertRejectsWith,
  assertSound,
  brief,
  fill,
  keysOf,
  next,
  numberedKey,
  numberedKeys,
  revisionsOf,
  take,
  turn,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

const KEYS = ["a", "a/1", "a/2", "a0", "b", "b/1", "c"];

export const deletingAll: Cases = {
  "deleteAll deletes all entries of a kind, and of no other": async (open) => {
    await using store = await open();
    for (const kind of ["user", "users", "users2", "Users"]) {
      await fill(store, kind, KEYS);
    }
    const { revision } = await store.set("users", "c", 1);
    assertEquals(await store.deleteAll("users"), {
      deleted: KEYS.length,
      revision: revision + KEYS.length,
    });
    assertEquals(await store.keys("users"), []);
    assertEquals(await store.kinds(), ["Users", "user", "users2"]);
    assertEquals(await store.keys("users2"), KEYS);
  },

  "deleteAll deletes a range of keys": async (open) => {
    const ranges: [KeyRangeOptions, string[]][] = [
      [{}, KEYS],
      [{ prefix: "" }, KEYS],
      [{ prefix: "a/" }, ["a/1", "a/2"]],
      [{ start: "b" }, ["b", "b/1", "c"]],
      [{ startAfter: "b" }, ["b/1", "c"]],
      [{ end: "a/2" }, ["a", "a/1"]],
      [{ start: "a/1", end: "b" }, ["a/1", "a/2", "a0"]],
      [{ startAfter: "a/1", end: "b" }, ["a/2", "a0"]],
      [{ prefix: "a", startAfter: "a/1", end: "a0" }, ["a/2"]],
    ];
    for (const [range, gone] of ranges) {
      await using store = await open();
      await fill(store, "files", KEYS);
      const what = JSON.stringify(range);
      const { deleted } = await store.deleteAll("files", range);
      assertEquals(deleted, gone.length, what);
      const left = KEYS.filter((key) => !gone.includes(key));
      assertEquals(await store.keys("files"), left, what);
    }
  },

  "C5 deleteAll of nothing is a no-op": async (open) => {
    await using store = await open();
    assertEquals(await store.deleteAll("none"), { deleted: 0, revision: 0 });
    await fill(store, "files", KEYS);
    const { revision } = await store.set("groups", "g", 1);
    const events = store.watch("files").getReader();
    const empty: KeyRangeOptions[] = [
      { prefix: "d" },
      { start: "b", end: "b" },
      { startAfter: "c" },
      { startAfter: "b", end: "b" },
      { prefix: "a", start: "b" },
      { prefix: "b", end: "a0" },
    ];
    for (const range of empty) {
      assertEquals(
        await store.deleteAll("files", range),
        { deleted: 0, revision },
        JSON.stringify(range),
      );
    }
    assertEquals(await store.deleteAll("none"), { deleted: 0, revision });
    const probe = await store.set("files", "probe", 1);
    assertEquals(probe.revision, revision + 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
    assertEquals(await store.count("files"), KEYS.length + 1);
  },

  "deleteAll gives one event for each entry, in key order": async (open) => {
    await using store = await open();
    const ordered = ["A", "a", "aa", "z", "é", "\u{FFFD}", "\u{10000}", "😀"];
    for (const key of ordered.toReversed()) await store.set("users", key, key);
    await store.set("users", "a", "second");
    const events = store.watch("users").getReader();
    const { deleted, revision } = await store.deleteAll("users");
    const seen = await take(events, ordered.length);
    assertEquals(deleted, ordered.length);
    assertEquals(keysOf(seen), ordered);
    assertEquals(
      revisionsOf(seen),
      ordered.map((_, n) => revision - ordered.length + 1 + n),
    );
    assert(seen.every((event) => event.type === "delete" && !event.expired));
    assertEquals([seen[1].value, seen[1].version], ["second", 2]);
    await store.set("users", "probe", 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
  },

  "C2 deleteAll of thousands is one transaction": async (open, supports) => {
    await using store = await open({ history: 20_000 });
    const keys = numberedKeys(6_000);
    await fillMany(store, "users", keys, supports);
    await fill(store, "groups", ["g"]);
    const events = store.watch("users").getReader();
    let isDone = false;
    const deleting = store.deleteAll("users").finally(() => {
      isDone = true;
    });
    // Others write and read meanwhile.
    const writes: Promise<unknown>[] = [];
    const counts: Promise<number>[] = [];
    for (let n = 0; !isDone; n++) {
      writes.push(store.set("groups", numberedKey(n), n));
      counts.push(store.count("users"));
      await turn();
    }
    const { deleted, revision } = await deleting;
    assertEquals(deleted, keys.length);
    const seen = await take(events, keys.length);
    assertEquals(keysOf(seen), keys);
    assertEquals(
      revisionsOf(seen),
      keys.map((_, n) => revision - keys.length + 1 + n),
    );
    await Promise.all(writes);
    for (const count of await Promise.all(counts)) {
      assert(count === 0 || count === keys.length, `${count} entries`);
    }
    assertEquals(await store.kinds(), ["groups"]);
    await assertSound(store, supports);
  },

  "C8 a long deleteAll lets the event loop turn": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(60_000), supports);
    await assertLoopTurns(() => store.deleteAll("users"));
    assertEquals(await store.count("users"), 0);
  },

  "C3 deleteAll deletes the entries written before it, and no others": async (
    open,
  ) => {
    await using store = await open();
    const results = await Promise.all([
      store.set("users", "a", 1),
      store.setAll("users", { b: 1, c: 1 }),
      store.deleteAll("users"),
      store.set("users", "c", 2),
      store.deleteAll("users", { start: "d" }),
      store.get("users", "c"),
    ]);
    assertEquals(results[2].deleted, 3);
    assertEquals([results[3].status, results[3].version], ["created", 1]);
    assertEquals(results[4].deleted, 0);
    assertEquals(results[5], 2);
  },

  "C6 versions begin again at 1 after deleteAll": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const before = await store.set("users", "a", 2);
    const { revision } = await store.deleteAll("users");
    assertEquals(await store.set("users", "a", 2), {
      status: "created",
      version: 1,
      revision: revision + 1,
    });
    assertEquals(revision, before.revision + 1);
  },

  "C7 an aborted deleteAll deletes nothing": async (open) => {
    await using store = await open();
    await fill(store, "users", KEYS);
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    await assertRejectsWith(
      () => store.deleteAll("users", { signal }),
      reason,
      "deleteAll",
    );
    assertEquals(await store.keys("users"), KEYS);
  },

  "C7 a deleteAll that is aborted at any moment is whole or nothing": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(3_000);
    for (let turns = 0; turns < 6; turns++) {
      await fillMany(store, "users", keys, supports);
      const reason = new Error("stop");
      const controller = new AbortController();
      const { signal } = controller;
      const outcome = store.deleteAll("users", { signal }).then(
        () => undefined,
        (error) => ({ error }),
      );
      for (let i = 0; i < turns; i++) await turn();
      controller.abort(reason);
      const failure = await outcome;
      if (failure) assertStrictEquals(failure.error, reason);
      const left = failure ? keys.length : 0;
      assertEquals(await store.count("users"), left, `after ${turns} turns`);
    }
  },

  "deleteAll refuses invalid options": async (open) => {
    await using store = await open();
    await fill(store, "users", KEYS);
    const wrong: [object, ErrorConstructor | typeof InvalidNameError][] = [
      [{ limit: 1 }, TypeError],
      [{ reverse: true }, TypeError],
      [{ where: () => true }, TypeError],
      [{ ifVersion: 1 }, TypeError],
      [{ onUnreadable: () => {} }, TypeError],
      [{ start: "a", startAfter: "a" }, TypeError],
      [{ start: "b", end: "a" }, RangeError],
      [{ startAfter: "b", end: "a" }, RangeError],
      [{ signal: {} }, TypeError],
    ];
    for (const [options, error] of wrong) {
      await assertRejects(
        () => store.deleteAll("users", options),
        error,
        undefined,
        Object.keys(options).join(),
      );
    }
    for (const name of ["prefix", "start", "startAfter", "end"]) {
      for (const text of [1, null, Symbol("a"), "\0", "\uD800"]) {
        await assertRejects(
          () => store.deleteAll("users", { [name]: text }),
          Error,
          name,
        );
      }
    }
    for (const range of [null, "a", ["a"]] as unknown as KeyRangeOptions[]) {
      await assertRejects(() => store.deleteAll("users", range), TypeError);
    }
    assertEquals(await store.keys("users"), KEYS);
  },
};
