/**
 * Tests of mistakes in the program, which are `TypeError` and `RangeError`.
 * Operations that return a stream throw them, and those that return a promise
 * reject.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type {
  ChangeType,
  RangeOptions,
  Store,
  WatchOptions,
} from "../../contract/mod.ts";
import { InvalidNameError } from "../../contract/errors.ts";
import {
  callsWithKey,
  callsWithRange,
  promiseCallsOf,
  streamCalls,
} from "../calls.ts";
import type { Cases } from "../case.ts";

const NO_COUNTS = [-1, 1.5, NaN, -Infinity];

export const misuse: Cases = {
  "an unknown option is a TypeError that names it": async (open, supports) => {
    await using store = await open();
    const args = { kind: "users", key: "alice", options: { limt: 1 } };
    for (const [operation, call] of Object.entries(promiseCallsOf(supports))) {
      await assertRejects(
        () => call(store, args),
        TypeError,
        "limt",
        operation,
      );
    }
    for (const [operation, call] of Object.entries(streamCalls)) {
      assertThrows(() => call(store, args), TypeError, "limt", operation);
    }
    assertEquals(await store.kinds(), []);
  },

  "an invalid limit is a RangeError": async (open) => {
    await using store = await open();
    for (const limit of NO_COUNTS) await assertNoRange(store, { limit });
  },

  "a start after the end is a RangeError, in the order of UTF-8 bytes": async (
    open,
  ) => {
    await using store = await open();
    await assertNoRange(store, { start: "b", end: "a" });
    await assertNoRange(store, { start: "aa", end: "a" });
    await assertNoRange(store, { start: "\u{10000}", end: "\u{FFFD}" });
    await assertNoRange(store, { startAfter: "b", end: "a" });
  },

  "a start with a startAfter is a TypeError": async (open) => {
    await using store = await open();
    await assertNoRange(store, { start: "a", startAfter: "a" }, TypeError);
  },

  "an update by a function that returns a promise is a TypeError": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    await assertRejects(
      () => store.update("users", "alice", () => Promise.resolve(2)),
      TypeError,
    );
    await assertRejects(
      () =>
        store.update("users", "bob", () => Promise.resolve(2), { initial: 1 }),
      TypeError,
    );
    assertEquals([...await store.list("users")], [["alice", 1]]);
  },

  "an invalid after is a RangeError": async (open) => {
    await using store = await open();
    for (const after of NO_COUNTS) {
      assertThrows(
        () => store.watch("users", { after }),
        RangeError,
        undefined,
        `after ${after}`,
      );
    }
  },

  "a bufferSize below 1 is a RangeError": async (open) => {
    await using store = await open();
    for (const bufferSize of [0, ...NO_COUNTS]) {
      assertThrows(
        () => store.watch("users", { bufferSize }),
        RangeError,
        undefined,
        `bufferSize ${bufferSize}`,
      );
    }
  },

  "an invalid flag of a watch is a TypeError": async (open) => {
    await using store = await open();
    for (const flag of ["initial", "bookmarks", "persistent"]) {
      const options = { [flag]: "yes" } as WatchOptions;
      assertThrows(() => store.watch("users", options), TypeError, flag);
    }
  },

  "options that are not a plain object are a TypeError": async (
    open,
    supports,
  ) => {
    await using store = await open();
    // `update` also has options of its own.
    const { update: _, ...calls } = promiseCallsOf(supports);
    const wrong: unknown[] = [
      null,
      1,
      "limit",
      () => {},
      [],
      new Map([["limit", 1]]),
      AbortSignal.abort(),
      Promise.resolve({}),
    ];
    for (const options of wrong) {
      const args = { kind: "users", key: "alice", options: options as object };
      for (const [operation, call] of Object.entries(calls)) {
        await assertRejects(
          () => call(store, args),
          TypeError,
          undefined,
          operation,
        );
      }
      for (const [operation, call] of Object.entries(streamCalls)) {
        assertThrows(() => call(store, args), TypeError, undefined, operation);
      }
    }
    assertEquals(await store.kinds(), []);
  },

  "an invalid signal is a TypeError": async (open, supports) => {
    await using store = await open();
    for (const signal of [null, 1, "abort", {}, new AbortController()]) {
      const args = { kind: "users", key: "alice", options: { signal } };
      for (
        const [operation, call] of Object.entries(promiseCallsOf(supports))
      ) {
        await assertRejects(
          () => call(store, args),
          TypeError,
          "signal",
          operation,
        );
      }
      for (const [operation, call] of Object.entries(streamCalls)) {
        assertThrows(() => call(store, args), TypeError, "signal", operation);
      }
    }
    assertEquals(await store.kinds(), []);
  },

  "options of the wrong type are refused, and nothing is written": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const wrong: Record<string, unknown[]> = {
      limit: ["1", null, 1n, new Number(1), 2 ** 53, { valueOf: () => 1 }],
      reverse: [0, "yes", null],
      where: [true, "value > 1", null, {}],
      start: [1, null, Symbol("a"), new String("a"), ["a"]],
      startAfter: [1, null, Symbol("a"), new String("a"), "\0", "\uD800"],
      end: [1, null, Symbol("a"), new String("a"), { toString: () => "a" }],
      prefix: [1, null, Symbol("a"), new String("a"), "\0", "\uD800"],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const options = { [name]: value };
        const args = { kind: "users", key: "alice", options };
        for (const [operation, call] of Object.entries(callsWithRange)) {
          await assertRejects(() => call(store, args), Error, name, operation);
        }
        assertThrows(() => streamCalls.entries(store, args), Error, name);
      }
    }
    for (const types of ["create", null, new Set(["create"]), [undefined]]) {
      const options = { types } as unknown as WatchOptions;
      assertThrows(() => store.watch("users", options), TypeError, "types");
    }
    assertEquals((await store.entry("users", "alice"))?.version, 1);
  },

  "names that only turn into strings are refused": async (open) => {
    await using store = await open();
    const names: unknown[] = [
      Symbol("users"),
      new String("users"),
      ["users"],
      1n,
      true,
      { toString: () => "users" },
      // It cannot even be inspected.
      new Proxy({}, {
        get() {
          throw new Error("no");
        },
      }),
    ];
    for (const name of names as string[]) {
      for (const [operation, call] of Object.entries(callsWithKey)) {
        await assertRejects(
          () => call(store, { kind: "users", key: name }),
          InvalidNameError,
          undefined,
          operation,
        );
        await assertRejects(
          () => call(store, { kind: name, key: "alice" }),
          InvalidNameError,
          undefined,
          operation,
        );
      }
    }
    assertEquals(await store.kinds(), []);
  },

  "setAll of an invalid iterable is a TypeError": async (open) => {
    await using store = await open();
    const wrong: unknown[] = [
      undefined,
      null,
      1,
      "ab",
      () => [],
      Promise.resolve([["alice", 1]]),
      new WeakMap(),
      new Date(),
      ["alice", "bob"],
      [["alice"]],
      [["alice", 1, 2]],
      [{ 0: "alice", 1: 1, length: 2 }],
      new Set(["alice"]),
      new Uint8Array(2),
      new String("ab"),
      ReadableStream.from([["alice", 1]]),
    ];
    for (const entries of wrong) {
      await assertRejects(
        () => store.setAll("users", entries as Map<string, unknown>),
        TypeError,
        "Cannot setAll",
      );
    }
    assertEquals(await store.kinds(), []);
  },

  "options that are changed after the call change nothing": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2, c: 3 });
    const range: RangeOptions = { start: "b", limit: 1 };
    const types: ChangeType[] = ["create"];
    const watching = { after: 1, key: "b", types };
    // A write that waits also makes the reads wait.
    const write = store.set("users", "d", 4);
    const reads = [
      store.keys("users", range),
      Array.fromAsync(store.entries("users", range), ({ key }) => key),
    ];
    const events = store.watch("users", watching).getReader();
    Object.assign(range, { limit: -1, reverse: "no", start: 1, where: 1 });
    types.pop();
    Object.assign(watching, { after: 4, key: "d", bufferSize: 0 });
    for (const read of reads) assertEquals(await read, ["b"]);
    await write;
    assertEquals((await events.read()).value?.key, "b");
  },

  "a signal that is put in the place of the given one changes nothing": async (
    open,
  ) => {
    await using store = await open();
    const first = new AbortController();
    const options = { signal: first.signal };
    const events = store.watch("users", options).getReader();
    options.signal = AbortSignal.abort();
    await store.set("users", "alice", 1);
    assertEquals((await events.read()).value?.key, "alice");
    first.abort();
    assertEquals((await events.read()).done, true);
  },

  "the error of a caller's function is passed on unchanged": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    for (const thrown of [undefined, null, 0, Symbol("no"), {}]) {
      const fail = () => {
        throw thrown;
      };
      const calls = [
        store.update("users", "alice", fail),
        store.list("users", { where: fail }),
        store.count("users", { where: fail }),
        Array.fromAsync(store.entries("users", { where: fail })),
        store.mirror("users", { where: fail }),
        store.mirror("users", { sortBy: fail }),
        store.waitFor("users", "alice", fail),
        store.setAll("users", {
          [Symbol.iterator]: fail,
        } as unknown as Map<string, unknown>),
      ];
      const outcomes = await Promise.allSettled<unknown>(calls);
      for (const outcome of outcomes) {
        assertEquals(outcome, { status: "rejected", reason: thrown });
      }
    }
    assertEquals((await store.entry("users", "alice"))?.version, 1);
  },

  "a function of the caller's that uses the store harms nothing": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const inside: Promise<unknown>[] = [];
    const readers: ReadableStreamDefaultReader<unknown>[] = [];
    const use = (key: string) => {
      inside.push(
        store.set("users", key, key),
        store.get("users", "alice"),
        store.update("users", "alice", (n) => (n as number) + 1),
      );
      readers.push(store.watch("users").getReader());
      return true;
    };
    await store.update("users", "alice", (n) => {
      use("update");
      return n;
    });
    await store.list("users", { where: () => use("where") });
    await Promise.all(inside);
    const calls = inside.length / 3;
    assertEquals(await store.get("users", "alice"), 1 + calls);
    assertEquals(await store.get("users", "update"), "update");
    await Promise.all(readers.map((reader) => reader.cancel()));
  },

  "an unknown type of change is a TypeError": async (open) => {
    await using store = await open();
    const types = ["create", "rename"] as unknown as ChangeType[];
    assertThrows(() => store.watch("users", { types }), TypeError, "rename");
  },

  "a watch of a key and a prefix is a TypeError": async (open) => {
    await using store = await open();
    assertThrows(
      () => store.watch("users", { key: "alice", prefix: "a" }),
      TypeError,
    );
  },

  "a watch with a replay that also resumes is a TypeError": async (open) => {
    await using store = await open();
    assertThrows(
      () => store.watch("users", { initial: true, after: 0 }),
      TypeError,
    );
  },
};

async function assertNoRange(
  store: Store,
  options: object,
  error: ErrorConstructor = RangeError,
): Promise<void> {
  const args = { kind: "users", key: "alice", options };
  for (const [operation, call] of Object.entries(callsWithRange)) {
    await assertRejects(
      () => call(store, args),
      error,
      undefined,
      `${operation} with ${Object.values(options)}`,
    );
  }
  assertThrows(() => streamCalls.entries(store, args), error);
}
