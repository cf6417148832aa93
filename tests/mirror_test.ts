/**
 * Mirrors: values that JSON has no form for, what keeps a process running, and
 * random changes of all sorts.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type {
  Mirror,
  MirrorChange,
  MirrorOptions,
  SortKey,
  Store,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { entriesOf, PatchedList } from "../src/testing/mirrors.ts";
import { structured } from "../src/values/codecs/structured.ts";
import { isDeepStrictEqual as equal } from "node:util";
import { freezeDeep } from "../src/values/freeze.ts";
import { compareKeys } from "../src/keys/key_order.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { startLifePeer } from "./support/processes/peer.ts";
import { type Random, withSeed } from "./support/random.ts";
import { tempDir } from "./support/temp_dir.ts";
import { testOnEachStore } from "./support/stores.ts";

// Values.

Deno.test("a mirror freezes values of every sort, if JavaScript can", async () => {
  await using store = await openMemoryStore({ codec: structured });
  const cycle: Record<string, unknown> = { list: [1, , 3] };
  cycle.self = cycle;
  const value = {
    cycle,
    map: new Map([[{ key: 1 }, { value: [1] }]]),
    set: new Set([{ member: 1 }]),
    at: new Date(5),
    bytes: new Uint8Array([1, 2]),
    error: new Error("stored"),
    big: 1n,
  };
  await store.set("k", "a", value);
  await using mirror = await store.mirror("k");
  const shared = mirror.get("a") as typeof value;
  assertEquals(shared, value);
  assertStrictEquals(shared.cycle.self, shared.cycle);
  const [[key, inside]] = shared.map;
  const [member] = shared.set;
  for (const it of [shared, shared.cycle, key, inside, inside.value, member]) {
    assert(Object.isFrozen(it), Deno.inspect(it));
  }
  assertThrows(() => (shared.cycle.list as number[]).push(1), TypeError);
  // The kinds that cannot be frozen are as they were stored.
  assertEquals([shared.at, shared.bytes], [new Date(5), value.bytes]);
  assertEquals(await store.get("k", "a"), value);
});

Deno.test("freezing takes any depth, and leaves instances alone", () => {
  let deep: unknown = 1;
  for (let n = 0; n < 200_000; n++) deep = [deep];
  assert(Object.isFrozen(freezeDeep(deep)));
  class Cached {
    seen = 0;
  }
  const value = freezeDeep({ cached: new Cached(), bare: Object.create(null) });
  value.cached.seen++;
  assertEquals(value.cached.seen, 1);
  assert(Object.isFrozen(value.bare));
  for (const plain of [1, "a", null, undefined, 1n, true]) {
    assertStrictEquals(freezeDeep(plain), plain);
  }
});

Deno.test("a value of many levels is compared and listed again", async () => {
  await using store = await openMemoryStore({ history: 2, codec: structured });
  const deep = (levels: number) => {
    let value: unknown = levels;
    for (let n = 0; n < levels; n++) value = [value];
    return value;
  };
  await store.setAll("k", { a: deep(900), b: deep(3) });
  await using mirror = await store.mirror("k");
  const [a, b] = mirror.values();
  const { revision } = await store.setAll("k", { c: 1, d: 1, e: 1 });
  await mirror.reached(revision);
  assertEquals([...mirror.keys()], ["a", "b", "c", "d", "e"]);
  assertStrictEquals(mirror.get("b"), b);
  assertStrictEquals(mirror.get("a"), a);
});

Deno.test("an array that is longer than anybody could visit is frozen at once", () => {
  const holes: unknown[] = [];
  holes[4_000_000_000] = { n: 1 };
  freezeDeep(holes);
  assert(Object.isFrozen(holes) && Object.isFrozen(holes[4_000_000_000]));
});

testOnEachDriver(
  "a mirror of a store that may only read follows others",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using writer = await openOn(driver, { path });
    await writer.set("k", "a", 1);
    const reading = { path: `file:${path}?mode=ro` };
    await using reader = await openOn(driver, reading);
    await using mirror = await reader.mirror("k");
    assertEquals([...mirror], [["a", 1]]);
    await mirror.reached((await writer.set("k", "b", 2)).revision);
    assertEquals([...mirror], [["a", 1], ["b", 2]]);
    await mirror.reached((await writer.set("other", "b", 2)).revision);
    const waiting = reader.waitFor("k", "c");
    await writer.set("k", "c", 3);
    assertEquals(await waiting, 3);
  },
);

// Its process.

for (
  const [name, options] of Object.entries(
    {
      "that is not persistent": { persistent: false, end: undefined },
      "that is closed": { persistent: true, end: "close" },
      "whose signal has aborted": { persistent: true, end: "abort" },
    } as const,
  )
) {
  testOnEachDriver(
    `a mirror ${name} lets its process end`,
    async (driver) => {
      await using dir = await tempDir();
      const place = { path: dir.file("app.db"), driver: driver.name };
      await using peer = startLifePeer("leaveMirror", { ...place, ...options });
      assertEquals(await peer.next(), 1);
      await peer.exited();
    },
  );
}

// Random changes.

interface Value {
  n: number;
  tag: string;
}

type Kinds = { users: Value; others: Value };

/** A mirror with what it is to hold. */
interface Watched {
  readonly mirror: Mirror<Value>;
  readonly options: MirrorOptions<Value>;
  /** What an eager and a slow consumer make of its patches. */
  readonly lists: readonly PatchedList<Value>[];
  readonly slow: ReadableStreamDefaultReader<MirrorChange<Value>>;
}

const QUERIES: readonly MirrorOptions<Value>[] = [
  {},
  { prefix: "1" },
  { key: "7" },
  { reverse: true },
  { where: (_key, { n }) => n % 3 > 0 },
  { sortBy: (_key, { n }) => n % 4 },
  {
    where: (key, { tag }) => tag !== "x" && key !== "13",
    sortBy: (_key, { tag, n }): SortKey => [tag, -n],
    reverse: true,
  },
];

async function watch(
  store: Store<Kinds>,
  options: MirrorOptions<Value>,
): Promise<Watched> {
  const mirror = await store.mirror("users", options);
  const lists = [new PatchedList<Value>(), new PatchedList<Value>()];
  lists[0].entries.push(...entriesOf(mirror));
  mirror.addEventListener("change", ({ detail }) => {
    lists[0].apply(detail.patches);
    lists[0].assertIs(mirror);
  });
  const slow = mirror.changes({ initial: true }).getReader();
  await readOn(slow, lists[1]);
  return { mirror, options, lists, slow };
}

async function readOn(
  slow: Watched["slow"],
  list: PatchedList<Value>,
): Promise<void> {
  const { value } = await slow.read();
  list.apply(value!.patches);
}

/** What a mirror has to hold, by a read of the store. */
async function expected(
  store: Store<Kinds>,
  { key, prefix, where, sortBy, reverse }: MirrorOptions<Value>,
): Promise<{ key: string; value: Value }[]> {
  const all = await store.values("users", { prefix, where });
  const wanted = all.filter((it) => key === undefined || it.key === key);
  const place = (it: { key: string; value: Value }) =>
    sortBy?.(it.key, it.value);
  const compare = (a: SortKey, b: SortKey): number => {
    if (Array.isArray(a) && Array.isArray(b)) {
      return compare(a[0], b[0]) || compare(a[1], b[1]);
    }
    return a! < b! ? -1 : a! > b! ? 1 : 0;
  };
  wanted.sort((a, b) =>
    compare(place(a), place(b)) || compareKeys(a.key, b.key)
  );
  return reverse ? wanted.reverse() : wanted;
}

function change(store: Store<Kinds>, random: Random): Promise<unknown> {
  const key = () => `${random.below(20)}`;
  const value = (): Value => ({
    n: random.below(12),
    tag: random.pick(["x", "y", "é", "\u{10000}", "\u{FFFD}"]),
  });
  switch (random.below(8)) {
    case 0:
      return store.delete("users", key());
    case 1:
      return store.set("others", key(), value());
    case 2: {
      const write = store.atomic().delete("users", key());
      for (let n = random.below(6); n > 0; n--) {
        write.set("users", key(), value());
      }
      return write.set("others", key(), value()).commit();
    }
    case 3: {
      const start = `${random.below(20)}`;
      return store.deleteAll("users", { start, end: start + "5" });
    }
    case 4: {
      const entries = Array.from(
        { length: random.below(40) },
        () => [key(), value()] as const,
      );
      return store.setAll("users", entries);
    }
    case 5:
      return store.set("users", key(), value(), {
        expireIn: random.between(1, 30),
      });
    default:
      return store.set("users", key(), value());
  }
}

for (const history of [10, 10_000]) {
  testOnEachStore(
    `random changes: mirrors hold what the store does, and so do their patches, history ${history}`,
    (open) =>
      withSeed(`mirrors ${history}`, async (random) => {
        await using store = await open({ history }) as Store<Kinds>;
        for (let n = 0; n < 30; n++) await change(store, random);
        const watched = await Promise.all(
          QUERIES.map((options) => watch(store, options)),
        );
        for (let round = 0; round < 60; round++) {
          const writes = Array.from(
            { length: random.between(1, 30) },
            () => change(store, random),
          );
          await Promise.all(writes);
          // It has no expiry, so that all may agree.
          const { revision } = await store.set("others", "end", {
            n: round,
            tag: "",
          });
          for (const { mirror, slow, lists } of watched) {
            await mirror.reached(revision);
            lists[0].assertIs(mirror);
            const isBehind = !equal(lists[1].entries, entriesOf(mirror));
            // There is something to read: it does not wait.
            if (isBehind && random.chance(0.2)) await readOn(slow, lists[1]);
          }
        }
        // What expires would change it between two reads.
        await store.deleteAll("users");
        const steady = numbered(random);
        await store.setAll("users", steady);
        const { revision } = await store.set("users", "end", {
          n: 1,
          tag: "y",
        });
        for (const { mirror, options, lists, slow } of watched) {
          await mirror.reached(revision);
          if (!equal(lists[1].entries, entriesOf(mirror))) {
            await readOn(slow, lists[1]);
          }
          lists[1].assertIs(mirror);
          const should = await expected(store, options);
          assertEquals(entriesOf(mirror), should, Deno.inspect(options));
          assertEquals(lists[0].entries, should);
          await mirror.close();
        }
        assertGreater(steady.length, 0);
      }),
  );
}

function numbered(random: Random): [string, Value][] {
  return Array.from({ length: 20 }, (_, n) => [`${n}`, {
    n: random.below(12),
    tag: random.pick(["x", "y", "z"]),
  }]);
}
