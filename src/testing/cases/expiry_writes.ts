/**
 * Tests of `expireIn`: the writes that take it, the expiry of their entries,
 * and how it is reported.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type { ExpiryOptions, Store } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { assertLasts, expiryOf, HOUR, SOON } from "../expiring.ts";
import { brief, next, take, takeUntil, turn } from "../reading.ts";
import { holdingSchema } from "../schemas.ts";

/** Writes `users/alice`, as JavaScript may call it. */
type Write = (
  store: Store,
  value: unknown,
  options?: ExpiryOptions,
) => Promise<unknown>;

/** Writes that set or clear an entry's expiry. */
const settingWrites: Record<string, Write> = {
  set: (store, value, options) => store.set("users", "alice", value, options),
  setAll: (store, value, options) =>
    store.setAll("users", [["aaron", value], ["alice", value]], options),
  "setAll of an object": (store, value, options) =>
    store.setAll("users", { alice: value }, options),
  "atomic set": async (store, value, options) =>
    await store.atomic().set("users", "alice", value, options).commit(),
};

/** Writes that keep an entry's expiry, unless they set another. */
const keepingWrites: Record<string, Write> = {
  update: (store, value, options) =>
    store.update("users", "alice", () => value, { initial: 0, ...options }),
  "atomic update": async (store, value, options) =>
    await store.atomic().update("users", "alice", () => value, {
      initial: 0,
      ...options,
    }).commit(),
};

const writes = { ...settingWrites, ...keepingWrites };

export const expiryWrites: Cases = {
  "expireIn: counts from the call, in ms, in every write": async (open) => {
    for (const [operation, write] of Object.entries(writes)) {
      await using store = await open();
      const lasts = (ms: number, value: unknown, what: string) =>
        assertLasts(
          store,
          "alice",
          ms,
          () => write(store, value, { expireIn: ms }),
          `${operation} that ${what}`,
        );
      await lasts(HOUR, 1, "creates");
      await lasts(2 * HOUR, 2, "updates");
      // It is another expiry, so it is a change.
      await lasts(3 * HOUR, 2, "writes the same value");
      await store.set("users", "alice", 2);
      await lasts(HOUR, 2, "gives an entry an expiry");
      const { version } = (await store.entry("users", "alice"))!;
      assertEquals(version, 5, operation);
    }
  },

  "expireIn: counts from the call of a write that waits": async (open) => {
    const { schema, take: release } = holdingSchema("slow");
    await using store = await open({ schemas: { users: schema } });
    const write = async () => {
      const writing = store.set("users", "alice", "slow", { expireIn: HOUR });
      // Not before the caller has noted the time.
      await turn();
      release();
      await writing;
    };
    await assertLasts(store, "alice", HOUR, write);
  },

  "expireIn: a kind's handle takes it, too": async (open) => {
    await using store = await open();
    const users = store.kind("users");
    const options = { expireIn: HOUR };
    await assertLasts(store, "a", HOUR, () => users.set("a", 1, options));
    await assertLasts(
      store,
      "b",
      HOUR,
      () => users.setAll({ b: 1, c: 1 }, options),
    );
    await assertLasts(
      store,
      "d",
      HOUR,
      () => users.update("d", () => 1, { initial: 0, ...options }),
    );
  },

  "expiresAt: is absent if the entry does not expire": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await store.set("users", "alice", 1);
    const entry = await store.entry("users", "alice");
    assert(entry && !("expiresAt" in entry));
    const [listed] = await Array.fromAsync(store.entries("users"));
    assert(!("expiresAt" in listed));
    assert(!("expiresAt" in await next(events)));
    const deleted = await store.delete("users", "alice");
    assert(deleted && !("expiresAt" in deleted));
  },

  "expiresAt: entries and events have it": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await store.set("users", "alice", 1, { expireIn: HOUR });
    const first = (await store.entry("users", "alice"))!;
    assertInstanceOf(first.expiresAt, Date);
    await store.set("users", "alice", 2, { expireIn: 2 * HOUR });
    const second = (await store.entry("users", "alice"))!;
    assertNotEquals(second.expiresAt, first.expiresAt);
    assertEquals(await Array.fromAsync(store.entries("users")), [second]);
    const replay = store.watch("users", { initial: true }).getReader();

    const { revision } = await store.set("users", "alice", 2);
    const third = (await store.entry("users", "alice"))!;
    const [created, updated, cleared] = await take(events, 3);
    const [replayed] = await take(replay, 1);
    assert(created.type === "create" && updated.type === "update");
    assert(replayed.type === "create" && cleared.type === "update");
    assertEquals(created.expiresAt, first.expiresAt);
    assertEquals(updated.expiresAt, second.expiresAt);
    assertEquals(replayed.expiresAt, second.expiresAt);
    assertEquals([cleared.value, cleared.revision], [2, revision]);
    assert(!("expiresAt" in cleared) && !("expiresAt" in third));

    await store.set("users", "alice", 3, { expireIn: HOUR });
    const last = (await store.entry("users", "alice"))!;
    const deleted = await store.delete("users", "alice");
    assertEquals(deleted, { ...last, deleteRevision: revision + 2 });
  },

  "expireIn: a write without it makes an entry that does not expire": async (
    open,
  ) => {
    for (const [operation, write] of Object.entries(settingWrites)) {
      await using store = await open();
      for (const value of ["another", "same"]) {
        await store.set("users", "alice", "same", { expireIn: HOUR });
        const { version } = (await store.entry("users", "alice"))!;
        await write(store, value);
        const entry = (await store.entry("users", "alice"))!;
        assert(!("expiresAt" in entry), `${operation} of ${value}`);
        assertEquals(entry.version, version + 1, `${operation} of ${value}`);
        await store.delete("users", "alice");
      }
    }
  },

  "expireIn: an update without it keeps when the entry expires": async (
    open,
  ) => {
    for (const [operation, write] of Object.entries(keepingWrites)) {
      await using store = await open();
      await write(store, 1);
      assertEquals(await expiryOf(store, "alice"), undefined, operation);
      await write(store, 2);
      assertEquals(await expiryOf(store, "alice"), undefined, operation);
      await write(store, 2, { expireIn: HOUR });
      const expiresAt = await expiryOf(store, "alice");
      const events = store.watch("users").getReader();
      await write(store, 3);
      assertEquals(await expiryOf(store, "alice"), expiresAt, operation);
      const event = await next(events);
      assert(event.type === "update");
      assertEquals(event.expiresAt?.getTime(), expiresAt, operation);
    }
  },

  "C5 the same value with another expiry is a change": async (open) => {
    await using store = await open();
    const created = await store.set("users", "alice", 1, { expireIn: HOUR });
    const events = store.watch("users", { previous: true }).getReader();
    assertEquals(await store.set("users", "alice", 1, { expireIn: 2 * HOUR }), {
      status: "updated",
      version: 2,
      revision: created.revision + 1,
    });
    assertEquals(await store.setAll("users", { alice: 1 }), {
      created: 0,
      updated: 1,
      unchanged: 0,
      revision: created.revision + 2,
    });
    const atomic = await store.atomic()
      .set("users", "alice", 1, { expireIn: HOUR }).commit();
    assert(atomic.ok);
    assertEquals(atomic.results[0].status, "updated");
    const updated = await store.update("users", "alice", (value) => value, {
      expireIn: 2 * HOUR,
    });
    assertEquals([updated.status, updated.version], ["updated", 5]);
    const seen = await take(events, 4);
    assertEquals(brief(seen), [
      "update alice@2",
      "update alice@3",
      "update alice@4",
      "update alice@5",
    ]);
    for (const event of seen) {
      assert(event.type === "update");
      assertEquals([event.value, event.previous], [1, 1]);
    }
  },

  "C5 an update that keeps value and expiry is a no-op": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1, {
      expireIn: HOUR,
    });
    const before = await store.entry("users", "alice");
    for (const write of Object.values(keepingWrites)) await write(store, 1);
    assertEquals(await store.entry("users", "alice"), before);
    assertEquals((await store.set("users", "b", 1)).revision, revision + 1);
  },

  "C5 an equal value with another expiry is a change": async (open) => {
    for (const [operation, write] of Object.entries(writes)) {
      await using store = await open({ equals: () => true });
      await store.set("users", "alice", 1);
      await assertLasts(
        store,
        "alice",
        HOUR,
        () => write(store, 2, { expireIn: HOUR }),
        operation,
      );
      assertEquals((await store.entry("users", "alice"))?.version, 2);
      const isKept = operation in keepingWrites;
      await write(store, 3);
      const entry = (await store.entry("users", "alice"))!;
      assertEquals("expiresAt" in entry, isKept, operation);
      assertEquals(entry.version, isKept ? 2 : 3, operation);
    }
  },

  "expireIn: of a key that comes twice, the last value counts": async (
    open,
  ) => {
    await using store = await open();
    const result = await store.atomic()
      .set("users", "a", 1, { expireIn: HOUR })
      .set("users", "a", 1)
      .set("users", "b", 1)
      .set("users", "b", 1, { expireIn: HOUR })
      .set("users", "c", 1, { expireIn: HOUR })
      .update("users", "c", () => 2)
      .set("users", "d", 1, { expireIn: HOUR })
      .delete("users", "d")
      .update("users", "d", () => 2, { initial: 1 })
      .commit();
    assert(result.ok);
    const lasting = await Array.fromAsync(
      store.entries("users"),
      ({ key, expiresAt }) => [key, expiresAt !== undefined],
    );
    assertEquals(lasting, [
      ["a", false],
      ["b", true],
      ["c", true],
      ["d", false],
    ]);
  },

  "expireIn: an entry that is created again does not expire by itself": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1, { expireIn: HOUR });
    await store.delete("users", "alice");
    await store.set("users", "alice", 1);
    assertEquals(await expiryOf(store, "alice"), undefined);
    await store.setAll("users", { alice: 2, bob: 2 }, { expireIn: HOUR });
    await store.deleteAll("users");
    await store.update("users", "alice", () => 1, { initial: 0 });
    assertEquals(await expiryOf(store, "alice"), undefined);
  },

  "expireIn: a write that is refused changes no expiry": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1, { expireIn: HOUR });
    const before = await store.entry("users", "alice");
    await Promise.allSettled([
      store.set("users", "alice", 1, { ifVersion: 7 }),
      store.set("users", "alice", 2, { ifRevision: 77, expireIn: SOON }),
      store.set("users", "alice", undefined, { expireIn: SOON }),
      store.setAll("users", [["alice", 2], ["bob", undefined]], {
        expireIn: SOON,
      }),
      store.atomic().check({ kind: "users", key: "alice", exists: false })
        .set("users", "alice", 1).commit(),
    ]);
    assertEquals(await store.entry("users", "alice"), before);
    assertEquals(await store.keys("users"), ["alice"]);
  },

  "expireIn: a fraction of a millisecond is rounded up": async (open) => {
    await using store = await open();
    for (const [n, fraction] of [0.001, 0.5, 0.999].entries()) {
      const expireIn = HOUR + fraction;
      await assertLasts(
        store,
        `${n}`,
        HOUR + 1,
        () => store.set("users", `${n}`, 1, { expireIn }),
      );
    }
    // A write need not be done so soon, but it takes effect.
    const events = store.watch("users", { prefix: "short" }).getReader();
    await store.set("users", "short", 1, { expireIn: 0.01 });
    const before = Date.now();
    await store.set("users", "short 2", 1, { expireIn: Number.MIN_VALUE });
    const seen = await takeUntil(events, "short 2");
    assertEquals(seen[0].key, "short");
    const last = seen.at(-1)!;
    assert(last.type === "create");
    assertGreaterOrEqual(last.expiresAt!.getTime(), before + 1);
  },

  "expireIn: an entry may last a century": async (open) => {
    await using store = await open();
    const century = 100 * 366 * 24 * HOUR;
    const events = store.watch("users").getReader();
    for (const ms of [century, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40]) {
      const key = `${ms}`;
      await assertLasts(
        store,
        key,
        ms,
        () => store.set("users", key, 1, { expireIn: ms }),
      );
    }
    // An entry that expires soon goes before them.
    await store.set("users", "soon", 1, { expireIn: SOON });
    const seen = await take(events, 7);
    assertEquals(brief(seen.slice(-2)), ["create soon@1", "delete soon@1"]);
    assertEquals(await store.count("users"), 5);
    const entry = (await store.entry("users", `${century}`))!;
    assertGreaterOrEqual(entry.expiresAt!.getFullYear(), 2_100);
  },

  "expireIn: the last time that there is can be reached, and no later one":
    async (open) => {
      await using store = await open();
      const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
      await store.set("users", "alice", 1, {
        expireIn: last - Date.now() - HOUR,
      });
      const expiresAt = await expiryOf(store, "alice");
      assertGreaterOrEqual(expiresAt!, last - 2 * HOUR);
      for (const [operation, write] of Object.entries(writes)) {
        for (
          const expireIn of [last, 8.64e15, 2 ** 53, 1e300, Number.MAX_VALUE]
        ) {
          await assertRejects(
            () => write(store, 2, { expireIn }),
            RangeError,
            "expireIn",
            `${operation} with ${expireIn}`,
          );
        }
      }
      assertEquals(await store.get("users", "alice"), 1);
    },

  "an invalid expireIn is refused, and nothing is written": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const before = await store.entry("users", "alice");
    const wrong = [0, -0, -1, -0.5, NaN, Infinity, -Infinity];
    for (const [operation, write] of Object.entries(writes)) {
      for (const expireIn of wrong) {
        await assertRejects(
          () => write(store, 2, { expireIn }),
          RangeError,
          "expireIn",
          `${operation} with ${expireIn}`,
        );
      }
      const others = ["1000", null, 1000n, new Number(1), new Date(), {}, true];
      for (const other of others) {
        const expireIn = other as number;
        await assertRejects(
          () => write(store, 2, { expireIn }),
          Error,
          "expireIn",
          `${operation} with ${typeof other}`,
        );
      }
    }
    assertEquals(await store.entry("users", "alice"), before);
    assertEquals(await store.keys("users"), ["alice"]);
    // An `undefined` property is not given.
    for (const write of Object.values(writes)) {
      await write(store, 2, { expireIn: undefined });
      assertEquals(await expiryOf(store, "alice"), undefined);
    }
  },

  "expireIn is an option of writes alone": async (open) => {
    await using store = await open();
    const options = { expireIn: HOUR } as object;
    const calls: Record<string, () => Promise<unknown>> = {
      delete: () => store.delete("users", "a", options),
      deleteAll: () => store.deleteAll("users", options),
      commit: () => store.atomic().set("users", "a", 1).commit(options),
      get: () => store.get("users", "a", options),
      list: () => store.list("users", options),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await assertRejects(call, TypeError, "expireIn", operation);
    }
    assertEquals(await store.kinds(), []);
  },
};
