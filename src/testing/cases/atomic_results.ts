/**
 * Tests of the results of an `atomic` operation's writes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { AtomicWriteResult } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { next, revisionsOf, take } from "../reading.ts";

export const atomicResults: Cases = {
  "atomic commit: gives a result for each write, in their order": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "updated", 1);
    const same = await store.set("users", "same", 1);
    await store.set("groups", "deleted", 1);
    const { revision: before } = await store.set("counters", "c", 1);
    const result = await store.atomic()
      .set("users", "created", 1)
      .set("users", "same", 1)
      .set("users", "updated", 2)
      .delete("groups", "deleted")
      .update("counters", "c", (n) => n as number + 1)
      .update("counters", "new", (n) => n as number + 1, { initial: 10 })
      .update("users", "same", (n) => n)
      .delete("users", "none")
      .commit();
    assertEquals(result, {
      ok: true,
      revision: before + 5,
      results: [
        { status: "created", version: 1, revision: before + 1 },
        { status: "unchanged", version: 1, revision: same.revision },
        { status: "updated", version: 2, revision: before + 2 },
        { status: "deleted", version: 0, revision: before + 3 },
        { status: "updated", version: 2, revision: before + 4, value: 2 },
        { status: "created", version: 1, revision: before + 5, value: 11 },
        {
          status: "unchanged",
          version: 1,
          revision: same.revision,
          value: 1,
        },
        // There was nothing to delete, so it is the store's newest revision.
        { status: "unchanged", version: 0, revision: before + 5 },
      ],
    });
  },

  "atomic commit: the results are those of the events": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const result = await store.atomic()
      .set("users", "a", 1)
      .set("users", "b", 1)
      .set("users", "a", 2)
      .delete("users", "b")
      .set("users", "b", 3)
      .update("users", "b", () => 4)
      .commit();
    assert(result.ok);
    const seen = await take(events, 6);
    assertEquals(revisionsOf(result.results), revisionsOf(seen));
    assertEquals(
      result.results.map(({ status }) => status),
      ["created", "created", "updated", "deleted", "created", "updated"],
    );
    assertEquals(
      result.results.map(({ version }) => version),
      [1, 1, 2, 0, 1, 2],
    );
    assertEquals(result.revision, seen[5].revision);
    assertEquals((await store.entry("users", "b"))?.revision, result.revision);
  },

  "atomic commit: the results see the operation's own writes": async (open) => {
    await using store = await open();
    const result = await store.atomic()
      .set("users", "a", 1)
      .set("users", "a", 1)
      .delete("users", "a")
      .delete("users", "a")
      .set("users", "a", 1)
      .commit();
    assert(result.ok);
    const { results } = result;
    assertEquals(
      results.map(({ status, version }) => [status, version]),
      [
        ["created", 1],
        ["unchanged", 1],
        ["deleted", 0],
        ["unchanged", 0],
        ["created", 1],
      ],
    );
    assertEquals(results[1].revision, results[0].revision);
    assertEquals(results[4].revision, result.revision);
    assertEquals(results[4].revision, results[0].revision + 2);
  },

  "atomic commit: a deletion of nothing gives the store's latest revision":
    async (open) => {
      await using store = await open();
      const nothing = (revision: number) => ({
        ok: true as const,
        revision,
        results: [
          { status: "unchanged", version: 0, revision },
        ] satisfies AtomicWriteResult[],
      });
      const remove = () => store.atomic().delete("users", "none").commit();
      assertEquals(await remove(), nothing(0));
      const { revision } = await store.set("groups", "g", 1);
      assertEquals(await remove(), nothing(revision));
    },

  "atomic commit: has a result for each of many writes": async (
    open,
    { limits },
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "last", 1);
    const count = Math.min(3_000, limits.changes);
    const operation = store.atomic();
    for (let n = 0; n < count; n++) operation.set("counts", `${n}`, n);
    const events = store.watch("counts").getReader();
    const result = await operation.commit();
    assert(result.ok);
    assertEquals(
      revisionsOf(result.results),
      Array.from({ length: count }, (_, n) => revision + n + 1),
    );
    assertEquals(result.revision, revision + count);
    assertEquals((await next(events)).revision, revision + 1);
  },
};
