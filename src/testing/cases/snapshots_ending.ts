/**
 * Tests of how a snapshot ends: it is closed, the store is closed, or the
 * change log no longer reaches it. Also tests of the reads that it refuses.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import type { RangeOptions, Snapshot } from "../../contract/mod.ts";
import {
  InvalidNameError,
  RevisionUnavailableError,
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
  writeInRounds,
} from "../reading.ts";
import { readCalls } from "../reads_of.ts";
import { fillMany } from "../sizes.ts";

export const snapshotsEnding: Cases = {
  "snapshot: once it is closed, every read is refused": async (open) => {
    await using store = await open();
    await fill(store, "users", ["alice"]);
    const snapshot = await store.snapshot();
    await snapshot.close();
    await assertEveryRead(snapshot, StoreClosedError);
    await snapshot.close();
    const disposed = await store.snapshot();
    {
      await using inner = disposed;
      assertEquals(await inner.keys("users"), ["alice"]);
    }
    await assertEveryRead(disposed, StoreClosedError);
    assertEquals(await store.keys("users"), ["alice"]);
  },

  "snapshot: once the store is closed, every read is refused": async (open) => {
    const store = await open();
    await fill(store, "users", ["alice"]);
    const snapshot = await store.snapshot();
    await store.close();
    await assertEveryRead(snapshot, StoreClosedError);
    await snapshot.close();
    await assertRejects(() => store.snapshot(), StoreClosedError);
    await assertRejects(() => store.snapshot({ at: 1 }), StoreClosedError);
  },

  "snapshot: its streams end with it, and with the store": async (
    open,
    supports,
  ) => {
    for (const ended of ["the snapshot", "the store"]) {
      const store = await open();
      await fillMany(store, "users", numberedKeys(3_000), supports);
      const snapshot = await store.snapshot();
      const others = await store.snapshot();
      const readers = [
        snapshot.entries("users"),
        snapshot.export(),
        snapshot.export(),
      ].map((stream) => (stream as ReadableStream<unknown>).getReader());
      // The last one is not read before.
      for (const reader of readers.slice(0, -1)) await next(reader);
      await (ended === "the store" ? store : snapshot).close();
      for (const reader of readers) {
        const { error } = await drain(reader);
        assertInstanceOf(error, StoreClosedError, ended);
      }
      if (ended === "the snapshot") {
        assertEquals(await others.count("users"), 3_000);
        assertEquals(await store.count("users"), 3_000);
      }
      await store.close();
    }
  },

  "snapshot: once the log has left it behind, every read is refused": async (
    open,
  ) => {
    await using store = await open({ history: 10 });
    await fill(store, "users", ["alice"]);
    await using snapshot = await store.snapshot();
    await writeInRounds(store, "busy", numberedKeys(1_000));
    const errors = await assertEveryRead(snapshot, RevisionUnavailableError);
    for (const [name, error] of Object.entries(errors)) {
      assertInstanceOf(error, RevisionUnavailableError);
      const { code, reason } = error;
      assertEquals([code, reason], ["REVISION_UNAVAILABLE", "pruned"], name);
    }
  },

  "snapshot: a stream that the log leaves behind errors, and skips nothing":
    async (open, supports) => {
      await using store = await open({ history: 10 });
      const keys = numberedKeys(3_000);
      await fillMany(store, "users", keys, supports);
      await using snapshot = await store.snapshot();
      const reader = snapshot.entries("users").getReader();
      const first = await next(reader);
      await writeInRounds(store, "users", numberedKeys(1_000), "changed");
      const { chunks, error } = await drain(reader);
      assertInstanceOf(error, RevisionUnavailableError);
      assertEquals(error.reason, "pruned");
      const seen = [first, ...chunks];
      assertEquals(keysOf(seen), keys.slice(0, seen.length));
      for (const { key, value } of seen) assertEquals(value, { of: key });
      await assertRejects(() => reader.closed, RevisionUnavailableError);
    },

  "C7 a read of a snapshot rejects with its signal's reason": async (open) => {
    await using store = await open();
    await fill(store, "users", ["alice"]);
    await using snapshot = await store.snapshot();
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    for (const [name, call] of Object.entries(readCalls)) {
      await assertRejectsWith(() => call(snapshot, { signal }), reason, name);
    }
    await assertRejectsWith(
      () => store.snapshot({ signal }),
      reason,
      "opening",
    );
    // The signal concerns only the opening.
    const controller = new AbortController();
    await using other = await store.snapshot({ signal: controller.signal });
    controller.abort(reason);
    assertEquals(await other.keys("users"), ["alice"]);
    assertEquals(await snapshot.keys("users"), ["alice"]);
  },

  "C7 a stream of a snapshot errors when its signal aborts": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(3_000), supports);
    await using snapshot = await store.snapshot();
    const reason = new Error("stop");
    const controller = new AbortController();
    const { signal } = controller;
    const readers = [
      snapshot.entries("users", { signal }),
      snapshot.export({ signal }),
    ].map((stream) => (stream as ReadableStream<unknown>).getReader());
    for (const reader of readers) await next(reader);
    controller.abort(reason);
    for (const reader of readers) {
      assertEquals((await drain(reader)).error, reason);
    }
  },

  "snapshot: its reads refuse the same arguments as the store's": async (
    open,
  ) => {
    await using store = await open();
    await using snapshot = await store.snapshot();
    const wrong = { limt: 1 } as RangeOptions;
    for (const [name, call] of Object.entries(readCalls)) {
      await assertRejects(() => call(snapshot, wrong), TypeError, "limt", name);
    }
    const keyed = [
      (kind: string, key: string) => snapshot.get(kind, key),
      (kind: string, key: string) => snapshot.entry(kind, key),
      (kind: string, key: string) => snapshot.has(kind, key),
      (kind: string, key: string) => snapshot.getMany(kind, ["a", key]),
    ];
    for (const name of ["", "\0", "\uD800"]) {
      for (const call of keyed) {
        await assertRejects(() => call(name, "key"), InvalidNameError);
        await assertRejects(() => call("kind", name), InvalidNameError);
      }
      await assertRejects(() => snapshot.list(name), InvalidNameError);
      await assertRejects(() => snapshot.keys(name), InvalidNameError);
      await assertRejects(() => snapshot.values(name), InvalidNameError);
      await assertRejects(() => snapshot.count(name), InvalidNameError);
    }
    for (const limit of [-1, 1.5, NaN]) {
      await assertRejects(() => snapshot.keys("a", { limit }), RangeError);
    }
  },
};

/** Asserts that every read rejects with an error of a class, and returns the errors. */
async function assertEveryRead(
  snapshot: Snapshot,
  // deno-lint-ignore no-explicit-any -- as `assertRejects` takes it
  errorClass: new (...args: any[]) => Error,
): Promise<Record<string, Error>> {
  const errors: Record<string, Error> = {};
  for (const [name, call] of Object.entries(readCalls)) {
    const read = async () => await call(snapshot);
    errors[name] = await assertRejects(read, errorClass, undefined, name);
  }
  assert(Object.keys(errors).length > 0);
  return errors;
}
