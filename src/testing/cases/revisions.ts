/**
 * Tests of `revision` in entries and results (C6), and of the conditions of
 * single writes: `ifVersion` and `ifRevision`.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Store, WriteCondition } from "../../contract/mod.ts";
import {
  KeyNotFoundError,
  VersionConflictError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { entryLine, streamOf } from "../lines.ts";
import { brief, next, revisionsOf, take } from "../reading.ts";

/** Every write of `users/alice` with a condition. Afterwards it is `"another"`, or gone. */
const conditionalWrites: Record<
  string,
  (store: Store, condition: WriteCondition) => Promise<unknown>
> = {
  set: (store, condition) => store.set("users", "alice", "another", condition),
  update: (store, condition) =>
    store.update("users", "alice", () => "another", {
      initial: 1,
      ...condition,
    }),
  delete: (store, condition) => store.delete("users", "alice", condition),
};

export const revisions: Cases = {
  "C6 an entry has the revision of its last change": async (open) => {
    await using store = await open();
    const revisionOf = async (key: string) =>
      (await store.entry("users", key))?.revision;
    const events = store.watch("users").getReader();
    const created = await store.set("users", "a", 1);
    assertEquals(await revisionOf("a"), created.revision);
    await store.set("users", "b", 1);
    assertEquals(await revisionOf("a"), created.revision);
    const updated = await store.update("users", "a", () => 2);
    assertEquals(await revisionOf("a"), updated.revision);
    await store.setAll("users", { a: 3, c: 3 });
    await store.atomic().set("users", "b", 4).set("users", "d", 4)
      .set("users", "b", 5).commit();

    const last = new Map<string, number>();
    for (const { key, revision } of await take(events, 8)) {
      last.set(key, revision);
    }
    const entries = await Array.fromAsync(store.entries("users"));
    assertEquals(
      entries.map(({ key, revision }) => [key, revision]),
      [...last].sort(([a], [b]) => a < b ? -1 : 1),
    );
    for (const [key, revision] of last) {
      assertEquals(await revisionOf(key), revision, key);
    }
  },

  "C6 an entry that is imported has the revision of its event": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch("a").getReader();
    await store.import(streamOf(entryLine("x", 1) + entryLine("y", 1)));
    for (const { key, revision } of await take(events, 2)) {
      assertEquals((await store.entry("a", key))?.revision, revision, key);
    }
  },

  "C6 a write without a change gives the entry's own revision": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    const latest = await store.set("groups", "admins", 1);
    const unchanged = await store.set("users", "alice", 1);
    const same = await store.update("users", "alice", (value) => value);
    const atomic = await store.atomic().set("users", "alice", 1).commit();
    assert(atomic.ok);
    assertEquals(revisionsOf([unchanged, same, ...atomic.results]), [
      revision,
      revision,
      revision,
    ]);
    assertEquals(atomic.revision, latest.revision);
  },

  "C6 setAll gives the revision of its last change, or the store's latest":
    async (open) => {
      await using store = await open();
      const events = store.watch("users").getReader();
      assertEquals((await store.setAll("users", {})).revision, 0);
      const written = await store.setAll("users", { b: 1, c: 1, a: 1 });
      const seen = await take(events, 3);
      assertEquals(written.revision, seen[2].revision);
      const some = await store.setAll("users", { a: 2, b: 1, c: 1 });
      assertEquals(some.revision, (await next(events)).revision);
      const { revision } = await store.set("groups", "g", 1);
      const same = await store.setAll("users", { a: 2, b: 1 });
      assertEquals([same.unchanged, same.revision], [2, revision]);
      assertEquals((await store.setAll("users", [])).revision, revision);
    },

  "C6 delete gives the entry as it was, and the deletion's revision": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    await store.set("users", "alice", { n: 2 });
    await store.set("groups", "g", 1);
    const entry = await store.entry("users", "alice");
    assert(entry);
    const events = store.watch("users").getReader();
    const deleted = await store.delete("users", "alice");
    const { revision } = await next(events);
    assertEquals(deleted, { ...entry, deleteRevision: revision });
    assertGreater(revision, entry.revision);
  },

  "C6 an entry that is created again has another revision": async (open) => {
    await using store = await open();
    const first = await store.set("users", "alice", 1);
    await store.delete("users", "alice");
    const second = await store.set("users", "alice", 1);
    assertEquals([first.version, second.version], [1, 1]);
    assertGreater(second.revision, first.revision);
    // The version is the same, so it does not distinguish the entries.
    await assertConflict(
      () => store.set("users", "alice", 2, { ifRevision: first.revision }),
      {
        condition: "revision",
        expected: first.revision,
        actual: second.revision,
        found: { version: 1, revision: second.revision },
      },
    );
    const third = await store.set("users", "alice", 2, {
      ifRevision: second.revision,
    });
    assertEquals(third.version, 2);
  },

  "ifVersion, ifRevision: a write is done if the entry is as they say": async (
    open,
  ) => {
    for (const [operation, write] of Object.entries(conditionalWrites)) {
      for (const name of ["ifVersion", "ifRevision"]) {
        await using store = await open();
        await store.set("groups", "g", 1);
        const { version, revision } = await store.set("users", "alice", 1);
        const events = store.watch("users").getReader();
        await write(store, {
          [name]: name === "ifVersion" ? version : revision,
        });
        const type = operation === "delete" ? "delete" : "update";
        const what = `${operation} with ${name}`;
        assertEquals((await next(events)).type, type, what);
      }
    }
  },

  "ifVersion, ifRevision: 0 holds if there is no entry": async (open) => {
    for (const name of ["ifVersion", "ifRevision"]) {
      for (const [operation, write] of Object.entries(conditionalWrites)) {
        await using store = await open();
        const what = `${operation} with ${name}`;
        const isDelete = operation === "delete";
        const result = await write(store, { [name]: 0 });
        if (isDelete) assertEquals(result, undefined, what);
        assertEquals(
          await store.get("users", "alice"),
          isDelete ? undefined : "another",
          what,
        );
        const found = await store.set("users", "alice", 1);
        await assertConflict(() => write(store, { [name]: 0 }), {
          condition: name === "ifVersion" ? "version" : "revision",
          expected: 0,
          actual: name === "ifVersion" ? found.version : found.revision,
          found: { version: found.version, revision: found.revision },
        }, what);
      }
    }
  },

  "ifVersion, ifRevision: nothing is written if the entry is another": async (
    open,
  ) => {
    await using store = await open();
    const stale = await store.set("users", "alice", 1);
    const { version, revision } = await store.set("users", "alice", 2);
    const found = { version, revision };
    const events = store.watch("users").getReader();
    for (const [operation, write] of Object.entries(conditionalWrites)) {
      for (const expected of [stale.revision, revision + 1]) {
        await assertConflict(() => write(store, { ifRevision: expected }), {
          condition: "revision",
          expected,
          actual: revision,
          found,
        }, operation);
      }
      for (const expected of [stale.version, version + 1]) {
        await assertConflict(() => write(store, { ifVersion: expected }), {
          condition: "version",
          expected,
          actual: version,
          found,
        }, operation);
      }
    }
    const probe = await store.set("users", "probe", 1);
    assertEquals(probe.revision, revision + 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
    assertEquals(await store.get("users", "alice"), 2);
  },

  "ifVersion, ifRevision: only 0 holds if there is no entry": async (open) => {
    await using store = await open();
    const { version, revision } = await store.set("users", "alice", 1);
    await store.delete("users", "alice");
    for (const [operation, write] of Object.entries(conditionalWrites)) {
      await assertConflict(() => write(store, { ifVersion: version }), {
        condition: "version",
        expected: version,
        actual: 0,
      }, operation);
      await assertConflict(() => write(store, { ifRevision: revision }), {
        condition: "revision",
        expected: revision,
        actual: 0,
      }, operation);
    }
    assertEquals(await store.kinds(), []);
  },

  "ifRevision counts for a value that is there already": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    const same = await store.set("users", "alice", 1, { ifRevision: revision });
    assertEquals([same.status, same.revision], ["unchanged", revision]);
    await assertRejects(
      () => store.set("users", "alice", 1, { ifRevision: revision + 1 }),
      VersionConflictError,
    );
    await assertRejects(
      () =>
        store.update("users", "alice", (value) => value, {
          ifRevision: revision + 1,
        }),
      VersionConflictError,
    );
  },

  "ifRevision: of many at once, one wins": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", -1);
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: 20 },
        (_, n) => store.set("users", "alice", n, { ifRevision: revision }),
      ),
    );
    const won = outcomes.flatMap(({ status }, n) =>
      status === "fulfilled" ? [n] : []
    );
    assertEquals(won.length, 1);
    assertEquals(await store.get("users", "alice"), won[0]);
  },

  "update: a condition that holds does not replace a value": async (open) => {
    await using store = await open();
    for (const condition of [{ ifVersion: 0 }, { ifRevision: 0 }]) {
      await assertRejects(
        () => store.update("users", "alice", (value) => value, condition),
        KeyNotFoundError,
      );
    }
    assertEquals(await store.kinds(), []);
  },

  "a VersionConflictError has the expected state and the found one": async (
    open,
  ) => {
    await using store = await open();
    await store.set("groups", "g", 1);
    const { revision } = await store.set("users", "alice", 1);
    const messages: [WriteCondition, string[]][] = [
      [{ ifVersion: 7 }, ["version 7", "version 1"]],
      [{ ifVersion: 0 }, ["no entry", "version 1"]],
      [{ ifRevision: 77 }, ["revision 77", `revision ${revision}`]],
      [{ ifRevision: 0 }, ["no entry", `revision ${revision}`]],
    ];
    for (const [condition, parts] of messages) {
      const { message } = await assertRejects(
        () => store.set("users", "alice", 2, condition),
        VersionConflictError,
      );
      for (const part of [...parts, '"users"/"alice"']) {
        assertStringIncludes(message, part);
      }
    }
    const { message } = await assertRejects(
      () => store.delete("users", "bob", { ifRevision: 77 }),
      VersionConflictError,
    );
    assertStringIncludes(message, "expected revision 77, found no entry");
  },

  "ifVersion with ifRevision is a TypeError": async (open) => {
    await using store = await open();
    const { version, revision } = await store.set("users", "alice", 1);
    const both = [
      { ifVersion: version, ifRevision: revision },
      { ifVersion: 0, ifRevision: 0 },
      { ifVersion: 7, ifRevision: revision },
    ];
    for (const [operation, write] of Object.entries(conditionalWrites)) {
      for (const condition of both) {
        await assertRejects(
          () => write(store, condition),
          TypeError,
          "ifRevision",
          operation,
        );
      }
    }
    assertEquals((await store.entry("users", "alice"))?.revision, revision);
    // What is `undefined` is not given.
    await store.set("users", "alice", 2, {
      ifVersion: undefined,
      ifRevision: revision,
    });
    await store.delete("users", "alice", {
      ifVersion: 2,
      ifRevision: undefined,
    });
    assertEquals(await store.kinds(), []);
  },

  "an invalid ifVersion or ifRevision is a RangeError": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", 1);
    const wrong = [-1, 0.5, NaN, Infinity, 2 ** 53, "1", null, 1n, true];
    for (const name of ["ifVersion", "ifRevision"]) {
      for (const value of wrong) {
        for (const [operation, write] of Object.entries(conditionalWrites)) {
          await assertRejects(
            () => write(store, { [name]: value }),
            RangeError,
            name,
            operation,
          );
        }
      }
    }
    assertEquals((await store.entry("users", "alice"))?.revision, revision);
  },
};

/** The properties of a `VersionConflictError`. */
type Told = Pick<
  VersionConflictError,
  "condition" | "expected" | "actual" | "found"
>;

/** Asserts that a write of `users/alice` is refused, and checks the error. */
async function assertConflict(
  write: () => Promise<unknown>,
  told: Told,
  what?: string,
): Promise<void> {
  const error = await assertRejects(write);
  assertInstanceOf(error, VersionConflictError, what);
  const { code, kind, key, condition, expected, actual, found } = error;
  assertEquals(
    { code, kind, key, condition, expected, actual, found },
    {
      code: "VERSION_CONFLICT",
      kind: "users",
      key: "alice",
      found: undefined,
      ...told,
    },
    what,
  );
}
