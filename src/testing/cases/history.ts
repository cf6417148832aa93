/**
 * Tests of `history`: the changes of a kind or a key in the change log, up to
 * the moment of the call.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLessOrEqual,
} from "@std/assert";
import type {
  HistoryChange,
  HistoryOptions,
  Store,
  WatchEvent,
} from "../../contract/mod.ts";
import { type Cases, needing, needsImportedVersions } from "../case.ts";
import { entryLine, streamOf } from "../lines.ts";
import {
  brief,
  fill,
  keysOf,
  makeTraffic,
  next,
  numberedKeys,
  revisionsOf,
  takeUntil,
  turn,
  writeInRounds,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const history: Cases = {
  "history gives every change of a kind, with the values before": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", { n: 1 });
    await store.set("users", "a", { n: 2 });
    await store.set("groups", "a", 1);
    await store.set("users", "b", null);
    await store.delete("users", "a");
    await store.set("users", "b", { n: 3 });
    const changes = await Array.fromAsync(store.history("users"));
    const told = changes.map(({ cursor, changedAt, ...change }) => {
      assertEquals(typeof cursor, "string");
      assertInstanceOf(changedAt, Date);
      return change as unknown;
    });
    const a = { kind: "users", key: "a" };
    const b = { kind: "users", key: "b" };
    assertEquals(told, [
      { ...a, type: "create", value: { n: 1 }, version: 1, revision },
      {
        ...a,
        type: "update",
        value: { n: 2 },
        previous: { n: 1 },
        version: 2,
        revision: revision + 1,
      },
      {
        ...b,
        type: "create",
        value: null,
        version: 1,
        revision: revision + 3,
      },
      {
        ...a,
        type: "delete",
        value: { n: 2 },
        version: 2,
        revision: revision + 4,
      },
      {
        ...b,
        type: "update",
        value: { n: 3 },
        previous: null,
        version: 2,
        revision: revision + 5,
      },
    ]);
  },

  "history has the events of a watch": async (open) => {
    await using store = await open();
    const live = store.watch("users", { previous: true }).getReader();
    await makeTraffic(store, ["users", "groups"]);
    const events: WatchEvent[] = await takeUntil(live, "end");
    const changes = await Array.fromAsync(store.history("users"));
    assertEquals(changes.map(eventOf), events);
    const back = await Array.fromAsync(
      store.history("users", undefined, { reverse: true }),
    );
    assertEquals(back, changes.toReversed());
  },

  "history of a key gives its changes alone": async (open) => {
    await using store = await open();
    await store.setAll("users", { a: 1, ab: 1, A: 1, b: 1 });
    await store.setAll("users", { a: 2, ab: 2 });
    await store.set("groups", "a", 1);
    await store.delete("users", "a");
    await store.set("users", "a", 3);
    assertEquals(await briefly(store, "a"), [
      "create a@1",
      "update a@2",
      "delete a@2",
      "create a@1",
    ]);
    assertEquals(await briefly(store, "a", { reverse: true, limit: 2 }), [
      "create a@1",
      "delete a@2",
    ]);
    assertEquals(await briefly(store, "b"), ["create b@1"]);
    assertEquals(await briefly(store, "none"), []);
    const ofHandle = store.kind("users").history("b");
    assertEquals(brief(await Array.fromAsync(ofHandle)), ["create b@1"]);
  },

  "history of nothing is empty": async (open) => {
    await using store = await open();
    for (const options of [{}, { reverse: true }, { after: 0 }]) {
      assertEquals(await briefly(store, undefined, options), []);
      assertEquals(await briefly(store, "a", options), []);
    }
    await store.set("groups", "a", 1);
    for (const options of [{}, { reverse: true }, { after: 0 }, { after: 1 }]) {
      assertEquals(await briefly(store, undefined, options), []);
    }
  },

  "history prefix: keys that begin with it": async (open) => {
    await using store = await open();
    await store.setAll("users", { "a": 1, "a%": 1, "a%b": 1, "aXb": 1 });
    await store.delete("users", "a%");
    await store.set("users", "aXb", 2);
    const told = (options: HistoryOptions) =>
      briefly(store, undefined, options);
    const expected = ["create a%@1", "create a%b@1", "delete a%@1"];
    assertEquals(await told({ prefix: "a%" }), expected);
    assertEquals(
      await told({ prefix: "a%", reverse: true }),
      expected.toReversed(),
    );
    assertEquals(await told({ prefix: "a%", limit: 2 }), expected.slice(0, 2));
    assertEquals(await told({ prefix: "b" }), []);
    assertEquals((await told({ prefix: "" })).length, 6);
  },

  "history limit: at most so many, of those that were asked for": async (
    open,
  ) => {
    await using store = await open();
    for (let n = 0; n < 10; n++) {
      await store.set("users", "a", n);
      await store.set("users", "b", n);
      await store.set("groups", "a", n);
    }
    for (const limit of [0, 1, 3, 10, 11, Infinity]) {
      const versions = async (reverse: boolean) =>
        (await changesOf(store, "a", { limit, reverse }))
          .map(({ version }) => version);
      const all = Array.from({ length: 10 }, (_, i) => i + 1);
      assertEquals(await versions(false), all.slice(0, limit), `${limit}`);
      assertEquals(
        await versions(true),
        all.toReversed().slice(0, limit),
        `${limit} back`,
      );
    }
  },

  "history after: only changes past a revision or a cursor": async (open) => {
    await using store = await open();
    await makeTraffic(store, ["users", "groups"], 4);
    const all = await changesOf(store);
    const newest = (await store.set("groups", "last", 1)).revision;
    for (const { revision, cursor } of all) {
      for (const after of [revision, cursor]) {
        const past = all.filter((change) => change.revision > revision);
        assertEquals(await changesOf(store, undefined, { after }), past);
        assertEquals(
          await changesOf(store, undefined, { after, reverse: true }),
          past.toReversed(),
        );
        assertEquals(
          await changesOf(store, undefined, { after, limit: 2 }),
          past.slice(0, 2),
        );
        assertEquals(
          await changesOf(store, "end", { after, reverse: true, limit: 1 }),
          past.slice(-1),
        );
      }
    }
    assertEquals(await changesOf(store, undefined, { after: newest }), []);
    assertEquals(await changesOf(store, undefined, { after: 0 }), all);
  },

  "history after: a page at a time": async (open) => {
    await using store = await open();
    await makeTraffic(store, ["users", "groups"], 10);
    const all = await changesOf(store);
    const pages: HistoryChange[] = [];
    for (let after: string | number = 0;;) {
      const page: HistoryChange[] = await changesOf(store, undefined, {
        after,
        limit: 7,
      });
      pages.push(...page);
      if (page.length < 7) break;
      after = page[6].cursor;
    }
    assertEquals(pages, all);
  },

  "a watch resumes where a history ended": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const changes = await changesOf(store);
    await store.set("users", "c", 1);
    for (const { cursor, key } of changes) {
      const reader = store.watch("users", { after: cursor }).getReader();
      assertEquals((await next(reader)).key, key === "a" ? "b" : "c");
    }
  },

  "history goes up to the moment of the call": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const write = store.set("users", "b", 1);
    const streams = [
      store.history("users"),
      store.history("users", undefined, { reverse: true }),
      store.history("users", undefined, { after: 0, limit: 9 }),
    ];
    await store.set("users", "c", 1);
    await store.deleteAll("users");
    const [forward, back, limited] = await Promise.all(
      streams.map((stream) => Array.fromAsync(stream)),
    );
    assertEquals(brief(forward), ["create a@1", "create b@1"]);
    assertEquals(back, forward.toReversed());
    assertEquals(limited, forward);
    await write;
  },

  "history has the time of each change": async (open) => {
    await using store = await open();
    const times: Date[] = [];
    for (let n = 0; n < 3; n++) {
      await store.set("users", "a", n);
      times.push((await store.entry("users", "a"))!.updatedAt);
      await turn();
    }
    await store.delete("users", "a");
    const changes = await changesOf(store);
    assertEquals(changes.slice(0, 3).map(({ changedAt }) => changedAt), times);
    const deletedAt = changes[3].changedAt;
    assert(deletedAt);
    assertGreaterOrEqual(deletedAt.getTime(), times[2].getTime());
  },

  ...needing(needsImportedVersions, {
    "history has the time of an import, not that of its lines": async (
      open,
    ) => {
      await using store = await open();
      const before = Date.now();
      const updatedAt = "2001-02-03T04:05:06.789Z";
      await store.import(
        streamOf(entryLine("x", 1, { version: 5, updatedAt })),
      );
      const [change] = await Array.fromAsync(store.history("a"));
      assertEquals([change.type, change.version], ["create", 5]);
      const { updatedAt: kept } = (await store.entry("a", "x"))!;
      assertEquals(kept.toJSON(), updatedAt);
      assert(change.changedAt);
      assertGreaterOrEqual(change.changedAt.getTime(), before);
      assertLessOrEqual(change.changedAt.getTime(), Date.now());
    },
  }),

  "history has expiries": async (open) => {
    await using store = await open();
    const deletions = store.watch("users", { types: ["delete"] }).getReader();
    await store.set("users", "a", 1, { expireIn: 1_000_000 });
    await store.delete("users", "a");
    await store.set("users", "b", 1, { expireIn: 1 });
    await takeUntil(deletions, "b");
    const [created, deleted, , expired] = await changesOf(store);
    assert(created.type === "create");
    assertInstanceOf(created.expiresAt, Date);
    assert(deleted.type === "delete" && expired.type === "delete");
    assertEquals(Object.hasOwn(deleted, "expired"), false);
    assertEquals([expired.key, expired.value, expired.expired], ["b", 1, true]);
  },

  "history has every change of a transaction": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    await store.atomic().set("users", "a", 2).set("groups", "a", 1)
      .set("users", "a", 3).delete("users", "a").set("users", "b", 1).commit();
    const live = await takeUntil(
      store.watch("users", { after: 0, previous: true }).getReader(),
      "b",
    );
    const changes = await changesOf(store);
    assertEquals(changes.map(eventOf), live);
    assertEquals(changes.at(-1)!.key, "b");
  },

  "history of many changes among many others": async (open, supports) => {
    await using store = await open();
    const keys = numberedKeys(1_500);
    await fillMany(store, "users", keys, supports);
    await fillMany(store, "groups", keys, supports);
    await writeInRounds(store, "users", keys.slice(0, 300), "changed");
    await store.deleteAll("users", { end: keys[25] });
    const changes = await changesOf(store);
    assertEquals(keysOf(changes), [
      ...keys,
      ...keys.slice(0, 300),
      ...keys.slice(0, 25),
    ]);
    const revisions = revisionsOf(changes);
    assertEquals(revisions, revisions.toSorted((a, b) => a - b));
    assertEquals(
      await changesOf(store, undefined, { reverse: true }),
      changes.toReversed(),
    );
    assertEquals(
      await changesOf(store, undefined, { reverse: true, limit: 30 }),
      changes.toReversed().slice(0, 30),
    );
    assertEquals(await briefly(store, keys[24], { reverse: true }), [
      `delete ${keys[24]}@2`,
      `update ${keys[24]}@2`,
      `create ${keys[24]}@1`,
    ]);
  },

  "history gives values of the caller's own": async (open) => {
    await using store = await open();
    await store.set("users", "a", { tags: ["a"] });
    const [one] = await changesOf(store);
    const [two] = await changesOf(store);
    (one.value as { tags: string[] }).tags.push("b");
    assertEquals(two.value, { tags: ["a"] });
    assertEquals(await store.get("users", "a"), { tags: ["a"] });
  },

  "history leads from a snapshot to the next": async (open) => {
    await using store = await open();
    await makeTraffic(store, ["users", "groups"], 6);
    await store.atomic().set("users", "0/0", "a").set("users", "0/0", "b")
      .delete("users", "1/1").set("users", "1/1", "c").commit();
    await store.deleteAll("users", { prefix: "2/" });
    const { revision: newest } = await store.set("users", "last", 1);
    const stateAt = async (at: number) => {
      await using snapshot = await store.snapshot({ at });
      const state = new Map<string, unknown>();
      for await (const { key, ...entry } of snapshot.entries("users")) {
        state.set(key, [entry.value, entry.version, entry.revision]);
      }
      return state;
    };
    const changes = await changesOf(store);
    const state = new Map<string, unknown>();
    for (let at = 0; at <= newest; at++) {
      for (const change of changes.filter(({ revision }) => revision === at)) {
        const { type, key, value, version, revision } = change;
        if (type === "delete") state.delete(key);
        else state.set(key, [value, version, revision]);
      }
      if (at % 5 === 0 || at === newest) {
        assertEquals(await stateAt(at), state, `at ${at}`);
      }
    }
  },

  "history is read while others write": async (open) => {
    await using store = await open();
    const keys = numberedKeys(400);
    await writeInRounds(store, "users", keys);
    const before = await changesOf(store);
    const readers = [
      store.history("users").getReader(),
      store.history("users", undefined, { reverse: true }).getReader(),
    ];
    const found: HistoryChange[][] = [[], []];
    for (const [n, key] of keys.entries()) {
      for (const [i, reader] of readers.entries()) {
        found[i].push(await next(reader));
      }
      if (n % 4 === 0) await store.set("users", key, "changed");
    }
    assertEquals(found, [before, before.toReversed()]);
    for (const reader of readers) {
      assertEquals((await reader.read()).done, true);
    }
  },
};

/** The change as an event of a watch. */
function eventOf({ changedAt: _, ...event }: HistoryChange): WatchEvent {
  return event as WatchEvent;
}

function changesOf(
  store: Store,
  key?: string,
  options?: HistoryOptions,
): Promise<HistoryChange[]> {
  return Array.fromAsync(store.history("users", key, options));
}

async function briefly(
  store: Store,
  key?: string,
  options?: HistoryOptions,
): Promise<string[]> {
  return brief(await changesOf(store, key, options));
}
