/**
 * Tests of a mirror's changes: patches from each state to the next, as a stream
 * and as events.
 *
 * @module
 */
import {
  assertEquals,
  assertLessOrEqual,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { MirrorChange, MirrorChangesOptions } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { briefPatches, PatchedList, patchesUpTo } from "../mirrors.ts";
import { assertEnded, next, numberedKeys, turn } from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const mirroringChanges: Cases = {
  "mirror changes: a patch for each changed entry": async (open) => {
    await using store = await open();
    await store.set("users", "b", { n: 1 });
    await using users = await store.mirror("users");
    const changes = users.changes().getReader();
    const told = async (revision: number) => {
      await users.reached(revision);
      const change = await next(changes);
      assertEquals(change.revision, users.revision);
      return change.patches;
    };
    assertEquals(await told((await store.set("users", "c", 1)).revision), [
      { type: "entered", key: "c", value: 1, follows: "b" },
    ]);
    assertEquals(await told((await store.set("users", "a", 2)).revision), [
      { type: "entered", key: "a", value: 2 },
    ]);
    assertEquals(
      await told((await store.set("users", "b", { n: 2 })).revision),
      [{ type: "changed", key: "b", value: { n: 2 }, previous: { n: 1 } }],
    );
    const { deleteRevision } = (await store.delete("users", "a"))!;
    assertEquals(await told(deleteRevision), [
      { type: "left", key: "a", value: 2 },
    ]);
  },

  "mirror changes: a transaction is one change": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 1, c: 1 });
    await using users = await store.mirror("users");
    const changes = users.changes().getReader();
    await store.atomic().delete("users", "a").set("users", "b", 2)
      .set("groups", "x", 1).set("users", "d", 1).set("users", "aa", 1)
      .commit();
    assertEquals(briefPatches((await next(changes)).patches), [
      "left a",
      "entered aa",
      "changed b",
      "entered d after c",
    ]);
  },

  "mirror changes initial: the present entries come first": async (open) => {
    await using store = await open();
    await using empty = await store.mirror("groups");
    const none = await next(empty.changes({ initial: true }).getReader());
    assertEquals(none, { revision: empty.revision, patches: [] });
    await store.setAll("users", { a: 1, b: 2 });
    await using users = await store.mirror("users");
    const late = users.changes({ initial: true }).getReader();
    await users.reached((await store.set("users", "c", 3)).revision);
    assertEquals((await next(late)).patches, [
      { type: "entered", key: "a", value: 1 },
      { type: "entered", key: "b", value: 2, follows: "a" },
      { type: "entered", key: "c", value: 3, follows: "b" },
    ]);
    await store.set("users", "c", 4);
    assertEquals(briefPatches((await next(late)).patches), ["changed c"]);
  },

  "mirror changes: one that is not read costs a difference": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, b: 1 });
    await using users = await store.mirror("users");
    const changes = users.changes().getReader();
    for (let n = 0; n < 50; n++) {
      await store.set("users", "a", n + 2);
      await store.set("users", "gone", n);
      const { deleteRevision } = (await store.delete("users", "gone"))!;
      await users.reached(deleteRevision);
    }
    const { deleteRevision } = (await store.delete("users", "b"))!;
    await users.reached(deleteRevision);
    const change = await next(changes);
    assertEquals(change, {
      revision: users.revision,
      patches: [
        { type: "left", key: "b", value: 1 },
        { type: "changed", key: "a", value: 51, previous: 1 },
      ],
    });
  },

  "mirror changes: each stream has its own pace": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(500);
    await fillMany(store, "users", keys, supports);
    await using users = await store.mirror("users");
    const quick = users.changes({ initial: true }).getReader();
    const slow = users.changes({ initial: true }).getReader();
    const lists = [new PatchedList(), new PatchedList()];
    for (const [i, reader] of [quick, slow].entries()) {
      lists[i].apply((await next(reader)).patches);
    }
    for (let n = 0; n < 100; n++) {
      const key = keys[(n * 37) % keys.length];
      if (n % 3 === 0) await store.delete("users", key);
      else await store.set("users", `${key}+${n % 5}`, n);
      const { revision } = await store.set("users", "end", n);
      await users.reached(revision);
      lists[0].apply(await patchesUpTo(quick, revision));
      if (n % 10 === 0) lists[0].assertIs(users);
      if (n % 25 === 0) lists[1].apply((await next(slow)).patches);
    }
    await users.reached((await store.set("users", "end", "last")).revision);
    lists[1].apply(await patchesUpTo(slow, users.revision));
    lists[1].assertIs(users);
  },

  "mirror changes: gives the objects of the mirror": async (open) => {
    await using store = await open();
    await store.set("users", "a", { n: 1 });
    await using users = await store.mirror("users");
    const before = users.get("a");
    const changes = users.changes().getReader();
    await store.set("users", "a", { n: 2 });
    const { patches: [patch] } = await next(changes);
    assertStrictEquals(patch.value, users.get("a"));
    assertStrictEquals(patch.type === "changed" && patch.previous, before);
  },

  "mirror changes: a no-op gives no change": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1);
    await using users = await store.mirror("users", { prefix: "a" });
    const changes = users.changes().getReader();
    await store.set("users", "a", 1);
    await store.set("users", "b", 1);
    await store.set("groups", "a", 1);
    await store.set("users", "a2", 1);
    assertEquals(briefPatches((await next(changes)).patches), [
      "entered a2 after a",
    ]);
  },

  "mirror changes: ends by its signal, and by its consumer": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    const stop = new AbortController();
    const aborted = users.changes({ signal: stop.signal }).getReader();
    const early = users.changes({ signal: AbortSignal.abort() }).getReader();
    await assertEnded(early);
    const reading = aborted.read();
    stop.abort();
    assertEquals(await reading, { done: true, value: undefined });
    await assertEnded(aborted);
    const cancelled = users.changes({ initial: true });
    for await (const { patches } of cancelled) {
      assertEquals(patches, []);
      break;
    }
    await users.reached((await store.set("users", "a", 1)).revision);
    assertEquals([...users.keys()], ["a"]);
  },

  "mirror changes: refuses invalid options": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    const wrong: unknown[] = [
      null,
      1,
      [],
      { initial: "yes" },
      { signal: {} },
      { limit: 1 },
    ];
    for (const options of wrong) {
      assertThrows(
        () => users.changes(options as MirrorChangesOptions),
        TypeError,
      );
    }
  },

  "mirror: each change gives an event at once": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1);
    await using users = await store.mirror("users");
    const list = new PatchedList();
    list.apply(
      (await next(users.changes({ initial: true }).getReader()))
        .patches,
    );
    const revisions: number[] = [];
    const onChange = ({ detail }: CustomEvent<MirrorChange>) => {
      revisions.push(detail.revision);
      assertEquals(detail.revision, users.revision);
      list.apply(detail.patches);
      list.assertIs(users);
    };
    users.addEventListener("change", onChange);
    await store.set("users", "b", 1);
    await store.delete("users", "a");
    await users.reached((await store.set("groups", "x", 1)).revision);
    assertEquals(list.entries, [{ key: "b", value: 1 }]);
    const told = revisions.length;
    assertLessOrEqual(told, 2, "what changes nothing gives no event");
    users.removeEventListener("change", onChange);
    await users.reached((await store.set("users", "c", 1)).revision);
    await turn();
    assertEquals(revisions.length, told);
    let once = 0;
    let each = 0;
    users.addEventListener("change", () => once++, { once: true });
    users.addEventListener("change", { handleEvent: () => each++ });
    await users.reached((await store.deleteAll("users")).revision);
    await users.reached((await store.set("users", "d", 1)).revision);
    assertEquals([once, each], [1, 2]);
  },
};
