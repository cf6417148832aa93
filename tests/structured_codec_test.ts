/**
 * The structured codec: it keeps a value exactly or refuses it, gives equal
 * values equal bytes, and decodes whatever bytes there are without harm.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  AssertionError,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { structured } from "../src/values/codecs/structured.ts";
import { type Random, withSeed } from "./support/random.ts";
import { randomValue } from "./support/random_values.ts";

function roundTrip<T>(value: T): T {
  return structured.decode(structured.encode(value)) as T;
}

/** Throws unless two values are the same, holes and classes included. */
function assertSame(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError(Deno.inspect({ actual, expected }));
}

function assertKept(value: unknown): void {
  const bytes = structured.encode(value);
  const decoded = structured.decode(bytes);
  assertSame(decoded, value);
  assertEquals(structured.encode(decoded), bytes);
}

/** What V8 itself writes, as Deno KV does. */
function nativeBytes(value: unknown): Uint8Array {
  const serializer = new v8.Serializer() as v8.Serializer & {
    _setTreatArrayBufferViewsAsHostObjects?(yes: boolean): void;
  };
  serializer._setTreatArrayBufferViewsAsHostObjects?.(false);
  serializer.writeHeader();
  serializer.writeValue(value);
  return new Uint8Array(serializer.releaseBuffer());
}

const cycle: Record<string, unknown> = { list: [] };
cycle.map = new Map<unknown, unknown>([[cycle, new Set([cycle])]]);
(cycle.list as unknown[]).push(cycle);

const buffer = Uint8Array.from({ length: 16 }, (_, i) => i).buffer;

const kept: Record<string, unknown> = {
  "null and booleans": [null, true, false],
  "integers": [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, -1e21],
  "other numbers": [0.1, -0, NaN, Infinity, -Infinity, 5e-324],
  "BigInts": [0n, 1n, -1n, 2n ** 63n, -(2n ** 64n), 10n ** 100n],
  "strings": ["", "a", "é\xff", "€", "a\ud800b", "👩‍🚀", "\0", "\ufeffa"],
  "long strings": ["a".repeat(5000), "é".repeat(5000), "€".repeat(5001)],
  "long strings with lone surrogates": ["\udc00".repeat(5001)],
  "undefined within a value": { a: undefined, list: [undefined] },
  "property names": {
    "": 1,
    7: 2,
    4294967294: 3,
    4294967295: 4,
    "-1": 5,
    é: 6,
  },
  "a property __proto__": JSON.parse('{"__proto__":{"admin":true},"a":1}'),
  // deno-lint-ignore no-sparse-arrays -- it is the subject
  "holes": [[, 1], [1, , undefined], new Array(3), new Array(4294967295)],
  "named properties of arrays": [
    Object.assign([1, 2], { x: 1 }),
    Object.assign(new Array(2), { x: 1 }),
    "ab".match(/(?<first>a)/) && Object.assign([], { "": 1 }),
  ],
  "maps": new Map<unknown, unknown>([[1, 2], ["a", {}], [NaN, new Map()]]),
  "sets": new Set([1, "1", undefined, new Set([{}])]),
  "dates": [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)],
  "regular expressions": [
    /a\/b/dgimsuy,
    /[\p{L}]/v,
    new RegExp(""),
  ],
  "objects of primitives": [
    Object(true),
    Object(false),
    Object(-0),
    Object(1n),
    Object("a€"),
  ],
  "ArrayBuffers": [new ArrayBuffer(0), buffer],
  "typed arrays": [
    new Int8Array([-1]),
    new Uint8Array([1, 2]),
    new Uint8ClampedArray([300]),
    new Int16Array([-1]),
    new Uint16Array([1]),
    new Int32Array([-1]),
    new Uint32Array([1]),
    new Float16Array([1.5, NaN]),
    new Float32Array([1.5]),
    new Float64Array([-0, NaN]),
    new BigInt64Array([-1n]),
    new BigUint64Array([1n]),
    new DataView(new ArrayBuffer(3)),
    new Uint8Array(),
  ],
  "a megabyte": new Uint8Array(2 ** 20).fill(7),
  "cycles": cycle,
};

for (const [what, value] of Object.entries(kept)) {
  Deno.test(`structured keeps ${what}`, () => assertKept(value));

  Deno.test(`structured and V8 read each other's bytes: ${what}`, () => {
    const native = v8.deserialize(structured.encode(value) as Buffer);
    assertSame(native, value);
    const decoded = structured.decode(nativeBytes(value));
    assertSame(decoded, value);
  });
}

Deno.test("structured keeps errors of the language's classes", () => {
  const causes = [undefined, { a: 1 }, new RangeError("inner")];
  const errors = [
    new Error(),
    new Error(""),
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError]
      .flatMap((Class) => causes.map((cause) => new Class("m", { cause }))),
    new URIError("no cause"),
  ];
  for (const error of errors) {
    const decoded = roundTrip(error);
    assertStrictEquals(decoded.constructor, error.constructor);
    assertStrictEquals(decoded.stack, error.stack);
    for (const name of ["message", "cause", "stack"] as const) {
      assertEquals(Object.hasOwn(decoded, name), Object.hasOwn(error, name));
      assertStrictEquals(Object.keys(decoded).length, 0);
    }
    assertEquals(decoded.message, error.message);
    assertEquals(structured.encode(decoded), structured.encode(error));
    assertEquals(Deno.inspect(decoded.cause), Deno.inspect(error.cause));
  }
  const bare = new TypeError("m");
  delete bare.stack;
  assertEquals(Object.hasOwn(roundTrip(bare), "stack"), false);
});

Deno.test("structured keeps an error that is its own cause", () => {
  const error = new Error("m", { cause: null });
  error.cause = error;
  const decoded = roundTrip(error);
  assertStrictEquals(decoded.cause, decoded);
});

Deno.test("structured keeps which parts are the same object", () => {
  const part = { a: 1 };
  const [one, other, third] = roundTrip([part, part, { a: 1 }]);
  assertStrictEquals(one, other);
  assertNotStrictEquals(one, third);
  const decoded = roundTrip(cycle);
  assertStrictEquals((decoded.list as unknown[])[0], decoded);
});

Deno.test("structured keeps the part of a buffer that a view sees, and no more", () => {
  const view = new Uint8Array(buffer, 3, 2);
  const bytes = structured.encode({ view });
  assertEquals(
    bytes,
    structured.encode({ view: new Uint8Array([3, 4]) }),
  );
  const { view: decoded } = structured.decode(bytes) as { view: Uint8Array };
  assertEquals([...decoded], [3, 4]);
  assertStrictEquals(decoded.buffer.byteLength, 2);
});

Deno.test("structured keeps shared buffers shared", () => {
  const value = {
    first: new Uint8Array(buffer, 0, 8),
    second: new Uint16Array(buffer, 8, 2),
    alone: new Uint8Array([1]),
    whole: buffer,
    third: new DataView(buffer, 1),
    again: null as unknown,
  };
  value.again = value.first;
  assertKept(value);
  const decoded = roundTrip(value);
  for (const view of [decoded.first, decoded.second, decoded.third]) {
    assertStrictEquals(view.buffer, decoded.whole);
  }
  assertStrictEquals(decoded.second.byteOffset, 8);
  assertStrictEquals(decoded.first, decoded.again);
  decoded.first[1] = 99;
  assertStrictEquals(decoded.third.getUint8(0), 99);
  assertStrictEquals(roundTrip({ b: buffer, v: value.first }).b.byteLength, 16);
});

Deno.test("structured gives an object without a prototype back as a plain one", () => {
  const value = Object.assign(Object.create(null), { a: 1 });
  assertStrictEquals(Object.getPrototypeOf(roundTrip(value)), Object.prototype);
  assertEquals(roundTrip(Object.freeze({ a: 1 })), { a: 1 });
});

// What it refuses.

class Point {
  constructor(readonly x: number) {}
}

const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
const detached = new ArrayBuffer(8);
const detachedView = new Uint8Array(detached);
detached.transfer();

/** A property that is not enumerable. */
function hidden(value: object): object {
  return Object.defineProperty(value, "x", { value: 1 });
}

function getter(value: object, name: string | number): object {
  return Object.defineProperty(value, name, { get: () => 1, enumerable: true });
}

function named<T extends object>(value: T): T {
  return Object.assign(value, { x: 1 });
}

const refused: [what: string, value: unknown, message: string][] = [
  ["a function", () => {}, "a function at a[0]"],
  ["a class", Point, "a function at a[0]"],
  ["a symbol", Symbol("s"), "a symbol at a[0]"],
  ["a symbol's object", Object(Symbol("s")), "a Symbol at a[0]"],
  ["an instance of a class", new Point(1), "a Point at a[0]"],
  ["a subclass of Map", new (class M extends Map {})(), "a M at a[0]"],
  ["a subclass of Array", new (class List extends Array {})(), "a List at"],
  ["a subclass of Uint8Array", Buffer.from("a"), "a Buffer at a[0]"],
  ["a subclass of Date", new (class Day extends Date {})(), "a Day at a[0]"],
  ["a subclass of Error", new (class E extends Error {})(), "an E at a[0]"],
  ["a getter", {
    get b() {
      return 1;
    },
  }, "a getter or setter at a[0].b"],
  ["a setter", {
    set b(value: unknown) {
      void value;
    },
  }, "a getter or setter at a[0].b"],
  ["a getter of an array", getter([1], 0), "a getter or setter at a[0][0]"],
  ["a hidden property", hidden({}), "not enumerable at a[0].x"],
  ["a hidden property of an array", hidden([1]), "not enumerable at a[0].x"],
  ["a symbol as a name", { [Symbol("s")]: 1 }, "a symbol as a property's name"],
  [
    "a symbol as an array's name",
    Object.assign([], { [Symbol("s")]: 1 }),
    "a symbol",
  ],
  ["a WeakMap", new WeakMap(), "a WeakMap at a[0]"],
  ["a WeakSet", new WeakSet(), "a WeakSet at a[0]"],
  ["a WeakRef", new WeakRef({}), "a WeakRef at a[0]"],
  ["a promise", Promise.resolve(1), "a Promise at a[0]"],
  ["a stream", new ReadableStream(), "a ReadableStream at a[0]"],
  ["a generator", (function* () {})(), "at a[0]"],
  ["an iterator", [].values(), "at a[0]"],
  ["a URL", new URL("https://example.com"), "a URL at a[0]"],
  ["a Blob", new Blob(["a"]), "a Blob at a[0]"],
  ["a Proxy", new Proxy({ a: 1 }, {}), "a Proxy at a[0]"],
  ["a Proxy of an array", new Proxy([1], {}), "a Proxy at a[0]"],
  ["a SharedArrayBuffer", new SharedArrayBuffer(1), "a SharedArrayBuffer at"],
  [
    "a view of a SharedArrayBuffer",
    new Uint8Array(new SharedArrayBuffer(1)),
    "a view of a SharedArrayBuffer at a[0]",
  ],
  ["a resizable ArrayBuffer", resizable, "a resizable ArrayBuffer at a[0]"],
  ["a view of one", new Uint8Array(resizable, 0, 1), "a resizable ArrayBuffer"],
  ["a detached ArrayBuffer", detached, "a detached ArrayBuffer at a[0]"],
  ["a view of one that is detached", detachedView, "a detached ArrayBuffer"],
  ["a buffer with a property", named(new ArrayBuffer(1)), "the property x"],
  [
    "a view of such a buffer",
    new Uint8Array(named(new ArrayBuffer(1))),
    "the property x at a[0]",
  ],
  [
    "bytes with a property",
    named(new Uint8Array(3)),
    "a Uint8Array with the property x at a[0]",
  ],
  [
    "many bytes with a property",
    named(new Uint8Array(3000)),
    "with the property x",
  ],
  [
    "many bytes with a hidden property",
    hidden(new Uint8Array(3000)),
    "with the property x",
  ],
  [
    "many bytes with a symbol",
    Object.assign(new Float64Array(300), { [Symbol("s")]: 1 }),
    "Symbol(s)",
  ],
  [
    "a DataView with a property",
    named(new DataView(new ArrayBuffer(1))),
    "the property x",
  ],
  ["a Map with a property", named(new Map()), "a Map with the property x at"],
  ["a Set with a property", named(new Set()), "a Set with the property x at"],
  [
    "a Map with a hidden property",
    hidden(new Map()),
    "a Map with the property x",
  ],
  ["a Date with a property", named(new Date()), "a Date with the property x"],
  ["a RegExp with a property", named(/a/), "a RegExp with the property x"],
  ["a RegExp in use", Object.assign(/a/g, { lastIndex: 1 }), "lastIndex"],
  ["a String with a property", named(new String("ab")), "the property x"],
  ["a Number with a property", named(new Number(1)), "the property x"],
  [
    "an Error with a property",
    Object.assign(new Error(), { code: 1 }),
    "an Error with the property code at a[0]",
  ],
  [
    "an Error with a name",
    Object.assign(new Error(), { name: "E" }),
    "the property name",
  ],
  [
    "an Error with an enumerable cause",
    Object.assign(new Error(), { cause: 1 }),
    "a[0].cause",
  ],
  [
    "an Error whose message is no string",
    Object.defineProperty(new Error("m"), "message", { value: 1 }),
    "a[0].message",
  ],
  [
    "an Error with a getter",
    Object.defineProperty(new Error(), "message", { get: () => "m" }),
    "a getter at a[0].message",
  ],
  ["an AggregateError", new AggregateError([]), "an AggregateError at a[0]"],
  ["a DOMException", new DOMException("m"), "a DOMException at a[0]"],
  ["a borrowed prototype", Object.create(Map.prototype), "a Map at a[0]"],
  ["an object of another object", Object.create({}), "not a plain one at a[0]"],
  [
    "a Map that was made plain",
    Object.setPrototypeOf(new Map(), Object.prototype),
    "not a plain one",
  ],
  [
    "bytes of another class",
    Object.setPrototypeOf(new Uint8Array(1), Int8Array.prototype),
    "at a[0]",
  ],
  [
    "arguments",
    (function () {
      return arguments;
    })(),
    "at a[0]",
  ],
  ["a namespace", Math, "at a[0]"],
  ["an object of another realm", runInNewContext("({})"), "at a[0]"],
];

for (const [what, value, message] of refused) {
  Deno.test(`structured refuses ${what}`, () => {
    const encode = () => structured.encode({ a: [value] });
    assertThrows(encode, TypeError, message);
  });
}

Deno.test("structured refuses undefined as a whole value", () => {
  assertThrows(() => structured.encode(undefined), TypeError, "undefined");
});

Deno.test("structured names the place of a refused part in maps, sets and causes", () => {
  const run = () => {};
  const places: [value: unknown, place: string][] = [
    [new Map([["a", run]]), 'a function at get("a")'],
    [new Map([[1, { run }]]), "a function at values()[0].run"],
    [new Map([[1, 1 as unknown], [run, 1]] as never), "at keys()[1]"],
    [{ tags: new Set([1, [run]]) }, "a function at tags.values()[1][0]"],
    [{ e: new Error("m", { cause: run }) }, "a function at e.cause"],
  ];
  for (const [value, place] of places) {
    assertThrows(() => structured.encode(value), TypeError, place);
  }
});

Deno.test("structured keeps 1000 levels, and refuses more", () => {
  let value: unknown = 1;
  for (let i = 0; i < 1000; i++) {
    value = i % 2 ? [value] : new Map([[value, { value }.value]]);
  }
  const bytes = structured.encode(value);
  assertEquals(structured.encode(structured.decode(bytes)), bytes);
  assertThrows(() => structured.encode({ value }), TypeError, "1000 levels");
});

// Equal values.

Deno.test("structured gives equal values equal bytes, however the engine holds them", () => {
  const doubles = [1.5, 2, 3];
  doubles[0] = 1;
  const holey = new Array(3);
  [holey[0], holey[1], holey[2]] = [1, 2, 3];
  const dictionary: number[] = [];
  dictionary[100_000] = 1;
  dictionary.length = 0;
  dictionary.push(1, 2, 3);
  for (const array of [doubles, holey, dictionary]) {
    assertEquals(structured.encode(array), structured.encode([1, 2, 3]));
  }
  const wide = "€ab".slice(1).concat("c");
  assertEquals(structured.encode(wide), structured.encode("abc"));
  const deleted: Record<string, number> = { x: 0, a: 1, b: 2 };
  delete deleted.x;
  assertEquals(structured.encode(deleted), structured.encode({ a: 1, b: 2 }));
  assertEquals(
    structured.encode({ n: 0.5 + 0.5 }),
    structured.encode({ n: 1 }),
  );
});

Deno.test("structured takes another order for another value", () => {
  const pairs: [unknown, unknown][] = [
    [{ a: 1, b: 2 }, { b: 2, a: 1 }],
    [new Set([1, 2]), new Set([2, 1])],
    [new Map([[1, 1], [2, 2]]), new Map([[2, 2], [1, 1]])],
  ];
  for (const [one, other] of pairs) {
    assert(structured.encode(one).toHex() !== structured.encode(other).toHex());
    assertEquals(Deno.inspect(roundTrip(other)), Deno.inspect(other));
  }
});

Deno.test("structured keeps random values", () =>
  withSeed("structured values", (random) => {
    for (let i = 0; i < 3000; i++) {
      const value = randomValue(random);
      assertKept(value);
      const bytes = structured.encode(value);
      const native = v8.deserialize(bytes as Buffer);
      assertSame(native, value);
      // V8 makes the same value, and holds it in another way.
      const again = structured.decode(nativeBytes(value));
      assertEquals(structured.encode(again), bytes);
    }
  }));

// Bytes by another hand.

/** Decodes bytes that may be no value: it gives one that can be encoded, or a `SyntaxError`. */
function decodeAny(bytes: Uint8Array): void {
  let value: unknown;
  try {
    value = structured.decode(bytes);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return;
  }
  if (value !== undefined) assertKept(value);
}

Deno.test("structured refuses values that are cut short, or have more after them", () => {
  for (const value of Object.values(kept)) {
    const bytes = structured.encode(value);
    const step = Math.ceil(bytes.length / 300);
    for (let length = 0; length < bytes.length; length += step) {
      assertThrows(
        () => structured.decode(bytes.subarray(0, length)),
        SyntaxError,
        "before byte",
      );
    }
    const longer = new Uint8Array([...bytes.slice(0, 1e5), 0x30]);
    assertThrows(() => structured.decode(longer), SyntaxError);
  }
});

Deno.test("structured decodes damaged values, or refuses them, without harm", () =>
  withSeed("damaged structured values", (random) => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = structured.encode(randomValue(random));
      damage(bytes, random);
      decodeAny(bytes);
    }
  }));

Deno.test("structured decodes random bytes, or refuses them, without harm", () =>
  withSeed("random structured bytes", (random) => {
    const tags = "_0TFIUNZS\"c^o{A$a@-;:',DRyxnzsBVru~\\mstc.\0\x01\x02\x7f";
    for (let i = 0; i < 50_000; i++) {
      const length = random.below(30);
      const text = Array.from({ length }, () => random.pick([...tags]));
      decodeAny(
        new Uint8Array([0xff, 15, ...new TextEncoder().encode(text.join(""))]),
      );
    }
  }));

function damage(bytes: Uint8Array, random: Random): void {
  for (let count = random.between(1, 3); count > 0; count--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
}

/** 2^32 - 1 as the format has it. */
const MOST = "ffffffff0f";

const notValues: [what: string, hex: string][] = [
  ["nothing", ""],
  ["JSON", "7b7d"],
  ["a newer version", "ff1030"],
  ["an older version", "ff0e30"],
  ["no value", "ff0f"],
  ["a string of 4 GB", `ff0f22${MOST}61`],
  ["a string of 4 GB in UTF-8", `ff0f53${MOST}61`],
  ["a string of two bytes for each character and 4 GB", "ff0f63feffffff0f6161"],
  ["half a character", "ff0f6303616161"],
  ["a string that is not UTF-8", "ff0f5301ff"],
  ["an array of 4 G items", `ff0f41${MOST}30`],
  ["bytes of 4 GB", `ff0f42${MOST}00`],
  ["a BigInt of 2 GB", `ff0f5a${MOST}00`],
  ["an integer of 64 bits", "ff0f49ffffffffffffffffff01"],
  ["a reference to nothing", "ff0f5e00"],
  ["a reference to what is to come", "ff0f41015e0124000130"],
  ["a wrong count of properties", "ff0f6f22016149027b02"],
  [
    "a property that comes twice",
    "ff0f6f2201614902220161490 47b02".replace(" ", ""),
  ],
  ["a property whose name is an object", "ff0f6f6f7b0049027b01"],
  ["a property whose name is a fraction", "ff0f6f4e000000000000e03f49027b01"],
  ["a wrong count of items", "ff0f41014902240002"],
  ["an index past the end", "ff0f610149 0449024001 01".replaceAll(" ", "")],
  [
    "the length of an array as a property",
    "ff0f6101" + "22066c656e677468" + "49024001" + "01",
  ],
  ["a key that comes twice", "ff0f3b49024902490249023a04"],
  ["an item that comes twice", "ff0f27490249022c02"],
  ["a RegExp that is none", "ff0f5222012800"],
  ["a RegExp with an unknown flag", "ff0f5222016140"],
  ["a RegExp with flags that exclude each other", "ff0f522201619002"],
  ["a view past the end of its buffer", "ff0f42020000" + "56420103" + "00"],
  ["a view within an element", "ff0f420400000000" + "56570102" + "00"],
  ["a view of no class", "ff0f42020000" + "567a0002" + "00"],
  [
    "a view that follows its buffer's length",
    "ff0f42020000" + "56420002" + "01",
  ],
  ["a resizable ArrayBuffer", "ff0f7e02040000"],
  ["a view without a buffer", "ff0f5642000000"],
  ["an object of the program", "ff0f5c01020102"],
  ["an error without an end", "ff0f726d220161"],
  ["an error with two messages", "ff0f726d2201616d2201622e"],
  ["a hole outside of an array", "ff0f2d"],
];

for (const [what, hex] of notValues) {
  Deno.test(`structured refuses to decode ${what}`, () => {
    assertThrows(
      () => structured.decode(Uint8Array.fromHex(hex)),
      SyntaxError,
    );
  });
}

Deno.test("structured refuses to decode more than 1000 levels", () => {
  const levels = (count: number) =>
    Uint8Array.fromHex(
      `ff0f${"4101".repeat(count)}30${"240001".repeat(count)}`,
    );
  structured.decode(levels(1000));
  for (const count of [1001, 1_000_000]) {
    assertThrows(
      () => structured.decode(levels(count)),
      SyntaxError,
      "1000 levels",
    );
  }
});

Deno.test("structured decodes a long array without items in little memory", () => {
  // 32 million items, in V8's fastest form 256 MB each.
  const bytes = Uint8Array.fromHex("ff0f618090a10f40008090a10f");
  const arrays = Array.from({ length: 1000 }, () => structured.decode(bytes));
  for (const array of arrays as unknown[][]) {
    assertStrictEquals(array.length, 32_000_000);
    assertStrictEquals(0 in array, false);
  }
});

Deno.test("structured gives values and bytes of their own", () => {
  assertEquals(structured.givesOwnBytes, true);
  const value = {
    bytes: new Uint8Array([1, 2, 3]),
    buffer: new ArrayBuffer(2),
  };
  const bytes = structured.encode(value);
  assertStrictEquals(bytes.byteLength, bytes.buffer.byteLength);
  value.bytes.fill(9);
  const [one, other] = [structured.decode(bytes), structured.decode(bytes)];
  bytes.fill(0);
  (one as typeof value).bytes.fill(7);
  assertEquals([...(other as typeof value).bytes], [1, 2, 3]);
});
