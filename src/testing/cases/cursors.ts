/**
 * Tests of cursors: a watch resumes after the cursor of any event or bookmark,
 * and never after a change that the store does not have (W5).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { Store, WatchEvent, WatchOptions } from "../../contract/mod.ts";
import {
  WatchOverflowError,
  type WatchOverflowReason,
} from "../../contract/errors.ts";
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
  writeInRounds,
} from "../reading.ts";

/** Values that are neither cursors nor revisions, with the errors that `watch` throws for them. */
const NO_CURSORS: readonly [unknown, ErrorConstructor][] = [
  ["", TypeError],
  ["1", TypeError],
  ["latest", TypeError],
  ["z1", TypeError],
  ["z1-1", TypeError],
  ["z1--1-0000000000", TypeError],
  ["z1-1.5-0000000000", TypeError],
  ["z1-01-0000000000", TypeError],
  ["z1-9007199254740993-0000000000", TypeError],
  ["Z1-1-0000000000", TypeError],
  ["z0-1-0000000000", TypeError],
  ["z2-1-0000000000", TypeError],
  ["z10-x", TypeError],
  [null, TypeError],
  [true, TypeError],
  [1n, TypeError],
  [{}, TypeError],
  [{ revision: 1 }, TypeError],
  [["z1-1-0000000000"], TypeError],
  [new String("z1-1-0000000000"), TypeError],
  [-1, RangeError],
  [1.5, RangeError],
  [NaN, RangeError],
  [Infinity, RangeError],
  [2 ** 53, RangeError],
];

export const cursors: Cases = {
  "W5 a watch resumes after the cursor of every event": async (open) => {
    await using store = await open();
    const events = await makeChanges(store);
    const resumed = events.map(({ cursor }) =>
      store.watch("users", { after: cursor }).getReader()
    );
    await store.set("users", "probe", 1);
    for (const [i, reader] of resumed.entries()) {
      const rest = await takeUntil(reader, "probe");
      assertEquals(rest.slice(0, -1), events.slice(i + 1), `after event ${i}`);
    }
  },

  "a cursor and its revision mean the same to the store": async (open) => {
    await using store = await open();
    for (const { revision, cursor } of await makeChanges(store)) {
      await store.set("users", "probe", revision);
      const [byNumber, byCursor] = await Promise.all(
        [revision, cursor].map((after) =>
          takeUntil(store.watch("users", { after }).getReader(), "probe")
        ),
      );
      assertEquals(byCursor, byNumber);
    }
  },

  "each change has one cursor, the same for all readers": async (open) => {
    await using store = await open();
    const options = { initial: true, bufferSize: 1 };
    const live = [
      store.watch("users"),
      store.watch("users", options),
      store.watch("users", { prefix: "k" }),
    ].map((stream) => stream.getReader());
    const keys = numberedKeys(10).map((key) => `k${key}`);
    await store.setAll("users", keys.map((key) => [key, 1] as const));
    await store.delete("users", keys[0]);
    const resumed = store.watch("users", { after: 0 }).getReader();
    const [events, ...others] = await Promise.all(
      [...live, resumed].map((reader) => take(reader, 11)),
    );
    for (const other of others) assertEquals(other, events);
    const texts = new Set(events.map(({ cursor }) => cursor));
    assertEquals(texts.size, events.length);
  },

  "the same changes of two stores have different cursors": async (open) => {
    await using one = await open();
    await using other = await open();
    const [mine, theirs] = [await makeChanges(one), await makeChanges(other)];
    assertEquals(brief(mine), brief(theirs));
    for (const [i, { revision, cursor }] of mine.entries()) {
      assertEquals(revision, theirs[i].revision);
      assertNotEquals(cursor, theirs[i].cursor);
    }
  },

  "a watch resumes after the cursor of a replayed event: nothing is skipped":
    async (open) => {
      await using store = await open();
      await fill(store, "users", ["a", "b"]);
      await store.delete("users", "a");
      const replay = store.watch("users", { initial: true }).getReader();
      await store.set("users", "c", 1);
      const [replayed, event] = await take(replay, 2);
      assertEquals([replayed.revision, replayed.key], [0, "b"]);
      const resumed = store.watch("users", { after: replayed.cursor })
        .getReader();
      assertEquals(brief(await take(resumed, 4)), [
        "create a@1",
        "create b@1",
        "delete a@1",
        "create c@1",
      ]);
      const beyond = store.watch("users", { after: event.cursor }).getReader();
      await store.set("users", "d", 1);
      assertEquals(brief([await next(beyond)]), ["create d@1"]);
    },

  "a replayed event of a log that has forgotten is nothing to resume after":
    async (open) => {
      await using store = await open({ history: 10 });
      await fill(store, "users", ["a"]);
      await writeInRounds(store, "busy", numberedKeys(1_000));
      const replay = store.watch("users", { initial: true }).getReader();
      const { cursor } = await next(replay);
      await assertRefused(store, cursor, "pruned");
    },

  "a watch resumes after the cursor of a bookmark": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    await store.set("groups", "g", 1);
    const first = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    const [, , bookmark] = await take(first, 3);
    assertEquals(bookmark.type, "bookmark");
    await store.delete("users", "a");
    await store.set("users", "c", 1);
    const resumed = store.watch("users", { after: bookmark.cursor })
      .getReader();
    assertEquals(brief(await take(resumed, 2)), ["delete a@1", "create c@1"]);
  },

  "a watch resumes after the cursor of an empty store": async (open) => {
    await using store = await open();
    const cursor = await headCursor(store);
    const early = store.watch("users", { after: cursor }).getReader();
    await fill(store, "users", ["a"]);
    const late = store.watch("users", { after: cursor }).getReader();
    await store.set("users", "b", 1);
    for (const reader of [early, late]) {
      assertEquals(keysOf(await take(reader, 2)), ["a", "b"]);
    }
  },

  "a watch resumes after the cursor of the newest change": async (open) => {
    for (const history of [1, 10, undefined]) {
      await using store = await open({ history });
      const events = store.watch("users").getReader();
      for (const key of numberedKeys(15)) {
        await store.set("users", key, 1);
        const { revision, cursor } = await next(events);
        const cursors = [cursor, await headCursor(store)];
        const resumed = cursors.map((after) =>
          store.watch("users", { after, bookmarks: true }).getReader()
        );
        for (const reader of resumed) {
          const bookmark = await next(reader);
          assertEquals([bookmark.type, bookmark.revision], [
            "bookmark",
            revision,
          ]);
        }
        await store.set("users", `${key}+`, 1);
        const event = await next(events);
        for (const reader of resumed) {
          assertEquals(await next(reader), event);
          await reader.cancel();
        }
      }
    }
  },

  "a cursor is good for a watch of other kinds, and with every option": async (
    open,
  ) => {
    await using store = await open();
    const groups = store.watch("groups").getReader();
    await store.set("users", "a", 1);
    await store.set("groups", "g", 1);
    await store.setAll("users", { b: 1, c: 1 });
    await store.delete("users", "b");
    const { cursor: after } = await next(groups);
    const expected: [WatchOptions, string[]][] = [
      [{}, ["create b@1", "create c@1", "delete b@1"]],
      [{ prefix: "c" }, ["create c@1"]],
      [{ key: "b" }, ["create b@1", "delete b@1"]],
      [{ types: ["delete"] }, ["delete b@1"]],
      [{ bufferSize: 1 }, ["create b@1", "create c@1", "delete b@1"]],
      [{ previous: true }, ["create b@1", "create c@1", "delete b@1"]],
    ];
    for (const [options, events] of expected) {
      const reader = store.watch("users", { ...options, after }).getReader();
      assertEquals(brief(await take(reader, events.length)), events);
    }
    const all = store.watchAll({ after }).getReader();
    assertEquals(brief(await take(all, 3)), expected[0][1]);
  },

  "W5 a consumer that comes and goes by cursors sees every change once": async (
    open,
  ) => {
    await using store = await open();
    const keys = numberedKeys(200);
    const writing = (async () => {
      for (const key of keys) {
        await store.set("users", key, 1);
        await store.set("groups", key, 1);
      }
    })();
    const seen: string[] = [];
    let after: string | number = 0;
    while (seen.length < keys.length) {
      const stream: ReadableStream<WatchEvent> = store.watch("users", {
        after,
      });
      for await (const event of stream) {
        seen.push(event.key);
        after = event.cursor;
        if (seen.length % 7 === 0 || seen.length === keys.length) break;
      }
    }
    await writing;
    assertEquals(seen, keys);
  },

  "a cursor of another store is refused, though it has as many changes": async (
    open,
  ) => {
    await using one = await open();
    await using other = await open();
    const [mine, theirs] = [await makeChanges(one), await makeChanges(other)];
    for (const { cursor } of theirs) {
      await assertRefused(one, cursor, "history");
    }
    for (const { cursor } of mine) {
      await assertRefused(other, cursor, "history");
    }
  },

  "a cursor of another store is refused, though nothing has happened in it":
    async (open) => {
      await using one = await open();
      await using other = await open();
      const cursor = await headCursor(one);
      await assertRefused(other, cursor, "history");
      await other.set("users", "a", 1);
      await assertRefused(other, cursor, "history");
    },

  "a cursor of a store that is further is refused": async (open) => {
    await using one = await open();
    await using other = await open();
    const events = await makeChanges(one);
    const cursor = events.at(-1)!.cursor;
    await assertRefused(other, cursor, "ahead");
    await other.set("users", "a", 1);
    await assertRefused(other, cursor, "ahead");
    await makeChanges(other);
    await assertRefused(other, cursor, "history");
  },

  "a cursor that the log no longer reaches is refused": async (open) => {
    await using store = await open({ history: 20 });
    const events = await makeChanges(store);
    await writeInRounds(store, "busy", numberedKeys(1_000));
    for (const { cursor } of events) {
      await assertRefused(store, cursor, "pruned");
    }
  },

  "a refused cursor is refused with every filter": async (open) => {
    await using one = await open();
    await using other = await open();
    const [event] = await makeChanges(one);
    await makeChanges(other);
    const filters: WatchOptions[] = [
      { key: "another" },
      { prefix: "another" },
      { types: ["delete"] },
      { previous: true },
      { onUnreadable: () => {} },
    ];
    for (const filter of filters) {
      const options = { ...filter, after: event.cursor, bookmarks: true };
      const reader = other.watch("users", options).getReader();
      const error = await assertRejects(
        () => reader.read(),
        WatchOverflowError,
        undefined,
        Object.keys(filter)[0],
      );
      assertEquals(error.reason, "history");
    }
  },

  "an invalid cursor is refused at the call": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a"]);
    const { cursor } = await next(
      store.watch("users", { after: 0 }).getReader(),
    );
    const altered: typeof NO_CURSORS = [
      cursor.slice(0, -1),
      cursor.slice(1),
      `${cursor}0`,
      ` ${cursor}`,
      `${cursor}\n`,
      `${cursor},${cursor}`,
      cursor.slice(0, Math.floor(cursor.length / 2)),
    ].map((text) => [text, TypeError]);
    for (const [after, error] of [...NO_CURSORS, ...altered]) {
      const options = { after } as WatchOptions;
      const what = `${typeof after} ${String(after)}`;
      const calls = [
        () => store.watch("users", options),
        () => store.watch(["users"], options),
        () => store.watchAll(options),
        () => store.kind("users").watch(options),
        () => store.history("users", undefined, options),
      ];
      for (const call of calls) assertThrows(call, error, undefined, what);
    }
  },

  "W5 a cursor made anywhere in a busy store resumes there": async (open) => {
    await using store = await open();
    const all = store.watch("users", { bookmarks: true }).getReader();
    const writing = Promise.all(
      Array.from({ length: 4 }, async (_, who) => {
        for (let n = 0; n < 50; n++) {
          await store.set("users", `${who}/${n % 5}`, n);
          await store.set("groups", `${who}/${n % 5}`, n);
        }
      }),
    );
    const seen: WatchEvent[] = [];
    const resumed: { at: number; first: Promise<WatchEvent> }[] = [];
    while (seen.length < 199) {
      const item = await next(all);
      if (item.type !== "bookmark") seen.push(item);
      const reader = store.watch("users", { after: item.cursor }).getReader();
      const first = next(reader).finally(() => reader.cancel());
      resumed.push({ at: seen.length, first });
    }
    await writing;
    const last = await next(all);
    assert(last.type !== "bookmark");
    seen.push(last);
    for (const { at, first } of resumed) assertEquals(await first, seen[at]);
  },
};

/** Creates, updates and deletes entries of two kinds, and returns the events of one. */
async function makeChanges(store: Store): Promise<WatchEvent[]> {
  const reader = store.watch("users").getReader();
  for (let n = 0; n < 6; n++) {
    await store.set("users", numberedKey(n % 2), n);
    await store.set("groups", "key", n);
  }
  await store.setAll("users", { x: 1, y: 2 });
  await store.atomic().delete("users", "x").set("groups", "x", 1)
    .set("users", "y", 3).commit();
  await store.delete("users", "y");
  const events = await take(reader, 11);
  await reader.cancel();
  return events;
}

/** The cursor of the newest revision. */
async function headCursor(store: Store): Promise<string> {
  const stream = store.watch("none", { initial: true, bookmarks: true });
  const reader = stream.getReader();
  const { type, cursor } = await next(reader);
  assertEquals(type, "bookmark");
  await reader.cancel();
  return cursor;
}

/** If the watch resumed anyway, it would emit something at once. */
async function assertRefused(
  store: Store,
  after: string,
  reason: WatchOverflowReason,
): Promise<void> {
  const options = { after, bookmarks: true };
  const streams = [
    store.watch("users", options),
    store.watch(["users", "groups"], options),
    store.watchAll(options),
  ];
  for (const stream of streams) {
    const reader = (stream as ReadableStream<unknown>).getReader();
    const error = await assertRejects(() => reader.read(), WatchOverflowError);
    assertEquals([error.code, error.reason], ["WATCH_OVERFLOW", reason]);
  }
}
