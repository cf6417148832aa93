/**
 * Tests of `update` inside `atomic`: it sees the results of earlier writes, and
 * takes effect with all others or not at all.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { AtomicOperation, Store } from "../../contract/mod.ts";
import {
  CodecError,
  InvalidNameError,
  KeyNotFoundError,
  ValidationError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { assertRejectsWith, brief, next, turn } from "../reading.ts";
import {
  asyncCountSchemas,
  countSchemas,
  lengthSchema,
  NO_COUNT,
} from "../schemas.ts";

const increment = (n: unknown) => (n as number) + 1;

export const atomicUpdates: Cases = {
  "atomic update: replaces a value by the function's result": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const result = await store.atomic()
      .set("groups", "g", 1)
      .update("users", "alice", (value) => ({ was: value }))
      .commit();
    assert(result.ok);
    assertEquals(result.results[1].value, { was: { n: 1 } });
    assertEquals(await store.get("users", "alice"), { was: { n: 1 } });
  },

  "atomic update: sees the results of earlier writes": async (open) => {
    await using store = await open();
    await store.set("counters", "c", 1);
    const result = await store.atomic()
      .update("counters", "c", increment)
      .update("counters", "c", increment)
      .set("counters", "c", 10)
      .update("counters", "c", increment)
      .delete("counters", "c")
      .update("counters", "c", increment, { initial: 100 })
      .commit();
    assert(result.ok);
    assertEquals(
      result.results.map(({ value }) => value),
      [2, 3, undefined, 11, undefined, 101],
    );
    const entry = await store.entry("counters", "c");
    assertEquals([entry?.value, entry?.version], [101, 1]);
  },

  "atomic update: sees the writes that were called before the commit": async (
    open,
  ) => {
    await using store = await open();
    const operation = store.atomic().update("counters", "c", increment);
    const writes = [
      store.set("counters", "c", 5),
      store.update("counters", "c", increment),
    ];
    const result = await operation.commit();
    assert(result.ok);
    assertEquals(result.results[0].value, 7);
    await Promise.all(writes);
  },

  "atomic update: moves between entries without losing anything": async (
    open,
  ) => {
    await using store = await open();
    await store.setAll("accounts", { a: 0, b: 0 });
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => {
        const operation = store.atomic()
          .update("accounts", "a", (a) => (a as number) - n)
          .update("accounts", "b", (b) => (b as number) + n);
        return operation.commit();
      }),
    );
    assertEquals([...await store.list("accounts")], [["a", -4950], [
      "b",
      4950,
    ]]);
  },

  "atomic update: starts from initial if there is no entry": async (
    open,
  ) => {
    await using store = await open();
    const initial = { n: 1 };
    const operation = store.atomic()
      .update("users", "a", (value) => value, { initial })
      .update("users", "b", (value) => ({ was: value }), { initial });
    initial.n = 2;
    assert((await operation.commit()).ok);
    assertEquals([...await store.list("users")], [
      ["a", { n: 1 }],
      ["b", { was: { n: 1 } }],
    ]);
  },

  "atomic update: of a key that is not there is a KeyNotFoundError": async (
    open,
  ) => {
    await using store = await open();
    await assertWritesNothing(store, async (operation) => {
      operation.update("users", "missing", increment);
      const error = await assertRejects(
        () => operation.commit(),
        KeyNotFoundError,
      );
      assertEquals([error.kind, error.key], ["users", "missing"]);
    });
  },

  "atomic update: an entry that the operation has deleted is a KeyNotFoundError":
    async (
      open,
    ) => {
      await using store = await open();
      await assertWritesNothing(store, async (operation) => {
        operation.delete("users", "alice").update("users", "alice", increment);
        await assertRejects(() => operation.commit(), KeyNotFoundError);
      });
    },

  "atomic update: rejects with the function's error": async (open) => {
    await using store = await open();
    for (const thrown of [new Error("broken"), undefined, null, 0]) {
      await assertWritesNothing(store, async (operation) => {
        operation.update("users", "alice", () => {
          throw thrown;
        });
        const outcome = await operation.commit().then(
          () => "resolved",
          (error) => ({ error }),
        );
        assertEquals(outcome, { error: thrown });
      });
    }
  },

  "atomic update: a function that returns a promise is a TypeError": async (
    open,
  ) => {
    await using store = await open();
    await assertWritesNothing(store, async (operation) => {
      operation.update("users", "alice", () => Promise.resolve(2));
      await assertRejects(() => operation.commit(), TypeError, "promise");
    });
  },

  "atomic update: refuses undefined with CodecError": async (open) => {
    await using store = await open();
    await assertWritesNothing(store, async (operation) => {
      operation.update("users", "alice", () => undefined);
      await assertRejects(() => operation.commit(), CodecError, "alice");
    });
  },

  "atomic update: a value that the schema refuses is a ValidationError": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(countSchemas)) {
      await using store = await open({ schemas: { users: schema } });
      await assertWritesNothing(store, async (operation) => {
        operation.update("users", "alice", () => -1);
        const error = await assertRejects(
          () => operation.commit(),
          ValidationError,
          NO_COUNT,
          what,
        );
        assertEquals([error.kind, error.key], ["users", "alice"]);
        assertStringIncludes(error.message, '"users"/"alice"');
      });
    }
  },

  "atomic update: an asynchronous schema is a TypeError": async (open) => {
    for (const [what, schema] of Object.entries(asyncCountSchemas)) {
      await using store = await open({ schemas: { users: schema } });
      await assertWritesNothing(store, async (operation) => {
        operation.update("users", "alice", () => 2);
        await assertRejects(
          () => operation.commit(),
          TypeError,
          undefined,
          what,
        );
      });
      await turn();
    }
  },

  "atomic update: stores the schema's output": async (
    open,
  ) => {
    await using store = await open({ schemas: { lengths: lengthSchema } });
    const result = await store.atomic()
      .set("lengths", "a", "123")
      .update("lengths", "a", (length) => "+".repeat(length as number + 1))
      .commit();
    assert(result.ok);
    assertEquals(result.results[1].value, 4);
    assertEquals(await store.get("lengths", "a"), 4);
  },

  "C4 an atomic update that fails fails no other write": async (open) => {
    await using store = await open();
    const broken = new Error("broken");
    const failing = () =>
      store.atomic().set("users", "never", 1).update("users", "a", () => {
        throw broken;
      }, { initial: 1 }).commit();
    await Promise.all([
      store.set("users", "before", 1),
      assertRejectsWith(failing, broken, "commit"),
      store.set("users", "between", 1),
      assertRejectsWith(failing, broken, "commit"),
      store.set("users", "after", 1),
    ]);
    assertEquals(await store.keys("users"), ["after", "before", "between"]);
  },

  "C5 an atomic update that changes nothing is a no-op": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", { n: 1 });
    const events = store.watch("users").getReader();
    const result = await store.atomic()
      .update("users", "alice", (value) => value)
      .commit();
    assertEquals(result, {
      ok: true,
      revision,
      results: [
        { status: "unchanged", version: 1, revision, value: { n: 1 } },
      ],
    });
    await store.set("users", "probe", 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
  },

  "atomic update: a call that throws adds nothing": async (open) => {
    await using store = await open();
    const operation = store.atomic();
    const call = operation.update.bind(operation) as (
      ...args: unknown[]
    ) => unknown;
    const fn = () => 1;
    const names = [["", "a"], ["users", ""], ["users", "\0"], ["users", 1]];
    for (const [kind, key] of names) {
      assertThrows(() => call(kind, key, fn), InvalidNameError);
    }
    for (const wrong of [undefined, null, 1, "fn", {}]) {
      assertThrows(() => call("users", "a", wrong, { initial: 1 }), TypeError);
    }
    for (const options of [{ inital: 1 }, { ifVersion: 1 }, null, 1, []]) {
      assertThrows(() => call("users", "a", fn, options), TypeError);
    }
    assertStrictEquals(operation.set("users", "b", 1), operation);
    assert((await operation.commit()).ok);
    assertEquals(await store.keys("users"), ["b"]);
    assertThrows(() => call("users", "a", fn), TypeError, "committed");
  },
};

/** Runs an operation that has written `users/alice` and more, and must fail. */
async function assertWritesNothing(
  store: Store,
  fail: (operation: AtomicOperation) => Promise<void>,
): Promise<void> {
  const { revision } = await store.set("users", "alice", 1);
  const events = store.watch("users").getReader();
  await fail(
    store.atomic().set("users", "bob", 1).set("users", "alice", 7)
      .set("groups", "g", 1),
  );
  assertEquals([...await store.list("users")], [["alice", 1]]);
  assertEquals(await store.kinds(), ["users"]);
  const probe = await store.set("users", "probe", 1);
  assertEquals(probe.revision, revision + 1);
  assertEquals(brief([await next(events)]), ["create probe@1"]);
  await events.cancel();
  await store.deleteAll("users");
}
