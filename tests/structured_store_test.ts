/**
 * Stores whose values are structured clones, in a file and in memory.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  CodecError,
  type Store,
  StoreOpenError,
  type StoreOptions,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { structured } from "../src/values/codecs/structured.ts";
import { yaml } from "../src/values/codecs/yaml.ts";
import { connect, fileAt } from "./support/connect.ts";
import { drivers, openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

interface Visit {
  at: Date;
  tags: Set<string>;
  seen: Map<string, Date>;
  photo: Uint8Array;
  id: bigint;
  note: string | undefined;
}

type Kinds = { visits: unknown; notes: unknown };

/** Without its options, what opens a store. */
type OpenHere = (
  options: Partial<StoreOptions<Kinds>>,
) => Promise<Store<Kinds>>;

/** Registers a test on each driver, and in memory. */
function testEverywhere(
  name: string,
  fn: (open: OpenHere) => Promise<void>,
): void {
  for (const driver of drivers) {
    const open: OpenHere = (options) =>
      openOn<Kinds>(driver, { path: ":memory:", ...options });
    driver.test(`${name} [${driver.name}]`, () => fn(open));
  }
  Deno.test(`${name} [memory]`, () =>
    fn((options) => openMemoryStore<Kinds>(options)));
}

function visit(): Visit {
  const at = new Date(0);
  return {
    at,
    tags: new Set(["new", "eu"]),
    seen: new Map([["start", at]]),
    photo: new Uint8Array([1, 2, 3]),
    id: 2n ** 70n,
    note: undefined,
  };
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream as BodyInit).text();
}

testEverywhere(
  "structured values are kept, as of every kind or of one",
  async (open) => {
    for (const codec of [structured, { visits: structured }]) {
      await using store = await open({ codec });
      await store.set("visits", "a", visit());
      const read = await store.get("visits", "a");
      assertEquals(read, visit());
      assert(Object.hasOwn(read as Visit, "note"));
      const [entry] = await Array.fromAsync(store.entries("visits"));
      assertEquals(entry.value, visit());
      assertEquals((await store.delete("visits", "a"))?.value, visit());
    }
  },
);

testEverywhere("the same structured value is a no-op", async (open) => {
  await using store = await open({ codec: structured });
  const { revision } = await store.set("visits", "a", visit());
  assertEquals((await store.set("visits", "a", visit())).status, "unchanged");
  const all = await store.setAll("visits", { a: visit() });
  assertEquals(all, { created: 0, updated: 0, unchanged: 1, revision });
  const same = await store.update("visits", "a", (value) => value);
  assertEquals(same.status, "unchanged");
  const tags = new Set(["eu", "new"]);
  const other = await store.set("visits", "a", { ...visit(), tags });
  assertEquals(other.status, "updated");
});

testEverywhere(
  "a structured value that was read is the reader's own",
  async (open) => {
    await using store = await open({ codec: structured });
    const written = visit();
    await store.set("visits", "a", written);
    written.photo.fill(9);
    const [one, other] = [
      await store.get("visits", "a") as Visit,
      await store.get("visits", "a") as Visit,
    ];
    assertNotStrictEquals(one.photo.buffer, other.photo.buffer);
    one.photo.fill(7);
    one.tags.add("changed");
    assertEquals(other, visit());
    assertEquals(await store.get("visits", "a"), visit());
  },
);

testEverywhere("a watch gives structured values, cycles too", async (open) => {
  await using store = await open({ codec: structured });
  const value: Record<string, unknown> = { visit: visit() };
  value.self = value;
  const changes = store.watch("visits").getReader();
  await store.set("visits", "a", value);
  const { value: event } = await changes.read();
  const given = event?.value as typeof value;
  assertStrictEquals(given.self, given);
  assertEquals(given.visit, visit());
  await changes.cancel();
});

testEverywhere(
  "a refusal of structured names the entry and the place",
  async (open) => {
    await using store = await open({ codec: { visits: structured } });
    const run = () => {};
    const writes: [write: () => Promise<unknown>, place: string][] = [
      [
        () => store.set("visits", "a", { steps: [{ run }] }),
        "a function at steps[0].run",
      ],
      [() => store.set("visits", "a", undefined), "undefined as a whole value"],
      [
        () => store.setAll("visits", { a: new Map([["x", run]]) }),
        'at get("x")',
      ],
      [
        () => store.update("visits", "a", () => run, { initial: 1 }),
        "a function",
      ],
    ];
    for (const [write, place] of writes) {
      const error = await assertRejects(write, CodecError, place);
      assertStringIncludes(error.message, '"visits"/"a"');
      assertStringIncludes(error.message, '"structured"');
      assertInstanceOf(error.cause, TypeError);
    }
    assertEquals(await store.kinds(), []);
  },
);

testEverywhere(
  "an export of structured values comes back identical",
  async (open) => {
    await using from = await open({ codec: { visits: structured } });
    await using to = await open({ codec: { visits: structured } });
    const shared = { a: 1 };
    await from.setAll("visits", {
      a: visit(),
      b: { plain: ["JSON", 1, null, -0] },
      c: [shared, shared],
      d: { dropped: undefined },
      e: { when: new Date(0) },
      f: [NaN],
    });
    const text = await textOf(from.export({ times: false }));
    const inJson = text.trim().split("\n").map((line) =>
      "value" in JSON.parse(line)
    );
    assertEquals(inJson, [false, true, false, false, false, false]);
    assertStringIncludes(text, '"codec":"structured","bytes":"/w9v');

    const copied = await to.import(new Blob([text]).stream());
    assertEquals(copied.created, 6);
    assertEquals(await textOf(to.export({ times: false })), text);
    const [one, other] = await to.get("visits", "c") as object[];
    assertStrictEquals(one, other);
    const again = await to.import(new Blob([text]).stream());
    assertEquals([again.unchanged, again.updated], [6, 0]);
  },
);

testEverywhere(
  "a line with invalid structured bytes is refused",
  async (open) => {
    await using store = await open({ codec: { visits: structured } });
    const lines = ["/w8=", "/w9vew==", "e30=", "/w9BZDA="].map((bytes) =>
      JSON.stringify({ kind: "visits", key: "a", codec: "structured", bytes })
    );
    const reasons: string[] = [];
    await store.import(new Blob([lines.join("\n")]).stream(), {
      onRefused: ({ reason }) => void reasons.push(reason),
    });
    assertEquals(reasons.length, 4);
    for (const reason of reasons) assertStringIncludes(reason, "before byte");
  },
);

/** A value in which each of 60 arrays holds the one before it twice: small, but endless as JSON. */
function doubled(): unknown[] {
  let value: unknown[] = [];
  for (let i = 0; i < 60; i++) value = [value, value];
  return value;
}

testEverywhere(
  "an export does not expand objects that occur very often",
  async (open) => {
    await using store = await open({ codec: structured });
    await store.set("visits", "a", doubled());
    assertStringIncludes(await textOf(store.export()), '"bytes":');
  },
);

testOnEachDriver(
  "a file remembers that its values are structured",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("store.db");
    const codec = { visits: structured };
    {
      await using store = await openOn(driver, { path, codec });
      await store.set("visits", "a", visit());
      await store.set("notes", "a", "in JSON");
    }
    for (const other of [undefined, structured, { visits: yaml }]) {
      await assertRejects(
        () => openOn(driver, { path, codec: other }),
        StoreOpenError,
        '"structured"',
      );
    }
    await using again = await openOn(driver, { path, codec });
    assertEquals(await again.get("visits", "a"), visit());
    assertEquals(await again.get("notes", "a"), "in JSON");
    assertEquals((await again.info()).codecs?.named, [
      { kind: "visits", codec: "structured" },
    ]);
    assertEquals(await again.verify(), []);
  },
);

testOnEachDriver(
  "structured bytes that another program damaged fail their reads",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("store.db");
    await using store = await openOn(driver, { path, codec: structured });
    await store.setAll("visits", { a: visit(), b: visit() });
    {
      using db = await connect(driver, fileAt(path));
      db.prepare("UPDATE zestor_kv SET value = ? WHERE key = 'a'")
        .run(
          new Uint8Array([0xff, 15, 0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x30]),
        );
    }
    const error = await assertRejects(
      () => store.get("visits", "a"),
      CodecError,
    );
    assertStringIncludes(error.message, '"visits"/"a"');
    assertStringIncludes(error.message, "the bytes end too early");
    assertEquals(await store.get("visits", "b"), visit());
    assertEquals((await store.verify()).length, 1);
    assertEquals((await store.set("visits", "a", visit())).status, "updated");
  },
);

testEverywhere(
  "JSON, as the default, leaves out properties that are undefined",
  async (open) => {
    await using store = await open({ codec: { visits: yaml } });
    const value = { a: 1, b: undefined, c: { d: undefined } };
    for (const kind of ["notes", "visits"] as const) {
      await store.set(kind, "a", value);
      assertEquals(Deno.inspect(await store.get(kind, "a")), "{ a: 1, c: {} }");
      const same = await store.set(kind, "a", { a: 1, c: {} });
      assertEquals(same.status, "unchanged");
      await assertRejects(
        () => store.set(kind, "a", { list: [undefined] }),
        CodecError,
        "undefined at list[0]",
      );
    }
  },
);
