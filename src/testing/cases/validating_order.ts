/**
 * Tests of `schemas` together with other operations: waiting for a schema
 * changes neither the order of operations (C3), nor their isolation (C4), nor
 * how they are cancelled (C7).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { StoreClosedError, ValidationError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertRejectsWith,
  brief,
  next,
  numberedKeys,
  take,
  turn,
} from "../reading.ts";
import {
  asyncCountSchemas,
  everySchema,
  holdingSchema,
  NO_COUNT,
  patientWrites,
} from "../schemas.ts";
import { countInOneWrite, keysOfOneWrite } from "../sizes.ts";

export const validatingInOrder: Cases = {
  "C2 a setAll with one value among many that is refused writes nothing":
    async (open, supports) => {
      for (const [what, schema] of Object.entries(everySchema)) {
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        for (const count of [10, countInOneWrite(20_000, supports)]) {
          const keys = numberedKeys(count);
          const culprit = keys[count - 3];
          const entries = keys.map((key) =>
            [key, key === culprit ? -1 : 1] as const
          );
          const error = await assertRejects(
            () => store.setAll("users", entries),
            ValidationError,
            culprit,
            `${count} entries with ${what}`,
          );
          assertEquals(error.key, culprit);
        }
        assertEquals(await store.keys("users"), ["kept"], what);
      }
    },

  "C2 a setAll of many values that are taken writes all": async (
    open,
    supports,
  ) => {
    const keys = keysOfOneWrite(20_000, supports);
    const middle = Math.floor(keys.length / 2);
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      const result = await store.setAll(
        "users",
        keys.map((key, n) => [key, n] as const),
      );
      assertEquals(result.created, keys.length, what);
      assertEquals(await store.get("users", keys[middle]), middle, what);
    }
  },

  "C2 an atomic operation with a value that is refused writes nothing": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "alice", 1);
      const { revision } = await store.set("groups", "admins", 1);
      // A refused value is an error of commit, not of the chain.
      const operation = store.atomic()
        .check({ kind: "users", key: "alice", version: 1 })
        .set("groups", "admins", 2)
        .set("users", "bob", -1)
        .set("users", "carol", -2)
        .delete("users", "alice");
      const error = await assertRejects(
        () => operation.commit(),
        ValidationError,
        NO_COUNT,
        what,
      );
      assertEquals([error.kind, error.key], ["users", "bob"], what);
      await assertRejects(() => operation.commit(), TypeError);
      assertEquals(await store.get("users", "alice"), 1, what);
      assertEquals(await store.get("groups", "admins"), 1, what);
      const probe = await store.set("groups", "probe", 1);
      assertEquals(probe.revision, revision + 1, what);
    }
  },

  "an atomic operation that is refused, and never committed, goes unnoticed":
    async (open) => {
      for (const schema of Object.values(everySchema)) {
        await using store = await open({ schemas: { users: schema } });
        store.atomic().set("users", "a", -1).set("users", "b", -1);
        await turn();
        await turn();
        assertEquals(await store.kinds(), []);
      }
    },

  "C4 a refused write does not affect those called with it": async (open) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      const outcomes = await Promise.allSettled(
        numberedKeys(50).flatMap((key, n) => [
          store.set("users", key, n % 3 === 0 ? -1 : n),
          store.set("groups", key, n),
          store.setAll("users", [["all", n], [key, n % 5 === 0 ? -1 : n]]),
        ]),
      );
      const refused = outcomes.filter(({ status }) => status === "rejected");
      assertEquals(refused.length, 17 + 10, what);
      const keys = numberedKeys(50).filter((_, n) => n % 15 !== 0);
      assertEquals(await store.keys("users"), [...keys, "all"], what);
      assertEquals(await store.count("groups"), 50, what);
    }
  },

  "update refuses an asynchronous schema with a TypeError": async (open) => {
    for (const [what, schema] of Object.entries(asyncCountSchemas)) {
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "alice", 1);
      const before = await store.entry("users", "alice");
      // The schema would accept one of them, and refuse the other.
      for (const value of [2, -1]) {
        for (const key of ["alice", "bob"]) {
          const error = await assertRejects(
            () => store.update("users", key, () => value, { initial: 1 }),
            TypeError,
            "ifVersion",
            what,
          );
          assertStringIncludes(error.message, "schema");
          assertStringIncludes(error.message, `"users"/"${key}"`);
        }
      }
      await turn();
      await turn();
      assertEquals(await store.keys("users"), ["alice"], what);
      assertEquals(await store.entry("users", "alice"), before, what);
    }
  },

  "C3 an operation sees the writes before it that wait for their schema":
    async (open) => {
      for (const [operation, write] of Object.entries(patientWrites)) {
        const { schema, take } = holdingSchema("slow");
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        const writing = write(store, "slow");
        const value = store.get("users", "alice");
        const entry = store.entry("users", "alice");
        const values = Array.fromAsync(store.entries("users"));
        await turn();
        take();
        assertEquals(await value, "slow", operation);
        assertEquals((await entry)?.version, 1, operation);
        assert((await values).some(({ key }) => key === "alice"), operation);
        await writing;
      }
    },

  "C3 a write that need not wait comes after the one before it that does":
    async (open) => {
      const { schema, take: release } = holdingSchema("slow");
      await using store = await open({ schemas: { users: schema } });
      const events = store.watch("users").getReader();
      const writing = [
        store.set("users", "a", "slow"),
        store.set("users", "a", "fast"),
        store.setAll("users", { b: "slow" }),
        store.update("users", "b", (value) => `${value}, then updated`),
        store.atomic().set("users", "c", "slow").commit(),
        store.delete("users", "c"),
      ];
      await turn();
      release();
      await Promise.all(writing);
      assertEquals(
        [...await store.list("users")],
        [["a", "fast"], ["b", "slow, then updated"]],
      );
      assertEquals(brief(await take(events, 6)), [
        "create a@1",
        "update a@2",
        "create b@1",
        "update b@2",
        "create c@1",
        "delete c@1",
      ]);
    },

  "C3 a write that its schema refuses in the end was never visible": async (
    open,
  ) => {
    const { schema, refuse } = holdingSchema("slow");
    await using store = await open({ schemas: { users: schema } });
    const refused = assertRejects(
      () => store.set("users", "a", "slow"),
      ValidationError,
    );
    const value = store.get("users", "a");
    refuse();
    assertEquals(await value, undefined);
    await refused;
    const { version } = await store.set("users", "a", "fast");
    assertEquals(version, 1);
  },

  "W4 a watch begins after the writes that wait for their schema": async (
    open,
  ) => {
    const { schema, take: release } = holdingSchema("slow");
    await using store = await open({ schemas: { users: schema } });
    const writing = store.set("users", "a", "slow");
    const replayed = store.watch("users", { initial: true }).getReader();
    const live = store.watch("users").getReader();
    const later = store.set("users", "b", "fast");
    release();
    await Promise.all([writing, later]);
    assertEquals(brief(await take(replayed, 2)), ["create a@1", "create b@1"]);
    assertEquals(brief([await next(live)]), ["create b@1"]);
  },

  "C7 a write that is aborted while its schema works does nothing": async (
    open,
  ) => {
    for (const [operation, write] of Object.entries(patientWrites)) {
      for (const end of ["take", "refuse"] as const) {
        const holding = holdingSchema("slow");
        await using store = await open({ schemas: { users: holding.schema } });
        const { revision } = await store.set("users", "kept", 1);
        const reason = new Error("stop");
        const aborting = new AbortController();
        const rejected = assertRejectsWith(
          () => write(store, "slow", aborting.signal),
          reason,
          operation,
        );
        await turn();
        aborting.abort(reason);
        await rejected;
        holding[end]();
        await turn();
        const probe = await store.set("users", "probe", 1);
        assertEquals(probe.revision, revision + 1, operation);
        assertEquals(await store.keys("users"), ["kept", "probe"], operation);
      }
    }
  },

  "C7 nobody waits for the schema of an aborted write": async (open) => {
    for (const [operation, write] of Object.entries(patientWrites)) {
      const { schema } = holdingSchema("never");
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "kept", 1);
      const aborting = new AbortController();
      const reason = new Error("stop");
      const rejected = assertRejectsWith(
        () => write(store, "never", aborting.signal),
        reason,
        operation,
      );
      const behind = [
        store.set("users", "next", 1),
        store.get("users", "kept"),
      ];
      await turn();
      aborting.abort(reason);
      await rejected;
      await Promise.all(behind);
      assertEquals(await store.keys("users"), ["kept", "next"], operation);
    }
  },

  "schemas: a late refusal of a failed write is ignored": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(asyncCountSchemas)) {
      const store = await open({ schemas: { users: schema } });
      const reason = new Error("stop");
      const signal = AbortSignal.abort(reason);
      for (const [operation, write] of Object.entries(patientWrites)) {
        await assertRejectsWith(
          () => write(store, -1, signal),
          reason,
          `${operation} with ${what}`,
        );
      }
      const operation = store.atomic().set("users", "a", -1);
      await store.close();
      await assertRejects(() => operation.commit(), StoreClosedError);
      for (const write of [patientWrites.set, patientWrites.setAll]) {
        await assertRejects(() => write(store, -1), StoreClosedError);
      }
      await turn();
      await turn();
    }
  },

  "close: finishes the writes that wait for their schema": async (open) => {
    const { schema, take: release } = holdingSchema("slow");
    const store = await open({ schemas: { users: schema } });
    const writing = store.set("users", "a", "slow");
    const closed = store.close();
    await turn();
    release();
    assertEquals((await writing).status, "created");
    await closed;
  },
};
