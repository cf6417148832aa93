/**
 * Tests of `waitFor`: a value that exists or comes, and each way in which it
 * may not come.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { WaitForOptions } from "../../contract/mod.ts";
import {
  InvalidNameError,
  KeyNotFoundError,
  StoreClosedError,
} from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { SOON } from "../expiring.ts";
import { numberedKeys } from "../reading.ts";
import { fillMany, keysOfOneWrite } from "../sizes.ts";
import { brittleStores } from "../unreadable.ts";

export const waitingFor: Cases = {
  "waitFor: a value that is there": async (open) => {
    await using store = await open();
    const writing = store.set("users", "a", { n: 1 });
    assertEquals(await store.waitFor("users", "a"), { n: 1 });
    await writing;
    const value = await store.waitFor("users", "a") as { n: number };
    value.n = 2; // The value belongs to the caller.
    assertEquals(await store.waitFor("users", "a"), { n: 1 });
    await store.setAll("users", { zero: 0, none: null, no: false, text: "" });
    for (const [key, expected] of await store.list("users")) {
      assertEquals(await store.waitFor("users", key), expected, key);
    }
  },

  "waitFor: a value that comes": async (open) => {
    await using store = await open();
    const waiting = store.waitFor("users", "a");
    await store.set("users", "b", 1);
    await store.set("groups", "a", 2);
    await store.set("users", "a", 3);
    assertEquals(await waiting, 3);
  },

  "waitFor: a value for which the predicate is true": async (open) => {
    await using store = await open();
    const seen: unknown[] = [];
    await store.set("users", "a", 1);
    const isEnough = (value: unknown) => {
      seen.push(value);
      return (value as number) >= 3;
    };
    const waiting = store.waitFor("users", "a", isEnough);
    for (const n of [2, 1]) await store.set("users", "a", n);
    await store.delete("users", "a");
    await store.set("users", "a", 3);
    await store.set("users", "a", 4);
    assertEquals(await waiting, 3);
    assertEquals(seen, [1, 2, 1, 3]);
    assertEquals(await store.waitFor("users", "a", () => true), 4);
  },

  "waitFor: a deleted or expired entry does not count": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1, { expireIn: SOON });
    while (await store.has("users", "a"));
    await store.set("users", "b", 1);
    await store.delete("users", "b");
    const waiting = [
      store.waitFor("users", "a"),
      store.waitFor("users", "b"),
    ];
    await store.setAll("users", { a: 2, b: 2 });
    assertEquals(await Promise.all(waiting), [2, 2]);
  },

  "waitFor: works when the change log is pruned": async (
    open,
    supports,
  ) => {
    await using store = await open({ history: 10 });
    const waiting = store.waitFor("users", "a", (n) => n === 2);
    await store.set("users", "a", 1);
    await store.atomic().set("users", "a", 2).commit();
    const keys = keysOfOneWrite(300, supports);
    await fillMany(store, "groups", keys, supports);
    assertEquals(await waiting, 2);
  },

  "waitFor: many of them": async (open) => {
    await using store = await open();
    const keys = numberedKeys(50);
    const waiting = keys.map((key) => store.waitFor("users", key));
    await store.setAll("users", keys.map((key, n) => [key, n] as const));
    assertEquals(await Promise.all(waiting), keys.map((_, n) => n));
  },

  "waitFor: an abort and a close give different errors": async (open) => {
    const store = await open();
    const stop = new AbortController();
    const { signal } = stop;
    const reason = new KeyNotFoundError("users", "a");
    const aborted = assertRejects(() =>
      store.waitFor("users", "a", undefined, { signal })
    );
    const unmet = assertRejects(() =>
      store.waitFor("users", "a", () => false, { signal })
    );
    const closed = assertRejects(() => store.waitFor("users", "a"));
    await store.set("groups", "a", 1);
    stop.abort(reason);
    assertStrictEquals(await aborted, reason);
    assertStrictEquals(await unmet, reason);
    const late = await assertRejects(() =>
      store.waitFor("users", "a", undefined, { signal })
    );
    assertStrictEquals(late, reason);
    await store.close();
    assertInstanceOf(await closed, StoreClosedError);
  },

  "waitFor: a value that cannot be read": async (open) => {
    for (const openBrittle of Object.values(brittleStores)) {
      await using brittle = await openBrittle(open);
      const { store } = brittle;
      const { revision } = await store.set("users", "x", "bad");
      brittle.isBroken = true;
      const error = await assertRejects(() => store.waitFor("users", "x"));
      brittle.assertOf(error, "x", revision);
      const told: unknown[] = [];
      const waiting = store.waitFor("users", "x", undefined, {
        onUnreadable: (error) => told.push(error),
      });
      await store.set("users", "x", "good");
      assertEquals(await waiting, "good");
      assertEquals(told.length, 1);
      brittle.assertOf(told[0], "x", revision);
    }
  },

  "waitFor: refuses invalid arguments": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    for (const predicate of [null, 1, {}, { signal: undefined }]) {
      await assertRejects(
        () => store.waitFor("users", "a", predicate as never),
        TypeError,
        "predicate",
      );
    }
    for (const answer of [undefined, 1, "yes", Promise.resolve(true)]) {
      await assertRejects(
        () => store.waitFor("users", "a", () => answer as never),
        TypeError,
        "boolean",
      );
    }
    for (const options of [{ limit: 1 }, { signal: {} }, []]) {
      await assertRejects(
        () => store.waitFor("users", "a", undefined, options as WaitForOptions),
        TypeError,
      );
    }
    await assertRejects(() => store.waitFor("users", ""), InvalidNameError);
    await assertRejects(() => store.waitFor("", "a"), InvalidNameError);
    const reason = new Error("no");
    const error = await assertRejects(() =>
      store.waitFor("users", "a", () => {
        throw reason;
      })
    );
    assertStrictEquals(error, reason);
  },
};
