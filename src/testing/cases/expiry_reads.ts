/**
 * Tests of expired entries (C9): they are gone at once for every read,
 * condition and write, whether they were removed already or not.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
} from "@std/assert";
import type { AtomicCondition, Store } from "../../contract/mod.ts";
import {
  KeyNotFoundError,
  VersionConflictError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  expiryOf,
  HOUR,
  setAllExpired,
  setExpired,
  SOON,
  untilGone,
} from "../expiring.ts";
import {
  assertSound,
  brief,
  keysOf,
  linesOf,
  next,
  numberedKeys,
  take,
} from "../reading.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";

/** Every read of `users`, in which `a` and `c` have expired, and `b` has not. */
const reads: Record<string, (store: Store) => Promise<unknown>> = {
  get: (store) => store.get("users", "a"),
  entry: (store) => store.entry("users", "a"),
  has: (store) => store.has("users", "a"),
  getMany: async (store) => [...await store.getMany("users", ["c", "b", "a"])],
  list: async (store) => [...await store.list("users")],
  "list, reverse": async (store) => [
    ...await store.list("users", { reverse: true }),
  ],
  "list with a limit": async (store) => [
    ...await store.list("users", { limit: 1 }),
  ],
  keys: (store) => store.keys("users"),
  "keys with a limit": (store) => store.keys("users", { limit: 2 }),
  "keys of a range": (store) => store.keys("users", { start: "c" }),
  values: (store) => store.values("users"),
  count: (store) => store.count("users"),
  "count with a limit": (store) => store.count("users", { limit: 2 }),
  "count with where": (store) =>
    store.count("users", { where: (key) => key !== "b" }),
  "count of a range": (store) => store.count("users", { prefix: "a" }),
  entries: async (store) =>
    keysOf(await Array.fromAsync(store.entries("users"))),
  kinds: (store) => store.kinds(),
  getAll: async (store) =>
    [...await store.getAll()].map(([kind, entries]) => [kind, [...entries]]),
  export: async (store) =>
    (await linesOf(store.export())).map(({ kind, key }) => [kind, key]),
};

const left: Record<keyof typeof reads, unknown> = {
  get: undefined,
  entry: undefined,
  has: false,
  getMany: [["b", 1]],
  list: [["b", 1]],
  "list, reverse": [["b", 1]],
  "list with a limit": [["b", 1]],
  keys: ["b"],
  "keys with a limit": ["b"],
  "keys of a range": [],
  values: [{ key: "b", value: 1 }],
  count: 1,
  "count with a limit": 1,
  "count with where": 0,
  "count of a range": 0,
  entries: ["b"],
  kinds: ["users"],
  getAll: [["users", [["b", 1]]]],
  export: [["users", "b"]],
};

export const expiryReads: Cases = {
  "C9 expired entries are gone for every read": async (open, supports) => {
    await using store = await open();
    await store.set("users", "b", 1);
    const gone = [["users", "a"], ["users", "c"], ["gone", "a"]] as const;
    for (const [operation, read] of Object.entries(reads)) {
      const expiring = store.atomic();
      for (const [kind, key] of gone) {
        expiring.set(kind, key, 1, { expireIn: SOON });
      }
      await expiring.commit();
      for (const [kind, key] of gone) await untilGone(store, kind, key);
      assertEquals(await read(store), left[operation], operation);
    }
    await assertSound(store, supports);
  },

  "C9 expired entries are gone for reads that are called together": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "b", 1);
    await setAllExpired(store, "gone", ["a"]);
    await setAllExpired(store, "users", ["a", "c"]);
    const found = await Promise.all(
      Object.entries(reads).map(async ([operation, read]) =>
        [operation, await read(store)] as const
      ),
    );
    for (const [operation, result] of found) {
      assertEquals(result, left[operation], operation);
    }
  },

  "C9 reads find the other entries among many expired ones": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = keysOfOneWrite(2_000, supports);
    const lasting = [keys[5], keys[keys.length - 3]];
    await store.setAll("users", keys.map((key) => [key, 1]));
    const gone = keys.filter((key) => !lasting.includes(key));
    await setAllExpired(store, "users", gone);
    const [counted, listed, first, last, found] = await Promise.all([
      store.count("users"),
      store.keys("users"),
      store.keys("users", { limit: 1 }),
      store.keys("users", { limit: 1, reverse: true }),
      store.getMany("users", keys),
    ]);
    assertEquals(counted, 2);
    assertEquals(listed, lasting);
    assertEquals([...first, ...last], lasting);
    assertEquals([...found.keys()], lasting);
    const entries = await Array.fromAsync(store.entries("users"));
    assertEquals(keysOf(entries), lasting);
  },

  "C9 a replay has no expired entries": async (open) => {
    await using store = await open();
    await store.set("users", "b", 1);
    await setAllExpired(store, "users", ["a", "c"]);
    const replay = store.watch("users", { initial: true, types: ["create"] })
      .getReader();
    await store.set("users", "probe", 1);
    assertEquals(brief(await take(replay, 2)), [
      "create b@1",
      "create probe@1",
    ]);
  },

  "C9 conditions do not see expired entries": async (open) => {
    await using store = await open();
    const { version, revision } = await setExpired(store, "users", "a");
    for (const ifThere of [{ ifVersion: version }, { ifRevision: revision }]) {
      for (
        const write of [
          () => store.set("users", "a", 2, ifThere),
          () => store.delete("users", "a", ifThere),
          () => store.update("users", "a", () => 2, { initial: 1, ...ifThere }),
        ]
      ) {
        const { actual, found } = await assertRejects(
          write,
          VersionConflictError,
        );
        assertEquals([actual, found], [0, undefined]);
      }
    }
    const failing: [AtomicCondition, actual: number | boolean][] = [
      [{ version }, 0],
      [{ revision }, 0],
      [{ exists: true }, false],
    ];
    for (const [condition, actual] of failing) {
      const result = await store.atomic()
        .check({ kind: "users", key: "a", ...condition })
        .set("users", "b", 1)
        .commit();
      assert(!result.ok);
      assertEquals(result.conflict.actual, actual);
      assertEquals(result.conflict.found, undefined);
    }
    assertEquals(await store.kinds(), []);
  },

  'C9 the condition "does not exist" holds for an expired entry': async (
    open,
  ) => {
    const kind = "users";
    const writes: Record<string, (store: Store) => Promise<unknown>> = {
      "set ifVersion": (store) => store.set(kind, "a", 2, { ifVersion: 0 }),
      "set ifRevision": (store) => store.set(kind, "a", 2, { ifRevision: 0 }),
      update: (store) =>
        store.update(kind, "a", () => 2, { initial: 1, ifVersion: 0 }),
      "check of the version": (store) =>
        store.atomic().check({ kind, key: "a", version: 0 }).set(kind, "a", 2)
          .commit(),
      "check of the revision": (store) =>
        store.atomic().check({ kind, key: "a", revision: 0 }).set(kind, "a", 2)
          .commit(),
      "check of existence": (store) =>
        store.atomic().check({ kind, key: "a", exists: false })
          .set(kind, "a", 2).commit(),
    };
    await using store = await open();
    for (const [operation, write] of Object.entries(writes)) {
      await setExpired(store, kind, "a");
      await write(store);
      const entry = await store.entry(kind, "a");
      assertEquals([entry?.value, entry?.version], [2, 1], operation);
      await store.delete(kind, "a");
    }
  },

  "C9 a write over an expired entry creates an entry": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const writes: Record<string, () => Promise<unknown>> = {
      set: () => store.set("users", "a", 1),
      setAll: () => store.setAll("users", { a: 1 }),
      "setAll of many": () =>
        store.setAll(
          "users",
          [...keysOfOneWrite(600, supports).slice(1), "a"].map((key) => [
            key,
            1,
          ]),
        ),
      update: () => store.update("users", "a", () => 1, { initial: 0 }),
      "atomic set": () => store.atomic().set("users", "a", 1).commit(),
      "atomic update": () =>
        store.atomic().update("users", "a", () => 1, { initial: 0 }).commit(),
    };
    for (const [operation, write] of Object.entries(writes)) {
      await store.set("users", "a", 0);
      const { revision } = await setExpired(store, "users", "a", 1);
      const events = store.watch("users", { key: "a", after: revision })
        .getReader();
      await write();
      const entry = (await store.entry("users", "a"))!;
      assertEquals(entry.version, 1, operation);
      assert(!("expiresAt" in entry), operation);
      assertGreater(entry.revision, revision);
      const seen = await take(events, 2);
      assertEquals(brief(seen), ["delete a@2", "create a@1"], operation);
      assert(seen[0].type === "delete" && seen[0].expired, operation);
      assertEquals(seen[1].revision, entry.revision, operation);
      await events.cancel();
      await store.deleteAll("users");
    }
    await assertSound(store, supports);
  },

  "C9 the results of writes do not see expired entries": async (
    open,
  ) => {
    await using store = await open();
    await setAllExpired(store, "users", ["a", "b", "c", "d"]);
    assertEquals((await store.set("users", "a", 1)).status, "created");
    const { created, updated } = await store.setAll("users", { b: 1, e: 1 });
    assertEquals([created, updated], [2, 0]);
    const result = await store.atomic()
      .set("users", "c", 1)
      .delete("users", "d")
      .commit();
    assert(result.ok);
    assertEquals(
      result.results.map(({ status, version }) => [status, version]),
      [["created", 1], ["unchanged", 0]],
    );
  },

  "C9 equals is not called with expired values": async (open) => {
    await using store = await open({
      equals() {
        throw new Error("asked");
      },
    });
    await setAllExpired(store, "users", ["a", "b", "c"]);
    await store.set("users", "a", 2);
    await store.setAll("users", { b: 2 });
    await store.atomic().set("users", "c", 2).commit();
    assertEquals([...(await store.list("users")).values()], [2, 2, 2]);
  },

  "C9 an update of an expired entry starts from initial": async (open) => {
    await using store = await open();
    await setAllExpired(store, "counters", ["a", "b"]);
    const increment = (n: unknown) => (n as number) + 1;
    await assertRejects(
      () => store.update("counters", "a", increment),
      KeyNotFoundError,
    );
    await assertRejects(
      () => store.atomic().update("counters", "b", increment).commit(),
      KeyNotFoundError,
    );
    const { status, value } = await store.update("counters", "a", increment, {
      initial: 10,
    });
    assertEquals([status, value], ["created", 11]);
    const result = await store.atomic()
      .update("counters", "b", increment, { initial: 20 }).commit();
    assert(result.ok);
    assertEquals(result.results[0].value, 21);
  },

  "C9 a delete does not find an expired entry": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "d", 1);
    const events = store.watch("users", { after: revision }).getReader();
    await setAllExpired(store, "users", ["a", "b", "c"]);
    assertEquals(await store.delete("users", "a"), undefined);
    const result = await store.atomic().delete("users", "b").commit();
    assert(result.ok);
    assertEquals(result.results[0].status, "unchanged");
    assertEquals((await store.deleteAll("users")).deleted, 1);
    assertEquals((await store.deleteAll("users")).deleted, 0);
    // Each is reported once, as expired, whoever removed it.
    const seen = await take(events, 7);
    const deletions = seen.slice(3).map((event) => {
      assert(event.type === "delete");
      return [event.key, event.expired === true];
    });
    assertEquals(deletions.sort(), [
      ["a", true],
      ["b", true],
      ["c", true],
      ["d", false],
    ]);
    await store.set("users", "probe", 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
  },

  "C9 an entry that is written in time stays": async (open) => {
    await using store = await open();
    // It is so long that nothing has expired when a server carries it out.
    const expireIn = 20 * SOON;
    await store.atomic()
      .set("users", "cleared", 1, { expireIn })
      .set("users", "cleared", 1)
      .set("users", "longer", 1, { expireIn })
      .set("users", "longer", 1, { expireIn: HOUR })
      .set("users", "updated", 1, { expireIn })
      .update("users", "updated", () => 2, { expireIn: HOUR })
      .set("users", "again", 1, { expireIn })
      .delete("users", "again")
      .set("users", "again", 1)
      .commit();
    const events = store.watch("users", { types: ["delete"] }).getReader();
    await store.set("users", "soon", 1, { expireIn });
    assertEquals(brief([await next(events)]), ["delete soon@1"]);
    const keys = ["again", "cleared", "longer", "updated"];
    assertEquals(await store.keys("users"), keys);
    assertEquals(await expiryOf(store, "cleared"), undefined);
  },

  "C9 an export loses nothing when an entry expires while it is read": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(1_500);
    const last = keys[keys.length - 1];
    await fillMany(store, "users", keys, supports);
    await store.set("users", last, 1, { expireIn: SOON });
    const reader = store.export().getReader();
    const chunks = [await next(reader)];
    await untilGone(store, "users", last);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
    const text = await new Blob(chunks).text();
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    // The last one is there if it was there at the first read.
    if (lines.length === keys.length) lines.pop();
    assertEquals(keysOf(lines), keys.slice(0, -1));
    assertEquals(await store.count("users"), keys.length - 1);
  },
};
