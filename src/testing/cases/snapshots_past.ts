/**
 * Tests of `snapshot({ at })`: the entries at a past revision that the change
 * log reaches, and entries that had expired then.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { Entry, Snapshot, Store } from "../../contract/mod.ts";
import {
  RevisionUnavailableError,
  type RevisionUnavailableReason,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  fill,
  linesOf,
  numberedKey,
  numberedKeys,
  takeUntil,
  textOf,
  turn,
  writeInRounds,
} from "../reading.ts";
import { everythingOf } from "../reads_of.ts";
import { fillMany } from "../sizes.ts";

import { KEYS, KINDS, makePast } from "../past.ts";
export const snapshotsPast: Cases = {
  "snapshot at: every read gives the same result as at that revision": async (
    open,
  ) => {
    await using store = await open();
    const moments = await makePast(store);
    for (const { revision, all } of moments) {
      await using snapshot = await store.snapshot({ at: revision });
      assertEquals(snapshot.revision, revision);
      assertEquals(await everythingOf(snapshot, KINDS, KEYS), all);
    }
    // Several at once, in another order.
    const backwards = moments.toReversed();
    const open_ = await Promise.all(
      backwards.map(({ revision }) => store.snapshot({ at: revision })),
    );
    await store.deleteAll("users");
    for (const [i, snapshot] of open_.entries()) {
      assertEquals(
        await everythingOf(snapshot, KINDS, KEYS),
        backwards[i].all,
      );
      await snapshot.close();
    }
  },

  "snapshot at: each revision, also in the middle of a transaction": async (
    open,
  ) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const { revision: last } = await store.setAll("users", { b: 2, c: 3 });
    await store.atomic().set("users", "a", 4).delete("users", "b")
      .set("groups", "g", 5).commit();
    const expected: Record<number, unknown> = {
      [last - 3]: {},
      [last - 2]: { users: { a: 1 } },
      [last - 1]: { users: { a: 1, b: 2 } },
      [last]: { users: { a: 1, b: 2, c: 3 } },
      [last + 1]: { users: { a: 4, b: 2, c: 3 } },
      [last + 2]: { users: { a: 4, c: 3 } },
      [last + 3]: { users: { a: 4, c: 3 }, groups: { g: 5 } },
    };
    assertEquals(last, 3);
    for (const [revision, values] of Object.entries(expected)) {
      await using snapshot = await store.snapshot({ at: Number(revision) });
      assertEquals(await valuesOf(snapshot), values, revision);
    }
  },

  "snapshot at 0: nothing, if the log begins there": async (open) => {
    await using store = await open();
    await using empty = await store.snapshot({ at: 0 });
    await fill(store, "users", ["a", "b"]);
    await using past = await store.snapshot({ at: 0 });
    for (const snapshot of [empty, past]) {
      assertEquals(snapshot.revision, 0);
      assertEquals(await snapshot.getAll(), new Map());
      assertEquals(await snapshot.kinds(), []);
      assertEquals(await snapshot.count("users"), 0);
      assertEquals(await snapshot.entry("users", "a"), undefined);
      assertEquals(await textOf(snapshot.export()), "");
    }
  },

  "snapshot at: an entry that was deleted and created again": async (open) => {
    await using store = await open();
    const seen: (Entry | undefined)[] = [undefined];
    for (let n = 1; n <= 12; n++) {
      if (n % 3 === 0) await store.delete("users", "a");
      else await store.set("users", "a", n);
      seen.push(await store.entry("users", "a"));
    }
    for (const [revision, entry] of seen.entries()) {
      await using snapshot = await store.snapshot({ at: revision });
      assertEquals(await snapshot.entry("users", "a"), entry, `${revision}`);
      assertEquals(await snapshot.has("users", "a"), entry !== undefined);
      assertEquals(await snapshot.count("users"), entry ? 1 : 0);
    }
  },

  "snapshot at: of a large kind that has changed much": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(1_500);
    await fillMany(store, "users", keys, supports);
    const { revision } = await store.set("users", "z", 1);
    await store.deleteAll("users", { start: keys[200], end: keys[220] });
    await Promise.all(
      keys.slice(700, 900).map((key) => store.delete("users", key)),
    );
    await writeInRounds(store, "users", keys.slice(300, 600), "changed");
    await writeInRounds(store, "users", keys.map((key) => `${key}+`), "new");
    await using snapshot = await store.snapshot({ at: revision });
    const expected = [...keys, "z"];
    assertEquals(await snapshot.keys("users"), expected);
    const entries = await Array.fromAsync(snapshot.entries("users"));
    assertEquals(entries.map(({ key }) => key), expected);
    for (const { key, value, version } of entries) {
      assertEquals([value, version], [key === "z" ? 1 : { of: key }, 1]);
    }
    assertEquals(
      await snapshot.keys("users", { reverse: true, limit: 900 }),
      expected.toReversed().slice(0, 900),
    );
    assertEquals(await snapshot.count("users"), expected.length);
  },

  "snapshot at: a revision ahead of the store is refused": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    for (const at of [revision + 1, revision + 9, Number.MAX_SAFE_INTEGER]) {
      await assertUnavailable(store, at, "ahead");
    }
    await using snapshot = await store.snapshot({ at: revision });
    assertEquals(await snapshot.keys("users"), ["a"]);
  },

  "snapshot at: writes called before it are not ahead": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    const write = store.set("users", "b", 1);
    await using snapshot = await store.snapshot({ at: revision + 1 });
    assertEquals(await snapshot.keys("users"), ["a", "b"]);
    await write;
  },

  "snapshot at: a pruned revision is refused": async (open) => {
    await using store = await open({ history: 10 });
    const { revision } = await store.set("users", "a", 1);
    await writeInRounds(store, "users", numberedKeys(1_000));
    for (const at of [0, revision, revision + 1]) {
      await assertUnavailable(store, at, "pruned");
    }
    const { revision: newest } = await store.set("users", "b", 1);
    await using near = await store.snapshot({ at: newest - 1 });
    assertEquals(await near.has("users", "b"), false);
  },

  "snapshot at: as far back as history says": async (open) => {
    const history = 50;
    await using store = await open({ history });
    let newest = 0;
    for (let n = 1; n <= 300; n++) {
      newest = (await store.set("users", numberedKey(n % 7), n)).revision;
    }
    const at = newest - history;
    await using snapshot = await store.snapshot({ at });
    const values = await snapshot.values("users");
    assertEquals(
      values.map(({ value }) => value as number).toSorted((a, b) => a - b),
      Array.from({ length: 7 }, (_, i) => 300 - history - 6 + i),
    );
  },

  "snapshot at: an invalid revision is a RangeError": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    for (const at of NO_REVISIONS) {
      const options = { at: at as number };
      const call = async () => await store.snapshot(options);
      await assertRejects(call, RangeError, "at", String(at));
      assertThrows(() => store.export(options), RangeError, "at", String(at));
    }
    const wrong = { att: 1 } as { at?: number };
    await assertRejects(() => store.snapshot(wrong), TypeError, "att");
  },

  "snapshot at: an entry that expired after the change is there": async (
    open,
  ) => {
    await using store = await open();
    const events = store.watch("users", { types: ["delete"] }).getReader();
    await store.set("users", "kept", 1);
    const mortal = await setMortal(store);
    const { key, revision } = mortal;
    assertInstanceOf(mortal.expiresAt, Date);
    const expiry = (await takeUntil(events, key)).at(-1)!;
    assert(expiry.type === "delete");
    assertEquals(expiry.expired, true);
    await store.set("users", "later", 1);

    await using then = await store.snapshot({ at: revision });
    assertEquals(await then.keys("users"), ["kept", key]);
    assertEquals(await then.get("users", key), 1);
    assertEquals(await then.entry("users", key), mortal);
    for (const at of [expiry.revision, expiry.revision + 1, undefined]) {
      await using since = await store.snapshot({ at });
      assertEquals(await since.has("users", key), false, `at ${at}`);
      assertEquals(await since.entry("users", key), undefined);
      assertEquals((await since.keys("users"))[0], "kept");
    }
  },

  "snapshot: an entry that expires after the call stays": async (open) => {
    await using store = await open();
    const events = store.watch("users", { types: ["delete"] }).getReader();
    const [snapshot, entry] = await snapshotWithMortal(store);
    await using past = snapshot;
    const { key } = entry;
    await takeUntil(events, key);
    assertEquals(await store.has("users", key), false);
    assertEquals(await past.entry("users", key), entry);
    assertEquals(await past.keys("users"), [key]);
    assertEquals(await Array.fromAsync(past.entries("users")), [entry]);
    assertEquals(await past.kinds(), ["users"]);
    assertEquals(await past.count("users"), 1);
    assertEquals((await linesOf(past.export())).length, 1);
  },

  "snapshot: an entry that expired before the call is gone, removed or not":
    async (
      open,
    ) => {
      await using store = await open();
      await store.set("users", "mortal", 1, { expireIn: 1 });
      while (await store.has("users", "mortal")) await turn();
      const { revision } = await store.set("users", "kept", 1);
      for (const at of [undefined, revision]) {
        await using snapshot = await store.snapshot({ at });
        assertEquals(await snapshot.get("users", "mortal"), undefined);
        assertEquals(await snapshot.keys("users"), ["kept"]);
        assertEquals(await snapshot.count("users"), 1);
        assertEquals([...await snapshot.getMany("users", ["mortal", "kept"])], [
          ["kept", 1],
        ]);
      }
    },
};

const NO_REVISIONS: readonly unknown[] = [
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 53,
  "1",
  null,
  1n,
  {},
];

/** The values by kind and key, as plain objects. */
async function valuesOf(snapshot: Snapshot): Promise<unknown> {
  const all = await snapshot.getAll();
  return Object.fromEntries(
    [...all].map(([kind, values]) => [kind, Object.fromEntries(values)]),
  );
}

/**
 * Writes an entry that soon expires, and returns it. If it has expired already,
 * because the write took too long, it tries a longer lifetime.
 */
async function setMortal(store: Store): Promise<Entry> {
  for (let expireIn = 20;; expireIn *= 4) {
    const key = `mortal ${expireIn}`;
    await store.set("users", key, 1, { expireIn });
    const entry = await store.entry("users", key);
    if (entry) return entry;
  }
}

/** A snapshot of a store with one entry, which soon expires. */
async function snapshotWithMortal(store: Store): Promise<[Snapshot, Entry]> {
  for (let expireIn = 20;; expireIn *= 4) {
    const key = `mortal ${expireIn}`;
    await store.set("users", key, 1, { expireIn });
    const snapshot = await store.snapshot();
    const entry = await snapshot.entry("users", key);
    if (entry) return [snapshot, entry];
    await snapshot.close();
  }
}

async function assertUnavailable(
  store: Store,
  at: number,
  reason: RevisionUnavailableReason,
): Promise<void> {
  const calls = [
    () => store.snapshot({ at }),
    () => textOf(store.export({ at })),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, RevisionUnavailableError);
    const { code } = error;
    assertEquals([code, error.reason], ["REVISION_UNAVAILABLE", reason]);
  }
}
