/**
 * Tests of mirrors with `where` and `sortBy`: the filtered, sorted list, and
 * the patches of an equal list.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Mirror, MirrorOptions, SortKey } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import {
  briefPatches,
  keysAfter,
  PatchedList,
  patchesUpTo,
} from "../mirrors.ts";
import { next } from "../reading.ts";

type User = { age: number; name?: string };

const ageOf = (_key: string, value: unknown) => (value as User).age;

export const liveQueries: Cases = {
  "mirror where: only the accepted entries": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: { age: 17 }, b: { age: 18 } });
    await using adults = await store.mirror("users", {
      where: (key, value) => key !== "x" && ageOf(key, value) >= 18,
    });
    assertEquals([...adults.keys()], ["b"]);
    assertEquals([adults.has("a"), adults.get("a")], [false, undefined]);
    const changes = adults.changes().getReader();
    const steps: [string, number, string[]][] = [
      ["a", 18, ["entered a"]],
      ["a", 19, ["changed a"]],
      ["b", 3, ["left b"]],
      ["c", 20, ["entered c after a"]],
    ];
    for (const [key, age, told] of steps) {
      await store.set("users", key, { age });
      assertEquals(briefPatches((await next(changes)).patches), told);
    }
    await store.set("users", "b", { age: 4 });
    await store.set("users", "x", { age: 99 });
    await store.delete("users", "b");
    const { deleteRevision } = (await store.delete("users", "c"))!;
    await adults.reached(deleteRevision);
    assertEquals(await patchesUpTo(changes, deleteRevision), [
      { type: "left", key: "c", value: { age: 20 } },
    ]);
  },

  "mirror sortBy: the order, and moved entries": async (open) => {
    await using store = await open();
    await store.setAll("users", {
      a: { age: 30 },
      b: { age: 10 },
      c: { age: 20 },
      d: { age: 20 },
    });
    await using byAge = await store.mirror("users", { sortBy: ageOf });
    assertEquals([...byAge.keys()], ["b", "c", "d", "a"]);
    assertEquals([...byAge.values()].map((user) => (user as User).age), [
      10,
      20,
      20,
      30,
    ]);
    const changes = byAge.changes().getReader();
    const steps: [string, User, string[]][] = [
      ["b", { age: 25 }, ["moved b after d"]],
      ["a", { age: 5 }, ["moved a"]],
      ["b", { age: 26 }, ["changed b"]],
      ["c", { age: 20, name: "C" }, ["changed c"]],
      ["e", { age: 20 }, ["entered e after d"]],
      ["a", { age: 99 }, ["moved a after b"]],
    ];
    for (const [key, user, told] of steps) {
      await store.set("users", key, user);
      assertEquals(briefPatches((await next(changes)).patches), told, key);
    }
    assertEquals([...byAge.keys()], ["c", "d", "e", "b", "a"]);
  },

  "mirror reverse: from the last to the first, also by key": async (open) => {
    await using store = await open();
    await store.setAll("users", {
      a: { age: 1 },
      b: { age: 2 },
      c: { age: 2 },
    });
    await using byKey = await store.mirror("users", { reverse: true });
    assertEquals([...byKey.keys()], ["c", "b", "a"]);
    await using byAge = await store.mirror("users", {
      sortBy: ageOf,
      reverse: true,
    });
    assertEquals([...byAge.keys()], ["c", "b", "a"]);
    const changes = byKey.changes().getReader();
    assertEquals(
      await keysAfter(byAge, store.set("users", "aa", { age: 3 })),
      ["aa", "c", "b", "a"],
    );
    assertEquals(briefPatches((await next(changes)).patches), [
      "entered aa after b",
    ]);
  },

  "mirror sortBy: every value has its place": async (open) => {
    await using store = await open();
    const inOrder: SortKey[] = [
      undefined,
      false,
      true,
      NaN,
      -Infinity,
      -1,
      0,
      1n,
      1.5,
      2n ** 70n,
      Infinity,
      new Date(0),
      new Date(1),
      "",
      "B",
      "a",
      "\u{FFFD}",
      "\u{10000}",
      [],
      [1],
      [1, "a"],
      [1, "b"],
      [2],
      ["a", [1, null]],
      ["a", [1, true]],
    ];
    // A stride that is coprime to the count visits all of them.
    const shuffled = inOrder.map((_, n) => (n * 7) % inOrder.length);
    await store.setAll("n", shuffled.map((n) => [`${n}`, n] as const));
    await using sorted = await store.mirror("n", {
      sortBy: (_key, n) => inOrder[n as number],
    });
    assertEquals([...sorted.values()], inOrder.map((_, n) => n));
  },

  "mirror where, sortBy: see each value frozen": async (open) => {
    await using store = await open();
    await store.set("users", "a", { age: 1 });
    const change = (_key: string, value: unknown) => {
      (value as User).age = 2;
      return true;
    };
    await assertRejects(
      () => store.mirror("users", { where: change }),
      TypeError,
    );
    await assertRejects(
      () => store.mirror("users", { sortBy: change }),
      TypeError,
    );
  },

  "mirror where, sortBy: their errors, at first and later": async (open) => {
    await using store = await open();
    const reason = new Error("no");
    const fail = (key: string) => {
      if (key === "bad") throw reason;
      return true;
    };
    for (const name of ["where", "sortBy"] as const) {
      await store.set("users", "bad", 1);
      const error = await assertRejects(() =>
        store.mirror("users", { [name]: fail })
      );
      assertStrictEquals(error, reason, name);
      await store.delete("users", "bad");
      await using mirror = await store.mirror("users", { [name]: fail });
      await store.set("users", "bad", 1);
      await assertFails(mirror, reason);
    }
  },

  "mirror where, sortBy: an invalid result is a TypeError": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const wrong: unknown[] = [
      { where: () => 1 },
      { where: () => undefined },
      { where: () => Promise.resolve(true) },
      { sortBy: () => ({}) },
      { sortBy: () => Symbol("a") },
      { sortBy: () => Promise.resolve(1) },
      { sortBy: () => [1, [{}]] },
      { sortBy: () => () => 1 },
    ];
    for (const options of wrong) {
      await assertRejects(
        () => store.mirror("users", options as MirrorOptions),
        TypeError,
        '"a"',
      );
    }
  },

  "mirror: refuses invalid options": async (open) => {
    await using store = await open();
    const wrong: unknown[] = [
      { key: "a", prefix: "a" },
      { where: true },
      { where: null },
      { sortBy: "age" },
      { reverse: 1 },
      { persistent: "no" },
      { onUnreadable: true },
      { initial: true },
      { limit: 1 },
    ];
    for (const options of wrong) {
      await assertRejects(
        () => store.mirror("users", options as MirrorOptions),
        TypeError,
      );
    }
  },

  "mirror: patches of a live query keep a list like it": async (open) => {
    await using store = await open();
    const options: MirrorOptions = {
      where: (key, value) => key === "end" || ageOf("", value) % 3 !== 0,
      sortBy: (_key, value) => [ageOf("", value) % 5, `${ageOf("", value)}`],
    };
    await using query = await store.mirror("users", options);
    const changes = query.changes({ initial: true }).getReader();
    const list = new PatchedList();
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor(state / 2 ** 32 * below);
    };
    for (let round = 0; round < 60; round++) {
      const write = store.atomic();
      // Several entries move past each other at once.
      for (let n = random(8); n >= 0; n--) {
        const key = `${random(12)}`;
        if (random(4) === 0) write.delete("users", key);
        else write.set("users", key, { age: random(30) });
      }
      await write.commit();
      // There is always a change.
      const end = { age: round };
      const { revision } = await store.set("users", "end", end);
      await query.reached(revision);
      if (random(3) > 0) continue;
      list.apply(await patchesUpTo(changes, revision));
      list.assertIs(query);
      const all = await store.values("users", { where: options.where });
      assertEquals(
        list.entries.map(({ key }) => key).sort(),
        all.map(({ key }) => key).sort(),
      );
    }
  },
};

/** Asserts that a mirror fails with exactly this reason. */
export async function assertFails(
  mirror: Mirror,
  reason: unknown,
): Promise<void> {
  const error = await assertRejects(() => mirror.closed);
  assertStrictEquals(error, reason);
}
