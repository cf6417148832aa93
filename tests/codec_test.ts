/**
 * The codecs: each gives back exactly what it was given, or refuses it.
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
import {
  create,
  createFileRegistry,
  equals,
  fromBinary,
  type JsonObject,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  type Empty,
  EmptySchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FieldDescriptorProtoSchema,
  file_google_protobuf_struct,
  FileDescriptorProtoSchema,
  StructSchema,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { DatabaseSync } from "node:sqlite";
import {
  type Codec,
  CodecError,
  type CodecOption,
  json,
  openStore,
  type SqliteStore,
  StoreOpenError,
} from "../mod.ts";
import { KindCodecs } from "../src/values/codecs/kind_codecs.ts";
import { protobuf } from "../src/values/codecs/protobuf.ts";
import { yaml } from "../src/values/codecs/yaml.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { connect, fileAt } from "./support/connect.ts";
import { tempDir } from "./support/temp_dir.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

function roundTrip<T>(codec: Codec<T>, value: T): T {
  return codec.decode(codec.encode(value));
}

/** `depth` arrays, each in the next. */
function nested(depth: number): unknown {
  let value: unknown = "innermost";
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

const shared = { on: true };

// What every codec of plain data keeps.

const kept: [what: string, value: unknown][] = [
  ["null", null],
  ["booleans", [true, false]],
  ["integers", [0, 1, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1), 1e21]],
  ["fractions", [0.1, -1.5, 1e-7, 5e-324, Number.MAX_VALUE]],
  ["an empty string", ""],
  ["strings that look like other types", {
    null: "null",
    bools: ["true", "no", "yes", "on", "y", "~"],
    numbers: ["1", "1e3", "0x10", "0o7", "017", "1_000", "1:30", ".inf", "-"],
    dates: ["2020-01-01", "2020-01-01T00:00:00.000Z"],
    others: ["<<", "=", "- a", "a: b", "# c", "{}", "[", "*a", "&a", "!a", "@"],
  }],
  ["white space", [" ", "\n", "\t", " a", "a ", "\r\n", "\na\n\n", "a\n b\n"]],
  ["several lines", { poem: "roses\nare red\n", prose: "one\n\ntwo" }],
  ["control characters", "\0\x07\x1b\x7f\x85\u2028\u2029\ufeff"],
  ["emoji", "👩‍🚀 ok"],
  ["a lone surrogate", "a\ud800b"],
  ["an empty array and an empty object", [[], {}]],
  ["nested objects and arrays", { a: [{ b: [1, [2]] }, []], c: { d: {} } }],
  ["keys of every kind", {
    "": 1,
    "a b": 2,
    "a:": 3,
    "#": 4,
    "<<": 5,
    "1": 6,
    "null": 7,
    "line\nbreak": 8,
    "2020-01-01": 9,
    "- x": 10,
    ["long".repeat(500)]: 11,
  }],
  ["a key __proto__", JSON.parse('{"__proto__":{"admin":true},"a":1}')],
  ["the same object twice", [shared, shared]],
  ["a string of 4 MB", "0123456789abcde\n".repeat(2 ** 18)],
  ["nesting 98 deep", nested(98)],
];

for (const [what, value] of kept) {
  for (const codec of [json, yaml]) {
    Deno.test(`${codec.name} keeps ${what}`, () => {
      assertEquals(roundTrip(codec, value), value);
    });
  }
}

for (const codec of [json, yaml]) {
  Deno.test(`${codec.name} keeps an object without a prototype as a plain one`, () => {
    const value = Object.assign(Object.create(null), { a: 1 });
    assertEquals(roundTrip(codec, value), { a: 1 });
  });

  Deno.test(`${codec.name} does not set a prototype from a key __proto__`, () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}');
    const decoded = roundTrip(codec, value) as object;
    assertStrictEquals(Object.getPrototypeOf(decoded), Object.prototype);
    assertEquals(Object.keys(decoded), ["__proto__"]);
  });

  Deno.test(`${codec.name} gives equal values equal bytes`, () => {
    const apart = codec.encode([{ on: true }, { on: true }]);
    assertEquals(codec.encode([shared, shared]), apart);
  });

  Deno.test(`${codec.name} keeps the order of properties`, () => {
    const decoded = roundTrip(codec, { b: 1, a: 2 }) as object;
    assertEquals(Object.keys(decoded), ["b", "a"]);
  });

  Deno.test(`${codec.name} leaves out a property that is undefined, as if it were not there`, () => {
    const pairs: [value: unknown, same: unknown][] = [
      [{ a: undefined }, {}],
      [{ a: 1, b: undefined, c: 2 }, { a: 1, c: 2 }],
      [{ a: [{ b: undefined }] }, { a: [{}] }],
      [
        Object.defineProperty({}, "__proto__", {
          value: undefined,
          enumerable: true,
        }),
        {},
      ],
    ];
    for (const [value, same] of pairs) {
      assertEquals(codec.encode(value), codec.encode(same));
      assertStrictEquals(
        Deno.inspect(roundTrip(codec, value)),
        Deno.inspect(same),
      );
    }
  });

  Deno.test(`${codec.name} does not alter the value it encodes`, () => {
    const value = Object.freeze({ a: Object.freeze([1, { b: "c" }]) });
    codec.encode(value);
    assertEquals(value, { a: [1, { b: "c" }] });
  });

  Deno.test(`${codec.name} refuses bytes that are not UTF-8`, () => {
    assertThrows(() => codec.decode(new Uint8Array([0x22, 0xff, 0x22])));
    assertThrows(() => codec.decode(new Uint8Array([0x22, 0xc3])));
  });
}

// What every codec of plain data refuses, and where it says that it was.

const refused: [what: string, value: unknown, message: string][] = [
  ["undefined", undefined, "undefined"],
  ["undefined in an array", { a: [1, undefined] }, "undefined at a[1]"],
  ["a function", () => {}, "a function"],
  ["a function in an object", { run() {} }, "a function at run"],
  ["a function in an array", [[() => {}]], "a function at [0][0]"],
  ["a symbol", Symbol("s"), "a symbol"],
  ["a symbol in an object", { s: Symbol("s") }, "a symbol at s"],
  // deno-lint-ignore no-sparse-arrays -- it is the subject
  ["a hole in an array", { a: [1, , 3] }, "undefined at a[1]"],
  ["a Map", { m: new Map([["a", 1]]) }, "a Map at m"],
  ["a Set", [new Set([1])], "a Set at [0]"],
  ["a typed array", { b: new Uint8Array([1, 2]) }, "a Uint8Array at b"],
  ["an ArrayBuffer", { b: new ArrayBuffer(2) }, "an ArrayBuffer at b"],
  ["a regular expression", { r: /a/ }, "a RegExp at r"],
  ["an Error", { e: new TypeError("x") }, "a TypeError at e"],
  ["a Promise", { p: Promise.resolve() }, "a Promise at p"],
  ["an invalid Date", { d: new Date(NaN) }, "an invalid Date at d"],
  ["an object of another object", [Object.create({ a: 1 })], "not a plain one"],
];

for (const [what, value, message] of refused) {
  for (const codec of [json, yaml]) {
    Deno.test(`${codec.name} refuses ${what}`, () => {
      const error = assertThrows(() => codec.encode(value), TypeError);
      assertStringIncludes(error.message, message);
    });
  }
}

for (const codec of [json, yaml]) {
  Deno.test(`${codec.name} refuses a BigInt`, () => {
    for (const value of [1n, { a: [1n] }]) {
      const error = assertThrows(() => codec.encode(value), TypeError);
      assertMatch(error.message, /bigint/i);
    }
  });

  Deno.test(`${codec.name} refuses a cycle`, () => {
    assertThrows(() => codec.encode(cycle), TypeError);
    const array: unknown[] = [];
    array.push({ array });
    assertThrows(() => codec.encode(array), TypeError);
  });
}

// JSON.

for (const value of [NaN, Infinity, -Infinity]) {
  Deno.test(`json refuses ${value}`, () => {
    assertThrows(() => json.encode(value), TypeError, `${value}`);
    assertThrows(() => json.encode({ a: [value] }), TypeError, "at a[0]");
  });
}

for (const codec of [json, yaml]) {
  Deno.test(`${codec.name} gives bytes of its own, as it says`, () => {
    assertEquals(codec.givesOwnBytes, true);
    const [first, second] = [codec.encode("a"), codec.encode("a")];
    assert(first.buffer !== second.buffer);
    assertEquals(first.byteLength, first.buffer.byteLength);
    first.fill(0);
    assertEquals(codec.decode(second), "a");
  });
}

Deno.test("the bytes of a codec are copied, unless it says that they are its own", () => {
  const shared = bytes("shared");
  const codec: Codec = { name: "c", encode: () => shared, decode: text };
  const own: Codec = { ...codec, givesOwnBytes: true };
  const codecs = new KindCodecs({ copied: codec, own });
  assertStrictEquals(codecs.encode("own", "a", 1), shared);
  const copy = codecs.encode("copied", "a", 1);
  shared.fill(0);
  assertEquals(text(copy), "shared");
});

Deno.test("json honours toJSON, so a Date comes back as an ISO string", () => {
  const url = new URL("https://example.com/a");
  const value = { date: new Date(0), url };
  assertEquals(roundTrip(json, value), {
    date: "1970-01-01T00:00:00.000Z",
    url: url.href,
  });
});

Deno.test("json calls toJSON once, and not on its result", () => {
  class Itself {
    constructor(readonly n: unknown) {}
    toJSON() {
      return this;
    }
  }
  assertEquals(json.decode(json.encode(new Itself(1))), { n: 1 });
  assertThrows(() => json.encode(new Itself(NaN)), TypeError, "n");
});

Deno.test("json also checks the result of toJSON", () => {
  const value = { a: { toJSON: () => ({ b: NaN }) } };
  assertThrows(() => json.encode(value), TypeError, "NaN at a.b");
  // The object is there, and would be lost.
  const gone = { a: { toJSON: () => undefined } };
  assertThrows(() => json.encode(gone), TypeError, "undefined at a");
});

Deno.test("json keeps nesting 1000 deep, and refuses nesting that exhausts the stack", () => {
  assertEquals(roundTrip(json, nested(1000)), nested(1000));
  assertThrows(() => json.encode(nested(100_000)), RangeError);
});

Deno.test("json refuses bytes that are not one JSON text", () => {
  for (const wrong of ["", "{", "{} {}", "undefined", "NaN", "{'a': 1}"]) {
    assertThrows(() => json.decode(bytes(wrong)), SyntaxError);
  }
});

// YAML.

for (const value of [NaN, Infinity, -Infinity, -0]) {
  const name = Object.is(value, -0) ? "-0" : String(value);
  Deno.test(`yaml keeps ${name}`, () => {
    assertStrictEquals(roundTrip(yaml, value), value);
    assertStrictEquals((roundTrip(yaml, [value]) as [number])[0], value);
  });
}

Deno.test("yaml keeps Dates", () => {
  const value = {
    epoch: new Date(0),
    first: new Date("0100-01-01T00:00:00.000Z"),
    last: new Date("9999-12-31T23:59:59.999Z"),
  };
  assertEquals(roundTrip(yaml, value), value);
});

Deno.test("yaml refuses Dates in years that it would misread", () => {
  for (const year of ["0000", "0099", "+010000", "-000001"]) {
    const date = new Date(`${year}-06-01T00:00:00.000Z`);
    assertThrows(() => yaml.encode({ date }), TypeError, "at date");
  }
});

Deno.test("yaml refuses instances of classes", () => {
  const values: [object, string][] = [
    [new Point(1, 2), "a Point"],
    [new (class extends Array {})(), "a "],
    [new (class Special extends Date {})(0), "a Special"],
    [new String("a"), "a String"],
    [new URL("https://example.com"), "a URL"],
    [Object.create({ inherited: 1 }), "at of"],
  ];
  for (const [of, message] of values) {
    assertThrows(() => yaml.encode({ of }), TypeError, message);
  }
});

Deno.test("yaml refuses properties that it has no place for", () => {
  const array = Object.assign([1], { note: "lost" });
  assertThrows(() => yaml.encode({ array }), TypeError, "at array");
  const object = { [Symbol("s")]: "lost" };
  assertThrows(() => yaml.encode({ object }), TypeError, "at object");
});

Deno.test("yaml refuses nesting that other parsers would refuse", () => {
  assertThrows(() => yaml.encode(nested(99)), TypeError, "98 levels");
});

Deno.test("yaml keeps strings and keys that begin like the end of a document", () => {
  for (const start of ["...", "... ", "---", "--- ", "%YAML"]) {
    assertEquals(roundTrip(yaml, start), start);
    assertEquals(roundTrip(yaml, `a\n${start}\n`), `a\n${start}\n`);
    const object = { [`${start}a`]: { b: ["c\nd\n"] }, [start]: start };
    assertEquals(roundTrip(yaml, object), object);
    assertEquals(roundTrip(yaml, [start, [start]]), [start, [start]]);
  }
});

Deno.test("yaml keeps any short string of troublesome characters", () => {
  const characters = [..." \n\t-.:#'\"|>?{[,&*!%@`~0e\\a", "\ufeff", "\ud800"];
  for (const a of characters) {
    for (const b of characters) {
      for (const c of characters) {
        const value = a + b + c;
        if (roundTrip(yaml, value) !== value) {
          assertEquals(roundTrip(yaml, value), value);
        }
      }
    }
  }
});

Deno.test("yaml writes text that a person would write", () => {
  const value = {
    theme: "dark",
    limits: { requests: 100, ratio: 0.5 },
    beta: ["search", "export"],
    motd: "Welcome!\nBe kind.\n",
    since: new Date(0),
    line: `${"long ".repeat(30)}line`,
  };
  assertEquals(
    text(yaml.encode(value)),
    `theme: dark
limits:
  requests: 100
  ratio: 0.5
beta:
  - search
  - export
motd: |
  Welcome!
  Be kind.
since: 1970-01-01T00:00:00.000Z
line: ${value.line}
`,
  );
});

Deno.test("yaml decodes handwritten text", () => {
  const written = `# defaults
base: &base { retries: 3, hosts: [a, b] }
job:
  <<: *base
  "name": 'it''s'
  since: 2020-01-02
  text: >-
    one
    line
  nothing:
`;
  assertEquals(yaml.decode(bytes(written)), {
    base: { retries: 3, hosts: ["a", "b"] },
    job: {
      retries: 3,
      hosts: ["a", "b"],
      name: "it's",
      since: new Date("2020-01-02"),
      text: "one line",
      nothing: null,
    },
  });
});

Deno.test("yaml decodes an empty document as null", () => {
  assertStrictEquals(yaml.decode(new Uint8Array()), null);
  assertStrictEquals(yaml.decode(bytes("# nothing\n")), null);
});

const notYaml: [what: string, written: string][] = [
  ["several documents", "a: 1\n---\nb: 2\n"],
  ["a duplicate key", "a: 1\na: 2\n"],
  ["an unclosed bracket", "a: [1, 2"],
  ["a reference to nothing", "a: *b\n"],
  ["a tag that would make a function", "!!js/function 'function () {}'"],
  ["a tag that would make a regular expression", "!!js/regexp /a/"],
  ["a tag that would make an undefined", "a: !!js/undefined ''"],
  ["a tag of another language", "!!python/object/apply:os.system [id]"],
  ["an unknown tag", "a: !secret b"],
];

for (const [what, written] of notYaml) {
  Deno.test(`yaml refuses to decode ${what}`, () => {
    const error = assertThrows(() => yaml.decode(bytes(written)));
    assertInstanceOf(error, SyntaxError);
  });
}

// Protocol Buffers.

/** What `protoc-gen-es` would generate for the message below. */
type User = Message<"example.User"> & {
  id: bigint;
  name: string;
  tags: string[];
  labels: Record<string, string>;
  avatar: Uint8Array;
  role: number;
  friends: User[];
  byName: Record<string, User>;
  contact:
    | { case: "email"; value: string }
    | { case: "phone"; value: Phone }
    | {
      case: undefined;
    };
  extra?: JsonObject;
  score: number;
};
type Phone = Message<"example.User.Phone"> & { number: string };

/**
 * The schema of
 *
 *     message User {
 *       message Phone { string number = 1; }
 *       enum Role { GUEST = 0; ADMIN = 1; }
 *       int64 id = 1;
 *       string name = 2;
 *       repeated string tags = 3;
 *       map<string, string> labels = 4;
 *       bytes avatar = 5;
 *       Role role = 6;
 *       repeated User friends = 7;
 *       map<string, User> by_name = 8;
 *       oneof contact { string email = 9; Phone phone = 10; }
 *       google.protobuf.Struct extra = 11;
 *       float score = 12;
 *     }
 *
 * with more fields, if there are any.
 */
function userSchema(...more: Field[]): GenMessage<User> {
  const mapOf = (name: string, value: Field) => ({
    name,
    options: { mapEntry: true },
    field: [field(1, "key", Type.STRING), value],
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "user.proto",
    package: "example",
    syntax: "proto3",
    dependency: [file_google_protobuf_struct.proto.name],
    messageType: [{
      name: "User",
      nestedType: [
        { name: "Phone", field: [field(1, "number", Type.STRING)] },
        mapOf("LabelsEntry", field(2, "value", Type.STRING)),
        mapOf("ByNameEntry", field(2, "value", ".example.User")),
      ],
      enumType: [{
        name: "Role",
        value: [{ name: "GUEST", number: 0 }, { name: "ADMIN", number: 1 }],
      }],
      oneofDecl: [{ name: "contact" }],
      field: [
        field(1, "id", Type.INT64),
        field(2, "name", Type.STRING),
        repeated(3, "tags", Type.STRING),
        repeated(4, "labels", ".example.User.LabelsEntry"),
        field(5, "avatar", Type.BYTES),
        { ...field(6, "role", ".example.User.Role"), type: Type.ENUM },
        repeated(7, "friends", ".example.User"),
        repeated(8, "by_name", ".example.User.ByNameEntry"),
        { ...field(9, "email", Type.STRING), oneofIndex: 0 },
        { ...field(10, "phone", ".example.User.Phone"), oneofIndex: 0 },
        field(11, "extra", ".google.protobuf.Struct"),
        field(12, "score", Type.FLOAT),
        ...more,
      ],
    }],
  });
  const registry = createFileRegistry(
    file,
    () => file_google_protobuf_struct,
  );
  return registry.getMessage("example.User") as GenMessage<User>;
}

type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;

/** A field of a scalar type, or of a message type by its name. */
function field(number: number, name: string, type: Type | string): Field {
  return typeof type === "string"
    ? {
      number,
      name,
      label: Label.OPTIONAL,
      type: Type.MESSAGE,
      typeName: type,
    }
    : { number, name, label: Label.OPTIONAL, type };
}

function repeated(number: number, name: string, type: Type | string): Field {
  return { ...field(number, name, type), label: Label.REPEATED };
}

const UserSchema = userSchema();
const NewerUserSchema = userSchema(field(100, "nickname", Type.STRING));

function user(fields: MessageInitShape<typeof UserSchema>): User {
  return create(UserSchema, fields);
}

const byPhone = {
  case: "phone" as const,
  value: { $typeName: "example.User.Phone" as const, number: "+1 555 0100" },
};

const alice = user({
  id: 2n ** 63n - 1n,
  name: "Alice",
  tags: ["a", "", "ü"],
  labels: { team: "store", "": "empty", __proto: "x" },
  avatar: new Uint8Array([0, 255, 128]),
  role: 1,
  friends: [{ name: "Bob" }, {}],
  byName: { carol: { name: "Carol", tags: ["c"] } },
  contact: { case: "email", value: "alice@example.com" },
  extra: { nested: { list: [1, "two", null, true] } },
  score: 0.5,
});

Deno.test("protobuf names the message in the codec's name", () => {
  assertEquals(protobuf(EmptySchema).name, "protobuf:google.protobuf.Empty");
  assertEquals(protobuf(UserSchema).name, "protobuf:example.User");
});

Deno.test("protobuf keeps messages of a generated schema", () => {
  const time = create(TimestampSchema, { seconds: -(2n ** 40n), nanos: 5 });
  const decoded = roundTrip(protobuf(TimestampSchema), time);
  // The type comes from the schema.
  const seconds: bigint = decoded.seconds;
  assertStrictEquals(seconds, -(2n ** 40n));
  assertEquals(decoded, time);
});

Deno.test("protobuf writes the bytes that the library writes", () => {
  const time = create(TimestampSchema, { seconds: 1n, nanos: 2 });
  const codec = protobuf(TimestampSchema);
  assertEquals(codec.encode(time), toBinary(TimestampSchema, time));
  assertEquals([...codec.encode(time)], [0x08, 0x01, 0x10, 0x02]);
});

Deno.test("protobuf keeps every type of field", () => {
  const codec = protobuf(UserSchema);
  for (const message of [alice, user({}), user({ contact: byPhone })]) {
    const decoded = roundTrip(codec, message);
    assertEquals(decoded, message);
    assertStrictEquals(equals(UserSchema, decoded, message), true);
  }
  assertStrictEquals(roundTrip(codec, alice).id, 2n ** 63n - 1n);
});

Deno.test("protobuf encodes a message without any field as no bytes", () => {
  const codec = protobuf(EmptySchema);
  assertStrictEquals(codec.encode(create(EmptySchema)).length, 0);
  assertEquals(codec.decode(new Uint8Array()), create(EmptySchema));
});

Deno.test("protobuf gives equal messages equal bytes, in any order of map entries", () => {
  const codec = protobuf(UserSchema);
  const one = user({ labels: { a: "1", b: "2", ü: "3", "10": "4", "9": "5" } });
  const other = user({
    labels: { "9": "5", ü: "3", b: "2", "10": "4", a: "1" },
  });
  assertStrictEquals(equals(UserSchema, one, other), true);
  assertEquals(codec.encode(one), codec.encode(other));
});

Deno.test("protobuf gives equal messages equal bytes, with maps in messages in lists and maps", () => {
  const codec = protobuf(UserSchema);
  const one = { labels: { a: "1", b: "2" } };
  const other = { labels: { b: "2", a: "1" } };
  assertEquals(
    codec.encode(user({ friends: [one], byName: { x: one, y: other } })),
    codec.encode(user({ friends: [other], byName: { y: one, x: other } })),
  );
});

Deno.test("protobuf gives equal messages equal bytes, with maps in a Struct", () => {
  const top = protobuf(StructSchema);
  const field = protobuf(UserSchema);
  const string = (value: string) => ({
    kind: { case: "stringValue" as const, value },
  });
  const inOrder = { a: string("1"), b: string("2") };
  const reversed = { b: string("2"), a: string("1") };
  assertEquals(
    top.encode(create(StructSchema, { fields: inOrder })),
    top.encode(create(StructSchema, { fields: reversed })),
  );
  assertEquals(
    field.encode(user({ extra: { a: 1, b: { c: [true], d: null } } })),
    field.encode(user({ extra: { b: { d: null, c: [true] }, a: 1 } })),
  );
});

Deno.test("protobuf does not alter the message it encodes", () => {
  const message = user({ labels: { b: "1", a: "2" }, friends: [{}] });
  const [friend] = message.friends;
  protobuf(UserSchema).encode(message);
  assertEquals(Object.keys(message.labels), ["b", "a"]);
  assertStrictEquals(message.friends[0], friend);
});

Deno.test("protobuf keeps the fields of a newer schema", () => {
  const codec = protobuf(NewerUserSchema);
  const newer = create(NewerUserSchema, {
    name: "Alice",
    nickname: "Al",
    friends: [{ name: "Bob", nickname: "B" }],
  } as object);
  const older = roundTrip(
    protobuf(UserSchema),
    fromBinary(UserSchema, codec.encode(newer)),
  );
  assertStrictEquals(older.name, "Alice");
  assertEquals(codec.decode(protobuf(UserSchema).encode(older)), newer);
});

const notMessages: [what: string, value: unknown, received: string][] = [
  ["a plain object", { name: "Alice" }, "received object"],
  ["a message of another type", create(EmptySchema), "google.protobuf.Empty"],
  ["a string", "Alice", "received string"],
  ["undefined", undefined, "received undefined"],
  ["null", null, "received null"],
];

for (const [what, value, received] of notMessages) {
  Deno.test(`protobuf refuses ${what}, and says how to make a message`, () => {
    const encode = () => protobuf(UserSchema).encode(value as User);
    const { message } = assertThrows(encode, TypeError);
    assertStringIncludes(message, received);
    assertStringIncludes(message, "create(UserSchema, ");
  });
}

const wrongFields: [what: string, fields: object, field: string][] = [
  ["a number in a string field", { name: 5 }, "name"],
  ["a lone surrogate", { name: "\ud800" }, "name"],
  ["a lone surrogate in a list", { tags: ["ok", "\ud800"] }, "tags"],
  ["a lone surrogate as a map's key", { labels: { "\ud800": "" } }, "labels"],
  [
    "a lone surrogate in a message in a list",
    { friends: [{ name: "\ud800" }] },
    "name",
  ],
  ["an int64 out of range", { id: 2n ** 63n }, "id"],
  ["a fraction in an enum field", { role: 1.5 }, "role"],
  ["a string in a bytes field", { avatar: "aGk=" }, "avatar"],
  ["undefined in a list", { tags: [undefined] }, "tags"],
];

for (const [what, fields, field] of wrongFields) {
  Deno.test(`protobuf refuses ${what}, and names the field`, () => {
    const message = Object.assign(user({}), fields);
    if (message.friends.length > 0) {
      message.friends = [Object.assign(user({}), message.friends[0])];
    }
    assertThrows(
      () => protobuf(UserSchema).encode(message),
      TypeError,
      `example.User.${field}`,
    );
  });
}

Deno.test("protobuf refuses properties that are not fields", () => {
  const codec = protobuf(UserSchema);
  const friend = Object.assign(user({}), { nickname: "B" });
  for (const message of [friend, user({ friends: [friend] })]) {
    const error = assertThrows(() => codec.encode(message), TypeError);
    assertStringIncludes(error.message, "nickname");
    assertStringIncludes(error.message, "example.User");
  }
});

Deno.test("protobuf refuses messages nested deeper than decoders go", () => {
  const codec = protobuf(UserSchema);
  let message = user({});
  for (let depth = 1; depth < 100; depth++) {
    message = user({ friends: [message] });
  }
  assertEquals(roundTrip(codec, message), message);
  assertThrows(
    () => codec.encode(user({ friends: [message] })),
    TypeError,
    "100",
  );
});

Deno.test("protobuf refuses bytes that are cut short or not a message", () => {
  const codec = protobuf(UserSchema);
  const whole = codec.encode(
    user({ name: "Alice", friends: [{ name: "Bob" }] }),
  );
  assertThrows(() => codec.decode(whole.subarray(0, whole.length - 1)));
  assertThrows(() => codec.decode(new Uint8Array([0xff, 0xff, 0xff])));
  // A string field, "name", of one byte that is not UTF-8.
  assertThrows(() => codec.decode(new Uint8Array([0x12, 0x01, 0xff])));
});

// Through a store.

type Kinds = { users: User; config: unknown; notes: unknown };

const codecs = { users: protobuf(UserSchema), config: yaml };

function openMixed(
  { name }: TestDriver,
  path = ":memory:",
): Promise<SqliteStore<Kinds>> {
  return openStore<Kinds>({ path, codec: codecs, driver: name });
}

/** The bytes of a value, as they are in the file. */
function storedBytes(path: string, kind: string, key: string): Uint8Array {
  using db = new DatabaseSync(path);
  const row = db.prepare(
    "SELECT value, typeof(value) AS type FROM zestor_kv WHERE kind = ? AND key = ?",
  ).get(kind, key);
  assertStrictEquals(row?.type, "blob");
  return row?.value as Uint8Array;
}

/** Puts other bytes in the place of values, as another program with the same library might. */
async function overwrite(
  driver: TestDriver,
  path: string,
  values: readonly [bytes: Uint8Array, kind: string, key: string][],
): Promise<void> {
  using db = await connect(driver, fileAt(path));
  const update = db.prepare(
    "UPDATE zestor_kv SET value = ? WHERE kind = ? AND key = ?",
  );
  for (const value of values) update.run(...value);
}

function assertCodecError(error: unknown, ...parts: string[]): Error {
  assertInstanceOf(error, CodecError);
  for (const part of parts) assertStringIncludes(error.message, part);
  assertInstanceOf(error.cause, Error);
  return error.cause;
}

testOnEachDriver(
  "a store encodes each kind with its codec, and the others as JSON",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("store.db");
    const setting = { enabled: true, since: new Date(0) };
    {
      await using store = await openMixed(driver, path);
      await store.set("users", "alice", alice);
      await store.set("config", "search", setting);
      await store.set("notes", "one", { title: "One" });
      assertEquals(await store.get("users", "alice"), alice);
      assertEquals(await store.get("config", "search"), setting);
      assertEquals(await store.get("notes", "one"), { title: "One" });
    }
    assertEquals(
      fromBinary(UserSchema, storedBytes(path, "users", "alice")),
      alice,
    );
    assertEquals(
      text(storedBytes(path, "config", "search")),
      "enabled: true\nsince: 1970-01-01T00:00:00.000Z\n",
    );
    assertEquals(text(storedBytes(path, "notes", "one")), '{"title":"One"}');

    await using again = await openMixed(driver, path);
    assertEquals(await again.get("users", "alice"), alice);
    assertEquals(await again.get("config", "search"), setting);
  },
);

testOnEachDriver(
  "a store does not open with other codecs than it was written with",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("store.db");
    {
      await using store = await openMixed(driver, path);
      await store.set("users", "alice", alice);
    }
    const others: CodecOption<Kinds>[] = [
      json,
      yaml,
      { config: yaml },
      { ...codecs, users: yaml },
    ];
    for (const codec of others) {
      const open = () => openStore<Kinds>({ path, codec, driver: driver.name });
      const { message } = await assertRejects(open, StoreOpenError);
      assertMatch(message, /protobuf:example\.User|"json"/);
    }
  },
);

testOnEachDriver(
  "a store keeps values that are encoded as no bytes",
  async (driver) => {
    const empty = create(EmptySchema);
    const codec = { marks: protobuf(EmptySchema) };
    await using store = await openStore<{ marks: Empty }>({
      path: ":memory:",
      codec,
      driver: driver.name,
    });
    const changes = store.watch("marks").getReader();

    assertStrictEquals(
      (await store.set("marks", "a", empty)).status,
      "created",
    );
    assertStrictEquals(
      (await store.set("marks", "a", empty)).status,
      "unchanged",
    );
    assertEquals(await store.get("marks", "a"), empty);
    assertEquals(await store.list("marks"), new Map([["a", empty]]));
    assertEquals((await store.delete("marks", "a"))?.value, empty);

    assertEquals((await changes.read()).value?.value, empty);
    const last = (await changes.read()).value;
    assertStrictEquals(last?.type, "delete");
    assertEquals(last?.value, empty);
    await changes.cancel();
  },
);

testOnEachDriver(
  "a store takes messages that differ in the order of map entries for unchanged",
  async (driver) => {
    await using store = await openMixed(driver);
    await store.set("users", "a", user({ labels: { a: "1", b: "2" } }));
    const again = user({ labels: { b: "2", a: "1" } });
    assertStrictEquals(
      (await store.set("users", "a", again)).status,
      "unchanged",
    );
  },
);

testOnEachDriver("a watch decodes with the kind's codec", async (driver) => {
  await using store = await openMixed(driver);
  await store.set("users", "a", alice);
  const changes = store.watch("users", { initial: true }).getReader();
  assertEquals((await changes.read()).value?.value, alice);
  await store.set("users", "b", user({ contact: byPhone }));
  assertEquals((await changes.read()).value?.value, user({ contact: byPhone }));
  await changes.cancel();
});

testOnEachDriver(
  "a value that a codec refuses fails only its own caller",
  async (driver) => {
    await using store = await openMixed(driver);
    const results = await Promise.allSettled([
      store.set("users", "alice", alice),
      store.set("users", "bob", { name: "Bob" } as User),
      store.set("config", "search", { on: [undefined] }),
      store.setAll("config", { a: 1, b: { c: () => {} } }),
      store.update("config", "n", () => NaN, { initial: 0 }),
      store.update("config", "m", () => 1n, { initial: 0 }),
      store.set("notes", "one", 1n),
      store.set("notes", "two", "kept"),
    ]);
    assertEquals(
      results.map(({ status }) => status === "fulfilled"),
      [true, false, false, false, true, false, false, true],
    );
    const messages: Record<number, string[]> = {
      1: ['"users"/"bob"', "protobuf:example.User", "create(UserSchema, "],
      2: ['"config"/"search"', "yaml", "undefined at on[0]"],
      3: ['"config"/"b"', "yaml", "a function at c"],
      5: ['"config"/"m"', "yaml", "a bigint"],
      6: ['"notes"/"one"', "json", "BigInt"],
    };
    for (const [index, parts] of Object.entries(messages)) {
      const result = results[Number(index)] as PromiseRejectedResult;
      assertInstanceOf(assertCodecError(result.reason, ...parts), TypeError);
    }
    assertEquals(await store.keys("users"), ["alice"]);
    assertEquals(await store.list("config"), new Map([["n", NaN]]));
    assertEquals(await store.list("notes"), new Map([["two", "kept"]]));
  },
);

testOnEachDriver(
  "an atomic operation throws at once if a codec refuses a value",
  async (driver) => {
    await using store = await openMixed(driver);
    const operation = store.atomic().set("config", "a", 1);
    const error = assertThrows(() => operation.set("config", "b", 1n));
    assertCodecError(error, '"config"/"b"', "yaml");
  },
);

testOnEachDriver(
  "a value that another program damaged fails its reads, with an error that names the entry",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("store.db");
    await using store = await openMixed(driver, path);
    await store.set("users", "alice", alice);
    await store.setAll("config", { a: "good", b: "to be spoiled", c: "good" });
    await overwrite(driver, path, [
      [new Uint8Array([0x12, 0xff]), "users", "alice"],
      [bytes("a: [1, 2"), "config", "b"],
    ]);

    const reads: [
      read: () => Promise<unknown>,
      entry: string,
      codec: string,
    ][] = [
      [
        () => store.get("users", "alice"),
        '"users"/"alice"',
        "protobuf:example.User",
      ],
      [() => store.get("config", "b"), '"config"/"b"', '"yaml"'],
      [() => store.entry("config", "b"), '"config"/"b"', '"yaml"'],
      [() => store.list("config"), '"config"/"b"', '"yaml"'],
      [() => store.values("config"), '"config"/"b"', '"yaml"'],
      [
        () => Array.fromAsync(store.entries("config")),
        '"config"/"b"',
        '"yaml"',
      ],
      [
        () => store.update("config", "b", (value) => value),
        '"config"/"b"',
        '"yaml"',
      ],
    ];
    for (const [read, entry, codec] of reads) {
      assertCodecError(await assertRejects(read), entry, codec, "decode");
    }
    const [bad, good, count, keys] = await Promise.allSettled([
      store.get("config", "b"),
      store.get("config", "c"),
      store.count("config"),
      store.keys("config"),
    ]);
    assertStrictEquals(bad.status, "rejected");
    assertEquals(good, { status: "fulfilled", value: "good" });
    assertEquals(count, { status: "fulfilled", value: 3 });
    assertEquals(keys, { status: "fulfilled", value: ["a", "b", "c"] });

    assertStrictEquals(
      (await store.set("config", "b", "mended")).status,
      "updated",
    );
    assertStrictEquals(await store.get("config", "b"), "mended");
  },
);

testOnEachDriver(
  "a store passes on the error of a user's codec",
  async (driver) => {
    const refusal = new RangeError("Too large");
    const codec: Codec = {
      name: "odd",
      encode: (value) => {
        if (value === "large") throw refusal;
        return bytes(String(value));
      },
      decode: (stored) => {
        if (text(stored) === "spoiled") throw refusal;
        return text(stored);
      },
    };
    await using store = await openOn(driver, { path: ":memory:", codec });
    await store.set("odd", "a", "spoiled");
    const failures = await Promise.allSettled([
      store.set("odd", "b", "large"),
      store.get("odd", "a"),
    ]);
    for (const [index, action] of ["encode", "decode"].entries()) {
      const { reason } = failures[index] as PromiseRejectedResult;
      const cause = assertCodecError(reason, action, '"odd"', "Too large");
      assertStrictEquals(cause, refusal);
    }
  },
);
