/**
 * Tests of watches and histories that meet an unreadable value: they end with
 * an error that names it, or report it and go on.
 *
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type {
  HistoryChange,
  Store,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "../../contract/mod.ts";
import type { Cases, Open } from "../case.ts";
import { brief, drain, named, next, take, takeUntil } from "../reading.ts";
import {
  type BrittleStore,
  brittleStores,
  type Unreadable,
} from "../unreadable.ts";

export const unreadableChanges: Cases = {
  "a watch ends at an unreadable value, with an error that names it": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const { revision: good } = await store.set("users", "good", 1);
      const { revision } = await store.set("users", "x", "bad");
      await store.set("users", "z", 1);
      brittle.isBroken = true;
      const watches: Record<string, ReadableStream<WatchEvent>> = {
        resumed: store.watch("users", { after: 0 }),
        replayed: store.watch("users", { initial: true }),
        "of several": store.watch(["groups", "users"], { after: 0 }),
        "of all": store.watchAll({ initial: true }),
      };
      for (const [name, stream] of Object.entries(watches)) {
        const { chunks, error } = await drain(stream.getReader());
        assertEquals(brief(chunks), ["create good@1"], name);
        brittle.assertOf(error, "x", revision);
      }
      const beyond = store.watch("users", { after: revision }).getReader();
      assertEquals(brief([await next(beyond)]), ["create z@1"]);
      const before = store.watch("users", { after: good }).getReader();
      brittle.assertOf((await drain(before)).error, "x", revision);
    });
  },

  "a waiting watch ends at an unreadable value": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const reader = store.watch("users").getReader();
      await store.set("users", "a", 1);
      await next(reader);
      const { revision } = await store.set("users", "x", "bad");
      brittle.isBroken = true;
      const { chunks, error } = await drain(reader);
      assertEquals(chunks, []);
      brittle.assertOf(error, "x", revision);
    });
  },

  "watch onUnreadable gets each unreadable value, and the watch goes on":
    async (
      open,
    ) => {
      await forEach(open, async (brittle) => {
        const { store } = brittle;
        const { options, told } = collector();
        const live = store.watch("users", options).getReader();
        const { bad } = await makeChanges(store);
        const resumed = store.watch("users", { ...options, after: 0 })
          .getReader();
        const small = store.watch("users", {
          ...options,
          after: 0,
          bufferSize: 1,
        }).getReader();
        brittle.isBroken = true;
        for (const reader of [live, resumed, small]) {
          told.length = 0;
          const events = await takeUntil(reader, "end");
          assertEquals(brief(events), READABLE);
          assertTold(brittle, told, bad);
        }
        await store.set("users", "later", 1);
        assertEquals(brief([await next(live)]), ["create later@1"]);
        assertEquals(told.length, bad.length);
      });
    },

  "watch onUnreadable: of a replay, with the revisions of the entries": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "a", 1);
      await store.set("users", "x", "soon bad");
      const x = await store.set("users", "x", "bad x");
      const z = await store.set("users", "z", "bad z");
      const { options, told } = collector();
      const replays = [
        store.watch("users", { ...options, initial: true, bookmarks: true }),
        store.watchAll({
          ...options,
          initial: true,
          bookmarks: true,
          bufferSize: 1,
        }),
      ];
      const later = await store.set("users", "y", "bad y");
      await store.set("users", "b", 1);
      brittle.isBroken = true;
      for (const stream of replays) {
        told.length = 0;
        const reader = (stream as ReadableStream<WatchEvent | WatchBookmark>)
          .getReader();
        assertEquals(brief(await take(reader, 3)), [
          "create a@1",
          "bookmark",
          "create b@1",
        ]);
        assertTold(brittle, told, [
          ["x", x.revision],
          ["z", z.revision],
          ["y", later.revision],
        ]);
      }
    });
  },

  "watch onUnreadable gets only watched values": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const { bad } = await makeChanges(store);
      await store.set("users", "y", 1);
      brittle.isBroken = true;
      const keysTold = async (
        filter: Omit<WatchOptions, "bookmarks">,
        end: string,
      ) => {
        const { options, told } = collector();
        const stream = store.watch("users", {
          ...filter,
          ...options,
          after: 0,
        });
        await takeUntil(stream.getReader(), end);
        return told.map(({ key }) => key);
      };
      assertEquals(await keysTold({ prefix: "x" }, "xend"), bad.map(first));
      assertEquals(await keysTold({ key: "end" }, "end"), []);
      assertEquals(await keysTold({ types: ["delete"] }, "gone"), ["x2"]);
      const groups = collector();
      const others = store.watch("groups", { after: 0, ...groups.options });
      assertEquals(brief([await next(others.getReader())]), ["create a@1"]);
      assertEquals(groups.told, []);
    });
  },

  "watch onUnreadable: of several kinds, and of all": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const { options, told } = collector();
      const watches = [
        store.watch(["groups", "users"], options).getReader(),
        store.watchAll(options).getReader(),
      ];
      await store.set("groups", "a", "bad, but not of a brittle kind");
      const { revision } = await store.set("users", "x", "bad");
      await store.set("groups", "b", 1);
      await store.set("users", "y", 1);
      brittle.isBroken = true;
      for (const watch of watches) {
        told.length = 0;
        assertEquals(named(await take(watch, 3)), [
          "create groups/a@1",
          "create groups/b@1",
          "create users/y@1",
        ]);
        assertTold(brittle, told, [["x", revision]]);
      }
    });
  },

  "watch onUnreadable: bookmarks still come": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "x", "bad");
      const { revision } = await store.set("groups", "a", 1);
      brittle.isBroken = true;
      const { options, told } = collector();
      const stream = store.watch("users", {
        ...options,
        after: 0,
        bookmarks: true,
      });
      const bookmark = await next(stream.getReader());
      assertEquals([bookmark.type, bookmark.revision], ["bookmark", revision]);
      assertEquals(told.length, 1);
    });
  },

  "watch onUnreadable: a value before that cannot be read is left out": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const { options, told } = collector();
      const watch = store.watch("users", { ...options, previous: true });
      await store.set("users", "x", "bad");
      await store.set("users", "x", "mended");
      await store.set("users", "x", "again");
      brittle.isBroken = true;
      const [mended, again] = await take(watch.getReader(), 2);
      assertEquals(brief([mended, again]), ["update x@2", "update x@3"]);
      assert(mended.type === "update" && again.type === "update");
      assertEquals(mended.value, "mended");
      assertEquals(Object.hasOwn(mended, "previous"), false);
      assertEquals(again.previous, "mended");
      assertEquals(told.map(({ key }) => key), ["x", "x"]);
    });
  },

  "the error of a watch's onUnreadable ends the watch": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "a", 1);
      await store.set("users", "x", "bad");
      await store.set("users", "z", 1);
      brittle.isBroken = true;
      for (const reason of [new Error("enough"), "enough", undefined]) {
        let expected: unknown;
        let calls = 0;
        const onUnreadable = (error: Unreadable) => {
          calls++;
          throw expected = reason ?? error;
        };
        const streams: ReadableStream<WatchEvent>[] = [
          store.watch("users", { onUnreadable, initial: true }),
          store.watch("users", { onUnreadable, after: 0 }),
          store.watchAll({ onUnreadable, after: 0 }),
          store.history("users", undefined, { onUnreadable }),
        ];
        for (const stream of streams) {
          const { chunks, error } = await drain(stream.getReader());
          assertEquals(brief(chunks), ["create a@1"]);
          assertStrictEquals(error, expected);
        }
        assertEquals(calls, streams.length);
      }
    });
  },

  "a watch that onUnreadable aborts ends": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "a", 1);
      await store.set("users", "x", "bad");
      await store.set("users", "z", 1);
      brittle.isBroken = true;
      const controller = new AbortController();
      const { signal } = controller;
      const onUnreadable = () => controller.abort();
      const stream = store.watch("users", { after: 0, signal, onUnreadable });
      const { chunks, error } = await drain(stream.getReader());
      assertEquals(brief(chunks), ["create a@1"]);
      assertEquals(error, undefined);
    });
  },

  "a history ends at an unreadable value, with an error that names it": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "a", 1);
      const { revision } = await store.set("users", "x", "bad");
      await store.set("users", "z", 1);
      brittle.isBroken = true;
      for (const [reverse, before] of [[false, "a"], [true, "z"]] as const) {
        const stream = store.history("users", undefined, { reverse });
        const { chunks, error } = await drain(stream.getReader());
        assertEquals(brief(chunks), [`create ${before}@1`]);
        brittle.assertOf(error, "x", revision);
      }
      const others = await Array.fromAsync(store.history("users", "z"));
      assertEquals(brief(others), ["create z@1"]);
    });
  },

  "history onUnreadable gets each unreadable value, and the others come":
    async (
      open,
    ) => {
      await forEach(open, async (brittle) => {
        const { store } = brittle;
        const { bad } = await makeChanges(store);
        brittle.isBroken = true;
        for (const reverse of [false, true]) {
          const { options, told } = collector();
          const changes: HistoryChange[] = await Array.fromAsync(
            store.history("users", undefined, { ...options, reverse }),
          );
          if (reverse) {
            changes.reverse();
            told.reverse();
          }
          assertEquals(brief(changes), READABLE);
          // It is reported twice for an update if both of its values are
          // unreadable.
          const keys = told.map(({ key }) => key);
          for (const [key] of bad) assert(keys.includes(key));
        }
        const { options, told } = collector();
        const ofKey = store.history("users", "x1", options);
        assertEquals(brief(await Array.fromAsync(ofKey)), [
          "create x1@1",
          "update x1@3",
          "delete x1@3",
        ]);
        assert(told.length > 0);
      });
    },
};

/** The changes of {@linkcode makeChanges} with readable values. */
const READABLE = [
  "create a@1",
  "create x1@1",
  "update x1@3",
  "delete x1@3",
  "create gone@1",
  "delete gone@1",
  "create xend@1",
  "create end@1",
];

/**
 * Makes changes of the kind "users", with readable and unreadable values; the
 * last one has the key "end". Returns the keys and revisions of the unreadable
 * ones.
 */
async function makeChanges(
  store: Store,
): Promise<{ bad: (readonly [key: string, revision: number])[] }> {
  const bad: (readonly [string, number])[] = [];
  const setBad = async (key: string) => {
    const value = `bad ${bad.length}`;
    const { revision } = await store.set("users", key, value);
    bad.push([key, revision]);
  };
  await store.set("users", "a", 1);
  await store.set("users", "x1", 1);
  await store.set("groups", "a", "bad");
  await setBad("x1");
  await store.set("users", "x1", 2);
  await store.delete("users", "x1");
  await setBad("x2");
  await setBad("x2");
  const { revision } = await store.deleteAll("users", { prefix: "x2" });
  bad.push(["x2", revision]);
  await setBad("x3");
  await store.set("users", "gone", 1);
  await store.delete("users", "gone");
  await store.set("users", "xend", 1);
  await store.set("users", "end", 1);
  return { bad };
}

async function forEach(
  open: Open,
  test: (brittle: BrittleStore) => Promise<void>,
): Promise<void> {
  for (const openBrittle of Object.values(brittleStores)) {
    await using brittle = await openBrittle(open);
    await test(brittle);
  }
}

/** Collects the reported errors. */
function collector(): {
  options: { onUnreadable: (error: Unreadable) => void };
  told: Unreadable[];
} {
  const told: Unreadable[] = [];
  const onUnreadable = (error: Unreadable) => void told.push(error);
  return { options: { onUnreadable }, told };
}

function assertTold(
  brittle: BrittleStore,
  told: readonly Unreadable[],
  bad: readonly (readonly [key: string, revision: number])[],
): void {
  assertEquals(told.map(({ key }) => key), bad.map(first));
  for (const [i, [key, revision]] of bad.entries()) {
    brittle.assertOf(told[i], key, revision);
  }
}

function first([key]: readonly [key: string, revision: number]): string {
  return key;
}
