/**
 * The order of keys and the ranges of them, against SQLite's own.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertThrows,
} from "@std/assert";
import {
  compareKeys,
  lowerBound,
  mergeByKey,
  prefixEnd,
  sortByKey,
} from "../src/keys/key_order.ts";
import {
  ALL_KEYS,
  type KeyRange,
  prefixRange,
  rangePast,
  singleKey,
} from "../src/keys/key_range.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import {
  countRange,
  rangeParams,
  selectRange,
} from "../src/sqlite/storage/queries.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { selectionOf } from "../src/store/options.ts";
import { connect } from "./support/connect.ts";
import { type TestDriver, testOnEachDriver } from "./support/drivers.ts";

/** Characters on both sides of every boundary of UTF-8 and UTF-16. */
const CHARACTERS = [
  "\u0001",
  "0",
  "a",
  "b",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\ufeff",
  "\uffff",
  "\u{10000}",
  "\u{1f600}",
  "\u{10ffff}",
];

/** Every string of those characters, from the empty one to a length. */
function stringsUpTo(length: number): string[] {
  if (length === 0) return [""];
  const shorter = stringsUpTo(length - 1);
  const longest = shorter.filter((text) => [...text].length === length - 1);
  return [
    ...shorter,
    ...longest.flatMap((text) => CHARACTERS.map((last) => text + last)),
  ];
}

const STRINGS = stringsUpTo(3);

// `compareKeys()`.

testOnEachDriver("`compareKeys()` orders as SQLite does", async (driver) => {
  using db = await connect(driver);
  db.exec("CREATE TABLE t (x TEXT); BEGIN");
  const insert = db.prepare("INSERT INTO t VALUES (?)");
  for (const text of STRINGS) insert.run(text);
  db.exec("COMMIT");
  const ordered = db.prepare("SELECT x FROM t ORDER BY x").all()
    .map(({ x }) => x);
  assertEquals(ordered.length, STRINGS.length);
  assertEquals(STRINGS.toSorted(compareKeys), ordered);
  assertEquals(STRINGS.toReversed().sort(compareKeys), ordered);
});

testOnEachDriver(
  "`compareKeys()` compares random text as SQLite does",
  async (driver) => {
    using db = await connect(driver);
    const compare = db.prepare("SELECT (?1 > ?2) - (?1 < ?2) AS sign");
    for (let i = 0; i < 2_000; i++) {
      // With something in common, most of the time.
      const common = randomText(3);
      const a = common + randomText(3);
      const b = common + randomText(3);
      const { sign } = compare.get(a, b)!;
      assertEquals(Math.sign(compareKeys(a, b)), sign, Deno.inspect([a, b]));
    }
  },
);

Deno.test("`compareKeys()` gives 0 for equal keys alone", () => {
  for (const a of stringsUpTo(1)) {
    for (const b of stringsUpTo(1)) {
      assertEquals(compareKeys(a, b) === 0, a === b);
    }
  }
});

/** Text of random code points, up to a length. */
function randomText(length: number): string {
  const characters = Array.from(
    { length: Math.floor(Math.random() * (length + 1)) },
    () => {
      // As likely of one byte as of four.
      const bits = 7 + Math.floor(Math.random() * 15);
      const codePoint = Math.floor(Math.random() * 2 ** bits) % 0x110000;
      const isSurrogate = codePoint >= 0xd800 && codePoint < 0xe000;
      return String.fromCodePoint(isSurrogate ? 0xe000 : codePoint || 1);
    },
  );
  return characters.join("");
}

// `prefixEnd()`.

testOnEachDriver(
  "`prefixEnd()` ends the strings with a prefix, in SQLite",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x TEXT PRIMARY KEY) WITHOUT ROWID; BEGIN");
    const insert = db.prepare("INSERT INTO t VALUES (?)");
    for (const text of STRINGS) insert.run(text);
    db.exec("COMMIT");
    const between = db.prepare(
      "SELECT x FROM t WHERE x >= ?1 AND (?2 IS NULL OR x < ?2) ORDER BY x",
    );
    for (const prefix of stringsUpTo(2)) {
      const end = prefixEnd(prefix);
      assert(end === undefined || end.isWellFormed());
      assertEquals(
        between.all(prefix, end ?? null).map(({ x }) => x),
        STRINGS.filter((text) => text.startsWith(prefix)).sort(compareKeys),
        Deno.inspect(prefix),
      );
    }
  },
);

const PREFIX_ENDS: [prefix: string, end: string | undefined][] = [
  ["", undefined],
  ["a", "b"],
  ["az", "a{"],
  ["\u007f", "\u0080"],
  ["\u07ff", "\u0800"],
  ["\ud7ff", "\ue000"],
  ["\uffff", "\u{10000}"],
  ["\u{1f600}", "\u{1f601}"],
  ["\u{103ff}", "\u{10400}"],
  ["\u{10ffff}", undefined],
  ["\u{10ffff}\u{10ffff}", undefined],
  ["a\u{10ffff}", "b"],
  ["\ud7ff\u{10ffff}\u{10ffff}", "\ue000"],
  ["\u{1f600}\u{10ffff}", "\u{1f601}"],
];

for (const [prefix, end] of PREFIX_ENDS) {
  Deno.test(`\`prefixEnd()\` of ${escape(prefix)} is ${escape(end)}`, () => {
    assertEquals(prefixEnd(prefix), end);
  });
}

/** Text with its code points in ASCII. */
function escape(text: string | undefined): string {
  return JSON.stringify(text)?.replaceAll(
    /[^ -~]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  ) ?? "undefined";
}

// Lists by key.

interface Item {
  key: string;
  from: string;
}

function items(from: string, ...keys: string[]): Item[] {
  return keys.map((key) => ({ key, from }));
}

Deno.test("`mergeByKey()` merges in key order, equal keys in the order of the lists", () => {
  const merge = (a: string[], b: string[]) =>
    [...mergeByKey(items("a", ...a), items("b", ...b))]
      .map(({ key, from }) => `${key} ${from}`);
  assertEquals(merge([], []), []);
  assertEquals(merge(["1"], []), ["1 a"]);
  assertEquals(merge([], ["1"]), ["1 b"]);
  assertEquals(merge(["1", "3"], ["2", "4"]), ["1 a", "2 b", "3 a", "4 b"]);
  assertEquals(merge(["3", "4"], ["1", "2"]), ["1 b", "2 b", "3 a", "4 a"]);
  assertEquals(merge(["1", "2"], ["1", "2"]), ["1 a", "1 b", "2 a", "2 b"]);
  assertEquals(merge(["1", "1"], ["1"]), ["1 a", "1 a", "1 b"]);
  assertEquals(
    merge(["\uffff", "\u{10001}"], ["\u{10000}"]),
    ["\uffff a", "\u{10000} b", "\u{10001} a"],
  );
});

Deno.test("`lowerBound()` finds the first item at or after a key", () => {
  const ordered = STRINGS.toSorted(compareKeys);
  const every = ordered.filter((_, i) => i % 2 === 0).map((key) => ({ key }));
  for (let i = 0; i < ordered.length; i += 7) {
    assertEquals(lowerBound(every, ordered[i]), Math.ceil(i / 2));
  }
  assertEquals(lowerBound([], "a"), 0);
  assertEquals(lowerBound(items("a", "a", "b", "b", "c"), "b"), 1);
  assertEquals(lowerBound(items("a", "a", "b", "b", "c"), "b", 2), 2);
  assertEquals(lowerBound(items("a", "a", "b"), "c"), 2);
});

for (const size of [0, 1, 2, 1023, 1024, 1025, 2048, 3333]) {
  Deno.test(`\`sortByKey()\` sorts ${size} items by key, with pauses`, () => {
    const unsorted = Array.from({ length: size }, (_, i) => ({
      // Some keys come more than once.
      key: STRINGS[(i * 7919) % STRINGS.length % 1500],
      i,
    }));
    const before = [...unsorted];
    const work = sortByKey(unsorted);
    let pauses = 0;
    let step = work.next();
    for (; !step.done; step = work.next()) pauses++;
    // As stable as `toSorted`.
    assertEquals(
      step.value,
      unsorted.toSorted((a, b) => compareKeys(a.key, b.key)),
    );
    assertEquals(unsorted, before);
    assertGreaterOrEqual(pauses, Math.floor(size / 1024));
  });
}

// Ranges.

/** A store's table with every string but the empty one as a key. */
async function filledTable(
  driver: TestDriver,
  keys: string[],
): Promise<Connection & Disposable> {
  const db = await connect(driver);
  upgradeFile(db, inspectFile(db), new Map());
  const insert = db.prepare(
    "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', ?, x'')",
  );
  db.exec("BEGIN");
  for (const key of keys) insert.run(key);
  db.exec("COMMIT");
  return db;
}

function select(db: Connection, range: KeyRange, reverse = false): string[] {
  return db.prepare(
    selectRange({
      columns: "key",
      range,
      reverse,
      values: "all",
      which: "all",
    }),
  )
    .all(...rangeParams("k", range), -1).map(({ key }) => key as string);
}

/** Asserts that a range selects these keys, in either order, and counts them. */
function assertSelects(
  db: Connection,
  range: KeyRange,
  keys: string[],
  message: string,
): void {
  const ordered = keys.toSorted(compareKeys);
  assertEquals(select(db, range), ordered, message);
  assertEquals(select(db, range, true), ordered.toReversed(), message);
  assertEquals(
    db.prepare(countRange(range, "all")).get(...rangeParams("k", range), -1),
    { count: keys.length },
    message,
  );
}

const KEYS = stringsUpTo(2).slice(1);
const BOUNDS = [undefined, "", ...CHARACTERS, "a\u{10ffff}", "bb", "\ue000a"];
const PREFIXES = [undefined, "", "a", "b", "\ud7ff", "\u{10ffff}", "aa", "c"];

testOnEachDriver(
  "`selectionOf()` is what prefix, start and end have in common",
  async (driver) => {
    using db = await filledTable(driver, KEYS);
    for (const prefix of PREFIXES) {
      for (const start of BOUNDS) {
        for (const end of BOUNDS) {
          const options = { prefix, start, end };
          const message = Deno.inspect(options);
          if (end !== undefined && compareKeys(start ?? "", end) > 0) {
            assertThrows(
              () => selectionOf("list", options).keys,
              RangeError,
              `Cannot list: "start" ${JSON.stringify(start)} is after "end" ${
                JSON.stringify(end)
              }`,
            );
            continue;
          }
          const keys = KEYS.filter((key) =>
            key.startsWith(prefix ?? "") &&
            compareKeys(key, start ?? "") >= 0 &&
            (end === undefined || compareKeys(key, end) < 0)
          );
          assertSelects(db, selectionOf("list", options).keys, keys, message);
        }
      }
    }
  },
);

testOnEachDriver("`rangePast()` is the rest of a range", async (driver) => {
  using db = await filledTable(driver, KEYS);
  const ranges = [
    ALL_KEYS,
    prefixRange("a"),
    prefixRange("\u{10ffff}"),
    selectionOf("list", { start: "0", end: "\ue000" }).keys,
    singleKey("a"),
  ];
  for (const range of ranges) {
    const keys = select(db, range);
    for (let i = 0; i < keys.length; i += 5) {
      const message = Deno.inspect([range, keys[i]]);
      assertSelects(db, rangePast(range, keys[i]), keys.slice(i + 1), message);
      assertSelects(
        db,
        rangePast(range, keys[i], true),
        keys.slice(0, i),
        message,
      );
    }
  }
});

testOnEachDriver("`singleKey()` is one key", async (driver) => {
  using db = await filledTable(driver, KEYS);
  for (const key of KEYS) assertSelects(db, singleKey(key), [key], key);
  assertSelects(db, singleKey("missing"), [], "missing");
});

Deno.test("`selectionOf()` without options is every key", () => {
  for (
    const options of [undefined, {}, { prefix: "" }, {
      start: "",
      limit: Infinity,
    }]
  ) {
    assertEquals(selectionOf("list", options).keys, {
      ...ALL_KEYS,
      upper: undefined,
    });
  }
});

const WRONG_OPTIONS: [options: unknown, name: string, about: string][] = [
  [{ prefix: "a\0" }, "InvalidNameError", "prefix"],
  [{ prefix: "\ud800" }, "InvalidNameError", "prefix"],
  [{ prefix: 1 }, "InvalidNameError", "prefix"],
  [{ start: "\udc00" }, "InvalidNameError", "start"],
  [{ start: null }, "InvalidNameError", "start"],
  [{ end: "\0" }, "InvalidNameError", "end"],
  [{ end: 1 }, "InvalidNameError", "end"],
  [{ start: "b", end: "a" }, "RangeError", '"start"'],
  [{ start: "\u{10000}", end: "\uffff" }, "RangeError", '"start"'],
  [{ limit: -1 }, "RangeError", '"limit"'],
  [{ limit: 1.5 }, "RangeError", '"limit"'],
  [{ limit: NaN }, "RangeError", '"limit"'],
  [{ limit: "1" }, "RangeError", '"limit"'],
  [{ limit: null }, "RangeError", '"limit"'],
  [{ reverse: 1 }, "TypeError", '"reverse"'],
  [{ where: true }, "TypeError", '"where"'],
  [{ signal: {} }, "TypeError", '"signal"'],
  [{ first: "a" }, "TypeError", '"first"'],
  ["a", "TypeError", "options"],
  [null, "TypeError", "options"],
];

for (const [options, name, about] of WRONG_OPTIONS) {
  Deno.test(`\`selectionOf()\` refuses ${escape(Deno.inspect(options))}`, () => {
    const refused = () => selectionOf("list", options as never).keys;
    assertEquals(assertThrows(refused, Error, about).name, name);
  });
}
