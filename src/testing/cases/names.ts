/**
 * Tests of kinds and keys: invalid names, all others, and their order.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvalidNameError } from "../../contract/errors.ts";
import { callsWithKey, callsWithKind, streamCallsWithKind } from "../calls.ts";
import type { Cases, Open } from "../case.ts";
import { brief, fill, keysOf, next, take } from "../reading.ts";
import type { Manifest } from "../supports.ts";

/** Names that another part of the system could take for something special. */
const ODD_NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "'; DROP TABLE zestor_kv; --",
  '"quoted"',
  "%",
  "_",
  "*",
  "?1",
  "a/b",
  "../../etc/passwd",
  "a\\b",
  " ",
  " padded ",
  "line\nbreak\ttab",
  "\u{1}",
  "\u{7F}",
  "null",
  "0",
  "-1",
  "1e3",
  "0x10",
  "e\u{301}",
  "\u{E9}",
  "\u{FEFF}",
  "\u{FFFD}",
  "\u{FFFF}",
  "😀",
  "\u{10FFFF}",
  "K",
  "k",
];

/** Those, and two long ones that differ in their last character. */
function oddNames({ limits }: Manifest): string[] {
  // The tests' other names take up to 8 bytes.
  const length = Math.min(10_240, limits.nameBytes - 8);
  const beginning = "k".repeat(length - 1);
  return [...ODD_NAMES, `${beginning}k`, `${beginning}l`];
}

/** In the order of their UTF-8 bytes, which differs from the order of UTF-16. */
const ORDERED_NAMES = [
  "\u{1}",
  "0",
  "10",
  "2",
  "A",
  "B",
  "Z",
  "a",
  "a\u{1}",
  "a ",
  "a/b",
  "aa",
  "b",
  "\u{7F}",
  "\u{80}",
  "é",
  "\u{7FF}",
  "\u{800}",
  "\u{D7FF}",
  "\u{E000}",
  "\u{FFFD}",
  "\u{FFFF}",
  "\u{10000}",
  "😀",
  "\u{10FFFF}",
];

export const names: Cases = {
  "an empty kind or key is refused by every operation": (open) =>
    assertRefused(open, ""),

  "a kind or key with a NUL is refused by every operation": async (open) => {
    await assertRefused(open, "\0");
    await assertRefused(open, "a\0b");
  },

  "a kind or key with a lone surrogate is refused by every operation": async (
    open,
  ) => {
    await assertRefused(open, "\uD83D");
    await assertRefused(open, "a\uDE00");
    await assertRefused(open, "\uDE00\uD83D");
  },

  "a kind or key that is not a string is refused by every operation": async (
    open,
  ) => {
    for (const name of [1, null, undefined, {}]) {
      await assertRefused(open, name as unknown as string);
    }
  },

  "any other string is a key": async (open, supports) => {
    await using store = await open();
    const names = oddNames(supports);
    const events = store.watch("odd").getReader();
    for (const key of names) {
      const what = JSON.stringify(key.slice(0, 30));
      const { status } = await store.set("odd", key, { key });
      assertEquals(status, "created", what);
      assertEquals(brief([await next(events)]), [`create ${key}@1`], what);
      assertEquals(await store.get("odd", key), { key }, what);
      assertEquals(await store.keys("odd", { start: key, limit: 1 }), [key]);
    }
    const sorted = names.toSorted(byCodePoints);
    assertEquals(await store.keys("odd"), sorted);
    assertEquals([...(await store.list("odd")).keys()], sorted);
    for (const key of names) {
      assertEquals((await store.delete("odd", key))?.key, key);
      assertEquals(brief([await next(events)]), [`delete ${key}@1`]);
    }
    assertEquals(await store.count("odd"), 0);
  },

  "any other string is a kind": async (open, supports) => {
    await using store = await open();
    const names = oddNames(supports);
    for (const kind of names) {
      const events = store.watch(kind).getReader();
      await store.setAll(kind, [["key", { kind }]]);
      const what = JSON.stringify(kind.slice(0, 30));
      assertEquals((await next(events)).kind, kind, what);
      assertEquals([...await store.list(kind)], [["key", { kind }]], what);
      await events.cancel();
    }
    const sorted = names.toSorted(byCodePoints);
    assertEquals(await store.kinds(), sorted);
    const all = await store.getAll();
    assertEquals([...all.keys()], sorted);
    assertEquals(
      [...all.values()].map((entries) => entries.get("key")),
      sorted.map((kind) => ({ kind })),
    );
  },

  "keys are in the order of their UTF-8 bytes everywhere": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await fill(store, "users", ORDERED_NAMES.toReversed());
    assertEquals(await store.keys("users"), ORDERED_NAMES);
    assertEquals([...(await store.list("users")).keys()], ORDERED_NAMES);
    assertEquals(keysOf(await store.values("users")), ORDERED_NAMES);
    assertEquals(
      keysOf(await Array.fromAsync(store.entries("users"))),
      ORDERED_NAMES,
    );
    assertEquals(
      await store.keys("users", { reverse: true }),
      ORDERED_NAMES.toReversed(),
    );
    const all = await store.getAll();
    assertEquals([...all.get("users")?.keys() ?? []], ORDERED_NAMES);
    assertEquals(
      keysOf(await take(events, ORDERED_NAMES.length)),
      ORDERED_NAMES,
    );
    const replay = store.watch("users", { initial: true, bufferSize: 2 });
    assertEquals(
      keysOf(await take(replay.getReader(), ORDERED_NAMES.length)),
      ORDERED_NAMES,
    );
  },

  "kinds are in the order of their UTF-8 bytes": async (open) => {
    await using store = await open();
    await Promise.all(
      ORDERED_NAMES.toReversed().map((kind) => store.set(kind, "key", 1)),
    );
    assertEquals(await store.kinds(), ORDERED_NAMES);
    assertEquals([...(await store.getAll()).keys()], ORDERED_NAMES);
  },
};

/** The order of UTF-8 bytes is that of code points. */
function byCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((char, i) => char !== right[i]);
  if (at === -1) return left.length - right.length;
  if (at >= right.length) return 1;
  return left[at].codePointAt(0)! - right[at].codePointAt(0)!;
}

async function assertRefused(open: Open, name: string): Promise<void> {
  await using store = await open();
  for (const [operation, call] of Object.entries(callsWithKind)) {
    await assertRejects(
      () => call(store, { kind: name, key: "key" }),
      InvalidNameError,
      undefined,
      `kind in ${operation}`,
    );
  }
  for (const [operation, call] of Object.entries(callsWithKey)) {
    await assertRejects(
      () => call(store, { kind: "kind", key: name }),
      InvalidNameError,
      undefined,
      `key in ${operation}`,
    );
  }
  for (const [operation, call] of Object.entries(streamCallsWithKind)) {
    assertThrows(
      () => call(store, { kind: name, key: "key" }),
      InvalidNameError,
      undefined,
      `kind in ${operation}`,
    );
  }
  if (name !== undefined) {
    assertThrows(() => store.watch("kind", { key: name }), InvalidNameError);
  }
  assertEquals(await store.kinds(), []);
}
