/**
 * The types of a store: what must compile, and what must not. The compiler is
 * what fails this test; at run time it only shows that the calls work.
 *
 * @module
 */
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { assertEquals, assertRejects } from "@std/assert";
import * as v from "valibot";
import { z } from "zod";
import {
  type InputsOf,
  json,
  type KindStore,
  openStore,
  type OutputsOf,
  type SqliteStore,
  type Store,
  ValidationError,
  type WatchBookmark,
  type WatchEvent,
} from "../mod.ts";
import { protobuf } from "../src/values/codecs/protobuf.ts";
import {
  type MemoryStore,
  openMemoryStore,
} from "../src/memory/open_memory_store.ts";
import { standardSchema } from "../src/testing/schemas.ts";
import { assertSame } from "./support/same_type.ts";

interface Kinds {
  users: { name: string };
  runs: Timestamp;
}

const run = create(TimestampSchema, { seconds: 1n });

Deno.test("kinds are typed by `openStore<Kinds>()`", async () => {
  await using store = await openStore<Kinds>({
    path: ":memory:",
    codec: { users: json, runs: protobuf(TimestampSchema) },
  });
  await store.set("runs", "a", run);
  const found: Timestamp | undefined = await store.get("runs", "a");
  assertEquals(found?.seconds, 1n);
  await store.setAll("users", ["a", "b"].map((name) => [name, { name }]));
  const names: (string | undefined)[] = [];
  for await (const { value } of store.entries("users")) names.push(value.name);
  assertEquals(names, ["a", "b"]);

  // @ts-expect-error: no such kind
  assertEquals(await store.get("user", "a"), undefined);
  // @ts-expect-error: not the kind's type
  await store.set("users", "c", { nam: "c" });
  const marked = store.watch("users", { initial: true, bookmarks: true });
  for await (const item of marked) {
    // @ts-expect-error: a bookmark has no key
    assertEquals(item.key, "a");
    break;
  }
  const events: ReadableStream<WatchEvent<{ name: string }>> = store.watch(
    "users",
  );
  await events.cancel();
});

Deno.test("kinds are typed by their codecs", async () => {
  await using store = await openStore({
    path: ":memory:",
    codec: { runs: protobuf(TimestampSchema) },
  });
  await store.set("runs", "a", run);
  const found: Timestamp | undefined = await store.get("runs", "a");
  assertEquals(found?.seconds, 1n);
});

Deno.test("without types any kind goes, and values are unknown", async () => {
  await using store = await openStore({ path: ":memory:", codec: json });
  await store.set("any", "a", 1);
  const value: unknown = await store.get("any", "a");
  assertEquals(value, 1);
});

Deno.test("a codec of other values, and an unknown option, do not compile", async () => {
  const wrong = await openStore<{ users: { name: string } }>({
    path: ":memory:",
    // @ts-expect-error: its values are no users
    codec: { users: protobuf(TimestampSchema) },
  });
  await wrong.close();
  await assertRejects(
    // @ts-expect-error: a typo
    () => openStore({ path: ":memory:", busytimeout: 1 }),
    TypeError,
    "busytimeout",
  );
});

interface User {
  name: string;
  email?: string | undefined;
}

const schemas = {
  users: z.object({ name: z.string(), email: z.string().optional() }),
  visits: v.pipe(v.string(), v.transform(Number)),
  notes: (note: { title: string }) => {
    if (note.title === "") throw new Error("No title");
  },
  later: async (count: number) => {
    await Promise.resolve();
    if (count < 0) throw new Error("Negative");
  },
};

for (
  const [name, open] of [
    ["openStore", () => openStore({ path: ":memory:", schemas })],
    ["openMemoryStore", () => openMemoryStore({ schemas })],
  ] as const
) {
  Deno.test(`kinds are typed by their schemas: ${name}`, async () => {
    await using store = await open();
    await store.set("users", "a", { name: "Alice" });
    const user = await store.get("users", "a");
    assertSame<typeof user, User | undefined>();
    assertEquals(user?.name, "Alice");

    // What is written is a schema's input, what is read its output.
    await store.set("visits", "a", "7");
    const visits = await store.get("visits", "a");
    assertSame<typeof visits, number | undefined>();
    assertEquals(visits, 7);
    // @ts-expect-error: a text is what is written
    await assertRejects(() => store.set("visits", "a", 7), ValidationError);
    await store.setAll("visits", { b: "1" });
    // @ts-expect-error: a text is what is written
    await assertRejects(() => store.setAll("visits", { b: 1 }));
    const updated = await store.update("visits", "a", (n) => {
      assertSame<typeof n, number>();
      return `${n + 1}`;
    }, { initial: 1 });
    assertSame<typeof updated.value, number>();
    // @ts-expect-error: a text is what is written
    await assertRejects(() => store.update("visits", "a", (n) => n));
    await store.atomic().set("visits", "a", "9").commit();
    await assertRejects(
      // @ts-expect-error: a text is what is written
      () => store.atomic().set("visits", "a", 9).commit(),
    );

    // A function's parameter is the kind's type.
    await store.set("notes", "a", { title: "One" });
    const note = await store.get("notes", "a");
    assertSame<typeof note, { title: string } | undefined>();
    // @ts-expect-error: no note
    await store.set("notes", "b", { name: "One" });
    await store.set("later", "a", 1);
    const later = await store.get("later", "a");
    assertSame<typeof later, number | undefined>();

    // @ts-expect-error: no such kind
    assertEquals(await store.get("user", "a"), undefined);
    // @ts-expect-error: no such kind
    await store.set("user", "a", { name: "Alice" });
    // @ts-expect-error: no such kind
    await store.atomic().set("user", "a", { name: "Alice" }).commit();
    // @ts-expect-error: no such kind
    await store.watch("nobody").cancel();
  });

  Deno.test(`a watch's items are typed by \`bookmarks\`: ${name}`, async () => {
    await using store = await open();
    const events = store.watch("visits");
    assertSame<typeof events, ReadableStream<WatchEvent<number, "visits">>>();
    const plain = store.watch("visits", { bookmarks: false, initial: true });
    assertSame<typeof plain, ReadableStream<WatchEvent<number, "visits">>>();
    type Marked = ReadableStream<WatchEvent<number, "visits"> | WatchBookmark>;
    const marked = store.watch("visits", { bookmarks: true });
    assertSame<typeof marked, Marked>();
    const perhaps: boolean = Math.random() < 2;
    const unsure = store.watch("visits", { bookmarks: perhaps, initial: true });
    assertSame<typeof unsure, Marked>();
    for (const stream of [events, plain, marked]) await stream.cancel();

    for await (const item of unsure) {
      // Its type tells what else is there.
      if (item.type === "bookmark") {
        assertSame<typeof item, WatchBookmark>();
        break;
      }
      assertSame<typeof item, WatchEvent<number, "visits">>();
    }
  });

  Deno.test(`a kind's handle is typed as the kind: ${name}`, async () => {
    await using store = await open();
    const visits = store.kind("visits");
    assertSame<typeof visits, KindStore<number, string>>();
    await visits.set("a", "7");
    const n = await visits.get("a");
    assertSame<typeof n, number | undefined>();
    await visits.setAll(new Map([["b", "1"]]));
    await visits.update("a", (n) => `${n + 1}`);
    // @ts-expect-error: a text is what is written
    await assertRejects(() => visits.set("a", 7), ValidationError);
    const where = (_: string, n: number) => n > 1;
    assertEquals(await visits.list({ where }), new Map([["a", 8]]));
    const events = visits.watch();
    assertSame<typeof events, ReadableStream<WatchEvent<number>>>();
    const marked = visits.watch({ bookmarks: true });
    assertSame<
      typeof marked,
      ReadableStream<WatchEvent<number> | WatchBookmark>
    >();
    await events.cancel();
    await marked.cancel();
    // @ts-expect-error: no such kind
    store.kind("visit");
  });
}

Deno.test("`equals` is typed by the kinds", async () => {
  await using store = await openMemoryStore({
    schemas: { visits: schemas.visits },
    equals(kind, previous, next) {
      const named: "visits" = kind;
      assertEquals(named, "visits");
      const numbers: number[] = [previous, next];
      return numbers[0] === numbers[1];
    },
  });
  await store.set("visits", "a", "7");
  assertEquals((await store.set("visits", "a", "7.0")).status, "unchanged");
});

Deno.test("kinds and inputs have names", () => {
  assertSame<OutputsOf<typeof schemas>["visits"], number>();
  assertSame<InputsOf<typeof schemas>["visits"], string>();
  assertSame<OutputsOf<typeof schemas>["notes"], { title: string }>();
});

Deno.test("a schema without types gives `unknown` values", async () => {
  const any = standardSchema((value) => ({ value }));
  await using store = await openMemoryStore({ schemas: { any } });
  await store.set("any", "a", 1);
  const value = await store.get("any", "a");
  assertSame<typeof value, unknown>();
});

Deno.test("kinds that are given may have schemas, all or some", async () => {
  type Given = { users: User; visits: number };
  const { users } = schemas;
  await using store = await openStore<Given>({
    path: ":memory:",
    schemas: { users },
  });
  await store.set("visits", "a", 7);
  const user = await store.get("users", "a");
  assertSame<typeof user, User | undefined>();
  await assertRejects(
    () => store.set("users", "a", { name: 1 as unknown as string }),
    ValidationError,
  );
  // @ts-expect-error: no such kind
  await store.set("visit", "a", 7);

  const check = (count: number) => assertEquals(count, 7);
  await using checked = await openMemoryStore<Given>({
    schemas: { users, visits: check },
  });
  await checked.set("visits", "a", 7);
  await using wrong = await openMemoryStore<Given>({
    // @ts-expect-error: its values are no users
    schemas: { users: z.object({ title: z.string() }) },
  });
  await using unknown = await openMemoryStore<Given>({
    // @ts-expect-error: no such kind
    schemas: { user: users },
  });
  await wrong.close();
  await unknown.close();
});

Deno.test("with given kinds, schemas give the types to write", async () => {
  const users = z.object({
    name: z.string(),
    role: z.string().default("guest"),
  });
  interface Given {
    users: z.output<typeof users>;
    visits: number;
  }
  const schemas = { users };
  await using store = await openMemoryStore<Given, typeof schemas>({ schemas });
  await store.set("users", "a", { name: "Alice" });
  const user = await store.get("users", "a");
  assertSame<typeof user, { name: string; role: string } | undefined>();
  assertEquals(user, { name: "Alice", role: "guest" });
  await store.update("users", "a", ({ name, role }) => {
    assertSame<typeof role, string>();
    return { name };
  });
  await store.atomic().set("users", "b", { name: "Bob" }).commit();
  await store.kind("users").set("c", { name: "Carol" });
  // A kind without a schema takes what it gives.
  await store.set("visits", "a", 7);
  // @ts-expect-error: no number
  await store.set("visits", "a", "7");
  await assertRejects(
    // @ts-expect-error: no name
    () => store.set("users", "a", { role: "guest" }),
    ValidationError,
  );

  // With the kinds alone, what may be written is what is read.
  await using plain = await openMemoryStore<Given>({ schemas });
  await plain.set("users", "a", { name: "Alice", role: "guest" });
  // @ts-expect-error: no role
  await plain.set("users", "a", { name: "Alice" });

  // A kind may be wider than what its schema gives.
  type Loose = { users: { name: string; role?: string } };
  await using loose = await openMemoryStore<Loose>({ schemas });
  await loose.set("users", "a", { name: "Alice" });

  const wrong = { users: z.object({ title: z.string() }) };
  // @ts-expect-error: its values are no users
  await using _wrong = await openMemoryStore<Given, typeof wrong>({
    schemas: wrong,
  });
  const unknown = { users, user: users };
  await using _unknown = await openMemoryStore<Given, typeof unknown>({
    // @ts-expect-error: no such kind
    schemas: unknown,
  });
});

Deno.test("invalid schemas and an unknown option do not compile", async () => {
  await assertRejects(
    // @ts-expect-error: no schema
    () => openMemoryStore({ schemas: { users: 1 } }),
    TypeError,
  );
  await assertRejects(
    // @ts-expect-error: a typo
    () => openMemoryStore({ schemas, validateRead: true }),
    TypeError,
  );
});

Deno.test("every store is a `Store` of its kinds", async () => {
  const write = (store: Store<Kinds>) => store.set("users", "a", { name: "A" });
  const count = (store: Store) => store.count("users");
  await using sqlite: SqliteStore<Kinds> = await openStore<Kinds>({
    path: ":memory:",
    codec: { runs: protobuf(TimestampSchema) },
  });
  await using memory: MemoryStore<Kinds> = await openMemoryStore<Kinds>({
    codec: { runs: protobuf(TimestampSchema) },
  });
  const stores: Store<Kinds>[] = [sqlite, memory];
  for (const store of stores) await write(store);
  assertEquals(await write(sqlite).then(({ status }) => status), "unchanged");
  await write(memory);

  await using anySqlite = await openStore({ path: ":memory:" });
  await using anyMemory = await openMemoryStore();
  assertEquals(await count(anySqlite) + await count(anyMemory), 0);
  // The name of the store tells which it is.
  const driver: string = sqlite.driver;
  const name: "memory" = memory.driver;
  assertEquals([driver === "", name], [false, "memory"]);

  // With its inputs, where its schemas make something else of them.
  const { visits, users } = schemas;
  await using inferred = await openMemoryStore({ schemas: { users, visits } });
  const typed: Store<
    { users: User; visits: number },
    { users: User; visits: string }
  > = inferred;
  await typed.set("visits", "a", "7");
  // @ts-expect-error: its inputs are others than its values
  const same: Store<{ users: User; visits: number }> = inferred;
  assertEquals(same === (inferred as unknown), true);
});
