/**
 * Tests of `has` and `getMany`: reads of given keys.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { InvalidNameError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertLoopTurns,
  assertRejectsWith,
  fill,
  numberedKeys,
} from "../reading.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";

export const readsOfKeys: Cases = {
  "has returns whether the entry exists": async (open) => {
    await using store = await open();
    await store.set("users", "alice", null);
    assertEquals(await store.has("users", "alice"), true);
    assertEquals(await store.has("users", "bob"), false);
    assertEquals(await store.has("users", "alic"), false);
    assertEquals(await store.has("groups", "alice"), false);
    await store.delete("users", "alice");
    assertEquals(await store.has("users", "alice"), false);
  },

  "C3 has sees the writes that were called before it": async (open) => {
    await using store = await open();
    const writes = [
      store.set("users", "a", 1),
      store.set("users", "b", 1),
      store.delete("users", "a"),
    ];
    const reads = [store.has("users", "a"), store.has("users", "b")];
    assertEquals(await Promise.all(reads), [false, true]);
    await Promise.all(writes);
  },

  "getMany gives the values that are there, in the order of the keys": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "b", "c", "d"]);
    await store.set("groups", "e", 1);
    const found = await store.getMany("users", ["d", "missing", "a", "e", "c"]);
    assertInstanceOf(found, Map);
    assertEquals([...found], [
      ["d", { of: "d" }],
      ["a", { of: "a" }],
      ["c", { of: "c" }],
    ]);
    assertEquals([...await store.getMany("none", ["a", "b"])], []);
  },

  "getMany of no keys gives nothing": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a"]);
    for (const keys of [[], new Set<string>(), new Map<string, 1>().keys()]) {
      assertEquals(await store.getMany("users", keys), new Map());
    }
  },

  "getMany gives a key that comes twice once, in its first place": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const keys = ["b", "none", "a", "b", "none", "a", "a"];
    assertEquals(
      [...(await store.getMany("users", keys)).keys()],
      ["b", "a"],
    );
  },

  "getMany takes any iterable of keys": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    function* generate(): Generator<string> {
      yield "b";
      yield "a";
    }
    const iterables: Record<string, Iterable<string>> = {
      array: ["b", "a"],
      set: new Set(["b", "a"]),
      "keys of a map": new Map([["b", 1], ["a", 2]]).keys(),
      generator: generate(),
    };
    for (const [what, keys] of Object.entries(iterables)) {
      const found = await store.getMany("users", keys);
      assertEquals([...found.keys()], ["b", "a"], what);
    }
  },

  "getMany reads the keys at the call": async (open) => {
    await using store = await open();
    // A write that waits keeps the read waiting.
    const write = fill(store, "users", ["a", "b"]);
    const keys = ["a"];
    const reading = store.getMany("users", keys);
    keys[0] = "b";
    keys.push("b");
    assertEquals([...(await reading).keys()], ["a"]);
    await write;
  },

  "getMany gives values of the caller's own": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { tags: ["a"] });
    const keys = ["alice"];
    const mine = await store.getMany("users", keys) as Map<
      string,
      { tags: string[] }
    >;
    mine.get("alice")!.tags.push("b");
    assertEquals([...await store.getMany("users", keys)], [
      ["alice", { tags: ["a"] }],
    ]);
  },

  "getMany of many thousand keys gives them in order": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(12_000);
    const even = keys.filter((_, n) => n % 2 === 0);
    await fillMany(store, "users", even, supports);
    const found = await store.getMany("users", keys.toReversed());
    assertEquals([...found.keys()], even.toReversed());
    for (const key of [even[0], even[3_000], even[5_999]]) {
      assertEquals(found.get(key), { of: key });
    }
  },

  "getMany is as of one moment": async (open, supports) => {
    await using store = await open();
    const keys = keysOfOneWrite(2_000, supports);
    const writing = (async () => {
      for (let n = 0; n < 15; n++) {
        await store.setAll("users", keys.map((key) => [key, n] as const));
      }
    })();
    for (let i = 0; i < 15; i++) {
      const found = await store.getMany("users", keys);
      assertLessOrEqual(new Set(found.values()).size, 1, "of two transactions");
      assertEquals(found.size % keys.length, 0);
    }
    await writing;
  },

  "C8 a long getMany lets the event loop turn": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(30_000);
    await fillMany(store, "users", keys, supports);
    await assertLoopTurns(() => store.getMany("users", keys));
  },

  "getMany with a name that cannot be one is an InvalidNameError": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a"]);
    const wrong = ["", "a\0", "\uD800", 1, null, undefined, Symbol("a"), {}];
    for (const key of wrong as string[]) {
      for (const keys of [[key], ["a", key], ["none", key, "a"]]) {
        await assertRejects(
          () => store.getMany("users", keys),
          InvalidNameError,
        );
      }
    }
    await assertRejects(() => store.getMany("", []), InvalidNameError);
  },

  "getMany of an invalid iterable is a TypeError": async (open) => {
    await using store = await open();
    const wrong = [undefined, null, 1, {}, () => [], Promise.resolve(["a"])];
    for (const keys of wrong as unknown as string[][]) {
      await assertRejects(() => store.getMany("users", keys), TypeError);
    }
  },

  "getMany rejects with the error of the iteration of its keys": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a"]);
    const broken = new Error("broken");
    function* generate(): Generator<string> {
      yield "a";
      throw broken;
    }
    await assertRejectsWith(
      () => store.getMany("users", generate()),
      broken,
      "getMany",
    );
    assertEquals((await store.getMany("users", ["a"])).size, 1);
  },
};
