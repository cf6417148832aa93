/**
 * Tests of a consumer that falls behind: the watch delivers every change or
 * errors (W3), and holds no more than its buffer (W8).
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  drain,
  keysOf,
  next,
  numberedKeys,
  take,
  writeInRounds,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const overflowing: Cases = {
  "W3 a consumer that falls behind by more than history overflows": async (
    open,
  ) => {
    await using store = await open({ history: 10 });
    const keys = numberedKeys(1_000);
    const reader = store.watch("users").getReader();
    await writeInRounds(store, "users", keys);
    const { chunks, error } = await drain(reader);
    assertInstanceOf(error, WatchOverflowError);
    assertEquals([error.code, error.reason], ["WATCH_OVERFLOW", "pruned"]);
    assertLess(chunks.length, keys.length);
    assertEquals(keysOf(chunks), keys.slice(0, chunks.length));
    await assertRejects(() => reader.closed, WatchOverflowError);
  },

  "W3 no filter hides an overflow": async (open) => {
    await using store = await open({ history: 10 });
    const readers = [
      store.watch("users", { types: ["delete"] }),
      store.watch("users", { key: "another" }),
      store.watch("users", { prefix: "another" }),
      store.watch("users", { types: ["delete"], initial: true }),
      store.watch("users", { types: ["delete"], after: 0 }),
    ].map((stream) => stream.getReader());
    await writeInRounds(store, "users", numberedKeys(1_000));
    for (const reader of readers) {
      const error = await assertRejects(
        () => reader.read(),
        WatchOverflowError,
      );
      assertEquals(error.reason, "pruned");
    }
  },

  "W3 a replay that the change log cannot complete overflows": async (
    open,
    supports,
  ) => {
    await using store = await open({ history: 10 });
    const keys = numberedKeys(500);
    await fillMany(store, "users", keys, supports);
    const reader = store.watch("users", { initial: true, bufferSize: 10 })
      .getReader();
    const first = await next(reader);
    await writeInRounds(store, "users", numberedKeys(1_000), "changed");
    const { chunks, error } = await drain(reader);
    assertInstanceOf(error, WatchOverflowError);
    assertEquals(error.reason, "pruned");
    const replay = [first, ...chunks];
    assertLessOrEqual(replay.length, keys.length);
    assertEquals(
      replay.map(({ key, value, revision }) => ({ key, value, revision })),
      keys.slice(0, replay.length).map((key) => ({
        key,
        value: { of: key },
        revision: 0,
      })),
    );
  },

  "W3 one watcher's overflow does not affect others": async (open) => {
    await using store = await open({ history: 10 });
    const slow = store.watch("users").getReader();
    const fast = store.watch("users").getReader();
    for (const key of numberedKeys(100)) {
      await store.set("users", key, 1);
      assertEquals((await next(fast)).key, key);
    }
    assertInstanceOf((await drain(slow)).error, WatchOverflowError);
    await store.set("users", "after", 1);
    assertEquals((await next(fast)).key, "after");
    const anew = store.watch("users", { initial: true }).getReader();
    assertEquals((await take(anew, 101)).length, 101);
  },

  "W8 an unread watcher holds no more than its buffer": async (open) => {
    await using store = await open({ history: 100 });
    const keys = numberedKeys(5_000);
    const bufferSize = 10;
    const unread = store.watch("users", { bufferSize }).getReader();
    const left = store.watch("users", { bufferSize }).getReader();
    const large = "x".repeat(2_000);
    await writeInRounds(store, "users", keys.slice(0, 100), large);
    await next(left);
    await writeInRounds(store, "users", keys.slice(100), large);

    // The change log has pruned these changes, so the events that still come
    // were in the buffer.
    const held = [await drain(unread), await drain(left)];
    for (const { chunks, error } of held) {
      assertInstanceOf(error, WatchOverflowError);
      assertLessOrEqual(chunks.length, bufferSize);
    }
    assertEquals(
      held.map(({ chunks }) => keysOf(chunks)),
      [
        keys.slice(0, held[0].chunks.length),
        keys.slice(1, held[1].chunks.length + 1),
      ],
    );
  },

  "W8 an unread watcher later delivers all changes in the history": async (
    open,
  ) => {
    await using store = await open({ history: 2_400 });
    const keys = numberedKeys(2_000);
    const reader = store.watch("users", { bufferSize: 16 }).getReader();
    const replay = store.watch("users", { bufferSize: 16, initial: true })
      .getReader();
    await writeInRounds(store, "users", keys, "x".repeat(2_000));
    assertEquals(keysOf(await take(reader, keys.length)), keys);
    assertEquals(keysOf(await take(replay, keys.length)), keys);
  },

  "W9 an overflowed watch has ended, and nothing ends it again": async (
    open,
  ) => {
    await using store = await open({ history: 10 });
    const controller = new AbortController();
    const { signal } = controller;
    const reader = store.watch("users", { signal }).getReader();
    await writeInRounds(store, "users", numberedKeys(1_000));
    assertInstanceOf((await drain(reader)).error, WatchOverflowError);
    controller.abort(new Error("stop"));
    await assertRejects(() => reader.cancel(), WatchOverflowError);
    await assertRejects(() => reader.closed, WatchOverflowError);
    const other = store.watch("users").getReader();
    await store.close();
    await assertRejects(() => reader.read(), WatchOverflowError);
    await assertEnded(other);
  },
};
