/**
 * Tests of `schemas`: a refused value is never written, and a written value is
 * the schema's output.
 *
 * @module
 */
import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { ValidationError } from "../../contract/errors.ts";
import type { Cases, OpenForTest } from "../case.ts";
import { brief, next, take, turn } from "../reading.ts";
import {
  asyncCountSchemas,
  everySchema,
  everyWrite,
  findCount,
  lengthSchema,
  NO_COUNT,
  patientWrites,
  standardSchema,
} from "../schemas.ts";

export const validating: Cases = {
  "schemas: a value that is refused is a ValidationError of every write":
    async (open) => {
      for (const [what, schema] of Object.entries(everySchema)) {
        const isAsync = what in asyncCountSchemas;
        await using store = await open({ schemas: { users: schema } });
        await store.set("users", "kept", 1);
        const events = store.watch("users").getReader();
        const calls = isAsync ? patientWrites : everyWrite;
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
      const calls = isAsync ? patientWrites : everyWrite;
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
      for (const write of Object.values(everyWrite)) {
        await assertRejects(() => write(store, -1), Error, undefined, what);
      }
      assertEquals(await store.entry("users", "alice"), before, what);
    }
  },

  "schemas: the store keeps the schema's output": async (
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

  "schemas: the store keeps the output of an asynchronous schema": async (
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

  "schemas: the result of a function is not used": async (open) => {
    await using store = await open({
      schemas: { now: () => 2, later: () => Promise.resolve(2) },
    });
    await store.set("now", "a", 1);
    await store.set("later", "a", 1);
    assertEquals(await store.get("now", "a"), 1);
    assertEquals(await store.get("later", "a"), 1);
  },

  "schemas: the error of a function is the cause": async (open) => {
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

  "schemas: the error has every issue, with its path and message": async (
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

  "invalid schemas are a TypeError": async (open) => {
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
