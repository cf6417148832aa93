/**
 * Tests of mirrors: the map equals the kind at one revision, at first and after
 * every change.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { Mirror } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { SOON } from "../expiring.ts";
import { entriesOf, keysAfter, patchesUpTo } from "../mirrors.ts";
import { fill, numberedKey, numberedKeys, writeInRounds } from "../reading.ts";
import { standardSchema } from "../schemas.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";

export const mirroring: Cases = {
  "mirror: is complete when it is given, and a Map that is read at once":
    async (open) => {
      await using store = await open();
      await store.setAll("users", { b: 2, a: 1, c: 3 });
      const { revision } = await store.set("groups", "x", 1);
      await using users = await store.mirror("users");
      assertEquals(users.kind, "users");
      assertEquals([users.get("b"), users.get("x")], [2, undefined]);
      assertEquals([users.has("b"), users.has("x")], [true, false]);
      assertEquals(users.size, 3);
      assertEquals([...users], [["a", 1], ["b", 2], ["c", 3]]);
      assertEquals([...users.entries()], [...users]);
      assertEquals([...users.keys()], ["a", "b", "c"]);
      assertEquals([...users.values()], [1, 2, 3]);
      const visited: unknown[] = [];
      const self = {};
      users.forEach(function (this: unknown, value, key, map) {
        assertStrictEquals(this, self);
        assertStrictEquals(map, users);
        visited.push([key, value]);
      }, self);
      assertEquals(visited, [...users]);
      assertEquals(users.keys().map((key) => key + "!").toArray(), [
        "a!",
        "b!",
        "c!",
      ]);
      assertGreaterOrEqual(users.revision, revision);
    },

  "mirror: of an empty kind is empty, and follows it": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    assertEquals([users.size, [...users]], [0, []]);
    assertEquals(await keysAfter(users, store.set("users", "a", 1)), ["a"]);
  },

  "mirror: has every write that was called before it": async (open) => {
    await using store = await open();
    const writes = numberedKeys(50).map((key) => store.set("users", key, 1));
    await using users = await store.mirror("users");
    assertEquals([...users.keys()], numberedKeys(50));
    await Promise.all(writes);
  },

  "mirror: follows every kind of write": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    const at = async (
      write: Promise<{ readonly revision: number }>,
      entries: object,
    ) => {
      await users.reached((await write).revision);
      assertEquals(Object.fromEntries(users), entries);
      assertEquals(
        Object.fromEntries(users),
        Object.fromEntries(await store.list("users")),
      );
    };
    await at(store.set("users", "a", 1), { a: 1 });
    await at(store.setAll("users", { b: 2, a: 3 }), { a: 3, b: 2 });
    await at(store.update("users", "b", () => 4), { a: 3, b: 4 });
    const { deleteRevision } = (await store.delete("users", "a"))!;
    await users.reached(deleteRevision);
    assertEquals([...users], [["b", 4]]);
    const commit = store.atomic().set("groups", "g", 1).set("users", "c", 5)
      .delete("users", "b").commit();
    const result = await commit;
    assert(result.ok);
    await at(Promise.resolve(result), { c: 5 });
    await at(store.set("users", "a", 1), { a: 1, c: 5 });
    await at(store.deleteAll("users"), {});
    await at(store.set("users", "a", 2), { a: 2 });
  },

  "mirror: keys are in the order of their UTF-8 bytes": async (open) => {
    await using store = await open();
    const keys = ["a", "b", "é", "\u{FFFD}", "\u{10000}"];
    await fill(store, "users", keys.toReversed());
    await using users = await store.mirror("users");
    assertEquals([...users.keys()], keys);
    const more = ["\u{E000}", "A", "\u{1F600}"];
    const written = await keysAfter(
      users,
      store.setAll("users", more.map((key) => [key, 1] as const)),
    );
    assertEquals(written, await store.keys("users"));
    assertEquals(written, [
      "A",
      "a",
      "b",
      "é",
      "\u{E000}",
      "\u{FFFD}",
      "\u{10000}",
      "\u{1F600}",
    ]);
  },

  "mirror key, prefix: only these keys": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "eu/a", "eu/b", "us/a"]);
    await using one = await store.mirror("users", { key: "eu/a" });
    await using some = await store.mirror("users", { prefix: "eu/" });
    assertEquals([...one.keys()], ["eu/a"]);
    assertEquals([...some.keys()], ["eu/a", "eu/b"]);
    const { revision } = await store.setAll("users", { "eu/c": 1, "eu0": 1 });
    await store.delete("users", "eu/a");
    assertEquals(
      await keysAfter(some, store.set("users", "us/b", 1)),
      ["eu/b", "eu/c"],
    );
    await one.reached(revision + 1);
    assertEquals([...one], []);
  },

  "mirror: a kind of many pages": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(5_000);
    await fillMany(store, "users", keys, supports);
    await using users = await store.mirror("users");
    assertEquals([...users.keys()], keys);
    assertEquals(users.get(keys[4_999]), { of: keys[4_999] });
    const { revision } = await store.deleteAll("users", { end: keys[4_000] });
    await users.reached(revision);
    assertEquals([...users.keys()], keys.slice(4_000));
  },

  "mirror: is of one moment, while others write": async (open, supports) => {
    await using store = await open();
    // Each write changes two entries, and keeps their sum.
    const keys = keysOfOneWrite(2_000, supports);
    await store.setAll("sums", keys.map((key) => [key, 0] as const));
    let isOpen = true;
    const move = async (step: number) => {
      for (let n = step; isOpen; n += 7) {
        const from = keys[n % keys.length];
        const to = keys[(n * 31 + 1) % keys.length];
        if (from === to) continue;
        await store.atomic()
          .update("sums", from, (sum) => sum as number - 1)
          .update("sums", to, (sum) => sum as number + 1)
          .commit();
      }
    };
    const moving = [move(0), move(1), move(2)];
    const sum = (sums: Mirror) =>
      sums.values().reduce<number>((sum, each) => sum + (each as number), 0);
    for (let round = 0; round < 3; round++) {
      await using sums = await store.mirror("sums");
      assertEquals([sums.size, sum(sums)], [keys.length, 0]);
      const changes = sums.changes().getReader();
      for (let n = 0; n < 10; n++) {
        await changes.read();
        assertEquals(sum(sums), 0, "a transaction is seen whole");
      }
    }
    isOpen = false;
    await Promise.all(moving);
  },

  "mirror: gives the same object each time, and it is frozen": async (open) => {
    await using store = await open();
    await store.set("users", "a", { tags: ["x"], at: { n: 1 } });
    await using users = await store.mirror("users");
    const value = users.get("a") as { tags: string[]; at: { n: number } };
    assertStrictEquals(users.get("a"), value);
    assertThrows(() => value.tags.push("y"), TypeError);
    assertThrows(() => value.at.n = 2, TypeError);
    assertThrows(() => delete (value as Partial<typeof value>).at, TypeError);
    await users.reached((await store.set("users", "b", 1)).revision);
    assertStrictEquals(users.get("a"), value);
    await users.reached((await store.set("users", "a", { n: 2 })).revision);
    assertEquals(value, { tags: ["x"], at: { n: 1 } });
    assertEquals(users.get("a"), { n: 2 });
  },

  "mirror: an iteration shows the moment of its beginning": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 1, c: 1 });
    await using users = await store.mirror("users");
    const pairs = users.entries();
    const seen = [pairs.next().value];
    await store.delete("users", "b");
    await store.set("users", "a0", 1);
    await users.reached((await store.set("users", "c", 2)).revision);
    seen.push(...pairs);
    assertEquals(seen, [["a", 1], ["b", 1], ["c", 1]]);
    assertEquals([...users], [["a", 1], ["a0", 1], ["c", 2]]);
  },

  "mirror reached: a revision of another kind, and of no change": async (
    open,
  ) => {
    await using store = await open();
    await using users = await store.mirror("users", { key: "a" });
    const { revision } = await store.set("groups", "x", 1);
    await users.reached(revision);
    assertGreaterOrEqual(users.revision, revision);
    await users.reached((await store.set("groups", "x", 1)).revision);
    await users.reached((await store.set("users", "other", 1)).revision);
    await users.reached((await store.deleteAll("nothing")).revision);
    await users.reached(0);
  },

  "mirror reached: a revision that the store has yet to reach": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    await using users = await store.mirror("users");
    let reached = 0;
    const waiting = [1, 2, 3].map((more) =>
      users.reached(revision + more).then(() => reached++)
    );
    await store.set("groups", "x", 1);
    await waiting[0];
    await store.set("groups", "x", 2);
    await waiting[1];
    assertEquals(reached, 2);
    await store.set("users", "a", 2);
    await waiting[2];
    assertEquals(users.get("a"), 2);
  },

  "mirror reached: rejects an invalid revision": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    for (const wrong of [-1, 1.5, NaN, Infinity, "1", undefined, null]) {
      await assertRejects(() => users.reached(wrong as number), RangeError);
    }
    const options = { limit: 1 } as object;
    await assertRejects(() => users.reached(0, options), TypeError, "limit");
  },

  "mirror: lists the entries again if the change log was pruned": async (
    open,
    supports,
  ) => {
    const gate = makeGate();
    await using store = await open({
      history: 10,
      schemas: { users: gate.schema },
      validateReads: true,
    });
    const keys = keysOfOneWrite(300, supports);
    await store.setAll("users", keys.map((key) => [key, key] as const));
    await using users = await store.mirror("users");
    const kept = { of: "kept" };
    await users.reached((await store.set("users", "kept", kept)).revision);
    const shown = users.get("kept");
    let fewest = users.size;
    users.addEventListener("change", () => {
      fewest = Math.min(fewest, users.size);
    });
    const changes = users.changes().getReader();

    await store.set("users", "gate", GATE);
    await gate.reached;
    // The mirror stops reading, and there are more changes than the log keeps.
    const next = keys.map((key, n) => [key, n % 2 ? key : `${n}`] as const);
    await store.setAll("users", next);
    await store.deleteAll("users", { end: keys[3] });
    await writeInRounds(store, "users", numberedKeys(1_000).slice(600));
    const { revision } = await store.set("users", "end", 1);
    gate.open();

    await users.reached(revision);
    assertEquals([...users], [...await store.list("users")]);
    assert(fewest >= keys.length - 3, "it was never empty in between");
    assertStrictEquals(users.get("kept"), shown, "what is the same stays");
    const types = Map.groupBy(
      await patchesUpTo(changes, revision),
      ({ type }) => type,
    );
    const left = types.get("left")!.map(({ key }) => key);
    assertEquals(left.sort(), keys.slice(0, 3));
    assertEquals(types.get("changed")!.length, keys.length / 2 - 2);
    // And those that are called "gate" and "end".
    assertEquals(types.get("entered")!.length, 402);
    assertEquals(
      await keysAfter(users, store.set("users", "~", 1)),
      await store.keys("users"),
    );
  },

  "mirror: an entry that expires leaves, for good": async (open) => {
    await using store = await open();
    await store.set("users", "stays", 1);
    await store.set("users", "goes", 1, { expireIn: SOON });
    await using users = await store.mirror("users");
    await untilLeft(users, "goes");
    const { revision } = await store.set("users", "later", 1, {
      expireIn: SOON,
    });
    await users.reached(revision);
    await untilLeft(users, "later");
    assertEquals([...users.keys()], ["stays"]);
    assertEquals(await store.keys("users"), ["stays"]);
  },

  "mirror: expired entries are not listed before their removal": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1, { expireIn: 1 });
    while (await store.has("users", "a"));
    await using users = await store.mirror("users");
    assertEquals(users.size, 0);
    await users.reached((await store.set("users", "a", 2)).revision);
    assertEquals([...users], [["a", 2]]);
  },

  "mirror: many of them, of one store": async (open) => {
    await using store = await open();
    const mirrors = await Promise.all(
      numberedKeys(20).map((key) => store.mirror("users", { prefix: key })),
    );
    for (let n = 0; n < 20; n++) await store.set("users", numberedKey(n), n);
    const { revision } = await store.set("groups", "x", 1);
    for (const [n, mirror] of mirrors.entries()) {
      await mirror.reached(revision);
      assertEquals(entriesOf(mirror), [{ key: numberedKey(n), value: n }]);
      await mirror.close();
    }
  },

  "kind mirror, waitFor: are the store's": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2 });
    const users = store.kind("users");
    await using mirror = await users.mirror({ prefix: "b" });
    assertEquals([...mirror], [["b", 2]]);
    assertEquals(await users.waitFor("a"), 1);
    const waiting = users.waitFor("a", (n) => n === 3);
    await users.set("a", 3);
    assertEquals(await waiting, 3);
    const signal = AbortSignal.abort(new Error("stop"));
    await assertRejects(
      () => users.waitFor("c", undefined, { signal }),
      Error,
      "stop",
    );
  },
};

/** The value whose reads wait at a gate. */
const GATE = "gate";

/** A schema that lets the value "gate" be written, and keeps its first read waiting. */
function makeGate(): {
  readonly schema: ReturnType<typeof standardSchema>;
  /** Resolves when a read waits. */
  readonly reached: Promise<void>;
  open(): void;
} {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let uses = 0;
  const schema = standardSchema((value) => {
    if (value !== GATE || ++uses !== 2) return { value };
    reached.resolve();
    return opened.promise.then(() => ({ value }));
  });
  return { schema, reached: reached.promise, open: opened.resolve };
}

/** Resolves when a mirror has no such entry. */
async function untilLeft(mirror: Mirror, key: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (!mirror.has(key)) resolve();
  };
  mirror.addEventListener("change", look);
  look();
  await promise;
  mirror.removeEventListener("change", look);
}
