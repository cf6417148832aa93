/**
 * Tests of watches of several kinds, and of all kinds: their changes come in
 * one order (W1), each once (W2), and none is missing (W3).
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import type { WatchEvent } from "../../contract/mod.ts";
import { InvalidNameError, StoreClosedError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  fill,
  makeTraffic,
  named,
  numberedKeys,
  type Reader,
  revisionsOf,
  take,
  takeUntil,
} from "../reading.ts";

export const watchingKinds: Cases = {
  "watch of several kinds gives the changes of each, in one order": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch(["users", "groups"]).getReader();
    await store.set("users", "a", 1);
    await store.set("groups", "a", 1);
    await store.set("others", "a", 1);
    await store.set("users", "a", 2);
    await store.delete("groups", "a");
    await store.delete("users", "a");
    assertEquals(named(await take(events, 5)), [
      "create users/a@1",
      "create groups/a@1",
      "update users/a@2",
      "delete groups/a@1",
      "delete users/a@2",
    ]);
  },

  "watch of several kinds gives the events that watches of each give": async (
    open,
  ) => {
    await using store = await open();
    const kinds = ["users", "groups", "users2"];
    const both = store.watch(["users2", "users"]).getReader();
    const all = store.watchAll().getReader();
    const singles = kinds.map((kind) => store.watch(kind).getReader());
    await makeTraffic(store, kinds);
    const [users, groups, users2] = await Promise.all(
      singles.map((reader) => takeUntil(reader, "end")),
    );
    const ordered = (...events: WatchEvent[][]) =>
      events.flat().toSorted((a, b) => a.revision - b.revision);
    assertEquals(
      await take(both, users.length + users2.length),
      ordered(users, users2),
    );
    const everything = ordered(users, groups, users2);
    assertEquals(await take(all, everything.length), everything);
  },

  "watch of a list of one kind is the same as a watch of the kind": async (
    open,
  ) => {
    await using store = await open();
    const options = { initial: true, bookmarks: true };
    await fill(store, "users", ["a", "b"]);
    const readers = [
      store.watch("users", options).getReader(),
      store.watch(["users"], options).getReader(),
      store.watch(["users", "users"], options).getReader(),
    ];
    await store.set("groups", "a", 1);
    await store.set("users", "c", 1);
    await store.delete("users", "a");
    const [expected, ...others] = await Promise.all(
      readers.map((reader) => take<unknown>(reader, 5)),
    );
    for (const other of others) assertEquals(other, expected);
  },

  "watch of a kind that is named twice gives each change once": async (
    open,
  ) => {
    await using store = await open();
    await store.set("b", "k", 1);
    const kinds = ["a", "b", "a", "b", "b"];
    const live = store.watch(kinds).getReader();
    const replayed = store.watch(kinds, { initial: true }).getReader();
    await store.set("a", "k", 1);
    await store.set("b", "k", 2);
    await store.set("a", "k", 2);
    const changes = ["create a/k@1", "update b/k@2", "update a/k@2"];
    assertEquals(named(await take(live, 3)), changes);
    assertEquals(named(await take(replayed, 4)), ["create b/k@1", ...changes]);
  },

  "watch of no kind is a TypeError": async (open) => {
    await using store = await open();
    assertThrows(() => store.watch([]), TypeError, "kind");
  },

  "watch of a list refuses invalid names": async (open) => {
    await using store = await open();
    for (const kind of ["", "\0", "\uD800", 1, null, undefined, ["a"]]) {
      for (const kinds of [[kind], ["users", kind], [kind, "users"]]) {
        assertThrows(() => store.watch(kinds as string[]), InvalidNameError);
      }
    }
  },

  "watch of a list that is changed after the call": async (open) => {
    await using store = await open();
    const kinds = ["users", "groups"];
    const events = store.watch(kinds).getReader();
    kinds.pop();
    kinds.push("others");
    await store.set("others", "a", 1);
    await store.set("groups", "a", 1);
    await store.set("users", "a", 1);
    assertEquals(named(await take(events, 2)), [
      "create groups/a@1",
      "create users/a@1",
    ]);
  },

  "watchAll gives the changes of kinds that come later, too": async (open) => {
    await using store = await open();
    const events = store.watchAll().getReader();
    const kinds = numberedKeys(20).map((key) => `kind ${key}`);
    for (const kind of kinds) await store.set(kind, "a", 1);
    for (const kind of kinds.toReversed()) await store.delete(kind, "a");
    assertEquals(named(await take(events, 40)), [
      ...kinds.map((kind) => `create ${kind}/a@1`),
      ...kinds.toReversed().map((kind) => `delete ${kind}/a@1`),
    ]);
  },

  "W4 the events of one transaction are contiguous, over kinds": async (
    open,
  ) => {
    await using store = await open();
    const all = store.watchAll({ bufferSize: 2 }).getReader();
    const some = store.watch(["a", "c"]).getReader();
    const writes: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n++) {
      writes.push(
        store.atomic().set("a", `${n % 3}`, n).set("b", `${n % 3}`, n)
          .set("c", `${n % 3}`, n).commit(),
        store.set("a", "single", n),
      );
    }
    const events = await take(all, 200);
    await Promise.all(writes);
    assertEquals(
      events.map(({ kind, value }) => `${kind} ${value}`),
      Array.from({ length: 50 }, (_, n) => [
        `a ${n}`,
        `b ${n}`,
        `c ${n}`,
        `a ${n}`,
      ]).flat(),
    );
    assertEquals(
      await take(some, 150),
      events.filter(({ kind }) => kind !== "b"),
    );
  },

  "W1 W2 W3 watchAll gives every change once, in order": async (open) => {
    await using store = await open();
    const reader = store.watchAll({ bufferSize: 7 }).getReader();
    const kinds = ["a", "b", "c", "d"];
    const revisions = await makeTraffic(store, kinds);
    const events = await take(reader, revisions.length);
    assertEquals(revisionsOf(events), revisions);
  },

  "watch key, prefix and types hold for each of several kinds": async (
    open,
  ) => {
    await using store = await open();
    for (const kind of ["a", "b", "c"]) {
      await store.setAll(kind, { x: 1, xy: 1, y: 1 });
    }
    const kinds = ["c", "a"];
    const options = { initial: true };
    const byKey = store.watch(kinds, { ...options, key: "x" }).getReader();
    const byPrefix = store.watch(kinds, { ...options, prefix: "x" })
      .getReader();
    const byType = store.watch(kinds, { ...options, types: ["delete"] })
      .getReader();
    const all = store.watchAll({ key: "y", types: ["update"] }).getReader();
    for (const kind of ["a", "b", "c", "d"]) {
      await store.setAll(kind, { x: 2, xy: 2, y: 2 });
    }
    for (const kind of ["c", "b", "a"]) await store.delete(kind, "xy");

    assertEquals(named(await take(byKey, 4)), [
      "create a/x@1",
      "create c/x@1",
      "update a/x@2",
      "update c/x@2",
    ]);
    assertEquals(named(await take(byPrefix, 10)), [
      "create a/x@1",
      "create a/xy@1",
      "create c/x@1",
      "create c/xy@1",
      "update a/x@2",
      "update a/xy@2",
      "update c/x@2",
      "update c/xy@2",
      "delete c/xy@2",
      "delete a/xy@2",
    ]);
    assertEquals(named(await take(byType, 2)), [
      "delete c/xy@2",
      "delete a/xy@2",
    ]);
    assertEquals(named(await take(all, 3)), [
      "update a/y@2",
      "update b/y@2",
      "update c/y@2",
    ]);
  },

  "watch previous applies to each of several kinds": async (open) => {
    await using store = await open();
    await store.set("a", "k", 1);
    await store.set("b", "k", 1);
    const readers = [
      store.watch(["a", "b"], { previous: true }).getReader(),
      store.watchAll({ previous: true }).getReader(),
    ];
    await store.set("b", "k", 2);
    await store.set("a", "k", 3);
    for (const reader of readers) {
      const told = (await take(reader, 2)).map((event) =>
        event.type === "update" && [event.kind, event.previous, event.value]
      );
      assertEquals(told, [["b", 1, 2], ["a", 1, 3]]);
    }
  },

  "W9 watches of several kinds end as those of one do": async (open) => {
    const store = await open();
    const ends: Record<string, (signal: AbortController) => unknown> = {
      cancel: () => {},
      abort: (controller) => controller.abort(),
      close: () => store.close(),
    };
    for (const [name, end] of Object.entries(ends)) {
      const controller = new AbortController();
      const { signal } = controller;
      const readers: Reader<WatchEvent>[] = [
        store.watch(["a", "b"], { signal }),
        store.watchAll({ signal }),
      ].map((stream) => stream.getReader());
      const pending = readers.map((reader) => reader.read());
      if (name === "cancel") {
        await Promise.all(readers.map((reader) => reader.cancel()));
      } else await end(controller);
      for (const read of pending) assertEquals((await read).done, true, name);
      for (const reader of readers) await assertEnded(reader);
    }
    assertThrows(() => store.watchAll(), StoreClosedError);
    assertThrows(() => store.watch(["a", "b"]), StoreClosedError);
  },
};
