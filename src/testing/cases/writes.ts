/**
 * Tests of `set`, `update` and `delete`, of the rule that a write without a
 * change is a no-op (C5), and of versions and revisions (C6).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import {
  CodecError,
  KeyNotFoundError,
  VersionConflictError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertRejectsWith,
  brief,
  next,
  revisionsOf,
  take,
} from "../reading.ts";

export const writes: Cases = {
  "set creates, then updates": async (open) => {
    await using store = await open();
    const created = await store.set("users", "alice", { n: 1 });
    assertEquals(created, {
      status: "created",
      version: 1,
      revision: created.revision,
    });
    assertEquals(await store.set("users", "alice", { n: 2 }), {
      status: "updated",
      version: 2,
      revision: created.revision + 1,
    });
    assertEquals(await store.get("users", "alice"), { n: 2 });
  },

  "set writes the value as it is at the call": async (open) => {
    await using store = await open();
    const value = { n: 1 };
    const write = store.set("users", "alice", value);
    value.n = 2;
    await write;
    assertEquals(await store.get("users", "alice"), { n: 1 });
  },

  "set refuses undefined with CodecError": async (open) => {
    await using store = await open();
    const error = await assertRejects(
      () => store.set("users", "alice", undefined),
      CodecError,
    );
    assertStringIncludes(error.message, "users");
    assertStringIncludes(error.message, "alice");
    assertEquals(await store.kinds(), []);
  },

  "set ifVersion: writes if the entry has this version": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 }, { ifVersion: 0 });
    const { status, version } = await store.set("users", "alice", { n: 2 }, {
      ifVersion: 1,
    });
    assertEquals([status, version], ["updated", 2]);
    assertEquals(await store.get("users", "alice"), { n: 2 });
  },

  "set ifVersion: refuses any other version": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    await assertConflict(
      () => store.set("users", "alice", { n: 2 }, { ifVersion: 2 }),
      { key: "alice", expected: 2, actual: 1 },
    );
    await assertConflict(
      () => store.set("users", "alice", { n: 2 }, { ifVersion: 0 }),
      { key: "alice", expected: 0, actual: 1 },
    );
    await assertConflict(
      () => store.set("users", "bob", { n: 2 }, { ifVersion: 1 }),
      { key: "bob", expected: 1, actual: 0 },
    );
    assertEquals(await store.getAll(), contents({ alice: { n: 1 } }));
  },

  "set ifVersion: counts for a value that is there already": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const { status } = await store.set("users", "alice", { n: 1 }, {
      ifVersion: 1,
    });
    assertEquals(status, "unchanged");
    await assertConflict(
      () => store.set("users", "alice", { n: 1 }, { ifVersion: 7 }),
      { key: "alice", expected: 7, actual: 1 },
    );
  },

  "set ifVersion: of many at once, one wins": async (open) => {
    await using store = await open();
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: 20 },
        (_, n) => store.set("users", "alice", { n }, { ifVersion: 0 }),
      ),
    );
    const won = outcomes.flatMap(({ status }, n) =>
      status === "fulfilled" ? [n] : []
    );
    assertEquals(won.length, 1);
    assertEquals(await store.get("users", "alice"), { n: won[0] });
  },

  "update replaces a value by the function's result": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", { n: 1 });
    const result = await store.update(
      "users",
      "alice",
      (value) => ({ was: value }),
    );
    assertEquals(result, {
      status: "updated",
      version: 2,
      revision: revision + 1,
      value: { was: { n: 1 } },
    });
    assertEquals(await store.get("users", "alice"), { was: { n: 1 } });
  },

  "update sees a change that the function makes in place": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const { status } = await store.update("users", "alice", (value) => {
      (value as { n: number }).n = 2;
      return value;
    });
    assertEquals(status, "updated");
    assertEquals(await store.get("users", "alice"), { n: 2 });
  },

  "update refuses a key that is not there": async (open) => {
    await using store = await open();
    const error = await assertRejects(
      () => store.update("users", "alice", (value) => value),
      KeyNotFoundError,
    );
    assertEquals([error.kind, error.key], ["users", "alice"]);
    assertEquals(await store.kinds(), []);
  },

  "update with initial starts from it if there is no entry": async (
    open,
  ) => {
    await using store = await open();
    const increment = (value: unknown) => (value as number) + 1;
    const first = await store.update("counters", "c", increment, {
      initial: 10,
    });
    assertEquals([first.status, first.version, first.value], [
      "created",
      1,
      11,
    ]);
    const second = await store.update("counters", "c", increment, {
      initial: 10,
    });
    assertEquals([second.status, second.version, second.value], [
      "updated",
      2,
      12,
    ]);
  },

  "update with initial creates the entry even if the function returns it unchanged":
    async (
      open,
    ) => {
      await using store = await open();
      const { status } = await store.update(
        "users",
        "alice",
        (value) => value,
        {
          initial: { n: 1 },
        },
      );
      assertEquals(status, "created");
      assertEquals(await store.get("users", "alice"), { n: 1 });
    },

  "update rejects with the function's error, and writes nothing": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const broken = new Error("broken");
    await assertRejectsWith(
      () =>
        store.update("users", "alice", (value) => {
          (value as { n: number }).n = 2;
          throw broken;
        }),
      broken,
      "update",
    );
    assertEquals(await store.get("users", "alice"), { n: 1 });
  },

  "update refuses undefined with CodecError": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    await assertRejects(
      () => store.update("users", "alice", () => undefined),
      CodecError,
      "alice",
    );
    assertEquals(await store.get("users", "alice"), { n: 1 });
  },

  "update loses no increment of many at once": async (open) => {
    await using store = await open();
    const results = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          store.update("counters", "c", (value) => (value as number) + 1, {
            initial: 0,
          }),
      ),
    );
    assertEquals(await store.get("counters", "c"), 200);
    assertEquals(
      results.map(({ value }) => value),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  },

  "delete returns the deleted entry, or undefined if there was none": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    const { revision } = await store.set("users", "alice", { n: 2 });
    const entry = await store.entry("users", "alice");
    assert(entry);
    assertEquals(await store.delete("users", "alice"), {
      ...entry,
      deleteRevision: revision + 1,
    });
    assertEquals(await store.get("users", "alice"), undefined);
    assertEquals(await store.delete("users", "alice"), undefined);
  },

  "delete ifVersion: deletes that version only": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    await assertConflict(
      () => store.delete("users", "alice", { ifVersion: 2 }),
      { key: "alice", expected: 2, actual: 1 },
    );
    await assertConflict(
      () => store.delete("users", "alice", { ifVersion: 0 }),
      { key: "alice", expected: 0, actual: 1 },
    );
    await assertConflict(
      () => store.delete("users", "bob", { ifVersion: 1 }),
      { key: "bob", expected: 1, actual: 0 },
    );
    assertEquals(await store.keys("users"), ["alice"]);
    assertEquals(
      await store.delete("users", "bob", { ifVersion: 0 }),
      undefined,
    );
    const deleted = await store.delete("users", "alice", { ifVersion: 1 });
    assertEquals(deleted?.value, { n: 1 });
    assertEquals(await store.keys("users"), []);
  },

  "C5 a set that changes nothing is a no-op": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      const { status, version } = await store.set("users", "alice", { n: 1 });
      assertEquals([status, version], ["unchanged", 1]);
    });
  },

  "a value that begins as the one before, or ends sooner, is another": async (
    open,
  ) => {
    await using store = await open();
    for (const value of [1, 10, 100, 10, 1]) {
      await store.set("users", "alice", value);
      assertEquals(await store.get("users", "alice"), value);
    }
    assertEquals((await store.entry("users", "alice"))?.version, 5);
  },

  "C5 a setAll that changes nothing is a no-op": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      const result = await store.setAll("users", { alice: { n: 1 } });
      assertEquals([result.created, result.updated], [0, 0]);
      assertEquals(result.unchanged, 1);
    });
  },

  "C5 an update that changes nothing is a no-op": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      const { status, version, value } = await store.update(
        "users",
        "alice",
        (value) => value,
      );
      assertEquals([status, version, value], ["unchanged", 1, { n: 1 }]);
    });
  },

  "C5 a delete of nothing is a no-op": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      await store.delete("users", "bob");
      await store.atomic().delete("users", "bob").commit();
    });
  },

  "C5 an atomic operation that changes nothing is a no-op": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      await store.atomic().set("users", "alice", { n: 1 }).commit();
    });
  },

  "C5 a refused write changes nothing": async (open) => {
    await using store = await open();
    await assertNoChange(store, async () => {
      await Promise.allSettled([
        store.set("users", "alice", { n: 2 }, { ifVersion: 7 }),
        store.set("users", "alice", undefined),
        store.delete("users", "alice", { ifVersion: 7 }),
        store.update("users", "bob", (value) => value),
        store.setAll("users", [["alice", { n: 2 }], ["bob", undefined]]),
        store.atomic().check({ kind: "users", key: "alice", version: 7 })
          .set("users", "alice", { n: 2 }).commit(),
      ]);
    });
  },

  "C6 versions begin at 1, grow by 1, and begin again at 1 after a delete":
    async (
      open,
    ) => {
      await using store = await open();
      const versions = [];
      for (let n = 0; n < 3; n++) {
        versions.push((await store.set("users", "alice", { n })).version);
      }
      versions.push((await store.entry("users", "alice"))?.version);
      versions.push((await store.delete("users", "alice"))?.version);
      versions.push((await store.set("users", "alice", { n: 0 })).version);
      versions.push((await store.set("users", "alice", { n: 1 })).version);
      assertEquals(versions, [1, 2, 3, 3, 3, 1, 2]);
    },

  "C6 revisions grow by 1 with each change in the whole store": async (
    open,
  ) => {
    await using store = await open();
    const first = await store.set("users", "alice", { n: 1 });
    const second = await store.set("groups", "alice", { n: 1 });
    await store.setAll("users", { a: 1, b: 2, c: 3 });
    await store.delete("users", "a");
    const updated = await store.update("users", "b", () => 3);
    const atomic = await store.atomic().set("users", "d", 1)
      .delete("users", "c").set("groups", "e", 1).commit();
    const last = await store.set("groups", "f", 1);
    assert(atomic.ok);
    assertEquals(
      revisionsOf([second, updated, atomic, last]),
      [1, 6, 9, 10].map((n) => first.revision + n),
    );
  },

  "C6 a write gives the revision and version of its event": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const results = await Promise.all([
      store.set("users", "alice", { n: 1 }),
      store.set("users", "bob", { n: 1 }),
      store.set("users", "alice", { n: 2 }),
      store.update("users", "bob", () => ({ n: 2 })),
    ]);
    const seen = await take(events, results.length);
    assertEquals(
      seen.map(({ version, revision }) => ({ version, revision })),
      results.map(({ version, revision }) => ({ version, revision })),
    );
  },
};

/** Runs a write on `users/alice`, which is `{ n: 1 }`. The write must change nothing. */
async function assertNoChange(
  store: Store,
  write: () => Promise<void>,
): Promise<void> {
  const { revision } = await store.set("users", "alice", { n: 1 });
  const before = await store.entry("users", "alice");
  const events = store.watch("users").getReader();

  await write();

  assertEquals(await store.entry("users", "alice"), before);
  const probe = await store.set("users", "probe", { n: 1 });
  assertEquals(probe.revision, revision + 1);
  assertEquals(brief([await next(events)]), ["create probe@1"]);
}

async function assertConflict(
  write: () => Promise<unknown>,
  { key, expected, actual }: { key: string; expected: number; actual: number },
): Promise<void> {
  const error = await assertRejects(write, VersionConflictError);
  assertEquals(
    [error.kind, error.key, error.expected, error.actual],
    ["users", key, expected, actual],
  );
}

function contents(
  users: Record<string, unknown>,
): Map<string, Map<string, unknown>> {
  return new Map([["users", new Map(Object.entries(users))]]);
}
