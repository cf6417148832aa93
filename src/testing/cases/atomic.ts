/**
 * Tests of `atomic`: several writes that take effect together or not at all.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { AtomicCheck } from "../../contract/atomic.ts";
import { CodecError, VersionConflictError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertRejectsWith,
  brief,
  fill,
  next,
  revisionsOf,
  take,
} from "../reading.ts";

export const atomic: Cases = {
  "atomic check: refuses the operation if a version is another": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const result = await store.atomic()
      .check({ kind: "users", key: "alice", version: 1 })
      .check({ kind: "users", key: "bob", version: 4 })
      .check({ kind: "users", key: "carol", version: 5 })
      .set("users", "alice", { n: 2 })
      .delete("users", "alice")
      .commit();
    assert(!result.ok);
    const { conflict } = result;
    assertInstanceOf(conflict, VersionConflictError);
    assertEquals(
      [conflict.kind, conflict.key, conflict.expected, conflict.actual],
      ["users", "bob", 4, 0],
    );
    assertEquals([...await store.list("users")], [["alice", { n: 1 }]]);
  },

  "atomic check: a version holds if it is the entry's, and 0 if there is no entry":
    async (
      open,
    ) => {
      await using store = await open();
      await store.set("users", "alice", { n: 1 });
      const create = () =>
        store.atomic()
          .check(
            { kind: "users", key: "alice", version: 1 },
            { kind: "users", key: "bob", version: 0 },
          )
          .set("users", "bob", { n: 1 })
          .commit();
      assert((await create()).ok);
      const again = await create();
      assert(!again.ok);
      assertEquals(again.conflict.key, "bob");
      assertEquals(again.conflict.actual, 1);
    },

  "atomic check: sees the entries from before the operation": async (open) => {
    await using store = await open();
    const result = await store.atomic()
      .set("users", "alice", { n: 1 })
      .check({ kind: "users", key: "alice", version: 0 })
      .commit();
    assert(result.ok);
    assertEquals(await store.get("users", "alice"), { n: 1 });
  },

  "atomic set: writes several keys of several kinds": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const result = await store.atomic()
      .set("users", "alice", { n: 2 })
      .set("users", "bob", { n: 3 })
      .set("groups", "admins", ["alice"])
      .commit();
    assert(result.ok);
    assertEquals([...await store.list("users")], [
      ["alice", { n: 2 }],
      ["bob", { n: 3 }],
    ]);
    assertEquals(await store.get("groups", "admins"), ["alice"]);
    assertEquals((await store.entry("users", "alice"))?.version, 2);
  },

  "atomic set: encodes the value at the call": async (open) => {
    await using store = await open();
    const value = { n: 1 };
    const operation = store.atomic().set("users", "alice", value);
    value.n = 2;
    await operation.commit();
    assertEquals(await store.get("users", "alice"), { n: 1 });

    const error = assertThrows(
      () => store.atomic().set("users", "bob", undefined),
      CodecError,
    );
    assertStringIncludes(error.message, "users");
    assertStringIncludes(error.message, "bob");
  },

  "atomic delete: deletes, and does nothing if there is no entry": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const result = await store.atomic()
      .delete("users", "a")
      .delete("users", "missing")
      .delete("groups", "missing")
      .commit();
    assert(result.ok);
    assertEquals(await store.keys("users"), ["b"]);
  },

  "atomic commit: gives the revision of the last change": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const result = await store.atomic()
      .set("users", "a", 1)
      .set("users", "b", 1)
      .delete("users", "a")
      .commit();
    assert(result.ok);
    const seen = await take(events, 3);
    assertEquals(brief(seen), ["create a@1", "create b@1", "delete a@1"]);
    assertEquals(seen[2].revision, result.revision);
  },

  "atomic commit: writes in the order of the calls": async (open) => {
    await using store = await open();
    await store.set("users", "c", 1);
    await store.atomic()
      .set("users", "a", 1)
      .set("users", "a", 2)
      .set("users", "b", 1)
      .delete("users", "b")
      .delete("users", "c")
      .set("users", "c", 3)
      .commit();
    assertEquals([...await store.list("users")], [["a", 2], ["c", 3]]);
  },

  "atomic commit: of nothing gives the store's latest revision": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    assertEquals(await store.atomic().commit(), {
      ok: true,
      revision,
      results: [],
    });
  },

  "atomic commit: runs once": async (open) => {
    await using store = await open();
    const operation = store.atomic().set("users", "alice", 1);
    await operation.commit();
    await store.delete("users", "alice");
    await assertRejects(() => operation.commit(), Error);
    assertEquals(await store.get("users", "alice"), undefined);
  },

  "atomic commit: takes nothing more": async (open) => {
    await using store = await open();
    const operation = store.atomic().set("users", "alice", 1);
    const committing = operation.commit();
    const more: Record<string, () => unknown> = {
      check: () => operation.check({ kind: "users", key: "a", version: 7 }),
      set: () => operation.set("users", "bob", 1),
      update: () => operation.update("users", "alice", () => 2),
      delete: () => operation.delete("users", "alice"),
    };
    for (const [name, add] of Object.entries(more)) {
      assertThrows(add, TypeError, "committed", name);
    }
    assert((await committing).ok);
    assertEquals([...await store.list("users")], [["alice", 1]]);
  },

  "atomic: a call that throws adds nothing": async (open) => {
    await using store = await open();
    const operation = store.atomic();
    const version = 7;
    const good = { kind: "users", key: "alice", version };
    const bad = [
      { kind: "users", key: "bob" },
      { kind: "users", key: "", version },
      { kind: "", key: "bob", version },
      { kind: "users", key: "bob", version: -1 },
    ] as unknown as AtomicCheck[];
    for (const check of bad) {
      assertThrows(() => operation.check(good, check), Error);
    }
    assertThrows(() => operation.set("users", "", 1), Error);
    assertThrows(() => operation.set("users", "bob", undefined), CodecError);
    assertThrows(() => operation.delete("users", ""), Error);
    assertEquals((await operation.set("users", "carol", 1).commit()).ok, true);
    assertEquals(await store.keys("users"), ["carol"]);
  },

  "C7 an atomic operation whose commit was aborted can be committed": async (
    open,
  ) => {
    await using store = await open();
    const operation = store.atomic().set("users", "alice", 1);
    const reason = new Error("stop");
    const aborted = AbortSignal.abort(reason);
    for (let i = 0; i < 2; i++) {
      await assertRejectsWith(
        () => operation.commit({ signal: aborted }),
        reason,
        "commit",
      );
    }
    // This one is aborted while it waits for its turn.
    const waiting = new AbortController();
    const outcome = operation.commit({ signal: waiting.signal });
    waiting.abort(reason);
    await assertRejectsWith(() => outcome, reason, "commit");
    assertEquals(await store.keys("users"), []);

    operation.set("users", "bob", 1);
    assert((await operation.commit()).ok);
    assertEquals(await store.keys("users"), ["alice", "bob"]);
    await assertRejects(() => operation.commit({ signal: aborted }), TypeError);
  },

  "atomic does nothing without commit": async (open) => {
    await using store = await open();
    const operation = store.atomic();
    assertStrictEquals(
      operation.check({ kind: "users", key: "a", version: 0 }),
      operation,
    );
    assertStrictEquals(operation.set("users", "a", 1), operation);
    assertStrictEquals(operation.update("users", "a", () => 2), operation);
    assertStrictEquals(operation.delete("users", "b"), operation);
    await store.set("groups", "admins", 1);
    assertEquals(await store.kinds(), ["groups"]);
  },

  "C2 an atomic operation that is refused does nothing": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const users = store.watch("users").getReader();
    const groups = store.watch("groups").getReader();
    const { ok } = await store.atomic()
      .set("users", "alice", 2)
      .set("groups", "admins", 1)
      .check({ kind: "users", key: "alice", version: 7 })
      .commit();
    assertEquals(ok, false);
    const results = [
      await store.set("users", "probe", 1),
      await store.set("groups", "probe", 1),
    ];
    const seen = [await next(users), await next(groups)];
    assertEquals(brief(seen), ["create probe@1", "create probe@1"]);
    assertEquals(revisionsOf(seen), revisionsOf(results));
    assertEquals(await store.get("users", "alice"), 1);
  },
};
