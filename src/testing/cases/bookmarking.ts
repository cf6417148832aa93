/**
 * Tests of `bookmarks` (W6): they tell how far a watch has seen, so that it can
 * resume even if its own kind did not change for a long time.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  brief,
  fill,
  next,
  numberedKeys,
  take,
  withoutCursor,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const bookmarking: Cases = {
  "watch bookmarks: without the option there are none": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const silent = [
      store.watch("users", { initial: true }),
      store.watch("users", { initial: true, bookmarks: false }),
    ];
    await store.set("users", "b", 1);
    for (const stream of silent) {
      assertEquals(brief(await take(stream.getReader(), 2)), [
        "create a@1",
        "create b@1",
      ]);
    }
  },

  "W6 a bookmark at the replay's end carries the revision at the call": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const { revision } = await store.set("groups", "g", 1);
    const watch = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    const later = store.set("users", "c", 1);
    const chunks = await take(watch, 4);
    assertEquals(brief(chunks), [
      "create a@1",
      "create b@1",
      "bookmark",
      "create c@1",
    ]);
    assertEquals(withoutCursor(chunks[2]), { type: "bookmark", revision });
    await later;
  },

  "W6 a bookmark comes at the end of an empty replay": async (open) => {
    await using store = await open();
    const fresh = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    assertEquals(withoutCursor(await next(fresh)), {
      type: "bookmark",
      revision: 0,
    });
    const { revision } = await store.set("groups", "g", 1);
    const empty = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    assertEquals(withoutCursor(await next(empty)), {
      type: "bookmark",
      revision,
    });
  },

  "W6 filters do not hide bookmarks": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    for (
      const filter of [
        { types: ["delete"] as const },
        { key: "b" },
        { prefix: "b" },
      ]
    ) {
      const watch = store.watch("users", {
        ...filter,
        initial: true,
        bookmarks: true,
      }).getReader();
      const bookmark = await next<WatchEvent | WatchBookmark>(watch);
      assertEquals(withoutCursor(bookmark), { type: "bookmark", revision });
    }
  },

  "W6 a watch resumes after the replay's bookmark": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const first = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    await store.delete("users", "a");
    const [, , bookmark] = await take(first, 3);
    assert(bookmark.type === "bookmark");
    await store.set("users", "c", 1);
    const resumed = store.watch("users", { after: bookmark.revision })
      .getReader();
    assertEquals(brief(await take(resumed, 2)), ["delete a@1", "create c@1"]);
  },

  "W6 bookmarks keep a watch of a quiet kind resumable": async (open) => {
    const history = 100;
    await using store = await open({ history });
    const { revision: start } = await store.set("quiet", "a", 1);
    const reader = store.watch("quiet", { bookmarks: true }).getReader();
    const bookmarks: WatchBookmark[] = [];
    const reading = (async () => {
      for (;;) {
        const chunk = await next(reader);
        if (chunk.type !== "bookmark") return chunk;
        bookmarks.push(chunk);
      }
    })();

    // If this watch has the last write, those of other kinds can have it, too.
    const busy = store.watch("busy").getReader();
    let written = start;
    for (let round = 0; round < 2 * history; round++) {
      await store.setAll("busy", numberedKeys(5).map((key) => [key, round]));
      written = (await take(busy, 5))[4].revision;
    }
    assertEquals(written, start + 10 * history);
    const newest = bookmarks.at(-1);
    assert(newest, "no bookmark came");
    assertGreater(newest.revision, start);
    assertLessOrEqual(newest.revision, written);

    const resumed = store.watch("quiet", { after: newest.revision })
      .getReader();
    const stale = store.watch("quiet", { after: start }).getReader();
    const { revision } = await store.set("quiet", "b", 1);
    assertEquals((await next(resumed)).revision, revision);
    assertEquals((await reading).revision, revision);
    await assertRejects(() => stale.read(), WatchOverflowError);
  },

  "W6 every item after a bookmark has a later revision": async (open) => {
    // There is a bookmark every hundred changes, and the log has room for all
    // of them.
    await using store = await open({ history: 400 });
    await fill(store, "users", numberedKeys(20));
    const reader = store.watch("users", { initial: true, bookmarks: true })
      .getReader();
    const writing = (async () => {
      for (let n = 0; n < 300; n++) {
        await store.set("busy", "key", n);
        if (n % 150 === 0) await store.set("users", "key", n);
      }
      return (await store.set("users", "end", 1)).revision;
    })();
    let last = 0;
    let events = 0;
    for (;;) {
      const chunk = await next(reader);
      assertGreaterOrEqual(chunk.revision, last);
      if (chunk.type !== "bookmark" && chunk.revision > 0) {
        assertGreater(chunk.revision, last);
        events++;
      }
      last = chunk.revision;
      if (chunk.type !== "bookmark" && chunk.key === "end") break;
    }
    assertEquals(last, await writing);
    assertEquals(events, 3);
  },

  "W6 a resumed watch emits a bookmark when it has caught up": async (open) => {
    await using store = await open();
    const { revision: after } = await store.set("users", "a", 1);
    await store.set("users", "b", 1);
    await store.set("users", "b", 2);
    const { revision } = await store.set("groups", "g", 1);
    const resumed = store.watch("users", { after, bookmarks: true })
      .getReader();
    const chunks = await take(resumed, 3);
    assertEquals(brief(chunks), ["create b@1", "update b@2", "bookmark"]);
    assertEquals(chunks[2].revision, revision);
    await store.set("users", "c", 1);
    assertEquals(brief([await next(resumed)]), ["create c@1"]);
    const beyond = store.watch("users", { after: chunks[2].cursor })
      .getReader();
    assertEquals(brief([await next(beyond)]), ["create c@1"]);
  },

  "W6 a resumed watch that has missed nothing emits a bookmark": async (
    open,
  ) => {
    await using store = await open();
    const fresh = store.watch("users", { after: 0, bookmarks: true })
      .getReader();
    assertEquals((await next(fresh)).revision, 0);
    const live = store.watch("users").getReader();
    await store.set("users", "a", 1);
    const { revision, cursor } = await next(live);
    for (const after of [revision, cursor]) {
      const resumed = store.watch("users", { after, bookmarks: true })
        .getReader();
      assertEquals(withoutCursor(await next(resumed)), {
        type: "bookmark",
        revision,
      });
    }
    assertEquals(brief([await next(fresh)]), ["create a@1"]);
  },

  "W6 a resumed watch that has missed only changes of other kinds emits a bookmark":
    async (
      open,
    ) => {
      await using store = await open();
      const { revision: after } = await store.set("users", "a", 1);
      await store.set("users", "b", 1);
      const { revision } = await store.set("groups", "g", 1);
      const watches: ReadableStream<WatchEvent | WatchBookmark>[] = [
        store.watch("none", { after, bookmarks: true }),
        store.watch(["none", "nothing"], { after, bookmarks: true }),
        store.watch("users", { after, bookmarks: true, key: "c" }),
        store.watch("users", { after, bookmarks: true, prefix: "c" }),
        store.watch("users", { after, bookmarks: true, types: ["delete"] }),
        store.watchAll({ after, bookmarks: true, key: "c" }),
      ];
      for (const stream of watches) {
        const bookmark = await next(stream.getReader());
        assertEquals(withoutCursor(bookmark), { type: "bookmark", revision });
      }
    },

  "W6 a watch also catches up with writes that were called before it": async (
    open,
  ) => {
    await using store = await open();
    const { revision: after } = await store.set("users", "a", 1);
    const writes = [store.set("users", "b", 1), store.set("groups", "g", 1)];
    const resumed = store.watch("users", { after, bookmarks: true })
      .getReader();
    const later = store.set("users", "c", 1);
    const chunks = await take(resumed, 3);
    const [, { revision }] = await Promise.all(writes);
    const told = brief(chunks);
    assertEquals(told.filter((text) => text !== "bookmark"), [
      "create b@1",
      "create c@1",
    ]);
    // The watch may have caught up with later changes, too.
    const at = told.indexOf("bookmark");
    assertGreaterOrEqual(at, 1);
    assertGreaterOrEqual(chunks[at].revision, revision);
    await later;
  },

  "W6 a resumed watch emits its bookmark after many missed changes": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const { revision: after } = await store.set("users", "first", 1);
    const keys = numberedKeys(2_000);
    await fillMany(store, "users", keys, supports);
    await fillMany(store, "groups", keys, supports);
    const { revision } = await store.set("groups", "last", 1);
    const resumed = store.watch("users", {
      after,
      bookmarks: true,
      bufferSize: 16,
    }).getReader();
    const told: string[] = [];
    for (;;) {
      const chunk = await next(resumed);
      if (chunk.type !== "bookmark") told.push(chunk.key);
      else if (chunk.revision === revision) break;
    }
    assertEquals(told, keys);
  },

  "W6 a resumed watch without the option emits no bookmark": async (open) => {
    await using store = await open();
    const { revision: after } = await store.set("users", "a", 1);
    await store.set("users", "b", 1);
    const resumed = store.watch("users", { after }).getReader();
    await store.set("users", "c", 1);
    assertEquals(brief(await take(resumed, 2)), ["create b@1", "create c@1"]);
  },

  "W6 a watch that is new has no bookmark of having caught up": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const fresh = store.watch("users", { bookmarks: true }).getReader();
    await store.set("users", "b", 1);
    assertEquals(brief([await next(fresh)]), ["create b@1"]);
  },
};
