/**
 * Tests of cancelling (C7): an operation that is aborted before it begins does
 * nothing, one that has begun completes whole, and the error is the signal's
 * reason itself.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { promiseCallsOf, streamCalls } from "../calls.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  assertRejectsWith,
  brief,
  drain,
  next,
  numberedKey,
  numberedKeys,
  turn,
} from "../reading.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";

export const cancelling: Cases = {
  "C7 an operation aborted before the call does nothing": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await store.set("users", "alice", "before");
    const before = await store.entry("users", "alice");
    const events = store.watch("users").getReader();
    const reason = new Error("stop");
    const options = { signal: AbortSignal.abort(reason) };
    for (const [operation, call] of Object.entries(promiseCallsOf(supports))) {
      for (const key of ["alice", "bob"]) {
        await assertRejectsWith(
          () => call(store, { kind: "users", key, options }),
          reason,
          operation,
        );
      }
    }
    assertEquals(await store.entry("users", "alice"), before);
    await store.set("users", "probe", 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
    assertEquals(await store.keys("users"), ["alice", "probe"]);
  },

  "C7 the error is the signal's reason, of any type": async (open) => {
    await using store = await open();
    for (const reason of [new DOMException("x", "AbortError"), "stop", 0]) {
      const signal = AbortSignal.abort(reason);
      const outcome = await store.get("users", "alice", { signal }).then(
        () => "resolved",
        (error) => ({ error }),
      );
      assertEquals(outcome, { error: reason });
    }
    const { signal, abort } = controller();
    abort();
    await assertRejectsWith(
      () => store.set("users", "alice", 1, { signal }),
      signal.reason,
      "set",
    );
  },

  "C7 an operation aborted while it waits for its turn does nothing": async (
    open,
    supports,
  ) => {
    await using store = await open();
    // This many entries take several turns of the event loop, and later
    // operations wait.
    const keys = numberedKeys(20_000);
    const ahead = fillMany(store, "users", keys, supports);
    const reason = new Error("stop");
    const { signal, abort } = controller();
    const waiting = Object.entries(promiseCallsOf(supports)).map((
      [operation, call],
    ) => ({
      operation,
      outcome: call(store, {
        kind: "users",
        key: operation.includes("delete") ? keys[0] : operation,
        options: { signal },
      }).then(() => "resolved", (error) => error),
    }));
    abort(reason);
    for (const { operation, outcome } of waiting) {
      assertStrictEquals(await outcome, reason, operation);
    }
    await ahead;
    assertEquals(await store.keys("users"), keys);
  },

  "C7 an aborted operation leaves those called with it alone": async (open) => {
    await using store = await open();
    const { signal, abort } = controller();
    const writes = numberedKeys(100).map((key, n) =>
      store.set("users", key, n, n % 2 === 0 ? {} : { signal })
    );
    abort(new Error("stop"));
    const outcomes = await Promise.allSettled(writes);
    const done = outcomes.flatMap(({ status }, n) =>
      status === "fulfilled" ? [numberedKey(n)] : []
    );
    assertEquals(await store.keys("users"), done);
    const evens = numberedKeys(100).filter((_, n) => n % 2 === 0);
    assertEquals(done.filter((key) => evens.includes(key)), evens);
  },

  "C7 a write that is aborted at any moment is whole or nothing": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = keysOfOneWrite(5_000, supports);
    for (let turns = 0; turns < 8; turns++) {
      const kind = `after ${turns} turns`;
      const reason = new Error("stop");
      const { signal, abort } = controller();
      const outcome = store.setAll(
        kind,
        keys.map((key) => [key, 1] as const),
        { signal },
      ).then(() => undefined, (error) => ({ error }));
      for (let i = 0; i < turns; i++) await turn();
      abort(reason);
      const failure = await outcome;
      if (failure) assertStrictEquals(failure.error, reason, kind);
      const expected = failure ? 0 : keys.length;
      assertEquals(await store.count(kind), expected, kind);
    }
  },

  "C7 an abort after the operation changes nothing": async (open, supports) => {
    await using store = await open();
    const { signal, abort } = controller();
    const args = { kind: "users", key: "alice", options: { signal } };
    await store.set("users", "alice", { n: 1 }, { signal });
    for (const call of Object.values(promiseCallsOf(supports))) {
      await call(store, args);
    }
    const { revision } = await store.set("users", "bob", 1, { signal });
    abort(new Error("stop"));
    await turn();
    assertEquals(await store.keys("users"), ["bob"]);
    const probe = await store.set("users", "probe", 1);
    assertEquals(probe.revision, revision + 1);
  },

  "C7 one signal serves many operations": async (open) => {
    await using store = await open();
    const { signal, abort } = controller();
    await Promise.all(
      numberedKeys(200).map((key) => store.set("users", key, 1, { signal })),
    );
    assertEquals(await store.count("users", { signal }), 200);
    abort(new Error("stop"));
    await assertRejectsWith(
      () => store.count("users", { signal }),
      signal.reason,
      "count",
    );
    assertEquals(await store.count("users"), 200);
  },

  "entries signal: errors the stream with the reason": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(5_000), supports);
    const reason = new Error("stop");
    const { signal, abort } = controller();
    const reader = store.entries("users", { signal }).getReader();
    await next(reader);
    abort(reason);
    await assertRejectsWith(() => reader.read(), reason, "read");
    await assertRejectsWith(() => reader.closed, reason, "closed");

    const stillborn = streamCalls.entries(store, {
      kind: "users",
      key: "",
      options: { signal },
    });
    await assertRejectsWith(() => Array.fromAsync(stillborn), reason, "read");
    const empty = store.entries("users", { limit: 0, signal });
    await assertRejectsWith(() => Array.fromAsync(empty), reason, "read");
  },

  "watch signal: ends the stream": async (open) => {
    await using store = await open();
    const { signal, abort } = controller();
    const reader = store.watch("users", { signal }).getReader();
    const pending = reader.read();
    abort(new Error("stop"));
    assertEquals(await pending, { done: true, value: undefined });
    await assertEnded(reader);

    const stillborn = store.watch("users", { initial: true, signal });
    await store.set("users", "alice", 1);
    await assertEnded(stillborn.getReader());
  },

  "watch signal: ends a watch that nobody reads": async (open) => {
    await using store = await open();
    const { signal, abort } = controller();
    const stream = store.watch("users", { signal });
    await store.set("users", "alice", 1);
    abort(new Error("stop"));
    const reader = stream.getReader();
    assertEquals((await drain(reader)).error, undefined);
    await assertEnded(reader);
  },
};

function controller(): {
  signal: AbortSignal;
  abort: (reason?: unknown) => void;
} {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
  };
}
