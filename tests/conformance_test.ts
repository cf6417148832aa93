/**
 * Runs the conformance suite on SQLite: each driver, in a file and in memory;
 * on the store in memory; on a store's handles; and on stores that are far away
 * and lack something, which shows that the suite asks nothing more of them.
 *
 * @module
 */
import { join } from "node:path";
import type {
  Durability,
  EntriesInput,
  HistoryOptions,
  SetAllOptions,
  Store,
  WatchOptions,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { structured } from "../src/values/codecs/structured.ts";
import { type OpenForTest, testStore } from "../src/testing/mod.ts";
import { drivers, openOn, type TestDriver } from "./support/drivers.ts";
import { farStore, type FarSupports } from "./support/far_store.ts";
import { tempDirOfFile } from "./support/temp_dir.ts";

const dir = tempDirOfFile();
let files = 0;

for (const driver of drivers) {
  // Twice as fast without an fsync for each commit; one run is with.
  testOnFile(driver, driver.name === "builtin" ? "full" : "normal");
  testInMemory(driver);
}

function testOnFile(driver: TestDriver, durability: Durability): void {
  const paths = new WeakMap<Store, string>();
  const openPath = async (path: string, options?: OpenForTest) => {
    const store = await openOn(driver, { path, durability, ...options });
    paths.set(store, path);
    return store;
  };
  testStore({
    name: `${driver.name}, file`,
    test: driver.test,
    open: (options) => openPath(join(dir, `${++files}.db`), options),
    reopen: async (store) => {
      await store.close();
      return await openPath(paths.get(store)!);
    },
  });
}

function testInMemory(driver: TestDriver): void {
  testStore({
    name: `${driver.name}, memory`,
    test: driver.test,
    open: (options) => openOn(driver, { path: ":memory:", ...options }),
  });
}

testStore({
  name: "memory",
  test: drivers[0].test,
  open: (options) => openMemoryStore(options),
});

testStore({
  name: "memory, structured",
  test: drivers[0].test,
  open: (options) => openMemoryStore({ codec: structured, ...options }),
});

testStore({
  name: "handles",
  test: drivers[0].test,
  open: async (options) => byHandles(await openMemoryStore(options)),
});

testFar("far", 2, {
  limits: { nameBytes: 2_000, valueBytes: 100_000, changes: 1_000 },
});
testFar("far and poor", 0, {
  limits: { nameBytes: 256, valueBytes: 4_096, changes: 1_000 },
  verify: false,
  importedVersions: false,
  checksBeforeEquals: false,
});

function testFar(name: string, slowest: number, supports: FarSupports): void {
  testStore({
    name,
    test: drivers[0].test,
    open: async (options) =>
      farStore(await openMemoryStore(options), supports, slowest),
    supports,
  });
}

/** The store, each operation on a kind as its handle's. */
function byHandles(store: Store): Store {
  return {
    get: async (kind, ...args) => await store.kind(kind).get(...args),
    entry: async (kind, ...args) => await store.kind(kind).entry(...args),
    has: async (kind, ...args) => await store.kind(kind).has(...args),
    getMany: async (kind, ...args) => await store.kind(kind).getMany(...args),
    list: async (kind, ...args) => await store.kind(kind).list(...args),
    keys: async (kind, ...args) => await store.kind(kind).keys(...args),
    values: async (kind, ...args) => await store.kind(kind).values(...args),
    count: async (kind, ...args) => await store.kind(kind).count(...args),
    entries: (kind, ...args) => store.kind(kind).entries(...args),
    kinds: (...args) => store.kinds(...args),
    getAll: (...args) => store.getAll(...args),
    set: async (kind, ...args) => await store.kind(kind).set(...args),
    setAll: async (
      kind: string,
      entries: EntriesInput<unknown>,
      options?: SetAllOptions,
    ) => await store.kind(kind).setAll(entries, options),
    update: async (kind, ...args) => await store.kind(kind).update(...args),
    delete: async (kind, ...args) => await store.kind(kind).delete(...args),
    deleteAll: async (kind, ...args) =>
      await store.kind(kind).deleteAll(...args),
    history:
      ((kind: string, ...args: [string?, HistoryOptions?]) =>
        store.kind(kind).history(...args)) as Store["history"],
    snapshot: (...args) => store.snapshot(...args),
    atomic: () => store.atomic(),
    kind: (kind) => store.kind(kind),
    watch:
      ((kinds: string, options?: WatchOptions) =>
        typeof kinds === "string"
          ? store.kind(kinds).watch(options)
          : store.watch(kinds, options)) as Store["watch"],
    watchAll: store.watchAll.bind(store) as Store["watchAll"],
    export: (...args) => store.export(...args),
    import: (...args) => store.import(...args),
    verify: (...args) => store.verify(...args),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
