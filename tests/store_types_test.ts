/**
 * The types of a store's kinds: where a store of other kinds can be passed,
 * functions over any kinds, and what tells events apart. `deno task check` is
 * what fails them; at run time they only show that the calls work.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type {
  AtomicOperation,
  KindOf,
  KindsEvent,
  KindStore,
  Mirror,
  Snapshot,
  SqliteStore,
  Store,
  ValueOf,
  WatchBookmark,
  WatchEvent,
} from "../mod.ts";
import {
  type MemoryStore,
  openMemoryStore,
} from "../src/memory/open_memory_store.ts";
import { assertSame } from "./support/same_type.ts";

type User = { name: string };
type Post = { title: string };
type Users = { users: User };
type Posts = { posts: Post };

/** An interface has no index signature. */
interface Kinds {
  users: User;
  posts: Post;
}

const open = () => openMemoryStore<Kinds>();

/** Compiles if the type can be passed where the other is wanted. */
function accept<Wanted>(_given: Wanted | undefined): void {}

Deno.test("a store of more kinds can be passed as one of fewer", async () => {
  await using both = await openMemoryStore<Users & Posts>();
  const users: Store<Users> = both;
  await users.set("users", "a", { name: "Alice" });
  assertEquals(await users.kinds(), ["users"]);

  let store: Store<Users & Posts> | undefined;
  accept<Store<Users>>(store);
  let kind: KindStore<User & { email: string }> | undefined;
  accept<KindStore<User>>(kind);
  let mirror: Mirror<User & { email: string }> | undefined;
  accept<Mirror<User>>(mirror);
  accept<ReadonlyMap<string, User>>(mirror);
  let snapshot: Snapshot<Users & Posts> | undefined;
  accept<Snapshot<Users>>(snapshot);
  let atomic: AtomicOperation<Users & Posts> | undefined;
  accept<AtomicOperation<Users>>(atomic);
  let sqlite: SqliteStore<Users & Posts> | undefined;
  accept<SqliteStore<Users>>(sqlite);
  accept<Store<Users>>(sqlite);
  let memory: MemoryStore<Users & Posts> | undefined;
  accept<MemoryStore<Users>>(memory);
  accept<Store<Users>>(memory);

  let named: Store<Kinds> | undefined;
  accept<Store<Users>>(named);
  accept<Store<Pick<Kinds, "posts">>>(named);
  accept<Store<Users & Posts>>(named);
});

Deno.test("a store of fewer kinds, or of other values, cannot", () => {
  let users: Store<Users> | undefined;
  // @ts-expect-error: it has no posts
  accept<Store<Users & Posts>>(users);
  // @ts-expect-error: other values
  accept<Store<{ users: { name: number } }>>(users);
  let kind: KindStore<User> | undefined;
  // @ts-expect-error: other values
  accept<KindStore<Post>>(kind);
  let snapshot: Snapshot<Users> | undefined;
  // @ts-expect-error: it has no posts
  accept<Snapshot<Users & Posts>>(snapshot);
  // @ts-expect-error: other values
  accept<Snapshot<{ users: { name: number } }>>(snapshot);
  let atomic: AtomicOperation<Users> | undefined;
  // @ts-expect-error: it has no posts
  accept<AtomicOperation<Users & Posts>>(atomic);
  // @ts-expect-error: other values
  accept<AtomicOperation<{ users: { name: number } }>>(atomic);
  let sqlite: SqliteStore<Users> | undefined;
  // @ts-expect-error: it has no posts
  accept<Store<Users & Posts>>(sqlite);
  let memory: MemoryStore<Users> | undefined;
  // @ts-expect-error: other values
  accept<Store<{ users: { name: number } }>>(memory);
});

Deno.test("a typed store can be passed as one of any kinds", async () => {
  const count = (store: Store, kind: string) => store.count(kind);
  await using typed = await openMemoryStore<Users & Posts>();
  assertEquals(await count(typed, "users"), 0);

  await using any = await openMemoryStore();
  await any.set("users", "a", { name: "Alice" });
  for await (const event of any.watchAll({ initial: true })) {
    assertSame<typeof event.kind, string>();
    assertSame<typeof event.value, unknown>();
    break;
  }
  const kinds = await any.kinds();
  assertSame<typeof kinds, string[]>();
  const value = await any.get("users", "a");
  assertSame<typeof value, unknown>();
  // @ts-expect-error: what it has is not known
  accept<Store<Users>>(any);
});

/** What a function over any kinds may do with one of them. */
async function useKind<K extends object, Kind extends KindOf<K>>(
  store: Store<K>,
  kind: Kind,
  value: K[Kind],
): Promise<(K[Kind] | undefined)[]> {
  await store.set(kind, "a", value);
  await store.setAll(kind, [["a", value]]);
  await store.setAll(kind, { a: value });
  const updated = await store.update(kind, "a", (before) => before, {
    initial: value,
  });
  await store.atomic()
    .check({ kind, key: "a", exists: true })
    .set(kind, "a", value)
    .update(kind, "a", (before) => before, { initial: value })
    .delete(kind, "b")
    .commit();
  const listed = await store.list(kind, { where: (_, found) => found != null });
  const many = await store.getMany(kind, ["a"]);
  const entry = await store.entry(kind, "a");
  await using snapshot = await store.snapshot();
  const handle = store.kind(kind);
  const found: (K[Kind] | undefined)[] = [
    await store.get(kind, "a"),
    updated.value,
    listed.get("a"),
    many.get("a"),
    entry?.value,
    await snapshot.get(kind, "a"),
    await handle.get("a"),
  ];
  const streams = [
    store.watch(kind, { initial: true }),
    store.watch([kind], { initial: true }),
    handle.watch({ initial: true }),
  ];
  for (const stream of streams) {
    for await (const event of stream) {
      found.push(event.value);
      break;
    }
  }
  for await (const { value } of store.entries(kind)) found.push(value);
  for await (const event of store.history(kind)) found.push(event.value);
  const deleted = await store.delete(kind, "a");
  found.push(deleted?.value);
  return found;
}

Deno.test("a function over any kinds compiles", async () => {
  await using store = await open();
  const found = await useKind(store, "users", { name: "Alice" });
  assertSame<typeof found, (User | undefined)[]>();
  assertEquals(new Set(found.map((user) => user?.name)), new Set(["Alice"]));
  // @ts-expect-error: no user
  const wrong = () => useKind(store, "users", { title: "One" });
  // @ts-expect-error: no such kind
  const unknown = () => useKind(store, "user", { name: "Alice" });
  assertEquals([typeof wrong, typeof unknown], ["function", "function"]);
});

/** Over some kinds of a store. */
async function touch<Kind extends "users" | "posts">(
  store: Store<Kinds>,
  kind: Kind,
): Promise<Kinds[Kind] | undefined> {
  await store.update(kind, "a", (value) => value);
  const value = await store.get(kind, "a");
  if (value !== undefined) await store.set(kind, "b", value);
  for await (const event of store.watch(kind, { initial: true })) {
    const named: Kind = event.kind;
    await store.set(named, event.key, event.value);
    break;
  }
  return value;
}

/** Over stores that have a kind, whatever else they have. */
async function nameOf<K extends Users>(store: Store<K>): Promise<string> {
  const user = await store.get("users", "a");
  return user?.name ?? "nobody";
}

Deno.test("a function over some kinds compiles", async () => {
  await using store = await open();
  await store.set("posts", "a", { title: "One" });
  await store.set("users", "a", { name: "Alice" });
  const post = await touch(store, "posts");
  assertSame<typeof post, Post | undefined>();
  assertEquals(post, { title: "One" });
  assertEquals(await nameOf(store), "Alice");
});

/** A text for each event; it compiles only if events are told apart. */
function textOf(event: KindsEvent<Kinds>): string {
  // @ts-expect-error: of a deletion only
  accept(event.expired);
  // @ts-expect-error: of an update only
  accept(event.previous);
  if (event.kind === "posts") {
    assertSame<typeof event, WatchEvent<Post, "posts">>();
    return event.value.title;
  }
  assertSame<typeof event, WatchEvent<User, "users">>();
  // @ts-expect-error: of posts only
  accept(event.value.title);
  switch (event.type) {
    case "create":
      return event.value.name;
    case "update":
      return `${event.previous?.name} → ${event.value.name}`;
    case "delete":
      assertSame<typeof event.expired, true | undefined>();
      return `${event.value.name} †`;
  }
}

Deno.test("an event's kind and type narrow its properties", async () => {
  await using store = await open();
  const streams = [
    store.watch(["posts", "users"], { previous: true }),
    store.watchAll({ previous: true }),
    store.watchAll({ previous: true, bookmarks: false }),
  ];
  await store.set("posts", "a", { title: "One" });
  await store.set("users", "a", { name: "Alice" });
  await store.set("users", "a", { name: "Alicia" });
  await store.delete("users", "a");
  for (const stream of streams) {
    const texts: string[] = [];
    for await (const event of stream) {
      assertSame<typeof event, KindsEvent<Kinds>>();
      if (texts.push(textOf(event)) === 4) break;
    }
    assertEquals(texts, ["One", "Alice", "Alice → Alicia", "Alicia †"]);
  }
  const stream = store.watch(["posts"]);
  assertSame<typeof stream, ReadableStream<WatchEvent<Post, "posts">>>();
  await stream.cancel();
});

Deno.test("the type of a bookmark narrows an item", async () => {
  await using store = await open();
  await store.set("users", "a", { name: "Alice" });
  const options = { initial: true, bookmarks: true } as const;
  const streams = [
    store.watch(["posts", "users"], options),
    store.watchAll(options),
  ];
  for (const stream of streams) {
    for await (const item of stream) {
      // @ts-expect-error: a bookmark has no kind
      accept(item.kind);
      if (item.type === "bookmark") {
        assertSame<typeof item, WatchBookmark>();
        break;
      }
      assertSame<typeof item, KindsEvent<Kinds>>();
      assertEquals(textOf(item), "Alice");
    }
  }
});

Deno.test("operations that return all kinds are typed by them", async () => {
  await using store = await open();
  await store.set("users", "a", { name: "Alice" });
  const kinds = await store.kinds();
  assertSame<typeof kinds, KindOf<Kinds>[]>();
  for (const kind of kinds) assertEquals(await store.count(kind), 1);
  const all = await store.getAll();
  assertSame<typeof all, Map<KindOf<Kinds>, Map<string, User | Post>>>();
  // @ts-expect-error: no such kind
  const none: "nobody"[] = await store.kinds<"nobody">();
  assertEquals(all.get("users"), new Map([["a", { name: "Alice" }]]));
  assertEquals(none.length, 1);
});

Deno.test("the values of an optional kind have the same type", async () => {
  type Optional = { users?: User; readonly posts: { readonly title: string } };
  await using store = await openMemoryStore<Optional>({
    schemas: { users: (user: User) => user.name !== "" },
  });
  assertSame<ValueOf<Optional, "users">, User>();
  await store.set("users", "a", { name: "Alice" });
  const user = await store.get("users", "a");
  assertSame<typeof user, User | undefined>();
  for await (const { value } of store.watch("users", { initial: true })) {
    assertSame<typeof value, User>();
    break;
  }
  for await (const event of store.watchAll({ initial: true })) {
    if (event.kind === "users") assertSame<typeof event.value, User>();
    break;
  }
  const handle = store.kind("users");
  assertSame<typeof handle, KindStore<User>>();
  // @ts-expect-error: `undefined` is no user
  const wrong = () => store.set("users", "a", undefined);

  await store.set("posts", "a", { title: "One" });
  const { value } = await store.update("posts", "a", (post) => {
    // @ts-expect-error: it is read-only
    const change = () => post.title = "Two";
    return { title: `${post.title}, ${typeof change}` };
  });
  assertSame<typeof value, { readonly title: string }>();
  assertEquals(value.title, "One, function");
  assertEquals(typeof wrong, "function");
});
