/**
 * Export and import of a file: codecs, the connection an export reads through,
 * and what fails on the way. What every store promises of both is in the
 * conformance suite.
 *
 * @module
 */
import {
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type Codec,
  openStore,
  type RefusedLine,
  type Store,
  StoreClosedError,
  StoreCorruptError,
  StoreError,
  StoreFullError,
} from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import { yaml } from "../src/values/codecs/yaml.ts";
import { linesOf, textOf } from "../src/testing/reading.ts";
import { LineSplitter } from "../src/store/transfer/lines.ts";
import { connect, fileAt } from "./support/connect.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import {
  instrumentedDriver,
  wrappedDriver,
} from "./support/faults/instrumented_driver.ts";
import { testOnEachStore } from "./support/stores.ts";
import { tempDir } from "./support/temp_dir.ts";

const bytesCodec: Codec = {
  name: "bytes",
  encode: (value) => value as Uint8Array,
  decode: (bytes) => bytes,
};

async function refusedOf(
  store: Store,
  lines: ReadableStream<Uint8Array | string>,
): Promise<RefusedLine[]> {
  const refused: RefusedLine[] = [];
  await store.import(lines, { onRefused: (line) => refused.push(line) });
  return refused;
}

/** What a file holds of a kind, as it is stored. */
async function storedIn(
  driver: Parameters<typeof connect>[0],
  path: string,
): Promise<unknown[]> {
  using database = await connect(driver, fileAt(path));
  return database.prepare(
    "SELECT kind, key, hex(CAST(value AS BLOB)) AS value, version, updated_at FROM zestor_kv ORDER BY kind, key",
  ).all();
}

testOnEachDriver(
  "exported and imported values have the same bytes with every codec",
  async (driver) => {
    await using dir = await tempDir();
    const codec = { yaml, bytes: bytesCodec };
    const [from, to] = ["from.db", "to.db"].map((name) => dir.file(name));
    await using source = await openOn(driver, { path: from, codec });
    await source.set("json", "plain", { a: [1, "x", null] });
    await source.set("yaml", "plain", { a: [1, "x", null] });
    await source.set("yaml", "date", { at: new Date(0) });
    await source.set("bytes", "any", new Uint8Array([0, 255, 10, 13]));
    {
      // As other programs may write it.
      using database = await connect(driver, fileAt(from));
      const add = database.prepare(
        "INSERT INTO zestor_kv (kind, key, value, version) VALUES ('json', ?, ?, 3)",
      );
      add.run("pretty", new TextEncoder().encode('{\n  "a": 1e2\n}\n'));
      add.run("twice", new TextEncoder().encode('{"a":1,"a":2}'));
      add.run("large", new TextEncoder().encode("12345678901234567890"));
    }
    const byKey = new Map(
      (await linesOf(source.export()))
        .map((line) => [`${line.kind} ${line.key}`, line]),
    );
    const inJson = [...byKey].filter(([, line]) => "value" in line);
    assertEquals(inJson.map(([name]) => name), ["json plain", "yaml plain"]);
    assertEquals(byKey.get("bytes any")?.codec, "bytes");
    assertEquals(byKey.get("bytes any")?.bytes, "AP8KDQ==");
    assertEquals(byKey.get("yaml date")?.codec, "yaml");

    await using target = await openOn(driver, { path: to, codec });
    assertEquals(await refusedOf(target, source.export()), []);
    assertEquals(await storedIn(driver, to), await storedIn(driver, from));
  },
);

testOnEachDriver(
  "bytes of another codec are refused, plain values are not",
  async (driver) => {
    await using dir = await tempDir();
    await using source = await openOn(driver, {
      path: dir.file("from.db"),
      codec: yaml,
    });
    await source.set("k", "date", new Date(0));
    await source.set("k", "plain", [1]);
    await using target = await openOn(driver, { path: dir.file("to.db") });
    const [refused] = await refusedOf(target, source.export());
    assertEquals(refused, {
      line: 1,
      reason: 'its bytes are of the codec "yaml", and the kind "k" has "json"',
    });
    assertEquals(await target.get("k", "plain"), [1]);
  },
);

testOnEachDriver(
  "bytes are refused if set refuses their value",
  async (driver) => {
    const even: Codec = {
      name: "even",
      encode(value) {
        if (value as number % 2 !== 0) throw new RangeError("it is odd");
        return new Uint8Array([value as number]);
      },
      decode: ([value]) => value,
    };
    await using store = await openOn(driver, {
      path: ":memory:",
      codec: { even },
    });
    const bytes: [kind: string, codec: string, bytes: number[]][] = [
      ["even", "even", [2]],
      ["even", "even", [3]],
      ["json", "json", [...new TextEncoder().encode("[1]")]],
      ["json", "json", [...new TextEncoder().encode("1e999")]],
      ["json", "json", [0xff]],
    ];
    const lines = bytes.map(([kind, codec, bytes], i) =>
      JSON.stringify({
        kind,
        key: `${i}`,
        codec,
        bytes: new Uint8Array(bytes).toBase64(),
      }) + "\n"
    );
    const refused = await refusedOf(store, ReadableStream.from(lines));
    assertEquals(refused.map(({ line }) => line), [2, 4, 5]);
    assertStringIncludes(refused[0].reason, "it is odd");
    assertStringIncludes(refused[1].reason, "Infinity");
    assertEquals(await store.get("even", "0"), 2);
    assertEquals(await store.get("json", "2"), [1]);
  },
);

testOnEachDriver(
  "an export keeps undecodable values, and an import refuses them",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "good", 1);
    {
      using database = await connect(driver, fileAt(path));
      database.exec(
        "INSERT INTO zestor_kv (kind, key, value, updated_at) VALUES ('k', 'bad', '{', 'some day')",
      );
    }
    const [bad, good] = await linesOf(store.export());
    assertEquals(bad, {
      kind: "k",
      key: "bad",
      codec: "json",
      bytes: "ew==",
      version: 1,
    });
    assertEquals(good.value, 1);
    await using target = await openOn(driver, { path: dir.file("to.db") });
    const [refused] = await refusedOf(target, store.export());
    assertEquals(refused.line, 1);
    assertStringIncludes(
      refused.reason,
      'Cannot decode the value of "k"/"bad"',
    );
  },
);

testOnEachDriver(
  "an export reads through a connection of its own, and closes it",
  async ({ name }) => {
    await using dir = await tempDir();
    let open = 0;
    const inner = await wrappedDriver(name, (call, carryOut) => {
      if (call.method === "close") open--;
      return carryOut();
    });
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: {
        name: inner.name,
        open(location) {
          open++;
          return inner.open(location);
        },
      },
    });
    await store.setAll("k", Array.from({ length: 500 }, (_, i) => [`${i}`, i]));
    assertEquals(open, 1);
    await textOf(store.export());
    assertEquals(open, 1);

    const reader = store.export().getReader();
    assertEquals(open, 1);
    await reader.read();
    assertEquals(open, 2);
    await reader.cancel();
    assertEquals(open, 1);

    const aborted = new AbortController();
    const stopped = store.export({ signal: aborted.signal }).getReader();
    await stopped.read();
    aborted.abort();
    await assertRejects(async () => {
      while (!(await stopped.read()).done);
    }, DOMException);
    assertEquals(open, 1);

    // One that nobody reads on ends with its signal, or with the store.
    const left = new AbortController();
    const unread = store.export({ signal: left.signal }).getReader();
    const unreadToo = store.export().getReader();
    await Promise.all([unread.read(), unreadToo.read()]);
    assertEquals(open, 3);
    left.abort();
    await assertRejects(() => unread.closed, DOMException);
    assertEquals(open, 2);
    const closed = assertRejects(() => unreadToo.closed, StoreClosedError);
    await store.close();
    await closed;
    assertEquals(open, 0);
    await assertRejects(() => unreadToo.cancel(), StoreClosedError);
    assertEquals(open, 0);
  },
);

testOnEachDriver(
  "an export whose connection fails at once leaves none open",
  async ({ name }) => {
    await using dir = await tempDir();
    let open = 0;
    const inner = await wrappedDriver(name, (call, carryOut) => {
      if (call.method === "close") open--;
      else if (open === 2) throw new SqlError("io", "disk I/O error");
      return carryOut();
    });
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: {
        name: inner.name,
        open(location) {
          open++;
          return inner.open(location);
        },
      },
    });
    await store.set("k", "a", 1);
    await assertRejects(
      () => textOf(store.export()),
      StoreError,
      "disk I/O error",
    );
    assertEquals(open, 1);
    await store.set("k", "a", 2);
  },
);

testOnEachDriver(
  "an export is of one moment while others write the file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.setAll("k", Array.from({ length: 500 }, (_, i) => [`${i}`, i]));
    const before = await textOf(store.export());
    const reader = store.export().getReader();
    const chunks = [(await reader.read()).value!];
    {
      using database = await connect(driver, fileAt(path));
      database.exec("DELETE FROM zestor_kv");
    }
    for (let next; !(next = await reader.read()).done;) chunks.push(next.value);
    assertEquals(await new Blob(chunks).text(), before);
    assertEquals(await textOf(store.export()), "");
  },
);

testOnEachDriver(
  "a read-only store exports, and imports nothing",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    const readOnly = new URL(`file://${path}`);
    readOnly.search = "mode=ro";
    await using reading = await openOn(driver, { path: readOnly });
    assertEquals(await textOf(reading.export()), await textOf(store.export()));
    const error = await assertRejects(
      () => reading.import(ReadableStream.from([])),
      StoreError,
      "Cannot import: the store was opened read-only",
    );
    assertEquals(error.code, "READ_ONLY");
  },
);

testOnEachDriver(
  "with a rollback journal, writes wait for an export to end",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, {
      path: dir.file("app.db"),
      wal: false,
    });
    await store.setAll("k", Array.from({ length: 500 }, (_, i) => [`${i}`, i]));
    const before = await textOf(store.export());
    const reader = store.export().getReader();
    const chunks = [(await reader.read()).value!];
    const write = store.set("k", "new", 1);
    for (let next; !(next = await reader.read()).done;) chunks.push(next.value);
    assertEquals(await new Blob(chunks).text(), before);
    assertEquals((await write).status, "created");
  },
);

testOnEachDriver(
  "an export of a file that was replaced errors",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    {
      await using other = await openOn(driver, { path: dir.file("other.db") });
      await other.set("k", "a", 2);
    }
    await Deno.rename(path, dir.file("moved.db"));
    await Deno.rename(dir.file("other.db"), path);
    await assertRejects(
      () => textOf(store.export()),
      StoreError,
      "no longer at its path",
    );
  },
);

testOnEachDriver(
  "a failure in the middle of an export is a StoreError",
  async ({ name }) => {
    await using dir = await tempDir();
    let pages = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (!/updated_at\b.* FROM zestor_kv WHERE/s.test(sql)) return;
      if (++pages === 3) throw new SqlError("corrupt", "malformed");
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    await store.setAll("k", Array.from({ length: 800 }, (_, i) => [`${i}`, i]));
    await assertRejects(() => textOf(store.export()), StoreCorruptError);
    assertEquals(pages, 3);
  },
);

testOnEachDriver(
  "an import that the disk has no room for keeps the transactions before",
  async ({ name }) => {
    await using dir = await tempDir();
    let inserted = 0;
    const driver = await instrumentedDriver(name, (sql) => {
      if (!sql.startsWith("INSERT INTO zestor_kv")) return;
      if (++inserted === 2_500) throw new SqlError("full", "disk is full");
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    const lines = Array.from(
      { length: 3_000 },
      (_, i) => JSON.stringify({ kind: "k", key: `${i}`, value: i }) + "\n",
    );
    let told = 0;
    await assertRejects(
      () =>
        store.import(ReadableStream.from(lines), {
          onProgress: ({ lines }) => told = lines,
          onRefused: () => {},
        }),
      StoreFullError,
      "import the lines 2001 to 3000",
    );
    assertEquals(told, 2_000);
    assertEquals(await store.count("k"), 2_000);
    // All of it again does no harm.
    const again = await store.import(ReadableStream.from(lines));
    assertEquals([again.created, again.unchanged], [1_000, 2_000]);
    assertEquals(await store.verify(), []);
  },
);

testOnEachStore(
  "refused lines do not have the others written again and again",
  async (open) => {
    const lines = Array.from(
      { length: 400 },
      (_, i) =>
        JSON.stringify({ kind: "k", key: `${i}`, value: i + 1_000 }) + "\n",
    );
    // Each tenth of the first half, and the whole second half.
    const isRefused = (i: number) => i % 10 === 3 || i >= 200;
    let asked = 0;
    await using store = await open({
      equals(_kind, _previous, next) {
        asked++;
        if (!isRefused(next as number - 1_000)) return false;
        throw new Error("not this one");
      },
    });
    await store.setAll("k", lines.map((_, i) => [`${i}`, i]));
    asked = 0;
    const refused: RefusedLine[] = [];
    const result = await store.import(ReadableStream.from(lines), {
      onRefused: (line) => refused.push(line),
    });
    assertEquals(result, {
      lines: 400,
      created: 0,
      updated: 180,
      unchanged: 0,
      skipped: 0,
      refused: 220,
    });
    assertEquals(
      refused,
      lines.flatMap((_, i) =>
        isRefused(i) ? [{ line: i + 1, reason: "not this one" }] : []
      ),
    );
    assertLessOrEqual(asked, 2 * lines.length);
    for (const [key, value] of await store.list("k")) {
      const i = Number(key);
      assertEquals(value, isRefused(i) ? i : i + 1_000);
    }
    assertEquals(await store.verify(), []);
  },
);

testOnEachDriver(
  "an import is seen by a watch of another store on the file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    const watch = other.watch("k").getReader();
    const first = watch.read();
    await store.import(
      ReadableStream.from(['{"kind":"k","key":"a","value":1,"version":9}']),
    );
    const { value: event } = await first;
    assertEquals([event?.type, event?.version], ["create", 9]);
    await watch.cancel();
  },
);

Deno.test("a line that is too long is dropped while it is read, and reported", () => {
  const splitter = new LineSplitter(8);
  const chunks = ["12345678\n123456789", "0\n", "next"];
  const found = chunks.flatMap((chunk) => [...splitter.add(chunk)]);
  found.push(...splitter.end());
  assertEquals(
    found.map(({ number, text }) => [number, `${text}`]),
    [
      [1, "12345678"],
      [
        2,
        "StoreTooLargeError: Cannot read a line of 10 bytes: the limit is 8 bytes; split its value",
      ],
      [3, "next"],
    ],
  );
});
