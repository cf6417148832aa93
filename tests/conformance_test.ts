/**
 * Runs the conformance suite on SQLite: each driver, in a file and in memory.
 *
 * @module
 */
import { join } from "node:path";
import type { Durability, Store } from "../mod.ts";
import { testStore } from "../src/testing/mod.ts";
import { drivers, openOn, type TestDriver } from "./support/drivers.ts";
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
  const openPath = async (path: string, history?: number) => {
    const store = await openOn(driver, { path, durability, history });
    paths.set(store, path);
    return store;
  };
  testStore({
    name: `${driver.name}, file`,
    test: driver.test,
    open: ({ history } = {}) => openPath(join(dir, `${++files}.db`), history),
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
