/**
 * Tests of callers' functions: generators end when nobody reads them any more,
 * and an invalid result is an error.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { RangeOptions } from "../../contract/entry.ts";
import { CodecError, ValidationError } from "../../contract/errors.ts";
import {
  type Cases,
  needing,
  needsChanges,
  type OpenForTest,
} from "../case.ts";
import { assertRejectsWith, fill, numberedKey, turn } from "../reading.ts";
import { standardSchema } from "../schemas.ts";
import { countInOneWrite } from "../sizes.ts";

/** Endless entries, and whether their `finally` block has run. */
class Endless {
  hasEnded = false;
  count = 0;

  *entries(
    pairOf: (n: number) => [string, unknown] = (n) => [numberedKey(n), n],
  ): Generator<[string, unknown]> {
    try {
      for (;;) yield pairOf(this.count++);
    } finally {
      this.hasEnded = true;
    }
  }
}

const NO_ANSWERS: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  "a number": 1,
  "a text": "yes",
  "an object": {},
  "a promise": Promise.resolve(true),
};

export const callbacks: Cases = {
  ...needing(needsChanges(Infinity), {
    "C7 setAll of a generator ends it when it is aborted": async (open) => {
      await using store = await open();
      const reason = new Error("stop");
      const stop = new AbortController();
      const endless = new Endless();
      const writing = store.setAll("users", endless.entries(), {
        signal: stop.signal,
      });
      await turn();
      assert(!endless.hasEnded);
      stop.abort(reason);
      await assertRejectsWith(() => writing, reason, "setAll");
      assert(endless.hasEnded);
      const { count } = endless;
      await turn();
      assertEquals(endless.count, count);
      assertEquals(await store.keys("users"), []);
    },

    "C7 setAll of a generator ends it when it aborts itself": async (open) => {
      await using store = await open();
      const reason = new Error("stop");
      for (const last of [0, 50_000]) {
        const stop = new AbortController();
        const endless = new Endless();
        const pairOf = (n: number): [string, unknown] => {
          if (n === last) stop.abort(reason);
          return [numberedKey(n), n];
        };
        const { signal } = stop;
        await assertRejectsWith(
          () => store.setAll("users", endless.entries(pairOf), { signal }),
          reason,
          "setAll",
        );
        assert(endless.hasEnded);
      }
      assertEquals(await store.keys("users"), []);
    },
  }),

  "setAll ends a generator if it refuses an entry": async (
    open,
    supports,
  ) => {
    await using store = await open({
      schemas: { counts: (value) => typeof value === "number" },
    });
    const bad: [key: string, value: unknown, error: string][] = [
      ["", 1, "InvalidNameError"],
      ["a", undefined, "CodecError"],
    ];
    for (const at of [0, countInOneWrite(40_000, supports) - 1]) {
      for (const [key, value, expected] of bad) {
        const endless = new Endless();
        const entries = endless.entries((n) =>
          n === at ? [key, value] : [numberedKey(n), n]
        );
        const write = () => store.setAll("users", entries);
        const { name } = await assertRejects(write, Error);
        assertEquals(name, expected);
        assert(endless.hasEnded, `${expected} at ${at}`);
      }
      const endless = new Endless();
      const entries = endless.entries((n) => [
        numberedKey(n),
        n === at ? "no" : n,
      ]);
      await assertRejects(
        () => store.setAll("counts", entries),
        ValidationError,
      );
      assert(endless.hasEnded, `schema at ${at}`);
    }
    assertEquals(await store.kinds(), []);
  },

  ...needing(needsChanges(Infinity), {
    "setAll ends a generator if a schema refuses an entry later": async (
      open,
    ) => {
      const refuse = async (value: unknown) => {
        if (value === 3) throw new Error("three");
        await undefined;
      };
      await using store = await open({ schemas: { users: refuse } });
      const endless = new Endless();
      await assertRejects(
        () => store.setAll("users", endless.entries()),
        ValidationError,
        "three",
      );
      assert(endless.hasEnded);
      assertEquals(await store.keys("users"), []);
    },
  }),

  "setAll rejects with a generator's error after many entries": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const broken = new Error("broken");
    const last = countInOneWrite(40_000, supports);
    const endless = new Endless();
    const entries = endless.entries((n) => {
      if (n === last) throw broken;
      return [numberedKey(n), n];
    });
    await assertRejectsWith(
      () => store.setAll("users", entries),
      broken,
      "setAll",
    );
    assert(endless.hasEnded);
    assertEquals(await store.keys("users"), []);
  },

  "where: a TypeError unless it returns a boolean": async (open) => {
    await using store = await open();
    await fill(store, "users", ["alice"]);
    for (const [name, answer] of Object.entries(NO_ANSWERS)) {
      const range = { where: () => answer } as unknown as RangeOptions;
      const reads: Record<string, () => Promise<unknown>> = {
        list: () => store.list("users", range),
        keys: () => store.keys("users", range),
        values: () => store.values("users", range),
        count: () => store.count("users", range),
        entries: () => Array.fromAsync(store.entries("users", range)),
      };
      for (const [read, call] of Object.entries(reads)) {
        const error = await assertRejects(call, TypeError, '"where"');
        assertStringIncludes(error.message, "boolean", `${read}: ${name}`);
      }
    }
  },

  "equals: a TypeError unless it returns a boolean": async (open) => {
    for (const [name, answer] of Object.entries(NO_ANSWERS)) {
      const equals = (() => answer) as unknown as OpenForTest["equals"];
      await using store = await open({ equals });
      await store.set("users", "alice", 1);
      await assertRejects(
        () => store.set("users", "alice", 2),
        TypeError,
        '"equals"',
        name,
      );
      assertEquals(await store.get("users", "alice"), 1, name);
    }
  },

  "schemas: a function that returns false refuses": async (open) => {
    const isText = (value: unknown) => typeof value === "string";
    await using store = await open({
      schemas: {
        sync: isText,
        async: (value) => Promise.resolve(isText(value)),
      },
    });
    for (const kind of ["sync", "async"]) {
      const error = await assertRejects(
        () => store.set(kind, "a", 1),
        ValidationError,
        "false",
      );
      assertEquals([error.kind, error.key], [kind, "a"]);
      await assertRejects(
        () => store.atomic().set(kind, "a", 1).commit(),
        ValidationError,
      );
      await store.set(kind, "b", "text");
      assertEquals(await store.keys(kind), ["b"]);
    }
    await assertRejects(
      () => store.update("sync", "b", () => 1),
      ValidationError,
      "false",
    );
  },

  "schemas: any other answer of a function accepts": async (open) => {
    for (const answer of [undefined, null, true, 0, "", { issues: [1] }]) {
      await using store = await open({ schemas: { users: () => answer } });
      await store.set("users", "alice", 1);
      assertEquals(await store.get("users", "alice"), 1);
    }
  },

  "schemas: a Standard Schema that returns no result is a TypeError": async (
    open,
  ) => {
    for (const answer of [undefined, null, true, false, "ok", {}]) {
      for (const result of [answer, Promise.resolve(answer)]) {
        const schema = standardSchema(() => result as never);
        await using store = await open({ schemas: { users: schema } });
        await assertRejects(
          () => store.set("users", "alice", 1),
          TypeError,
          "Standard Schema",
        );
        assertEquals(await store.keys("users"), []);
      }
    }
  },

  "update rejects if its function returned undefined": async (open) => {
    await using store = await open();
    await store.set("users", "alice", { n: 1 });
    await assertRejects(
      () =>
        store.update("users", "alice", (user) => {
          (user as { n: number }).n++;
        }),
      CodecError,
      "the function returned undefined",
    );
    assertEquals(await store.get("users", "alice"), { n: 1 });
  },

  "import rejects with the errors of its callbacks": async (open) => {
    const broken = new Error("broken");
    const lines = () =>
      ReadableStream.from(['{"kind":"users","key":"a","value":1}\n', "no\n"]);
    const reject = () => Promise.reject(broken);
    const ignore = () => {};
    for (
      const options of [
        { onProgress: reject, onRefused: ignore },
        { onRefused: reject },
      ]
    ) {
      await using store = await open();
      await assertRejectsWith(
        () => store.import(lines(), options),
        broken,
        Object.keys(options)[0],
      );
      // The reported progress had been committed.
      assertEquals(await store.keys("users"), ["a"]);
    }
  },
};
