/**
 * The types of a store: what must compile, and what must not. The compiler is
 * what fails this test; at run time it only shows that the calls work.
 *
 * @module
 */
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { assertEquals, assertRejects } from "@std/assert";
import { json, openStore, type WatchEvent } from "../mod.ts";
import { protobuf } from "../src/codec/protobuf.ts";

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
