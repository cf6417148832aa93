/**
 * What watches share of the end of the change log.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import type { WatchEvent } from "../mod.ts";
import { openStore, StoreError } from "../mod.ts";
import { ALL_KEYS, prefixRange, singleKey } from "../src/keys/key_range.ts";
import type { StoredChange } from "../src/engine/entries.ts";
import { TailCache } from "../src/local/tail_cache.ts";
import { testOnEachDriver } from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { tempDir } from "./support/temp_dir.ts";

function change(
  revision: number,
  bytes = 1,
  previous?: Uint8Array,
): StoredChange {
  return {
    revision,
    mark: revision,
    kind: "k",
    type: previous ? "update" : "create",
    isExpiry: false,
    key: "a",
    version: 1,
    value: new Uint8Array(bytes).fill(revision),
    previous,
    expiresAt: undefined,
    time: undefined,
  };
}

/** What is found, each value read once. */
function found(cache: TailCache, ...read: Parameters<TailCache["find"]>) {
  const page = cache.find(...read);
  return page && {
    ...page,
    changes: page.changes.map((change) => {
      if ("problem" in change) return change;
      const { text: _, ...rest } = change;
      return rest;
    }),
  };
}

const READ = { filter: { kinds: ["k"], keys: ALL_KEYS }, after: 1, limit: 10 };
const PAGE = { changes: [change(2)], cursor: 2 };

Deno.test("a page is found again for the same read at the same head alone", () => {
  const cache = new TailCache();
  assertEquals(cache.find(2, READ), undefined);
  cache.keep(2, READ, PAGE);
  assertEquals(found(cache, 2, READ), PAGE);
  const keysOf = (prefix: string) => ({
    filter: { kinds: ["k"], keys: prefixRange(prefix) },
  });
  assertEquals(found(cache, 2, { ...READ, ...keysOf("") }), PAGE);
  const others = [
    { after: 0 },
    { limit: 11 },
    { filter: { kinds: ["l"], keys: ALL_KEYS } },
    { filter: { kinds: ["k", "l"], keys: ALL_KEYS } },
    { filter: { kinds: [], keys: ALL_KEYS } },
    { filter: { keys: ALL_KEYS } },
    { filter: { kinds: ["k"], keys: ALL_KEYS, previous: true } },
    { filter: { kinds: ["k"], keys: singleKey("a") } },
    keysOf("a"),
  ];
  for (const other of others) {
    assertEquals(cache.find(2, { ...READ, ...other }), undefined);
  }
  assertEquals(cache.find(3, READ), undefined);
  assertEquals(cache.find(1, READ), undefined);
});

Deno.test("a page that was read at another head takes the place of those before", () => {
  const cache = new TailCache();
  cache.keep(2, READ, PAGE);
  const next = { ...READ, after: 2 };
  const page = { changes: [change(3)], cursor: 3 };
  cache.keep(3, next, page);
  assertEquals(found(cache, 3, next), page);
  assertEquals(cache.find(3, READ), undefined);
  assertEquals(cache.find(2, READ), undefined);
});

Deno.test("each reader of a page gets values of its own", () => {
  const cache = new TailCache();
  const pageOf = () => ({
    changes: [change(2, 1, new Uint8Array([1]))],
    cursor: 2,
  });
  const given = pageOf();
  cache.keep(2, READ, given);
  for (let reads = 0; reads < 3; reads++) {
    const page = reads === 0 ? given : cache.find(2, READ)!;
    if (reads > 0) assertEquals(found(cache, 2, READ), pageOf());
    const [{ value, previous }] = page.changes as StoredChange[];
    value.fill(0);
    previous!.fill(0);
  }
});

Deno.test("a value that is UTF-8 is found as text, too, and no other", () => {
  const cache = new TailCache();
  const textOf = (bytes: number[]) => {
    const value = new Uint8Array(bytes);
    cache.keep(2, READ, { changes: [{ ...change(2), value }], cursor: 2 });
    const [kept] = cache.find(2, READ)!.changes as StoredChange[];
    cache.keep(3, READ, { changes: [], cursor: 3 });
    return kept.text;
  };
  assertEquals(textOf([0x22, 0xc3, 0xa9, 0x22]), '"é"');
  assertEquals(textOf([0xef, 0xbb, 0xbf, 0x31]), "\ufeff1");
  assertEquals(textOf([0xef, 0xbf, 0xbd]), "\ufffd");
  assertEquals(textOf([0x31, 0xff]), undefined);
});

Deno.test("a change that cannot be read is kept as it is", () => {
  const cache = new TailCache();
  const problem = new StoreError("STORAGE", "Cannot read revision 2");
  const page = { changes: [{ revision: 2, problem }], cursor: 2 };
  cache.keep(2, READ, page);
  assertEquals(cache.find(2, READ), page);
});

Deno.test("no more is kept than 64 KiB of values and 16 pages", () => {
  const cache = new TailCache();
  const at = (after: number) => ({ ...READ, after });
  const large = { changes: [change(9, 40_000)], cursor: 9 };
  cache.keep(9, at(0), large);
  const both = { changes: [change(9, 20_000, large.changes[0].value)] };
  cache.keep(9, at(20), { ...both, cursor: 9 });
  assertEquals(cache.find(9, at(20)), undefined);
  cache.keep(9, at(1), large);
  assertEquals(found(cache, 9, at(0)), large);
  assertEquals(cache.find(9, at(1)), undefined);

  const small = { changes: [change(9)], cursor: 9 };
  for (let after = 2; after <= 17; after++) cache.keep(9, at(after), small);
  assertEquals(found(cache, 9, at(16)), small);
  assertEquals(cache.find(9, at(17)), undefined);
  // At the next head there is room again.
  cache.keep(10, at(17), { ...large, cursor: 10 });
  assertEquals(cache.find(10, at(17))?.cursor, 10);
});

testOnEachDriver(
  "watches that wait together read new changes once, and share no bytes",
  async ({ name }) => {
    await using dir = await tempDir();
    let reads = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql.includes("FROM zestor_changes\nWHERE revision > ?")) reads++;
    });
    await using store = await openStore<{ k: Uint8Array }>({
      path: dir.file("app.db"),
      driver,
      durability: "normal",
      // It gives away what it is given.
      codec: {
        name: "bytes",
        encode: (value: unknown) => value as Uint8Array,
        decode: (bytes: Uint8Array) => bytes,
      },
    });
    const watches = Array.from(
      { length: 20 },
      () => store.watch("k").getReader(),
    );
    for (let n = 1; n <= 3; n++) {
      const next = watches.map((watch) => watch.read());
      reads = 0;
      await store.set("k", "a", new Uint8Array([n]));
      for (const { value } of await Promise.all(next)) {
        const { version, value: bytes } = value as WatchEvent<Uint8Array>;
        assertEquals([version, ...bytes], [n, n]);
        bytes.fill(0);
      }
      assertEquals(reads, 1);
    }
    for (const watch of watches) await watch.cancel();
  },
);

testOnEachDriver(
  "watches that read in the same turn share a look at the log, and no value",
  async ({ name }) => {
    await using dir = await tempDir();
    let looks = 0;
    const driver = await instrumentedDriver(name, () => looks++);
    const path = dir.file("app.db");
    await using store = await openStore<{ k: number[] }>({ path, driver });
    await using other = await openStore<{ k: number[] }>({ path, driver });
    const watches = Array.from(
      { length: 50 },
      () => store.watch("k", { previous: true }).getReader(),
    );
    const changed: number[][] = [];
    for (let n = 1; n <= 4; n++) {
      const writer = n % 2 === 0 ? other : store;
      await writer.set("k", "a", [n]);
      looks = 0;
      const events = await Promise.all(watches.map((watch) => watch.read()));
      for (const { value: event } of events) {
        assertEquals(event?.value, [n]);
        if (event?.type === "update") {
          assertEquals(event.previous, [n - 1]);
          event.previous!.push(0);
        }
        event!.value.push(0);
        changed.push(event!.value);
      }
      assertLess(looks, watches.length);
    }
    assertEquals(new Set(changed).size, changed.length);
    for (const watch of watches) await watch.cancel();
  },
);
