/**
 * Tests of the range options, each in every operation that takes a range.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { RangeOptions, Store } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { fill, keysOf, numberedKeys } from "../reading.ts";
import { fillMany } from "../sizes.ts";

const KEYS = ["a", "a/1", "a/2", "a0", "b", "b/1", "c"];

export const ranges: Cases = {
  "range prefix: the keys that begin with it": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { prefix: "a/" }, ["a/1", "a/2"]);
    await assertInRange(store, { prefix: "b" }, ["b", "b/1"]);
    await assertInRange(store, { prefix: "A" }, []);
    await assertInRange(store, { prefix: "d" }, []);
    await assertInRange(store, { prefix: "" }, KEYS);
  },

  "range prefix: no character is a wildcard": async (open) => {
    await using store = await open();
    const keys = ["a%b", "a*b", "a?b", "aXb", "a[b", "a\\b", "a_b"];
    await fill(store, "files", keys);
    for (const key of keys) {
      await assertInRange(store, { prefix: key }, [key]);
      await assertInRange(store, { prefix: key.slice(0, 2) }, [key]);
    }
  },

  "range prefix: up to the last code point": async (open) => {
    await using store = await open();
    const keys = [
      "\u{D7FE}\u{10FFFF}",
      "\u{D7FF}",
      "\u{D7FF}\u{10FFFF}",
      "\u{E000}",
      "\u{FFFE}z",
      "\u{FFFF}",
      "\u{FFFF}a",
      "\u{10000}",
      "😀",
      "😀a",
      "😁",
      "\u{10FFFE}z",
      "\u{10FFFF}",
      "\u{10FFFF}a",
      "\u{10FFFF}\u{10FFFF}",
      "\u{10FFFF}\u{10FFFF}z",
    ];
    await fill(store, "files", keys);
    for (const prefix of new Set(keys)) {
      const expected = keys.filter((key) => key.startsWith(prefix));
      await assertInRange(store, { prefix }, expected);
      await assertInRange(
        store,
        { prefix, reverse: true },
        expected.toReversed(),
      );
    }
  },

  "range start: from this key on, inclusive": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { start: "a0" }, ["a0", "b", "b/1", "c"]);
    await assertInRange(store, { start: "b0" }, ["c"]);
    await assertInRange(store, { start: "d" }, []);
  },

  "range startAfter: from the key after this one on": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { startAfter: "a0" }, ["b", "b/1", "c"]);
    await assertInRange(store, { startAfter: "b0" }, ["c"]);
    await assertInRange(store, { startAfter: "c" }, []);
    await assertInRange(store, { startAfter: "" }, KEYS);
    await assertInRange(store, { startAfter: "a/1", end: "b" }, ["a/2", "a0"]);
    await assertInRange(store, { startAfter: "b", end: "b" }, []);
    await assertInRange(store, { startAfter: "b", end: "b/1" }, []);
    await assertInRange(store, { startAfter: "a", reverse: true, limit: 3 }, [
      "c",
      "b/1",
      "b",
    ]);
    await assertInRange(store, { startAfter: "a", limit: 1 }, ["a/1"]);
    await assertInRange(store, { prefix: "a", startAfter: "a/1" }, [
      "a/2",
      "a0",
    ]);
    await assertInRange(store, { prefix: "b", startAfter: "a" }, ["b", "b/1"]);
    await assertInRange(store, { prefix: "b", startAfter: "b" }, ["b/1"]);
    await assertInRange(
      store,
      { prefix: "a", startAfter: "a", end: "a0", reverse: true },
      ["a/2", "a/1"],
    );
    await assertInRange(store, { prefix: "a", startAfter: "b" }, []);
  },

  "range startAfter: leaves out no key that follows closely": async (open) => {
    await using store = await open();
    const keys = ["a", "a\u{1}", "a\u{1}\u{1}", "a ", "aa", "\u{FFFF}"]
      .concat("\u{FFFF}\u{1}", "\u{10000}", "\u{10FFFF}", "\u{10FFFF}a");
    await fill(store, "files", keys);
    for (const [n, startAfter] of keys.entries()) {
      const after = keys.slice(n + 1);
      await assertInRange(store, { startAfter }, after);
      await assertInRange(
        store,
        { startAfter, reverse: true },
        after.toReversed(),
      );
    }
  },

  "range startAfter: pages through a kind while it changes": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(1_000);
    await fillMany(store, "files", keys, supports);
    const seen: string[] = [];
    for (;;) {
      const startAfter = seen.at(-1);
      const page = await store.keys("files", { startAfter, limit: 64 });
      if (page.length === 0) break;
      seen.push(...page);
      // The last key of a page may be gone already.
      await store.delete("files", page.at(-1)!);
    }
    assertEquals(seen, keys);
  },

  "range end: up to this key, exclusive": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { end: "a/2" }, ["a", "a/1"]);
    await assertInRange(store, { end: "a" }, []);
    await assertInRange(store, { end: "d" }, KEYS);
    await assertInRange(store, { start: "a/2", end: "b/" }, [
      "a/2",
      "a0",
      "b",
    ]);
    await assertInRange(store, { start: "b", end: "b" }, []);
  },

  "range start and end are in the order of UTF-8 bytes": async (open) => {
    await using store = await open();
    const keys = ["z", "\u{FFFD}", "\u{10000}"];
    await fill(store, "files", keys);
    await assertInRange(store, { start: "\u{FFFD}" }, keys.slice(1));
    await assertInRange(store, { start: "\u{10000}" }, keys.slice(2));
    await assertInRange(store, { end: "\u{10000}" }, keys.slice(0, 2));
    await assertInRange(store, { start: "\u{FFFD}", end: "\u{10000}" }, [
      "\u{FFFD}",
    ]);
  },

  "range limit: at most so many": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { limit: 0 }, []);
    await assertInRange(store, { limit: 2 }, ["a", "a/1"]);
    await assertInRange(store, { limit: 100 }, KEYS);
    await assertInRange(store, { limit: Infinity }, KEYS);
  },

  "range reverse: from the last key to the first": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { reverse: true }, KEYS.toReversed());
    await assertInRange(store, { reverse: false }, KEYS);
    await assertInRange(store, { reverse: true, limit: 2 }, ["c", "b/1"]);
  },

  "range where: the entries for which it returns true": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    await assertInRange(store, { where: (key) => key.length === 1 }, [
      "a",
      "b",
      "c",
    ]);
    await assertInRange(
      store,
      { where: (_, value) => (value as { of: string }).of === "b/1" },
      ["b/1"],
    );
    await assertInRange(store, { where: () => false }, []);
  },

  "range options hold together, and limit counts last": async (open) => {
    await using store = await open();
    await fill(store, "files", KEYS);
    const where = (key: string) => key.includes("/");
    await assertInRange(store, { where, limit: 2 }, ["a/1", "a/2"]);
    await assertInRange(store, { where, limit: 2, reverse: true }, [
      "b/1",
      "a/2",
    ]);
    await assertInRange(store, { prefix: "a", start: "a/2" }, ["a/2", "a0"]);
    await assertInRange(store, { prefix: "a", end: "a/2" }, ["a", "a/1"]);
    await assertInRange(store, { prefix: "a", start: "b" }, []);
    await assertInRange(store, { prefix: "b", end: "a0" }, []);
    await assertInRange(
      store,
      { prefix: "a", start: "a/", end: "a1", where, reverse: true, limit: 1 },
      ["a/2"],
    );
  },
};

async function assertInRange(
  store: Store,
  range: RangeOptions,
  expected: string[],
): Promise<void> {
  const { where: _, ...shown } = range;
  const what = (read: string) => `${read} with ${JSON.stringify(shown)}`;

  assertEquals(await store.keys("files", range), expected, what("keys"));
  assertEquals(
    [...(await store.list("files", range)).keys()],
    expected,
    what("list"),
  );
  assertEquals(
    keysOf(await store.values("files", range)),
    expected,
    what("values"),
  );
  assertEquals(
    keysOf(await Array.fromAsync(store.entries("files", range))),
    expected,
    what("entries"),
  );
  assertEquals(
    await store.count("files", range),
    expected.length,
    what("count"),
  );
}
