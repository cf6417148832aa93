/**
 * Tests of `setAll`: its arguments and counts, that it is all or nothing, and
 * that a large one does not block the event loop (C8).
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { EntriesInput } from "../../contract/write.ts";
import { CodecError, InvalidNameError } from "../../contract/errors.ts";
import { type Cases, needing, needsChanges } from "../case.ts";
import {
  assertLoopTurns,
  assertRejectsWith,
  brief,
  fill,
  keysOf,
  next,
  numberedKey,
  numberedKeys,
  revisionsOf,
  take,
  turn,
} from "../reading.ts";
import { countInOneWrite, fillMany, keysOfOneWrite } from "../sizes.ts";

/** How many reads wait for one write, because a store on a server may take seconds for it. */
const MOST_READS = 500;

export const bulk: Cases = {
  "setAll takes a Map, pairs, a generator and an object": async (open) => {
    await using store = await open();
    function* generate(): Generator<[string, unknown]> {
      yield ["a", 1];
      yield ["b", 2];
    }
    const inputs: Record<string, EntriesInput<unknown>> = {
      map: new Map([["a", 1], ["b", 2]]),
      pairs: [["a", 1], ["b", 2]],
      set: new Set([["a", 1], ["b", 2]] as const),
      generator: generate(),
      object: { a: 1, b: 2 },
      bare: Object.assign(Object.create(null), { a: 1, b: 2 }),
    };
    for (const [kind, input] of Object.entries(inputs)) {
      const { revision: _, ...counts } = await store.setAll(kind, input);
      assertEquals(counts, { created: 2, updated: 0, unchanged: 0 }, kind);
      assertEquals([...await store.list(kind)], [["a", 1], ["b", 2]], kind);
    }
  },

  "setAll takes an object's own properties only": async (open) => {
    await using store = await open();
    const object = Object.create({ inherited: 1 });
    object.own = 1;
    await store.setAll("users", object);
    await store.setAll("users", JSON.parse('{ "__proto__": 2 }'));
    assertEquals([...await store.list("users")], [["__proto__", 2], [
      "own",
      1,
    ]]);
  },

  "setAll merges: keys that are not named stay": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    await store.setAll("users", { b: 2, c: 3 });
    assertEquals([...await store.list("users")], [
      ["a", { of: "a" }],
      ["b", 2],
      ["c", 3],
    ]);
  },

  "setAll counts created, updated and unchanged entries": async (open) => {
    await using store = await open();
    const { revision } = await store.setAll("users", { a: 1, b: 1, c: 1 });
    assertEquals(
      await store.setAll("users", { a: 1, b: 2, c: 1, d: 1, e: 1, f: 1 }),
      { created: 3, updated: 1, unchanged: 2, revision: revision + 4 },
    );
  },

  "setAll of nothing does nothing": async (open) => {
    await using store = await open();
    const nothing = { created: 0, updated: 0, unchanged: 0, revision: 0 };
    assertEquals(await store.setAll("users", []), nothing);
    assertEquals(await store.setAll("users", {}), nothing);
    assertEquals(await store.setAll("users", new Map()), nothing);
    assertEquals(await store.kinds(), []);
  },

  "setAll: of a key that comes twice, the last value counts": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const result = await store.setAll("users", [
      ["a", 1],
      ["b", 1],
      ["a", 2],
      ["a", 3],
    ]);
    const seen = await take(events, 2);
    assertEquals(brief(seen), ["create a@1", "create b@1"]);
    assertEquals(result, {
      created: 2,
      updated: 0,
      unchanged: 0,
      revision: seen[1].revision,
    });
    assertEquals((await store.entry("users", "a"))?.version, 1);
    assertEquals(await store.get("users", "a"), 3);

    const { revision } = await store.set("users", "c", 1);
    assertEquals((await next(events)).revision, revision);
    assertEquals(
      await store.setAll("users", [["a", 9], ["a", 3]]),
      { created: 0, updated: 0, unchanged: 1, revision },
    );
  },

  "setAll: the last value counts among many, too": async (open, supports) => {
    await using store = await open();
    const count = countInOneWrite(10_002, supports) - 2;
    const pairs = numberedKeys(count).map((key) => [key, 1] as const);
    const middle = numberedKey(Math.floor(count / 2));
    const result = await store.setAll("users", [
      ...pairs,
      [numberedKey(0), 2],
      [middle, 2],
    ]);
    assertEquals([result.created, result.updated], [count, 0]);
    const entry = await store.entry("users", numberedKey(0));
    assertEquals([entry?.value, entry?.version], [2, 1]);
    assertEquals(await store.get("users", middle), 2);
  },

  "setAll writes the values as they are at the call": async (open) => {
    await using store = await open();
    const value = { n: 1 };
    const input = new Map<string, unknown>([["a", value]]);
    const write = store.setAll("users", input);
    value.n = 2;
    input.set("b", 1);
    await write;
    assertEquals([...await store.list("users")], [["a", { n: 1 }]]);
  },

  "setAll gives its events in key order": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const ordered = ["A", "a", "aa", "z", "é", "\u{FFFD}", "\u{10000}", "😀"];
    await store.set("users", "z", 1);
    await next(events);
    await store.setAll(
      "users",
      ordered.toReversed().map((key) => [key, 2] as const),
    );
    const seen = await take(events, ordered.length);
    assertEquals(keysOf(seen), ordered);
    assertEquals(
      revisionsOf(seen),
      ordered.map((_, i) => seen[0].revision + i),
    );
    assertEquals(seen[3].type, "update");
  },

  "C2 a setAll with a value that cannot be encoded writes nothing": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await assertRejects(
      () => store.setAll("users", [["a", 1], ["culprit", undefined], ["c", 1]]),
      CodecError,
      "culprit",
    );
    const many = keysOfOneWrite(20_000, supports);
    const culprit = Math.floor(many.length * 0.75);
    await assertRejects(
      () =>
        store.setAll(
          "users",
          many.map((key, i) => [key, i === culprit ? undefined : i] as const),
        ),
      CodecError,
      many[culprit],
    );
    assertEquals(await store.count("users"), 0);
  },

  "C2 a setAll with a key that cannot be one writes nothing": async (open) => {
    await using store = await open();
    for (const key of ["", "a\0", "\uD800"]) {
      await assertRejects(
        () => store.setAll("users", [["a", 1], [key, 1], ["c", 1]]),
        InvalidNameError,
      );
    }
    await assertRejects(
      () => store.setAll("users", { a: 1, "": 1 }),
      InvalidNameError,
    );
    assertEquals(await store.count("users"), 0);
  },

  "C2 a setAll writes nothing if its entries throw": async (open, supports) => {
    await using store = await open();
    const broken = new Error("broken");
    function* generate(count: number): Generator<[string, unknown]> {
      for (const key of numberedKeys(count)) yield [key, 1];
      throw broken;
    }
    for (const count of [2, countInOneWrite(20_000, supports)]) {
      await assertRejectsWith(
        () => store.setAll("users", generate(count)),
        broken,
        `setAll of ${count} entries, then an error`,
      );
    }
    assertEquals(await store.count("users"), 0);
  },

  "C4 a setAll whose last entry is refused fails alone, of whatever size":
    async (open, supports) => {
      const broken = new Error("No");
      const equals = (_kind: string, _previous: unknown, next: unknown) => {
        if (next === "refused") throw broken;
        return false;
      };
      const sizes = [3, 100, 101, 5_000].map((size) =>
        countInOneWrite(size, supports)
      );
      for (const count of new Set(sizes)) {
        await using store = await open({ equals });
        await store.set("users", "last", 1);
        const keys = numberedKeys(count - 1);
        const entries = keys.map((key) => [key, key] as const);
        const outcomes = await Promise.allSettled([
          store.set("users", "before", 2),
          store.setAll("users", [...entries, ["last", "refused"]]),
          store.set("users", "other", 3),
        ]);
        const what = `setAll of ${count} entries`;
        assertEquals(outcomes[1], { status: "rejected", reason: broken }, what);
        assertEquals(
          [...await store.list("users")],
          [["before", 2], ["last", 1], ["other", 3]],
          what,
        );
        // An undone write has no revision.
        assertEquals((await store.set("users", "next", 4)).revision, 4, what);
      }
    },

  "C2 a setAll is read whole or not at all": async (open, supports) => {
    await using store = await open();
    const keys = keysOfOneWrite(20_000, supports);
    const counts: number[] = [await store.count("users")];
    let done = false;
    const writing = fill(store, "users", keys).finally(() => done = true);
    const reads: Promise<unknown>[] = [];
    while (!done) {
      if (reads.length < MOST_READS) {
        reads.push(store.count("users").then((count) => counts.push(count)));
      }
      await turn();
    }
    await writing;
    await Promise.all(reads);
    assertEquals([...new Set(counts)].sort((a, b) => a - b), [0, keys.length]);
  },

  "C2 a setAll is watched whole": async (open, supports) => {
    await using store = await open({ history: 50_000 });
    const keys = keysOfOneWrite(20_000, supports);
    const events = store.watch("users").getReader();
    const seen = take(events, keys.length + 2);
    const writing = [
      store.set("users", "before", 1),
      fill(store, "users", keys),
      store.set("users", "after", 1),
    ];
    const all = keysOf(await seen);
    assertEquals(all, ["before", ...keys, "after"]);
    await Promise.all(writing);
  },

  ...needing(needsChanges(100_000), {
    "C8 a setAll of 100 000 entries keeps the event loop turning": async (
      open,
    ) => {
      await using store = await open();
      const keys = numberedKeys(100_000);
      await assertLoopTurns(async () => {
        const result = await store.setAll(
          "users",
          keys.map((key, i) => [key, i] as const),
        );
        assertEquals(result.created, keys.length);
      });
      assertEquals(await store.count("users"), keys.length);
      assertEquals(await store.get("users", numberedKey(99_999)), 99_999);
    },
  }),

  "C8 reading 30 000 entries keeps the event loop turning": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(30_000);
    await fillMany(store, "users", keys, supports);
    await assertLoopTurns(async () => {
      let count = 0;
      for await (const _ of store.entries("users")) count++;
      assertEquals(count, keys.length);
    });
  },
};
