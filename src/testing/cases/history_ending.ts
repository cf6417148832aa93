/**
 * Tests of histories that fail: the change log no longer has the changes, the
 * read is cancelled, the store closes, or the arguments are invalid.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import type { HistoryOptions } from "../../contract/mod.ts";
import {
  InvalidNameError,
  RevisionUnavailableError,
  type RevisionUnavailableReason,
  StoreClosedError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertRejectsWith,
  drain,
  fill,
  keysOf,
  next,
  numberedKeys,
  revisionsOf,
  writeInRounds,
} from "../reading.ts";

export const historyEnding: Cases = {
  "history of a pruned log begins where the log does": async (
    open,
  ) => {
    const history = 50;
    await using store = await open({ history });
    const keys = numberedKeys(1_000);
    await writeInRounds(store, "users", keys);
    const changes = await Array.fromAsync(store.history("users"));
    const told = keysOf(changes);
    assertEquals(told.length >= history && told.length < 1_000, true);
    assertEquals(told, keys.slice(-told.length));
    const back = store.history("users", undefined, { reverse: true });
    assertEquals(await Array.fromAsync(back), changes.toReversed());
    const first = await Array.fromAsync(store.history("users", keys[0]));
    assertEquals(first, []);
  },

  "history after a pruned revision is refused": async (open) => {
    await using store = await open({ history: 10 });
    const live = store.watch("users").getReader();
    await store.set("users", "a", 1);
    const { revision, cursor } = await next(live);
    await writeInRounds(store, "users", numberedKeys(1_000));
    for (const after of [0, revision, cursor]) {
      for (
        const options of [
          { after },
          { after, reverse: true },
          { after, prefix: "none" },
          { after, limit: 1 },
        ]
      ) {
        const stream = store.history("users", undefined, options);
        const { error } = await drain(stream.getReader());
        assertUnavailable(error, "pruned", JSON.stringify(options));
      }
    }
  },

  "history after a revision that the store has not reached is refused": async (
    open,
  ) => {
    await using one = await open();
    await using other = await open();
    await fill(one, "users", ["a"]);
    await fill(other, "users", ["a", "b", "c"]);
    const changes = await Array.fromAsync(other.history("users"));
    const { cursor } = changes[2];
    for (const after of [2, Number.MAX_SAFE_INTEGER, cursor]) {
      for (const reverse of [false, true]) {
        const stream = one.history("users", undefined, { after, reverse });
        const { chunks, error } = await drain(stream.getReader());
        assertUnavailable(error, "ahead", `after ${after}`);
        assertEquals(chunks, []);
      }
    }
  },

  "history past another store's change is refused": async (open) => {
    await using one = await open();
    await using other = await open();
    for (const store of [one, other]) await fill(store, "users", ["a", "b"]);
    for (const { cursor } of await Array.fromAsync(other.history("users"))) {
      const stream = one.history("users", undefined, { after: cursor });
      const { chunks, error } = await drain(stream.getReader());
      assertUnavailable(error, "history");
      assertEquals(chunks, []);
    }
  },

  "a history that the log leaves behind errors, and skips nothing": async (
    open,
  ) => {
    await using store = await open({ history: 1_500 });
    const keys = numberedKeys(1_500);
    await writeInRounds(store, "users", keys);
    const readers = [
      store.history("users").getReader(),
      store.history("users", undefined, { reverse: true }).getReader(),
    ];
    const first = [await next(readers[0]), await next(readers[1])];
    await writeInRounds(store, "busy", numberedKeys(1_000), 1);
    await writeInRounds(store, "busy", numberedKeys(1_000), 2);
    await writeInRounds(store, "busy", numberedKeys(1_000), 3);
    for (const [i, reader] of readers.entries()) {
      const { chunks, error } = await drain(reader);
      if (error) assertUnavailable(error, "pruned");
      const told = keysOf([first[i], ...chunks]);
      const all = i === 0 ? keys : keys.toReversed();
      assertEquals(told, all.slice(0, told.length));
      // It may have had all of them in memory.
      if (!error) assertEquals(told.length, keys.length);
    }
  },

  "C7 a history errors with its signal's reason": async (open) => {
    await using store = await open();
    await writeInRounds(store, "users", numberedKeys(1_500));
    const reason = new Error("stop");
    const aborted = store.history("users", undefined, {
      signal: AbortSignal.abort(reason),
    });
    await assertRejectsWith(() => Array.fromAsync(aborted), reason, "history");
    for (const reverse of [false, true]) {
      const controller = new AbortController();
      const { signal } = controller;
      const reader = store.history("users", undefined, { signal, reverse })
        .getReader();
      await next(reader);
      controller.abort(reason);
      await assertRejectsWith(() => reader.read(), reason, "read");
      await assertRejectsWith(() => reader.closed, reason, "closed");
    }
  },

  "a history that is not read to its end can be cancelled": async (open) => {
    await using store = await open();
    await fill(store, "users", numberedKeys(20));
    const reader = store.history("users").getReader();
    await next(reader);
    await reader.cancel();
    await store.history("users").cancel();
    for await (const { key } of store.history("users")) {
      assertEquals(key, "000000");
      break;
    }
    assertEquals((await store.set("users", "a", 1)).status, "created");
  },

  "a history errors when the store closes": async (open) => {
    const store = await open();
    await writeInRounds(store, "users", numberedKeys(1_500));
    const readers = [
      store.history("users").getReader(),
      store.history("users", undefined, { reverse: true }).getReader(),
    ];
    const unread = store.history("users").getReader();
    for (const reader of readers) await next(reader);
    await store.close();
    for (const reader of [...readers, unread]) {
      const { error } = await drain(reader);
      assertInstanceOf(error, StoreClosedError);
    }
    assertThrows(() => store.history("users"), StoreClosedError);
    assertThrows(() => store.kind("users").history("a"), StoreClosedError);
  },

  "history refuses invalid options": async (open) => {
    await using store = await open();
    const wrong: [unknown, ErrorConstructor][] = [
      [{ limt: 1 }, TypeError],
      [{ bookmarks: true }, TypeError],
      [{ limit: -1 }, RangeError],
      [{ limit: 1.5 }, RangeError],
      [{ limit: "1" }, RangeError],
      [{ reverse: 1 }, TypeError],
      [{ after: -1 }, RangeError],
      [{ after: "x" }, TypeError],
      [{ onUnreadable: true }, TypeError],
      [{ signal: {} }, TypeError],
      [[], TypeError],
      [null, TypeError],
    ];
    for (const [options, error] of wrong) {
      assertThrows(
        () => store.history("users", undefined, options as HistoryOptions),
        error,
        undefined,
        JSON.stringify(options),
      );
    }
    assertThrows(() => store.history("users", "a", { prefix: "a" }), TypeError);
    for (const name of ["", "\0", "\uD800"]) {
      assertThrows(() => store.history(name), InvalidNameError);
      assertThrows(() => store.history("users", name), InvalidNameError);
    }
    assertThrows(
      () => store.history("users", undefined, { prefix: "\0" }),
      InvalidNameError,
    );
  },

  "history: options that are changed after the call change nothing": async (
    open,
  ) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2, c: 3 });
    const options: HistoryOptions = { limit: 2, after: 1 };
    const stream = store.history("users", undefined, options);
    Object.assign(options, { limit: 0, after: 3, reverse: true, prefix: "z" });
    assertEquals(revisionsOf(await Array.fromAsync(stream)), [2, 3]);
  },
};

function assertUnavailable(
  error: unknown,
  reason: RevisionUnavailableReason,
  what?: string,
): void {
  assertInstanceOf(error, RevisionUnavailableError, what);
  const { code } = error;
  assertEquals([code, error.reason], ["REVISION_UNAVAILABLE", reason], what);
}
