/**
 * Tests of the operations that read: `get`, `entry`, `list`, `keys`, `values`,
 * `count`, `entries`, `kinds`, `getAll`.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLessOrEqual,
} from "@std/assert";
import { StoreClosedError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  assertRejectsWith,
  drain,
  fill,
  keysOf,
  next,
  numberedKey,
  numberedKeys,
} from "../reading.ts";
import { fillMany, keysOfOneWrite, textOfBytes } from "../sizes.ts";

export const reads: Cases = {
  "get returns the value, or undefined if there is no entry": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    assertEquals(await store.get("users", "alice"), { n: 1 });
    assertEquals(await store.get("users", "bob"), undefined);
    assertEquals(await store.get("groups", "alice"), undefined);
  },

  "get gives back every kind of value as it was": async (open, supports) => {
    await using store = await open();
    const values = [
      null,
      false,
      0,
      -1.5,
      Number.MAX_SAFE_INTEGER,
      1e300,
      "",
      "NUL \0, quote ', emoji 😀, \u2028",
      [],
      {},
      { deep: [{ er: [null, [1, "2"]] }], "": { "__proto__x": 1 } },
      textOfBytes(Math.min(1_000_000, supports.limits.valueBytes)),
    ];
    await Promise.all(
      values.map((value, i) => store.set("values", numberedKey(i), value)),
    );
    for (const [i, value] of values.entries()) {
      assertEquals(await store.get("values", numberedKey(i)), value);
    }
    assertEquals([...(await store.list("values")).values()], values);
  },

  "get gives a value of the caller's own": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { tags: ["a"] });
    const mine = await store.get("users", "alice") as { tags: string[] };
    mine.tags.push("b");
    assertEquals(await store.get("users", "alice"), { tags: ["a"] });
  },

  "entry gives the value with its version, revision and time": async (open) => {
    await using store = await open();
    const before = Date.now();
    await store.set("users", "alice", { n: 1 });
    const { revision } = await store.set("users", "alice", { n: 2 });
    const after = Date.now();

    const entry = await store.entry("users", "alice");
    assert(entry);
    const { updatedAt, ...rest } = entry;
    assertEquals(rest, {
      key: "alice",
      value: { n: 2 },
      version: 2,
      revision,
    });
    assertInstanceOf(updatedAt, Date);
    assertGreaterOrEqual(updatedAt.getTime(), before);
    assertLessOrEqual(updatedAt.getTime(), after);
    assertEquals(await store.entry("users", "bob"), undefined);
  },

  "list gives the values by key, in key order": async (open) => {
    await using store = await open();
    await fill(store, "users", ["b", "c", "a"]);
    const list = await store.list("users");
    assertInstanceOf(list, Map);
    assertEquals([...list], [
      ["a", { of: "a" }],
      ["b", { of: "b" }],
      ["c", { of: "c" }],
    ]);
    assertEquals(await store.list("groups"), new Map());
  },

  "keys gives the keys, in order": async (open) => {
    await using store = await open();
    await fill(store, "users", ["b", "c", "a"]);
    assertEquals(await store.keys("users"), ["a", "b", "c"]);
    assertEquals(await store.keys("groups"), []);
  },

  "values gives keys with their values, in key order": async (open) => {
    await using store = await open();
    await fill(store, "users", ["b", "a"]);
    assertEquals(await store.values("users"), [
      { key: "a", value: { of: "a" } },
      { key: "b", value: { of: "b" } },
    ]);
    assertEquals(await store.values("groups"), []);
  },

  "count gives the number of entries": async (open) => {
    await using store = await open();
    await fill(store, "users", ["b", "c", "a"]);
    await store.delete("users", "b");
    assertEquals(await store.count("users"), 2);
    assertEquals(await store.count("groups"), 0);
  },

  "entries streams the results of entry, in key order": async (open) => {
    await using store = await open();
    await fill(store, "users", ["b", "c", "a"]);
    await store.set("users", "b", { n: 2 });
    const stream = store.entries("users");
    assertInstanceOf(stream, ReadableStream);
    assertEquals(await Array.fromAsync(stream), [
      await store.entry("users", "a"),
      await store.entry("users", "b"),
      await store.entry("users", "c"),
    ]);
    assertEquals(await Array.fromAsync(store.entries("groups")), []);
  },

  "entries streams a kind of many pages": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(10_000);
    await fillMany(store, "users", keys, supports);
    const forward = await Array.fromAsync(store.entries("users"));
    assertEquals(keysOf(forward), keys);
    const backward = store.entries("users", { reverse: true });
    assertEquals(keysOf(await Array.fromAsync(backward)), keys.toReversed());
    const some = store.entries("users", {
      start: keys[3],
      where: (key) => key.endsWith("3"),
      limit: 900,
    });
    const threes = keys.filter((key) => key.endsWith("3")).slice(0, 900);
    assertEquals(keysOf(await Array.fromAsync(some)), threes);
  },

  "entries gives each entry once while they change": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(3_000);
    await fillMany(store, "users", keys, supports);
    const seen: string[] = [];
    for await (const { key } of store.entries("users")) {
      seen.push(key);
      if (seen.length % 500 !== 1) continue;
      await store.set("users", key, { changed: true });
      await store.set("users", `${key}+`, { new: true });
      await store.delete("users", numberedKey(seen.length + 100));
      await store.set("users", numberedKey(seen.length + 200), { n: 1 });
    }
    assertEquals(seen, [...new Set(seen)].sort(), "ascending, each once");
    const deleted = new Set(
      [0, 500, 1000, 1500, 2000, 2500].map((n) => numberedKey(n + 101)),
    );
    const stayed = keys.filter((key) => !deleted.has(key));
    const got = new Set(seen);
    assertEquals(stayed.filter((key) => !got.has(key)), []);
  },

  "entries can be left in the middle": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(3_000), supports);
    for await (const { key } of store.entries("users")) {
      assertEquals(key, numberedKey(0));
      break;
    }
    const reader = store.entries("users").getReader();
    await next(reader);
    await reader.cancel();
    await assertEnded(reader);
    assertEquals(await store.count("users"), 3_000);
  },

  "entries errors with the error of where": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const broken = new Error("broken");
    const stream = store.entries("users", {
      where: (key) => {
        if (key === "b") throw broken;
        return true;
      },
    });
    await assertRejectsWith(
      () => Array.fromAsync(stream),
      broken,
      "entries with a where that throws",
    );
  },

  "entries never ends early because the store closes": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(5_000);
    await fillMany(store, "users", keys, supports);
    const reader = store.entries("users").getReader();
    const first = await next(reader);
    await store.close();
    const { chunks, error } = await drain(reader);
    const seen = keysOf([first, ...chunks]);
    assertEquals(seen, keys.slice(0, seen.length));
    if (error === undefined) assertEquals(seen.length, keys.length);
    else assertInstanceOf(error, StoreClosedError);
  },

  "kinds gives the kinds that have entries, in order": async (open) => {
    await using store = await open();
    assertEquals(await store.kinds(), []);
    await fill(store, "users", ["a", "b"]);
    await fill(store, "groups", ["a"]);
    await fill(store, "empty", ["a"]);
    await store.delete("empty", "a");
    assertEquals(await store.kinds(), ["groups", "users"]);
  },

  "getAll gives everything, by kind, then by key": async (open) => {
    await using store = await open();
    assertEquals(await store.getAll(), new Map());
    await fill(store, "users", ["b", "a"]);
    await fill(store, "groups", ["c"]);
    const all = await store.getAll();
    assertInstanceOf(all, Map);
    assertEquals([...all.keys()], ["groups", "users"]);
    assertEquals([...all.get("users") ?? []], [
      ["a", { of: "a" }],
      ["b", { of: "b" }],
    ]);
    assertEquals([...all.get("groups") ?? []], [["c", { of: "c" }]]);
  },

  "reads of one kind see nothing of another": async (open) => {
    await using store = await open();
    await store.set("a", "same", { in: "a" });
    await store.set("ab", "same", { in: "ab" });
    await store.delete("a", "same");
    assertEquals(await store.keys("a"), []);
    assertEquals(await store.get("ab", "same"), { in: "ab" });
  },

  "reads reject with the error of where": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a"]);
    const broken = new Error("broken");
    const where = () => {
      throw broken;
    };
    for (const read of ["list", "keys", "values", "count"] as const) {
      await assertRejectsWith(
        () => store[read]("users", { where }),
        broken,
        read,
      );
    }
    assertEquals(await store.count("users"), 1, "the store goes on");
  },

  "reads of a kind are as of one moment": async (open, supports) => {
    await using store = await open();
    const keys = keysOfOneWrite(50, supports);
    const writing = (async () => {
      for (let n = 0; n < 40; n++) {
        await store.setAll("users", keys.map((key) => [key, n] as const));
      }
    })();
    for (let i = 0; i < 40; i++) {
      const values = new Set((await store.list("users")).values());
      assertLessOrEqual(values.size, 1, "values of two transactions");
    }
    await writing;
  },
};
