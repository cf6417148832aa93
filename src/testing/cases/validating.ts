/**
 * Tests of `schemas` and `validateReads`: what is refused is never written,
 * what is written is what the schema makes of the value, and waiting for
 * a schema changes nothing of the order of operations.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { StoreClosedError, ValidationError } from "../../contract/errors.ts";
import type { Cases, Open, OpenForTest } from "../case.ts";
import {
  assertRejectsWith,
  brief,
  drain,
  next,
  numberedKeys,
  take,
  turn,
} from "../reading.ts";
import {
  asyncCountSchemas,
  countSchemas,
  findCount,
  findCountLater,
  holdingSchema,
  lengthSchema,
  NO_COUNT,
  standardSchema,
} from "../schemas.ts";

const everySchema = { ...countSchemas, ...asyncCountSchemas };

/** The writes that can wait for a schema. */
const patientWrites: Record<
  string,
  (store: Store, value: unknown, signal?: AbortSignal) => Promise<unknown>
> = {
  set: (store, value, signal) => store.set("users", "alice", value, { signal }),
  setAll: (store, value, signal) =>
    store.setAll("users", [["aaron", 1], ["alice", value], ["bob", 1]], {
      signal,
    }),
  atomic: (store, value, signal) =>
    store.atomic()
      .set("users", "aaron", 1)
      .set("users", "alice", value)
      .delete("users", "kept")
      .commit({ signal }),
};

/** Every write. */
const writes: typeof patientWrites = {
  ...patientWrites,
  update: (store, value, signal) =>
    store.update("users", "alice", () => value, { initial: 1, signal }),
};

export const validating: Cases = {
  "schemas: a value that is refused is a ValidationError of every write":
    async (open) => {
      for (const [what, schema] of Object.entries(everySchema)) {
        const isAsync = what in asyncCountSchemas;
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        const events = store.watch("users").getReader();
        const calls = isAsync ? patientWrites : writes;
        for (const [operation, write] of Object.entries(calls)) {
          const error = await assertRejects(
            () => write(store, -1),
            ValidationError,
            NO_COUNT,
            `${operation} with ${what}`,
          );
          assertEquals(
            [error.code, error.kind, error.key, error.issues],
            ["VALIDATION", "users", "alice", [{ message: NO_COUNT }]],
          );
          assertStringIncludes(error.message, '"users"/"alice"');
        }
        assertEquals([...await store.list("users")], [["kept", 1]]);
        await store.set("users", "probe", 1);
        assertEquals(brief([await next(events)]), ["create probe@1"]);
      }
    },

  "schemas: a value that is taken is written by every write": async (open) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      const isAsync = what in asyncCountSchemas;
      const calls = isAsync ? patientWrites : writes;
      for (const [operation, write] of Object.entries(calls)) {
        await using store = await open({ schemas: { users: schema } });
        await write(store, 7);
        assertEquals(
          await store.get("users", "alice"),
          7,
          `${operation} with ${what}`,
        );
      }
    }
  },

  "schemas: a value that is there can be replaced by no other": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "alice", 1);
      const before = await store.entry("users", "alice");
      for (const write of Object.values(writes)) {
        await assertRejects(() => write(store, -1), Error, undefined, what);
      }
      assertEquals(await store.entry("users", "alice"), before, what);
    }
  },

  "schemas: what is stored is what the schema makes of the value": async (
    open,
  ) => {
    await using store = await open({ schemas: { lengths: lengthSchema } });
    const events = store.watch("lengths").getReader();
    await store.set("lengths", "a", "1");
    await store.setAll("lengths", { b: "12" });
    await store.atomic().set("lengths", "c", "123").commit();
    const result = await store.update(
      "lengths",
      "d",
      (length) => "+".repeat(length as number + 1),
      { initial: 3 },
    );
    assertEquals(result.value, 4);
    assertEquals(
      [...await store.list("lengths")],
      [["a", 1], ["b", 2], ["c", 3], ["d", 4]],
    );
    const seen = await take(events, 4);
    assertEquals(seen.map(({ value }) => value), [1, 2, 3, 4]);
    assertEquals((await store.set("lengths", "a", "2")).status, "unchanged");
  },

  "schemas: what an asynchronous schema makes of the value is stored": async (
    open,
  ) => {
    const twice = standardSchema(async (value) => {
      await turn();
      return { value: 2 * (value as number) };
    });
    await using store = await open({ schemas: { users: twice } });
    await store.set("users", "a", 1);
    await store.setAll("users", { b: 2 });
    await store.atomic().set("users", "c", 3).commit();
    assertEquals(
      [...await store.list("users")],
      [["a", 2], ["b", 4], ["c", 6]],
    );
  },

  "schemas: what a function returns is not used": async (open) => {
    await using store = await open({
      schemas: { now: () => 2, later: () => Promise.resolve(2) },
    });
    await store.set("now", "a", 1);
    await store.set("later", "a", 1);
    assertEquals(await store.get("now", "a"), 1);
    assertEquals(await store.get("later", "a"), 1);
  },

  "schemas: what a function throws is the cause": async (open) => {
    const cause = new RangeError("Too young");
    const schemas = {
      now: () => {
        throw cause;
      },
      later: () => Promise.reject(cause),
      text: () => {
        throw "Too old";
      },
    };
    await using store = await open({ schemas });
    for (const kind of ["now", "later"]) {
      const error = await assertRejects(
        () => store.set(kind, "a", 1),
        ValidationError,
      );
      assertStrictEquals(error.cause, cause, kind);
      assertEquals(error.issues, [{ message: "Too young" }]);
    }
    const error = await assertRejects(
      () => store.set("text", "a", 1),
      ValidationError,
    );
    assertEquals([error.cause, error.issues], ["Too old", [{
      message: "Too old",
    }]]);
  },

  "schemas: every issue is told, each with its path and message": async (
    open,
  ) => {
    const symbol = Symbol("here");
    const schema = standardSchema(() => ({
      issues: [
        { message: "A name is missing", path: ["names", 0, "first"] },
        { message: "Too long", path: [{ key: "names" }, { key: 1 }] },
        { message: "Odd", path: [symbol, { key: symbol }] },
        { message: "Nothing fits", path: [] },
        { message: "Nothing at all" },
      ],
    }));
    await using store = await open({ schemas: { users: schema } });
    const error = await assertRejects(
      () => store.set("users", "alice", {}),
      ValidationError,
    );
    assertEquals(error.issues, [
      { message: "A name is missing", path: ["names", 0, "first"] },
      { message: "Too long", path: ["names", 1] },
      { message: "Odd", path: [symbol, symbol] },
      { message: "Nothing fits", path: [] },
      { message: "Nothing at all" },
    ]);
    const parts = [
      "names.0.first: A name is missing",
      "names.1: Too long",
      "Nothing fits",
      "Nothing at all",
    ];
    for (const part of parts) assertStringIncludes(error.message, part);
  },

  "schemas: a schema that is a function, too, is taken for a schema": async (
    open,
  ) => {
    const schema = Object.assign(
      () => {
        throw new Error("called");
      },
      standardSchema(findCount),
    );
    await using store = await open({ schemas: { users: schema } });
    await store.set("users", "alice", 1);
    await assertRejects(() => store.set("users", "bob", -1), ValidationError);
    assertEquals(await store.keys("users"), ["alice"]);
  },

  "schemas: a kind without one takes any value": async (open) => {
    await using store = await open({
      schemas: { users: standardSchema(findCount) },
    });
    for (const kind of ["groups", "constructor", "toString", "__proto__"]) {
      await store.set(kind, "a", -1);
      assertEquals(await store.get(kind, "a"), -1, kind);
    }
  },

  "C2 a setAll with one value among many that is refused writes nothing":
    async (open) => {
      for (const [what, schema] of Object.entries(everySchema)) {
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        for (const count of [10, 20_000]) {
          const keys = numberedKeys(count);
          const culprit = keys[count - 3];
          const entries = keys.map((key) =>
            [key, key === culprit ? -1 : 1] as const
          );
          const error = await assertRejects(
            () => store.setAll("users", entries),
            ValidationError,
            culprit,
            `${count} entries with ${what}`,
          );
          assertEquals(error.key, culprit);
        }
        assertEquals(await store.keys("users"), ["kept"], what);
      }
    },

  "C2 a setAll of many values that are taken writes all": async (open) => {
    const keys = numberedKeys(20_000);
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      const result = await store.setAll(
        "users",
        keys.map((key, n) => [key, n] as const),
      );
      assertEquals(result.created, keys.length, what);
      assertEquals(await store.get("users", keys[12_345]), 12_345, what);
    }
  },

  "C2 an atomic operation with a value that is refused writes nothing": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "alice", 1);
      const { revision } = await store.set("groups", "admins", 1);
      // What is refused is told by commit, not by the chain.
      const operation = store.atomic()
        .check({ kind: "users", key: "alice", version: 1 })
        .set("groups", "admins", 2)
        .set("users", "bob", -1)
        .set("users", "carol", -2)
        .delete("users", "alice");
      const error = await assertRejects(
        () => operation.commit(),
        ValidationError,
        NO_COUNT,
        what,
      );
      assertEquals([error.kind, error.key], ["users", "bob"], what);
      await assertRejects(() => operation.commit(), TypeError);
      assertEquals(await store.get("users", "alice"), 1, what);
      assertEquals(await store.get("groups", "admins"), 1, what);
      const probe = await store.set("groups", "probe", 1);
      assertEquals(probe.revision, revision + 1, what);
    }
  },

  "an atomic operation that is refused, and never committed, goes unnoticed":
    async (open) => {
      for (const schema of Object.values(everySchema)) {
        await using store = await open({ schemas: { users: schema } });
        store.atomic().set("users", "a", -1).set("users", "b", -1);
        await turn();
        await turn();
        assertEquals(await store.kinds(), []);
      }
    },

  "C4 what is refused leaves those called with it alone": async (open) => {
    for (const [what, schema] of Object.entries(everySchema)) {
      await using store = await open({ schemas: { users: schema } });
      const outcomes = await Promise.allSettled(
        numberedKeys(50).flatMap((key, n) => [
          store.set("users", key, n % 3 === 0 ? -1 : n),
          store.set("groups", key, n),
          store.setAll("users", [["all", n], [key, n % 5 === 0 ? -1 : n]]),
        ]),
      );
      const refused = outcomes.filter(({ status }) => status === "rejected");
      assertEquals(refused.length, 17 + 10, what);
      const keys = numberedKeys(50).filter((_, n) => n % 15 !== 0);
      assertEquals(await store.keys("users"), [...keys, "all"], what);
      assertEquals(await store.count("groups"), 50, what);
    }
  },

  "update refuses an asynchronous schema with a TypeError": async (open) => {
    for (const [what, schema] of Object.entries(asyncCountSchemas)) {
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "alice", 1);
      const before = await store.entry("users", "alice");
      // The schema would take the one and refuse the other.
      for (const value of [2, -1]) {
        for (const key of ["alice", "bob"]) {
          const error = await assertRejects(
            () => store.update("users", key, () => value, { initial: 1 }),
            TypeError,
            "ifVersion",
            what,
          );
          assertStringIncludes(error.message, "schema");
          assertStringIncludes(error.message, `"users"/"${key}"`);
        }
      }
      await turn();
      await turn();
      assertEquals(await store.keys("users"), ["alice"], what);
      assertEquals(await store.entry("users", "alice"), before, what);
    }
  },

  "C3 an operation sees the writes before it that wait for their schema":
    async (open) => {
      for (const [operation, write] of Object.entries(patientWrites)) {
        const { schema, take } = holdingSchema("slow");
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        const writing = write(store, "slow");
        const value = store.get("users", "alice");
        const entry = store.entry("users", "alice");
        const values = Array.fromAsync(store.entries("users"));
        await turn();
        take();
        assertEquals(await value, "slow", operation);
        assertEquals((await entry)?.version, 1, operation);
        assert((await values).some(({ key }) => key === "alice"), operation);
        await writing;
      }
    },

  "C3 a write that need not wait comes after the one before it that does":
    async (open) => {
      const { schema, take: release } = holdingSchema("slow");
      await using store = await open({ schemas: { users: schema } });
      const events = store.watch("users").getReader();
      const writing = [
        store.set("users", "a", "slow"),
        store.set("users", "a", "fast"),
        store.setAll("users", { b: "slow" }),
        store.update("users", "b", (value) => `${value}, then updated`),
        store.atomic().set("users", "c", "slow").commit(),
        store.delete("users", "c"),
      ];
      await turn();
      release();
      await Promise.all(writing);
      assertEquals(
        [...await store.list("users")],
        [["a", "fast"], ["b", "slow, then updated"]],
      );
      assertEquals(brief(await take(events, 6)), [
        "create a@1",
        "update a@2",
        "create b@1",
        "update b@2",
        "create c@1",
        "delete c@1",
      ]);
    },

  "C3 a write whose schema refuses it in the end was never there": async (
    open,
  ) => {
    const { schema, refuse } = holdingSchema("slow");
    await using store = await open({ schemas: { users: schema } });
    const refused = assertRejects(
      () => store.set("users", "a", "slow"),
      ValidationError,
    );
    const value = store.get("users", "a");
    refuse();
    assertEquals(await value, undefined);
    await refused;
    const { version } = await store.set("users", "a", "fast");
    assertEquals(version, 1);
  },

  "W4 a watch begins after the writes that wait for their schema": async (
    open,
  ) => {
    const { schema, take: release } = holdingSchema("slow");
    await using store = await open({ schemas: { users: schema } });
    const writing = store.set("users", "a", "slow");
    const replayed = store.watch("users", { initial: true }).getReader();
    const live = store.watch("users").getReader();
    const later = store.set("users", "b", "fast");
    release();
    await Promise.all([writing, later]);
    assertEquals(brief(await take(replayed, 2)), ["create a@1", "create b@1"]);
    assertEquals(brief([await next(live)]), ["create b@1"]);
  },

  "C7 a write that is aborted while its schema works does nothing": async (
    open,
  ) => {
    for (const [operation, write] of Object.entries(patientWrites)) {
      for (const end of ["take", "refuse"] as const) {
        const holding = holdingSchema("slow");
        await using store = await open({ schemas: { users: holding.schema } });
        const { revision } = await store.set("users", "kept", 1);
        const reason = new Error("stop");
        const aborting = new AbortController();
        const rejected = assertRejectsWith(
          () => write(store, "slow", aborting.signal),
          reason,
          operation,
        );
        await turn();
        aborting.abort(reason);
        await rejected;
        holding[end]();
        await turn();
        const probe = await store.set("users", "probe", 1);
        assertEquals(probe.revision, revision + 1, operation);
        assertEquals(await store.keys("users"), ["kept", "probe"], operation);
      }
    }
  },

  "C7 an aborted write keeps nobody waiting for its schema": async (open) => {
    for (const [operation, write] of Object.entries(patientWrites)) {
      const { schema } = holdingSchema("never");
      await using store = await open({ schemas: { users: schema } });
      await store.set("users", "kept", 1);
      const aborting = new AbortController();
      const reason = new Error("stop");
      const rejected = assertRejectsWith(
        () => write(store, "never", aborting.signal),
        reason,
        operation,
      );
      const behind = [
        store.set("users", "next", 1),
        store.get("users", "kept"),
      ];
      await turn();
      aborting.abort(reason);
      await rejected;
      await Promise.all(behind);
      assertEquals(await store.keys("users"), ["kept", "next"], operation);
    }
  },

  "schemas: what refuses a write that has failed already goes unheard": async (
    open,
  ) => {
    for (const [what, schema] of Object.entries(asyncCountSchemas)) {
      const store = await open({ schemas: { users: schema } });
      const reason = new Error("stop");
      const signal = AbortSignal.abort(reason);
      for (const [operation, write] of Object.entries(patientWrites)) {
        await assertRejectsWith(
          () => write(store, -1, signal),
          reason,
          `${operation} with ${what}`,
        );
      }
      const operation = store.atomic().set("users", "a", -1);
      await store.close();
      await assertRejects(() => operation.commit(), StoreClosedError);
      for (const write of [patientWrites.set, patientWrites.setAll]) {
        await assertRejects(() => write(store, -1), StoreClosedError);
      }
      await turn();
      await turn();
    }
  },

  "close: finishes the writes that wait for their schema": async (open) => {
    const { schema, take: release } = holdingSchema("slow");
    const store = await open({ schemas: { users: schema } });
    const writing = store.set("users", "a", "slow");
    const closed = store.close();
    await turn();
    release();
    assertEquals((await writing).status, "created");
    await closed;
  },

  "validateReads: off, what is read is not checked": async (open) => {
    for (const options of [{}, { validateReads: false }]) {
      await using store = await openWithBad(open, options);
      for (const [operation, read] of Object.entries(reads)) {
        assertEquals((await read(store))?.value, BAD, operation);
      }
    }
  },

  "validateReads: on, what is read is checked by every read": async (open) => {
    for (const isAsync of [false, true]) {
      const options = { validateReads: true };
      await using store = await openWithBad(open, options, isAsync);
      const calls = isAsync ? reads : { ...reads, ...filteredReads };
      for (const [operation, read] of Object.entries(calls)) {
        const error = await assertRejects(
          () => read(store),
          ValidationError,
          undefined,
          operation,
        );
        assertEquals([error.kind, error.key], ["users", "bad"], operation);
      }
    }
  },

  "validateReads: keys, counts and deletions are no values": async (open) => {
    await using store = await openWithBad(open, { validateReads: true });
    assertEquals(await store.keys("users"), ["bad", "good"]);
    assertEquals(await store.count("users"), 2);
    assertEquals(await store.kinds(), ["users"]);
    assertEquals(await store.get("users", "good"), 1);
    assertEquals((await store.delete("users", "bad"))?.value, BAD);
    assertEquals([...await store.list("users")], [["good", 1]]);
  },

  "validateReads: what is refused can be mended": async (open) => {
    await using store = await openWithBad(open, { validateReads: true });
    const { value } = await store.update(
      "users",
      "bad",
      (value) => -(value as number),
    );
    assertEquals(value, -BAD);
    assertEquals(await store.get("users", "bad"), -BAD);
  },

  "validateReads: a watch that meets a refused value has ended": async (
    open,
  ) => {
    await using store = await openWithBad(open, { validateReads: true });
    const { chunks, error } = await drain(
      store.watch("users", { initial: true }).getReader(),
    );
    assertEquals(brief(chunks), []);
    assertInstanceOf(error, ValidationError);
    const others = store.watch("users", { initial: true, key: "good" });
    assertEquals(brief([await next(others.getReader())]), ["create good@1"]);
  },

  "validateReads: what is read is what the schema makes of the value": async (
    open,
  ) => {
    const oneMore = (value: unknown) => ({ value: value as number + 1 });
    for (const isAsync of [false, true]) {
      const schema = standardSchema((value) =>
        isAsync ? turn().then(() => oneMore(value)) : oneMore(value)
      );
      const schemas = { users: schema };
      await using store = await open({ schemas, validateReads: true });
      await store.set("users", "bad", 1);
      const calls = isAsync ? reads : { ...reads, ...filteredReads };
      for (const [operation, read] of Object.entries(calls)) {
        const expected = operation.startsWith("count") ? 1 : 3;
        assertEquals((await read(store))?.value, expected, operation);
      }
    }
  },

  "validateReads: where needs a schema that is synchronous": async (open) => {
    for (const schema of Object.values(asyncCountSchemas)) {
      const schemas = { users: schema };
      await using store = await open({ schemas, validateReads: true });
      await store.set("users", "bad", 1);
      for (const [operation, read] of Object.entries(filteredReads)) {
        const error = await assertRejects(
          () => read(store),
          TypeError,
          '"where"',
          operation,
        );
        assertStringIncludes(error.message, '"users"');
      }
      // A stream is of no single moment, so it can wait.
      const where = (_: string, value: unknown) => value === 1;
      const entries = await Array.fromAsync(store.entries("users", { where }));
      assertEquals(entries.length, 1);
    }
    await using store = await openWithBad(open, { validateReads: true }, true);
    for (const [operation, read] of Object.entries(filteredReads)) {
      await assertRejects(() => read(store), TypeError, '"where"', operation);
    }
    // What the schema said in the end is nobody's.
    await turn();
    await turn();
  },

  "schemas that are none are a TypeError": async (open) => {
    const options = [
      { schemas: 1 },
      { schemas: null },
      { schemas: { users: 1 } },
      { schemas: { users: null } },
      { schemas: { users: {} } },
      { schemas: { users: { "~standard": {} } } },
      { schemas: new Map([["users", findCount]]) },
      { schemas: [findCount] },
      { schemas: Promise.resolve({ users: findCount }) },
      { validateReads: 1 },
      { validateReads: null },
    ];
    for (const wrong of options) {
      const [name] = Object.keys(wrong);
      await assertRejects(
        async () => await open(wrong as unknown as OpenForTest),
        TypeError,
        `"${name}"`,
      );
    }
  },
};

const BAD = -1;

/** Opens a store in which is a value that its schema has come to refuse. */
async function openWithBad(
  open: Open,
  options: OpenForTest,
  isAsync = false,
): Promise<Store> {
  let strict = false;
  const find = isAsync ? findCountLater : findCount;
  const schema = standardSchema((value) => strict ? find(value) : { value });
  const store = await open({ ...options, schemas: { users: schema } });
  await store.set("users", "bad", BAD);
  await store.set("users", "good", 1);
  strict = true;
  return store;
}

/** Something with a value, for a promise would not be told from its value. */
type WithValue = { value: unknown } | undefined;

/** Each way to read the value of the key "bad". */
const reads: Record<string, (store: Store) => Promise<WithValue>> = {
  get: async (store) => ({ value: await store.get("users", "bad") }),
  entry: (store) => store.entry("users", "bad"),
  list: async (store) => ({ value: (await store.list("users")).get("bad") }),
  values: async (store) => (await store.values("users"))[0],
  entries: (store) => firstOf(store.entries("users")),
  getAll: async (store) => ({
    value: (await store.getAll()).get("users")?.get("bad"),
  }),
  "a watch": (store) => firstOf(store.watch("users", { after: 0 })),
  "a replay": (store) => firstOf(store.watch("users", { initial: true })),
};

/** Each way to read it by a filter, which is told the value. */
const filteredReads: typeof reads = {
  "list where": async (store) => ({
    value: (await store.list("users", { where: isRead })).get("bad"),
  }),
  "values where": async (store) =>
    (await store.values("users", { where: isRead }))[0],
  "keys where": async (store) => {
    const read: unknown[] = [];
    const where = (_: string, value: unknown) => read.push(value) > 0;
    await store.keys("users", { where });
    return { value: read[0] };
  },
  "count where": async (store) => ({
    value: await store.count("users", { where: isRead }),
  }),
};

function isRead(): boolean {
  return true;
}

async function firstOf<T>(stream: ReadableStream<T>): Promise<T> {
  return await next(stream.getReader());
}
