/**
 * Tests of `verify`: it finds nothing in a store that only its own operations
 * wrote, also while others write; and its effect on other operations.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import {
  type Cases,
  needing,
  needsVerify,
  type Open,
  type OpenForTest,
} from "../case.ts";
import {
  assertLoopTurns,
  assertRejectsWith,
  brief,
  next,
  numberedKey,
  numberedKeys,
  turn,
  writeInRounds,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

/** Every sort of write, by description. Each leaves the state for the next one. */
const WRITES: Record<string, (store: Store) => Promise<unknown>> = {
  "a set of a new key": (store) => store.set("k", "a", { n: 1 }),
  "a set of another value": (store) => store.set("k", "a", { n: 2 }),
  "a set of the same value": (store) => store.set("k", "a", { n: 2 }),
  "a set of a version": (store) => store.set("k", "a", 3, { ifVersion: 2 }),
  "a set that is refused": (store) =>
    store.set("k", "a", 4, { ifVersion: 2 }).catch(() => {}),
  setAll: (store) =>
    store.setAll("k", { a: 4, b: "", c: [], "ü/\u{10000}": {} }),
  "an update": (store) => store.update("k", "b", (text) => `${text}!`),
  "an update that throws": (store) =>
    store.update("k", "none", () => 1).catch(() => {}),
  "a deletion": (store) => store.delete("k", "c"),
  "a deletion of no key": (store) => store.delete("k", "c"),
  "the key anew": (store) => store.set("k", "c", null),
  "an atomic operation": (store) =>
    store.atomic().set("l", "x", 1).set("l", "x", 2).delete("l", "x")
      .set("l", "x", 3).delete("k", "a").set("k", "a", 1).commit(),
  "an atomic operation that is refused": (store) =>
    store.atomic().check({ kind: "l", key: "x", version: 7 })
      .delete("l", "x").commit(),
  "writes that share a transaction, one of which fails": (store) =>
    Promise.all([
      store.set("k", "a", 2),
      store.update("k", "none", () => 1).catch(() => {}),
      store.delete("l", "x"),
    ]),
};

export const verifying: Cases = needing(needsVerify, {
  "verify: a new store is sound": async (open) => {
    await using store = await open();
    assertEquals(await store.verify(), []);
  },

  "verify: a store is sound after every sort of write": async (open) => {
    await using store = await open();
    for (const [what, write] of Object.entries(WRITES)) {
      await write(store);
      assertEquals(await store.verify(), [], what);
    }
  },

  "verify: a store is sound when its change log was pruned": async (open) => {
    await using store = await open({ history: 5 });
    for (let round = 0; round < 3; round++) {
      for (const write of Object.values(WRITES)) await write(store);
      await store.atomic().delete("k", "a").delete("l", "x").commit();
      await writeInRounds(store, "m", numberedKeys(50), round);
      assertEquals(await store.verify(), [], `round ${round}`);
    }
  },

  "C3 verify sees the writes called before it": async (open) => {
    let strict = false;
    const numbers = () => {
      if (strict) throw new Error("It is too large");
    };
    await using store = await open({
      schemas: { numbers },
      validateReads: true,
    });
    const before = store.set("numbers", "before", 3);
    strict = true;
    const [finding, ...more] = await store.verify();
    assertEquals(more, []);
    assertEquals([finding.part, finding.kind, finding.key], [
      "entries",
      "numbers",
      "before",
    ]);
    assertMatch(finding.message, /"numbers"\/"before".*It is too large/);
    assertEquals((await before).status, "created");
  },

  "verify: without validateReads, a value that the schema refuses is sound":
    async (
      open,
    ) => {
      let strict = false;
      const numbers = () => {
        if (strict) throw new Error("No");
      };
      await using store = await open({ schemas: { numbers } });
      await store.set("numbers", "a", 1);
      strict = true;
      assertEquals(await store.verify(), []);
    },

  "verify: a schema may be asynchronous, and read the store": async (open) => {
    let strict = false;
    const numbers = async () => {
      await turn();
      if (strict) assertEquals(await store.get("limits", "none"), undefined);
      if (strict) throw new Error("No");
    };
    await using store: Store = await open({
      schemas: { numbers },
      validateReads: true,
    });
    await store.setAll("numbers", { a: 1, b: 2 });
    strict = true;
    const found = await store.verify();
    assertEquals(found.map(({ key }) => key).sort(), ["a", "b"]);
  },

  "verify: lists the first findings, and counts the others": async (
    open,
    supports,
  ) => {
    let strict = false;
    const numbers = () => {
      if (strict) throw new Error("No");
    };
    await using store = await open({
      schemas: { numbers },
      validateReads: true,
    });
    await fillMany(store, "numbers", numberedKeys(150), supports);
    strict = true;
    const found = await store.verify();
    assertEquals(
      found.slice(0, 100).map(({ key }) => key),
      numberedKeys(100),
    );
    assertEquals(found.length, 101);
    assertEquals(found[100].key, undefined);
    assertMatch(found[100].message, /50 more/);
  },

  "verify: reads go on meanwhile, and writes are in order": async (open) => {
    const { options, begin, begun, end } = heldCheck();
    await using store = await open(options);
    await store.setAll("k", { x: "kept", y: "kept" });
    begin();
    let isChecked = false;
    const checked = store.verify().finally(() => isChecked = true);
    await Promise.race([begun, checked]);
    assertEquals(await store.count("k"), 2);
    assertEquals(isChecked, false);
    const set = store.set("k", "a", 1);
    const get = store.get("k", "a");
    const watch = store.watch("k").getReader();
    const last = store.set("k", "b", 1);
    end();
    assertEquals((await set).status, "created");
    assertEquals(await get, 1);
    await last;
    assertEquals(brief([await next(watch)]), ["create b@1"]);
    await watch.cancel();
    assertEquals(await checked, []);
  },

  "verify: a store is sound while it is written and watched": async (
    open,
    supports,
  ) => {
    await using store = await open({ history: 100 });
    await fillMany(store, "k", numberedKeys(500), supports);
    const watch = store.watch("k", { initial: true }).getReader();
    const checks: Promise<unknown[]>[] = [];
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i++) {
      const key = numberedKey(i % 700);
      writes.push(
        i % 3 === 0 ? store.delete("k", key) : store.set("k", key, i),
      );
      if (i % 40 === 0) checks.push(store.verify());
      if (i % 7 === 0) await turn();
    }
    assert(checks.length === 5);
    for (const found of await Promise.all(checks)) assertEquals(found, []);
    await Promise.all(writes);
    // Nobody read it, so it may have overflowed.
    await watch.cancel().catch((error) =>
      assertInstanceOf(error, WatchOverflowError)
    );
    assertEquals(await store.verify(), []);
  },

  "C8 verify lets the event loop turn": async (open) => {
    await using store = await openSlow(open);
    await assertLoopTurns(() => store.verify());
  },

  "C7 verify ends at once when its signal aborts": async (open) => {
    await using store = await openSlow(open);
    const controller = new AbortController();
    const reason = new Error("stop");
    const checked = assertRejectsWith(
      () => store.verify({ signal: controller.signal }),
      reason,
      "verify",
    );
    await turn();
    const write = store.set("k", "after", 1);
    controller.abort(reason);
    await checked;
    // It leaves nothing behind that is in the way.
    assertEquals((await write).status, "created");
    assertEquals(await store.verify(), []);
  },

  "close waits for verify": async (open) => {
    const store = await openSlow(open);
    const checked = store.verify();
    await turn();
    await store.close();
    assertEquals(await checked, []);
  },
});

/** A check that waits for `end`, from its first value on. */
function heldCheck(): {
  options: OpenForTest;
  begin(): void;
  begun: Promise<void>;
  end(): void;
} {
  let isHeld = false;
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const k = (value: unknown) => {
    if (!isHeld || value !== "kept") return;
    begun.resolve();
    return ended.promise;
  };
  return {
    options: { schemas: { k }, validateReads: true },
    begin: () => isHeld = true,
    begun: begun.promise,
    end: ended.resolve,
  };
}

/** Opens a store whose check takes several turns of the event loop, even on a fast machine. */
async function openSlow(open: Open): Promise<Store> {
  let isSlow = false;
  // A ms for each entry.
  const slow = () => {
    if (!isSlow) return;
    const end = performance.now() + 1;
    while (performance.now() < end);
  };
  const store: Store = await open({
    schemas: { k: slow },
    validateReads: true,
  });
  await writeInRounds(store, "k", numberedKeys(50));
  isSlow = true;
  return store;
}
