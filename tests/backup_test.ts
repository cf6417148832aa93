/**
 * `backup()`: what is in a copy, whatever the store is and whoever writes
 * meanwhile; what it refuses; and that where it fails nothing is left behind.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { pathToFileURL } from "node:url";
import {
  type BackupOptions,
  json,
  openStore,
  type SqliteStore,
  StoreBusyError,
  StoreClosedError,
  StoreCorruptError,
  StoreError,
  StoreFullError,
  StoreOpenError,
  type StoreOptions,
  WatchOverflowError,
} from "../mod.ts";
import {
  type Connection,
  type Driver,
  SqlError,
} from "../src/sqlite/driver/mod.ts";
import { yaml } from "../src/values/codecs/yaml.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  failAt,
  type Failure,
  Faults,
  faultyDriver,
  TOLD_AS,
} from "./support/faults/faulty_driver.ts";
import {
  COPY,
  instrumentedDriver,
} from "./support/faults/instrumented_driver.ts";
import { testOnLockable } from "./support/faults/lockable_dir.ts";
import { turn } from "./support/manual_time.ts";
import { runChild } from "./support/processes/child.ts";
import { startStorePeer } from "./support/processes/peer.ts";
import { createGoFile } from "./support/go_file.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

/** Entries of two kinds, at several versions, and one that was deleted. */
async function fill(store: SqliteStore): Promise<void> {
  await store.setAll("users", { alice: { n: 1 }, bob: { n: 2 }, eve: null });
  await store.set("users", "alice", { n: 3 });
  await store.delete("users", "eve");
  await store.atomic().set("l", "x", "é").set("users", "zoë", [1]).commit();
}

const OTHERS_TABLES = `
  CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, x, y REAL);
  CREATE INDEX notes_by_x ON notes (x);
  CREATE VIEW notes_seen AS SELECT x FROM notes;
  CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
  CREATE TRIGGER notes_paired AFTER INSERT ON notes
    BEGIN INSERT INTO pairs VALUES (NEW.x, NEW.id); END;
  INSERT INTO notes (x, y) VALUES
    ('text', 1.5), (x'00ff', NULL), (9007199254740993, 1e300), ('last', 0);
  DELETE FROM notes WHERE x = 'last';
  PRAGMA user_version = 7;
  PRAGMA application_id = 11`;

/** Everything in a database: its settings, schema, and rows. */
function dump(db: Connection): Record<string, unknown> {
  const schema = db.prepare(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
  ).all();
  const settings = ["user_version", "application_id", "encoding", "page_size"];
  return {
    schema,
    settings: settings.map((name) => db.prepare(`PRAGMA ${name}`).get()),
    rows: schema.filter(({ type }) => type === "table")
      .map(({ name }) => rowsOf(db, name as string)),
  };
}

/** A table's rows, as text, sorted. */
function rowsOf(db: Connection, table: string): string[] {
  const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all().map(({ name }) => `quote("${name}")`);
  const rows = db.prepare(
    `SELECT ${columns.join(" || ',' || ")} AS row FROM "${table}"`,
  ).all();
  return rows.map(({ row }) => `${table}: ${row}`).sort();
}

async function dumpOf(driver: TestDriver, path: string) {
  using db = await connect(driver, fileAt(path));
  return dump(db);
}

/** A driver, and the connection that it opened first. */
async function observedDriver(
  { name }: TestDriver,
): Promise<{ driver: Driver; readonly first: Connection }> {
  const real = await loadDriver(name);
  const opened: Connection[] = [];
  return {
    driver: {
      name: real.name,
      open(location) {
        const connection = real.open(location);
        opened.push(connection);
        return connection;
      },
    },
    get first() {
      return opened[0];
    },
  };
}

async function namesIn(dir: TempDir): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir.path));
  return names.map(({ name }) => name).sort();
}

/** What is in a directory, but for a store's own files: those are open. */
async function othersIn(dir: TempDir): Promise<string[]> {
  return (await namesIn(dir)).filter((name) => !name.startsWith("app.db"));
}

/** Asserts that a backup is refused, and nothing becomes of it. */
async function assertRefuses(
  store: SqliteStore,
  dir: TempDir,
  path: string | URL,
  options: BackupOptions | undefined,
  message: string,
): Promise<StoreError> {
  const before = await othersIn(dir);
  const error = await assertRejects(
    () => store.backup(path, options),
    StoreError,
    message,
  );
  assertEquals([error.name, error.code], ["StoreError", "STORAGE"]);
  assertMatch(error.message, /^Cannot back up to ".*"…?.*: .*[^.]$/);
  assertEquals(await othersIn(dir), before);
  return error;
}

/** Replaces a function of `Deno` until it is disposed of. */
function replaced<Name extends "link" | "rename" | "open">(
  name: Name,
  by: (real: typeof Deno[Name]) => typeof Deno[Name],
): Disposable {
  const real = Deno[name];
  Deno[name] = by(real);
  return { [Symbol.dispose]: () => Deno[name] = real };
}

async function turnsUntil(
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  while (!await condition()) {
    await turn();
  }
}

// What is in a copy.

/** The stores that there are, by where they keep what they hold. */
const SOURCES: Record<string, (path: string) => Partial<StoreOptions>> = {
  "a file with a write-ahead log": (path) => ({ path }),
  "a file with a rollback journal": (path) => ({ path, wal: false }),
  "a file that is only read": (path) => ({ path: `file:${path}?mode=ro` }),
  "a database in memory": () => ({ path: ":memory:" }),
  "a shared database in memory": () => ({
    path: `file:${crypto.randomUUID()}?mode=memory&cache=shared`,
  }),
};

for (const [what, optionsOf] of Object.entries(SOURCES)) {
  testOnEachDriver(
    `\`backup()\` copies all that is in ${what}`,
    async (tested) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const options = optionsOf(path) as StoreOptions;
      if (String(options.path).includes("mode=ro")) {
        await using writer = await openOn(tested, { path });
        await fill(writer);
        using db = await connect(tested, fileAt(path));
        db.exec(OTHERS_TABLES);
      }
      const observed = await observedDriver(tested);
      const { driver } = observed;
      await using store = await openStore({ ...options, driver });
      if (!String(options.path).includes("mode=ro")) {
        await fill(store);
        observed.first.exec(OTHERS_TABLES);
      }
      const copied = dir.file("copy.db");
      await store.backup(copied);

      assertEquals(await dumpOf(tested, copied), dump(observed.first));
      await using copy = await openOn(tested, { path: copied });
      for (const kind of ["users", "l"]) {
        const entries = await Array.fromAsync(store.entries(kind));
        assertGreater(entries.length, 0);
        assertEquals(await Array.fromAsync(copy.entries(kind)), entries);
      }
      assertEquals(await copy.verify(), []);
      // And the store goes on.
      if (String(options.path).includes("mode=ro")) return;
      const head = (await store.info()).log!.newest;
      assertEquals((await store.set("l", "y", 1)).revision, head + 1);
    },
  );
}

testOnEachDriver(
  "a copy is one file, whichever journal its source has",
  async (driver) => {
    await using dir = await tempDir();
    for (const wal of [true, false]) {
      await using store = await openOn(driver, {
        path: dir.file(`app.db${wal}`),
        wal,
      });
      await fill(store);
      const path = dir.file(`copy${wal}.db`);
      await store.backup(path);
      await using copy = await openOn(driver, { path: `file:${path}?mode=ro` });
      assertEquals(await copy.count("users"), 3);
      assertEquals((await copy.info()).journalMode, "delete");
    }
    assertEquals(await othersIn(dir), ["copyfalse.db", "copytrue.db"]);
  },
);

testOnEachDriver(
  "a copy opens with the codecs of its source, and no others",
  async (driver) => {
    await using dir = await tempDir();
    const codec = { settings: yaml };
    await using store = await openOn(driver, {
      path: dir.file("app.db"),
      codec,
    });
    await store.set("settings", "ui", { theme: "dark" });
    await store.set("notes", "a", "text");
    const path = dir.file("copy.db");
    await store.backup(path);
    await using copy = await openOn(driver, { path, codec });
    assertEquals(await copy.get("settings", "ui"), { theme: "dark" });
    assertEquals(await copy.get("notes", "a"), "text");
    assertEquals(
      (await copy.info()).codecs,
      { fallback: "json", named: [{ kind: "settings", codec: "yaml" }] },
    );
    await copy.close();
    await assertRejects(
      () => openOn(driver, { path, codec: yaml }),
      StoreOpenError,
      "codec",
    );
  },
);

testOnEachDriver(
  "`backup()` copies a file without a change log that is only read",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createGoFile(driver, path);
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    const copied = dir.file("copy.db");
    await store.backup(copied);
    assertEquals(await dumpOf(driver, copied), await dumpOf(driver, path));
  },
);

testOnEachDriver(
  "a driver that cannot copy by itself does so by SQL",
  async ({ name }) => {
    await using dir = await tempDir();
    const real = await loadDriver(name);
    const statements: string[] = [];
    const driver: Driver = {
      name: real.name,
      open(location) {
        const connection = real.open(location);
        return {
          exec: (sql) => connection.exec(sql),
          prepare(sql) {
            statements.push(sql);
            return connection.prepare(sql);
          },
          close: () => connection.close(),
        };
      },
    };
    await using store = await openStore({ path: dir.file("app.db"), driver });
    await fill(store);
    await store.backup(dir.file("copy.db"));
    assert(statements.includes(COPY));
    await using copy = await openStore({ path: dir.file("copy.db"), driver });
    assertEquals(await copy.count("users"), 3);
  },
);

// When.

testOnEachDriver(
  "C3 a copy has every write called before it",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const writes = [
      store.set("k", "a", 1),
      store.setAll("k", Array.from({ length: 3_000 }, (_, i) => [`${i}`, i])),
      store.update("k", "a", (n) => n as number + 1),
    ];
    const path = dir.file("copy.db");
    await store.backup(path);
    await Promise.all(writes);
    await using copy = await openOn(driver, { path });
    assertEquals(await copy.get("k", "a"), 2);
    assertEquals(await copy.count("k"), 3_001);
  },
);

testOnEachDriver(
  "`backup()` and `verify()` do not disturb each other",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await store.setAll(
      "k",
      Array.from({ length: 3_000 }, (_, i) => [`${i}`, i]),
    );
    const checks = [store.verify()];
    const backups = [store.backup(dir.file("1.db"))];
    const writing = store.set("k", "a", 1);
    checks.push(store.verify());
    backups.push(store.backup(dir.file("2.db")));
    assertEquals(await Promise.all(checks), [[], []]);
    await Promise.all([...backups, writing]);
    await using second = await openOn(driver, { path: dir.file("2.db") });
    assertEquals(await second.get("k", "a"), 1);
  },
);

drivers[0].test(
  "operations that are called while a driver copies wait for its end",
  async () => {
    await using dir = await tempDir();
    const real = await loadDriver("builtin");
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const driver: Driver = {
      name: real.name,
      open(location) {
        const connection = real.open(location);
        return {
          exec: (sql) => connection.exec(sql),
          prepare: (sql) => connection.prepare(sql),
          async copyTo(path) {
            begun.resolve();
            await gate.promise;
            await connection.copyTo!(path);
          },
          close: () => connection.close(),
        };
      },
    };
    const store = await openStore({ path: dir.file("app.db"), driver });
    await store.set("k", "a", 1);
    const settled: string[] = [];
    const note = (name: string, operation: Promise<unknown>) =>
      operation.then(() => settled.push(name));
    const backup = note("backup", store.backup(dir.file("copy.db")));
    await begun.promise;
    const others = [
      note("set", store.set("k", "a", 2)),
      note("get", store.get("k", "a")),
      note("close", store.close()),
    ];
    for (let i = 0; i < 100; i++) await turn();
    assertEquals(settled, []);
    gate.resolve();
    await Promise.all([backup, ...others]);
    assertEquals(settled.slice(0, 2), ["set", "get"]);
    assertEquals(settled.at(-1), "close");
    await using copy = await openOn(drivers[0], { path: dir.file("copy.db") });
    assertEquals(await copy.get("k", "a"), 1);
  },
);

for (const wal of [true, false]) {
  const journal = wal ? "a write-ahead log" : "a rollback journal";
  testOnEachDriver(
    `copies made while others write are of one moment each, with ${journal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const options = { path, wal, busyTimeout: 60_000 };
      await using store = await openOn(driver, options);
      await using peer = startStorePeer("writePairs", {
        path,
        wal,
        driver: driver.name,
        kind: "peer",
      });
      assertEquals(await peer.next(), "writing");
      let isDone = false;
      const write = async (): Promise<number> => {
        let n = 0;
        while (!isDone) {
          n++;
          await store.atomic().set("own", "a", n).set("own", "b", n).commit();
        }
        return n;
      };
      const writing = write();
      for (let i = 0; i < 5; i++) await store.backup(dir.file(`${i}.db`));
      isDone = true;
      const written = await writing;
      const writtenByPeer = await peer.ask<number>("stop");

      const seen: Record<string, number> = { own: 0, peer: 0 };
      for (let i = 0; i < 5; i++) {
        await using copy = await openOn(driver, { path: dir.file(`${i}.db`) });
        assertEquals(await copy.verify(), []);
        for (const kind of ["own", "peer"]) {
          const pair = await copy.list(kind);
          const n = Number(pair.get("a") ?? 0);
          assertEquals(pair.get("b") ?? 0, n);
          assertGreaterOrEqual(n, seen[kind]);
          seen[kind] = n;
        }
      }
      assertGreaterOrEqual(written, seen.own);
      assertGreaterOrEqual(writtenByPeer, seen.peer);
      assertGreater(seen.peer, 0);
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver("watches resume on a copy", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("copy.db");
  {
    await using store = await openOn(driver, {
      path: dir.file("app.db"),
      history: 5,
    });
    for (let n = 1; n <= 20; n++) await store.set("k", "a", n);
    await store.backup(path);
    await store.set("k", "a", "not in the copy");
  }
  await using copy = await openOn(driver, { path, history: 5 });
  const watch = copy.watch("k", { after: 17 }).getReader();
  const next = async () => {
    const { value } = await watch.read();
    return [value?.revision, value?.version, value?.value];
  };
  assertEquals(await next(), [18, 18, 18]);
  assertEquals(await next(), [19, 19, 19]);
  assertEquals(await next(), [20, 20, 20]);
  await copy.set("k", "a", "after it");
  assertEquals(await next(), [21, 21, "after it"]);
  await watch.cancel();
  const { reason } = await assertRejects(
    () => copy.watch("k", { after: 3 }).getReader().read(),
    WatchOverflowError,
  );
  assertEquals(reason, "pruned");
});

testOnEachDriver(
  "a copy of a log that has gone gives no revision twice",
  async (tested) => {
    await using dir = await tempDir();
    const observed = await observedDriver(tested);
    const { driver } = observed;
    await using store = await openStore({ path: ":memory:", driver });
    await store.set("k", "a", 1);
    await store.delete("k", "a");
    observed.first.exec("DELETE FROM zestor_changes");
    await store.backup(dir.file("copy.db"));
    await using copy = await openOn(tested, { path: dir.file("copy.db") });
    assertEquals((await copy.set("k", "b", 1)).revision, 3);
  },
);

// Where to.

const FORMS: Record<string, (path: string) => string | URL> = {
  "copy.db": (path) => path,
  "it's a copy #1.db": (path) => path,
  "copy?mode=ro": (path) => path,
  "50%25.db": (path) => path,
  "url.db": (path) => pathToFileURL(path),
  "url of a copy, 100%.db": (path) => pathToFileURL(path),
  "uri.db": (path) => `file:${path}`,
  "uri of a copy.db": (path) => `file://${encodeURI(path)}`,
};

testOnEachDriver("`backup()` takes a path, or a file: URL", async (driver) => {
  await using dir = await tempDir();
  await using store = await openOn(driver, { path: dir.file("app.db") });
  await store.set("k", "a", 1);
  for (const [name, form] of Object.entries(FORMS)) {
    await store.backup(form(dir.file(name)));
  }
  assertEquals(await othersIn(dir), Object.keys(FORMS).sort());
});

testOnEachDriver("`backup()` refuses an invalid path", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("copy.db");
  await using store = await openOn(driver, { path: dir.file("app.db") });
  const expected = "expected the path of a file";
  const refused: [string | URL, string][] = [
    ["", expected],
    ["a\0b", expected],
    [":memory:", expected],
    ["file::memory:", expected],
    ["file:", "it has no path"],
    ["file://elsewhere/copy.db", "the file is on another host"],
    ["file:%zz", "a percent escape is malformed"],
    [new URL("https://localhost/copy.db"), "expected a file: URL"],
    [`file:${path}?mode=ro`, 'it has the parameters "mode=ro"'],
    [`file:${path}?cache=shared`, 'it has the parameters "cache=shared"'],
    [`file:${path}?`, 'it has the parameters ""'],
    [new URL(`file://${path}?mode=rwc`), 'it has the parameters "mode=rwc"'],
  ];
  for (const [path, message] of refused) {
    await assertRefuses(store, dir, path, undefined, message);
  }
  for (const path of [undefined, null, 1, { path: "copy.db" }]) {
    await assertRejects(
      () => store.backup(path as never),
      TypeError,
      'Cannot back up: "path" must be a string or a URL, received',
    );
  }
});

testOnEachDriver(
  "`backup()` refuses options that cannot be",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const options: [unknown, string][] = [
      [{ overwite: true }, 'unknown option "overwite", expected "overwrite"'],
      [{ overwrite: 1 }, '"overwrite" must be a boolean, received 1'],
      [{ signal: {} }, '"signal" must be an AbortSignal'],
      [null, "options must be an object"],
      [true, "options must be an object, received true"],
      [new AbortController().signal, "options must be an object"],
    ];
    for (const [given, message] of options) {
      await assertRejects(
        () => store.backup(dir.file("copy.db"), given as never),
        TypeError,
        message,
      );
    }
    assertEquals(await othersIn(dir), []);
  },
);

testOnEachDriver(
  "`backup()` replaces a file only with `overwrite`",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("copy.db");
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await store.set("k", "a", 1);
    await Deno.writeTextFile(path, "something else");
    for (const options of [undefined, {}, { overwrite: false }]) {
      await assertRefuses(
        store,
        dir,
        path,
        options,
        "there is a file already; give another path, or overwrite: true",
      );
    }
    assertEquals(await Deno.readTextFile(path), "something else");
    for (const n of [2, 3]) {
      await store.set("k", "a", n);
      await store.backup(path, { overwrite: true });
      await using copy = await openOn(driver, { path });
      assertEquals(await copy.get("k", "a"), n);
    }
    assertEquals(await othersIn(dir), ["copy.db"]);
  },
);

testOnEachDriver(
  "of backups to one path at once one is made",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await fill(store);
    const path = dir.file("copy.db");
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => store.backup(path)),
    );
    const refused = results.filter(({ status }) => status === "rejected");
    assertEquals(refused.length, 3);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      assertStringIncludes(reason.message, "there is a file already");
    }
    const overwrite = { overwrite: true };
    await Promise.all([
      store.backup(path, overwrite),
      store.backup(path, overwrite),
    ]);
    assertEquals(await othersIn(dir), ["copy.db"]);
    await using copy = await openOn(driver, { path });
    assertEquals(await copy.verify(), []);
  },
);

const onUnix = Deno.build.os !== "windows";

/** Registers a test on each driver, ignored where there are no such files. */
function testOnUnix(
  name: string,
  fn: (driver: TestDriver) => Promise<void>,
): void {
  for (const driver of drivers) {
    const register = onUnix ? driver.test : Deno.test.ignore;
    register(`${name} [${driver.name}]`, () => fn(driver));
  }
}

testOnUnix("a copy has the permissions of its source", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path });
  await fill(store);
  const seen = new Set<number>();
  using _open = replaced("open", (open) => async (path, options) => {
    const file = await open(path, options);
    if (options?.createNew) seen.add((await Deno.stat(path)).mode! & 0o777);
    return file;
  });
  for (const mode of [0o600, 0o640, 0o444, 0o400]) {
    await Deno.chmod(path, mode);
    const copied = dir.file(`${mode.toString(8)}.db`);
    await store.backup(copied);
    assertEquals((await Deno.stat(copied)).mode! & 0o777, mode);
  }
  // While it is made, nobody else may read it.
  assertEquals([...seen], [0o600]);
});

testOnUnix(
  "if the path is a link to a file, `backup()` replaces the file",
  async (driver) => {
    await using dir = await tempDir();
    await using elsewhere = await tempDir();
    const file = elsewhere.file("monday.db");
    const link = dir.file("latest.db");
    await Deno.writeTextFile(file, "last week's");
    await Deno.symlink(file, link);
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await store.set("k", "a", 1);
    await assertRefuses(store, dir, link, {}, "there is a file already");
    await store.backup(link, { overwrite: true });
    assert((await Deno.lstat(link)).isSymlink);
    assertEquals(await othersIn(dir), ["latest.db"]);
    assertEquals(await namesIn(elsewhere), ["monday.db"]);
    await using copy = await openOn(driver, { path: file });
    assertEquals(await copy.get("k", "a"), 1);
    // A link that leads nowhere.
    const broken = dir.file("broken.db");
    await Deno.symlink(elsewhere.file("none.db"), broken);
    await assertRefuses(store, dir, broken, {}, "there is a file already");
    const overwrite = { overwrite: true };
    await assertRefuses(store, dir, broken, overwrite, "No such file");
  },
);

const NO_FILES: Record<string, (path: string) => Promise<void>> = {
  "a directory": (path) => Deno.mkdir(path),
  "a FIFO": async (path) => {
    const command = new Deno.Command("mkfifo", { args: [path] });
    assert((await command.output()).success);
  },
  "a device": (path) => Deno.symlink("/dev/null", path),
};

testOnUnix(
  "`backup()` refuses to replace something that is not a file",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    for (const [what, make] of Object.entries(NO_FILES)) {
      const path = dir.file(what);
      await make(path);
      for (const overwrite of [false, true]) {
        const message = `it is ${what}; give the path of a file`;
        await assertRefuses(store, dir, path, { overwrite }, message);
      }
    }
  },
);

testOnUnix("`backup()` refuses the store's own file", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path });
  await store.set("k", "a", 1);
  await Deno.symlink(path, dir.file("symbolic.db"));
  await Deno.link(path, dir.file("hard.db"));
  const overwrite = { overwrite: true };
  const message = "it is the store's own file; give another path";
  const forms = [
    path,
    pathToFileURL(path),
    `${dir.path}/../${dir.path.split("/").at(-1)}/app.db`,
    dir.file("symbolic.db"),
    dir.file("hard.db"),
  ];
  for (const form of forms) {
    await assertRefuses(store, dir, form, overwrite, message);
    await assertRefuses(store, dir, form, {}, "there is a file already");
  }
  assertEquals((await store.set("k", "a", 2)).version, 2);
  assertEquals(await store.verify(), []);
});

testOnEachDriver(
  "`backup()` refuses a file that a store of the process has open",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("other.db");
    await using store = await openOn(driver, { path: ":memory:" });
    {
      await using other = await openOn(driver, { path, wal: false });
      await other.set("k", "a", 1);
      await assertRefuses(
        store,
        dir,
        path,
        { overwrite: true },
        "a store of this process has it open; close that store, or give another path",
      );
      // The refusal took no lock from the other store.
      using db = await connect(driver, fileAt(path));
      db.exec("BEGIN EXCLUSIVE");
      const write = other.set("k", "a", 2);
      db.exec("ROLLBACK");
      assertEquals((await write).version, 2);
    }
    await store.backup(path, { overwrite: true });
    assertEquals(await othersIn(dir), ["other.db"]);
  },
);

testOnEachDriver(
  "`backup()` refuses a path beside which a log lies that SQLite would apply",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const path = dir.file("copy.db");
    for (const suffix of ["-wal", "-journal"]) {
      for (const overwrite of [false, true]) {
        if (overwrite) await Deno.writeTextFile(path, "old");
        await Deno.writeTextFile(path + suffix, "of another file");
        await assertRefuses(
          store,
          dir,
          path,
          { overwrite },
          `the file ${path}${suffix}`,
        );
        // What is empty, is no log.
        await Deno.truncate(path + suffix);
        await store.backup(path, { overwrite });
        await Deno.remove(path);
        await Deno.remove(path + suffix);
      }
    }
  },
);

testOnUnix("`backup()` tells that it can write no file", async (driver) => {
  await using dir = await tempDir();
  await using store = await openOn(driver, { path: dir.file("app.db") });
  await Deno.writeTextFile(dir.file("file"), "");
  const see = "check that its directory exists, and is readable and writable";
  for (const overwrite of [false, true]) {
    for (const name of ["none/copy.db", "file/copy.db", "x".repeat(250)]) {
      const path = dir.file(name);
      const error = await assertRefuses(store, dir, path, { overwrite }, see);
      assertInstanceOf(error.cause, Error);
    }
  }
});

testOnUnix(
  "`backup()` writes nothing if its directory cannot be read, and so not synced",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: ":memory:" });
    const { open } = Deno;
    try {
      // Permissions do not keep root from it.
      Deno.open = (path, options) =>
        path === dir.path
          ? Promise.reject(new Deno.errors.PermissionDenied("os error 13"))
          : open(path, options);
      await assertRejects(
        () => store.backup(dir.file("copy.db")),
        StoreError,
        "os error 13; check that its directory exists, and is readable",
      );
    } finally {
      Deno.open = open;
    }
    assertEquals(await namesIn(dir), []);
  },
);

testOnLockable(
  "`backup()` tells that a directory cannot be written",
  async (driver, dir) => {
    await dir.lock();
    await using store = await openOn(driver, { path: ":memory:" });
    await store.set("k", "a", 1);
    await assertRejects(
      () => store.backup(`${dir.path}/copy.db`),
      StoreError,
      "check that its directory exists, and is readable and writable",
    );
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  },
);

testOnLockable(
  "`backup()` copies from a directory that cannot be written",
  async (driver, locked) => {
    const path = `${locked.path}/app.db`;
    {
      await using store = await openOn(driver, { path, wal: false });
      await fill(store);
    }
    await locked.lock();
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    await store.backup(dir.file("copy.db"));
    await using copy = await openOn(driver, { path: dir.file("copy.db") });
    assertEquals(await copy.count("users"), 3);
  },
);

// Permissions.

Deno.test("with the builtin driver a backup needs no permission but for the directories", async () => {
  await using dir = await tempDir();
  await using data = await tempDir();
  await Deno.mkdir(dir.file("copies"));
  const program = `
    const path = ${JSON.stringify(data.file("app.db"))};
    await using store = await zestor.openStore({ path });
    await store.set("k", "a", 1);
    console.log(store.driver);
    await store.backup("copies/copy.db");
    await store.backup("file:copies/copy.db", { overwrite: true });
    for (const path of ["copy.db", "/copy.db"]) {
      for (const overwrite of [false, true]) {
        await store.backup(path, { overwrite }).catch((error) =>
          console.log(error.name, error.code, /--allow-/.test(error.message))
        );
      }
    }`;
  const granted = `${data.path},copies`;
  const result = await runChild(dir.path, program, {
    permissions: [`--allow-read=${granted}`, `--allow-write=${granted}`],
  });
  assertEquals(result, {
    code: 0,
    stdout: ["builtin", ...Array(4).fill("StoreError STORAGE true")].join("\n"),
    stderr: "",
  });
  assertEquals(await namesIn(dir), ["copies"]);
  await using copy = await openOn(drivers[0], {
    path: dir.file("copies/copy.db"),
  });
  assertEquals(await copy.get("k", "a"), 1);
});

// Locks.

/** A store that tells of its tries to copy, and of its looks at the schema. */
async function openTelling(
  { name }: TestDriver,
  options: StoreOptions,
  onTry: () => void,
): Promise<SqliteStore> {
  const driver = await instrumentedDriver(name, (sql) => {
    // The first that takes a lock, with a way of its own to copy and without.
    const isFirst = sql === "PRAGMA schema_version" ||
      (sql === COPY && name === "ffi");
    if (isFirst) onTry();
  });
  return await openStore({ ...options, driver });
}

testOnEachDriver("`backup()` waits for others' locks", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  using db = await connect(driver, fileAt(path));
  const options = { path, wal: false };
  let isHeld = false;
  let tries = 0;
  await using store = await openTelling(driver, options, () => {
    if (isHeld && ++tries === 3) db.exec("COMMIT");
  });
  await fill(store);
  db.exec("BEGIN EXCLUSIVE; DELETE FROM zestor_kv WHERE kind = 'l'");
  isHeld = true;
  await store.backup(dir.file("copy.db"));
  await using copy = await openOn(driver, { path: dir.file("copy.db") });
  assertEquals(await copy.kinds(), ["users"]);
});

testOnEachDriver(
  "`backup()` gives up after `busyTimeout`, and leaves nothing",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(driver, fileAt(path));
    const options = { path, wal: false, busyTimeout: 20 };
    let tries = 0;
    await using store = await openTelling(driver, options, () => tries++);
    await fill(store);
    db.exec("BEGIN EXCLUSIVE");
    tries = 0;
    await assertRejects(
      () => store.backup(dir.file("copy.db")),
      StoreBusyError,
      "Cannot back up to",
    );
    assertGreater(tries, 1);
    assertEquals(await othersIn(dir), []);
    db.exec("ROLLBACK");
    await store.backup(dir.file("copy.db"));
  },
);

// Where the file is locked in between, its copying waits without end.
drivers[0].test(
  "the builtin driver copies with the lock in hand",
  async () => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(drivers[0], fileAt(path));
    let refusal: unknown;
    const driver = await instrumentedDriver("builtin", (sql) => {
      if (sql !== COPY) return;
      try {
        db.exec("BEGIN EXCLUSIVE");
      } catch (error) {
        refusal = error;
      }
    });
    await using store = await openStore({ path, driver, wal: false });
    await fill(store);
    await store.backup(dir.file("copy.db"));
    assertInstanceOf(refusal, SqlError);
    assertEquals(refusal.failure, "busy");
    // It is not in hand any more.
    db.exec("BEGIN EXCLUSIVE; ROLLBACK");
  },
);

// Aborting and closing.

testOnEachDriver("C7 an aborted backup makes nothing", async (driver) => {
  await using dir = await tempDir();
  await using store = await openOn(driver, { path: dir.file("app.db") });
  const reason = new Error("changed my mind");
  const signal = AbortSignal.abort(reason);
  const path = dir.file("none/copy.db");
  // It has not even looked where it was to go.
  assertStrictEquals(
    await store.backup(path, { signal }).catch((error) => error),
    reason,
  );
  assertEquals(await othersIn(dir), []);
});

testOnEachDriver(
  "C7 a backup that is aborted while it waits leaves nothing",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, busyTimeout: 60_000 });
    using db = await connect(driver, fileAt(path));
    db.exec("BEGIN IMMEDIATE");
    const write = store.set("k", "a", 1);
    const controller = new AbortController();
    const { signal } = controller;
    const backup = store.backup(dir.file("copy.db"), { signal })
      .catch((error) => error);
    await turnsUntil(async () => (await othersIn(dir)).length > 0);
    const reason = new Error("changed my mind");
    controller.abort(reason);
    assertStrictEquals(await backup, reason);
    assertEquals(await othersIn(dir), []);
    db.exec("ROLLBACK");
    assertEquals((await write).revision, 1);
  },
);

testOnEachDriver(
  "C7 a backup that is aborted while it is checked leaves nothing",
  async ({ name }) => {
    await using dir = await tempDir();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const driver = await instrumentedDriver(name, (sql) => {
      if (sql.startsWith("PRAGMA integrity_check")) controller.abort(reason);
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    await fill(store);
    await Deno.writeTextFile(dir.file("copy.db"), "old");
    const options = { overwrite: true, signal: controller.signal };
    const failure = await store.backup(dir.file("copy.db"), options)
      .catch((error) => error);
    assertStrictEquals(failure, reason);
    assertEquals(await othersIn(dir), ["copy.db"]);
    assertEquals(await Deno.readTextFile(dir.file("copy.db")), "old");
  },
);

testOnEachDriver(
  "C7 an abort comes too late for a backup that is in its place",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const controller = new AbortController();
    using _link = replaced("link", (link) => async (...paths) => {
      await link(...paths);
      controller.abort();
    });
    const { signal } = controller;
    await store.backup(dir.file("copy.db"), { signal });
    assert(signal.aborted);
    assertEquals(await othersIn(dir), ["copy.db"]);
  },
);

testOnEachDriver("`close()` waits for a backup", async (driver) => {
  await using dir = await tempDir();
  const store = await openOn(driver, { path: dir.file("app.db") });
  const write = store.set("k", "a", 1);
  const backup = store.backup(dir.file("copy.db"));
  let isDone = false;
  backup.then(() => isDone = true);
  await store.close();
  assert(isDone);
  await Promise.all([write, backup]);
  assertEquals(await namesIn(dir), ["app.db", "copy.db"]);
  await assertRejects(
    () => store.backup(dir.file("again.db")),
    StoreClosedError,
  );
  assertEquals(await namesIn(dir), ["app.db", "copy.db"]);
  await using copy = await openOn(driver, { path: dir.file("copy.db") });
  assertEquals(await copy.get("k", "a"), 1);
});

// Failures.

const FAILURES: Failure[] = ["full", "io", "corrupt"];

testOnEachDriver(
  "a backup that fails at any call of the driver leaves all as it was",
  async ({ name }) => {
    await using dir = await tempDir();
    const faults = new Faults();
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: await faultyDriver(name, faults),
      durability: "normal",
    });
    await fill(store);
    const path = dir.file("copy.db");
    const back = () => store.backup(path, { overwrite: true });
    // Its statements are prepared once.
    await back();
    faults.inject(() => undefined);
    await back();
    const steps = [...faults.steps];
    assert(steps.some(({ sql }) => sql === COPY));
    assert(steps.some(({ sql }) => sql.startsWith("PRAGMA integrity_check")));

    const codes = new Set<string>();
    for (const failure of FAILURES) {
      for (const { number } of steps) {
        await Deno.writeTextFile(path, "old");
        faults.inject(failAt(number, { failure, effect: "nothing" }));
        const error = await back().then(() => undefined, (error) => error);
        faults.lift();
        const { method, sql } = faults.steps[number];
        const where = `${failure} at ${number} (${method} ${sql}): ${error}`;
        assertEquals(faults.open, 1, where);
        assertEquals(await othersIn(dir), ["copy.db"], where);
        if (error) {
          assertInstanceOf(error, StoreError, where);
          assertEquals(error.code, TOLD_AS[failure], where);
          assertMatch(error.message, /^Cannot back up to /);
          assertEquals(await Deno.readTextFile(path), "old", where);
          codes.add(error.code);
        } else {
          // Only what ends a read may fail.
          assertEquals(sql, "ROLLBACK", where);
        }
      }
    }
    assertEquals(codes, new Set(["FULL", "STORAGE", "CORRUPT"]));
    await back();
    await using copy = await openOn({ name } as TestDriver, { path });
    assertEquals(await copy.count("users"), 3);
    assertEquals((await store.set("users", "alice", 4)).version, 3);
  },
);

testOnEachDriver(
  "a copy with a fault does not become a backup",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await fill(store);
    using db = await connect(driver, fileAt(path));
    db.exec("UPDATE zestor_changes SET type = 'touch' WHERE revision > 5");
    await Deno.writeTextFile(dir.file("copy.db"), "old");
    const error = await assertRejects(
      () => store.backup(dir.file("copy.db"), { overwrite: true }),
      StoreCorruptError,
      'the copy is not sound: Revision 6 has the type "touch"',
    );
    assertStringIncludes(error.message, ", and 1 more");
    assertStringIncludes(error.message, "see the findings of verify()");
    assertEquals(await othersIn(dir), ["copy.db"]);
    assertEquals(await Deno.readTextFile(dir.file("copy.db")), "old");
    assertNotEquals(await store.verify(), []);
  },
);

testOnEachDriver(
  "a copy that does not open with the store's codecs does not become a backup",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await fill(store);
    using db = await connect(driver, fileAt(path));
    db.exec("UPDATE zestor_meta SET value = 'yaml' WHERE name = 'codec'");
    const error = await assertRejects(
      () => store.backup(dir.file("copy.db")),
      StoreCorruptError,
      'encoded with the codec "yaml", received "json"',
    );
    assertInstanceOf(error.cause, StoreOpenError);
    assertEquals(await othersIn(dir), []);
  },
);

testOnEachDriver(
  "a copy is checked with the store's schemas",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const short = (value: string) => {
      if (value.length > 3) throw new Error("It is too long");
    };
    {
      await using store = await openOn(driver, { path });
      await store.set("k", "a", "long enough");
    }
    for (const validateReads of [false, true]) {
      await using store = await openStore({
        path,
        driver: driver.name,
        codec: json,
        schemas: { k: short },
        validateReads,
      });
      const backup = store.backup(dir.file("copy.db"));
      if (!validateReads) await backup;
      else await assertRejects(() => backup, StoreError, "there is a file");
      if (!validateReads) continue;
      await assertRejects(
        () => store.backup(dir.file("2.db")),
        StoreCorruptError,
        "It is too long",
      );
    }
    assertEquals(await othersIn(dir), ["copy.db"]);
  },
);

const LINKLESS = () => {
  throw new Deno.errors.PermissionDenied("Operation not permitted");
};

testOnEachDriver(
  "`backup()` takes a free place on a file system without links, too",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await fill(store);
    using _link = replaced("link", () => LINKLESS);
    const path = dir.file("copy.db");
    await store.backup(path);
    assertEquals(await othersIn(dir), ["copy.db"]);
    {
      await using copy = await openOn(driver, { path });
      assertEquals(await copy.count("users"), 3);
    }
    // What could not be put there leaves the place free.
    using _rename = replaced("rename", () => () => {
      throw new Error("Something went wrong");
    });
    const message = "Something went wrong";
    await assertRefuses(store, dir, dir.file("2.db"), {}, message);
  },
);

testOnEachDriver(
  "`backup()` replaces no file that comes while it is made",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await fill(store);
    for (const linkless of [false, true]) {
      const path = dir.file(`copy${linkless}.db`);
      using _link = replaced("link", (link) => async (...paths) => {
        await Deno.writeTextFile(path, "mine");
        return linkless ? LINKLESS() : await link(...paths);
      });
      await assertRejects(
        () => store.backup(path),
        StoreError,
        "there is a file already",
      );
      assertEquals(await Deno.readTextFile(path), "mine");
    }
    assertEquals(await othersIn(dir), ["copyfalse.db", "copytrue.db"]);
  },
);

testOnEachDriver(
  "`backup()` looks again before it replaces a file",
  async ({ name }) => {
    await using dir = await tempDir();
    const path = dir.file("copy.db");
    await Deno.writeTextFile(path, "old");
    const driver = await instrumentedDriver(name, (sql) => {
      if (!sql.startsWith("PRAGMA integrity_check")) return;
      Deno.writeTextFileSync(`${path}-wal`, "somebody opened it");
    });
    await using store = await openStore({ path: dir.file("app.db"), driver });
    await assertRejects(
      () => store.backup(path, { overwrite: true }),
      StoreError,
      `the file ${path}-wal`,
    );
    assertEquals(await Deno.readTextFile(path), "old");
    assertEquals(await othersIn(dir), ["copy.db", "copy.db-wal"]);
  },
);

testOnEachDriver(
  "`backup()` reports that there is no room for a file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("copy.db");
    await Deno.writeTextFile(path, "old");
    await using store = await openOn(driver, { path: dir.file("app.db") });
    const full = () => {
      const message = "No space left on device (os error 28)";
      throw Object.assign(new Error(message), { code: "ENOSPC" });
    };
    using _rename = replaced("rename", () => full);
    await assertRejects(
      () => store.backup(path, { overwrite: true }),
      StoreFullError,
      "No space left on device (os error 28); free some space",
    );
    assertEquals(await Deno.readTextFile(path), "old");
    assertEquals(await othersIn(dir), ["copy.db"]);
  },
);

testOnEachDriver(
  "`backup()` removes the files that SQLite left beside a copy",
  async (tested) => {
    await using dir = await tempDir();
    const real = await loadDriver(tested.name);
    let opened = 0;
    const driver: Driver = {
      name: real.name,
      open(location) {
        if (++opened === 1) return real.open(location);
        for (const suffix of ["-journal", "-wal", "-shm"]) {
          Deno.writeTextFileSync(location.path + suffix, "");
        }
        throw new SqlError("io", "disk I/O error");
      },
    };
    await using store = await openStore({ path: dir.file("app.db"), driver });
    const path = dir.file("copy.db");
    await assertRefuses(store, dir, path, {}, "disk I/O error");
    assertEquals(await othersIn(dir), []);
  },
);
