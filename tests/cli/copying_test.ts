/**
 * Copies of stores, from one engine to another, once and as they change.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openStore, type Store, type StoreOptions } from "../../mod.ts";
import type { CopyResult } from "../../src/cli/copying/copy_entries.ts";
import { copyStore, type StoreCopy } from "../../src/cli/copying/copy_store.ts";
import {
  CannotCopyError,
  TargetConflictError,
} from "../../src/cli/copying/errors.ts";
import { PLACE_KIND } from "../../src/cli/copying/place.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { structured } from "../../src/values/codecs/structured.ts";
import {
  changeAtRandom,
  eventsUntil,
  linesOfStore,
  newestOf,
  startFollow,
  untilEnd,
} from "../support/copying.ts";
import { drivers } from "../support/drivers.ts";
import { withSeed } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

type Options = Omit<StoreOptions, "path">;

/** Two empty stores. */
interface Pair extends AsyncDisposable {
  readonly source: Store;
  readonly target: Store;
}

type OpenPair = (options?: { source?: Options; target?: Options }) => Promise<
  Pair
>;

/** Registers a test from a file to memory, and back. */
function testOnPairs(name: string, fn: (open: OpenPair) => Promise<void>) {
  for (const target of ["memory", "file"] as const) {
    test(`${name} [to ${target}]`, async () => {
      await using stack = new AsyncDisposableStack();
      const dir = stack.use(await tempDir());
      let files = 0;
      const inFile = (options: Options = {}) =>
        openStore({
          path: dir.file(`${++files}.db`),
          driver: "builtin",
          durability: "normal",
          ...options,
        });
      await fn(async (options = {}) => {
        const opened = new AsyncDisposableStack();
        const [a, b] = target === "memory"
          ? [inFile, openMemoryStore]
          : [openMemoryStore, inFile];
        return {
          source: opened.use(await a(options.source)),
          target: opened.use(await b(options.target)),
          [Symbol.asyncDispose]: () => opened.disposeAsync(),
        };
      });
    });
  }
}

function copyOf(options: Partial<StoreCopy> = {}): StoreCopy {
  const { signal } = new AbortController();
  return { extra: "refuse", signal, ...options };
}

const NOTHING: CopyResult = {
  entries: 0,
  created: 0,
  replaced: 0,
  deleted: 0,
  unchanged: 0,
  refused: 0,
};

const HOSTILE = [
  "\\",
  '\\"',
  '"\\\\',
  "\n\u001b\u2028",
  '","version":7,"updatedAt":"',
  "\u{10000}",
  "\ue000",
  "zestor:copy",
];

/** Entries of many kinds of names, values, versions and ends. */
async function fill(store: Store): Promise<void> {
  await store.setAll(
    "many",
    Array.from({ length: 3_000 }, (_, i) => [`${i}`, { n: i }]),
  );
  for (const name of HOSTILE) {
    if (name !== PLACE_KIND) await store.set(name, name, { [name]: name });
    await store.set("names", name, name);
  }
  await store.setAll(
    "many",
    Array.from({ length: 500 }, (_, i) => [`${i * 3}`, { again: i }]),
  );
  await store.set("ends", "later", 1, { expireIn: 1e9 });
  await store.set("large", "a", "x".repeat(1_500_000));
  await store.set("large", "b", "y".repeat(1_500_000));
}

testOnPairs("a copy there and back is the same bytes", async (open) => {
  await using there = await open();
  const { source, target } = there;
  await fill(source);
  const lines = await linesOfStore(source);
  const done = { ...NOTHING, entries: lines.length, created: lines.length };
  assertEquals(await copyStore(source, target, copyOf()), done);
  assertEquals(await linesOfStore(target), lines);
  // Without the place, too.
  assertEquals(await target.count(PLACE_KIND), 0);

  await using back = await open();
  assertEquals(await copyStore(target, back.target, copyOf()), done);
  assertEquals(await linesOfStore(back.target), lines);
});

testOnPairs("a copy of equal entries writes nothing", async (open) => {
  await using pair = await open();
  const { source, target } = pair;
  await fill(source);
  const { entries } = await copyStore(source, target, copyOf());
  const events: string[] = [];
  const before = await newestOf(target);
  assertEquals(await copyStore(source, target, copyOf()), {
    ...NOTHING,
    entries,
    unchanged: entries,
  });
  await target.set("end", "e", 1);
  for (const { name } of await eventsUntil(target, before, "e")) {
    events.push(name);
  }
  assertEquals(events, []);
});

testOnPairs("a copy of some kinds leaves the others", async (open) => {
  await using pair = await open();
  const { source, target } = pair;
  for (const kind of ["a", "b", "c"]) await source.set(kind, "x", kind);
  await target.set("c", "own", 1);
  const copy = copyOf({ kinds: ["b", "a"] });
  const result = { ...NOTHING, entries: 2, created: 2 };
  assertEquals(await copyStore(source, target, copy), result);
  assertEquals(await target.kinds(), ["a", "b", "c"]);
  assertEquals(await target.keys("c"), ["own"]);
});

testOnPairs("a stopped copy continues where it was", async (open) => {
  await using pair = await open();
  const { source, target } = pair;
  await fill(source);
  const controller = new AbortController();
  const stopping = copyOf({
    signal: controller.signal,
    onProgress: ({ created }) => created > 1_500 && controller.abort(),
  });
  await assertRejects(() => copyStore(source, target, stopping), DOMException);
  const there = await target.count("many");
  assert(there > 1_000 && there < 3_000, `${there}`);
  // What the source no longer has was copied by the run before.
  await source.delete("many", "0");
  await source.set("many", "1", "changed");
  assert(await target.has("many", "0"));
  const result = await copyStore(source, target, copyOf());
  assertEquals([result.deleted, result.replaced], [1, 1]);
  assert(result.unchanged >= there - 2, `${result.unchanged}`);
  assertEquals(await linesOfStore(target), await linesOfStore(source));
});

testOnPairs(
  "a copy refuses, keeps or deletes the entries that only the target has",
  async (open) => {
    await using pair = await open();
    const { source, target } = pair;
    await source.setAll("k", { a: 1, b: 2 });
    await target.setAll("k", { b: 0, z: 3 });
    const before = await linesOfStore(target);
    await assertRejects(
      () => copyStore(source, target, copyOf()),
      CannotCopyError,
      'the target has "k"/"z", and the source does not',
    );
    assertEquals(await linesOfStore(target), before);
    assertEquals(await target.kinds(), ["k"]);

    const kept = await copyStore(source, target, copyOf({ extra: "keep" }));
    assertEquals(kept, { ...NOTHING, entries: 2, created: 1, replaced: 1 });
    assertEquals(await target.keys("k"), ["a", "b", "z"]);
    const same = await copyStore(source, target, copyOf({ extra: "delete" }));
    assertEquals(same, { ...NOTHING, entries: 2, unchanged: 2, deleted: 1 });
    assertEquals(await linesOfStore(target), await linesOfStore(source));
  },
);

testOnPairs(
  "a copy that another source interrupted deletes nothing of it",
  async (open) => {
    await using pair = await open();
    await using other = await open();
    const { source, target } = pair;
    await other.source.setAll("k", { z: 1 });
    await source.setAll("k", { a: 1, b: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = () => controller.abort();
    await copyStore(other.source, target, copyOf({ signal, onProgress }))
      .catch(() => {});
    await assertRejects(
      () => copyStore(source, target, copyOf()),
      CannotCopyError,
    );
    assertEquals(await target.keys("k"), ["z"]);
  },
);

testOnPairs(
  "entries that the target cannot hold are reported",
  async (open) => {
    await using pair = await open({
      target: {
        schemas: {
          k: (value: unknown) => {
            if (value === 2) throw new Error("no two");
          },
        },
      },
    });
    const { source, target } = pair;
    await source.setAll("k", { a: 1, b: 2, c: 3 });
    const told: string[] = [];
    const result = await copyStore(
      source,
      target,
      copyOf({
        onRefused: ({ kind, key, reason }) => {
          told.push(`${kind} ${key} ${reason}`);
        },
      }),
    );
    assertEquals(result, { ...NOTHING, entries: 3, created: 2, refused: 1 });
    assertEquals(told.length, 1);
    assert(/^k b .*no two/.test(told[0]), told[0]);
    await assertRejects(
      () => startFollow(source, target).ended,
      CannotCopyError,
      "the target cannot hold 1 entries",
    );
  },
);

testOnPairs(
  "a follow writes each change once and in order, however often it is stopped",
  async (open) => {
    await withSeed("follow", async (random) => {
      await using pair = await open();
      const { source, target } = pair;
      for (let i = 0; i < 50; i++) await changeAtRandom(source, random);
      const begin = await newestOf(source);
      let from: number | undefined;
      for (let round = 0; round < 6; round++) {
        // Some changes come while it does not run.
        for (let i = 0; i < 30 && round > 0; i++) {
          await changeAtRandom(source, random);
        }
        const stopAfter = random.below(60);
        let changes = 0;
        const enough = Promise.withResolvers<void>();
        await using follow = startFollow(source, target, {
          onChanges(count) {
            changes += count;
            if (changes >= stopAfter) enough.resolve();
          },
        });
        const copied = await follow.following;
        assertEquals(copied === undefined, round > 0);
        from ??= await newestOf(target);
        for (let i = 0; i < 100; i++) await changeAtRandom(source, random);
        await enough.promise;
        await follow.stop();
      }
      await using _last = startFollow(source, target);
      await source.set("end", "e", 1);
      assertEquals(
        await eventsUntil(target, from!, "e"),
        await eventsUntil(source, begin, "e"),
      );
      const lines = await linesOfStore(source, { times: false });
      assertEquals(await linesOfStore(target, { times: false }), lines);
    });
  },
);

testOnPairs(
  "a follow keeps its place with the changes, and a copy removes it",
  async (open) => {
    await using pair = await open();
    const { source, target } = pair;
    await source.set("k", "a", 1);
    {
      await using follow = startFollow(source, target);
      assertEquals((await follow.following)?.created, 1);
      await source.set("end", "1", 1);
      await untilEnd(target, "1");
    }
    assertEquals(await target.keys(PLACE_KIND), ["*"]);
    await copyStore(source, target, copyOf());
    assertEquals(await target.count(PLACE_KIND), 0);
    const options = { times: false };
    assertEquals(
      await linesOfStore(target, options),
      await linesOfStore(source, options),
    );
  },
);

testOnPairs("a follow of some kinds writes those alone", async (open) => {
  await using pair = await open();
  const { source, target } = pair;
  await source.setAll("a", { x: 1 });
  await source.setAll("b", { x: 1 });
  await target.set("c", "own", 1);
  await using follow = startFollow(source, target, { kinds: ["a", "end"] });
  await follow.following;
  await source.set("b", "y", 2);
  await source.set("c", "y", 2);
  await source.set("a", "y", 2);
  await source.set("end", "1", 1);
  await untilEnd(target, "1");
  assertEquals(await target.keys("a"), ["x", "y"]);
  assertEquals(await target.keys("b"), []);
  assertEquals(await target.keys("c"), ["own"]);
});

testOnPairs(
  "a follow copies the differences if its place is no longer in the log",
  async (open) => {
    await using pair = await open({ source: { history: 50 } });
    const { source, target } = pair;
    await source.setAll("k", { gone: 1, same: 2, changed: 3 });
    await (async () => {
      await using follow = startFollow(source, target);
      await follow.following;
      await source.set("end", "1", 1);
      await untilEnd(target, "1");
    })();
    await source.delete("k", "gone");
    for (let i = 0; i < 200; i++) await source.set("k", "changed", { i });
    const before = await newestOf(target);
    await using follow = startFollow(source, target);
    const copied = await follow.following;
    assertEquals(copied, {
      ...NOTHING,
      entries: 3,
      replaced: 1,
      deleted: 1,
      unchanged: 2,
    });
    assertEquals(follow.told.length, 1);
    assert(follow.told[0].startsWith("Cannot go on after"), follow.told[0]);
    await source.set("end", "2", 1);
    const events = await eventsUntil(target, before, "2");
    assertEquals(
      events.map(({ type, name }) => `${type} ${name}`).sort(),
      ["create k/changed", "delete k/changed", "delete k/gone"],
    );
    const options = { times: false };
    assertEquals(
      await linesOfStore(target, options),
      await linesOfStore(source, options),
    );
  },
);

testOnPairs(
  "a follow of another source deletes nothing unless that is asked for",
  async (open) => {
    await using pair = await open();
    await using other = await open();
    const { source, target } = pair;
    await source.setAll("k", { a: 1, b: 2 });
    {
      await using follow = startFollow(source, target);
      await follow.following;
    }
    await other.source.set("k", "a", 1);
    await assertRejects(
      () => startFollow(other.source, target).ended,
      CannotCopyError,
    );
    assertEquals(await target.keys("k"), ["a", "b"]);
    await using follow = startFollow(other.source, target, { extra: "delete" });
    assertEquals((await follow.following)?.deleted, 1);
    assertEquals(follow.told.length, 1);
    assertEquals(await target.keys("k"), ["a"]);
  },
);

testOnPairs(
  "a follow ends if somebody else has written the target",
  async (open) => {
    await using pair = await open();
    const { source, target } = pair;
    await source.setAll("k", { a: 1, b: 2 });
    for (
      const [write, theirs] of [
        [() => source.set("k", "a", "mine"), "a"],
        [() => source.delete("k", "b"), "b"],
        [() => source.set("k", "new", 1), "new"],
        [() => source.set("k", "end", 1, { expireIn: 1e8 }), "end"],
      ] as const
    ) {
      await using follow = startFollow(source, target, { extra: "delete" });
      await follow.following;
      await target.set("k", theirs, "theirs");
      await write();
      await assertRejects(
        () => follow.ended,
        TargetConflictError,
        `"k"/"${theirs}" in the target has version`,
      );
      assertEquals(await target.get("k", theirs), "theirs");
      await copyStore(source, target, copyOf({ extra: "delete" }));
    }
  },
);

testOnPairs("of two follows into one target one ends", async (open) => {
  await using pair = await open();
  const { source, target } = pair;
  await source.set("k", "a", 1);
  await using first = startFollow(source, target);
  await first.following;
  await using second = startFollow(source, target);
  await second.following;
  await source.set("end", "1", 1);
  await assertRejects(
    () => Promise.race([first.ended, second.ended]),
    TargetConflictError,
    "another copy writes into the target",
  );
  await untilEnd(target, "1");
  assertEquals((await target.entry("end", "1"))?.version, 1);
});

testOnPairs(
  "expired entries are gone in the target, too, and come back with their versions",
  async (open) => {
    await using pair = await open();
    const { source, target } = pair;
    await source.set("k", "a", 1);
    {
      await using follow = startFollow(source, target);
      await follow.following;
    }
    // While nobody follows: one that ends, one whose end was put off, one anew.
    await source.set("k", "ended", 1, { expireIn: 1 });
    await source.set("k", "ended anew", 1, { expireIn: 1 });
    await source.set("k", "a", 2, { expireIn: 150 });
    const { expiresAt } = (await source.entry("k", "a"))!;
    await source.set("k", "a", 3);
    await source.set("k", "soon", 1, { expireIn: 300 });
    for await (const event of source.watch("k", { after: 0 })) {
      if (event.key === "ended anew" && event.type === "delete") break;
    }
    await source.set("k", "ended anew", 2);
    // The end that was put off has passed.
    while (Date.now() <= expiresAt!.getTime()) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await using follow = startFollow(source, target);
    await follow.following;
    for await (const event of source.watch("k", { after: 0 })) {
      if (event.key === "soon" && event.type === "delete") break;
    }
    await source.set("end", "1", 1);
    await untilEnd(target, "1");
    const options = { times: false };
    const lines = await linesOfStore(source, options);
    assertEquals(await linesOfStore(target, options), lines);
    assertEquals((await target.entry("k", "a"))?.version, 3);
    // It ended once in the target, too, unless the follow began only after its end.
    const history = await Array.fromAsync(target.history("k"));
    const ofSoon = history.filter(({ key }) => key === "soon");
    const ends = ofSoon.filter((change) =>
      change.type === "delete" && change.expired
    );
    assertEquals(2 * ends.length, ofSoon.length);
  },
);

testOnPairs("a follow of structured clones keeps them", async (open) => {
  const codec = structured;
  await using pair = await open({ source: { codec }, target: { codec } });
  const { source, target } = pair;
  await source.set("k", "a", new Map([[1, new Date(0)]]));
  await using follow = startFollow(source, target, { codec });
  await follow.following;
  await source.set("k", "b", new Set([undefined]));
  await source.set("k", "c", 5n, { expireIn: 1e8 });
  await source.set("end", "1", 1);
  await untilEnd(target, "1");
  const options = { times: false };
  assertEquals(
    await linesOfStore(target, options),
    await linesOfStore(source, options),
  );
});
