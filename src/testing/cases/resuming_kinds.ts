/**
 * Tests of replays of several kinds, of resuming a watch of them (W5), and of
 * their bookmarks (W6).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import type { WatchBookmark, WatchEvent } from "../../contract/mod.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  drain,
  fill,
  makeTraffic,
  named,
  next,
  numberedKeys,
  type Reader,
  revisionsOf,
  take,
  writeInRounds,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const resumingKinds: Cases = {
  "watch initial over several kinds: by kind, then by key": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const kinds = ["b", "a", "é", "B", "😀", "\u{FFFD}"];
    const keys = numberedKeys(300);
    for (const kind of kinds) await fillMany(store, kind, keys, supports);
    await fill(store, "other", ["a"]);
    const options = { initial: true, bufferSize: 50, bookmarks: true } as const;
    const some = store.watch([...kinds, "none"], options).getReader();
    const all = store.watchAll(options).getReader();
    const { revision } = await store.set("a", "live", 1);
    for (const kind of kinds) await store.delete(kind, keys[299]);

    const inOrder = ["B", "a", "b", "é", "\u{FFFD}", "😀"];
    const creates = (kinds: string[]) =>
      kinds.flatMap((kind) => keys.map((key) => `create ${kind}/${key}@1`));
    const changes = [
      "bookmark",
      "create a/live@1",
      ...kinds.map((kind) => `delete ${kind}/${keys[299]}@1`),
    ];
    const seen = await take(some, 1_808);
    assertEquals(named(seen), [...creates(inOrder), ...changes]);
    assertEquals(seen[1_800].revision, revision - 1);
    assertEquals(named(await take(all, 1_809)), [
      ...creates(inOrder.slice(0, 3)),
      "create other/a@1",
      ...creates(inOrder.slice(3)),
      ...changes,
    ]);
  },

  "W4 a replay of all kinds does not depend on when it is read": async (
    open,
  ) => {
    await using store = await open();
    const keys = numberedKeys(30);
    for (const kind of ["a", "b", "c"]) await fill(store, kind, keys);
    const reader = store.watchAll({ initial: true, bufferSize: 3 }).getReader();
    const first = await take(reader, 10);
    for (const key of keys) {
      await store.atomic().delete("b", key).set("c", key, 2).set("d", key, 2)
        .commit();
    }
    await store.deleteAll("a");
    const replay = [...first, ...await take(reader, 80)];
    assertEquals(
      named(replay),
      ["a", "b", "c"].flatMap((kind) =>
        keys.map((key) => `create ${kind}/${key}@1`)
      ),
    );
    assertEquals(new Set(revisionsOf(replay)), new Set([0]));
    const live = named(await take(reader, 120));
    assertEquals(live.slice(0, 3), [
      `delete b/${keys[0]}@1`,
      `update c/${keys[0]}@2`,
      `create d/${keys[0]}@1`,
    ]);
    assertEquals(live.at(-1), `delete a/${keys[29]}@1`);
  },

  "W5 watches of several kinds resume from every revision and cursor": async (
    open,
  ) => {
    await using store = await open();
    const kinds = ["a", "b", "c"];
    const reader = store.watchAll().getReader();
    const revisions = await makeTraffic(store, kinds, 3);
    const events = await take(reader, revisions.length);
    const last = events[events.length - 1];
    const some = events.filter(({ kind }) => kind !== "b");
    for (const { revision, cursor } of events.slice(0, -1)) {
      for (const after of [revision, cursor]) {
        const all = store.watchAll({ after });
        const few = store.watch(["c", "a"], { after });
        const isPast = (event: WatchEvent) => event.revision > revision;
        assertEquals(
          await untilRevision(all.getReader(), last.revision),
          events.filter(isPast),
        );
        assertEquals(
          await take(few.getReader(), some.filter(isPast).length),
          some.filter(isPast),
        );
      }
    }
  },

  "W3 watches of several kinds overflow as those of one do": async (open) => {
    await using store = await open({ history: 10 });
    const readers: Reader<WatchEvent>[] = [
      store.watch(["users", "groups"]),
      store.watchAll(),
      store.watchAll({ prefix: "another" }),
      store.watch(["none", "nothing"]),
      store.watchAll({ after: 0 }),
    ].map((stream) => stream.getReader());
    await writeInRounds(store, "users", numberedKeys(1_000));
    for (const reader of readers) {
      const { error } = await drain(reader);
      assertInstanceOf(error, WatchOverflowError);
      assertEquals(error.reason, "pruned");
    }
  },

  "W3 a watch of several kinds that keeps up never overflows": async (open) => {
    // On a server, others write a few dozen changes while a watch reads.
    await using store = await open({ history: 200 });
    const all = store.watchAll().getReader();
    const pending = [
      store.watch(["x", "y"]),
      store.watchAll({ key: "probe" }),
    ].map((stream) => next<WatchEvent>(stream.getReader()));
    for (let n = 0; n < 600; n++) {
      const kind = `kind ${n % 5}`;
      await store.set(kind, "key", n);
      assertEquals((await next(all)).kind, kind);
    }
    await store.set("y", "probe", 1);
    for (const event of await Promise.all(pending)) {
      assertEquals(named([event]), ["create y/probe@1"]);
    }
  },

  "W6 bookmarks keep watches of quiet kinds resumable": async (open) => {
    const history = 100;
    await using store = await open({ history });
    const { revision: start } = await store.set("quiet", "a", 1);
    const quiet = [
      store.watch(["quiet", "silent"], { bookmarks: true }),
      store.watchAll({ bookmarks: true, prefix: "probe" }),
    ].map(collectBookmarks);

    // A watch that has the last write: the others can have it, too.
    const busy = store.watch("busy").getReader();
    let written = start;
    for (let round = 0; round < 2 * history; round++) {
      await store.setAll("busy", numberedKeys(5).map((key) => [key, round]));
      written = (await take(busy, 5))[4].revision;
    }
    assertEquals(written, start + 10 * history);
    const resumed = quiet.map(({ bookmarks }) => {
      const newest = bookmarks.at(-1);
      assert(newest, "no bookmark came");
      assertGreater(newest.revision, start);
      assertLessOrEqual(newest.revision, written);
      return store.watchAll({ after: newest.cursor, prefix: "probe" });
    });
    const { revision } = await store.set("silent", "probe", 1);
    for (const { end } of quiet) assertEquals((await end).revision, revision);
    for (const stream of resumed) {
      assertEquals((await next(stream.getReader())).revision, revision);
    }
    const stale = store.watch(["quiet"], { after: start }).getReader();
    await assertRejects(() => stale.read(), WatchOverflowError);
  },
};

async function untilRevision(
  reader: Reader<WatchEvent>,
  revision: number,
): Promise<WatchEvent[]> {
  const events = [await next(reader)];
  while (events[events.length - 1].revision < revision) {
    events.push(await next(reader));
  }
  return events;
}

/** Reads a watch up to its first event, and keeps the bookmarks before it. */
function collectBookmarks(
  stream: ReadableStream<WatchEvent | WatchBookmark>,
): { bookmarks: WatchBookmark[]; end: Promise<WatchEvent> } {
  const reader = stream.getReader();
  const bookmarks: WatchBookmark[] = [];
  const end = (async () => {
    for (;;) {
      const chunk = await next(reader);
      if (chunk.type !== "bookmark") return chunk;
      bookmarks.push(chunk);
    }
  })();
  return { bookmarks, end };
}
