/**
 * Tests of how options are read: by `readOptions()`, and by the operations that
 * a store has beside the contract's.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  boolean,
  func,
  integerFrom,
  oneOf,
  type OptionsSpec,
  type Reader,
  readOptions,
  setOf,
  signal,
  unchecked,
} from "../src/base/options.ts";
import {
  type MemoryStoreOptions,
  openMemoryStore,
} from "../src/memory/open_memory_store.ts";
import { openStore } from "../mod.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

interface Options {
  size?: number;
  deep?: boolean;
  signal?: AbortSignal;
}

const SPEC = {
  size: integerFrom(1),
  deep: boolean,
  signal,
} satisfies OptionsSpec<Options>;

const read = (options: unknown) =>
  readOptions("test", options as Options | undefined, SPEC);

Deno.test("`readOptions()` without options returns none", () => {
  const none = read(undefined);
  assertEquals(none, {});
  assert(Object.isFrozen(none));
});

Deno.test("`readOptions()` leaves out `undefined` options", () => {
  const given = { size: 2, deep: undefined };
  assertEquals(Object.keys(read(given)), ["size"]);
});

Deno.test("`readOptions()` gives a copy", () => {
  const options = { size: 2, deep: true };
  const copy = read(options);
  Object.assign(options, { size: 0, deep: "no" });
  assertEquals(copy, { size: 2, deep: true });
});

Deno.test("`readOptions()` reads each option once", () => {
  const { options, reads } = counted({ size: 2, deep: true });
  assertEquals(read(options), { size: 2, deep: true });
  assertEquals(reads, { size: 1, deep: 1 });
});

Deno.test("`readOptions()` returns the results of the readers", () => {
  const size: Reader<string> = (...given) => given.join();
  const options = { size: 2 };
  assertEquals(readOptions("test", options, { size }), { size: "test,size,2" });
});

Deno.test("`readOptions()` takes any object that has options", () => {
  class Defaults {
    size = 2;
    get deep() {
      return true;
    }
  }
  class Inherited {
    get size() {
      return 2;
    }
  }
  const bare = Object.assign(Object.create(null), { size: 2 });
  assertEquals(read({}), {});
  assertEquals(read(bare), { size: 2 });
  assertEquals(read(Object.create({ size: 2 })), { size: 2 });
  assertEquals(read(new Inherited()), { size: 2 });
  assertEquals(read(new Defaults()), { size: 2, deep: true });
});

const NO_OPTIONS: [what: string, options: unknown][] = [
  ["null", null],
  ["a number", 1],
  ["a string", "size"],
  ["a symbol", Symbol("size")],
  ["a function", () => {}],
  ["an array", []],
  ["a Map", new Map([["size", 2]])],
  ["a Date", new Date(0)],
  ["a promise", Promise.resolve({ size: 2 })],
  ["a signal", AbortSignal.abort()],
  ["an instance without options", new (class Empty {})()],
];

for (const [what, options] of NO_OPTIONS) {
  Deno.test(`\`readOptions()\` refuses ${what}`, () => {
    const message = "Cannot test: options must be an object, received ";
    assertThrows(() => read(options), TypeError, message);
  });
}

for (const name of ["sise", "Size", "", "toString", "__proto__"]) {
  Deno.test(`\`readOptions()\` refuses the name "${name}"`, () => {
    // An own property, also for "__proto__".
    const options = JSON.parse(`{ "size": 2, "${name}": null }`);
    const { message } = assertThrows(() => read(options), TypeError);
    assertEquals(
      message,
      `Cannot test: unknown option "${name}", expected "size", "deep", "signal"`,
    );
  });
}

const noop = () => {};
const { signal: aSignal } = new AbortController();

const TAKEN: [name: string, reader: Reader, values: unknown[]][] = [
  ["boolean", boolean, [true, false]],
  ["func", func(), [noop, class {}]],
  ["signal", signal, [aSignal, AbortSignal.abort()]],
  ["integerFrom", integerFrom(0), [0, 1, Number.MAX_SAFE_INTEGER]],
  ["oneOf", oneOf("a", "b"), ["a", "b"]],
  ["unchecked", unchecked(), [null, 0, "", noop, aSignal]],
];

for (const [name, reader, values] of TAKEN) {
  Deno.test(`the reader \`${name}\` takes a value as it is`, () => {
    for (const value of values) {
      assert(Object.is(reader("test", "it", value), value));
    }
  });
}

const REFUSED: [
  name: string,
  reader: Reader,
  errorName: string,
  expected: string,
  values: unknown[],
][] = [
  ["boolean", boolean, "TypeError", "a boolean", [
    null,
    0,
    "true",
    new Boolean(true),
  ]],
  ["func", func(), "TypeError", "a function", [null, true, "() => {}", {}]],
  ["signal", signal, "TypeError", "an AbortSignal", [
    null,
    {},
    new AbortController(),
  ]],
  ["integerFrom", integerFrom(1), "RangeError", "an integer of at least 1", [
    null,
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    1n,
    "1",
    new Number(1),
  ]],
  ["oneOf", oneOf("a", "b"), "TypeError", 'one of "a", "b"', [
    null,
    "",
    "A",
    "c",
    ["a"],
    new String("a"),
  ]],
  ["setOf", setOf(boolean), "TypeError", "an array", [
    null,
    true,
    "a",
    new Set([true]),
    { length: 0 },
  ]],
];

for (const [name, reader, errorName, expected, values] of REFUSED) {
  Deno.test(`the reader \`${name}\` refuses what is not ${expected}`, () => {
    for (const value of values) {
      const error = assertThrows(() => reader("test", "it", value), Error);
      assertEquals(error.name, errorName);
      const beginning = `Cannot test: "it" must be ${expected}, received `;
      assertEquals(error.message.slice(0, beginning.length), beginning);
    }
  });
}

Deno.test("the reader `setOf` reads each item once, and refuses a wrong one", () => {
  const kinds = setOf(oneOf("a", "b"));
  let reads = 0;
  const items: unknown[] = ["a", "b", "a"];
  Object.defineProperty(items, 1, {
    get() {
      reads++;
      return "b";
    },
  });
  assertEquals(kinds("test", "it", items), new Set(["a", "b"] as const));
  assertEquals(reads, 1);
  assertEquals(kinds("test", "it", []), new Set());
  for (const wrong of [["c"], ["a", undefined], [, "a"], ["a", null]]) {
    assertThrows(
      () => kinds("test", "it", wrong),
      TypeError,
      'Cannot test: "it" must be one of "a", "b", received ',
    );
  }
});

Deno.test("a spec that lacks an option, or has another, does not compile", () => {
  // @ts-expect-error `signal` is missing.
  const short = { size: integerFrom(1), deep: boolean } satisfies OptionsSpec<
    Options
  >;
  // @ts-expect-error `depth` is no option.
  const long = { ...SPEC, depth: boolean } satisfies OptionsSpec<Options>;
  const wrong: OptionsSpec<Options> = {
    ...SPEC,
    // @ts-expect-error A reader is a function.
    deep: "boolean",
  };
  // The compiler tests this; at run time the specs only exist.
  assertEquals([short, long, wrong].map((spec) => "size" in spec), [
    true,
    true,
    true,
  ]);
});

// The operations.

/** The same options, which count how often each is read. */
function counted<Given extends object>(
  given: Given,
): { options: Given; reads: Record<string, number> } {
  const reads: Record<string, number> = {};
  const options = {};
  for (const [name, value] of Object.entries(given)) {
    Object.defineProperty(options, name, {
      enumerable: true,
      get() {
        reads[name] = (reads[name] ?? 0) + 1;
        return value;
      },
    });
  }
  return { options: options as Given, reads };
}

/** Asserts that an operation reads each option once. */
async function assertReadOnce<Given extends object>(
  given: Given,
  call: (options: Given) => unknown,
): Promise<void> {
  const { options, reads } = counted(given);
  await call(options);
  const once = Object.fromEntries(Object.keys(given).map((name) => [name, 1]));
  assertEquals(reads, once);
}

const COMMON = {
  codec: {},
  schemas: {},
  validateReads: false,
  equals: () => false,
  history: 10,
  signal: aSignal,
};

const OF_A_FILE = {
  busyTimeout: 10,
  wal: true,
  durability: "normal",
  secureDelete: false,
} as const;

Deno.test("`openMemoryStore()` reads each option once", async () => {
  const options = { ...COMMON, ...OF_A_FILE, path: "app.db", driver: "auto" };
  await assertReadOnce<MemoryStoreOptions>(options, async (options) => {
    await (await openMemoryStore(options)).close();
  });
});

testOnEachDriver("`openStore()` reads each option once", async (driver) => {
  const options = {
    ...COMMON,
    ...OF_A_FILE,
    path: ":memory:",
    driver: driver.name,
  };
  await assertReadOnce(options, async (options) => {
    await (await openStore(options)).close();
  });
});

testOnEachDriver(
  "`backup()`, `compact()` and `info()` read each option once",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const backup = dir.file("backup.db");
    await assertReadOnce(
      { overwrite: true, signal: aSignal },
      (options) => store.backup(backup, options),
    );
    const cancellable = { signal: aSignal };
    await assertReadOnce(cancellable, (options) => store.compact(options));
    await assertReadOnce(cancellable, (options) => store.info(options));
  },
);

Deno.test("each operation of the contract reads each option once", async () => {
  await using store = await openMemoryStore();
  const { signal } = new AbortController();
  const write = { ifVersion: 0, signal };
  const range = {
    prefix: "a",
    start: "a",
    end: "b",
    limit: 1,
    reverse: true,
    where: () => true,
    signal,
  };
  const lines = { kinds: ["k"], versions: true, times: true, signal };
  const calls: [options: object, call: (options: object) => unknown][] = [
    [{ signal }, (options) => store.get("k", "a", options)],
    [{ signal }, (options) => store.entry("k", "a", options)],
    [{ signal }, (options) => store.kinds(options)],
    [{ signal }, (options) => store.getAll(options)],
    [{ signal }, (options) => store.verify(options)],
    [{ signal }, (options) => store.setAll("k", {}, options)],
    [{ signal }, (options) => store.atomic().commit(options)],
    [write, (options) => store.set("k", "b", 1, options)],
    [write, (options) => store.delete("k", "c", options)],
    [
      { initial: 1, signal },
      (options) => store.update("k", "a", (value) => value, options),
    ],
    [range, (options) => store.list("k", options)],
    [range, (options) => store.keys("k", options)],
    [range, (options) => store.values("k", options)],
    [range, (options) => store.count("k", options)],
    [range, (options) => Array.fromAsync(store.entries("k", options))],
    [
      {
        types: ["create"],
        key: "a",
        after: 0,
        bufferSize: 1,
        bookmarks: true,
        persistent: true,
        signal,
      },
      (options) => store.watch("k", options).cancel(),
    ],
    [
      { initial: true, prefix: "a", bookmarks: false },
      (options) => store.watch("k", options).cancel(),
    ],
    [lines, (options) => Array.fromAsync(store.export(options))],
    [
      { ...lines, onProgress: noop, onRefused: noop },
      (options) => store.import(ReadableStream.from([]), options),
    ],
  ];
  for (const [options, call] of calls) await assertReadOnce(options, call);
});
