/**
 * Rows that plain SQL made and no store would: keys that hold a NUL. A read that
 * tells of what it cannot read goes on past them.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  CodecError,
  type RangeOptions,
  type Reads,
  StoreCorruptError,
} from "../mod.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

interface Kinds {
  k: number;
}

/** The keys of each read of a range. */
const READS: Record<
  string,
  (reads: Reads<Kinds>, range: RangeOptions<number>) => Promise<string[]>
> = {
  list: async (reads, range) => [...(await reads.list("k", range)).keys()],
  keys: (reads, range) => reads.keys("k", range),
  values: async (reads, range) =>
    (await reads.values("k", range)).map(({ key }) => key),
  entries: async (reads, range) =>
    (await Array.fromAsync(reads.entries("k", range))).map(({ key }) => key),
  where: (reads, range) => reads.keys("k", { ...range, where: () => true }),
};

async function makeKeys(driver: TestDriver, path: string, keys: string[]) {
  using db = await connect(driver, fileAt(path));
  for (const key of keys) {
    db.exec(
      `INSERT INTO zestor_kv (kind, key, value) VALUES ('k', '${key}' || char(0), '0')`,
    );
  }
}

testOnEachDriver(
  "a key with a NUL is reported, and the others can be read",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn<Kinds>(driver, { path });
    await store.setAll("k", { a: 1, c: 2, e: 3 });
    await makeKeys(driver, path, ["", "b", "d", "z"]);
    await using snapshot = await store.snapshot();
    for (const reads of [store, snapshot]) {
      for (const [name, read] of Object.entries(READS)) {
        const told: Error[] = [];
        const onUnreadable = (error: Error) => told.push(error);
        const all = await read(reads, { onUnreadable });
        assertEquals(all, ["a", "c", "e"], name);
        assertEquals(told.length, 4, name);
        for (const error of told) {
          assertInstanceOf(error, CodecError, name);
          assertEquals(error.kind, "k", name);
          assertInstanceOf(error.cause, StoreCorruptError, name);
        }
        told.length = 0;
        const range = { start: "b", end: "d", onUnreadable };
        assertEquals(await read(reads, range), ["c"], name);
        assertEquals(told.length, 1, name);
        const back = { reverse: true, limit: 2, onUnreadable };
        assertEquals(await read(reads, back), ["e", "c"], name);
        await assertRejects(() => read(reads, {}), StoreCorruptError);
      }
    }
  },
);

testOnEachDriver(
  "keys with a NUL are reported once, among many pages",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn<Kinds>(driver, { path });
    const keys = Array.from({ length: 3000 }, (_, i) => `${10_000 + i}`);
    await store.setAll("k", keys.map((key, i) => [key, i] as const));
    await makeKeys(driver, path, ["10000", "10255", "11500", "12999"]);
    for (const [name, read] of Object.entries(READS)) {
      let told = 0;
      const onUnreadable = () => void told++;
      assertEquals(await read(store, { onUnreadable }), keys, name);
      assertEquals(told, 4, name);
    }
  },
);

testOnEachDriver(
  "a watch replays the entries beside a key with a NUL, and goes on",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn<Kinds>(driver, { path });
    await store.setAll("k", { a: 1, c: 2 });
    await makeKeys(driver, path, ["b"]);
    let told = 0;
    const onUnreadable = () => void told++;
    const watch = store.watch("k", { initial: true, onUnreadable }).getReader();
    for (const key of ["a", "c"]) {
      assertEquals((await watch.read()).value?.key, key);
    }
    await store.set("k", "d", 3);
    assertEquals((await watch.read()).value?.key, "d");
    await watch.cancel();
    assertEquals(told, 1);
  },
);

testOnEachDriver(
  "a mirror goes past keys that hold a NUL, at first and later",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn<Kinds>(driver, { path });
    await store.setAll("k", { a: 1, c: 2 });
    await using strict = await store.mirror("k");
    const told: Error[] = [];
    const onUnreadable = (error: Error) => told.push(error);
    await using lenient = await store.mirror("k", { onUnreadable });
    await makeKeys(driver, path, ["b"]);
    const { revision } = await store.set("k", "d", 3);
    await lenient.reached(revision);
    assertEquals([...lenient.keys()], ["a", "c", "d"]);
    for (const error of told) {
      assertInstanceOf(error.cause, StoreCorruptError);
    }
    assertGreater(told.length, 0);
    assertInstanceOf(
      await assertRejects(() => strict.closed),
      StoreCorruptError,
    );
    await assertRejects(() => store.mirror("k"), StoreCorruptError);
    told.length = 0;
    await using late = await store.mirror("k", { onUnreadable });
    assertEquals([...late.keys()], ["a", "c", "d"]);
    assertEquals(told.length, 1);
  },
);
