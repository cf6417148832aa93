/**
 * Tests of a store that is closed and opened again (C1).
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { ReopeningCases } from "../case.ts";
import {
  brief,
  drain,
  fill,
  keysOf,
  next,
  numberedKeys,
  take,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const reopening: ReopeningCases = {
  "C1 a resolved write is there after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    await first.set("users", "alice", { n: 1 });
    await first.set("users", "alice", { n: 2 });
    await first.setAll("groups", { "😀": 1, b: 2 });
    await first.set("users", "gone", 1);
    await first.delete("users", "gone");
    await first.update("users", "carol", (value) => value, { initial: 3 });
    await first.atomic().set("users", "dave", 4).delete("groups", "b").commit();
    const all = await first.getAll();
    const alice = await first.entry("users", "alice");

    await using second = await reopen(first);
    assertEquals(await second.getAll(), all);
    assertEquals(await second.entry("users", "alice"), alice);
    assertEquals(await second.kinds(), ["groups", "users"]);
  },

  "C1 a write called before close is there after the store is reopened": async (
    open,
    reopen,
    supports,
  ) => {
    await using first = await open();
    const keys = numberedKeys(5_000);
    const writes = [
      first.set("users", "alice", 1),
      fillMany(first, "groups", keys, supports),
      first.delete("users", "alice"),
      first.set("users", "bob", 1),
    ];
    await using second = await reopen(first);
    assertEquals(await second.keys("groups"), keys);
    assertEquals(await second.keys("users"), ["bob"]);
    await Promise.all(writes);
  },

  "C1 a write that was refused is not there after the store is reopened":
    async (open, reopen) => {
      await using first = await open();
      await Promise.allSettled([
        first.set("users", "a", 1),
        first.setAll("users", [["b", 1], ["c", undefined]]),
        first.set("users", "a", 2, { ifVersion: 7 }),
        first.set("users", "d", 1, { signal: AbortSignal.abort() }),
      ]);
      await using second = await reopen(first);
      assertEquals([...await second.list("users")], [["a", 1]]);
    },

  "C6 versions and revisions go on after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    await first.set("users", "alice", 1);
    await first.set("users", "bob", 1);
    await first.delete("users", "bob");
    const { revision } = await first.atomic().commit() as { revision: number };

    await using second = await reopen(first);
    assertEquals(await second.set("users", "alice", 2), {
      status: "updated",
      version: 2,
      revision: revision + 1,
    });
    assertEquals(await second.set("users", "bob", 1), {
      status: "created",
      version: 1,
      revision: revision + 2,
    });
  },

  "C5 a no-op is still a no-op after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    const before = await first.set("users", "alice", { n: 1 });
    await using second = await reopen(first);
    assertEquals(await second.set("users", "alice", { n: 1 }), {
      ...before,
      status: "unchanged",
    });
  },

  "W5 a watch resumes after the store is reopened": async (open, reopen) => {
    await using first = await open();
    const reader = first.watch("users").getReader();
    await first.setAll("users", { a: 1, b: 1, c: 1 });
    await first.delete("users", "b");
    const events = await take(reader, 4);

    await using second = await reopen(first);
    for (const [i, { revision }] of events.entries()) {
      const resumed = second.watch("users", { after: revision }).getReader();
      assertEquals(await take(resumed, 3 - i), events.slice(i + 1));
    }
    const last = second.watch("users", { after: events[3].revision })
      .getReader();
    await second.set("users", "d", 1);
    assertEquals(brief([await next(last)]), ["create d@1"]);
    const future = second.watch("users", { after: events[3].revision + 9 });
    assertInstanceOf(
      (await drain(future.getReader())).error,
      WatchOverflowError,
    );
  },

  "W6 a bookmark is good after the store is reopened": async (open, reopen) => {
    await using first = await open();
    await fill(first, "users", ["a", "b"]);
    const reader = first.watch("users", { initial: true, bookmarks: true })
      .getReader();
    const bookmark = (await take(reader, 3))[2];
    await first.set("users", "c", 1);

    await using second = await reopen(first);
    const resumed = second.watch("users", { after: bookmark.revision })
      .getReader();
    await second.set("users", "d", 1);
    assertEquals(keysOf(await take<{ key: string }>(resumed, 2)), ["c", "d"]);
  },

  "W5 every cursor is good after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    const options = { initial: true, bookmarks: true } as const;
    const empty = await next(first.watch("users", options).getReader());
    const live = first.watchAll().getReader();
    await first.set("users", "a", 1);
    await first.set("groups", "g", 1);
    await first.atomic().set("users", "b", 1).delete("groups", "g").commit();
    await first.delete("users", "a");
    const events = await take(live, 5);
    const replay = first.watch("users", options).getReader();
    const [replayed, bookmark] = await take(replay, 2);
    const history = await Array.fromAsync(first.history("users"));

    await using second = await reopen(first);
    const pasts = [
      ...[empty, replayed].map(({ cursor }) => ({ cursor, seen: 0 })),
      ...events.map(({ cursor }, i) => ({ cursor, seen: i + 1 })),
      { cursor: bookmark.cursor, seen: 5 },
      { cursor: history[1].cursor, seen: 3 },
    ];
    const resumed = pasts.map(({ cursor: after }) =>
      second.watchAll({ after }).getReader()
    );
    await second.set("users", "c", 1);
    for (const [i, { seen }] of pasts.entries()) {
      const missed = await take(resumed[i], 5 - seen);
      assertEquals(missed, events.slice(seen));
      assertEquals(brief([await next(resumed[i])]), ["create c@1"]);
    }
    const told = await Array.fromAsync(second.history("users"));
    assertEquals(told.slice(0, history.length), history);
  },

  "W5 another store's cursors are refused after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    await using other = await open();
    for (const store of [first, other]) await fill(store, "users", ["a", "b"]);
    const mine = await Array.fromAsync(first.history("users"));
    const theirs = await Array.fromAsync(other.history("users"));
    await using second = await reopen(first);
    await second.set("users", "c", 1);
    for (const { cursor } of theirs) {
      const options = { after: cursor, bookmarks: true };
      const reader = second.watch("users", options).getReader();
      const error = await assertRejects(
        () => reader.read(),
        WatchOverflowError,
      );
      assertEquals(error.reason, "history");
    }
    const good = second.watch("users", { after: mine[0].cursor }).getReader();
    assertEquals(keysOf(await take(good, 2)), ["b", "c"]);
  },

  "a snapshot reaches back to before the store was reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    await first.set("users", "a", { n: 1 });
    const { revision } = await first.setAll("users", { b: 1, c: 1 });
    const before = await Array.fromAsync(first.entries("users"));
    await first.delete("users", "b");

    await using second = await reopen(first);
    await second.set("users", "a", { n: 2 });
    await second.set("users", "b", "again");
    await using past = await second.snapshot({ at: revision });
    assertEquals(await Array.fromAsync(past.entries("users")), before);
    await using empty = await second.snapshot({ at: 0 });
    assertEquals(await empty.kinds(), []);
  },

  "W9 a watch of the store before it was reopened has ended": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    const reader = first.watch("users").getReader();
    await using second = await reopen(first);
    await second.set("users", "a", 1);
    assertEquals(await drain(reader), { chunks: [], error: undefined });
  },
};
