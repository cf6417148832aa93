/**
 * The `path` option: what each form of it means, and that each opens.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openStore, StoreOpenError, type WatchEvent } from "../mod.ts";
import type { DatabaseLocation } from "../src/sqlite/driver/driver.ts";
import { fileDsn, parseDsn } from "../src/sqlite/file/dsn.ts";
import { runChild } from "./support/processes/child.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const PRIVATE: DatabaseLocation = {
  path: ":memory:",
  mode: "rwc",
  memory: "private",
};

/** The DSNs of the Go store's documentation. */
const FILE_DSNS = [
  "file:app.db",
  "file:app.db?cache=shared",
  "file:app.db?mode=rwc",
];

const LOCATIONS: Record<string, DatabaseLocation> = {
  "file:app.db": { path: "app.db", mode: "rwc" },
  "file:app.db?cache=shared": { path: "app.db", mode: "rwc" },
  "file:app.db?mode=rwc": { path: "app.db", mode: "rwc" },
  "file::memory:?cache=shared": { ...PRIVATE, memory: "shared" },

  ":memory:": PRIVATE,
  "file::memory:": PRIVATE,
  "file::memory:?cache=private": PRIVATE,
  "file::memory:?mode=memory": PRIVATE,
  "file::memory:?mode=rwc": PRIVATE,
  "file:%3Amemory%3A": PRIVATE,
  "file:app?mode=memory": { ...PRIVATE, path: "app" },
  "file:app?mode=memory&cache=shared": {
    path: "app",
    mode: "rwc",
    memory: "shared",
  },
  "file:/a/app?cache=shared&mode=memory": {
    path: "/a/app",
    mode: "rwc",
    memory: "shared",
  },

  "file:app.db?mode=ro": { path: "app.db", mode: "ro" },
  "file:app.db?mode=rw": { path: "app.db", mode: "rw" },
  "file:app.db?cache=private": { path: "app.db", mode: "rwc" },
  "file:app.db?cache=shared&mode=ro": { path: "app.db", mode: "ro" },
  "file:app.db?m%6fde=r%6f": { path: "app.db", mode: "ro" },
  "file:app.db?": { path: "app.db", mode: "rwc" },
  "file:app.db?&": { path: "app.db", mode: "rwc" },
  "file:app.db#mode=ro": { path: "app.db", mode: "rwc" },
  "file:app.db?mode=ro#?mode=rw": { path: "app.db", mode: "ro" },

  "file:./app.db": { path: "./app.db", mode: "rwc" },
  "file:../app.db": { path: "../app.db", mode: "rwc" },
  "file:a/app.db": { path: "a/app.db", mode: "rwc" },
  "file:/a/app.db": { path: "/a/app.db", mode: "rwc" },
  "file:///a/app.db": { path: "/a/app.db", mode: "rwc" },
  "file://localhost/a/app.db": { path: "/a/app.db", mode: "rwc" },
  "file:localhost/app.db": { path: "localhost/app.db", mode: "rwc" },

  "file:a%20b%3F%23%25.db": { path: "a b?#%.db", mode: "rwc" },
  "file:a b.db": { path: "a b.db", mode: "rwc" },
  "file:%C3%A9.db": { path: "é.db", mode: "rwc" },
  "file:é.db": { path: "é.db", mode: "rwc" },
  "file:a+b.db": { path: "a+b.db", mode: "rwc" },
  "file:file:app.db": { path: "file:app.db", mode: "rwc" },
  "file:a=b&c.db": { path: "a=b&c.db", mode: "rwc" },
};

for (const [dsn, location] of Object.entries(LOCATIONS)) {
  Deno.test(`\`parseDsn()\` reads ${dsn}`, () => {
    assertEquals(parseDsn(dsn), location);
  });
}

Deno.test("`parseDsn()` takes a plain path as it is", () => {
  for (
    const path of [
      "app.db",
      "/a/app.db",
      "./app.db",
      "a b.db",
      "a#b.db",
      "app.db?mode=ro",
      "100%.db",
      "%20.db",
      "file",
      "file.db",
      "files:app.db",
      "./file:app.db",
      ":colon.db",
      ":memory:.db",
      "memory",
      "http://localhost/app.db",
      " ",
      "é",
    ]
  ) assertEquals(parseDsn(path), { path, mode: "rwc" });
});

Deno.test("`fileDsn()` makes a DSN of any path, which `parseDsn()` reads back", () => {
  const paths = [
    "app.db",
    "./a b/../app.db",
    "/tmp/app.db",
    "//tmp//app.db",
    "100%.db",
    "100%25.db",
    "what?mode=ro",
    "a#b",
    "./:memory:",
    "line\nfeed",
    "日本語 😀",
    "C:\\dir\\app.db",
    "&cache=shared",
    "file",
  ];
  for (const path of paths) {
    for (const mode of ["ro", "rw", "rwc"] as const) {
      assertEquals(parseDsn(fileDsn({ path, mode })), { path, mode });
    }
  }
});

Deno.test("`parseDsn()` takes a file: URL object", () => {
  assertEquals(
    parseDsn(new URL("file:///a/b%20c.db?mode=ro")),
    { path: "/a/b c.db", mode: "ro" },
  );
  for (const path of ["/a/app.db", "/a b/100%?#.db", "/é/ü.db"]) {
    assertEquals(parseDsn(pathToFileURL(path)), { path, mode: "rwc" });
  }
  assertEquals(
    parseDsn(new URL("./app.db", "file:///a/b/mod.ts")),
    { path: "/a/b/app.db", mode: "rwc" },
  );
});

/** What is refused, and what the message has to say. */
const REFUSED: Record<string, string> = {
  "": "expected a path",
  "a\0.db": "expected a path",
  "file:": "it has no path",
  "file:?mode=rwc": "it has no path",
  "file:#app.db": "it has no path",
  "file:a%00.db": "NUL",
  "file:a\0.db": "expected a path",

  "file:app.db?_pragma=busy_timeout(5000)": '"_pragma"',
  "file:app.db?cache=shared&_pragma=busy_timeout(5000)": '"_pragma"',
  "file:app.db?busy_timeout=5000": '"busy_timeout"',
  "file:app.db?immutable=1": '"immutable"',
  "file:app.db?vfs=memdb": '"vfs"',
  "file:app.db?Mode=ro": '"Mode"',
  "file:app.db?__proto__=1": '"__proto__"',
  "file:app.db?constructor=1": '"constructor"',
  "file:app.db?=ro": '""',

  "file:app.db?mode=rx": '"rx"',
  "file:app.db?mode=RO": '"RO"',
  "file:app.db?mode=": '""',
  "file:app.db?mode": '""',
  "file:app.db?mode=%zz": '"%zz"',
  "file:app.db?cache=yes": '"yes"',

  "file:app.db?mode=ro&mode=ro": '"mode" comes twice',
  "file:app.db?mode=ro&mode=rw": '"mode" comes twice',
  "file:app.db?cache=shared&cache=private": '"cache" comes twice',

  "file:100%.db": "a percent escape is malformed",
  "file:%zz.db": "a percent escape is malformed",
  "file:%C3.db": "a percent escape is malformed",

  "file://host/app.db": "another host",
  "file://app.db": "another host",
  "file://localhostile/app.db": "another host",
  "file:////host/app.db": "another host",

  "file::memory:?mode=ro": "in memory",
};

for (const [dsn, reason] of Object.entries(REFUSED)) {
  Deno.test(`\`parseDsn()\` refuses ${JSON.stringify(dsn)}`, () => {
    const error = assertThrows(() => parseDsn(dsn), StoreOpenError, reason);
    assert(error.message.startsWith("Cannot open store at "), error.message);
  });
}

Deno.test("`parseDsn()` refuses a URL that is not a file: URL", () => {
  for (const url of ["https://example.com/app.db", "data:,app.db"]) {
    assertThrows(() => parseDsn(new URL(url)), StoreOpenError, "file: URL");
  }
});

Deno.test("`parseDsn()` refuses values that are not text", () => {
  for (const path of [undefined, null, 1, {}, ["app.db"]]) {
    assertThrows(() => parseDsn(path as never), TypeError, '"path"');
  }
});

// Through `openStore()`.

/** Opens the DSN, sets, closes, opens it again, and gives what is there. */
const WRITE_AND_REOPEN = `
  async function writeAndReopen(path, driver) {
    const write = await zestor.openStore({ path, driver });
    await write.set("k", path, "from " + path);
    await write.close();
    const read = await zestor.openStore({ path, driver });
    const value = await read.get("k", path);
    await read.close();
    return value;
  }`;

testOnEachDriver(
  "`openStore()` opens, writes and reopens each DSN of the Go store",
  async ({ name }) => {
    await using dir = await tempDir();
    const { code, stdout, stderr } = await runChild(
      dir.path,
      `${WRITE_AND_REOPEN}
      for (const path of ${JSON.stringify(FILE_DSNS)}) {
        console.log(await writeAndReopen(path, "${name}"));
      }
      const store = await zestor.openStore({
        path: "file::memory:?cache=shared",
        driver: "${name}",
      });
      await store.set("k", "a", 1);
      console.log(await store.get("k", "a"));
      await store.close();`,
      { permissions: ["--allow-all"] },
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(
      stdout.split("\n"),
      [...FILE_DSNS.map((dsn) => `from ${dsn}`), "1"],
    );
    assertEquals(await namesIn(dir.path), ["app.db"]);
  },
);

const ODD_NAMES = [
  "a b.db",
  "a?b.db",
  "app.db?mode=ro",
  "100%.db",
  "%20.db",
  "a#b.db",
  "file",
  "file.db",
  "file:app.db",
  "file::memory:",
  ":colon.db",
  ":memory:.db",
  "-dash.db",
  "é.db",
  "'quote'.db",
];

testOnEachDriver("`openStore()` opens a file of any name", async (driver) => {
  await using dir = await tempDir();
  for (const name of ODD_NAMES) {
    const path = dir.file(name);
    const forms = [
      path,
      pathToFileURL(path),
      `file:${encodeURIComponent(path)}`,
    ];
    for (const form of forms) {
      await using store = await openOn(driver, { path: form });
      await store.set("k", String(form), 1);
    }
    await using store = await openOn(driver, { path });
    assertEquals(await store.count("k"), forms.length, name);
  }
  assertEquals(await namesIn(dir.path), ODD_NAMES.toSorted());
});

testOnEachDriver(
  "`openStore()` opens a relative path of any name",
  async ({ name }) => {
    await using dir = await tempDir();
    const paths = ODD_NAMES.map((path) =>
      path.startsWith("file:") ? `file:${encodeURIComponent(path)}` : path
    );
    const { code, stdout, stderr } = await runChild(
      dir.path,
      `${WRITE_AND_REOPEN}
      for (const path of ${JSON.stringify(paths)}) {
        console.log(await writeAndReopen(path, "${name}"));
      }`,
      { permissions: ["--allow-all"] },
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(stdout.split("\n"), paths.map((path) => `from ${path}`));
    assertEquals(await namesIn(dir.path), ODD_NAMES.toSorted());
  },
);

testOnEachDriver(
  "`openStore()` with mode=rw or mode=ro makes no file",
  async (driver) => {
    await using dir = await tempDir();
    for (const mode of ["rw", "ro"]) {
      const path = `file:${dir.file("app.db")}?mode=${mode}`;
      const error = await assertRejects(
        () => openOn(driver, { path }),
        StoreOpenError,
        path,
      );
      assert(error.cause instanceof Error);
      assertEquals(await namesIn(dir.path), []);
    }
  },
);

testOnEachDriver("`openStore()` with mode=rw opens a file", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openOn(driver, { path })).close();
  await using store = await openOn(driver, { path: `file:${path}?mode=rw` });
  assertEquals((await store.set("k", "a", 1)).status, "created");
});

testOnEachDriver(
  "stores of a process share `file::memory:?cache=shared`",
  async (driver) => {
    const path = "file::memory:?cache=shared";
    await using one = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    const watch = other.watch("k").getReader();

    await one.set("k", "a", 1);
    assertEquals(await other.get("k", "a"), 1);
    await other.set("k", "b", 2);
    assertEquals([...await one.list("k")], [["a", 1], ["b", 2]]);

    const events = [(await watch.read()).value, (await watch.read()).value];
    assertEquals(
      (events as WatchEvent[]).map((
        { type, key, value },
      ) => [type, key, value]),
      [["create", "a", 1], ["create", "b", 2]],
    );
  },
);

testOnEachDriver(
  "stores that share a database in memory wait for each other",
  async (driver) => {
    const path = "file:busy?mode=memory&cache=shared";
    await using one = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    const writes = [];
    for (let i = 0; i < 50; i++) {
      writes.push(one.set("k", `one ${i}`, i), other.set("k", `other ${i}`, i));
      writes.push(one.count("k"), other.count("k"));
    }
    // A transaction of many slices, and an opening meanwhile.
    const many = Array.from({ length: 20_000 }, (_, i) => [`${i}`, i] as const);
    writes.push(one.setAll("many", many));
    await using late = await openOn(driver, { path });
    writes.push(late.set("k", "late", 1));
    await Promise.all(writes);
    assertEquals(await other.count("k"), 101);
    assertEquals(await late.count("many"), many.length);
  },
);

testOnEachDriver(
  "stores do not share a database in memory of another name",
  async (driver) => {
    await using one = await openOn(driver, {
      path: "file:one?mode=memory&cache=shared",
    });
    await one.set("k", "a", 1);
    for (
      const path of [
        "file:another?mode=memory&cache=shared",
        "file:one?mode=memory",
        "file::memory:",
        ":memory:",
      ]
    ) {
      await using other = await openOn(driver, { path });
      assertEquals(await other.count("k"), 0, path);
    }
  },
);

testOnEachDriver(
  "a database in memory is gone with its last store",
  async (driver) => {
    const path = "file:gone?mode=memory&cache=shared";
    const one = await openOn(driver, { path });
    await one.set("k", "a", 1);
    const other = await openOn(driver, { path });
    await one.close();
    assertEquals(await other.count("k"), 1);
    await other.close();
    await using fresh = await openOn(driver, { path });
    assertEquals(await fresh.count("k"), 0);
  },
);

// Permissions.

Deno.test(
  "the builtin driver needs no permission but for the directory",
  async () => {
    await using dir = await tempDir();
    const paths = [
      join(dir.path, "a.db"),
      "b.db",
      "file:c.db?cache=shared",
      "file%3A.db",
    ];
    for (const granted of [dir.path, "."]) {
      const result = await runChild(
        dir.path,
        `${WRITE_AND_REOPEN}
        for (const path of ${JSON.stringify(paths)}) {
          console.log(await writeAndReopen(path, "auto"));
        }`,
        {
          permissions: [`--allow-read=${granted}`, `--allow-write=${granted}`],
        },
      );
      assertEquals(result, {
        code: 0,
        stdout: paths.map((path) => `from ${path}`).join("\n"),
        stderr: "",
      });
    }
  },
);

Deno.test("the builtin driver tells of a permission it lacks", async () => {
  await using dir = await tempDir();
  const program = `
    for (const mode of ["ro", "rw", "rwc"]) {
      try {
        await zestor.openStore({ path: "file:app.db?mode=" + mode });
      } catch (error) {
        console.log(error.name, /--allow-read/.test(error.message));
      }
    }`;
  assertEquals(await runChild(dir.path, program, { permissions: [] }), {
    code: 0,
    stdout: Array(3).fill("StoreOpenError true").join("\n"),
    stderr: "",
  });
  assertEquals(await namesIn(dir.path), []);
});

Deno.test(
  "the builtin driver shares no database in memory without every permission",
  async () => {
    await using dir = await tempDir();
    const program = `
      try {
        await zestor.openStore({ path: "file::memory:?cache=shared" });
      } catch (error) {
        console.log(error.name, error.message);
      }`;
    const { stdout } = await runChild(dir.path, program, {
      permissions: ["--allow-read", "--allow-write"],
    });
    assertEquals(
      stdout,
      "StoreOpenError Cannot open store at file::memory:?cache=shared: node:sqlite can share a database in memory only with --allow-all; see the cause",
    );
    // As a file of that name.
    assertEquals(await namesIn(dir.path), []);
  },
);

Deno.test("`openStore()` refuses a path that is not text", async () => {
  for (const path of [undefined, null, 1]) {
    await assertRejects(
      () => openStore({ path: path as never }),
      TypeError,
      '"path"',
    );
  }
});

async function namesIn(dir: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir), ({ name }) => name);
  return names.sort();
}
