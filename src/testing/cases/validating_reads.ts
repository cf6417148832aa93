/**
 * Tests of `validateReads`: a read returns the schema's output for the stored
 * value, or fails.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { ValidationError } from "../../contract/errors.ts";
import type { Cases, Open, OpenForTest } from "../case.ts";
import { brief, drain, next, turn } from "../reading.ts";
import {
  asyncCountSchemas,
  findCount,
  findCountLater,
  type Finding,
  standardSchema,
} from "../schemas.ts";

export const validatingReads: Cases = {
  "validateReads: without it, reads are not checked": async (open) => {
    for (const options of [{}, { validateReads: false }]) {
      await using store = await openWithBad(open, options);
      for (const [operation, read] of Object.entries(reads)) {
        assertEquals((await read(store))?.value, BAD, operation);
      }
    }
  },

  "validateReads: every read checks values": async (open) => {
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

  "validateReads: a value is told of that is refused when the store has closed":
    async (open) => {
      const later = Promise.withResolvers<Finding>();
      let isRead = false;
      const schema = standardSchema((value) =>
        isRead ? later.promise : { value }
      );
      await using store = await open({
        schemas: { users: schema },
        validateReads: true,
      });
      await store.set("users", "alice", 1);
      isRead = true;
      const getting = store.get("users", "alice");
      await store.close();
      later.resolve({ issues: [{ message: "Refused" }] });
      await assertRejects(() => getting, ValidationError, "Refused");
    },

  "validateReads: keys, counts and deletions are not checked": async (open) => {
    await using store = await openWithBad(open, { validateReads: true });
    assertEquals(await store.keys("users"), ["bad", "good"]);
    assertEquals(await store.count("users"), 2);
    assertEquals(await store.kinds(), ["users"]);
    assertEquals(await store.get("users", "good"), 1);
    assertEquals((await store.delete("users", "bad"))?.value, BAD);
    assertEquals([...await store.list("users")], [["good", 1]]);
  },

  "validateReads: a refused value can be replaced": async (open) => {
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

  "validateReads: reads return the schema's output": async (
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

  "validateReads: where needs a synchronous schema": async (open) => {
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
      // A stream is not of a single moment, so it can wait.
      const where = (_: string, value: unknown) => value === 1;
      const entries = await Array.fromAsync(store.entries("users", { where }));
      assertEquals(entries.length, 1);
    }
    await using store = await openWithBad(open, { validateReads: true }, true);
    for (const [operation, read] of Object.entries(filteredReads)) {
      await assertRejects(() => read(store), TypeError, '"where"', operation);
    }
    // Nobody gets the schema's late answer.
    await turn();
    await turn();
  },
};

const BAD = -1;

/** Opens a store with a value that its schema now refuses. */
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

/** An object with the value, because a promise could not be distinguished from its value. */
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

/** Each read with a filter, which gets the value. */
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
