/**
 * Tests of a store's limits: a write beyond a limit is refused and writes
 * nothing, the largest possible write succeeds, and other writes are not
 * affected (C4).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { StoreError } from "../../contract/errors.ts";
import { type Cases, needing, needsLimit, type Open } from "../case.ts";
import { brief, keysOf, next, numberedKeys, take } from "../reading.ts";
import { nameOfBytes, textOfBytes } from "../sizes.ts";

/** Writes, by description. */
type Writes = Record<string, (store: Store) => Promise<unknown>>;

/** Every operation that writes an entry. The atomic one may throw or reject. */
function writesOf(kind: string, key: string, value: unknown): Writes {
  return {
    set: (store) => store.set(kind, key, value),
    setAll: (store) => store.setAll(kind, [["beside", 1], [key, value]]),
    "setAll of an object": (store) =>
      store.setAll(kind, { beside: 1, [key]: value }),
    update: (store) => store.update(kind, key, () => value, { initial: 1 }),
    atomic: async (store) =>
      await store.atomic().set("users", "beside", 1).set(kind, key, value)
        .commit(),
    "atomic update": async (store) =>
      await store.atomic().set("users", "beside", 1)
        .update(kind, key, () => value, { initial: 1 }).commit(),
    "kind: set": async (store) => await store.kind(kind).set(key, value),
  };
}

/** Every operation that makes many changes. */
function manyChanges(keys: readonly string[]): Writes {
  return {
    setAll: (store) => store.setAll("users", keys.map((key) => [key, 1])),
    "setAll of an object": (store) =>
      store.setAll("users", Object.fromEntries(keys.map((key) => [key, 1]))),
    atomic: async (store) => {
      const operation = store.atomic();
      for (const key of keys) operation.set("users", key, 1);
      return await operation.commit();
    },
  };
}

export const limits: Cases = {
  ...needing(needsLimit("nameBytes"), {
    "C4 a kind and key past the limit of names are refused alone, with TOO_LARGE":
      async (
        open,
        { limits: { nameBytes } },
      ) => {
        const kind = "users";
        const long = nameOfBytes(nameBytes - kind.length + 1);
        await assertTooLarge(open, writesOf(kind, long, 1), nameBytes);
        const longKind = nameOfBytes(nameBytes - "key".length + 1);
        await assertTooLarge(open, writesOf(longKind, "key", 1), nameBytes);
      },

    "the longest kind and key that fit are written": async (
      open,
      { limits: { nameBytes } },
    ) => {
      const kind = "users";
      const long = nameOfBytes(nameBytes - kind.length);
      const longKind = nameOfBytes(nameBytes - "beside".length);
      for (
        const [kind_, key] of [[kind, long], [longKind, "a"]] as const
      ) {
        for (const [what, write] of Object.entries(writesOf(kind_, key, 7))) {
          await using store = await open();
          const events = store.watch(kind_, { key }).getReader();
          await write(store);
          assertEquals(await store.get(kind_, key), 7, what);
          assertEquals((await next(events)).key, key, what);
        }
      }
    },
  }),

  ...needing(needsLimit("valueBytes"), {
    "C4 a value past the limit of values is refused alone, with TOO_LARGE":
      async (
        open,
        { limits: { valueBytes } },
      ) => {
        const large = textOfBytes(valueBytes + 1);
        await assertTooLarge(open, writesOf("users", "key", large), valueBytes);
      },

    "the largest value that fits is written": async (
      open,
      { limits: { valueBytes } },
    ) => {
      const large = textOfBytes(valueBytes);
      const writes = writesOf("users", "key", large);
      for (const [what, write] of Object.entries(writes)) {
        await using store = await open();
        const events = store.watch("users", { key: "key" }).getReader();
        await write(store);
        assert(await store.get("users", "key") === large, what);
        assert((await next(events)).value === large, what);
      }
    },
  }),

  ...needing(needsLimit("changes"), {
    "C4 more changes than the limit of a write are refused alone, with TOO_LARGE":
      async (
        open,
        { limits: { changes } },
      ) => {
        const writes = manyChanges(numberedKeys(changes + 1));
        await assertTooLarge(open, writes, changes);
      },

    "as many changes as fit in one write are written": async (
      open,
      { limits: { changes } },
    ) => {
      const keys = numberedKeys(changes);
      for (const [what, write] of Object.entries(manyChanges(keys))) {
        await using store = await open();
        const events = store.watch("users").getReader();
        await write(store);
        assertEquals(await store.keys("users"), keys, what);
        assertEquals(keysOf(await take(events, changes)), keys, what);
      }
    },
  }),
};

/**
 * Asserts that each write is refused for its size, writes nothing, and does not
 * fail the writes that are called with it.
 */
async function assertTooLarge(
  open: Open,
  writes: Writes,
  limit: number,
): Promise<void> {
  await using store = await open();
  const events = store.watch("users").getReader();
  const { revision } = await store.set("users", "before", 1);
  await next(events);
  let neighbours = 0;
  const neighbour = () => store.set("users", `neighbour ${neighbours++}`, 1);
  const outcomes = await Promise.allSettled(
    Object.values(writes).flatMap((write) => [write(store), neighbour()]),
  );
  for (const [i, what] of Object.keys(writes).entries()) {
    const [refused, beside] = outcomes.slice(2 * i, 2 * i + 2);
    assertEquals(beside.status, "fulfilled", `beside ${what}`);
    assert(refused.status === "rejected", what);
    const { reason } = refused;
    assertInstanceOf(reason, StoreError, what);
    assertEquals(reason.code as string, "TOO_LARGE", what);
    assertStringIncludes(reason.message, String(limit), what);
  }
  const seen = await take(events, neighbours);
  assertEquals(
    brief(seen),
    Array.from({ length: neighbours }, (_, n) => `create neighbour ${n}@1`),
  );
  const probe = await store.set("users", "probe", 1);
  assertEquals(probe.revision, revision + neighbours + 1);
  assertEquals(await store.kinds(), ["users"]);
  assertEquals(await store.count("users"), neighbours + 2);
}
