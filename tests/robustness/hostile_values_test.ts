/**
 * Values, names and objects that something on the way could alter, drop, take
 * for something else or fall over: they come back exactly as they were, by
 * every way out of a store, or are refused with a clear error, and the store
 * goes on.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type Codec,
  CodecError,
  InvalidNameError,
  json,
  openStore,
  type Store,
  StoreTooLargeError,
  ValidationError,
  type WatchEvent,
} from "../../mod.ts";
import { SqlError } from "../../src/sqlite/driver/mod.ts";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { next, take, turn } from "../../src/testing/reading.ts";
import { runChild } from "../support/processes/child.ts";
import { connect } from "../support/connect.ts";
import { testOnEachDriver } from "../support/drivers.ts";
import { instrumentedDriver } from "../support/faults/instrumented_driver.ts";
import { type Random, withSeed } from "../support/random.ts";
import { testOnEachStore, testOnEachStoreAndFile } from "../support/stores.ts";
import { tempDir } from "../support/temp_dir.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Stores bytes as they are. */
const raw: Codec = {
  name: "raw",
  encode: (bytes) => bytes as Uint8Array,
  decode: (bytes) => bytes,
};

/** Stores what a person, or an enemy, might have written; decodes as another codec does. */
function written(codec: Codec): Codec {
  return {
    name: codec.name,
    encode: (value) =>
      typeof value === "string" ? bytesOf(value) : codec.encode(value),
    decode: codec.decode,
  };
}

/** Bytes are compared at once: assertEquals() of a million of them is slow. */
function assertSame(actual: unknown, expected: Uint8Array, what: string): void {
  assertInstanceOf(actual, Uint8Array, what);
  if (Buffer.compare(actual, expected) === 0) return;
  throw new Error(
    `${what}: ${actual.length} bytes, expected ${expected.length}, or others`,
  );
}

// Lengths.

/**
 * Where a length takes another byte in a record's header, a cell another page,
 * a buffer another size: of a table (4061) and of an index (1002) with pages of
 * 4096 bytes, and both with what else is in the row.
 */
const LENGTHS = [
  ...[0, 1, 2, 3, 57, 58, 59, 126, 127, 128, 129, 254, 255, 256, 257],
  ...around(1_002, 40, 3),
  ...around(4_061, 70, 4),
  ...[4_095, 4_096, 4_097, 8_191, 8_192, 8_193, 16_383, 16_384, 16_385],
  ...[65_535, 65_536, 65_537, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1],
];

function around(middle: number, reach: number, step: number): number[] {
  const lengths = [];
  for (let n = middle - reach; n <= middle + 2; n += step) lengths.push(n);
  return [...lengths, middle - 1, middle, middle + 1];
}

testOnEachStoreAndFile(
  "values of every length come back by every way out",
  async (open) => {
    await withSeed("lengths", async (random) => {
      await using store = await open({ codec: raw });
      const lengths = [...new Set(LENGTHS)].toSorted((a, b) => a - b);
      // Two values of each length; the second is not of random bytes.
      const values = lengths.map((length, i) => ({
        key: `${String(i).padStart(3, "0")} of ${length}`,
        first: someBytes(random, length),
        second: new Uint8Array(length === 0 ? 1 : length),
      }));
      const live = store.watch("v", { bufferSize: 3 }).getReader();
      await store.setAll("v", values.map(({ key, first }) => [key, first]));
      // Read when everything is gone: every value comes out of the log.
      const undone = store.watch("v", { initial: true }).getReader();
      for (const { key, second } of values) {
        const { status } = await store.set("v", key, second);
        assertEquals(status, "updated", key);
        assertEquals(
          (await store.set("v", key, second)).status,
          "unchanged",
          key,
        );
      }
      const replay = store.watch("v", { initial: true }).getReader();
      for (const { key, second } of values) {
        const event = await next(replay);
        assertEquals([event.type, event.key], ["create", key]);
        assertSame(event.value, second, `${key}, replayed`);
      }
      await replay.cancel();
      await assertReadEverywhere(store, values);
      for (const { key, second } of values) {
        assertSame((await store.delete("v", key))?.value, second, key);
      }
      for (const { key, first } of values) {
        const event = await next(undone);
        assertEquals([event.type, event.key], ["create", key]);
        assertSame(event.value, first, `${key}, undone`);
      }
      await undone.cancel();
      const resumed = store.watch("v", { after: 0, bufferSize: 7 }).getReader();
      for (const events of [live, resumed]) {
        for (const [type, which] of CHANGES) {
          for (const { key, [which]: value } of values) {
            const event = await next(events);
            assertEquals([event.type, event.key], [type, key]);
            assertSame(event.value, value, `${type} ${key}`);
          }
        }
        await events.cancel();
      }
    });
  },
);

const CHANGES = [
  ["create", "first"],
  ["update", "second"],
  ["delete", "second"],
] as const;

function someBytes(random: Random, length: number): Uint8Array {
  // A long one repeats: a random number for each byte would take its time.
  const some = random.bytes(Math.min(length, 997));
  return Uint8Array.from({ length }, (_, i) => some[i % 997]);
}

async function assertReadEverywhere(
  store: Store,
  values: { key: string; second: Uint8Array }[],
): Promise<void> {
  const list = await store.list("v");
  const pairs = await store.values("v");
  const entries = await Array.fromAsync(store.entries("v"));
  const all = (await store.getAll()).get("v");
  assertEquals([...list.keys()], values.map(({ key }) => key));
  for (const [i, { key, second }] of values.entries()) {
    assertSame(await store.get("v", key), second, `${key}, get`);
    assertSame((await store.entry("v", key))?.value, second, `${key}, entry`);
    assertSame(list.get(key), second, `${key}, list`);
    assertSame(pairs[i].value, second, `${key}, values`);
    assertSame(entries[i].value, second, `${key}, entries`);
    assertSame(all?.get(key), second, `${key}, getAll`);
  }
}

testOnEachStoreAndFile(
  "kinds and keys of every length come back, in key order",
  async (open) => {
    await using store = await open();
    const lengths = [...new Set(LENGTHS)].filter((length) => length > 0);
    // The same bytes by characters of one, two, three and four of them.
    const names = lengths.flatMap((length, i) => {
      const char = ["a", "é", "\uffff", "😀"][i % 4];
      const times = Math.floor(length / bytesOf(char).length);
      return [char.repeat(times) + "z".repeat(length % bytesOf(char).length)];
    });
    assertEquals(new Set(names).size, names.length);
    const sorted = names.toSorted((a, b) =>
      Buffer.compare(bytesOf(a), bytesOf(b))
    );
    const events = store.watch("keys").getReader();
    await store.setAll("keys", names.map((name) => [name, name.length]));
    for (const name of names) await store.set(name, name, 1);
    assertSameNames(await store.keys("keys"), sorted);
    assertSameNames(
      (await take(events, names.length)).map(({ key }) => key),
      sorted,
    );
    await events.cancel();
    assertSameNames(
      (await store.kinds()).filter((kind) => kind !== "keys"),
      sorted,
    );
    for (const name of names) {
      assertEquals(await store.get("keys", name), name.length);
      const replay = store.watch(name, { initial: true }).getReader();
      assertSameNames([(await next(replay)).key], [name]);
      await replay.cancel();
      assertEquals(await store.keys(name, { start: name, limit: 2 }), [name]);
      assertEquals((await store.delete(name, name))?.version, 1);
    }
    assertEquals(await store.kinds(), ["keys"]);
  },
);

function assertSameNames(actual: string[], expected: string[]): void {
  assertEquals(actual.length, expected.length);
  for (const [i, name] of expected.entries()) {
    assert(actual[i] === name, `${i}: ${actual[i].slice(0, 9)}, another name`);
  }
}

testOnEachStore(
  "errors about a name of a megabyte do not repeat all of it",
  async (open) => {
    await using store = await open();
    const key = "k".repeat(2 ** 20);
    await store.set("k", key, 1);
    const errors = [
      await assertRejects(() => store.set("k", `${key}\0`, 1)),
      await assertRejects(() => store.set("k", key, 2, { ifVersion: 7 })),
      await assertRejects(() => store.update(key, key, () => 1)),
      await assertRejects(() => store.set("k", key, undefined)),
      await assertRejects(() => store.get("k", "a", { [key]: 1 } as object)),
    ];
    for (const error of errors) {
      assertInstanceOf(error, Error);
      assert(error.message.length < 1_000, error.message.slice(0, 100));
    }
    assertStringIncludes((errors[0] as Error).message, "1048577 characters");
  },
);

// What is too long for SQLite. The real limit is met by a soak.

testOnEachDriver(
  "the driver refuses a length of more than 32 bits",
  async (driver) => {
    using connection = await connect(driver);
    const statement = connection.prepare("SELECT length(?) AS length");
    // Code that runs often is optimised, and optimised code has been wrong.
    for (let i = 0; i < 6_000; i++) {
      statement.get([i, "text", null, new Uint8Array(i % 50)][i % 4]);
      if (i % 1_000 === 0) await turn();
    }
    // Not touched, it takes no memory. Cut to 32 bits, the last has 10 bytes.
    for (const length of [2 ** 31, 2 ** 32 - 1, 2 ** 32 + 10]) {
      const bytes = new Uint8Array(length);
      const error = assertThrows(() => statement.get(bytes), SqlError);
      assertEquals(error.failure, "too_big");
    }
    assertEquals(statement.get(new Uint8Array(3))?.length, 3);
  },
);

testOnEachDriver(
  "C4 a value that is too long fails its own caller, and no other",
  async (driver) => {
    let rolledBack = 0;
    const small = await instrumentedDriver(driver.name, (sql, params) => {
      if (sql === "ROLLBACK") rolledBack++;
      const values = params.filter((param) => param instanceof Uint8Array);
      if (values.every(({ length }) => length <= 100)) return;
      throw new SqlError("too_big", "string or blob too big");
    });
    await using store = await openStore({
      path: ":memory:",
      driver: small,
      codec: raw,
    });
    const [fits, tooLong] = [new Uint8Array(100), new Uint8Array(101)];
    // To open a store is to look at the file in a transaction that only reads.
    rolledBack = 0;
    const outcomes = await Promise.allSettled([
      store.set("k", "a", fits),
      store.set("k", "long", tooLong),
      store.set("k", "b", fits),
      store.setAll("k", { c: fits, long: tooLong, z: fits }),
      store.update("k", "a", () => tooLong),
      store.atomic().delete("k", "a").set("k", "long", tooLong).commit(),
      store.set("k", "d", fits),
    ]);
    assertEquals(rolledBack, 0, "transactions that failed");
    assertEquals(
      outcomes.map(({ status }) => status === "fulfilled"),
      [true, false, true, false, false, false, true],
    );
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      const { reason } = outcome;
      assertInstanceOf(reason, StoreTooLargeError);
      assertEquals(reason.code, "TOO_LARGE");
      for (const part of ['"k"/"', "101 bytes", "1000000000 bytes"]) {
        assertStringIncludes(reason.message, part);
      }
    }
    const { reason } = outcomes[4] as PromiseRejectedResult;
    assertStringIncludes(reason.message, "the one before of 100 bytes");
    assertEquals(await store.keys("k"), ["a", "b", "d"]);
    assertEquals((await store.set("k", "e", fits)).revision, 4);
  },
);

testOnEachDriver(
  "a name that is too long is refused by every operation, with its size",
  async (driver) => {
    const small = await instrumentedDriver(driver.name, (_sql, params) => {
      if (!params.some((param) => `${param}`.length > 1_000)) return;
      throw new SqlError("too_big", "string or blob too big");
    });
    await using store = await openStore({ path: ":memory:", driver: small });
    await store.set("k", "a", 1);
    const long = "ö".repeat(1_001);
    const operations: Record<string, () => Promise<unknown>> = {
      get: () => store.get("k", long),
      entry: () => store.entry(long, "a"),
      keys: () => store.keys("k", { start: long }),
      set: () => store.set("k", long, 1),
      setAll: () => store.setAll(long, { a: 1, b: 2 }),
      update: () => store.update(long, "a", () => 1, { initial: 0 }),
      delete: () => store.delete("k", long),
      atomic: () => store.atomic().set("k", "b", 1).delete("k", long).commit(),
    };
    for (const [name, operation] of Object.entries(operations)) {
      const error = await assertRejects(operation, StoreTooLargeError);
      assertEquals(error.code, "TOO_LARGE", name);
      for (const size of [/ 200[23] bytes/, / 1000000000 bytes/]) {
        assertMatch(error.message, size, name);
      }
    }
    assertEquals(await store.keys("k"), ["a"]);
  },
);

// Text.

/** Of every plane its first, a middle and its last character; and what is special. */
const TEXTS = [
  ...Array.from(
    { length: 17 },
    (_, plane) =>
      [plane === 0 ? 1 : 0, 0x8ac5, 0xfffd, 0xfffe, 0xffff]
        .map((low) => String.fromCodePoint(plane * 0x10000 + low)),
  ).flat(),
  ...["\ud7ff", "\ue000", "\u{10000}", "\u{10ffff}"],
  // Marks and orders of them that normalisation would change.
  ...["é", "e\u0301", "\u212b", "Å", "ﬁ", "q\u0307\u0323", "q\u0323\u0307"],
  ...["\u200f", "\u202eabc", "a\u2066b\u2069", "\u200d", "\u00ad"],
  ...["👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "👍🏽"],
  ...["\ufeff", "\ufeffa", "a\ufeff", "\ufeff\ufeffa", "\ufffe"],
  ...["\u2028", "\u2029", "\u0085", "\u007f", "\u009f"],
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  ...["a ", "a  ", " a", "a\n", "a\r\n", "a\r", "\t", " ", "a\u00a0", "."],
  ...["A", "a", "İ", "i̇", "ı", "ß", "ss", "ẞ"],
  ...["1", "01", "1.0", "1e0", "+1", "NULL", "null", "true", "NaN", "-0"],
  ...["%", "_", "*", "?", "[a]", "?1", ":a", "@a", "$a", '"', "'", "`", "\\"],
  ...["'; DROP TABLE zestor_kv; --", "') OR 1=1 --", "a\\' b", "%s%n", "${a}"],
  ...["../../etc/passwd", "a/b", "a//b", "/", "file:a?mode=ro", "CON", "a."],
  ...["__proto__", "constructor", "prototype", "hasOwnProperty", "then"],
  ...["toString", "valueOf", "toJSON", "length", "name", "size", "undefined"],
];

testOnEachStoreAndFile(
  "any text is a kind, a key and a prefix",
  async (open) => {
    await using store = await open();
    const texts = [...new Set(TEXTS)];
    const sorted = texts.toSorted((a, b) =>
      Buffer.compare(bytesOf(a), bytesOf(b))
    );
    const events = store.watch("keys").getReader();
    const all = store.atomic();
    for (const text of texts) all.set("keys", text, text).set(text, text, text);
    await all.commit();
    assertEquals(await store.keys("keys"), sorted);
    assertEquals(
      (await store.kinds()).filter((kind) => kind !== "keys"),
      sorted,
    );
    assertEquals((await store.getAll()).size, texts.length + 1);
    for (const text of texts) {
      const what = JSON.stringify(text);
      const event = await next(events);
      assertEquals([event.key, event.value], [text, text], what);
      assertEquals(await store.get("keys", text), text, what);
      assertEquals([...await store.list(text)], [[text, text]], what);
      assertEquals(await store.kind(text).keys(), [text], what);
      const prefixed = sorted.filter((other) => other.startsWith(text));
      assertEquals(await store.keys("keys", { prefix: text }), prefixed, what);
      const { length } = sorted.slice(sorted.indexOf(text));
      assertEquals(await store.count("keys", { start: text }), length, what);
      const watch = store.watch("keys", { initial: true, prefix: text });
      const replay = watch.getReader();
      const replayed = await take(replay, prefixed.length);
      assertEquals(replayed.map(({ key }) => key), prefixed, what);
      await replay.cancel();
    }
    await events.cancel();
    assertEquals((await store.delete("keys", "__proto__"))?.value, "__proto__");
    assertEquals(await store.count("keys"), texts.length - 1);
  },
);

/** What no name can be, and every value. */
const UNNAMABLE = [
  "\0",
  "a\0b",
  "\ud800",
  "\udfff",
  "\ude00\ud83d",
  "😀\ud83d",
];

for (const codec of [json, yaml]) {
  testOnEachStore(`${codec.name}: any text is a value`, async (open) => {
    await using store = await open({ codec });
    const texts = [...new Set(TEXTS), ...UNNAMABLE];
    const values: unknown[] = [
      ...texts,
      texts,
      texts.map((text) => ({ [text]: { [text]: text } })),
      Object.fromEntries(texts.map((text) => [text, text])),
      texts.join(""),
      texts.join("\n"),
    ];
    await assertKept(store, values);
  });
}

testOnEachStore("invalid names are refused in ranges", async (open) => {
  await using store = await open();
  for (const text of UNNAMABLE) {
    for (const option of ["prefix", "start", "end"]) {
      const options = { [option]: text };
      await assertRejects(() => store.keys("k", options), InvalidNameError);
    }
    assertThrows(() => store.watch("k", { prefix: text }), InvalidNameError);
  }
});

/** Asserts that values come back the same by reads, live events, replay and delete. */
async function assertKept(store: Store, values: unknown[]): Promise<void> {
  const live = store.watch("v").getReader();
  const entries = values.map((value, i) =>
    [String(i).padStart(6, "0"), value] as const
  );
  await store.setAll("v", entries);
  const replay = store.watch("v", { initial: true }).getReader();
  const list = await store.list("v");
  for (const [key, value] of entries) {
    assertIdentical(list.get(key), value, key);
    assertIdentical(await store.get("v", key), value, key);
    assertIdentical((await next(live)).value, value, key);
    assertIdentical((await next(replay)).value, value, key);
    const { status } = await store.update("v", key, (value) => value);
    assertEquals(status, "unchanged", key);
    assertIdentical((await store.delete("v", key))?.value, value, key);
  }
  await replay.cancel();
  for (const [key, value] of entries) {
    assertIdentical((await next(live)).value, value, key);
  }
  await live.cancel();
}

/** Also where assertEquals() would see no difference: in the order of properties, say. */
function assertIdentical(actual: unknown, expected: unknown, what: string) {
  if (Object.is(actual, expected)) return;
  assertEquals(shown(actual), shown(expected), what);
}

/** A value in full. */
function shown(value: unknown): string {
  return Deno.inspect(value, {
    depth: Infinity,
    iterableLimit: Infinity,
    strAbbreviateSize: Infinity,
  });
}

// Names that every object has already.

const INHERITED = [
  "__proto__",
  ...Object.getOwnPropertyNames(Object.prototype).filter((name) =>
    name !== "__proto__"
  ),
  ...["prototype", "then", "toJSON", "name", "encode", "decode", "signal"],
];

/** An object with an own property of each of those names. */
function inherited(value: unknown): Record<string, unknown> {
  const members = INHERITED.map((name) =>
    `${JSON.stringify(name)}:${JSON.stringify(value)}`
  );
  return JSON.parse(`{${members}}`);
}

for (const codec of [json, yaml]) {
  testOnEachStore(
    `${codec.name}: names that every object has are names of properties`,
    async (open) => {
      const before = Reflect.ownKeys(Object.prototype);
      await using store = await open({ codec });
      const value = inherited({ admin: true });
      await assertKept(store, [value, [inherited([inherited(1)])]]);
      await store.set("v", "a", value);
      const kept = await store.get("v", "a") as object;
      assertEquals(Object.keys(kept), INHERITED);
      assertStrictEquals(Object.getPrototypeOf(kept), Object.prototype);
      assert(!("admin" in kept));
      assert(!("admin" in {}));
      assertEquals(Reflect.ownKeys(Object.prototype), before);
    },
  );
}

// Deno itself takes `__proto__` away from objects, unless it is asked not to.
Deno.test("`__proto__` is an ordinary name", async () => {
  await using dir = await tempDir();
  const file = (path: string) => new URL(`../../src/${path}`, import.meta.url);
  const { code, stdout, stderr } = await runChild(
    dir.path,
    `import { openMemoryStore } from "${file("memory/open_memory_store.ts")}";
    import { yaml } from "${file("values/codecs/yaml.ts")}";
    const own = JSON.parse('{"__proto__":{"admin":true},"a":1}');
    for (const codec of [zestor.json, yaml]) {
      for (const open of [openMemoryStore, zestor.openStore]) {
        const options = { path: ":memory:", driver: "builtin", codec };
        const store = await open(options);
        await store.setAll("v", own);
        await store.set("v", "b", [own]);
        await store.set("__proto__", "__proto__", own);
        const all = Object.fromEntries(await store.list("v"));
        console.log(JSON.stringify([all, await store.get("__proto__", "__proto__")]));
        await store.close();
      }
    }
    console.log(Object.hasOwn(Object.prototype, "__proto__"), {}.admin);`,
    { permissions: ["--unstable-unsafe-proto"] },
  );
  const own = '{"__proto__":{"admin":true},"a":1}';
  const all = `{"__proto__":{"admin":true},"a":1,"b":[${own}]}`;
  const line = `[${all},${own}]`;
  const lines = [line, line, line, line, "true undefined"];
  assertEquals([stderr, stdout, code], ["", lines.join("\n"), 0]);
});

testOnEachStore(
  "setAll takes names that every object has, however they are given",
  async (open) => {
    await using store = await open();
    const given = {
      object: inherited(1),
      map: new Map(INHERITED.map((name) => [name, 1])),
      pairs: INHERITED.map((name) => [name, 1] as const),
    };
    for (const [kind, entries] of Object.entries(given)) {
      const { created } = await store.setAll(kind, entries);
      assertEquals(created, INHERITED.length, kind);
      assertEquals(await store.keys(kind), INHERITED.toSorted(), kind);
    }
    for (const kind of INHERITED) {
      assertEquals(await store.get(kind, "a"), undefined);
      assertEquals(await store.count(kind), 0);
    }
  },
);

testOnEachStore(
  "a kind is of its own codec and schema, not of what every object has",
  async (open) => {
    const loud: Codec = {
      name: "loud",
      encode: (value) => bytesOf(`${value}!`),
      decode: (bytes) => new TextDecoder().decode(bytes),
    };
    const refuse = () => {
      throw new Error("refused");
    };
    const schemas: Record<string, () => void> = { a() {} };
    await using store = await open({ codec: { a: loud }, schemas });
    for (const kind of INHERITED) {
      await store.set(kind, kind, { n: 1 });
      assertEquals(await store.get(kind, kind), { n: 1 });
    }
    await store.close();
    for (const kind of INHERITED) {
      await using other = await openMemoryLike(kind, loud, refuse);
      await other.set(kind, "a", "x");
      assertEquals(await other.get(kind, "a"), "x!");
      await assertRejects(
        () => other.set(`${kind} too`, "a", 1),
        ValidationError,
      );
    }
  },
);

/** Opens a store with a codec for a kind, and a schema for its neighbour. */
function openMemoryLike(kind: string, codec: Codec, schema: () => never) {
  return openStore({
    path: ":memory:",
    driver: "builtin",
    // Computed, so that `__proto__` is a property as any other.
    codec: { [kind]: codec },
    schemas: { [`${kind} too`]: schema },
  });
}

testOnEachStore(
  "maps of codecs and schemas that name no kinds are refused",
  async (open) => {
    const codecs: unknown[] = [
      new Map([["a", yaml]]),
      [yaml],
      "yaml",
      { a: undefined },
      { a: {} },
    ];
    for (const codec of codecs) {
      await assertRejects(() => open({ codec: codec as Codec }), TypeError);
    }
    for (const name of ["", ...UNNAMABLE]) {
      await assertRejects(
        () => open({ codec: { [name]: yaml } }),
        InvalidNameError,
      );
      await assertRejects(
        () => open({ schemas: { [name]: () => {} } }),
        InvalidNameError,
      );
    }
    await using store = await open();
    assertEquals(await store.kinds(), []);
  },
);

testOnEachStore("a value is never taken for a promise", async (open) => {
  await using store = await open();
  const values = [{ then: 1 }, { then: null }, { then: { then: "x" } }];
  await assertKept(store, values);
  const thenable = { then: (settle: (value: number) => void) => settle(1) };
  await assertRejects(() => store.set("v", "a", thenable), CodecError, "then");
  await assertRejects(
    () => store.setAll("v", { a: thenable }),
    CodecError,
    "then",
  );
  await assertRejects(
    () => store.update("v", "a", () => thenable, { initial: 0 }),
    TypeError,
    "promise",
  );
  assertEquals(await store.kinds(), []);
});

// Numbers, sizes and depths.

const NUMBERS = [
  ...[0, -0, 1, -1, 0.1, 1e308, -1e308, 5e-324, -5e-324, Number.MAX_VALUE],
  ...[2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e21],
  ...[2 ** 63, 2 ** 64, 1e-7, 123456789.123456789, Number.EPSILON],
];

for (const codec of [json, yaml]) {
  testOnEachStore(
    `${codec.name}: numbers come back, -0 as -0`,
    async (open) => {
      await using store = await open({ codec });
      await assertKept(store, [...NUMBERS, NUMBERS, { n: NUMBERS }]);
      for (const number of NUMBERS) {
        await store.set("n", "a", [number]);
        const [kept] = await store.get("n", "a") as number[];
        assert(Object.is(kept, number), `${kept} is not ${number}`);
      }
    },
  );
}

function nested(depth: number): unknown {
  let value: unknown = "innermost";
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let at = value; typeof at === "object" && at !== null; depth++) {
    [at] = Object.values(at);
  }
  return depth;
}

for (const codec of [json, yaml]) {
  testOnEachStore(
    `${codec.name}: values of any depth are kept, or refused by every write`,
    async (open) => {
      await using store = await open({ codec });
      const depths = [98, 1_000, 10_000, 100_000];
      await store.set("v", "shallow", 1);
      for (const depth of depths) {
        const value = nested(depth);
        const writes: Record<string, () => Promise<unknown>> = {
          set: () => store.set("v", "deep", value),
          setAll: () => store.setAll("v", { shallow: 2, deep: value }),
          update: () =>
            store.update("v", "deep", () => value, { initial: "any" }),
          initial: () =>
            store.update("v", "deep", (value) => value, { initial: value }),
          atomic: async () =>
            await store.atomic().set("v", "shallow", 2).set("v", "deep", value)
              .commit(),
        };
        for (const [name, write] of Object.entries(writes)) {
          const [outcome, beside] = await Promise.allSettled([
            write(),
            store.set("v", "beside", name),
          ]);
          assertEquals(beside.status, "fulfilled");
          const mayFail = depth > (codec === json ? 1_000 : 98);
          if (outcome.status === "fulfilled") {
            const kept = (await store.delete("v", "deep"))?.value;
            assertEquals(depthOf(kept), depth, name);
            await store.set("v", "shallow", 1);
          } else {
            assert(mayFail, `${name} of depth ${depth}: ${outcome.reason}`);
            assertInstanceOf(outcome.reason, CodecError, name);
            assertEquals(await store.get("v", "shallow"), 1, name);
            assertEquals(await store.get("v", "deep"), undefined, name);
          }
        }
      }
    },
  );

  testOnEachStore(
    `${codec.name}: what others wrote too deep is read, or a CodecError`,
    async (open) => {
      await using store = await open({ codec: written(codec) });
      for (const depth of [90, 1_000, 10_000, 200_000]) {
        const text = "[".repeat(depth) + "]".repeat(depth);
        await store.set("v", "deep", text);
        const reads: Record<string, () => Promise<unknown>> = {
          get: () => store.get("v", "deep"),
          list: async () => (await store.list("v")).get("deep"),
          getAll: async () => (await store.getAll()).get("v")?.get("deep"),
          watch: () => firstValue(store.watch("v", { initial: true })),
        };
        for (const [name, read] of Object.entries(reads)) {
          const [outcome] = await Promise.allSettled([read()]);
          if (outcome.status === "fulfilled") {
            assertEquals(depthOf(outcome.value), depth, name);
          } else assertInstanceOf(outcome.reason, CodecError, name);
        }
        const [outcome] = await Promise.allSettled([
          store.update("v", "deep", (value) => [value]),
        ]);
        if (outcome.status === "rejected") {
          assertInstanceOf(outcome.reason, CodecError);
        }
        assertEquals((await store.set("v", "deep", "[]")).status, "updated");
      }
    },
  );

  testOnEachStore(
    `${codec.name}: wide values come back, and long texts`,
    async (open) => {
      await using store = await open({ codec });
      const wide: Record<string, number> = {};
      for (let i = 0; i < 20_000; i++) wide[`p${i}`] = i;
      for (const value of [wide, Object.values(wide), "é😀".repeat(300_000)]) {
        await store.set("v", "a", value);
        assertIdentical(await store.get("v", "a"), value, "wide");
      }
    },
  );
}

async function firstValue(
  events: ReadableStream<WatchEvent>,
): Promise<unknown> {
  for await (const { value } of events) return value;
}

// Objects that are not what they seem.

/** What can be thrown, though nothing can be made of it. */
const THROWN: unknown[] = [
  new Error("no"),
  undefined,
  null,
  Symbol("no"),
  Object.create(null),
  {
    toString() {
      throw new Error("no text either");
    },
  },
  Object.defineProperty(new Error(), "message", {
    get() {
      throw new Error("no message either");
    },
  }),
];

testOnEachStore("the error of a value is the cause", async (open) => {
  for (const codec of [json, yaml]) {
    await using store = await open({ codec: { v: codec, w: codec } });
    for (const thrown of THROWN) {
      const fail = () => {
        throw thrown;
      };
      const values: unknown[] = [
        Object.defineProperty({}, "a", { get: fail, enumerable: true }),
        [{ a: new Proxy({}, { ownKeys: fail }) }],
        new Proxy({}, { getPrototypeOf: fail }),
        ...(codec === json ? [{ a: { toJSON: fail } }] : []),
      ];
      for (const value of values) {
        const outcomes = await Promise.allSettled([
          store.set("v", "a", value),
          store.setAll("v", { b: 1, c: value }),
          store.update("v", "a", () => value, { initial: 0 }),
        ]);
        for (const outcome of outcomes) {
          const { reason } = outcome as PromiseRejectedResult;
          assertInstanceOf(reason, CodecError);
          assert(Object.is(reason.cause, thrown), "the cause");
        }
        assertThrows(() => store.atomic().set("v", "a", value), CodecError);
      }
    }
    assertEquals(await store.kinds(), []);
  }
});

testOnEachStore("the error of a schema is the cause", async (open) => {
  let thrown: unknown;
  await using store = await open({
    schemas: {
      v() {
        throw thrown;
      },
    },
  });
  for (thrown of THROWN) {
    const error = await assertRejects(
      () => store.set("v", "a", 1),
      ValidationError,
    );
    assert(Object.is(error.cause, thrown), "the cause");
  }
  assertEquals(await store.kinds(), []);
});

testOnEachStore("a value is read once", async (open) => {
  for (const codec of [json, yaml]) {
    await using store = await open({ codec: { v: codec } });
    let reads = 0;
    // Only the first is what can be kept.
    const once = () => reads++ === 0 ? reads : undefined;
    const values: [value: () => unknown, kept: unknown][] = [
      [() => ({
        get a() {
          return once();
        },
      }), { a: 1 }],
      [
        () => [
          new Proxy({ a: 0 }, {
            get: (_, name) => name === "a" ? once() : undefined,
          }),
        ],
        [{ a: 1 }],
      ],
      [
        () => Object.defineProperty([0, 2], 0, { get: once, enumerable: true }),
        [1, 2],
      ],
    ];
    if (codec === json) {
      values.push([() => ({ a: { toJSON: once } }), { a: 1 }]);
      values.push([() => ({ b: { toJSON: (key: string) => key } }), {
        b: "b",
      }]);
    }
    for (const [value, kept] of values) {
      reads = 0;
      await store.set("v", "a", value());
      assertEquals(await store.get("v", "a"), kept);
    }
  }
});

testOnEachStore("a value that would be lost is refused", async (open) => {
  class Secret extends Map<string, number> {
    label = "seen";
  }
  const values: [what: string, value: unknown][] = [
    ["an Error with a code", Object.assign(new Error("no"), { code: 1 })],
    ["a Map with a property", new Secret([["a", 1]])],
    ["a RegExp with a property", Object.assign(/a/, { label: 1 })],
    ["a match", "abc".match(/b/)],
    ["an array with a name", Object.assign([1], { label: 1 })],
    ["a symbol as a name", { [Symbol("s")]: 1 }],
    ["a String", { s: new String("abc") }],
    ["a Number", [new Number(1)]],
    ["a thousand million holes", new Array(1_000_000_000)],
    ["a Buffer", { b: new Float64Array(2) }],
  ];
  for (const codec of [json, yaml]) {
    await using store = await open({ codec: { v: codec } });
    for (const [what, value] of values) {
      await assertRejects(
        () => store.set("v", "a", value),
        CodecError,
        "cannot represent",
        what,
      );
    }
    assertEquals(await store.kinds(), []);
  }
});

testOnEachStore(
  "frozen values and classes are kept by json",
  async (open) => {
    class Point {
      #hidden = 1;
      x = this.#hidden;
      declare y?: number;
    }
    await using store = await open();
    const frozen = Object.freeze({
      a: Object.freeze([Object.freeze({ b: 1 })]),
    });
    const { value } = await store.update("v", "a", () => frozen, {
      initial: 0,
    });
    assertStrictEquals(value, frozen);
    assertEquals(await store.get("v", "a"), { a: [{ b: 1 }] });
    await store.set("v", "b", [new Point(), Object.create(null), new Date(0)]);
    assertEquals(await store.get("v", "b"), [
      { x: 1 },
      {},
      "1970-01-01T00:00:00.000Z",
    ]);
  },
);

testOnEachStore(
  "bytes that a codec gives may be of any class, and change",
  async (open) => {
    const shared = new Uint8Array(8);
    await using store = await open({
      codec: {
        name: "view",
        encode: (value) => {
          shared.fill(value as number);
          return value === 2
            ? Buffer.from(shared.buffer, 2, 3)
            : shared.subarray(1, 4);
        },
        decode: (bytes) => [...bytes],
      },
    });
    const writes = [1, 2, 3].map((n) => store.set("v", `${n}`, n));
    shared.fill(9);
    await Promise.all(writes);
    assertEquals([...(await store.list("v")).values()], [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ]);
  },
);

testOnEachStore("an encoding that is not bytes is refused", async (open) => {
  let given: unknown;
  const codec: Codec = {
    name: "odd",
    encode: () => given as Uint8Array,
    decode: (bytes) => bytes,
  };
  await using store = await open({ codec });
  const odd = [
    undefined,
    "text",
    [1, 2],
    new ArrayBuffer(2),
    new Uint16Array(2),
  ];
  for (given of odd) {
    await assertRejects(
      () => store.set("v", "a", 1),
      CodecError,
      "Uint8Array",
    );
  }
  assertEquals(await store.kinds(), []);
});

// Hostile YAML.

/** Nine times nine times nine …: a few hundred characters, and no end in sight. */
const LAUGHS = Array.from(
  { length: 30 },
  (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`,
);

const BOMBS = {
  "a billion laughs": ["a0: &a0 [ha]", ...LAUGHS].join("\n"),
  "a long text many times": `a: &a "${"ha".repeat(100_000)}"\nb: [${
    Array(1_000).fill("*a")
  }]`,
  "a list of itself": "&a [*a]",
  "a map of itself": "a: &a\n  b: {c: [*a]}",
  "several documents": "a: 1\n---\nb: 2",
  "a function": "!!js/function 'function () { return 1 }'",
  "a tag of one's own": "%TAG !e! tag:example.com,2000:\n---\n!e!user {a: 1}",
  "a tag named as what every object has": "!<constructor> {a: 1}",
  "an alias of what every object has": "a: *__proto__",
};

testOnEachStore(
  "a YAML bomb is a CodecError, not a long wait",
  async (open) => {
    await using store = await open({ codec: written(yaml) });
    const events = store.watch("v").getReader();
    for (const [what, bomb] of Object.entries(BOMBS)) {
      await store.set("v", "a", bomb);
      const reads = [
        () => store.get("v", "a"),
        () => store.list("v"),
        () => store.update("v", "a", (value) => [value]),
        () => store.delete("v", "a"),
        () => Array.fromAsync(store.watch("v", { initial: true })),
      ];
      for (const read of reads) await assertRejects(read, CodecError, "", what);
      assertEquals(await store.keys("v"), ["a"], what);
      await store.atomic().delete("v", "a").commit();
    }
    await assertRejects(() => events.read(), CodecError);
    await store.set("v", "a", "a: &a [1]\nb: [*a, *a]\nc: {<<: {d: *a}}");
    assertEquals(await store.get("v", "a"), {
      a: [1],
      b: [[1], [1]],
      c: { d: [1] },
    });
  },
);

testOnEachStore("YAML of others sets no prototype", async (open) => {
  await using store = await open({ codec: written(yaml) });
  const texts = [
    "a: &a {__proto__: {admin: 1}}\nb:\n  <<: *a\n",
    "b: {<<: {__proto__: {admin: 1}}}",
    "b: {<<: [{__proto__: {admin: 1}}, {constructor: {prototype: {admin: 1}}}]}",
    "b: {! __proto__: {admin: 1}}",
    'b: {"__proto__": {admin: 1}}',
  ];
  for (const text of texts) {
    await store.set("v", "a", text);
    const { b } = await store.get("v", "a") as { b: object };
    assertStrictEquals(Object.getPrototypeOf(b), Object.prototype, text);
    assert(!("admin" in b), text);
    assert(!("admin" in {}), text);
  }
});

testOnEachDriver("values from plain SQL are as hostile", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("store.db");
  await using store = await openStore({ path, driver: driver.name });
  const events = store.watch("v").getReader();
  using sql = await connect(driver, { path, mode: "rwc" });
  const put = sql.prepare(
    "INSERT OR REPLACE INTO zestor_kv (kind, key, value) VALUES ('v', ?, ?)",
  );
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  put.run("__proto__", '{"__proto__":{"admin":true}}');
  put.run("bom", bytesOf("\ufeff1"));
  put.run("deep", deep);
  const first = await next(events) as WatchEvent<object>;
  assertEquals(Object.keys(first.value), ["__proto__"]);
  assertStrictEquals(Object.getPrototypeOf(first.value), Object.prototype);
  assertEquals((await next(events)).value, 1);
  assertEquals(depthOf((await next(events)).value), 100_000);
  await events.cancel();
  for (const text of ["", "{", "\0", "1 2", "{'a': 1}", "NaN", "[1,]"]) {
    put.run("bad", bytesOf(text));
    await assertRejects(() => store.get("v", "bad"), CodecError);
  }
  put.run("bad", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]));
  await assertRejects(() => store.list("v"), CodecError, "bad");
  assertEquals(await store.count("v"), 4);
  await store.set("v", "bad", "mended");
  assertEquals((await store.list("v")).size, 4);
});
