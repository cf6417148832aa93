/**
 * What is the store in memory's own. What every store promises is in the
 * conformance suite.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { type Codec, type WatchEvent, WatchOverflowError } from "../mod.ts";
import {
  type MemoryStoreOptions,
  openMemoryStore,
} from "../src/memory/open_memory_store.ts";
import { runChild } from "./support/processes/child.ts";
import { tempDir } from "./support/temp_dir.ts";

/** Gives back the very bytes that it is given, both ways. */
const asIs: Codec<Uint8Array> = {
  name: "bytes",
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};

type Files = { files: Uint8Array };

function openFiles(options?: MemoryStoreOptions<Files>) {
  return openMemoryStore<Files>({ codec: asIs, ...options });
}

function bytesOf(...numbers: number[]): Uint8Array {
  return new Uint8Array(numbers);
}

Deno.test("openMemoryStore() opens without options", async () => {
  await using store = await openMemoryStore();
  assertEquals(store.driver, "memory");
  await store.set("any", "a", { n: 1 });
  const value: unknown = await store.get("any", "a");
  assertEquals(value, { n: 1 });
});

Deno.test("the argument of a write can be changed after the call", async () => {
  await using store = await openFiles();
  const given = Array.from({ length: 5 }, () => bytesOf(1, 2));
  const writing = [
    store.set("files", "a", given[0]),
    store.setAll("files", { b: given[1] }),
    store.atomic().set("files", "c", given[2]).commit(),
    store.update("files", "d", (bytes) => bytes, { initial: given[3] }),
    store.update("files", "e", () => given[4], { initial: bytesOf() }),
  ];
  for (const bytes of given.slice(0, 4)) bytes[0] = 9;
  await Promise.all(writing);
  for (const bytes of given) bytes[1] = 9;
  for (const { key, value } of await store.values("files")) {
    assertEquals(value, bytesOf(1, 2), key);
  }
});

Deno.test("the result of a read can be changed", async () => {
  await using store = await openFiles();
  await store.set("files", "a", bytesOf(1, 2));
  const live = store.watch("files", { after: 0 }).getReader();
  const replayed = store.watch("files", { initial: true }).getReader();
  const given = async () => [
    await store.get("files", "a"),
    (await store.entry("files", "a"))?.value,
    (await store.list("files")).get("a"),
    (await store.list("files", { where: () => true })).get("a"),
    (await store.values("files"))[0].value,
    (await Array.fromAsync(store.entries("files")))[0].value,
    (await store.getAll()).get("files")?.get("a"),
  ];
  const all = [
    ...await given(),
    (await live.read()).value?.value,
    (await replayed.read()).value?.value,
  ];
  for (const bytes of all) {
    assertEquals(bytes, bytesOf(1, 2));
    bytes?.fill(9);
  }
  for (const bytes of await given()) assertEquals(bytes, bytesOf(1, 2));
  const again = store.watch("files", { after: 0 }).getReader();
  assertEquals((await again.read()).value?.value, bytesOf(1, 2));
});

Deno.test("the results of delete and of its event can be changed", async () => {
  await using store = await openFiles();
  const watches = [1, 2].map(() => store.watch("files").getReader());
  await store.set("files", "a", bytesOf(1));
  (await store.delete("files", "a"))?.value.fill(9);
  for (const watch of watches) {
    const values: (WatchEvent<Uint8Array> | undefined)[] = [
      (await watch.read()).value,
      (await watch.read()).value,
    ];
    assertEquals(values.map((event) => event?.value), [bytesOf(1), bytesOf(1)]);
    for (const event of values) event?.value.fill(9);
  }
});

Deno.test("a failed update does not keep its changes in place", async () => {
  await using store = await openFiles();
  await store.set("files", "a", bytesOf(1, 2));
  const failed = new Error("failed");
  const error = await assertRejects(() =>
    store.update("files", "a", (bytes) => {
      bytes.fill(9);
      throw failed;
    })
  );
  assertStrictEquals(error, failed);
  assertEquals(await store.get("files", "a"), bytesOf(1, 2));
  const { status } = await store.update("files", "a", (bytes) => {
    bytes[0] = 3;
    return bytes;
  });
  assertEquals(status, "updated");
  assertEquals(await store.get("files", "a"), bytesOf(3, 2));
});

Deno.test("a replay shows the entries, even if its bytes are changed", async () => {
  await using store = await openFiles();
  await store.setAll("files", { a: bytesOf(1), b: bytesOf(2) });
  const replays = [1, 2].map(() =>
    store.watch("files", { initial: true, bufferSize: 1 }).getReader()
  );
  await store.set("files", "b", bytesOf(3));
  for (const replay of replays) {
    for (const expected of [1, 2, 3]) {
      const { value } = await replay.read();
      assertEquals(value?.value, bytesOf(expected));
      value?.value.fill(9);
    }
  }
});

Deno.test("the arguments of `equals` can be kept, and changed", async () => {
  const kept: Uint8Array[] = [];
  await using store = await openFiles({
    equals(_, previous, next) {
      kept.push(previous, next);
      return false;
    },
  });
  await store.set("files", "a", bytesOf(1));
  await store.set("files", "a", bytesOf(2));
  for (const bytes of kept) bytes.fill(9);
  assertEquals(await store.get("files", "a"), bytesOf(2));
  const events = store.watch("files", { after: 0 }).getReader();
  assertEquals((await events.read()).value?.value, bytesOf(1));
});

Deno.test("the bytes of a Buffer are copied, too", async () => {
  const codec: Codec = {
    name: "shared",
    // A Buffer's own slice() shares its memory.
    encode: (value) => buffer.fill(value as number),
    decode: ([value]) => value,
  };
  const { Buffer } = await import("node:buffer");
  const buffer = Buffer.alloc(1);
  await using store = await openMemoryStore({ codec });
  await store.set("n", "a", 1);
  await store.set("n", "b", 2);
  buffer.fill(9);
  assertEquals([...await store.list("n")], [["a", 1], ["b", 2]]);
});

Deno.test("an entry's time can be changed, too", async () => {
  await using store = await openMemoryStore();
  await store.set("users", "a", 1);
  const entry = await store.entry("users", "a");
  assert(entry);
  const { updatedAt } = entry;
  const time = updatedAt.getTime();
  updatedAt.setTime(0);
  assertEquals((await store.entry("users", "a"))?.updatedAt.getTime(), time);
  const [streamed] = await Array.fromAsync(store.entries("users"));
  assertEquals(streamed.updatedAt.getTime(), time);
});

Deno.test("the options of a file are taken, and change nothing", async () => {
  await using dir = await tempDir();
  const options: MemoryStoreOptions = {
    path: dir.file("app.db"),
    driver: "ffi",
    busyTimeout: 1,
    wal: false,
    durability: "normal",
  };
  {
    await using store = await openMemoryStore(options);
    assertEquals(store.driver, "memory");
    await store.set("users", "a", 1);
    assertEquals(await store.get("users", "a"), 1);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  await using again = await openMemoryStore({ path: dir.file("app.db") });
  assertEquals(await again.kinds(), []);
});

Deno.test("options that no store has are refused", async () => {
  const wrong = [
    { cache: true },
    { pat: "app.db" },
    { history: 0 },
    { codec: 1 },
    { signal: 1 },
    1,
    null,
  ];
  for (const options of wrong) {
    const error = await assertRejects(
      () => openMemoryStore(options as unknown as MemoryStoreOptions),
      Error,
    );
    assert(error instanceof TypeError || error instanceof RangeError);
  }
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() => openMemoryStore({ signal }));
  assertStrictEquals(error, reason);
});

Deno.test("two stores share nothing", async () => {
  const options = { path: "file:shared?mode=memory&cache=shared" };
  await using one = await openMemoryStore(options);
  await using two = await openMemoryStore(options);
  const events = two.watch("users").getReader();
  await one.set("users", "a", 1);
  assertEquals(await two.kinds(), []);
  const { revision } = await two.set("users", "b", 1);
  assertEquals(revision, 1);
  assertEquals((await events.read()).value?.key, "b");
  await one.close();
  assertEquals(await two.keys("users"), ["b"]);
});

Deno.test("many entries are written, read and watched", async () => {
  await using store = await openMemoryStore({ history: 1_000 });
  const count = 100_000;
  const keys = Array.from({ length: count }, (_, n) => `key ${n}`);
  await store.setAll("users", keys.map((key, n) => [key, n] as const));
  await Promise.all(
    keys.slice(0, 10_000).map((key) =>
      store.update("users", key, (n) => n as number + 1)
    ),
  );
  assertEquals(await store.count("users"), count);
  assertEquals(await store.get("users", "key 9999"), 10_000);
  let replayed = 0;
  let last = "";
  for await (
    const event of store.watch("users", { initial: true, bookmarks: true })
  ) {
    if (event.type === "bookmark") break;
    assert(last < event.key);
    last = event.key;
    replayed++;
  }
  assertEquals(replayed, count);
  const range = { prefix: "key 999", reverse: true, limit: 2 };
  assertEquals(await store.keys("users", range), ["key 99999", "key 99998"]);
});

Deno.test("the log is pruned to `history`", async () => {
  await using store = await openMemoryStore({ history: 20 });
  for (let n = 1; n <= 100; n++) await store.set("users", "a", n);
  const next = async (after: number) => {
    const events = store.watch("users", { after }).getReader();
    return (await events.read()).value?.value;
  };
  assertEquals(await next(80), 81);
  // It is pruned by tenths of the history.
  await assertRejects(() => next(77), WatchOverflowError, "begins at");
  assertEquals((await store.set("users", "a", 0)).revision, 101);
});

Deno.test("a write that fails is undone whole, with a pruned log", async () => {
  await using store = await openMemoryStore({
    history: 1,
    equals(_, _previous, next) {
      if (next === "fail") throw new Error("failed");
      return false;
    },
  });
  for (let n = 1; n <= 50; n++) await store.set("users", `${n % 5}`, n);
  const users = await Array.fromAsync(store.entries("users"));
  const failing = () =>
    store.atomic()
      .delete("users", "0")
      .set("users", "0", 1)
      .set("groups", "a", 1)
      .delete("users", "1")
      .set("users", "2", "fail")
      .commit();
  await Promise.all([
    store.set("others", "a", 1),
    assertRejects(failing, Error, "failed"),
    store.set("others", "b", 1),
  ]);
  assertEquals(await Array.fromAsync(store.entries("users")), users);
  assertEquals(await store.kinds(), ["others", "users"]);
  assertEquals((await store.set("others", "c", 1)).revision, 53);
});

Deno.test("nothing is left when the store is closed", async () => {
  const store = await openMemoryStore({ path: "app.db" });
  const events = store.watch("users").getReader();
  await store.set("users", "a", 1);
  await store.close();
  await store.close();
  assertEquals((await events.read()).done, true);
  await using again = await openMemoryStore({ path: "app.db" });
  assertEquals(await again.kinds(), []);
});

const MEMORY = new URL("../src/memory/open_memory_store.ts", import.meta.url);

Deno.test("a watch that is being read keeps the process running", async () => {
  await using dir = await tempDir();
  // Without it the process would end before its timer, which does not keep it.
  const { code, stdout, stderr } = await runChild(
    dir.path,
    `import { openMemoryStore } from "${MEMORY}";
    const store = await openMemoryStore();
    Deno.unrefTimer(setTimeout(() => store.set("users", "a", 1), 100));
    for await (const { key } of store.watch("users")) {
      console.log(key);
      break;
    }`,
    { permissions: [] },
  );
  assertEquals([stderr, stdout, code], ["", "a", 0]);
});

Deno.test("a watch that is not persistent lets the process end", async () => {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await runChild(
    dir.path,
    `import { openMemoryStore } from "${MEMORY}";
    const store = await openMemoryStore();
    const events = store.watch("users", { persistent: false }).getReader();
    await store.set("users", "a", 1);
    console.log((await events.read()).value?.key);
    events.read().then(() => console.log("never"));`,
    { permissions: [] },
  );
  assertEquals([stderr, stdout, code], ["", "a", 0]);
});
