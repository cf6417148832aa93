/**
 * Schemas of real libraries, on each store. What every store promises of
 * schemas is in the conformance suite.
 *
 * @module
 */
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { setImmediate } from "node:timers";
import * as v from "valibot";
import { z } from "zod";
import { type Codec, CodecError, openStore, ValidationError } from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import { testOnEachDriver } from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { testOnEachStore } from "./support/stores.ts";

/** Lets the event loop make a turn. */
function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

interface User {
  name: string;
  age?: number | undefined;
  tags: string[];
}

const zodUser = z.object({
  name: z.string().min(2, "Too short"),
  age: z.number().int().optional(),
  tags: z.array(z.string()),
});

const valibotUser = v.object({
  name: v.pipe(v.string(), v.minLength(2, "Too short")),
  age: v.optional(v.pipe(v.number(), v.integer())),
  tags: v.array(v.string()),
});

const ALICE: User = { name: "Alice", tags: ["admin"] };

for (
  const [library, users] of [
    ["Zod", zodUser],
    ["Valibot", valibotUser],
  ] as const
) {
  testOnEachStore(`${library}: accepted values are stored`, async (open) => {
    await using store = await open({ schemas: { users } });
    await store.set("users", "a", ALICE);
    await store.setAll("users", { b: ALICE });
    await store.atomic().set("users", "c", ALICE).commit();
    await store.update("users", "c", (user) => ({ ...user, age: 7 }));
    const found: Map<string, User> = await store.list("users");
    assertEquals([...found], [
      ["a", ALICE],
      ["b", ALICE],
      ["c", { ...ALICE, age: 7 }],
    ]);
  });

  testOnEachStore(`${library}: an error has all issues`, async (open) => {
    await using store = await open({ schemas: { users } });
    await store.set("users", "kept", ALICE);
    const bad = { name: "A", age: 0.5, tags: ["a", 1] } as unknown as User;
    const calls = {
      set: () => store.set("users", "bad", bad),
      setAll: () => store.setAll("users", { ok: ALICE, bad }),
      update: () => store.update("users", "bad", () => bad, { initial: ALICE }),
      atomic: () =>
        store.atomic().delete("users", "kept").set("users", "bad", bad)
          .commit(),
    };
    for (const [operation, call] of Object.entries(calls)) {
      const error = await assertRejects(call, ValidationError);
      assertEquals([error.kind, error.key], ["users", "bad"], operation);
      const { issues } = error;
      assertEquals(
        issues.map(({ path }) => path),
        [["name"], ["age"], ["tags", 1]],
        operation,
      );
      assertEquals(issues[0].message, "Too short");
      for (const { message } of issues) {
        assertStringIncludes(error.message, message);
      }
    }
    assertEquals([...await store.list("users")], [["kept", ALICE]]);
  });

  testOnEachStore(
    `${library}: reads are checked with validateReads`,
    async (open) => {
      await using store = await open({
        schemas: { users },
        validateReads: true,
      });
      await store.set("users", "a", ALICE);
      assertEquals(await store.get("users", "a"), ALICE);
      const where = (_: string, { tags }: User) => tags.includes("admin");
      assertEquals(await store.count("users", { where }), 1);
    },
  );
}

for (
  const [library, schema] of [
    [
      "Zod",
      z.object({
        name: z.string().trim(),
        role: z.string().default("guest"),
        joined: z.string().transform((day) => day.length),
        extra: z.coerce.number(),
      }),
    ],
    [
      "Valibot",
      v.object({
        name: v.pipe(v.string(), v.trim()),
        role: v.optional(v.string(), "guest"),
        joined: v.pipe(v.string(), v.transform((day) => day.length)),
        extra: v.pipe(v.unknown(), v.transform(Number)),
      }),
    ],
  ] as const
) {
  testOnEachStore(
    `${library}: the store keeps the schema's output`,
    async (open) => {
      await using store = await open({ schemas: { members: schema } });
      const events = store.watch("members").getReader();
      await store.set("members", "a", {
        name: " Alice ",
        joined: "2026-01-02",
        extra: "7",
      });
      const stored = { name: "Alice", role: "guest", joined: 10, extra: 7 };
      assertEquals(await store.get("members", "a"), stored);
      const joined: number | undefined = (await store.get("members", "a"))
        ?.joined;
      assertEquals(joined, 10);
      assertEquals((await events.read()).value?.value, stored);

      const { value } = await store.update("members", "a", (member) => ({
        ...member,
        role: undefined,
        joined: "today",
      }));
      assertEquals(value, { ...stored, joined: 5 });
      // The type of what is written is the schema's input.
      await assertRejects(
        // @ts-expect-error: a text is expected
        () => store.set("members", "b", stored),
        ValidationError,
        "joined",
      );
    },
  );
}

const zodFree = z.string().refine(async (name) => {
  await turn();
  return name !== "taken";
}, "The name is taken");

const valibotFree = v.pipeAsync(
  v.string(),
  v.checkAsync(async (name) => {
    await turn();
    return name !== "taken";
  }, "The name is taken"),
);

for (
  const [library, names] of [
    ["Zod", zodFree],
    ["Valibot", valibotFree],
  ] as const
) {
  testOnEachStore(
    `${library}: an asynchronous schema is waited for`,
    async (open) => {
      await using store = await open({ schemas: { names } });
      const refused = [
        () => store.set("names", "b", "taken"),
        () => store.setAll("names", { b: "free", c: "taken" }),
        () =>
          store.atomic().set("names", "b", "free").set("names", "c", "taken")
            .commit(),
      ];
      for (const call of refused) {
        const error = await assertRejects(call, ValidationError);
        assertEquals(
          error.issues.map(({ message }) => message),
          ["The name is taken"],
        );
      }
      assertEquals(await store.count("names"), 0);

      const writing = store.set("names", "a", "free");
      assertEquals(await store.get("names", "a"), "free");
      await writing;
      await store.setAll("names", { b: "free" });
      await store.atomic().set("names", "c", "free").commit();
      assertEquals(await store.keys("names"), ["a", "b", "c"]);

      await assertRejects(
        () => store.update("names", "a", () => "freed"),
        TypeError,
        "schema",
      );
      assertEquals(await store.get("names", "a"), "free");
    },
  );
}

testOnEachStore("each kind has the schema that is its own", async (open) => {
  await using store = await open({
    schemas: {
      zod: z.object({ n: z.number() }),
      valibot: v.object({ n: v.number() }),
      checked: (value: { n: number }) => {
        if (typeof value.n !== "number") throw new TypeError("No number");
      },
    },
  });
  for (const kind of ["zod", "valibot", "checked"] as const) {
    await store.set(kind, "a", { n: 1 });
    await assertRejects(
      () => store.set(kind, "a", { n: "1" as unknown as number }),
      ValidationError,
    );
    assertEquals((await store.get(kind, "a"))?.n, 1);
  }
  assertEquals(await store.kinds(), ["checked", "valibot", "zod"]);
});

testOnEachStore(
  "the value that an asynchronous function checks is the one that is written",
  async (
    open,
  ) => {
    let release = () => {};
    const released = new Promise<void>((resolve) => release = resolve);
    await using store = await open({
      schemas: {
        users: async (user: { name: string }) => {
          if (user.name === "") throw new Error("A name is missing");
          await released;
        },
      },
    });
    const user = { name: "Alice" };
    const writing = [
      store.set("users", "a", user),
      store.setAll("users", { b: user }),
      store.atomic().set("users", "c", user).commit(),
    ];
    user.name = "";
    release();
    await Promise.all(writing);
    const names = (await store.values("users")).map(({ value }) => value.name);
    assertEquals(names, ["Alice", "Alice", "Alice"]);
  },
);

testOnEachStore(
  "the value that an asynchronous function checks must be encodable",
  async (
    open,
  ) => {
    const users = (_: unknown) => Promise.reject(new Error("Refused"));
    await using store = await open({ schemas: { users } });
    await assertRejects(() => store.set("users", "a", undefined), CodecError);
    assertThrows(() => store.atomic().set("users", "a", undefined), CodecError);
    await turn();
    assertEquals(await store.kinds(), []);
  },
);

testOnEachStore(
  "a promise is refused as a value, with a schema or without",
  async (
    open,
  ) => {
    const users = (_: unknown) => {};
    await using store = await open<
      { users: typeof users; groups: typeof users }
    >(
      { schemas: { users } as never },
    );
    for (const kind of ["users", "groups"] as const) {
      const promise = Promise.resolve(1);
      await assertRejects(() => store.set(kind, "a", promise), CodecError);
      await assertRejects(() => store.setAll(kind, { a: promise }), CodecError);
      assertThrows(() => store.atomic().set(kind, "a", promise), CodecError);
    }
    assertEquals(await store.kinds(), []);
  },
);

testOnEachStore(
  "the previous value is decoded only for `equals`",
  async (open) => {
    let decoded = 0;
    const codec: Codec<number> = {
      name: "counted",
      encode: (value) => new Uint8Array([value]),
      decode([value]) {
        decoded++;
        return value;
      },
    };
    const schemas = { n: z.number() };
    const write = async (equals?: () => boolean) => {
      await using store = await open({ schemas, codec: { n: codec }, equals });
      decoded = 0;
      await store.set("n", "a", 1);
      await store.setAll("n", { a: 2, b: 2 });
      await store.atomic().set("n", "a", 3).commit();
      return decoded;
    };
    assertEquals(await write(), 0);
    // The two of each comparison.
    assertEquals(await write(() => false), 4);
  },
);

testOnEachStore("an undecodable value can be replaced with `equals`", async (
  open,
) => {
  const codec: Codec<number> = {
    name: "broken",
    encode: (value) => new Uint8Array([value]),
    decode([value]) {
      if (value === 13) throw new RangeError("Unlucky");
      return value;
    },
  };
  let asked = 0;
  await using store = await open({
    schemas: { n: z.number() },
    codec: { n: codec },
    equals() {
      asked++;
      return true;
    },
  });
  await store.set("n", "a", 13);
  assertEquals((await store.set("n", "a", 1)).status, "updated");
  assertEquals(asked, 0);
  assertEquals((await store.set("n", "a", 2)).status, "unchanged");
  assertEquals(await store.get("n", "a"), 1);
});

testOnEachStore("a schema cannot change the encoded value", async (open) => {
  // It gives each value's bytes in the same buffer.
  const scratch = new Uint8Array(1);
  const codec: Codec<number> = {
    name: "scratch",
    encode(value) {
      scratch[0] = value;
      return scratch;
    },
    decode: ([value]) => value,
  };
  await using store = await open({
    schemas: { n: z.number() },
    codec: { n: codec },
  });
  await Promise.all([
    store.set("n", "a", 1),
    store.set("n", "b", 2),
    store.setAll("n", { c: 3, d: 4 }),
    store.update("n", "e", () => 5, { initial: 6 }),
    store.atomic().set("n", "f", 7).set("n", "g", 8).commit(),
  ]);
  assertEquals(
    (await store.values("n")).map(({ value }) => value),
    [1, 2, 3, 4, 5, 7, 8],
  );
});

testOnEachDriver(
  "an update that runs again starts from `initial` as it was",
  async ({ name }) => {
    let failing = false;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql !== "COMMIT" || !failing) return;
      failing = false;
      throw new SqlError("full", "database or disk is full");
    });
    const codec: Codec<Uint8Array> = {
      name: "bytes",
      encode: (bytes) => bytes,
      decode: (bytes) => bytes,
    };
    await using store = await openStore<{ n: Uint8Array }>({
      path: ":memory:",
      driver,
      codec,
    });
    // The two share a transaction, and get one each after its failure.
    failing = true;
    const increment = (bytes: Uint8Array) => {
      bytes[0]++;
      return bytes;
    };
    const results = await Promise.all(
      ["a", "b"].map((key) =>
        store.update("n", key, increment, { initial: new Uint8Array([1]) })
      ),
    );
    assertEquals(failing, false);
    for (const { value } of results) assertEquals(value, new Uint8Array([2]));
  },
);
