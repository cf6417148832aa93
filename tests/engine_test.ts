/**
 * What every engine does, below the store: conditions, effects, ranges, the log
 * and the past. What a store makes of it is in the conformance suite.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WatchOverflowError } from "../src/contract/errors.ts";
import type { StoredChange } from "../src/engine/entries.ts";
import type { View } from "../src/engine/view.ts";
import type { Check, Effect } from "../src/engine/write.ts";
import { ALL_KEYS, prefixRange, singleKey } from "../src/keys/key_range.ts";
import { type TestEngine, testOnEachEngine } from "./support/engines.ts";
import {
  atomic,
  bytesOf,
  decision,
  KIND,
  named,
  put,
  rangeRemoval,
  removal,
  type Result,
  set,
  textOf,
} from "./support/remote/operations.ts";

const TOMORROW = Date.now() + 86_400_000;

function effectsOf(result: Result): readonly Effect[] {
  assert("effects" in result, "It was refused");
  return result.effects;
}

/** The texts of a kind, by key. */
async function textsOf(view: Pick<View, "values">, kind = KIND) {
  const { items } = await view.values(kind, ALL_KEYS);
  return Object.fromEntries(
    items.map(({ key, value }) => [key, textOf(value)]),
  );
}

const gone = { version: 0, revision: 0 };

// Conditions.

testOnEachEngine(
  "a condition is on the version, the revision, or whether there is an entry",
  async ({ write }) => {
    await write(atomic([put("other", "1"), put("a", "1"), put("a", "2")]));
    const found = { version: 2, revision: 3 };
    const a = named("a");
    const none = named("none");
    const conditions: [check: Check, holds: boolean][] = [
      [{ ...a, version: 2 }, true],
      [{ ...a, version: 3 }, false],
      [{ ...a, version: 0 }, false],
      [{ ...none, version: 0 }, true],
      [{ ...none, version: 1 }, false],
      [{ ...a, revision: 3 }, true],
      [{ ...a, revision: 2 }, false],
      [{ ...a, revision: 0 }, false],
      [{ ...none, revision: 0 }, true],
      [{ ...none, revision: 3 }, false],
      [{ ...a, exists: true }, true],
      [{ ...a, exists: false }, false],
      [{ ...none, exists: true }, false],
      [{ ...none, exists: false }, true],
      // The kind counts.
      [{ kind: "l", key: "a", exists: true }, false],
    ];
    for (const [check, holds] of conditions) {
      const result = await write(atomic([], [check]));
      assertEquals(
        result,
        holds ? { effects: [], revision: 3 } : {
          refused: check,
          found: check.kind === KIND && check.key === "a" ? found : undefined,
        },
      );
    }
  },
);

testOnEachEngine(
  "all conditions are checked before the first change, and the first failed one is reported",
  async ({ engine, write }) => {
    await write(set("a", "1"));
    const fails = { ...named("a"), revision: 7 } as const;
    const changes = [put("b", "1"), rangeRemoval(), put("a", "2")];
    const result = await write(atomic(changes, [
      { ...named("b"), exists: false },
      { ...named("a"), version: 1 },
      fails,
      { ...named("a"), exists: false },
    ]));
    const found = { version: 1, revision: 1 };
    assertEquals(result, { refused: fails, found });
    assertEquals(await textsOf(engine), { a: "1" });
    // They are of the state before the write, and behind the writes before it.
    const results = await Promise.all([
      write(set("c", "1")),
      write(atomic([put("c", "2"), put("b", "2")], [
        { ...named("b"), exists: false },
        { ...named("c"), revision: 2 },
      ])),
    ]);
    assertEquals(results.map((result) => "effects" in result), [true, true]);
  },
);

// Effects.

testOnEachEngine(
  "an effect tells the version and revision of its own change",
  async ({ write }) => {
    const first = await write(atomic([
      put("a", "1"),
      put("b", "1"),
      put("a", "2"),
      put("a", "2"),
      decision("b", () => "keep"),
      decision("none", () => "keep"),
      decision("b", (value) => `${value}!`),
      removal("none"),
      removal("b"),
    ]));
    assertEquals(first, {
      effects: [
        { status: "created", version: 1, revision: 1 },
        { status: "created", version: 1, revision: 2 },
        { status: "updated", version: 2, revision: 3 },
        { status: "unchanged", version: 2, revision: 3 },
        { status: "unchanged", version: 1, revision: 2 },
        { status: "unchanged", ...gone },
        { status: "updated", version: 2, revision: 4 },
        { status: "unchanged", ...gone },
        { status: "removed", version: 0, revision: 5 },
      ],
      revision: 5,
    });
  },
);

testOnEachEngine(
  "a removing decision returns the removed entry, if that is asked for",
  async ({ engine, write }) => {
    const origin = { version: 7, updatedAt: new Date(1_000) };
    const value = bytesOf("1");
    await write(atomic([
      { ...named("a"), next: { value, origin, expiresAt: TOMORROW } },
      put("b", "1"),
    ]));
    const result = await write(atomic([
      decision("a", () => "remove"),
      { ...named("b"), next: () => "remove" },
      decision("a", () => "remove"),
    ]));
    assertEquals(effectsOf(result), [
      {
        status: "removed",
        version: 7,
        revision: 3,
        removed: {
          revision: 1,
          updatedAt: new Date(1_000),
          expiresAt: TOMORROW,
        },
      },
      { status: "removed", version: 0, revision: 4 },
      { status: "unchanged", ...gone },
    ]);
    assertEquals(await engine.kinds(), []);
  },
);

testOnEachEngine(
  "a put sets the expiry, keeps it, or clears it; another expiry is a change",
  async ({ engine, write }) => {
    const steps: [
      expiresAt: number | "keep" | undefined,
      status: string,
      then: number | undefined,
    ][] = [
      [TOMORROW, "created", TOMORROW],
      [TOMORROW, "unchanged", TOMORROW],
      ["keep", "unchanged", TOMORROW],
      [TOMORROW + 1, "updated", TOMORROW + 1],
      [undefined, "updated", undefined],
      ["keep", "unchanged", undefined],
    ];
    for (const [expiresAt, status, then] of steps) {
      const result = await write(atomic([put("a", "1", expiresAt)]));
      assertEquals(effectsOf(result)[0].status, status);
      assertEquals((await engine.entry(KIND, "a"))?.expiresAt, then);
    }
    // Of a new entry there is nothing to keep.
    await write(atomic([put("b", "1", "keep")]));
    assertEquals((await engine.entry(KIND, "b"))?.expiresAt, undefined);
    // A decision may do each of them, too.
    const value = bytesOf("2");
    await write(atomic([
      put("a", "1", TOMORROW),
      decision("a", () => ({ value, expiresAt: "keep" })),
    ]));
    assertEquals((await engine.entry(KIND, "a"))?.expiresAt, TOMORROW);
    await write(atomic([decision("a", () => ({ value }))]));
    assertEquals((await engine.entry(KIND, "a"))?.expiresAt, undefined);
  },
);

// Ranges.

testOnEachEngine(
  "a range is removed in key order, as one change",
  async ({ engine, write, log }) => {
    const keys = ["a", "b", "b1", "\u{E000}", "\u{10000}", "c"];
    await write(atomic([
      ...keys.map((key) => put(key, key)),
      { kind: "l", key: "b", next: { value: bytesOf("1") } },
    ]));
    const result = await write(atomic([
      put("a", "2"),
      rangeRemoval({ lower: { key: "b", inclusive: true } }),
      put("b", "new"),
      rangeRemoval(prefixRange("x")),
      rangeRemoval(singleKey("a")),
    ]));
    assertEquals(effectsOf(result), [
      { status: "updated", version: 2, revision: 8 },
      { status: "removed", version: 0, revision: 13, count: 5 },
      { status: "created", version: 1, revision: 14 },
      { status: "unchanged", ...gone, count: 0 },
      { status: "removed", version: 0, revision: 15, count: 1 },
    ]);
    assertEquals(await textsOf(engine), { b: "new" });
    assertEquals(await textsOf(engine, "l"), { b: "1" });
    assertEquals(
      (await log()).slice(8, 13).map(({ type, key }) => [type, key]),
      ["b", "b1", "c", "\u{E000}", "\u{10000}"].map((key) => ["delete", key]),
    );
  },
);

testOnEachEngine(
  "a range of many pages is removed whole",
  async ({ engine, write, log }) => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `${1_000 + i}`);
    for (let i = 0; i < keys.length; i += 200) {
      await write(atomic(keys.slice(i, i + 200).map((key) => put(key, "x"))));
    }
    const range = {
      lower: { key: "1000", inclusive: false },
      upper: { key: "1999", inclusive: false },
    };
    const [effect] = effectsOf(await write(atomic([rangeRemoval(range)])));
    assertEquals(effect, {
      status: "removed",
      version: 0,
      revision: 1_998,
      count: 998,
    });
    assertEquals((await engine.keys(KIND, ALL_KEYS)).items, ["1000", "1999"]);
    assertEquals(
      (await log()).slice(1_000).map(({ key }) => key),
      keys.slice(1, -1),
    );
  },
);

testOnEachEngine(
  "a range that a failing write removed is there",
  async ({ engine, write }) => {
    await write(atomic([put("a", "1", TOMORROW), put("b", "1")]));
    const failing = write(atomic([
      rangeRemoval(),
      put("b", "2"),
      decision("a", (value) => {
        throw new Error(`It saw ${value}`);
      }),
    ]));
    const others = [write(set("c", "1")), write(set("d", "1"))];
    await assertRejects(() => failing, Error, "It saw undefined");
    await Promise.all(others);
    assertEquals(
      await textsOf(engine),
      { a: "1", b: "1", c: "1", d: "1" },
    );
    assertEquals((await engine.entry(KIND, "a"))?.expiresAt, TOMORROW);
    assertEquals(await engine.log.markOf(5), undefined);
  },
);

// Reads.

/** Each read that others do not test, on a view of two entries. */
async function checkReads(view: View): Promise<void> {
  assertEquals(await view.state(KIND, "a"), { version: 2, revision: 3 });
  assertEquals(await view.state(KIND, "none"), undefined);
  assertEquals(await view.state("none", "a"), undefined);
  const some = await view.some(KIND, ["none", "b", "a"]);
  assertEquals(
    new Map(some.map(({ key, value }) => [key, textOf(value)])),
    new Map([["a", "2"], ["b", "1"]]),
  );
  assertEquals(await view.some(KIND, []), []);
  assertEquals(await view.some("none", ["a"]), []);
  const entry = (await view.entry(KIND, "b"))!;
  assertEquals([entry.version, entry.revision], [1, 2]);
  assertEquals(entry.expiresAt, TOMORROW);
  const { items } = await view.entries(KIND, ALL_KEYS);
  assertEquals(items.map(({ revision }) => revision), [3, 2]);
  assertEquals(await view.count(KIND, ALL_KEYS, 1), 1);
  assertEquals(await view.kinds(), [KIND]);
}

testOnEachEngine(
  "state and several values are read of now, of one moment, and of the past",
  async ({ engine, write }) => {
    await write(atomic([
      put("a", "1"),
      put("b", "1", TOMORROW),
      put("a", "2"),
    ]));
    await checkReads(engine);
    await engine.together(checkReads);
    const past = await engine.openPast();
    await checkReads(past);
    await write(atomic([rangeRemoval(), put("c", "1"), put("a", "3")]));
    await checkReads(past);
    await checkReads(await engine.openPast(3));
    await past.close();
    await past.close();
  },
);

testOnEachEngine(
  "many values are read at once",
  async ({ engine, write }) => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `${1_000 + i}`);
    for (let i = 0; i < keys.length; i += 200) {
      await write(atomic(keys.slice(i, i + 200).map((key) => put(key, key))));
    }
    const past = await engine.openPast();
    await write(atomic([rangeRemoval(prefixRange("15"))]));
    const read = async (view: View) =>
      (await view.some(KIND, keys)).map(({ key }) => key).sort();
    assertEquals(await read(past), keys);
    assertEquals(
      await read(engine),
      keys.filter((key) => !key.startsWith("15")),
    );
  },
);

// The log.

const inKind = (kind: string, key: string, text: string) => ({
  kind,
  key,
  next: { value: bytesOf(text) },
});

async function writeKinds({ write }: TestEngine): Promise<void> {
  await write(atomic([
    inKind("k", "a", "1"),
    inKind("l", "a", "2"),
    inKind("m", "b", "3"),
    inKind("k", "a", "4"),
    { kind: "l", key: "a", next: "remove" },
    inKind("k", "b", "5"),
  ]));
}

testOnEachEngine(
  "changes are read of one kind, of several, and of all, with the values before",
  async (test) => {
    const { engine: { log } } = test;
    await writeKinds(test);
    const read = async (
      kinds?: string[],
      { previous = false, keys = ALL_KEYS } = {},
    ) => {
      const filter = { kinds, keys, previous };
      const { changes, cursor } = await log.read(filter, 0, 100);
      assertEquals(cursor, 6);
      const back = await log.readBack(filter, 7, 0, 100);
      assertEquals(back.cursor, 1);
      assertEquals(back.changes, changes.toReversed());
      return (changes as StoredChange[]).map((change) =>
        [change.kind, change.value, change.previous]
          .map((part) => typeof part === "object" ? textOf(part) : part)
          .join(" ").trim()
      );
    };
    assertEquals(await read(), ["k 1", "l 2", "m 3", "k 4", "l 2", "k 5"]);
    assertEquals(await read(["m", "l"]), ["l 2", "m 3", "l 2"]);
    assertEquals(await read(["k"], { previous: true }), [
      "k 1",
      "k 4 1",
      "k 5",
    ]);
    assertEquals(await read(["l"], { previous: true }), ["l 2", "l 2"]);
    assertEquals(await read(undefined, { keys: singleKey("b") }), [
      "m 3",
      "k 5",
    ]);
    assertEquals(await read(["none"]), []);
  },
);

testOnEachEngine(
  "a change tells all that the log has of it",
  async ({ engine, write, log }) => {
    const before = Date.now();
    await write(atomic([put("a", "1", TOMORROW), removal("a")]));
    const [created, removed] = await log();
    const { mark, time, ...others } = created;
    assertEquals(others, {
      revision: 1,
      kind: KIND,
      type: "create",
      isExpiry: false,
      key: "a",
      version: 1,
      value: bytesOf("1"),
      previous: undefined,
      expiresAt: TOMORROW,
    });
    assert(time && time.getTime() >= before && time.getTime() <= Date.now());
    assertEquals(
      [removed.type, removed.isExpiry, textOf(removed.value), removed.version],
      ["delete", false, "1", 1],
    );
    assertEquals(removed.expiresAt, undefined);
    const marks = await Promise.all(
      [0, 1, 2, 3].map((revision) => engine.log.markOf(revision)),
    );
    assertEquals(marks.slice(1), [mark, removed.mark, undefined]);
    assert(Number.isSafeInteger(marks[0]));
    assertEquals(new Set(marks).size, 4);
  },
);

testOnEachEngine(
  "changes are read backwards in pages, down to a revision",
  async (test) => {
    const { engine: { log } } = test;
    await writeKinds(test);
    const filter = { kinds: ["k", "m"], keys: ALL_KEYS };
    const pages: number[][] = [];
    for (let before = 7; before > 2;) {
      const page = await log.readBack(filter, before, 1, 2);
      pages.push(page.changes.map(({ revision }) => revision));
      before = page.cursor;
    }
    assertEquals(pages, [[6, 4], [3]]);
    const none = await log.readBack({ kinds: ["x"], keys: ALL_KEYS }, 7, 3, 2);
    assertEquals([none.changes, none.cursor], [[], 4]);
    assertEquals(await log.oldest(), 1);
  },
);

testOnEachEngine(
  "a page tells the mark of its cursor if the log can be put back",
  async (test) => {
    const { engine: { log } } = test;
    await writeKinds(test);
    for (const kinds of [["k"], ["x"], undefined]) {
      const filter = { kinds, keys: ALL_KEYS };
      for (
        const { cursor, mark } of [
          await log.read(filter, 0, 2),
          await log.read(filter, 6, 2),
          await log.readBack(filter, 7, 0, 2),
        ]
      ) {
        const known = await log.markOf(cursor);
        assertEquals(mark, log.canBePutBack ? known : undefined);
      }
    }
  },
);

testOnEachEngine(
  "a pruned log knows where it begins, and earlier changes are gone",
  async ({ engine, write }) => {
    const { log } = engine;
    for (let n = 0; n < 100; n++) await write(set("a", `${n}`));
    const oldest = await log.oldest();
    assert(oldest > 50 && oldest <= 91, `The oldest one is ${oldest}`);
    const filter = { keys: ALL_KEYS };
    for (
      const read of [
        () => log.read(filter, oldest - 2, 10),
        () => log.readBack(filter, 101, oldest - 2, 200),
        () => engine.openPast(oldest - 2),
      ]
    ) {
      const failing = async () => void await read();
      const { reason } = await assertRejects(failing, WatchOverflowError);
      assertEquals(reason, "pruned");
    }
    assertEquals(await log.markOf(oldest - 1), undefined);
    assert(await log.markOf(oldest) !== undefined);
    const { changes } = await log.readBack(filter, 101, oldest - 1, 200);
    assertEquals(changes.at(-1)?.revision, oldest);
    const past = await engine.openPast(oldest - 1);
    assertEquals(await past.state(KIND, "a"), {
      version: oldest - 1,
      revision: oldest - 1,
    });
  },
  { history: 10 },
);

testOnEachEngine(
  "a past revision that was not reached cannot be read",
  async ({ engine, write }) => {
    await write(set("a", "1"));
    const open = async () => void await engine.openPast(2);
    const { reason } = await assertRejects(open, WatchOverflowError);
    assertEquals(reason, "ahead");
    const first = await engine.openPast(0);
    assertEquals([first.revision, await first.kinds()], [0, []]);
  },
);
