/**
 * Runs the conformance suite on stores that Node.js and Bun can open: in files of
 * the current directory, or in memory, as the arguments say. Prints a line of JSON
 * for each test.
 *
 * @module
 */
import { openStore, type Store } from "@zestor/store";
import { openMemoryStore } from "@zestor/store/memory";
import { type OpenForTest, testStore } from "@zestor/store/testing";
import process from "node:process";

/** How long a test may take before it counts as hanging, in ms. */
const HANGING = 60_000;

const tests = new Map<string, () => Promise<void>>();
let ignored = 0;
const test = Object.assign(
  (name: string, run: () => Promise<void>) => void tests.set(name, run),
  { skip: () => void ignored++ },
);

const paths = new WeakMap<Store, string>();
let files = 0;

async function openPath(path: string, options?: OpenForTest): Promise<Store> {
  const store = await openStore({ path, durability: "normal", ...options });
  paths.set(store, path);
  return store;
}

const places = process.argv.slice(2);
if (places.includes("file")) {
  testStore({
    name: "file",
    test,
    open: (options) => openPath(`${++files}.db`, options),
    reopen: async (store) => {
      await store.close();
      return await openPath(paths.get(store)!);
    },
  });
}
if (places.includes("memory")) {
  testStore({
    name: "memory",
    test,
    open: (options) => openMemoryStore(options),
  });
}

/** Runs a test; gives how it failed, if it did. */
async function problemOf(
  run: () => Promise<void>,
): Promise<string | undefined> {
  const { promise: hanging, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("it hangs")), HANGING);
  try {
    await Promise.race([run(), hanging]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.stack}` : String(error);
  } finally {
    clearTimeout(timer);
  }
}

for (const [name, run] of tests) {
  const start = performance.now();
  const problem = await problemOf(run);
  const ms = Math.round(performance.now() - start);
  console.log(JSON.stringify({ name, problem, ms }));
}
console.log(JSON.stringify({ ran: tests.size, ignored }));
// What a test that failed left open would keep the process running.
process.exit();
