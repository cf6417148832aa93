/**
 * Tests of `equals`: a write of an equal value is a no-op (C5), and the
 * arguments and times of its calls.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { VersionConflictError } from "../../contract/errors.ts";
import {
  type Cases,
  needing,
  needsChecksBeforeEquals,
  type OpenForTest,
} from "../case.ts";
import { assertRejectsWith, brief, next, take } from "../reading.ts";
import { lengthSchema } from "../schemas.ts";

interface Named {
  name: string;
  seen: number;
}

/** Users with the same name are equal. */
const equals: OpenForTest["equals"] = (kind, previous, next) =>
  kind === "users" && (previous as Named).name === (next as Named).name;

const ALICE: Named = { name: "Alice", seen: 1 };
const ALICE_AGAIN: Named = { name: "Alice", seen: 2 };

/** The arguments of a call of `equals`. */
type Asked = [kind: string, previous: unknown, next: unknown];

/** An `equals` that notes its arguments, and returns false. */
function askedEquals(): { asked: Asked[]; equals: OpenForTest["equals"] } {
  const asked: Asked[] = [];
  return {
    asked,
    equals(...question) {
      asked.push(question);
      return false;
    },
  };
}

export const equality: Cases = {
  "C5 a set of an equal value is a no-op": async (open) => {
    await using store = await open({ equals });
    await assertNoChange(store, async (revision) => {
      assertEquals(await store.set("users", "alice", ALICE_AGAIN), {
        status: "unchanged",
        version: 1,
        revision,
      });
    });
  },

  "C5 a setAll of equal values is a no-op": async (open) => {
    await using store = await open({ equals });
    await assertNoChange(store, async (revision) => {
      assertEquals(await store.setAll("users", { alice: ALICE_AGAIN }), {
        created: 0,
        updated: 0,
        unchanged: 1,
        revision,
      });
    });
  },

  "C5 an update to an equal value is a no-op": async (open) => {
    await using store = await open({ equals });
    await assertNoChange(store, async (revision) => {
      const result = await store.update("users", "alice", () => ALICE_AGAIN);
      const { status, version } = result;
      assertEquals(
        [status, version, result.revision],
        ["unchanged", 1, revision],
      );
    });
  },

  "C5 an atomic write of an equal value is a no-op": async (
    open,
  ) => {
    await using store = await open({ equals });
    await assertNoChange(store, async (revision) => {
      assertEquals(
        await store.atomic().set("users", "alice", ALICE_AGAIN).commit(),
        {
          ok: true,
          revision,
          results: [{ status: "unchanged", version: 1, revision }],
        },
      );
    });
  },

  "C5 the same value is a no-op, even if equals returns false": async (
    open,
  ) => {
    await using store = await open({ equals: () => false });
    await assertNoChange(store, async () => {
      const { status } = await store.set("users", "alice", { ...ALICE });
      assertEquals(status, "unchanged");
    });
  },

  "equals: a value that does not compare equal is written": async (open) => {
    await using store = await open({ equals });
    const bob = { name: "Bob", seen: 1 };
    await store.set("users", "alice", ALICE);
    const { status, version, revision } = await store.set(
      "users",
      "alice",
      bob,
    );
    assertEquals([status, version], ["updated", 2]);
    assertEquals(
      await store.setAll("users", {
        alice: { name: "Bob", seen: 2 },
        bob: { name: "Bob", seen: 2 },
        carol: { name: "Carol", seen: 2 },
      }),
      { created: 2, updated: 0, unchanged: 1, revision: revision + 2 },
    );
    assertEquals(await store.get("users", "alice"), bob);
  },

  "equals: decides by the kind": async (open) => {
    await using store = await open({ equals });
    await store.set("groups", "alice", ALICE);
    const { status } = await store.set("groups", "alice", ALICE_AGAIN);
    assertEquals(status, "updated");
    assertEquals(await store.get("groups", "alice"), ALICE_AGAIN);
  },

  "equals: is asked with the kind, the value before and the next": async (
    open,
  ) => {
    const { asked, equals } = askedEquals();
    await using store = await open({ equals });
    await store.set("users", "a", { n: 1 });
    await store.set("users", "a", { n: 2 });
    await store.setAll("users", { a: { n: 3 } });
    await store.update("users", "a", () => ({ n: 4 }));
    await store.atomic().set("users", "a", { n: 5 })
      .update("users", "a", () => ({ n: 6 })).commit();
    const expected = [1, 2, 3, 4, 5].map((n) => ["users", { n }, { n: n + 1 }]);
    assertEquals(asked as unknown[], expected);
  },

  "equals: gets the schema's output": async (open) => {
    const { asked, equals } = askedEquals();
    await using store = await open({
      equals,
      schemas: { users: lengthSchema },
    });
    await store.set("users", "a", "one");
    await store.set("users", "a", "fourteen");
    assertEquals(asked, [["users", 3, 8]]);
  },

  "equals: is asked of the value as it is at the call": async (open) => {
    const { asked, equals } = askedEquals();
    await using store = await open({ equals });
    await store.set("users", "a", { n: 1 });
    const value = { n: 2 };
    const write = store.set("users", "a", value);
    value.n = 3;
    await write;
    assertEquals(asked, [["users", { n: 1 }, { n: 2 }]]);
    assertEquals(await store.get("users", "a"), { n: 2 });
  },

  "equals: changes to its arguments have no effect": async (
    open,
  ) => {
    await using store = await open({
      equals(_, previous, next) {
        (previous as Named).name = (next as Named).name = "Mallory";
        return false;
      },
    });
    const value = { ...ALICE_AGAIN };
    await store.set("users", "alice", ALICE);
    await store.set("users", "alice", value);
    assertEquals(await store.get("users", "alice"), ALICE_AGAIN);
    assertEquals(value, ALICE_AGAIN);
  },

  "equals: is not called if nothing is replaced": async (open) => {
    const { asked, equals } = askedEquals();
    await using store = await open({ equals });
    await store.set("users", "a", 1);
    await store.setAll("users", { b: 1 });
    await store.update("users", "c", () => 1, { initial: 1 });
    await store.atomic().set("users", "d", 1).delete("users", "c").commit();
    await store.delete("users", "a");
    await store.set("users", "a", 1);
    await store.get("users", "a");
    assertEquals(asked, []);
  },

  ...needing(needsChecksBeforeEquals, {
    "equals: is not called if the version differs": async (open) => {
      const { asked, equals } = askedEquals();
      await using store = await open({ equals });
      await store.set("users", "a", 1);
      await assertRejects(
        () => store.set("users", "a", 2, { ifVersion: 2 }),
        VersionConflictError,
      );
      const { ok } = await store.atomic()
        .check({ kind: "users", key: "a", version: 2 })
        .set("users", "a", 2)
        .commit();
      assertEquals(ok, false);
      assertEquals(asked, []);
    },
  }),

  "equals: sees earlier writes of the same transaction": async (open) => {
    await using store = await open({ equals });
    const events = store.watch("users").getReader();
    const result = await store.atomic()
      .set("users", "alice", ALICE)
      .set("users", "alice", ALICE_AGAIN)
      .delete("users", "alice")
      .set("users", "alice", ALICE_AGAIN)
      .commit();
    assert(result.ok);
    assertEquals(
      brief(await take(events, 3)),
      ["create alice@1", "delete alice@1", "create alice@1"],
    );
    assertEquals(await store.get("users", "alice"), ALICE_AGAIN);
  },

  "C4 an equals that throws rejects its own call only": async (open) => {
    const broken = new Error("broken");
    await using store = await open({
      equals(_, _previous, next) {
        if (next === "culprit") throw broken;
        return false;
      },
    });
    await store.setAll("users", { a: 1, b: 1, c: 1 });
    const { revision } = await store.set("users", "d", 1);
    const refused: Record<string, () => Promise<unknown>> = {
      set: () => store.set("users", "a", "culprit"),
      setAll: () => store.setAll("users", { a: 2, b: "culprit", c: 2 }),
      update: () => store.update("users", "a", () => "culprit"),
      atomic: () =>
        store.atomic().delete("users", "c").set("users", "a", "culprit")
          .commit(),
    };
    const calls = Object.entries(refused).flatMap(([operation, call], n) => [
      assertRejectsWith(call, broken, operation),
      store.set("others", operation, n),
    ]);
    await Promise.all(calls);
    assertEquals(
      [...await store.list("users")],
      [["a", 1], ["b", 1], ["c", 1], ["d", 1]],
    );
    assertEquals(await store.count("others"), 4);
    const probe = await store.set("users", "probe", 1);
    assertEquals(probe.revision, revision + 5);
  },

  "an equals that returns a promise is a TypeError": async (open) => {
    const equals = () => Promise.resolve(true) as unknown as boolean;
    await using store = await open({ equals });
    await store.set("users", "alice", 1);
    const error = await assertRejects(
      () => store.set("users", "alice", 2),
      TypeError,
      '"equals"',
    );
    assertStringIncludes(error.message, '"users"/"alice"');
    assertEquals(await store.get("users", "alice"), 1);
  },

  "an equals that is not a function is a TypeError": async (open) => {
    for (const equals of [1, null, "bytes", { users: () => true }]) {
      await assertRejects(
        async () => await open({ equals } as unknown as OpenForTest),
        TypeError,
        '"equals"',
      );
    }
  },
};

/** Asserts that a write of a value equal to Alice has no effect. */
async function assertNoChange(
  store: Store,
  write: (revision: number) => Promise<void>,
): Promise<void> {
  const { revision } = await store.set("users", "alice", ALICE);
  const before = await store.entry("users", "alice");
  assertStrictEquals(before?.version, 1);
  const events = store.watch("users").getReader();
  await write(revision);
  assertEquals(await store.entry("users", "alice"), before);
  const probe = await store.set("users", "probe", { name: "Probe" });
  assertEquals(probe.revision, revision + 1);
  assertEquals(brief([await next(events)]), ["create probe@1"]);
}
