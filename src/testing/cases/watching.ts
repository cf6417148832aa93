/**
 * Tests of the events for a consumer that reads: every change of its kind (W3),
 * in order (W1), once (W2), filtered by its options.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ChangeType, Store } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  brief,
  fill,
  keysOf,
  next,
  numberedKeys,
  revisionsOf,
  take,
  takeUntil,
  withoutCursors,
} from "../reading.ts";

export const watching: Cases = {
  "watch gives creates, updates and deletes": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const { revision } = await store.set("users", "alice", { n: 1 });
    await store.set("users", "alice", { n: 2 });
    await store.delete("users", "alice");
    const event = { kind: "users", key: "alice" };
    assertEquals(withoutCursors(await take(events, 3)), [
      { ...event, type: "create", value: { n: 1 }, version: 1, revision },
      {
        ...event,
        type: "update",
        value: { n: 2 },
        version: 2,
        revision: revision + 1,
      },
      {
        ...event,
        type: "delete",
        value: { n: 2 },
        version: 2,
        revision: revision + 2,
      },
    ]);
  },

  "watch has the changes of every kind of write": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await store.set("users", "a", 1);
    await store.setAll("users", { a: 2, b: 1 });
    await store.update("users", "b", () => 2);
    await store.update("users", "c", (value) => value, { initial: 1 });
    await store.atomic().set("users", "d", 1).delete("users", "a").commit();
    await store.delete("users", "b");
    assertEquals(brief(await take(events, 8)), [
      "create a@1",
      "update a@2",
      "create b@1",
      "update b@2",
      "create c@1",
      "create d@1",
      "delete a@2",
      "delete b@2",
    ]);
  },

  "a watch that is not persistent gives the same": async (open) => {
    await using store = await open();
    const options = { initial: true, bookmarks: true };
    const watches = [true, false].map((persistent) =>
      store.watch("users", { ...options, persistent }).getReader()
    );
    await store.set("users", "a", 1);
    const reads = watches.map((watch) => take(watch, 4));
    await store.set("users", "a", 2);
    await store.delete("users", "a");
    const [expected, found] = await Promise.all(reads);
    assertEquals(found, expected);
  },

  "watch begins with the changes from now on": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    await store.set("users", "bob", 1);
    const events = store.watch("users").getReader();
    await store.delete("users", "alice");
    assertEquals(brief([await next(events)]), ["delete alice@1"]);
  },

  "watch sees its kind only": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await store.set("user", "a", 1);
    await store.set("users2", "b", 1);
    await store.set("Users", "c", 1);
    await store.atomic().set("groups", "d", 1).set("users", "e", 1).commit();
    assertEquals(brief([await next(events)]), ["create e@1"]);
  },

  "watch gives each watcher values of its own": async (open) => {
    await using store = await open();
    const watchers = [store.watch("users"), store.watch("users")]
      .map((stream) => stream.getReader());
    await store.set("users", "alice", { tags: ["a"] });
    const [one, two] = await Promise.all(watchers.map(next));
    (one.value as { tags: string[] }).tags.push("b");
    assertEquals(two.value, { tags: ["a"] });
    assertEquals(await store.get("users", "alice"), { tags: ["a"] });
  },

  "watch types: only changes of these types": async (open) => {
    await using store = await open();
    await store.set("users", "old", 1);
    const watch = (...types: ChangeType[]) =>
      store.watch("users", { types }).getReader();
    const creates = watch("create");
    const updates = watch("update");
    const deletes = watch("delete");
    const both = watch("delete", "create");
    const replayed = store.watch("users", { types: ["delete"], initial: true })
      .getReader();

    await store.set("users", "a", 1);
    await store.set("users", "a", 2);
    await store.delete("users", "a");
    await store.set("users", "a", 1);
    await store.set("users", "old", 2);
    await store.delete("users", "old");

    assertEquals(brief(await take(creates, 2)), ["create a@1", "create a@1"]);
    assertEquals(brief(await take(updates, 2)), ["update a@2", "update old@2"]);
    const gone = ["delete a@2", "delete old@2"];
    assertEquals(brief(await take(deletes, 2)), gone);
    assertEquals(brief(await take(replayed, 2)), gone);
    assertEquals(brief(await take(both, 4)), [
      "create a@1",
      "delete a@2",
      "create a@1",
      "delete old@2",
    ]);
  },

  "watch types: a replayed entry counts as create": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    await store.set("users", "alice", 2);
    const events = store.watch("users", { types: ["create"], initial: true })
      .getReader();
    await store.set("users", "alice", 3);
    await store.set("users", "bob", 1);
    assertEquals(brief(await take(events, 2)), [
      "create alice@2",
      "create bob@1",
    ]);
  },

  "watch key: only this key": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, ab: 1, A: 1 });
    const live = store.watch("users", { key: "a" }).getReader();
    const replayed = store.watch("users", { key: "a", initial: true })
      .getReader();
    await store.setAll("users", { a: 2, ab: 2, A: 2, "a/": 2, b: 2 });
    await store.delete("users", "ab");
    await store.delete("users", "a");
    const expected = ["update a@2", "delete a@2"];
    assertEquals(brief(await take(live, 2)), expected);
    assertEquals(brief(await take(replayed, 3)), ["create a@1", ...expected]);
  },

  "watch prefix: only keys that begin with it": async (open) => {
    await using store = await open();
    await store.setAll("users", {
      "a": 1,
      "a%": 1,
      "a%b": 1,
      "aXb": 1,
      "b": 1,
    });
    const live = store.watch("users", { prefix: "a%" }).getReader();
    const replayed = store.watch("users", { prefix: "a%", initial: true })
      .getReader();
    const everything = store.watch("users", { prefix: "" }).getReader();
    await store.setAll("users", { "A%": 2, "a": 2, "a%b": 2, "aXb": 2 });
    await store.delete("users", "aXb");
    await store.delete("users", "a%");
    const expected = ["update a%b@2", "delete a%@1"];
    assertEquals(brief(await take(live, 2)), expected);
    assertEquals(brief(await take(replayed, 4)), [
      "create a%@1",
      "create a%b@1",
      ...expected,
    ]);
    assertEquals((await take(everything, 6)).length, 6);
  },

  "watch prefix: up to the last code point": async (open) => {
    await using store = await open();
    const keys = [
      "\u{D7FF}",
      "\u{D7FF}a",
      "\u{E000}",
      "\u{FFFF}a",
      "\u{10000}",
      "😀a",
      "😁",
      "\u{10FFFE}",
      "\u{10FFFF}",
      "\u{10FFFF}\u{10FFFF}a",
    ];
    const prefixes = ["\u{D7FF}", "\u{FFFF}", "😀", "\u{10FFFF}"];
    const watch = (initial: boolean) =>
      prefixes.map((prefix) =>
        store.watch("users", { prefix, initial }).getReader()
      );
    const live = watch(false);
    await store.setAll("users", keys.map((key) => [key, 1] as const));
    const replayed = watch(true);
    for (const [i, prefix] of prefixes.entries()) {
      const expected = keys.filter((key) => key.startsWith(prefix));
      for (const reader of [live[i], replayed[i]]) {
        assertEquals(keysOf(await take(reader, expected.length)), expected);
      }
      const probe = `${prefix}probe`;
      await store.set("users", probe, 1);
      assertEquals(keysOf([await next(live[i]), await next(replayed[i])]), [
        probe,
        probe,
      ]);
    }
  },

  "watch bufferSize: of 1 delivers everything all the same": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 1, c: 1 });
    const events = store.watch("users", { initial: true, bufferSize: 1 })
      .getReader();
    const keys = numberedKeys(100);
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    assertEquals(keysOf(await take(events, 103)), ["a", "b", "c", ...keys]);
  },

  "watch delivers the consumer's own writes": async (open) => {
    await using store = await open();
    await store.set("chain", "0", 0);
    const seen: string[] = [];
    for await (const { key } of store.watch("chain", { initial: true })) {
      seen.push(key);
      if (seen.length === 20) break;
      await store.set("chain", String(seen.length), 0);
    }
    assertEquals(seen, Array.from({ length: 20 }, (_, i) => String(i)));
  },

  "watchers are independent of each other": async (open) => {
    await using store = await open();
    const fast = store.watch("users").getReader();
    const slow = store.watch("users").getReader();
    const left = store.watch("users").getReader();
    await store.set("users", "a", 1);
    await next(left);
    await left.cancel();
    await next(fast);
    const keys = numberedKeys(300);
    for (let at = 0; at < keys.length; at += 10) {
      const some = keys.slice(at, at + 10);
      await fill(store, "users", some);
      assertEquals(keysOf(await take(fast, 10)), some);
    }
    assertEquals(keysOf(await take(slow, 301)), ["a", ...keys]);
    await assertEnded(left);
  },

  "watchers in great number all see everything": async (open) => {
    await using store = await open();
    const watchers = Array.from(
      { length: 200 },
      (_, i) => store.watch("users", { initial: i % 2 === 0 }).getReader(),
    );
    const reading = watchers.map((reader) => take(reader, 20));
    const keys = numberedKeys(20);
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    for (const events of await Promise.all(reading)) {
      assertEquals(keysOf(events), keys);
    }
  },

  "W1 events come in the order of their revisions": async (open) => {
    await using store = await open();
    const [events] = await busyTraffic(store);
    const revisions = revisionsOf(events);
    assertEquals(revisions, revisions.toSorted((a, b) => a - b));
  },

  "W2 no event comes twice": async (open) => {
    await using store = await open();
    const [events, written] = await busyTraffic(store);
    assertEquals(new Set(revisionsOf(events)).size, events.length);
    assertEquals(events.length, written.length);
  },

  "W3 no event is missing": async (open) => {
    await using store = await open();
    const [events, written] = await busyTraffic(store);
    const revisions = new Set(revisionsOf(events));
    assertEquals(written.filter((revision) => !revisions.has(revision)), []);
  },

  "W3 a consumer that keeps up never overflows": async (open) => {
    await using store = await open({ history: 10 });
    const events = store.watch("users").getReader();
    for (const key of numberedKeys(100)) {
      await store.set("users", key, 1);
      assertEquals((await next(events)).key, key);
    }
  },

  "W3 a filter does not make a consumer that keeps up overflow": async (
    open,
  ) => {
    await using store = await open({ history: 50 });
    const pending = [
      store.watch("users", { types: ["delete"] }),
      store.watch("users", { prefix: "probe" }),
      store.watch("users", { key: "probe", types: ["delete"] }),
    ].map((stream) => next(stream.getReader()));
    // If this watch has the last write, those with a filter can have it, too.
    const all = store.watch("users").getReader();
    for (const key of numberedKeys(200)) {
      await store.set("users", key, 1);
      assertEquals((await next(all)).key, key);
    }
    await store.set("users", "probe", 1);
    await store.delete("users", "probe");
    assertEquals(brief(await Promise.all(pending)), [
      "delete probe@1",
      "create probe@1",
      "delete probe@1",
    ]);
  },

  "W4 the events of one transaction are contiguous": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const writes: Promise<unknown>[] = [];
    for (let n = 0; n < 60; n++) {
      const value = `transaction ${n}`;
      const keys = [`a${n % 7}`, `b${n % 5}`, `c${n}`];
      writes.push(
        store.setAll("users", keys.map((key) => [key, value] as const)),
        store.set("users", "single", `single ${n}`),
        store.atomic().set("users", "x", value).set("groups", "x", value)
          .set("users", "y", value).commit(),
      );
    }
    writes.push(store.set("users", "end", 1));
    const seen = await takeUntil(events, "end");
    await Promise.all(writes);

    const expected: string[] = [];
    for (let n = 0; n < 60; n++) {
      expected.push(`a${n % 7}`, `b${n % 5}`, `c${n}`, "single", "x", "y");
    }
    assertEquals(keysOf(seen), [...expected, "end"]);
    for (let at = 0; at + 6 < seen.length; at += 6) {
      const [a, b, c, , x, y] = seen.slice(at, at + 6);
      assertEquals([b.revision, c.revision], [a.revision + 1, a.revision + 2]);
      assertEquals(y.revision, x.revision + 2);
      assertEquals(
        [b.value, c.value, x.value, y.value],
        Array(4).fill(a.value),
      );
    }
  },
};

/**
 * Many writers write to three kinds at once, while a watcher with a small
 * buffer reads one of them. Returns its events, and the revisions of all
 * changes of its kind, from the results of the writes.
 */
async function busyTraffic(
  store: Store,
): Promise<[events: { revision: number }[], written: number[]]> {
  const reader = store.watch("users", { bufferSize: 7 }).getReader();
  const reading = takeUntil(reader, "end");
  const written: number[] = [];
  const writer = async (who: number) => {
    for (let n = 0; n < 40; n++) {
      const key = `${who}/${n % 5}`;
      const [mine] = await Promise.all([
        store.set("users", key, n),
        store.set("groups", key, n),
        store.set("users2", key, n),
      ]);
      written.push(mine.revision);
      const twice = await store.update("users", key, (value) => [value]);
      written.push(twice.revision);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, who) => writer(who)));
  written.push((await store.set("users", "end", 1)).revision);
  const events = await reading;
  assert(events.length > 0);
  return [events, written];
}
