/**
 * Tests of how a mirror ends: closed, aborted, with its store, or by a failure.
 * From then on every use fails, and no work continues.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { Mirror, Store } from "../../contract/mod.ts";
import { CodecError, StoreClosedError } from "../../contract/errors.ts";
import type { Cases, Open } from "../case.ts";
import { briefPatches, keysAfter } from "../mirrors.ts";
import { assertEnded, drain, next, numberedKeys, turn } from "../reading.ts";
import { standardSchema } from "../schemas.ts";
import { fillMany } from "../sizes.ts";
import { type BrittleStore, brittleStores } from "../unreadable.ts";

export const mirroringEnding: Cases = {
  "mirror close: ends it, and all that is of it": async (open) => {
    await using store = await open();
    const users = await store.mirror("users");
    const waiting = assertRejects(
      () => users.reached(users.revision + 1),
      StoreClosedError,
      "mirror",
    );
    const changes = users.changes().getReader();
    const reading = changes.read();
    const idle = users.changes({ initial: true }).getReader();
    await users.close();
    await waiting;
    assertEquals(await reading, { done: true, value: undefined });
    await assertEnded(changes);
    await assertEnded(idle);
    assertEquals(await users.closed, undefined);
    await assertOver(users, (error) => {
      assertInstanceOf(error, StoreClosedError);
    });
    await users.close();
    await users[Symbol.asyncDispose]();
    assertEquals((await store.set("users", "a", 1)).version, 1);
  },

  "mirror close: while it waits, reads, and tells": async (open) => {
    await using store = await open();
    for (let n = 0; n < 10; n++) {
      const users = await store.mirror("users");
      const writing = store.set("users", `${n}`, 1);
      if (n % 2 === 0) await users.close();
      else users.addEventListener("change", () => users.close());
      await writing;
      if (n % 2 === 1) await users.closed;
    }
    assertEquals(await store.count("users"), 10);
  },

  "mirror: a signal ends it, with its reason": async (open) => {
    await using store = await open();
    const stop = new AbortController();
    const users = await store.mirror("users", { signal: stop.signal });
    const reason = new Error("stop");
    const waiting = assertRejects(() => users.reached(users.revision + 1));
    const changes = users.changes().getReader();
    stop.abort(reason);
    assertStrictEquals(await waiting, reason);
    await assertEnded(changes);
    await users.closed;
    await assertOver(users, (error) => assertStrictEquals(error, reason));
    await users.close();
  },

  "mirror: a signal that aborts before it is complete": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fillMany(store, "users", numberedKeys(5_000), supports);
    const stop = new AbortController();
    const reason = new Error("stop");
    const opening = store.mirror("users", { signal: stop.signal });
    stop.abort(reason);
    assertStrictEquals(await assertRejects(() => opening), reason);
    const late = store.mirror("users", { signal: stop.signal });
    assertStrictEquals(await assertRejects(() => late), reason);
  },

  "mirror: ends with its store": async (open) => {
    const store = await open();
    await store.set("users", "a", 1);
    const users = await store.mirror("users");
    const waiting = assertRejects(
      () => users.reached(users.revision + 1),
      StoreClosedError,
    );
    const changes = users.changes().getReader();
    await store.close();
    await waiting;
    await assertEnded(changes);
    await users.closed;
    await assertOver(users, (error) => {
      assertInstanceOf(error, StoreClosedError);
    });
  },

  "mirror: the store closes before it is complete": async (open, supports) => {
    const store = await open();
    await fillMany(store, "users", numberedKeys(5_000), supports);
    const opening = store.mirror("users").then(
      (users) => users.closed,
      (error) => assertInstanceOf(error, StoreClosedError),
    );
    await store.close();
    await opening;
  },

  "mirror reached: its signal gives up, and the mirror stays": async (open) => {
    await using store = await open();
    await using users = await store.mirror("users");
    const reason = new Error("enough");
    const stop = new AbortController();
    const beyond = users.revision + 1_000;
    const waiting = assertRejects(
      () => users.reached(beyond, { signal: stop.signal }),
    );
    stop.abort(reason);
    assertStrictEquals(await waiting, reason);
    const late = () => users.reached(0, { signal: stop.signal });
    assertStrictEquals(await assertRejects(late), reason);
    assertEquals(await keysAfter(users, store.set("users", "a", 1)), ["a"]);
  },

  "mirror: fails at a value that cannot be read, and names it": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await store.set("users", "a", 1);
      await using users = await store.mirror("users");
      const changes = users.changes().getReader();
      const waiting = assertRejects(() => users.reached(users.revision + 9));
      brittle.isBroken = true;
      const { revision } = await setBad(brittle, "x");
      const { chunks, error } = await drain(changes);
      assertEquals(chunks, []);
      brittle.assertOf(error, "x", revision);
      assertStrictEquals(await waiting, error);
      assertStrictEquals(await assertRejects(() => users.closed), error);
      await assertOver(users, (it) => assertStrictEquals(it, error));
      await assertRejects(() => store.mirror("users"))
        .then((error) => brittle.assertOf(error, "x", revision));
      await using others = await store.mirror("users", { prefix: "a" });
      assertEquals([...others], [["a", 1]]);
    });
  },

  "mirror onUnreadable: gets each unreadable value, which is left out": async (
    open,
  ) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      const told: unknown[] = [];
      const before = await setBad(brittle, "x");
      await store.set("users", "a", 1);
      await store.set("users", "b", 1);
      brittle.isBroken = true;
      await using users = await store.mirror("users", {
        onUnreadable: (error) => told.push(error),
      });
      assertEquals([...users], [["a", 1], ["b", 1]]);
      assertEquals(told.length, 1);
      brittle.assertOf(told[0], "x", before.revision);
      const changes = users.changes().getReader();
      const { revision } = await setBad(brittle, "a");
      assertEquals(briefPatches((await next(changes)).patches), ["left a"]);
      assertEquals(told.length, 2);
      brittle.assertOf(told[1], "a", revision);
      // A deleted value need not be read.
      await store.deleteAll("users", { start: "x" });
      await store.set("users", "a", 2);
      assertEquals(briefPatches((await next(changes)).patches), ["entered a"]);
      assertEquals(told.length, 2);
    });
  },

  "mirror onUnreadable: its error ends the mirror": async (open) => {
    await using store = await open({ codec: { users: neverReadable } });
    await store.set("users", "x", 1);
    const reason = new Error("no");
    const onUnreadable = () => {
      throw reason;
    };
    const opening = store.mirror("users", { onUnreadable });
    assertStrictEquals(await assertRejects(() => opening), reason);
    const later = () => Promise.resolve() as unknown as void;
    await assertRejects(
      () => store.mirror("users", { onUnreadable: later }),
      TypeError,
    );
    const error = await assertRejects(() => store.mirror("users"));
    assertInstanceOf(error, CodecError);
  },

  "mirror: a value that is deleted is not read": async (open) => {
    await forEach(open, async (brittle) => {
      const { store } = brittle;
      await setBad(brittle, "x");
      await using users = await store.mirror("users");
      assertEquals(users.size, 1);
      brittle.isBroken = true;
      const { revision } = await store.deleteAll("users");
      await users.reached(revision);
      assertEquals(users.size, 0);
    });
  },

  "mirror: shows what the schema makes of a value, if reads are checked":
    async (open) => {
      const users = standardSchema((value) => ({
        value: { of: value },
      }));
      await using store = await open({ schemas: { users } });
      await store.set("users", "a", 1);
      await using plain = await store.mirror("users");
      assertEquals([...plain], [["a", { of: 1 }]]);
      const later = standardSchema(async (value) => {
        await Promise.resolve();
        return { value: `${value}!` };
      });
      await using checked = await open({
        schemas: { users: later },
        validateReads: true,
      });
      await checked.set("users", "a", "x");
      await using loud = await checked.mirror("users", {
        where: (_key, value) => value !== "z!!",
      });
      assertEquals([...loud], [["a", "x!!"]]);
      await checked.set("users", "z", "z");
      assertEquals(await keysAfter(loud, checked.set("users", "b", "y")), [
        "a",
        "b",
      ]);
      assertEquals(loud.get("b"), "y!!");
    },
};

const neverReadable = {
  name: "never-readable",
  encode: () => new Uint8Array([1]),
  decode: () => {
    throw new Error("It is broken");
  },
};

/** Asserts that each use of a mirror throws why it has ended. */
async function assertOver(
  users: Mirror,
  assertReason: (error: unknown) => void,
): Promise<void> {
  const uses: (() => unknown)[] = [
    () => users.get("a"),
    () => users.has("a"),
    () => users.size,
    () => users.revision,
    () => users.keys(),
    () => users.values(),
    () => users.entries(),
    () => [...users],
    () => users.forEach(() => {}),
    () => users.changes(),
  ];
  for (const use of uses) assertReason(assertThrows(use));
  assertReason(await assertRejects(() => users.reached(0)));
}

/** Writes a value that is unreadable if the store is broken. */
async function setBad(
  brittle: BrittleStore,
  key: string,
): ReturnType<Store["set"]> {
  const { isBroken, isFilterable } = brittle;
  // A schema must not refuse the write. An asynchronous one checks values in
  // the next turn of the event loop; others have checked them in the call.
  brittle.isBroken = false;
  const writing = brittle.store.set("users", key, "bad");
  if (!isFilterable) await turn();
  brittle.isBroken = isBroken;
  return await writing;
}

async function forEach(
  open: Open,
  test: (brittle: BrittleStore) => Promise<void>,
): Promise<void> {
  for (const openBrittle of Object.values(brittleStores)) {
    await using brittle = await openBrittle(open);
    await test(brittle);
  }
}
