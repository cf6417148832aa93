/**
 * Runs the conformance suite on SQLite: each driver, in a file and in memory;
 * on the store in memory; and on the handles of an instrumented store.
 * `remote/conformance_test.ts` runs it on stores that are far away, and lack
 * something.
 *
 * @module
 */
import { join } from "node:path";
import type {
  Durability,
  EntriesInput,
  SetAllOptions,
  Store,
  WatchOptions,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { instrument } from "../src/otel/instrument.ts";
import { structured } from "../src/values/codecs/structured.ts";
import { type OpenForTest, testStore } from "../src/testing/mod.ts";
import { drivers, openOn, type TestDriver } from "./support/drivers.ts";
import { Recorder } from "./support/otel/recorder.ts";
import { tempDirOfFile } from "./support/temp_dir.ts";
import { withOperations } from "./support/with_operations.ts";

const dir = tempDirOfFile();
let files = 0;

for (const driver of drivers) {
  // Twice as fast without an fsync for each commit; one run is with.
  testOnFile(driver, driver.name === "ffi" ? "full" : "normal");
  // SQLite is the same in memory, whichever driver has it: once is enough.
  if (driver.name === "ffi") testInMemory(driver);
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

// An instrumented store is the same store; it has no run of its own.
testStore({
  name: "handles, instrumented",
  test: drivers[0].test,
  open: async (options) => {
    const store = await openMemoryStore(options);
    return byHandles(instrument(store, { ...new Recorder() }));
  },
});

/** The store, each operation on a kind as its handle's. */
function byHandles(store: Store): Store {
  const operations: Partial<Store> = {
    get: async (kind, ...args) => await store.kind(kind).get(...args),
    entry: async (kind, ...args) => await store.kind(kind).entry(...args),
    has: async (kind, ...args) => await store.kind(kind).has(...args),
    getMany: async (kind, ...args) => await store.kind(kind).getMany(...args),
    list: async (kind, ...args) => await store.kind(kind).list(...args),
    keys: async (kind, ...args) => await store.kind(kind).keys(...args),
    values: async (kind, ...args) => await store.kind(kind).values(...args),
    count: async (kind, ...args) => await store.kind(kind).count(...args),
    entries: (kind, ...args) => store.kind(kind).entries(...args),
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
    watch:
      ((kinds: string | string[], options?: WatchOptions) =>
        typeof kinds === "string"
          ? store.kind(kinds).watch(options)
          : store.watch(kinds, options)) as Store["watch"],
    history: ((kind, ...args) => store.kind(kind).history(...args)) as Store[
      "history"
    ],
  };
  return withOperations(store, operations);
}
