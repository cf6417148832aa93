/**
 * Files that something bad happened to: for each a clear error, which leaves
 * the file as it was, or a sound recovery. Never another answer in silence,
 * never a process that hangs. `tests/soak/bad_files.ts` tries many more.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreCorruptError,
  StoreError,
  StoreOpenError,
  StoreReadOnlyError,
  WatchOverflowError,
} from "../../mod.ts";
import type { Connection } from "../../src/sqlite/driver/driver.ts";
import {
  makeSamples,
  type Outcome,
  SCENARIOS,
  stateOf,
  tryScenario,
} from "../support/faults/bad_files.ts";
import { runChild } from "../support/processes/child.ts";
import { connect, fileAt } from "../support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "../support/drivers.ts";
import { withSeed } from "../support/random.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

// Damage.

/** How many files of each sort are tried. */
const FILES = 12;

testOnEachDriver(
  "of a damaged file nothing is read for something else in silence",
  async (driver) => {
    await using dir = await tempDir();
    const samples = await makeSamples(driver, dir.path, 40);
    const outcomes = new Map<string, Outcome[]>();
    await withSeed("damaged", async (random) => {
      for (const name of Object.keys(SCENARIOS)) {
        const became: Outcome[] = [];
        outcomes.set(name, became);
        const target = { path: dir.file("app.db"), driver: driver.name };
        while (became.length < FILES) {
          became.push(await tryScenario(name, samples, random, target));
        }
      }
    });
    // Each answer came: the files were bad, and were looked at.
    const all = new Set([...outcomes.values()].flat());
    for (
      const outcome of [
        "refused",
        "read error",
        "as written",
        "an earlier state",
        "found by check",
      ] as const
    ) assert(all.has(outcome), outcome);
    const ofWal = [
      ...outcomes.get("a damaged write-ahead log")!,
      ...outcomes.get("a truncated write-ahead log")!,
    ];
    for (const outcome of ofWal) {
      assert(["an earlier state", "as written"].includes(outcome), outcome);
    }
    // But where it lost no more than the end of its last page.
    assert(outcomes.get("a truncated file")!.includes("refused"));
  },
);

/** Replaces bytes that are in a file once. */
async function edit(
  path: string,
  find: string,
  replacement: string,
): Promise<void> {
  assertEquals(find.length, replacement.length);
  const bytes = await Deno.readFile(path);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(find);
  assert(at >= 0 && text.indexOf(find, at + 1) < 0, "It is there once");
  bytes.set([...replacement].map((char) => char.charCodeAt(0)), at);
  await Deno.writeFile(path, bytes);
}

testOnEachDriver(
  "a watch of a log that leads back has an end",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      for (let i = 1; i <= 110; i++) {
        await store.set("k", i === 100 ? "marked" : `${i}`, 1);
      }
    }
    {
      // A mark that takes six bytes, as one of two does.
      using db = await connect(driver, fileAt(path));
      db.exec("UPDATE zestor_changes SET mark = 1 << 40 WHERE revision = 100");
    }
    // The row of revision 100: the number itself, the lengths of its columns,
    // and what they hold. It becomes revision 1.
    const row = "\x0e\0\x0f\x19\x19\x09\x0e\0\x3d\x05\0\0\0\0kmarkedcreate";
    await edit(path, `\x64${row}`, `\x01${row}`);
    await using store = await openOn(driver, { path });
    // One by one it would come back to revision 1, together it would give it.
    for (const bufferSize of [1, 128]) {
      const watch = store.watch("k", { after: 90, bufferSize }).getReader();
      let events = 0;
      await assertRejects(
        async () => {
          for (;; events++) await watch.read();
        },
        bufferSize === 1 ? WatchOverflowError : StoreCorruptError,
      );
      assert(events <= 10, `${events} events`);
    }
    const found = await store.verify();
    const [log] = found.filter(({ part }) => part === "log");
    assertEquals(
      log.message,
      "Cannot verify the changes: they are not in order; restore the file from a backup",
    );
  },
);

testOnEachDriver(
  "a stream of entries that lead back has an end",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const keys = Array.from({ length: 600 }, (_, i) => `key${1000 + i}`);
    {
      await using store = await openOn(driver, { path });
      await store.setAll("k", keys.map((key) => [key, 1] as const));
      // So that the key is in the index, in the table, and nowhere else.
      await store.close();
      using db = await connect(driver, fileAt(path));
      db.exec("DELETE FROM zestor_changes; VACUUM");
    }
    // In the index, where the row's number follows: the last key of a page.
    await edit(path, "kkey1255\x01\0", "kkey0000\x01\0");
    await using store = await openOn(driver, { path });
    const reads = {
      entries: () => Array.fromAsync(store.entries("k")),
      where: () => store.keys("k", { where: () => true }),
      replay: async () => {
        const watch = store.watch("k", { initial: true, bufferSize: 256 });
        for await (const _ of watch);
      },
    };
    for (const [name, read] of Object.entries(reads)) {
      await assertRejects(
        read as () => Promise<unknown>,
        StoreCorruptError,
        "the keys are not in order",
        name,
      );
    }
    const found = await store.verify();
    const [entries] = found.filter(({ part }) => part === "entries");
    assert(entries.message.startsWith("Cannot verify the entries: they are"));
  },
);

// What is no file.

const isUnix = Deno.build.os !== "windows";

/** Registers a test on each driver, ignored where there are no such things. */
function testOnUnix(
  name: string,
  fn: (driver: TestDriver) => Promise<void>,
): void {
  if (isUnix) testOnEachDriver(name, fn);
  else Deno.test.ignore(`${name} (there is none on Windows)`, () => {});
}

const NO_FILES: Record<
  string,
  (path: string) => Promise<AsyncDisposable | void>
> = {
  "a directory": async (path) => await Deno.mkdir(path),
  "a FIFO": async (path) => {
    const command = new Deno.Command("mkfifo", { args: [path] });
    assert((await command.output()).success);
  },
  // deno-lint-ignore require-await -- the others wait
  "a socket": async (path) => {
    const listener = Deno.listen({ transport: "unix", path });
    return {
      [Symbol.asyncDispose]: () => Promise.resolve(listener.close()),
    };
  },
  "a device": async (path) => await Deno.symlink("/dev/null", path),
};

for (const [what, make] of Object.entries(NO_FILES)) {
  testOnUnix(`\`openStore()\` refuses ${what}`, async (driver) => {
    await using dir = await tempDir();
    await using _made = await make(dir.file("app.db")) ?? undefined;
    await Deno.symlink(dir.file("app.db"), dir.file("link.db"));
    const names = await namesIn(dir);
    for (const name of ["app.db", "link.db"]) {
      for (const mode of ["rwc", "rw", "ro"]) {
        await assertRejects(
          () => openOn(driver, { path: `file:${dir.file(name)}?mode=${mode}` }),
          StoreOpenError,
          `${name}: it is ${what}; give the path of a file`,
        );
      }
    }
    assertEquals(await namesIn(dir), names);
  });
}

async function namesIn(dir: TempDir): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir.path));
  return names.map(({ name }) => name).sort();
}

testOnEachDriver(
  "`openStore()` refuses an empty file with a write-ahead log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const wal = await walOfCrash(driver, dir);
    await Deno.writeFile(path, new Uint8Array());
    await Deno.writeFile(`${path}-wal`, wal);
    for (const form of [path, `file:${path}?mode=ro`]) {
      await assertRejects(
        () => openOn(driver, { path: form }),
        StoreOpenError,
        "the file is empty, but its write-ahead log is not; restore both",
      );
    }
    assertEquals(await Deno.readFile(`${path}-wal`), wal);
    // An empty one tells nothing.
    await Deno.writeFile(`${path}-wal`, new Uint8Array());
    await using store = await openOn(driver, { path });
    assertEquals(await store.verify(), []);
  },
);

/** A write-ahead log of another file, of the same page size. */
async function walOfCrash(
  driver: TestDriver,
  dir: TempDir,
): Promise<Uint8Array<ArrayBuffer>> {
  const own = await Deno.makeTempDir({ dir: dir.path });
  const program = `
    const store = await zestor.openStore({
      path: "other.db", driver: "${driver.name}", durability: "normal",
    });
    for (let i = 0; i < 5; i++) await store.set("other", "key" + i, i);
    Deno.exit(0);`;
  const result = await runChild(own, program, { permissions: ["--allow-all"] });
  assertEquals(result, { code: 0, stdout: "", stderr: "" });
  const wal = await Deno.readFile(`${own}/other.db-wal`);
  await Deno.remove(own, { recursive: true });
  return wal;
}

testOnEachDriver(
  "beside the write-ahead log of another database there is no mixture",
  async (driver) => {
    // SQLite knows a log by its name alone, and takes it for the file's own
    // (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
    // This one has all of its database, so that it is whole.
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      await store.set("own", "a", 1);
    }
    await Deno.writeFile(`${path}-wal`, await walOfCrash(driver, dir));
    await using store = await openOn(driver, { path });
    const state = await stateOf(store);
    const own = ["own/a@1 1"];
    const other = [0, 1, 2, 3, 4].map((n) => `other/key${n}@1 ${n}`);
    assertEquals(state, state.length === 1 ? own : other);
    assertEquals(await store.verify(), []);
  },
);

// What permissions forbid: of a process, since to root no file's are in the way.

const FORBIDDEN: Record<string, readonly [permissions: string[], ...string[]]> =
  {
    "to read": [["--allow-write=."], "StoreOpenError", "read access"],
    "to write": [["--allow-read=."], "StoreOpenError", "write access"],
    "anything beside the file": [
      ["--allow-read=app.db", "--allow-write=app.db"],
      "none",
      "",
    ],
  };

for (const [what, [permissions, name, message]] of Object.entries(FORBIDDEN)) {
  Deno.test(`a process that may not use ${what} is told, or may [builtin]`, async () => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openStore({ path, driver: "builtin" });
      await store.set("k", "a", 1);
    }
    const before = await Deno.readFile(path);
    const program = `
      let told = "none ";
      try {
        await using store = await zestor.openStore({
          path: "app.db", driver: "builtin",
        });
        await store.get("k", "a");
        const found = await store.verify();
        if (found.length > 0) throw new Error(found[0].message);
      } catch (error) {
        told = error.name + " " + error.message;
      }
      console.log(told);`;
    const { code, stdout, stderr } = await runChild(dir.path, program, {
      permissions,
    });
    assertEquals([code, stderr], [0, ""]);
    assert(stdout.startsWith(name), stdout);
    assert(stdout.includes(message), stdout);
    assertEquals(await Deno.readFile(path), before);
  });
}

// What others left.

testOnEachDriver(
  "a rollback journal that was left behind is played back",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const left = dir.file("left.db");
    {
      await using store = await openOn(driver, { path, wal: false });
      for (let i = 0; i < 50; i++) {
        await store.set("k", `${i}`, "-".repeat(500));
      }
    }
    {
      using db = await connect(driver, fileAt(path));
      // So little memory that what is not committed is in the file.
      db.exec(`PRAGMA cache_size = 1; BEGIN IMMEDIATE;
        UPDATE zestor_kv SET value = '"wrong"'`);
      await Deno.copyFile(path, left);
      await Deno.copyFile(`${path}-journal`, `${left}-journal`);
      db.exec("ROLLBACK");
    }
    const wrong = await Deno.readFile(left);
    assertNotEquals(wrong, await Deno.readFile(path));
    // It cannot be, without writing.
    await assertRejects(
      () => openOn(driver, { path: `file:${left}?mode=ro` }),
      StoreError,
    );
    assertEquals(await Deno.readFile(left), wrong);
    await using store = await openOn(driver, { path: left });
    const values = await store.values("k");
    assertEquals(values.length, 50);
    for (const { value } of values) assertEquals(value, "-".repeat(500));
    assertEquals(await store.verify(), []);
  },
);

testOnEachDriver(
  "a database of any page size and vacuum mode can be a store",
  async (driver) => {
    for (const size of [512, 1024, 65536]) {
      for (const vacuum of ["NONE", "FULL", "INCREMENTAL"]) {
        await using dir = await tempDir();
        const path = dir.file("app.db");
        {
          using db = await connect(driver, fileAt(path));
          db.exec(`PRAGMA page_size = ${size}; PRAGMA auto_vacuum = ${vacuum};
            CREATE TABLE others (x)`);
        }
        const options = { path, durability: "normal" } as const;
        {
          await using store = await openOn(driver, options);
          await store.setAll(
            "k",
            Array.from({ length: 100 }, (_, i) => [`${i}`, "-".repeat(i * 20)]),
          );
          await store.atomic().delete("k", "1").delete("k", "2").commit();
          assertEquals(await store.verify(), []);
        }
        await using store = await openOn(driver, options);
        assertEquals(await store.count("k"), 98);
        assertEquals(await store.verify(), []);
      }
    }
  },
);

// A file that goes away while it is open.

const GONE: Record<string, (dir: TempDir) => Promise<void>> = {
  deleted: async (dir) => await Deno.remove(dir.file("app.db")),
  "deleted with what is beside it": async (dir) => {
    for (const name of await namesIn(dir)) {
      if (name.startsWith("app.db")) await Deno.remove(dir.file(name));
    }
  },
  moved: async (dir) =>
    await Deno.rename(dir.file("app.db"), dir.file("moved.db")),
  replaced: async (dir) =>
    await Deno.rename(dir.file("other.db"), dir.file("app.db")),
};

for (const [what, happen] of Object.entries(GONE)) {
  for (const wal of [true, false]) {
    testOnUnix(
      `nothing is written to a file that was ${what}, with wal: ${wal}`,
      async (driver) => {
        await using dir = await tempDir();
        const path = dir.file("app.db");
        {
          const other = dir.file("other.db");
          await using store = await openOn(driver, { path: other, wal });
          await store.set("k", "other", 1);
        }
        await using store = await openOn(driver, { path, wal });
        await store.set("k", "own", 1);
        await happen(dir);
        const writes = {
          set: () => store.set("k", "lost", 1),
          setAll: () => store.setAll("k", { lost: 1 }),
          delete: () => store.delete("k", "own"),
          several: () =>
            Promise.all([store.set("k", "a", 1), store.set("k", "b", 1)]),
        };
        for (const [name, write] of Object.entries(writes)) {
          await assertRejects(
            write as () => Promise<unknown>,
            StoreError,
            "it was moved, replaced or deleted; close all stores",
            name,
          );
        }
        // Nor is anything read that is not there any more.
        await assertRejects(
          () => store.keys("k"),
          StoreError,
          "it was moved, replaced or deleted; close all stores",
        );
        const [finding] = await store.verify();
        assertEquals(finding.part, "file");
        await store.close();
        // And what is at the path now is sound.
        await using next = await openOn(driver, { path, wal });
        assertEquals(await next.verify(), []);
        await next.set("k", "next", 1);
        assertEquals(await next.verify(), []);
      },
    );
  }
}

testOnUnix(
  "a file that was moved there and back is the same",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await Deno.rename(path, dir.file("moved.db"));
    await assertRejects(() => store.set("k", "a", 1), StoreError);
    await Deno.rename(dir.file("moved.db"), path);
    assertEquals((await store.set("k", "a", 1)).status, "created");
  },
);

testOnEachDriver(
  "a process that changes its directory still finds its file",
  async (driver) => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("elsewhere"));
    const program = `
      await using store = await zestor.openStore({
        path: "app.db", driver: "${driver.name}",
      });
      Deno.chdir("elsewhere");
      await store.set("k", "a", 1);
      console.log((await store.verify()).length);`;
    const result = await runChild(dir.path, program, {
      permissions: ["--allow-all"],
    });
    assertEquals(result, { code: 0, stdout: "0", stderr: "" });
  },
);

// A change log that somebody changed by hand.

/** A store with ten changes, closed. */
async function writeTen(
  driver: TestDriver,
  path: string,
): Promise<void> {
  await using store = await openOn(driver, { path });
  for (let i = 1; i <= 10; i++) await store.set("k", `${i}`, i);
}

async function runSql(
  driver: TestDriver,
  path: string,
  sql: string,
): Promise<void> {
  using db = await connect(driver, fileAt(path));
  db.exec(sql);
}

/** Asserts that a watch errors at once, before it gives an event. */
async function assertOverflows(
  store: SqliteStore,
  after: number,
): Promise<void> {
  const reader = store.watch("k", { after }).getReader();
  await assertRejects(() => reader.read(), WatchOverflowError, `${after}`);
}

/** Cuts, after which the newest revision that was given is not to be given again. */
const CUTS: Record<string, string> = {
  "its rows": "DELETE FROM zestor_changes",
  "its newest rows": "DELETE FROM zestor_changes WHERE revision > 7",
  "SQLite's memory of it": "DELETE FROM sqlite_sequence",
  "its newest rows, and SQLite's memory of it":
    "DELETE FROM zestor_changes WHERE revision > 7; DELETE FROM sqlite_sequence",
  "its rows, and SQLite's memory of it":
    "DELETE FROM zestor_changes; DELETE FROM sqlite_sequence",
  "its rows, and SQLite's memory of it set to 0":
    "DELETE FROM zestor_changes; UPDATE sqlite_sequence SET seq = 0",
  "its rows, every entry, and SQLite's memory of it":
    "DELETE FROM zestor_kv; DELETE FROM zestor_changes; DELETE FROM sqlite_sequence",
  "the table": "DROP TABLE zestor_changes",
  "the table, and what else a store adds but its triggers":
    "DROP TABLE zestor_changes; DROP TABLE zestor_meta; DROP TABLE zestor_replaced",
};

for (const [what, sql] of Object.entries(CUTS)) {
  testOnEachDriver(
    `nobody resumes where the log is without ${what}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeTen(driver, path);
      await runSql(driver, path, sql);
      await using store = await openOn(driver, { path });
      assertEquals(await store.verify(), []);
      // Of the last revision that was given nothing is missing yet.
      for (const after of [0, 5, 7, 9]) await assertOverflows(store, after);
      // Nor later, when the store has made more changes than those.
      for (let i = 0; i < 20; i++) await store.set("k", `new ${i}`, i);
      for (const after of [0, 5, 7, 9]) await assertOverflows(store, after);
      const last = store.watch("k", { after: 10 }).getReader();
      const next = await last.read().catch((error) => error);
      if (!(next instanceof WatchOverflowError)) {
        assertEquals(next.value?.key, "new 0");
      }
      await last.cancel().catch(() => {});
      // From here on it can be resumed.
      const { revision } = await store.set("k", "known", 1);
      assertGreater(revision, 30);
      const live = store.watch("k", { after: revision }).getReader();
      await store.set("k", "next", 1);
      assertEquals((await live.read()).value?.key, "next");
      await live.cancel();
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver(
  "no watch skips changes that somebody took out of the log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeTen(driver, path);
    await runSql(
      driver,
      path,
      "DELETE FROM zestor_changes WHERE revision IN (4, 5)",
    );
    await using store = await openOn(driver, { path });
    // After revision 5 nothing is missing: but of a change that is gone it
    // cannot be known that the log did not begin anew.
    for (const after of [0, 2, 3, 4, 5]) await assertOverflows(store, after);
    // It may give what is before them.
    const slow = store.watch("k", { after: 0, bufferSize: 1 }).getReader();
    for (const key of ["1", "2", "3"]) {
      assertEquals((await slow.read()).value?.key, key);
    }
    const { reason } = await assertRejects(
      () => slow.read(),
      WatchOverflowError,
      "took changes",
    );
    assertEquals(reason, "broken");
    // Past them nothing is missing.
    for (const after of [6, 9]) {
      const reader = store.watch("k", { after }).getReader();
      assertEquals((await reader.read()).value?.key, `${after + 1}`);
      await reader.cancel();
    }
    const found = await store.verify();
    assertEquals(found.map(({ part, revision }) => [part, revision]), [
      ["log", 4],
    ]);
  },
);

/** What happens to the log while somebody watches, who has seen ten changes. */
const CUTS_MEANWHILE: Record<string, (db: Connection) => void> = {
  "its rows, and SQLite's memory of it": (db) =>
    db.exec(`DELETE FROM zestor_changes; DELETE FROM sqlite_sequence`),
  "the change that comes next": (db) =>
    db.exec(`INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'x', 1);
      DELETE FROM zestor_changes WHERE revision = 11`),
};

for (const [what, cut] of Object.entries(CUTS_MEANWHILE)) {
  testOnEachDriver(
    `a watch errors if the log loses ${what} meanwhile`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await writeTen(driver, path);
      await using store = await openOn(driver, { path });
      using db = await connect(driver, fileAt(path));
      const watches = ["k", "l"].map((kind) =>
        store.watch(kind, { after: 10 }).getReader()
      );
      const failures = watches.map((reader) =>
        assertRejects(() => reader.read(), WatchOverflowError)
      );
      // Whatever the watches began with is done.
      await store.get("k", "1");
      cut(db);
      await store.set("l", "y", 1);
      for (const { reason } of await Promise.all(failures)) {
        assertEquals(reason, "broken");
      }
    },
  );
}

testOnEachDriver(
  "a replay errors over changes that somebody took out of the log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeTen(driver, path);
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    const watch = store.watch("k", { initial: true, bufferSize: 2 })
      .getReader();
    assertEquals((await watch.read()).value?.key, "1");
    db.exec(`UPDATE zestor_kv SET value = 0; DELETE FROM zestor_changes
      WHERE revision = 15`);
    await assertRejects(async () => {
      for (;;) await watch.read();
    }, WatchOverflowError);
  },
);

testOnEachDriver(
  "a replay errors over a change that is taken out when it has seen it",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeTen(driver, path);
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    const options = { initial: true, bookmarks: true, bufferSize: 2 } as const;
    const watch = store.watch("k", options).getReader();
    db.exec("UPDATE zestor_kv SET value = 0");
    // A page, and the next one's first: with them the log was looked through.
    const types: unknown[] = [];
    for (let i = 0; i < 3; i++) types.push((await watch.read()).value?.type);
    db.exec("DELETE FROM zestor_changes WHERE revision = 19");
    await assertRejects(async () => {
      for (;;) types.push((await watch.read()).value?.type);
    }, WatchOverflowError);
    // It does not come to the bookmark that says that it is complete.
    assertEquals(new Set(types), new Set(["create"]));
  },
);

testOnEachDriver(
  "with mode=ro a log that lost its end is none",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeTen(driver, path);
    await runSql(driver, path, CUTS["its newest rows"]);
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    assertEquals(await store.count("k"), 10);
    assert(
      (await store.verify()).some(({ part }) => part === "log"),
    );
    let error: unknown;
    try {
      store.watch("k");
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof StoreReadOnlyError);
  },
);

// Numbers that no store gives.

testOnEachDriver(
  "`openStore()` refuses a revision past every safe integer",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await writeTen(driver, path);
    await runSql(
      driver,
      path,
      `UPDATE zestor_changes SET revision = ${2n ** 60n} WHERE revision = 10;
      UPDATE sqlite_sequence SET seq = ${2n ** 60n}`,
    );
    const before = await Deno.readFile(path);
    await assertRejects(
      () => openOn(driver, { path }),
      StoreOpenError,
      "1152921504606846976",
    );
    assertEquals(await Deno.readFile(path), before);
    assertEquals(await namesIn(dir), ["app.db"]);
  },
);
