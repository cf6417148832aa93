/**
 * Tests of mistakes in the program, which are `TypeError` and `RangeError`.
 * What gives a stream throws them, what gives a promise rejects with them.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { ChangeType, Store, WatchOptions } from "../../contract.ts";
import { callsWithRange, promiseCalls, streamCalls } from "../calls.ts";
import type { Cases } from "../case.ts";

const NO_COUNTS = [-1, 1.5, NaN, -Infinity];

export const misuse: Cases = {
  "an unknown option is a TypeError that names it": async (open) => {
    await using store = await open();
    const args = { kind: "users", key: "alice", options: { limt: 1 } };
    for (const [operation, call] of Object.entries(promiseCalls)) {
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

  "a limit that is no count is a RangeError": async (open) => {
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
  },

  "an ifVersion that is no version is a RangeError": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    for (const ifVersion of NO_COUNTS) {
      const what = `ifVersion ${ifVersion}`;
      await assertRejects(
        () => store.set("users", "alice", 2, { ifVersion }),
        RangeError,
        undefined,
        `set with ${what}`,
      );
      await assertRejects(
        () => store.delete("users", "alice", { ifVersion }),
        RangeError,
        undefined,
        `delete with ${what}`,
      );
    }
    assertEquals(await store.get("users", "alice"), 1);
  },

  "a check's version that is none is a RangeError": async (open) => {
    await using store = await open();
    for (const version of NO_COUNTS) {
      await assertRejects(
        async () =>
          await store.atomic().check({ kind: "users", key: "a", version })
            .set("users", "a", 1).commit(),
        RangeError,
        undefined,
        `check of version ${version}`,
      );
    }
    assertEquals(await store.count("users"), 0);
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

  "an after that is no revision is a RangeError": async (open) => {
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

  "a flag of a watch that is no boolean is a TypeError": async (open) => {
    await using store = await open();
    for (const flag of ["initial", "bookmarks", "persistent"]) {
      const options = { [flag]: "yes" } as WatchOptions;
      assertThrows(() => store.watch("users", options), TypeError, flag);
    }
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

async function assertNoRange(store: Store, options: object): Promise<void> {
  const args = { kind: "users", key: "alice", options };
  for (const [operation, call] of Object.entries(callsWithRange)) {
    await assertRejects(
      () => call(store, args),
      RangeError,
      undefined,
      `${operation} with ${Object.values(options)}`,
    );
  }
  assertThrows(() => streamCalls.entries(store, args), RangeError);
}
