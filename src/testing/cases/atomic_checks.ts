/**
 * Tests of the conditions of `atomic`: on an entry's version, on its revision,
 * and on whether it exists.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type {
  AtomicCheck,
  AtomicCondition,
  Store,
} from "../../contract/mod.ts";
import { VersionConflictError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { brief, next } from "../reading.ts";

export const atomicChecks: Cases = {
  "atomic check: holds if the entry is as each condition says": async (
    open,
  ) => {
    await using store = await open();
    await store.set("groups", "g", 1);
    const { version, revision } = await store.set("users", "alice", 1);
    const holding: [key: string, AtomicCondition][] = [
      ["alice", { version }],
      ["alice", { revision }],
      ["alice", { exists: true }],
      ["bob", { version: 0 }],
      ["bob", { revision: 0 }],
      ["bob", { exists: false }],
    ];
    for (const [n, [key, condition]] of holding.entries()) {
      const result = await store.atomic()
        .check({ kind: "users", key, ...condition })
        .set("written", `${n}`, 1)
        .commit();
      assert(result.ok, JSON.stringify(condition));
    }
    assertEquals(await store.count("written"), holding.length);
    // All at once, too.
    const checks = holding.map(([key, condition]) => ({
      kind: "users",
      key,
      ...condition,
    }));
    const result = await store.atomic().check(...checks)
      .set("written", "all", 1).commit();
    assert(result.ok);
  },

  "atomic check: a conflict has the condition, and the found state": async (
    open,
  ) => {
    await using store = await open();
    await store.set("groups", "g", 1);
    const { version, revision } = await store.set("users", "alice", 1);
    const found = { version, revision };
    await assertConflicts(store, "alice", found, [
      [{ version: 7 }, version],
      [{ version: 0 }, version],
      [{ revision: revision + 1 }, revision],
      [{ revision: revision - 1 }, revision],
      [{ revision: 0 }, revision],
      [{ exists: false }, true],
    ]);
    await assertConflicts(store, "bob", undefined, [
      [{ version: 1 }, 0],
      [{ revision }, 0],
      [{ exists: true }, false],
    ]);
  },

  "atomic check: a conflict's message says both": async (open) => {
    await using store = await open();
    await store.set("groups", "g", 1);
    const { revision } = await store.set("users", "alice", 1);
    const messages: [key: string, AtomicCondition, string][] = [
      ["alice", { version: 7 }, "expected version 7, found version 1"],
      [
        "alice",
        { revision: 0 },
        `expected no entry, found revision ${revision}`,
      ],
      ["alice", { exists: false }, "expected no entry, found an entry"],
      ["bob", { exists: true }, "expected an entry, found no entry"],
      ["bob", { revision: 77 }, "expected revision 77, found no entry"],
    ];
    for (const [key, condition, expected] of messages) {
      const { message } = await conflictOf(store, key, condition);
      assertStringIncludes(message, expected);
      assertStringIncludes(message, `"users"/"${key}"`);
    }
  },

  "atomic check: does not take a new entry for the one that was deleted":
    async (
      open,
    ) => {
      await using store = await open();
      const first = await store.set("users", "alice", 1);
      await store.delete("users", "alice");
      const second = await store.set("users", "alice", 1);
      assertEquals(second.version, first.version);
      const { expected, actual } = await conflictOf(store, "alice", {
        revision: first.revision,
      });
      assertEquals([expected, actual], [first.revision, second.revision]);
    },

  "atomic check: the conflict is that of the first failed check": async (
    open,
  ) => {
    await using store = await open();
    const { version, revision } = await store.set("users", "alice", 1);
    const kind = "users";
    const failing: AtomicCheck[] = [
      { kind, key: "b", exists: true },
      { kind, key: "alice", revision: revision + 1 },
      { kind, key: "c", version: 3 },
    ];
    for (const [n, first] of failing.entries()) {
      const others = failing.filter((check) => check !== first);
      const result = await store.atomic()
        .check({ kind, key: "alice", version })
        .check({ kind, key: "nobody", exists: false }, first)
        .set(kind, "alice", n)
        .check(...others)
        .commit();
      assert(!result.ok);
      assertEquals(result.conflict.key, first.key);
    }
    assertEquals(await store.get("users", "alice"), 1);
  },

  "atomic check: several of one entry must all hold": async (open) => {
    await using store = await open();
    const { version, revision } = await store.set("users", "alice", 1);
    const alice = { kind: "users", key: "alice" };
    const both = await store.atomic()
      .check({ ...alice, version }, { ...alice, revision })
      .check({ ...alice, exists: true })
      .set("users", "alice", 2)
      .commit();
    assert(both.ok);
    const one = await store.atomic()
      .check({ ...alice, version: version + 1 }, { ...alice, revision })
      .set("users", "alice", 3)
      .commit();
    assert(!one.ok);
    assertEquals(one.conflict.condition, "revision");
    assertEquals(await store.get("users", "alice"), 2);
  },

  "atomic check: sees no write of its own operation": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    const result = await store.atomic()
      .delete("users", "alice")
      .set("users", "bob", 1)
      .check({ kind: "users", key: "alice", revision })
      .check({ kind: "users", key: "bob", exists: false })
      .commit();
    assert(result.ok);
    assertEquals(await store.keys("users"), ["bob"]);
  },

  "atomic check: an operation with only checks returns whether they hold":
    async (open) => {
      await using store = await open();
      const { revision } = await store.set("users", "alice", 1);
      const alice = { kind: "users", key: "alice" };
      const held = await store.atomic().check({ ...alice, revision }).commit();
      assertEquals(held, { ok: true, revision, results: [] });
      const failed = await store.atomic().check({ ...alice, exists: false })
        .commit();
      assertEquals(failed.ok, false);
    },

  "C2 an atomic operation that any condition refuses does nothing": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    const events = store.watch("users").getReader();
    const refusing: AtomicCondition[] = [
      { version: 2 },
      { revision: revision + 1 },
      { exists: false },
    ];
    for (const condition of refusing) {
      const { ok } = await store.atomic()
        .check({ kind: "users", key: "alice", ...condition })
        .set("users", "alice", 2)
        .update("users", "alice", () => 3)
        .delete("users", "alice")
        .set("users", "bob", 1)
        .commit();
      assertEquals(ok, false);
    }
    const probe = await store.set("users", "probe", 1);
    assertEquals(probe.revision, revision + 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
  },

  "atomic check: a check with two conditions or without any is a TypeError":
    async (
      open,
    ) => {
      await using store = await open();
      const { version, revision } = await store.set("users", "alice", 1);
      const wrong = [
        {},
        { version, revision },
        { version, exists: true },
        { revision, exists: true },
        { version, revision, exists: true },
        { version: undefined, revision: undefined, exists: undefined },
        { exists: 1 },
        { exists: "yes" },
        { exists: null },
      ];
      for (const condition of wrong) {
        await assertAddsNone(store, condition, TypeError);
      }
      // An `undefined` property is not a condition.
      const result = await store.atomic().check({
        kind: "users",
        key: "alice",
        version: undefined,
        revision,
        exists: undefined,
      }).commit();
      assert(result.ok);
    },

  "atomic check: an invalid version or revision is a RangeError": async (
    open,
  ) => {
    await using store = await open();
    for (const name of ["version", "revision"]) {
      for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53, "1", null, 1n]) {
        await assertAddsNone(store, { [name]: value }, RangeError, name);
      }
    }
  },
};

/** The conflict of an operation with one condition, which does not hold. */
async function conflictOf(
  store: Store,
  key: string,
  condition: AtomicCondition,
): Promise<VersionConflictError> {
  const result = await store.atomic()
    .check({ kind: "users", key, ...condition })
    .set("users", "written", 1)
    .commit();
  assert(!result.ok, JSON.stringify(condition));
  assertInstanceOf(result.conflict, VersionConflictError);
  return result.conflict;
}

/** Asserts that conditions do not hold, and checks each conflict. */
async function assertConflicts(
  store: Store,
  key: string,
  found: VersionConflictError["found"],
  conflicts: [AtomicCondition, actual: number | boolean][],
): Promise<void> {
  for (const [condition, actual] of conflicts) {
    const conflict = await conflictOf(store, key, condition);
    const [[name, expected]] = Object.entries(condition);
    const what = JSON.stringify(condition);
    assertEquals([conflict.kind, conflict.key], ["users", key], what);
    assertEquals(
      [conflict.condition, conflict.expected, conflict.actual, conflict.found],
      [name, expected, actual, found],
      what,
    );
  }
  assertEquals(await store.get("users", "written"), undefined);
}

/** Asserts that a check throws, and adds none of the call's checks. */
async function assertAddsNone(
  store: Store,
  condition: object,
  error: ErrorConstructor,
  message?: string,
): Promise<void> {
  const what = Object.keys(condition).join();
  const operation = store.atomic();
  const wrong = { kind: "users", key: "b", ...condition } as AtomicCheck;
  const failing: AtomicCheck = { kind: "users", key: "none", exists: true };
  assertThrows(() => operation.check(failing, wrong), error, message, what);
  assertEquals((await operation.commit()).ok, true, what);
}
