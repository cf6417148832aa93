/**
 * Tests of `undefined` within values. A store accepts an `undefined` property,
 * and either keeps it or leaves it out, as JSON does, in every operation. In an
 * array it keeps or refuses `undefined`.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { CodecError } from "../../contract/errors.ts";
import type { Store } from "../../contract/store.ts";
import type { Cases } from "../case.ts";

interface User {
  name: string;
  email?: string;
}

const ALICE: User = { name: "Alice", email: undefined };

const WRITES: [what: string, write: (store: Store) => Promise<unknown>][] = [
  ["set", (store) => store.set("users", "alice", ALICE)],
  ["setAll", (store) => store.setAll("users", { alice: ALICE })],
  [
    "update",
    (store) => store.update("users", "alice", () => ALICE, { initial: ALICE }),
  ],
  ["atomic", (store) => store.atomic().set("users", "alice", ALICE).commit()],
];

/** Whether a value has the property at all. */
function hasEmail(value: unknown): boolean {
  return Object.hasOwn(value as User, "email");
}

export const undefinedProperties: Cases = {
  ...Object.fromEntries(WRITES.map(([what, write]) => [
    `${what} takes a value with a property that is undefined`,
    async (open) => {
      await using store = await open();
      await write(store);
      const { name, ...others } = await store.get("users", "alice") as User;
      assertEquals([name, others.email], ["Alice", undefined]);
      assertEquals(Object.keys(others).length, hasEmail(others) ? 1 : 0);
      assert(hasEmail(ALICE), "the value that was written is not changed");
    },
  ])) as Cases,

  "C5 the same value with an undefined property is a no-op": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "alice", ALICE);
    const again = await store.set("users", "alice", { ...ALICE });
    assertEquals(again, { status: "unchanged", version: 1, revision });
    const stored = await store.get("users", "alice");
    const all = await store.setAll("users", { alice: stored });
    assertEquals(all, { created: 0, updated: 0, unchanged: 1, revision });
  },

  "C5 equals gets both values as they are stored": async (open) => {
    const asked: boolean[] = [];
    await using store = await open({
      equals(_kind, previous, next) {
        asked.push(hasEmail(previous), hasEmail(next));
        return true;
      },
    });
    await store.set("users", "alice", ALICE);
    await store.set("users", "alice", { ...ALICE, name: "Alicia" });
    const isKept = hasEmail(await store.get("users", "alice"));
    assertEquals(asked, [isKept, isKept]);
  },

  "a schema gets a value with its property that is undefined": async (open) => {
    const seen: boolean[] = [];
    const users = (user: unknown) => void seen.push(hasEmail(user));
    await using store = await open({ schemas: { users } });
    await store.set("users", "alice", ALICE);
    assertEquals(seen, [true]);
  },

  "undefined in an array is kept or refused, and never becomes null": async (
    open,
  ) => {
    await using store = await open();
    const value = { list: [1, undefined] };
    const failure = await store.set("lists", "a", value)
      .then(() => undefined, (error: unknown) => error);
    if (failure !== undefined) assertInstanceOf(failure, CodecError);
    assertEquals(
      await store.get("lists", "a"),
      failure === undefined ? value : undefined,
    );
  },
};
