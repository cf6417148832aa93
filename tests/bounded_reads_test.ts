/**
 * How much a read takes into memory at once: pages of bounded size, in every
 * storage, however large the values are.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { openStore, type SqliteStore, type WatchEvent } from "../mod.ts";
import { ALL_KEYS, type KeyRange, singleKey } from "../src/keys/key_range.ts";
import { MemoryStorage } from "../src/memory/memory_storage.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../src/engine/page.ts";
import type { StoredChange, StoredEntry } from "../src/engine/entries.ts";
import { connect, fileAt } from "./support/connect.ts";
import { testOnEachDriver } from "./support/drivers.ts";
import { wrappedDriver } from "./support/faults/instrumented_driver.ts";
import { tempDir } from "./support/temp_dir.ts";

/** More than one of them does not fit a page, with what encodes it. */
const LARGE = PAGE_BYTES / 2 + 1;
/** Several of them fit a page, and none is read with the first statement. */
const MEDIUM = PAGE_BYTES / 16;

interface Meter {
  /** The most bytes of blobs that one statement gave. */
  most: number;
  statements: number;
}

/** A store that counts what each statement gives. */
async function meteredStore(
  name: "builtin" | "ffi",
  path: string,
): Promise<{ store: SqliteStore<{ k: string; l: string }>; meter: Meter }> {
  const meter = { most: 0, statements: 0 };
  const driver = await wrappedDriver(name, ({ method, sql }, carryOut) => {
    const result = carryOut();
    if (method !== "all" && method !== "get") return result;
    // A page has many rows, or is one. What else is asked for one row is no page.
    if (method === "all" || sql.includes("group_concat")) meter.statements++;
    let bytes = 0;
    for (const row of [result].flat()) {
      for (const value of Object.values(row ?? {})) {
        if (value instanceof Uint8Array) bytes += value.byteLength;
      }
    }
    meter.most = Math.max(meter.most, bytes);
    return result;
  });
  const store = await openStore<{ k: string; l: string }>({ path, driver });
  return { store, meter };
}

/** Values of several sizes, in turn. */
function textsOf(sizes: readonly number[], count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [
    String(i).padStart(4, "0"),
    `${i}`.padEnd(sizes[i % sizes.length], "x"),
  ]);
}

/** The events up to a number of them. */
async function eventsOf(
  stream: ReadableStream<WatchEvent<string>>,
  count: number,
): Promise<WatchEvent<string>[]> {
  const events: WatchEvent<string>[] = [];
  for await (const event of stream) {
    if (events.push(event) === count) break;
  }
  return events;
}

function pairs(
  items: readonly { key: string; value: string }[],
): [string, string][] {
  return items.map(({ key, value }) => [key, value]);
}

const SHAPES: Record<string, readonly number[]> = {
  small: [90],
  medium: [MEDIUM],
  large: [LARGE],
  "larger than a page": [PAGE_BYTES + 1],
  mixed: [90, LARGE, MEDIUM, 90, 90, 2 * PAGE_BYTES, MEDIUM, 1_030],
};

for (const [shape, sizes] of Object.entries(SHAPES)) {
  testOnEachDriver(
    `no read takes more than a page at once: values that are ${shape}`,
    async ({ name }) => {
      await using dir = await tempDir();
      const { store, meter } = await meteredStore(name, dir.file("app.db"));
      await using _ = store;
      const count = Math.max(...sizes) > MEDIUM ? 12 : 40;
      const texts = textsOf(sizes, count);
      await store.setAll("k", texts);
      const bound = Math.max(PAGE_BYTES, ...sizes.map((size) => size + 2));
      const where = () => true;
      const reads: Record<string, () => Promise<[string, string][]>> = {
        entries: async () => pairs(await Array.fromAsync(store.entries("k"))),
        "entries where": async () =>
          pairs(await Array.fromAsync(store.entries("k", { where }))),
        "entries reverse": async () =>
          pairs(await Array.fromAsync(store.entries("k", { reverse: true })))
            .reverse(),
        "list where": async () => [...await store.list("k", { where })],
        "values where": async () => pairs(await store.values("k", { where })),
        watch: async () =>
          pairs(await eventsOf(store.watch("k", { after: 0 }), count)),
        "watch, many at once": async () =>
          pairs(
            await eventsOf(
              store.watch("k", { after: 0, bufferSize: 10_000 }),
              count,
            ),
          ),
        replay: async () =>
          pairs(await eventsOf(store.watch("k", { initial: true }), count)),
        export: async () =>
          (await new Response(store.export()).text()).trimEnd().split("\n")
            .map((line) => {
              const { key, value } = JSON.parse(line);
              return [key, value];
            }),
      };
      for (const [read, run] of Object.entries(reads)) {
        meter.most = 0;
        assertEquals(await run(), texts, read);
        assertLessOrEqual(meter.most, bound, read);
        assert(meter.most > 0, read);
      }
      // What is kept whole is read by larger pages.
      meter.most = 0;
      assertEquals([...await store.list("k")], texts);
      assertEquals([...(await store.getAll()).get("k")!], texts);
      assertLessOrEqual(meter.most, Math.max(bound, 4 * PAGE_BYTES));
    },
  );
}

testOnEachDriver(
  "a replay reads the entries page by page",
  async ({ name }) => {
    await using dir = await tempDir();
    const { store, meter } = await meteredStore(name, dir.file("app.db"));
    await using _ = store;
    const texts = textsOf([LARGE, MEDIUM, 90], 30);
    await store.setAll("k", texts);
    const replay = store.watch("k", { initial: true, bufferSize: 1_000 });
    // Some other values, and some that are gone.
    await store.setAll("k", texts.slice(0, 20).map(([key]) => [key, "new"]));
    for (const [key] of texts.slice(20)) await store.delete("k", key);
    meter.most = 0;
    assertEquals(pairs(await eventsOf(replay, 30)), texts);
    assertLessOrEqual(meter.most, PAGE_BYTES);
    // The log has the values that were deleted.
    meter.most = 0;
    const log = await eventsOf(store.watch("k", { after: 0 }), 60);
    assertEquals(
      pairs(log.filter(({ type }) => type === "delete")),
      texts.slice(20),
    );
    assertLessOrEqual(meter.most, PAGE_BYTES);
  },
);

testOnEachDriver(
  "small values take one statement of values a page, and others two",
  async ({ name }) => {
    await using dir = await tempDir();
    const { store, meter } = await meteredStore(name, dir.file("app.db"));
    await using _ = store;
    await store.setAll("k", textsOf([90], PAGE_ENTRIES - 1));
    await store.setAll("l", textsOf([MEDIUM], 10));
    // The first page of texts tries whether the library alters some.
    await store.list("k");
    // That the values of a kind are no small text is remembered.
    await store.list("l");
    const count = async (read: () => Promise<unknown>) => {
      meter.statements = 0;
      await read();
      return meter.statements;
    };
    assertEquals(await count(() => store.list("k")), 1);
    assertEquals(
      await count(() => Array.fromAsync(store.entries("k"))),
      1,
    );
    assertEquals(await count(() => Array.fromAsync(store.entries("l"))), 2);
    assertEquals(await count(() => store.list("l")), 2);
  },
);

testOnEachDriver(
  "values that others wrote as text are bounded by their bytes",
  async ({ name }) => {
    await using dir = await tempDir();
    let connection: { exec(sql: string): void } | undefined;
    const meter = { most: 0 };
    const driver = await wrappedDriver(name, (call, carryOut) => {
      connection = call.connection;
      const result = carryOut();
      if (call.method !== "all") return result;
      const rows = result as { value?: unknown }[];
      const bytes = rows.map(({ value }) =>
        value instanceof Uint8Array ? value.byteLength : 0
      );
      meter.most = Math.max(meter.most, bytes.reduce((a, b) => a + b, 0));
      return result;
    });
    const codec = {
      name: "length",
      encode: (value: unknown) => new Uint8Array(value as number),
      decode: (bytes: Uint8Array) => bytes.byteLength,
    };
    await using store = await openStore({
      path: dir.file("app.db"),
      driver,
      codec,
    });
    // Of the text SQLite counts the characters, and only up to the NUL.
    connection!.exec(`WITH RECURSIVE n (i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30)
      INSERT INTO zestor_kv (kind, key, value) SELECT 'k', printf('%02d', i),
        char(0) || replace(printf('%.20000c', 'x'), 'x', char(8364)) FROM n`);
    const values = await Array.fromAsync(store.entries("k"));
    assertEquals(values.map(({ value }) => value), Array(30).fill(60_001));
    assertLessOrEqual(meter.most, PAGE_BYTES);
  },
);

testOnEachDriver(
  "a write of another connection between the two statements hides nothing",
  async (testDriver) => {
    const { name } = testDriver;
    await using dir = await tempDir();
    const path = dir.file("app.db");
    let between: (() => void) | undefined;
    const driver = await wrappedDriver(name, (call, carryOut) => {
      const result = carryOut();
      if (call.method !== "all" || !/typeof.* FROM zestor_kv/s.test(call.sql)) {
        return result;
      }
      const write = between;
      between = undefined;
      write?.();
      return result;
    });
    await using store = await openStore<{ k: string }>({ path, driver });
    using other = await connect(testDriver, fileAt(path));
    const texts = textsOf([MEDIUM], 40);
    const put = (key: string) =>
      other.exec(
        `INSERT OR REPLACE INTO zestor_kv (kind, key, value) VALUES ('k', '${key}', '"new"')`,
      );
    const cases: [string, () => void][] = [
      ["an entry before", () => put("0000a")],
      ["an entry in the page after", () => put("0035a")],
      ["an entry that is now small", () => put("0003")],
      [
        "one page is gone",
        () => other.exec("DELETE FROM zestor_kv WHERE key < '0020'"),
      ],
      ["all are gone", () => other.exec("DELETE FROM zestor_kv")],
    ];
    for (const [what, write] of cases) {
      for (const [count, reverse] of [[3, false], [40, false], [40, true]]) {
        await store.setAll("k", texts.slice(0, Number(count)));
        between = write;
        const entries = await Array.fromAsync(
          store.entries("k", { reverse: Boolean(reverse) }),
        );
        assertEquals(between, undefined);
        const read = new Set(entries.map(({ key }) => key));
        // Of those that were there all the time none is missing.
        const now = await store.keys("k");
        const before = new Set(texts.map(([key]) => key));
        for (const key of now) {
          if (before.has(key)) assert(read.has(key), `${what}: ${key}`);
        }
        other.exec("DELETE FROM zestor_kv");
      }
    }
  },
);

Deno.test("the storage in memory reads pages of bounded size", () => {
  const storage = new MemoryStorage();
  const sizes = SHAPES.mixed;
  for (let i = 0; i < 300; i++) {
    const value = new Uint8Array(sizes[i % sizes.length]);
    storage.put("k", String(i).padStart(4, "0"), { value });
  }
  for (let i = 0; i < 150; i++) storage.remove("k", String(i).padStart(4, "0"));

  const isBounded = (values: readonly { value: Uint8Array }[]) => {
    const bytes = values.reduce((sum, { value }) => sum + value.byteLength, 0);
    assertLessOrEqual(values.length, PAGE_ENTRIES);
    assert(bytes <= PAGE_BYTES || values.length === 1, `${bytes} bytes`);
  };
  for (const reverse of [false, true]) {
    const keys: string[] = [];
    let rest: KeyRange | undefined = ALL_KEYS;
    while (rest) {
      const page: { items: StoredEntry[]; rest?: KeyRange } = storage
        .readEntries("k", rest, { reverse });
      isBounded(page.items);
      keys.push(...page.items.map(({ key }) => key));
      rest = page.rest;
    }
    assertEquals(keys.length, 150);
    assertEquals(keys, reverse ? keys.toSorted().reverse() : keys.toSorted());
  }

  const revisions: number[] = [];
  const head = storage.headRevision();
  const filter = { kinds: ["k"], keys: ALL_KEYS };
  for (let after = 0; after < head;) {
    const page = storage.readChanges(filter, after, head, 100_000);
    isBounded(page.changes as StoredChange[]);
    revisions.push(...page.changes.map(({ revision }) => revision));
    after = page.cursor;
  }
  assertEquals(revisions, Array.from({ length: 450 }, (_, i) => i + 1));
});

Deno.test("the storage in memory counts a range as it lists it", () => {
  const storage = new MemoryStorage();
  for (const key of ["a", "b", "c", "d"]) {
    storage.put("k", key, { value: new Uint8Array() });
  }
  const bounds = ["", "a", "aa", "b", "d", "e"];
  const ranges: KeyRange[] = [ALL_KEYS, singleKey("b"), singleKey("x")];
  for (const low of bounds) {
    for (const high of bounds) {
      for (const inclusive of [false, true]) {
        ranges.push({
          lower: { key: low, inclusive: !inclusive },
          upper: { key: high, inclusive },
        }, { lower: { key: low, inclusive } });
      }
    }
  }
  for (const range of ranges) {
    const { items } = storage.readKeys("k", range);
    assertEquals(storage.count("k", range), items.length, Deno.inspect(range));
    assertEquals(storage.count("k", range, 1), Math.min(1, items.length));
  }
  assertEquals(storage.count("none", ALL_KEYS), 0);
});
