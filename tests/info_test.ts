/**
 * `info()`: what it tells of each store that there can be.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
} from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreClosedError,
  StoreCorruptError,
  type StoreInfo,
  type StoreOptions,
} from "../mod.ts";
import { yaml } from "../src/values/codecs/yaml.ts";
import { COUNT_KINDS, LIST_KINDS } from "../src/sqlite/storage/queries.ts";
import { connect, fileAt } from "./support/connect.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { instrumentedDriver } from "./support/faults/instrumented_driver.ts";
import { createGoFile } from "./support/go_file.ts";
import { runChild } from "./support/processes/child.ts";
import { tempDir } from "./support/temp_dir.ts";

/** What can be known of a store beforehand. */
function knownOf({ sqliteVersion, checkpoints, size, ...info }: StoreInfo) {
  assertEquals(checkpoints === "none", info.journalMode !== "wal");
  assert(/^3\.\d+\.\d+$/.test(sqliteVersion), sqliteVersion);
  assertGreater(size, 0);
  return info;
}

async function fill(store: SqliteStore): Promise<void> {
  await store.setAll("users", { alice: 1, bob: 2, eve: 3 });
  await store.set("users", "alice", 4);
  await store.delete("users", "eve");
  await store.set("a", "x", 1);
  await store.set("é", "x", 1);
}

const FILLED = {
  format: 3,
  codecs: { fallback: "json", named: [] },
  kinds: [
    { kind: "a", count: 1 },
    { kind: "users", count: 2 },
    { kind: "é", count: 1 },
  ],
  log: { oldest: 1, newest: 7, count: 7 },
};

testOnEachDriver(
  "`info()` describes the content of a store",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    for (const wal of [true, false]) {
      await using store = await openOn(driver, { path, wal });
      if (wal) await fill(store);
      const info = await store.info();
      const { walSize, ...known } = knownOf(info);
      assertEquals(known, {
        ...FILLED,
        path,
        driver: driver.name,
        journalMode: wal ? "wal" : "delete",
      });
      assertEquals(info.size, (await Deno.stat(path)).size);
      const log = wal ? (await Deno.stat(`${path}-wal`)).size : 0;
      assertEquals(walSize, log);
      assertEquals(walSize > 0, wal);
      assertEquals(info.driver, store.driver);
      // For tools.
      assertEquals(JSON.parse(JSON.stringify(info)), info);
    }
  },
);

testOnEachDriver("`info()` tells of an empty store", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(driver, { path: `file:${path}` });
  const { walSize: _, ...known } = knownOf(await store.info());
  assertEquals(known, {
    ...FILLED,
    path,
    driver: driver.name,
    journalMode: "wal",
    kinds: [],
    log: { oldest: 1, newest: 0, count: 0 },
  });
});

const IN_MEMORY: Record<string, string> = {
  ":memory:": ":memory:",
  "file:x?mode=memory": "x",
  "file:shared for info?mode=memory&cache=shared": "shared for info",
};

testOnEachDriver("`info()` tells of a store in memory", async (driver) => {
  for (const [dsn, path] of Object.entries(IN_MEMORY)) {
    await using store = await openOn(driver, { path: dsn });
    await fill(store);
    const info = knownOf(await store.info());
    assertEquals({ ...info, journalMode: "" }, {
      ...FILLED,
      path,
      driver: driver.name,
      journalMode: "",
      walSize: 0,
    });
  }
});

testOnEachDriver(
  "`info()` tells of a file without a format that is only read",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createGoFile(driver, path);
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    assertEquals(knownOf(await store.info()), {
      path,
      driver: driver.name,
      journalMode: "delete",
      walSize: 0,
      format: 0,
      kinds: [{ kind: "k", count: 1 }],
    });
  },
);

testOnEachDriver("`info()` tells the codecs of a file", async (driver) => {
  await using dir = await tempDir();
  const options: StoreOptions = {
    path: dir.file("app.db"),
    codec: { settings: yaml, config: yaml },
  };
  const expected = {
    fallback: "json",
    named: [
      { kind: "config", codec: "yaml" },
      { kind: "settings", codec: "yaml" },
    ],
  };
  await (await openOn(driver, options)).close();
  await using store = await openOn(driver, options);
  assertEquals((await store.info()).codecs, expected);
  await using other = await openOn(driver, { path: ":memory:", codec: yaml });
  assertEquals((await other.info()).codecs, { fallback: "yaml", named: [] });
});

testOnEachDriver("`info()` tells how far the log reaches", async (driver) => {
  await using store = await openOn(driver, { path: ":memory:", history: 5 });
  for (let n = 1; n <= 30; n++) await store.set("k", "a", n);
  const { log } = await store.info();
  assertEquals(log?.newest, 30);
  assertGreater(log!.oldest, 1);
  assertEquals(log!.count, 30 - log!.oldest + 1);
});

testOnEachDriver(
  "`info()` counts missing changes of the log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await fill(store);
    using db = await connect(driver, fileAt(path));
    db.exec("DELETE FROM zestor_changes WHERE revision IN (3, 4)");
    const { log } = await store.info();
    assertEquals(log, { oldest: 1, newest: 7, count: 5 });
  },
);

testOnEachDriver(
  "C3 `info()` sees every write called before it",
  async (driver) => {
    await using store = await openOn(driver, { path: ":memory:" });
    const write = store.setAll("k", { a: 1, b: 2 });
    const { kinds, log } = await store.info();
    assertEquals(kinds, [{ kind: "k", count: 2 }]);
    assertEquals(log?.newest, 2);
    await write;
  },
);

testOnEachDriver("`info()` is of one moment", async (tested) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  using db = await connect(tested, fileAt(path));
  let isTelling = false;
  const driver = await instrumentedDriver(tested.name, (sql) => {
    if (!isTelling || sql !== COUNT_KINDS) return;
    db.exec("INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'b', '1')");
  });
  await using store = await openStore({ path, driver });
  await store.set("k", "a", 1);
  isTelling = true;
  const first = await store.info();
  isTelling = false;
  assertEquals(first.kinds, [{ kind: "k", count: 1 }]);
  assertEquals(first.log, { oldest: 1, newest: 1, count: 1 });
  const second = await store.info();
  assertEquals(second.kinds, [{ kind: "k", count: 2 }]);
  assertEquals(second.log, { oldest: 1, newest: 2, count: 2 });
});

testOnEachDriver(
  "`info()` refuses a kind that cannot be one",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    using db = await connect(driver, fileAt(path));
    db.exec(`INSERT INTO zestor_kv (kind, key, value)
    VALUES ('k' || char(0), 'a', '1')`);
    await assertRejects(
      () => store.info(),
      StoreCorruptError,
      "find it by verify()",
    );
    assertEquals(db.prepare(LIST_KINDS).all().length, 1);
  },
);

testOnEachDriver(
  "`info()` refuses the same arguments as other operations",
  async (driver) => {
    const store = await openOn(driver, { path: ":memory:" });
    await assertRejects(
      () => store.info({ sginal: undefined } as never),
      TypeError,
      'Cannot read info: unknown option "sginal"',
    );
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await assertRejects(() => store.info({ signal }), Error, reason.message);
    await store.close();
    await assertRejects(() => store.info(), StoreClosedError);
  },
);

testOnEachDriver(
  "`info()` has the path of the file, also after it was moved",
  async ({ name }) => {
    await using dir = await tempDir();
    const { code, stdout, stderr } = await runChild(
      dir.path,
      `await using store = await zestor.openStore({
        path: "app.db", driver: "${name}",
      });
      Deno.chdir("/");
      const { path, size } = await store.info();
      console.log(path, size === (await Deno.stat(path)).size);`,
      { permissions: ["--allow-all"] },
    );
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, `${await Deno.realPath(dir.path)}/app.db true`);
  },
);
