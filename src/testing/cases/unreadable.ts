/**
 * Tests of reads that meet an unreadable value: they fail with an error that
 * names it, or report it and go on.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type {
  KeyValue,
  RangeOptions,
  Reads,
  UnreadableOptions,
} from "../../contract/mod.ts";
import type { Cases, Open } from "../case.ts";
import { assertRejectsWith, drain, keysOf, numberedKeys } from "../reading.ts";
import {
  type BrittleStore,
  brittleStores,
  type Unreadable,
} from "../unreadable.ts";

const isTrue = () => true;

export const unreadable: Cases = {
  "an unreadable value fails every read, with an error that names it": async (
    open,
  ) => {
    for (const [name, openBrittle] of Object.entries(brittleStores)) {
      await using brittle = await openBrittle(open);
      const { store } = brittle;
      await store.set("users", "good", 1);
      const { revision } = await store.set("users", "bad", "bad");
      await using snapshot = await store.snapshot();
      brittle.isBroken = true;
      for (const reads of [store, snapshot]) {
        const calls: Record<string, () => Promise<unknown>> = {
          get: () => reads.get("users", "bad"),
          entry: () => reads.entry("users", "bad"),
          getMany: () => reads.getMany("users", ["good", "bad"]),
          list: () => reads.list("users"),
          values: () => reads.values("users"),
          getAll: () => reads.getAll(),
          entries: () => Array.fromAsync(reads.entries("users")),
          ...brittle.isFilterable && filteredReads(reads, { where: isTrue }),
        };
        for (const [operation, call] of Object.entries(calls)) {
          const error = await assertRejects(call, Error, "", operation);
          brittle.assertOf(error, "bad", revision);
        }
      }
      assertEquals(await store.get("users", "good"), 1, name);
    }
  },

  "an unreadable value does not affect reads without values": async (open) => {
    for (const openBrittle of Object.values(brittleStores)) {
      await using brittle = await openBrittle(open);
      const { store } = brittle;
      await store.setAll("users", { a: 1, b: "bad", c: 1 });
      brittle.isBroken = true;
      const onUnreadable = () => {
        throw new Error("It was told");
      };
      for (const reads of [store, await store.snapshot()]) {
        assertEquals(await reads.keys("users", { onUnreadable }), [
          "a",
          "b",
          "c",
        ]);
        assertEquals(await reads.count("users", { onUnreadable }), 3);
        assertEquals(await reads.has("users", "b"), true);
        assertEquals(await reads.kinds(), ["users"]);
      }
    }
  },

  "onUnreadable gets each unreadable value, and the others are read": async (
    open,
  ) => {
    await forEach(open, async ({ brittle, reads, good, bad }) => {
      for (const [operation, read] of Object.entries(tellingReads(brittle))) {
        const { onUnreadable, told } = collector();
        const found = await read(reads, { onUnreadable });
        assertEquals(keysOf(found), good, operation);
        for (const item of found) assertEquals(item.value, { of: item.key });
        assertTold(brittle, told, bad);
      }
    });
  },

  "onUnreadable is called in the order of the read, within its range": async (
    open,
  ) => {
    await forEach(open, async ({ brittle, reads, good, bad }) => {
      const keys = [...bad.keys()];
      const ranges: [RangeOptions, (key: string) => boolean][] = [
        [{ reverse: true }, () => true],
        [{ start: keys[3] }, (key) => key >= keys[3]],
        [{ end: keys[3] }, (key) => key < keys[3]],
        [{ startAfter: keys[3], reverse: true }, (key) => key > keys[3]],
        [{ prefix: "0000" }, () => true],
        [{ prefix: "1" }, () => false],
      ];
      for (const [range, isWithin] of ranges) {
        const expectedGood = good.filter(isWithin);
        const expectedBad = keys.filter(isWithin);
        if (range.reverse) {
          expectedGood.reverse();
          expectedBad.reverse();
        }
        for (const read of Object.values(tellingReads(brittle))) {
          const { onUnreadable, told } = collector();
          const found = await read(reads, { ...range, onUnreadable });
          assertEquals(keysOf(found), expectedGood);
          assertEquals(told.map(({ key }) => key), expectedBad);
        }
      }
    });
  },

  "onUnreadable with where: what cannot be read is not asked, or counted":
    async (open) => {
      await forEach(open, async ({ brittle, reads, good, bad }) => {
        if (!brittle.isFilterable) return;
        const filtered = filteredReads(reads, {});
        for (const operation of Object.keys(filtered)) {
          const { onUnreadable, told } = collector();
          const asked: string[] = [];
          const where = (key: string) => {
            asked.push(key);
            return key !== good[0];
          };
          const range = { where, onUnreadable, limit: good.length - 1 };
          const found = await filteredReads(reads, range)[operation]();
          const expected = operation.startsWith("count")
            ? good.length - 1
            : good.slice(1);
          assertEquals(found, expected, operation);
          assertEquals(asked, good, operation);
          assertEquals(
            told.map(({ key }) => key),
            [...bad.keys()].filter((key) => key < good[good.length - 1]),
          );
        }
      });
    },

  "onUnreadable with a limit: no more than it are read": async (open) => {
    await forEach(open, async ({ brittle, reads, good }) => {
      for (const limit of [0, 1, 2, 50]) {
        for (const read of Object.values(tellingReads(brittle))) {
          const { onUnreadable } = collector();
          const found = await read(reads, { limit, onUnreadable });
          assert(found.length <= limit);
          assertEquals(keysOf(found), good.slice(0, found.length));
        }
      }
    });
  },

  "the error of onUnreadable fails the read": async (open) => {
    await forEach(open, async ({ brittle, reads, bad }) => {
      for (const [operation, read] of Object.entries(tellingReads(brittle))) {
        for (const reason of [new Error("enough"), undefined, "enough"]) {
          let calls = 0;
          const onUnreadable = () => {
            calls++;
            throw reason;
          };
          const outcome = await read(reads, { onUnreadable }).then(
            () => "resolved",
            (thrown) => ({ thrown }),
          );
          assertEquals(outcome, { thrown: reason }, operation);
          assertEquals(calls, 1, operation);
        }
        let calls = 0;
        const rethrow = (error: Unreadable) => {
          calls++;
          throw error;
        };
        const failed = read(reads, { onUnreadable: rethrow });
        const error = await assertRejects(() => failed, Error);
        const [[key, revision]] = bad;
        brittle.assertOf(error, key, revision);
        assertEquals(calls, 1, operation);
      }
    });
  },

  "onUnreadable that returns a promise is a TypeError": async (open) => {
    for (const openBrittle of Object.values(brittleStores)) {
      await using brittle = await openBrittle(open);
      const { store } = brittle;
      await store.setAll("users", { a: 1, b: "bad" });
      brittle.isBroken = true;
      const onUnreadable = () => Promise.reject(new Error("Nobody waits"));
      await assertRejects(
        () => store.list("users", { onUnreadable }),
        TypeError,
        "onUnreadable",
      );
      await assertRejects(
        () => Array.fromAsync(store.entries("users", { onUnreadable })),
        TypeError,
        "onUnreadable",
      );
    }
  },

  "a stream gives the entries before the unreadable value": async (
    open,
  ) => {
    await forEach(open, async ({ brittle, reads, good, bad }) => {
      const [[firstBad, revision]] = bad;
      const reader = reads.entries("users").getReader();
      const { chunks, error } = await drain(reader);
      assertEquals(keysOf(chunks), good.filter((key) => key < firstBad));
      brittle.assertOf(error, firstBad, revision);
    });
  },

  "onUnreadable may use the store": async (open) => {
    for (const openBrittle of Object.values(brittleStores)) {
      await using brittle = await openBrittle(open);
      const { store } = brittle;
      for (const [operation, read] of Object.entries(tellingReads(brittle))) {
        brittle.isBroken = false;
        await store.setAll("users", { a: "bad a", b: 1, c: "bad c", d: 1 });
        brittle.isBroken = true;
        const mending: Promise<unknown>[] = [];
        const onUnreadable = ({ key }: Unreadable) => {
          mending.push(store.set("users", key!, "mended"));
        };
        const found = await read(store, { onUnreadable });
        assertEquals(keysOf(found), ["b", "d"], operation);
        await Promise.all(mending);
        assertEquals([...await store.list("users")], [
          ["a", "mended"],
          ["b", 1],
          ["c", "mended"],
          ["d", 1],
        ]);
      }
    }
  },

  "C7 a read with onUnreadable can be aborted": async (open) => {
    await forEach(open, async ({ brittle, reads }) => {
      const reason = new Error("stop");
      const controller = new AbortController();
      const { signal } = controller;
      const onUnreadable = () => controller.abort(reason);
      const reading = Array.fromAsync(
        reads.entries("users", { onUnreadable, signal }),
      );
      await assertRejectsWith(() => reading, reason, "entries");
      assert(brittle.isBroken);
    });
  },

  "an onUnreadable that is not a function is a TypeError": async (open) => {
    await using store = await open();
    for (const onUnreadable of [true, null, {}, "throw"]) {
      const options = { onUnreadable } as unknown as UnreadableOptions;
      const reads = [
        () => store.list("users", options),
        () => store.keys("users", options),
        () => store.values("users", options),
        () => store.count("users", options),
      ];
      for (const read of reads) {
        await assertRejects(read, TypeError, "onUnreadable");
      }
      const streams = [
        () => store.entries("users", options),
        () => store.watch("users", options),
        () => store.watchAll(options),
        () => store.history("users", undefined, options),
      ];
      for (const stream of streams) {
        assertThrows(stream, TypeError, "onUnreadable");
      }
    }
  },
};

/** A broken store with readable and unreadable values. */
interface Broken {
  readonly brittle: BrittleStore;
  /** The store, or a snapshot of it. */
  readonly reads: Reads;
  /** The keys of the readable values. */
  readonly good: readonly string[];
  /** The keys of the unreadable values, with their revisions. */
  readonly bad: ReadonlyMap<string, number>;
}

/** Tests each kind of brittle store, and a snapshot of it that was changed since. */
async function forEach(
  open: Open,
  test: (broken: Broken) => Promise<void>,
): Promise<void> {
  for (const openBrittle of Object.values(brittleStores)) {
    await using brittle = await openBrittle(open);
    const { store } = brittle;
    const keys = numberedKeys(20);
    const good = keys.filter((_, n) => n % 3 !== 1);
    const bad = new Map<string, number>();
    for (const key of keys) {
      const isGood = good.includes(key);
      const value = isGood ? { of: key } : `bad ${key}`;
      const { revision } = await store.set("users", key, value);
      if (!isGood) bad.set(key, revision);
    }
    await using snapshot = await store.snapshot();
    brittle.isBroken = true;
    await test({ brittle, reads: store, good, bad });
    await store.deleteAll("users", { end: keys[10] });
    brittle.isBroken = false;
    for (const key of keys.slice(10)) {
      await store.set("users", key, "bad since");
    }
    brittle.isBroken = true;
    await test({ brittle, reads: snapshot, good, bad });
  }
}

/** The reads that report unreadable values. Each returns its entries. */
function tellingReads({ isFilterable }: BrittleStore): Record<
  string,
  (reads: Reads, range: RangeOptions) => Promise<KeyValue[]>
> {
  return {
    list: async (reads, range) =>
      [...await reads.list("users", range)].map(([key, value]) => ({
        key,
        value,
      })),
    values: (reads, range) => reads.values("users", range),
    entries: (reads, range) => Array.fromAsync(reads.entries("users", range)),
    ...isFilterable && {
      "list where": async (reads: Reads, range: RangeOptions) =>
        [...await reads.list("users", { where: isTrue, ...range })].map((
          [key, value],
        ) => ({ key, value })),
      "values where": (reads: Reads, range: RangeOptions) =>
        reads.values("users", { where: isTrue, ...range }),
      "entries where": (reads: Reads, range: RangeOptions) =>
        Array.fromAsync(reads.entries("users", { where: isTrue, ...range })),
    },
  };
}

/** The reads with `where`. Each returns the keys, or their number. */
function filteredReads(
  reads: Reads,
  range: RangeOptions,
): Record<string, () => Promise<unknown>> {
  return {
    "list where": async () => [...(await reads.list("users", range)).keys()],
    "values where": async () => keysOf(await reads.values("users", range)),
    "keys where": () => reads.keys("users", range),
    "count where": () => reads.count("users", range),
    "entries where": async () =>
      keysOf(await Array.fromAsync(reads.entries("users", range))),
  };
}

/** Collects the reported errors. */
function collector(): {
  onUnreadable: (error: Unreadable) => void;
  told: Unreadable[];
} {
  const told: Unreadable[] = [];
  return { onUnreadable: (error) => void told.push(error), told };
}

function assertTold(
  brittle: BrittleStore,
  told: readonly Unreadable[],
  bad: ReadonlyMap<string, number>,
): void {
  const expected = [...bad];
  assertEquals(told.length, expected.length);
  for (const [i, [key, revision]] of expected.entries()) {
    brittle.assertOf(told[i], key, revision);
  }
}
