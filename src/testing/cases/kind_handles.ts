/**
 * Tests of `kind`: the store's own operations, without the kind as an argument.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { KindStore, Store } from "../../contract/mod.ts";
import {
  InvalidNameError,
  KeyNotFoundError,
  StoreClosedError,
  ValidationError,
  VersionConflictError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { assertRejectsWith, brief, take } from "../reading.ts";
import { findCount, standardSchema } from "../schemas.ts";

export const kindHandles: Cases = {
  "kind: its reads are those of the store": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2, c: 3 });
    await store.set("groups", "a", 0);
    const users = store.kind("users");
    assertEquals(users.kind, "users");
    assertEquals(await users.get("b"), 2);
    assertEquals(await users.get("d"), undefined);
    assertEquals(await users.entry("b"), await store.entry("users", "b"));
    assertEquals([await users.has("b"), await users.has("d")], [true, false]);
    assertEquals([...await users.getMany(["c", "d", "a"])], [["c", 3], [
      "a",
      1,
    ]]);
    assertEquals(await users.list(), await store.list("users"));
    assertEquals(await users.keys(), ["a", "b", "c"]);
    assertEquals(await users.values(), await store.values("users"));
    assertEquals(await users.count(), 3);
    assertEquals(
      await Array.fromAsync(users.entries()),
      await Array.fromAsync(store.entries("users")),
    );
  },

  "kind: reads the range that it is given": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 2, c: 3, d: 4 });
    const users = store.kind("users");
    const range = {
      start: "b",
      reverse: true,
      limit: 2,
      where: (_: string, value: unknown) => value !== 4,
    };
    assertEquals([...await users.list(range)], [["c", 3], ["b", 2]]);
    assertEquals(await users.keys(range), ["c", "b"]);
    assertEquals(await users.values(range), [
      { key: "c", value: 3 },
      { key: "b", value: 2 },
    ]);
    assertEquals(await users.count(range), 2);
    const entries = await Array.fromAsync(users.entries(range));
    assertEquals(entries.map(({ key }) => key), ["c", "b"]);
  },

  "kind: its writes are those of the store": async (open) => {
    await using store = await open();
    const users = store.kind("users");
    const events = store.watch("users").getReader();
    const { revision } = await users.set("a", 1);
    assertEquals(await users.set("a", 2, { ifVersion: 1 }), {
      status: "updated",
      version: 2,
      revision: revision + 1,
    });
    await assertRejects(
      () => users.set("a", 3, { ifVersion: 1 }),
      VersionConflictError,
    );
    assertEquals(await users.setAll({ a: 2, b: 1 }), {
      created: 1,
      updated: 0,
      unchanged: 1,
      revision: revision + 2,
    });
    await users.setAll(new Map([["c", 1]]));
    const { value } = await users.update("b", (n) => n as number + 1);
    assertEquals(value, 2);
    await users.update("d", (n) => n, { initial: 1 });
    await assertRejects(() => users.update("e", (n) => n), KeyNotFoundError);
    await assertRejects(
      () => users.delete("a", { ifVersion: 1 }),
      VersionConflictError,
    );
    assertEquals((await users.delete("a"))?.value, 2);
    assertEquals(await users.delete("a"), undefined);
    await store.set("groups", "b", 1);
    const deleted = await users.deleteAll({ startAfter: "b", end: "d" });
    assertEquals(deleted, { deleted: 1, revision: revision + 8 });
    assertEquals(brief(await take(events, 8)), [
      "create a@1",
      "update a@2",
      "create b@1",
      "create c@1",
      "update b@2",
      "create d@1",
      "delete a@2",
      "delete c@1",
    ]);
    assertEquals((await users.deleteAll()).deleted, 2);
    assertEquals(await store.kinds(), ["groups"]);
  },

  "kind: its watches are those of the store": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    await store.set("groups", "a", 1);
    const users = store.kind("users");
    const live = users.watch().getReader();
    const all = users.watch({ initial: true, bookmarks: true }).getReader();
    await store.set("groups", "b", 1);
    await store.set("users", "b", 1);
    assertEquals(brief(await take(live, 1)), ["create b@1"]);
    assertEquals(
      brief(await take(all, 3)),
      ["create a@1", "bookmark", "create b@1"],
    );
  },

  "kind: checks by the kind's schema": async (open) => {
    const schemas = { counts: standardSchema(findCount) };
    await using store = await open({ schemas });
    const counts = store.kind("counts");
    const error = await assertRejects(
      () => counts.set("a", -1),
      ValidationError,
    );
    assertEquals([error.kind, error.key], ["counts", "a"]);
    assertEquals((await counts.set("a", 1)).status, "created");
  },

  "kind: gives the options of every operation on": async (open) => {
    await using store = await open();
    const users = store.kind("users");
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    for (const [operation, call] of Object.entries(calls)) {
      await assertRejectsWith(() => call(users, { signal }), reason, operation);
      await assertRejects(
        () => call(users, { limt: 1 }),
        TypeError,
        "limt",
        operation,
      );
    }
    const entries = users.entries({ signal });
    await assertRejectsWith(
      () => Array.fromAsync(entries),
      reason,
      "entries",
    );
    assertEquals(await Array.fromAsync(users.watch({ signal })), []);
    assertEquals(await store.kinds(), []);
  },

  "kind: keeps the order of the store's operations": async (open) => {
    await using store = await open();
    const users = store.kind("users");
    const writing = [
      users.set("a", 1),
      store.set("users", "a", 2),
      users.update("a", (n) => n as number + 1),
    ];
    assertEquals(await store.get("users", "a"), 3);
    assertEquals(await users.get("a"), 3);
    await Promise.all(writing);
  },

  "kind: a name that cannot be one is an InvalidNameError": async (open) => {
    await using store: Store = await open();
    for (const name of ["", "a\0", "\uD800", 1 as unknown as string]) {
      assertThrows(() => store.kind(name), InvalidNameError);
    }
    await assertRejects(() => store.kind("a").get(""), InvalidNameError);
  },

  "kind: is refused with the store once that is closed": async (open) => {
    await using store = await open();
    const users = store.kind("users");
    await store.close();
    for (const [operation, call] of Object.entries(calls)) {
      await assertRejects(
        () => call(users, {}),
        StoreClosedError,
        undefined,
        operation,
      );
    }
    assertThrows(() => users.entries(), StoreClosedError);
    assertThrows(() => users.watch(), StoreClosedError);
  },
};

const calls: Record<
  string,
  (users: KindStore, options: object) => Promise<unknown>
> = {
  get: (users, options) => users.get("a", options),
  entry: (users, options) => users.entry("a", options),
  has: (users, options) => users.has("a", options),
  getMany: (users, options) => users.getMany(["a"], options),
  list: (users, options) => users.list(options),
  keys: (users, options) => users.keys(options),
  values: (users, options) => users.values(options),
  count: (users, options) => users.count(options),
  set: (users, options) => users.set("a", 1, options),
  setAll: (users, options) => users.setAll({ a: 1 }, options),
  update: (users, options) =>
    users.update("a", (value) => value, { initial: 1, ...options }),
  delete: (users, options) => users.delete("a", options),
  deleteAll: (users, options) => users.deleteAll(options),
};
