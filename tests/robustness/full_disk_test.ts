/**
 * Disks that are full for real: a database with no page left, and a small file
 * system. Every write is told, reads go on, nothing is half written, and when
 * there is room again so do the writes.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  openStore,
  StoreFullError,
  StoreOpenError,
  type StoreOptions,
} from "../../mod.ts";
import { type Connection, SqlError } from "../../src/sqlite/driver/mod.ts";
import { connect, fileAt } from "../support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "../support/drivers.ts";
import { Faults, faultyDriver } from "../support/faults/faulty_driver.ts";
import { wrappedDriver } from "../support/faults/instrumented_driver.ts";
import { Model } from "../support/model/model.ts";
import {
  type ModelKinds,
  type Operation,
  perform,
  type WriteOperation,
} from "../support/model/operations.ts";
import { readStored, Recorder } from "../support/model/recorder.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  type SmallDisk,
  smallDisk,
  whyNoSmallDisk,
} from "../support/faults/small_disk.ts";

const KEYS = 200;

/** Each write, as often as is needed: every one changes something. */
const WRITES: Record<WriteOperation["do"], (i: number) => WriteOperation> = {
  set: (i) => ({ do: "set", kind: "k", key: `set${i}`, value: { n: i } }),
  setAll: (i) => ({
    do: "setAll",
    kind: "k",
    entries: Array.from({ length: 50 }, (_, j) => [`all${i}/${j}`, { n: j }]),
  }),
  update: (i) => ({ do: "update", kind: "k", key: keyOf(i), add: 1 }),
  delete: (i) => ({ do: "delete", kind: "k", key: keyOf(i) }),
  deleteAll: (i) => {
    const key = keyOf(KEYS - 1 - i);
    return { do: "deleteAll", kind: "k", keys: { start: key, end: `${key} ` } };
  },
  atomic: (i) => ({
    do: "atomic",
    steps: [
      { do: "set", kind: "k", key: `atomic${i}`, value: { n: i } },
      { do: "set", kind: "l", key: `atomic${i}`, value: { n: i } },
    ],
  }),
};

/** A key that is there, neighbours far apart, so that no page becomes empty. */
function keyOf(i: number): string {
  return `key${i * 37 % KEYS}`;
}

async function begin(calls: Recorder): Promise<void> {
  calls.watch("k", { initial: true });
  await calls.call({
    do: "setAll",
    kind: "k",
    entries: Array.from({ length: KEYS }, (_, i) => [keyOf(i), { n: i }]),
  });
}

/** Does each write until there is no room for it. */
async function writeUntilFull(calls: Recorder): Promise<void> {
  for (const [name, write] of Object.entries(WRITES)) {
    let error: unknown;
    for (let i = 0; i < KEYS && !error; i++) error = await calls.call(write(i));
    assertInstanceOf(error, StoreFullError, name);
  }
}

/** Sees that reads go on, and gives what the rest of the test leaves to do. */
async function readAll(calls: Recorder): Promise<void> {
  const errors = [
    await calls.call({ do: "get", kind: "k", key: keyOf(1) }),
    await calls.call({ do: "list", kind: "k", range: { odd: true } }),
    await calls.call({ do: "entries", kind: "k", range: {} }),
    await calls.call({ do: "getAll" }),
  ];
  assertEquals(errors, [undefined, undefined, undefined, undefined]);
}

/** Sees that each write works again, and that it all was as it was told. */
async function writeAgain(
  calls: Recorder,
  connection: Connection,
): Promise<void> {
  for (const write of Object.values(WRITES)) {
    assertEquals(await calls.call(write(KEYS)), undefined);
  }
  const stored = readStored(connection);
  const [[watch, revision]] = calls.awaited(stored);
  await watch.seen(revision);
  calls.verify(new Model(), stored);
  assertEquals(watch.error, undefined);
}

testOnEachDriver(
  "a database with no page left refuses each write, until it may grow",
  async ({ name }) => {
    const faults = new Faults();
    await using store = await openStore<ModelKinds>({
      path: ":memory:",
      driver: await faultyDriver(name, faults),
    });
    const calls = new Recorder(store);
    await begin(calls);
    const connection = faults.connection!;
    const { page_count } = connection.prepare("PRAGMA page_count").get()!;
    connection.exec(`PRAGMA max_page_count = ${page_count}`);
    await writeUntilFull(calls);
    await readAll(calls);
    connection.exec("PRAGMA max_page_count = 100000");
    await writeAgain(calls, connection);
  },
);

const unavailable = Deno.build.os === "linux"
  ? await whyNoSmallDisk()
  : "it takes Linux";
if (unavailable) {
  console.warn(`Tests on a small disk are ignored: ${unavailable}`);
}

/** Registers a test on each driver, with a write-ahead log and without. */
function testOnSmallDisk(
  name: string,
  fn: (
    disk: SmallDisk,
    driver: TestDriver,
    options: StoreOptions<ModelKinds>,
  ) => Promise<void>,
): void {
  for (const driver of drivers) {
    const register = unavailable ? Deno.test.ignore : driver.test;
    for (const wal of [true, false]) {
      const log = wal ? "write-ahead log" : "rollback journal";
      register(`${name}, ${log} [${driver.name}]`, async () => {
        await using disk = await smallDisk(2 ** 20);
        const path = disk.file("app.db");
        await fn(disk, driver, { path, wal, driver: driver.name });
      });
    }
  }
}

testOnSmallDisk(
  "a full disk refuses each write, until it has room again",
  async (disk, driver, options) => {
    await using store = await openStore<ModelKinds>(options);
    const calls = new Recorder(store);
    await begin(calls);
    await disk.fill();
    await writeUntilFull(calls);
    await readAll(calls);
    await disk.free();
    using connection = await connect(driver, fileAt(options.path as string));
    await writeAgain(calls, connection);
  },
);

testOnSmallDisk(
  "a `setAll()` that the disk has no room for leaves nothing",
  async (_disk, driver, options) => {
    const model = new Model();
    const path = options.path as string;
    {
      await using store = await openStore<ModelKinds>(options);
      const calls = new Recorder(store);
      const watch = calls.watch("k");
      await calls.call({ do: "set", kind: "k", key: "a", value: { n: 1 } });
      const [error, ...others] = await Promise.all([
        calls.call({
          do: "setAll",
          kind: "k",
          entries: Array.from({ length: 15_000 }, (_, i) => [`${i}`, { n: i }]),
        }),
        calls.call({ do: "set", kind: "k", key: "b", value: { n: 2 } }),
        calls.call({ do: "update", kind: "k", key: "a", add: 1 }),
        calls.call({ do: "keys", kind: "k", range: {} }),
      ]);
      assertInstanceOf(error, StoreFullError);
      assertEquals(others, [undefined, undefined, undefined]);
      await watch.seen(3);
      using connection = await connect(driver, fileAt(path));
      calls.verify(model, readStored(connection));
    }
    await using again = await openStore<ModelKinds>(options);
    const list: Operation = { do: "list", kind: "k", range: {} };
    assertEquals(await perform(again, list), model.apply(list));
  },
);

testOnSmallDisk(
  "entries that expire while the disk is full are gone, and are removed when there is room",
  async (disk, driver, options) => {
    const failed = Promise.withResolvers<void>();
    const { path, wal } = options;
    await using store = await openStore({
      path,
      wal,
      driver: await wrappedDriver(driver.name, (_call, carryOut) => {
        try {
          return carryOut();
        } catch (error) {
          if (error instanceof SqlError && error.failure === "full") {
            failed.resolve();
          }
          throw error;
        }
      }),
    });
    const keys = Array.from({ length: 100 }, (_, i) => `${100 + i}`);
    const value = "x".repeat(400);
    const entries = keys.map((key) => [key, value] as const);
    await store.setAll("k", entries, { expireIn: 300 });
    const events = store.watch("k").getReader();
    const first = events.read();
    await disk.fill();
    await failed.promise;
    assertEquals(await store.count("k"), 0);
    assertEquals(await store.keys("k"), []);
    using db = await connect(driver, fileAt(path as string));
    assertEquals(
      db.prepare("SELECT count(*) AS n FROM zestor_kv").get()!.n,
      100,
    );
    await disk.free();
    const removed = [(await first).value!];
    while (removed.length < 100) removed.push((await events.read()).value!);
    assertEquals(
      removed.map(({ type, key }) => [type, key]),
      keys.map((key) => ["delete", key]),
    );
    await events.cancel();
    assertEquals(await store.verify(), []);
  },
);

testOnSmallDisk(
  "`openStore()` refuses a file on a full disk, until it has room again",
  async (disk, _driver, options) => {
    const first = await openStore<ModelKinds>(options);
    await first.set("k", "a", { n: 1 });
    await first.close();
    await disk.fill();
    await assertRejects(
      () => openStore<ModelKinds>(options),
      StoreOpenError,
      "space",
    );
    await disk.free();
    await using again = await openStore<ModelKinds>(options);
    assertEquals((await again.set("k", "a", { n: 2 })).version, 2);
  },
);

testOnSmallDisk(
  "a `backup()` that the disk has no room for leaves nothing",
  async (disk, driver, { wal }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, wal });
    // More than the disk has room for.
    for (let i = 0; i < 4; i++) {
      await store.set("k", `${i}`, "x".repeat(400_000));
    }
    const copied = disk.file("copy.db");
    await Deno.writeTextFile(copied, "old");
    const back = () => store.backup(copied, { overwrite: true });
    const assertFull = async (names: string[]) => {
      await assertRejects(back, StoreFullError, "free some space");
      const found = await Array.fromAsync(Deno.readDir(disk.path));
      assertEquals(found.map(({ name }) => name).sort(), names);
      assertEquals(await Deno.readTextFile(copied), "old");
    };
    await assertFull(["copy.db"]);
    await disk.fill();
    await assertFull(["ballast", "copy.db"]);
    await disk.free();
    await using small = await openOn(driver, { path: ":memory:" });
    await small.set("k", "0", "x".repeat(100_000));
    await small.backup(copied, { overwrite: true });
    await using copy = await openOn(driver, { path: copied });
    assertEquals(await copy.keys("k"), ["0"]);
  },
);
