/**
 * The driver port, on each driver: what was measured of the bindings and is
 * hidden by the port, and how SQLite's failures are told.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { existsSync } from "node:fs";
import { openStore, StoreOpenError } from "../mod.ts";
import {
  type Connection,
  type DatabaseLocation,
  type Driver,
  SqlError,
  type SqlFailure,
  type SqlValue,
} from "../src/sqlite/driver/driver.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import { runChild } from "./support/processes/child.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const METHODS = ["run", "get", "all"] as const;

/** Asserts that the work fails as told, and that the binding's error is kept. */
function assertFails(work: () => unknown, failure: SqlFailure): void {
  const error = assertThrows(work, SqlError);
  assertEquals(error.failure, failure, error.message);
  assertInstanceOf(error.cause, Error);
}

/** Asserts that the statement fails in every way to run it. */
function assertFailsEverywhere(
  connection: Connection,
  sql: string,
  failure: SqlFailure,
): void {
  assertFails(() => connection.exec(sql), failure);
  for (const method of METHODS) {
    assertFails(() => connection.prepare(sql)[method](), failure);
  }
}

/** Asserts that no other connection holds any lock on the file. */
async function assertUnlocked(driver: TestDriver, path: string): Promise<void> {
  using other = await connect(driver, fileAt(path));
  other.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; ROLLBACK");
}

// Values.

const UNBINDABLE_TEXT = {
  "with a NUL inside": "a\0b",
  "with a NUL at its end": "a\0",
  "with a lone high surrogate": "a\ud800",
  "with a lone low surrogate": "\udc00a",
};

for (const [what, text] of Object.entries(UNBINDABLE_TEXT)) {
  testOnEachDriver(`a driver refuses text ${what}`, async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x)");
    const insert = db.prepare("INSERT INTO t VALUES (?) RETURNING x");
    for (const method of METHODS) {
      assertThrows(() => insert[method](text), TypeError, "Cannot bind text");
    }
    assertEquals(db.prepare("SELECT x FROM t").all(), []);
  });
}

testOnEachDriver("a driver keeps text as it is", async (driver) => {
  using db = await connect(driver);
  const echo = db.prepare("SELECT ? AS x, hex(?) AS bytes");
  const encoder = new TextEncoder();
  for (
    const text of [
      "",
      " ",
      "\u{1}",
      "\u{7f}",
      "é",
      "e\u0301",
      "\ufeff",
      "\ufeffa\ufeff",
      "\ufffd",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
      "a'\"`?:@$\n\\",
      "long ".repeat(100_000),
    ]
  ) {
    const bytes = encoder.encode(text).toHex().toUpperCase();
    assertEquals(echo.get(text, text), { x: text, bytes });
    assertEquals(echo.all(text, text), [{ x: text, bytes }]);
  }
});

const INTEGERS = [
  0,
  1,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 + 1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
];

testOnEachDriver("a driver keeps integers up to 2^53 - 1", async (driver) => {
  using db = await connect(driver);
  const echo = db.prepare("SELECT ? AS x, CAST(? AS TEXT) AS digits");
  for (const x of INTEGERS) {
    assertEquals(echo.get(x, x), { x, digits: String(x) });
  }
  // And those that were not bound.
  for (const x of INTEGERS) {
    assertEquals(db.prepare(`SELECT ${x} AS x`).get(), { x });
  }
});

testOnEachDriver("a driver binds integers as INTEGER", async (driver) => {
  using db = await connect(driver);
  const type = db.prepare("SELECT typeof(?) AS type");
  for (const x of INTEGERS) assertEquals(type.get(x), { type: "integer" });
});

testOnEachDriver(
  "a driver refuses numbers that are not safe integers",
  async (driver) => {
    using db = await connect(driver);
    const echo = db.prepare("SELECT ? AS x");
    for (
      const x of [
        0.5,
        -1.5,
        2 ** 53,
        -(2 ** 53),
        1e300,
        NaN,
        Infinity,
        -Infinity,
      ]
    ) {
      for (const method of METHODS) {
        assertThrows(() => echo[method](x), TypeError, `${x}`);
      }
    }
  },
);

testOnEachDriver("a driver keeps null", async (driver) => {
  using db = await connect(driver);
  const echo = db.prepare("SELECT ? AS x, typeof(?) AS type");
  // The statement has no memory of what was bound before.
  assertEquals(echo.get("a", "a"), { x: "a", type: "text" });
  assertEquals(echo.get(null, null), { x: null, type: "null" });
});

testOnEachDriver("a driver keeps an empty string", async (driver) => {
  using db = await connect(driver);
  assertEquals(
    db.prepare("SELECT ? AS x, typeof(?) AS type").get("", ""),
    { x: "", type: "text" },
  );
});

testOnEachDriver("a driver keeps an empty blob", async (driver) => {
  using db = await connect(driver);
  const empty = new Uint8Array();
  assertEquals(
    db.prepare("SELECT ? AS x, typeof(?) AS type").get(empty, empty),
    { x: empty, type: "blob" },
  );
});

testOnEachDriver("a driver keeps blobs byte for byte", async (driver) => {
  using db = await connect(driver);
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const echo = db.prepare("SELECT ? AS x, hex(?) AS hex");
  assertEquals(echo.get(bytes, bytes), {
    x: bytes,
    hex: bytes.toHex().toUpperCase(),
  });
  // A view of a part of a buffer.
  const part = bytes.subarray(16, 32);
  assertEquals(echo.get(part, part), {
    x: part.slice(),
    hex: part.toHex().toUpperCase(),
  });
  const megabyte = new Uint8Array(2 ** 20).fill(7);
  assertEquals(db.prepare("SELECT ? AS x").get(megabyte), { x: megabyte });
});

testOnEachDriver(
  "a driver gives blobs that are the caller's own",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (x'010203')");
    const select = db.prepare("SELECT x FROM t");
    for (const read of [() => select.get()!, () => select.all()[0]]) {
      const blob = read().x as Uint8Array;
      blob.fill(9);
      assertEquals(read().x, new Uint8Array([1, 2, 3]));
      assertEquals(blob, new Uint8Array([9, 9, 9]));
    }
  },
);

testOnEachDriver(
  "a driver does not keep a blob that was bound",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x)");
    const insert = db.prepare("INSERT INTO t VALUES (?) RETURNING x");
    for (const method of METHODS) {
      const blob = new Uint8Array([1, 2, 3]);
      const result = insert[method](blob);
      blob.fill(9);
      const row = { x: new Uint8Array([1, 2, 3]) };
      assertEquals(result, { run: 1, get: row, all: [row] }[method]);
      assertEquals(db.prepare("SELECT x FROM t").all(), [row]);
      db.exec("DELETE FROM t");
    }
  },
);

testOnEachDriver("a driver gives a fresh row at each call", async (driver) => {
  using db = await connect(driver);
  const fixed = db.prepare("SELECT 1 AS x");
  const bound = db.prepare("SELECT ? AS x");
  const read: [() => unknown, () => unknown][] = [
    [() => fixed.get(), () => fixed.get()],
    [() => fixed.all()[0], () => fixed.all()[0]],
    [() => bound.get(1), () => bound.get(1)],
    [() => bound.all(1)[0], () => bound.all(1)[0]],
  ];
  for (const [first, second] of read) {
    const row = first();
    assertNotStrictEquals(row, second());
    assertEquals(row, { x: 1 });
  }
});

testOnEachDriver("a driver leaves JSON as text", async (driver) => {
  using db = await connect(driver);
  assertEquals(
    db.prepare("SELECT json('{\"a\": 1}') AS a, json_object('b', 2) AS b")
      .get(),
    { a: '{"a":1}', b: '{"b":2}' },
  );
  assertEquals(
    db.prepare("SELECT json(?) AS a").all("[1, 2]"),
    [{ a: "[1,2]" }],
  );
});

// Calls.

testOnEachDriver(
  "`get()` returns nothing if there is no row",
  async (driver) => {
    using db = await connect(driver);
    assertEquals(db.prepare("SELECT 1 WHERE 0").get(), undefined);
    assertEquals(db.prepare("SELECT 1 WHERE ?").get(0), undefined);
    assertEquals(db.prepare("SELECT 1 WHERE 0").all(), []);
  },
);

testOnEachDriver("`exec()` runs several statements", async (driver) => {
  using db = await connect(driver);
  db.exec(`
    CREATE TABLE t (x); -- with a comment
    INSERT INTO t VALUES (1);
    INSERT INTO t VALUES ('a;b')`);
  assertEquals(db.prepare("SELECT x FROM t").all(), [{ x: 1 }, { x: "a;b" }]);
});

testOnEachDriver(
  "`exec()` stops at the statement that fails",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x)");
    const sql = "INSERT INTO t VALUES (1); INSERT INTO u VALUES (2);" +
      "INSERT INTO t VALUES (3)";
    assertFails(() => db.exec(sql), "other");
    assertEquals(db.prepare("SELECT x FROM t").all(), [{ x: 1 }]);
  },
);

testOnEachDriver(
  "a statement can be run again and again, also after it failed",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x UNIQUE)");
    const insert = db.prepare("INSERT INTO t VALUES (?) RETURNING x");
    for (const method of METHODS) {
      insert[method](`${method} 1`);
      assertFails(() => insert[method](`${method} 1`), "other");
      insert[method](`${method} 2`);
    }
    assertEquals(
      db.prepare("SELECT x FROM t ORDER BY rowid").all().map(({ x }) => x),
      METHODS.flatMap((method) => [`${method} 1`, `${method} 2`]),
    );
  },
);

testOnEachDriver(
  "`all()` compiles no function at each call",
  async (driver) => {
    using db = await connect(driver);
    const bound = db.prepare("SELECT ? AS x");
    const fixed = db.prepare("SELECT 1 AS x");
    let compiled = 0;
    const original = globalThis.Function;
    const count = <T>(result: T): T => (compiled++, result);
    globalThis.Function = new Proxy(original, {
      construct: (target, args) => count(Reflect.construct(target, args)),
      apply: (target, self, args) => count(Reflect.apply(target, self, args)),
    });
    try {
      // The count works.
      assertEquals(new Function("return 1")(), 1);
      assertEquals(compiled, 1);
      const runAll = () => {
        bound.all(1);
        bound.get(1);
        fixed.all();
        fixed.get();
      };
      runAll();
      const first = compiled;
      for (let i = 0; i < 10; i++) runAll();
      assertEquals(compiled, first);
    } finally {
      globalThis.Function = original;
    }
  },
);

for (const journal of ["DELETE", "WAL"]) {
  testOnEachDriver(
    `a read leaves no lock, with journal_mode ${journal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      using db = await connect(driver, fileAt(path));
      db.exec(`PRAGMA journal_mode = ${journal}`);
      db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3), (4)");
      const reads = {
        get: () => db.prepare("SELECT x FROM t").get(),
        getBound: () => db.prepare("SELECT x FROM t WHERE x > ?").get(1),
        all: () => db.prepare("SELECT x FROM t").all(),
        run: () => db.prepare("SELECT x FROM t").run(),
        exec: () => db.exec("SELECT x FROM t"),
      };
      for (const read of Object.values(reads)) {
        read();
        using other = await connect(driver, fileAt(path));
        other.exec("PRAGMA busy_timeout = 0");
        other.exec("BEGIN EXCLUSIVE; INSERT INTO t VALUES (5); COMMIT");
        // Waits for no reader, and for no one's lock.
        const { busy } = other.prepare("PRAGMA wal_checkpoint(TRUNCATE)")
          .get()!;
        assertEquals(busy, 0);
      }
    },
  );
}

testOnEachDriver("a read that fails midway leaves no lock", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  using db = await connect(driver, fileAt(path));
  db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)");
  // An overflow of integers, in the second row.
  const select = db.prepare(
    "SELECT CASE x WHEN 2 THEN abs(-9223372036854775807 - 1) ELSE x END AS x FROM t",
  );
  assertFails(() => select.all(), "other");
  await assertUnlocked(driver, path);
});

testOnEachDriver(
  "a `COMMIT` that finds the file busy leaves no lock past its `ROLLBACK`",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(driver, fileAt(path));
    db.exec("PRAGMA busy_timeout = 0; CREATE TABLE t (x)");
    const commit = db.prepare("COMMIT");
    {
      using reader = await connect(driver, fileAt(path));
      reader.exec("BEGIN; SELECT * FROM t");
      db.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
      assertFails(() => commit.run(), "busy");
      // It can be tried again while the transaction is open.
      assertFails(() => commit.run(), "busy");
      db.prepare("ROLLBACK").run();
    }
    await assertUnlocked(driver, path);
  },
);

testOnEachDriver(
  "`close()` closes with statements prepared",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const connection = (await loadDriver(driver.name)).open(fileAt(path));
    connection.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    connection.prepare("INSERT INTO t VALUES (?)").run(1);
    const select = connection.prepare("SELECT x FROM t");
    assertEquals(select.get(), { x: 1 });
    assert(existsSync(`${path}-wal`));
    connection.close();
    // The last connection to close removes it.
    assert(!existsSync(`${path}-wal`));
  },
);

// Opening.

testOnEachDriver(
  "`open()` shares a database in memory by its name",
  async (driver) => {
    const shared = (path: string): DatabaseLocation => ({
      path,
      mode: "rwc",
      memory: "shared",
    });
    for (const name of [":memory:", "a b", "100%?#&=", "/é/../x"]) {
      using one = await connect(driver, shared(name));
      using same = await connect(driver, shared(name));
      using another = await connect(driver, shared(`${name}.`));
      one.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
      assertEquals(same.prepare("SELECT x FROM t").all(), [{ x: 1 }]);
      assertFails(() => another.prepare("SELECT x FROM t"), "other");
    }
  },
);

testOnEachDriver(
  "`open()` keeps private databases in memory apart",
  async (driver) => {
    using one = await connect(driver);
    using another = await connect(driver);
    one.exec("CREATE TABLE t (x)");
    assertFails(() => another.prepare("SELECT x FROM t"), "other");
  },
);

testOnEachDriver("`open()` creates a file in mode rwc only", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  const { open } = await loadDriver(driver.name);
  for (const mode of ["ro", "rw"] as const) {
    assertFails(() => open({ path, mode }), "cannot_open");
    assert(!existsSync(path), mode);
  }
  using db = await connect(driver, { path, mode: "rwc" });
  db.exec("CREATE TABLE t (x)");
  using existing = await connect(driver, { path, mode: "rw" });
  existing.exec("INSERT INTO t VALUES (1)");
  using reader = await connect(driver, { path, mode: "ro" });
  assertEquals(reader.prepare("SELECT x FROM t").all(), [{ x: 1 }]);
});

// Failures.

testOnEachDriver("a driver tells a file that is busy", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  using holder = await connect(driver, fileAt(path));
  holder.exec("CREATE TABLE t (x)");
  using early = await connect(driver, fileAt(path));
  early.exec("PRAGMA busy_timeout = 0");
  const select = early.prepare("SELECT x FROM t");
  const insert = early.prepare("INSERT INTO t VALUES (1) RETURNING x");

  holder.exec("BEGIN EXCLUSIVE");
  for (const method of METHODS) {
    assertFails(() => select[method](), "busy");
    assertFails(() => insert[method](), "busy");
  }
  assertFails(() => early.exec("BEGIN IMMEDIATE"), "busy");
  // One that has to read the schema first.
  using late = await connect(driver, fileAt(path));
  late.exec("PRAGMA busy_timeout = 0");
  assertFails(() => late.prepare("SELECT x FROM t"), "busy");
  holder.exec("ROLLBACK");
  assertEquals(insert.all(), [{ x: 1 }]);
});

testOnEachDriver(
  "a driver tells a shared database in memory that is busy",
  async (driver) => {
    const location: DatabaseLocation = {
      path: "busy",
      mode: "rwc",
      memory: "shared",
    };
    using holder = await connect(driver, location);
    holder.exec("CREATE TABLE t (x)");
    using other = await connect(driver, location);
    other.exec("PRAGMA busy_timeout = 0");
    const select = other.prepare("SELECT x FROM t");
    holder.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    for (const method of METHODS) assertFails(() => select[method](), "busy");
    // And does not wait for it inside SQLite, where it would wait for ever.
    assertFails(() => other.exec("SELECT x FROM t"), "busy");
    assertFails(() => other.exec("BEGIN IMMEDIATE"), "busy");
    assertFails(() => other.exec("DROP TABLE t"), "busy");
    holder.exec("COMMIT");
    assertEquals(select.all(), [{ x: 1 }]);
  },
);

testOnEachDriver("a driver tells a database that is full", async (driver) => {
  using db = await connect(driver);
  db.exec("CREATE TABLE t (x)");
  db.exec("PRAGMA max_page_count = 3");
  const sql = "INSERT INTO t VALUES (zeroblob(100000)) RETURNING 1";
  assertFailsEverywhere(db, sql, "full");
  assertEquals(db.prepare("SELECT count(*) AS n FROM t").get(), { n: 0 });
});

testOnEachDriver("a driver tells a file that is corrupt", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  {
    using db = await connect(driver, fileAt(path));
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  }
  const PAGE_SIZE = 4096;
  const bytes = await Deno.readFile(path);
  bytes.fill(0xff, PAGE_SIZE);
  await Deno.writeFile(path, bytes);
  {
    using db = await connect(driver, fileAt(path));
    assertFailsEverywhere(db, "SELECT x FROM t", "corrupt");
  }
  // Now the schema.
  const create = new TextDecoder("latin1").decode(bytes).indexOf(
    "CREATE TABLE",
  );
  assert(create > 0 && create < PAGE_SIZE);
  bytes.fill(0x58, create, create + 6);
  await Deno.writeFile(path, bytes);
  using db = await connect(driver, fileAt(path));
  assertFails(() => db.prepare("SELECT x FROM t"), "corrupt");
  assertFails(() => db.exec("SELECT x FROM t"), "corrupt");
});

testOnEachDriver(
  "a driver recognizes a file that is not a database",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await Deno.writeTextFile(path, "no database\n".repeat(100));
    using db = await connect(driver, fileAt(path));
    assertFails(
      () => db.prepare("SELECT * FROM sqlite_schema"),
      "not_a_database",
    );
    assertFails(() => db.exec("CREATE TABLE t (x)"), "not_a_database");
  },
);

testOnEachDriver(
  "a driver tells a database that is read-only",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      using db = await connect(driver, fileAt(path));
      db.exec("CREATE TABLE t (x)");
    }
    using db = await connect(driver, { path, mode: "ro" });
    assertFailsEverywhere(
      db,
      "INSERT INTO t VALUES (1) RETURNING x",
      "read_only",
    );
  },
);

testOnEachDriver(
  "a driver tells a file that it cannot open",
  async (driver) => {
    await using dir = await tempDir();
    const { open } = await loadDriver(driver.name);
    const missing = dir.file("missing/app.db");
    for (const mode of ["ro", "rw", "rwc"] as const) {
      assertFails(() => open({ path: missing, mode }), "cannot_open");
    }
    assertFails(() => open({ path: dir.path, mode: "rwc" }), "cannot_open");
  },
);

testOnEachDriver("a driver tells a value that is too big", async (driver) => {
  using db = await connect(driver);
  assertFailsEverywhere(db, "SELECT zeroblob(2147483647) AS x", "too_big");
});

testOnEachDriver(
  "a driver tells a failure of any other sort",
  async (driver) => {
    using db = await connect(driver);
    db.exec("CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1)");
    assertFails(() => db.exec("SELEC"), "other");
    assertFails(() => db.prepare("SELEC"), "other");
    assertFailsEverywhere(db, "INSERT INTO t VALUES (1) RETURNING x", "other");
  },
);

// Which driver.

const NO_FFI = "--allow-read=. --allow-write=.".split(" ");

/** A program that opens a store and prints the driver, or the error. */
function printDriver(driver: string): string {
  return `
    try {
      const store = await zestor.openStore({ path: "app.db", driver: ${driver} });
      await store.set("k", "a", 1);
      console.log(store.driver, await store.get("k", "a"));
      await store.close();
    } catch (error) {
      console.log(error.name, error.code, error.message);
    }`;
}

Deno.test("importing the store loads no native library", async () => {
  await using dir = await tempDir();
  // Not even reading a file is permitted.
  const program = `
    const store = await zestor.openStore({ path: ":memory:" });
    await store.set("k", "a", 1);
    console.log(store.driver, await store.get("k", "a"));
    await store.close();`;
  assertEquals(
    await runChild(dir.path, program, { permissions: [] }),
    { code: 0, stdout: "builtin 1", stderr: "" },
  );
});

Deno.test('the driver "auto" is the builtin without FFI permission', async () => {
  await using dir = await tempDir();
  assertEquals(
    await runChild(dir.path, printDriver('"auto"'), { permissions: NO_FFI }),
    { code: 0, stdout: "builtin 1", stderr: "" },
  );
});

Deno.test('the driver "auto" is the builtin where the binding does not load', async () => {
  await using dir = await tempDir();
  const result = await runChild(dir.path, printDriver('"auto"'), {
    permissions: ["--allow-all"],
    env: { DENO_SQLITE_PATH: dir.file("missing.so") },
  });
  assertEquals(result, { code: 0, stdout: "builtin 1", stderr: "" });
});

for (const driver of drivers) {
  if (driver.name !== "ffi") continue;
  driver.test('the driver "auto" is FFI with its permission', async () => {
    await using dir = await tempDir();
    for (const choice of ['"auto"', "undefined", '"ffi"']) {
      const result = await runChild(dir.path, printDriver(choice), {
        permissions: ["--allow-all"],
      });
      assertEquals(result, { code: 0, stdout: "ffi 1", stderr: "" });
    }
  });
}

Deno.test('the driver "ffi" is refused without FFI permission', async () => {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await runChild(
    dir.path,
    printDriver('"ffi"'),
    { permissions: NO_FFI },
  );
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertStringIncludes(
    stdout,
    'StoreOpenError OPEN Cannot load the driver "ffi": ',
  );
  assertStringIncludes(stdout, "--allow-ffi");
});

testOnEachDriver("`openStore()` takes any driver", async ({ name }) => {
  const driver = await loadDriver(name);
  const opened: DatabaseLocation[] = [];
  const own: Driver = {
    name: "my own",
    open(location) {
      opened.push(location);
      return driver.open(location);
    },
  };
  await using store = await openStore({ path: ":memory:", driver: own });
  await store.set("k", "a", 1);
  assertEquals(await store.get("k", "a"), 1);
  assertEquals(store.driver, "my own");
  assertEquals(opened, [
    { path: ":memory:", mode: "rwc", memory: "private" },
  ]);
});

testOnEachDriver("`store.driver` tells the driver", async ({ name }) => {
  await using store = await openStore({ path: ":memory:", driver: name });
  assertEquals(store.driver, name);
});

Deno.test("`openStore()` passes on the error of a user's driver", async () => {
  const values: SqlValue[] = [];
  const driver: Driver = {
    name: "broken",
    open: () => {
      values.push(1);
      throw new SqlError("io", "disk I/O error");
    },
  };
  const error = await assertRejects(
    () => openStore({ path: "app.db", driver }),
    StoreOpenError,
    "disk I/O error",
  );
  assertInstanceOf(error.cause, SqlError);
});
