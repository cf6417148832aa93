/**
 * Tests of `previous`: an update has the previous value, and no other event has
 * one.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Store, WatchEvent } from "../../contract/mod.ts";
import { type Cases, needing, needsValueBytes } from "../case.ts";
import { makeTraffic, next, take, takeUntil } from "../reading.ts";
import { textOfBytes } from "../sizes.ts";

export const watchingPrevious: Cases = {
  "watch previous: an update has the previous value": async (open) => {
    await using store = await open();
    const events = store.watch("users", { previous: true }).getReader();
    await store.set("users", "a", { n: 1 });
    await store.set("users", "a", { n: 2 });
    await store.update("users", "a", () => ({ n: 3 }));
    await store.setAll("users", { a: { n: 4 } });
    await store.atomic().set("users", "a", { n: 5 }).commit();
    await store.delete("users", "a");
    await store.set("users", "a", { n: 6 });
    assertEquals(told(await take(events, 7)), [
      { type: "create", value: { n: 1 } },
      { type: "update", value: { n: 2 }, previous: { n: 1 } },
      { type: "update", value: { n: 3 }, previous: { n: 2 } },
      { type: "update", value: { n: 4 }, previous: { n: 3 } },
      { type: "update", value: { n: 5 }, previous: { n: 4 } },
      { type: "delete", value: { n: 5 } },
      { type: "create", value: { n: 6 } },
    ]);
  },

  "watch previous: without it no event has one": async (open) => {
    await using store = await open();
    const watches = [
      store.watch("users"),
      store.watch("users", { previous: false }),
      store.watch("users", { previous: undefined }),
      store.watch("users", { after: 0 }),
    ].map((stream) => stream.getReader());
    await store.set("users", "a", 1);
    await store.set("users", "a", 2);
    await store.delete("users", "a");
    for (const watch of watches) {
      assertEquals(told(await take(watch, 3)), [
        { type: "create", value: 1 },
        { type: "update", value: 2 },
        { type: "delete", value: 2 },
      ]);
    }
  },

  "watch previous: the value may be of any type": async (open) => {
    await using store = await open();
    const values = [null, 0, false, "", [], {}, "last"];
    const events = store.watch("users", { previous: true }).getReader();
    for (const value of values) await store.set("users", "a", value);
    assertEquals(
      told(await take(events, values.length)),
      values.map((value, i) =>
        i === 0
          ? { type: "create", value }
          : { type: "update", value, previous: values[i - 1] }
      ),
    );
  },

  "watch previous: a replayed entry has none, but later updates have one":
    async (
      open,
    ) => {
      await using store = await open();
      await store.set("users", "a", 1);
      await store.set("users", "a", 2);
      const events = store.watch("users", { initial: true, previous: true })
        .getReader();
      await store.set("users", "a", 3);
      assertEquals(told(await take(events, 2)), [
        { type: "create", value: 2 },
        { type: "update", value: 3, previous: 2 },
      ]);
    },

  "watch previous: of changes that were missed, too": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    await store.set("users", "a", 2);
    await store.delete("users", "a");
    await store.set("users", "a", 3);
    await store.set("users", "a", 4);
    for (
      const options of [
        { after: revision },
        { after: revision, bufferSize: 1 },
        { after: revision, types: ["update", "delete", "create"] as const },
      ]
    ) {
      const events = store.watch("users", { ...options, previous: true });
      assertEquals(told(await take(events.getReader(), 4)), [
        { type: "update", value: 2, previous: 1 },
        { type: "delete", value: 2 },
        { type: "create", value: 3 },
        { type: "update", value: 4, previous: 3 },
      ]);
    }
  },

  "watch previous: with equals, the value that was stored": async (open) => {
    const equals = (_kind: string, a: unknown, b: unknown) =>
      Math.floor(a as number) === Math.floor(b as number);
    await using store = await open({ equals });
    const events = store.watch("users", { previous: true }).getReader();
    for (const n of [1, 1.5, 1.7, 2.5, 2.1, 3]) {
      await store.set("users", "a", n);
    }
    assertEquals(told(await take(events, 3)), [
      { type: "create", value: 1 },
      { type: "update", value: 2.5, previous: 1 },
      { type: "update", value: 3, previous: 2.5 },
    ]);
  },

  "watch previous: each change of one transaction has its own": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const events = store.watch("users", { previous: true }).getReader();
    await store.atomic().set("users", "a", 2).set("users", "b", 1)
      .set("users", "a", 3).delete("users", "a").set("users", "a", 4)
      .set("users", "b", 2).commit();
    await store.set("users", "end", 1);
    assertChained(await takeUntil(events, "end"), new Map([["a", 1]]));
  },

  "watch previous: the value is the watcher's own": async (open) => {
    await using store = await open();
    const watchers = [1, 2].map(() =>
      store.watch("users", { previous: true }).getReader()
    );
    await store.set("users", "a", { tags: ["a"] });
    await store.set("users", "a", { tags: ["b"] });
    const [one, two] = await Promise.all(
      watchers.map((watcher) => take(watcher, 2)),
    );
    assert(one[1].type === "update" && two[1].type === "update");
    (one[1].previous as { tags: string[] }).tags.push("c");
    assertEquals(two[1].previous, { tags: ["a"] });
  },

  "watch previous: it is the value of the key's previous event": async (
    open,
  ) => {
    await using store = await open();
    const options = { previous: true, bufferSize: 5 };
    const live = store.watch("users", options).getReader();
    await makeTraffic(store, ["users", "groups"]);
    const events = await takeUntil(live, "end");
    assertChained(events, new Map());
    const missed = store.watch("users", { ...options, after: 0 }).getReader();
    assertEquals(await take(missed, events.length), events);
  },

  "watch previous: of a change of the expiry alone, the same value": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch("users", { previous: true }).getReader();
    await store.set("users", "a", 1);
    await store.set("users", "a", 1, { expireIn: 1_000_000 });
    await store.set("users", "a", 1);
    const [, set, cleared] = await take(events, 3);
    assert(set.type === "update" && cleared.type === "update");
    assertEquals([set.previous, set.value], [1, 1]);
    assert(set.expiresAt instanceof Date);
    assertEquals(told([cleared]), [{ type: "update", value: 1, previous: 1 }]);
  },

  "watch previous: an invalid flag is a TypeError": async (open) => {
    await using store = await open();
    for (const previous of [1, "yes", null]) {
      const options = { previous } as unknown as { previous: boolean };
      assertThrows(() => store.watch("users", options), TypeError, "previous");
    }
  },

  ...needing(needsValueBytes(1_000_000), {
    "watch previous: of large values": async (open) => {
      await assertTellsTexts(await open(), 1_000_000);
    },
  }),

  "watch previous: of values of every size": async (open) => {
    for (const bytes of [10, 1_000, 2_000, 4_000]) {
      await assertTellsTexts(await open(), bytes);
    }
  },
};

/** The values of events. */
function told(events: readonly WatchEvent[]): unknown[] {
  return events.map((event) =>
    event.type === "update" && "previous" in event
      ? { type: event.type, value: event.value, previous: event.previous }
      : { type: event.type, value: event.value }
  );
}

/** Asserts that each previous value is the value of the key's previous event. */
function assertChained(
  events: readonly WatchEvent[],
  values: Map<string, unknown>,
): void {
  for (const event of events) {
    const { type, key, value } = event;
    assertEquals(values.has(key), type !== "create", key);
    assertEquals("previous" in event, type === "update", key);
    if (type === "update") assertEquals(event.previous, values.get(key), key);
    if (type === "delete") {
      assertEquals(value, values.get(key), key);
      values.delete(key);
    } else values.set(key, value);
  }
}

/** Asserts that texts of a size arrive, alternating with short ones. Closes the store. */
async function assertTellsTexts(store: Store, bytes: number): Promise<void> {
  await using _ = store;
  const texts = [textOfBytes(bytes), "short", `x${textOfBytes(bytes - 1)}`];
  const events = store.watch("users", { previous: true }).getReader();
  for (const text of [...texts, ...texts]) await store.set("users", "a", text);
  await store.delete("users", "a");
  let previous: unknown;
  for (const text of [...texts, ...texts]) {
    const event = await next(events);
    assertEquals(event.value, text);
    if (event.type === "update") assertEquals(event.previous, previous);
    else assertEquals(previous, undefined);
    previous = text;
  }
  assertEquals((await next(events)).value, previous);
}
