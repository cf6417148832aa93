/**
 * Expiry as every engine keeps it: what has expired is there for nobody, and is
 * removed once, soon. Time is the test's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { View } from "../src/engine/view.ts";
import { ALL_KEYS } from "../src/keys/key_range.ts";
import { type TestEngine, testInTimeOnEachEngine } from "./support/engines.ts";
import {
  atomic,
  decision,
  KIND,
  named,
  put,
  rangeRemoval,
  removal,
  set,
} from "./support/remote/operations.ts";

/** Each change, as text. */
async function logOf({ log }: TestEngine): Promise<string[]> {
  return (await log()).map(({ type, isExpiry, key, version }) =>
    `${isExpiry ? "expire" : type} ${key} ${version}`
  );
}

/** What each read of a view finds. */
async function readAll(view: View) {
  return {
    value: await view.value(KIND, "a") !== undefined,
    entry: await view.entry(KIND, "a") !== undefined,
    state: await view.state(KIND, "a") !== undefined,
    some: (await view.some(KIND, ["a"])).length,
    keys: (await view.keys(KIND, ALL_KEYS)).items.length,
    values: (await view.values(KIND, ALL_KEYS)).items.length,
    entries: (await view.entries(KIND, ALL_KEYS, { reverse: true })).items
      .length,
    count: await view.count(KIND, ALL_KEYS),
    kinds: await view.kinds(),
  };
}

const THERE = {
  value: true,
  entry: true,
  state: true,
  some: 1,
  keys: 1,
  values: 1,
  entries: 1,
  count: 1,
  kinds: [KIND],
};
const NOWHERE = {
  value: false,
  entry: false,
  state: false,
  some: 0,
  keys: 0,
  values: 0,
  entries: 0,
  count: 0,
  kinds: [],
};

/** Waits for changes past a revision; the wait does not keep the process running. */
function waitPast({ engine }: TestEngine, after: number): Promise<number> {
  const { signal } = new AbortController();
  return engine.log.wait({ after, persistent: false, signal });
}

testInTimeOnEachEngine(
  "reads have no expired entries, even before a timer removes them",
  async ({ engine, write }, time, end) => {
    await end(write(atomic([put("a", "1", Date.now() + 1_000)])));
    // No timer fires: the clock of the day alone goes on.
    time.jump(500);
    assertEquals(await end(readAll(engine)), THERE);
    time.jump(500);
    assertEquals(await end(readAll(engine)), NOWHERE);
    assertEquals(await end(engine.together(readAll)), NOWHERE);
    assertEquals(await end(readAll(await end(engine.openPast()))), NOWHERE);
    const snapshot = await end(engine.openSnapshot());
    assertEquals(await end(snapshot.kinds()), []);
    assertEquals((await end(snapshot.entries(KIND, ALL_KEYS))).items, []);
    await end(snapshot.close());
  },
);

testInTimeOnEachEngine(
  "entries that expire after a moment began are in each of its reads",
  async ({ engine, write }, time, end) => {
    await end(write(atomic([put("a", "1", Date.now() + 1_000)])));
    const past = await end(engine.openPast());
    const snapshot = await end(engine.openSnapshot());
    await end(engine.together(async (view) => {
      assertEquals(await readAll(view), THERE);
      time.jump(1_000);
      assertEquals(await readAll(view), THERE);
    }));
    assertEquals(await end(readAll(engine)), NOWHERE);
    assertEquals(await end(snapshot.kinds()), [KIND]);
    assertEquals((await end(snapshot.entries(KIND, ALL_KEYS))).items.length, 1);
    await end(snapshot.close());
    assertEquals(await end(readAll(past)), THERE);
    // It is of its revision, also when the entry was removed.
    await time.advance(2_000);
    assertEquals(await end(readAll(past)), THERE);
    assertEquals(await end(readAll(await end(engine.openPast(1)))), THERE);
    const then = await end(engine.openPast(1, Date.now()));
    assertEquals(await end(readAll(then)), NOWHERE);
  },
);

testInTimeOnEachEngine(
  "for conditions and decisions, expired entries are missing",
  async (test, time, end) => {
    const { write } = test;
    const expiring = (key: string) => put(key, "1", Date.now() + 1_000);
    await end(write(atomic(["a", "b", "c", "d", "e"].map(expiring))));
    time.jump(1_000);
    const saw: (string | undefined)[] = [];
    const result = await end(write(atomic([
      decision("a", (value) => {
        saw.push(value);
        return "remove";
      }),
      decision("b", (value) => {
        saw.push(value);
        return "2";
      }),
      removal("c"),
      put("d", "1", "keep"),
      rangeRemoval({ lower: { key: "e", inclusive: true } }),
    ], [
      { ...named("a"), version: 0 },
      { ...named("b"), revision: 0 },
      { ...named("c"), exists: false },
    ])));
    assertEquals(saw, [undefined, undefined]);
    const effects = "effects" in result ? result.effects : [];
    assertEquals(
      effects.map(({ status, version, count }) => [status, version, count]),
      [
        ["unchanged", 0, undefined],
        ["created", 1, undefined],
        ["unchanged", 0, undefined],
        ["created", 1, undefined],
        ["unchanged", 0, 0],
      ],
    );
    const refused = await end(
      write(atomic([], [{ ...named("a"), exists: true }])),
    );
    assertEquals("refused" in refused && refused.found, undefined);
    // Each ended once, whoever removed it, before what came in its place.
    await time.advance(5_000);
    const log = (await end(logOf(test))).slice(5);
    assertEquals(log.toSorted(), [
      "create b 1",
      "create d 1",
      ...["a", "b", "c", "d", "e"].map((key) => `expire ${key} 1`),
    ]);
    for (const key of ["b", "d"]) {
      const expired = log.indexOf(`expire ${key} 1`);
      assertEquals(expired < log.indexOf(`create ${key} 1`), true);
    }
  },
);

testInTimeOnEachEngine(
  "the engine removes expired entries in time, once, and wakes the watches",
  async (test, time, end) => {
    const { write } = test;
    const start = performance.now();
    await end(write(atomic([
      put("a", "1", Date.now() + 300),
      put("b", "1", Date.now() + 100),
      put("c", "1"),
    ])));
    const wait = async (after: number) => {
      await waitPast(test, after);
      return performance.now();
    };
    // It keeps no process running.
    assertEquals(time.timers.map(({ keepsRunning }) => keepsRunning), [false]);
    assertEquals(await end(wait(3)) - start, 100);
    assertEquals(await end(wait(4)) - start, 300);
    await time.advance(10_000);
    assertEquals(await end(logOf(test)), [
      "create a 1",
      "create b 1",
      "create c 1",
      "expire b 1",
      "expire a 1",
    ]);
    const [last] = (await end(test.log())).slice(-1);
    assertEquals(last.expiresAt, undefined);
    assertEquals(time.timers.length, 0);
  },
);

testInTimeOnEachEngine(
  "an entry with a new expiry is not removed at its old one",
  async (test, time, end) => {
    const { write } = test;
    const at = Date.now() + 1_000;
    await end(
      write(atomic(["a", "b", "c", "d"].map((key) => put(key, "1", at)))),
    );
    await end(write(atomic([
      put("a", "2", at + 2_000),
      put("b", "2"),
      put("c", "2", "keep"),
      removal("d"),
    ])));
    await time.advance(1_100);
    assertEquals((await end(logOf(test))).slice(8), ["expire c 2"]);
    await time.advance(5_000);
    assertEquals((await end(logOf(test))).slice(8), [
      "expire c 2",
      "expire a 2",
    ]);
    assertEquals((await end(test.engine.keys(KIND, ALL_KEYS))).items, ["b"]);
  },
);

testInTimeOnEachEngine(
  "many that expire together are all removed, while others write",
  async (test, time, end) => {
    const { write } = test;
    const at = Date.now() + 1_000;
    for (let i = 0; i < 1_000; i += 200) {
      const keys = Array.from({ length: 200 }, (_, j) => `${1_000 + i + j}`);
      await end(write(atomic(keys.map((key) => put(key, "1", at)))));
    }
    const before = Date.now();
    await time.advance(at - before);
    await end(write(set("a", "1")));
    await time.advance(3_000);
    const log = (await end(logOf(test))).slice(1_000);
    assertEquals(
      log.filter((change) => change.startsWith("expire")).length,
      1_000,
    );
    assertEquals(new Set(log).size, 1_001);
    assertEquals(await end(test.engine.count(KIND, ALL_KEYS)), 1);
    assertEquals(time.timers.length, 0);
  },
);

testInTimeOnEachEngine(
  "a clock that is set forward ends waits, and one that is set back loses nothing",
  async (test, time, end) => {
    const { engine, write } = test;
    await end(write(atomic([put("a", "1", Date.now() + 3_600_000)])));
    time.jump(3_600_000);
    await time.advance(1_000);
    assertEquals((await end(logOf(test))).slice(1), ["expire a 1"]);
    const keysOf = async () => (await end(engine.keys(KIND, ALL_KEYS))).items;
    await end(write(atomic([put("b", "1", Date.now() + 500)])));
    time.jump(-2_000);
    await time.advance(2_400);
    assertEquals(await keysOf(), ["b"]);
    await time.advance(1_100);
    assertEquals(await keysOf(), []);
    assertEquals((await end(logOf(test))).slice(3), ["expire b 1"]);
  },
);

testInTimeOnEachEngine(
  "nobody sees a put whose expiry has passed, not even the rest of its write",
  async (test, time, end) => {
    const saw: unknown[] = [];
    const result = await end(test.write(atomic([
      put("a", "1", Date.now() - 1),
      decision("a", (value) => {
        saw.push(value);
        return "2";
      }),
    ])));
    assertEquals(saw.at(-1), undefined);
    assertEquals(
      "effects" in result && result.effects.map(({ status }) => status),
      ["created", "created"],
    );
    await time.advance(2_000);
    assertEquals(await end(logOf(test)), [
      "create a 1",
      "expire a 1",
      "create a 1",
    ]);
  },
);
