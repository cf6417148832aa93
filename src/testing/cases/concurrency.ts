/**
 * Tests of many callers at once: operations are seen whole (C2), in the order
 * of the calls (C3), a failure affects nobody else (C4), and the event loop is
 * not blocked (C8).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import {
  CodecError,
  InvalidNameError,
  KeyNotFoundError,
  VersionConflictError,
} from "../../contract/errors.ts";
import { type Cases, needing, needsChanges } from "../case.ts";
import {
  assertLoopTurns,
  brief,
  next,
  numberedKey,
  numberedKeys,
  take,
} from "../reading.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";

export const concurrency: Cases = {
  "C2 an atomic operation is read whole or not at all": async (open) => {
    await using store = await open();
    await store.setAll("accounts", { a: 500, b: 500 });
    let transfers = 0;
    const transferring = (async () => {
      for (; transfers < 100; transfers++) {
        await store.atomic()
          .set("accounts", "a", 500 - transfers)
          .set("accounts", "b", 500 + transfers)
          .commit();
      }
    })();
    const sums = new Set<number>();
    while (transfers < 100) {
      const accounts = await store.list("accounts") as Map<string, number>;
      sums.add(accounts.get("a")! + accounts.get("b")!);
    }
    await transferring;
    assertEquals([...sums], [1000]);
  },

  "C3 every read sees the writes called before it": async (open) => {
    await using store = await open();
    const writes = [
      store.set("users", "alice", 1),
      store.setAll("users", { bob: 1, carol: 1 }),
      store.delete("users", "bob"),
      store.update("users", "carol", () => 2),
      store.atomic().set("users", "dave", 1).set("groups", "g", 1).commit(),
    ];
    const reads = Promise.all([
      store.get("users", "carol"),
      store.get("users", "bob"),
      store.entry("users", "alice"),
      store.list("users"),
      store.keys("users"),
      store.values("users"),
      store.count("users"),
      Array.fromAsync(store.entries("users")),
      store.kinds(),
      store.getAll(),
    ]);
    const [carol, bob, alice, list, keys, values, count, entries, kinds, all] =
      await reads;
    const users: [string, unknown][] = [["alice", 1], ["carol", 2], [
      "dave",
      1,
    ]];
    assertEquals([carol, bob, alice?.value], [2, undefined, 1]);
    assertEquals([...list], users);
    assertEquals(keys, ["alice", "carol", "dave"]);
    assertEquals(values.map(({ key, value }) => [key, value]), users);
    assertEquals(count, 3);
    assertEquals(entries.map(({ key, value }) => [key, value]), users);
    assertEquals(kinds, ["groups", "users"]);
    assertEquals([...all.get("users") ?? []], users);
    await Promise.all(writes);
  },

  "C3 every write sees the writes called before it": async (open) => {
    await using store = await open();
    const [first, second, updated, conflict, deleted, recreated, all] =
      await Promise.all([
        store.set("users", "alice", 1),
        store.set("users", "alice", 2, { ifVersion: 1 }),
        store.update("users", "alice", (value) => [value]),
        store.atomic().check({ kind: "users", key: "alice", version: 2 })
          .set("users", "alice", 9).commit(),
        store.delete("users", "alice"),
        store.set("users", "alice", 4, { ifVersion: 0 }),
        store.setAll("users", { alice: 4, bob: 5 }),
      ]);
    assertEquals([first.version, second.version], [1, 2]);
    assertEquals(updated.value, [2]);
    assert(!conflict.ok);
    assertEquals(conflict.conflict.actual, 3);
    assertEquals([deleted?.value, deleted?.version], [[2], 3]);
    assertEquals(recreated.status, "created");
    assertEquals(all, {
      created: 1,
      updated: 0,
      unchanged: 1,
      revision: recreated.revision + 1,
    });
  },

  "C3 a watch begins after the writes called before it": async (open) => {
    await using store = await open();
    const before = store.set("users", "alice", 1);
    const fresh = store.watch("users").getReader();
    const replayed = store.watch("users", { initial: true }).getReader();
    const after = store.set("users", "bob", 1);
    assertEquals(brief([await next(fresh)]), ["create bob@1"]);
    const [alice, bob] = await take(replayed, 2);
    assertEquals(brief([alice, bob]), ["create alice@1", "create bob@1"]);
    assertEquals([alice.revision, bob.revision], [0, (await after).revision]);
    await before;
  },

  "C3 un-awaited writes take effect in the order of the calls": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const writes = Array.from(
      { length: 500 },
      (_, n) => store.set("users", `user${n % 7}`, n),
    );
    const seen = await take(events, writes.length);
    assertEquals(
      seen.map(({ value }) => value),
      Array.from({ length: 500 }, (_, n) => n),
    );
    await Promise.all(writes);
  },

  "C4 a write that fails leaves those called with it alone": async (open) => {
    await using store = await open();
    await store.set("users", "taken", 1);
    const broken = new Error("broken");
    let number = 0;
    const good = () => store.set("users", numberedKey(number++), "good");
    const outcomes = await Promise.allSettled([
      good(),
      store.set("users", "bad", undefined),
      good(),
      store.set("users", "taken", 2, { ifVersion: 7 }),
      good(),
      store.set("users", "", 1),
      good(),
      store.update("users", "taken", () => {
        throw broken;
      }),
      good(),
      store.update("users", "bad", (value) => value),
      good(),
      store.setAll("users", [["bad", 1], ["worse", undefined]]),
      good(),
      store.setAll("users", badEntries(broken)),
      good(),
      store.delete("users", "taken", { ifVersion: 7 }),
      good(),
      store.update("users", "taken", () => undefined),
      good(),
      store.atomic().set("users", "bad", 1)
        .check({ kind: "users", key: "taken", version: 7 }).commit(),
      good(),
    ]);

    const fine = outcomes.filter((_, i) => i % 2 === 0);
    assertEquals(
      fine.map(({ status }) => status),
      Array(number).fill("fulfilled"),
    );
    const [atomic, ...failed] = outcomes.filter((_, i) => i % 2 === 1)
      .reverse();
    assert(atomic.status === "fulfilled");
    assertEquals((atomic.value as { ok: boolean }).ok, false);
    const errors = failed.reverse().map((outcome) => {
      assert(outcome.status === "rejected");
      return outcome.reason;
    });
    assertInstanceOf(errors[0], CodecError);
    assertInstanceOf(errors[1], VersionConflictError);
    assertInstanceOf(errors[2], InvalidNameError);
    assertStrictEquals(errors[3], broken);
    assertInstanceOf(errors[4], KeyNotFoundError);
    assertInstanceOf(errors[5], CodecError);
    assertStrictEquals(errors[6], broken);
    assertInstanceOf(errors[7], VersionConflictError);
    assertInstanceOf(errors[8], CodecError);

    assertEquals(await store.keys("users"), [...numberedKeys(number), "taken"]);
    assertEquals(await store.get("users", "taken"), 1);
  },

  "C4 a write that fails takes no revision and leaves no event": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const [first, , , last] = await Promise.allSettled([
      store.set("users", "a", 1),
      store.setAll("users", [["b", 1], ["c", undefined]]),
      store.update("users", "a", () => {
        throw new Error("broken");
      }),
      store.set("users", "d", 1),
    ]);
    assert(first.status === "fulfilled" && last.status === "fulfilled");
    assertEquals(last.value.revision, first.value.revision + 1);
    assertEquals(brief(await take(events, 2)), ["create a@1", "create d@1"]);
  },

  "C8 a queue of 60 000 writes keeps the event loop turning": async (open) => {
    await using store = await open();
    const keys = numberedKeys(60_000);
    const writes = keys.map((key, n) => store.set("users", key, n));
    await assertLoopTurns(async () => {
      const results = await Promise.all(writes);
      assertEquals(
        results.every(({ status }) => status === "created"),
        true,
      );
    });
    assertEquals(await store.count("users"), keys.length);
    assertEquals(await store.get("users", numberedKey(59_999)), 59_999);
  },

  ...needing(needsChanges(400_000), {
    "C8 an atomic operation of 400 000 checks keeps the event loop turning":
      async (open) => {
        await using store = await open();
        await store.set("users", "alice", 1);
        const checks = numberedKeys(10_000).map((key) => ({
          kind: "users",
          key,
          version: 0,
        }));
        const operation = store.atomic();
        for (let i = 0; i < 40; i++) operation.check(...checks);
        operation.set("users", "alice", 2);
        await assertLoopTurns(async () => {
          assertEquals((await operation.commit()).ok, true);
        });
        const result = await store.atomic()
          .check(...checks)
          .check({ kind: "users", key: "alice", version: 1 })
          .set("users", "alice", 3)
          .commit();
        assert(!result.ok);
        assertEquals([result.conflict.key, result.conflict.actual], [
          "alice",
          2,
        ]);
        assertEquals(await store.get("users", "alice"), 2);
      },
  }),

  "C8 reading everything at once keeps the event loop turning": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(30_000);
    await fillMany(store, "users", keys, supports);
    const where = () => true;
    const reads: Record<string, () => Promise<number>> = {
      list: async () => (await store.list("users")).size,
      values: async () => (await store.values("users")).length,
      getAll: async () => (await store.getAll()).get("users")!.size,
      "list where": async () => (await store.list("users", { where })).size,
      "keys where": async () => (await store.keys("users", { where })).length,
      "count where": () => store.count("users", { where }),
    };
    for (const [name, read] of Object.entries(reads)) {
      await assertLoopTurns(async () => {
        assertEquals(await read(), keys.length, name);
      });
    }
    assertEquals(await store.keys("users"), keys);
  },

  "C8 where does not block the event loop if it accepts none of many entries":
    async (
      open,
      supports,
    ) => {
      await using store = await open();
      await fillMany(store, "users", numberedKeys(30_000), supports);
      const range = { where: () => false };
      await assertLoopTurns(async () => {
        assertEquals(await store.list("users", range), new Map());
      });
      await assertLoopTurns(async () => {
        assertEquals(await Array.fromAsync(store.entries("users", range)), []);
      });
    },

  "C2 a read between two writes is of one moment, and sees the first": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = keysOfOneWrite(1_000, supports);
    for (const read of await readsBetweenWrites(store, keys)) {
      const [seen, ...others] = new Set(read.values());
      assertEquals([read.size, others], [keys.length, []]);
      assertGreaterOrEqual(seen as number, 1);
    }
  },

  // Smaller writes may share a transaction; a read then comes after both.
  ...needing(needsChanges(10_000), {
    "C2 a long read is of one moment, and in its place among the writes":
      async (
        open,
      ) => {
        await using store = await open();
        const keys = numberedKeys(10_000);
        for (const read of await readsBetweenWrites(store, keys)) {
          assertEquals(read.size, keys.length);
          assertEquals(new Set(read.values()), new Set([1]));
        }
      },
  }),
};

/** Reads after all entries were set to 1, before they are set to 2. */
async function readsBetweenWrites(
  store: Store,
  keys: readonly string[],
): Promise<Map<string, unknown>[]> {
  const write = (n: number) =>
    store.setAll("users", keys.map((key) => [key, n] as const));
  await write(0);
  const before = write(1);
  const reads = Promise.all([
    store.list("users"),
    store.list("users", { where: () => true }),
    store.getAll().then((all) => all.get("users")!),
  ]);
  await Promise.all([before, write(2), reads]);
  assertEquals(await store.get("users", keys[0]), 2);
  return await reads;
}

function* badEntries(error: Error): Generator<[string, unknown]> {
  yield ["bad", 1];
  throw error;
}
