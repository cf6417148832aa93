/**
 * The conformance suite: named tests for each guarantee of a store's contract,
 * and for each operation and option. Every store of this package passes it. Run
 * it on your own store:
 *
 * ```ts ignore
 * import { testStore } from "@zestor/store/testing";
 * import { openStore } from "@zestor/store";
 *
 * testStore({
 *   name: "in memory",
 *   open: (options) => openStore({ path: ":memory:", ...options }),
 * });
 * ```
 *
 * A test's name begins with the code of a guarantee (C1 to C9, W1 to W9; see
 * `Store`), or with an operation. The suite has no tests of W7, because each
 * kind of store has its own way for others to write to its storage.
 *
 * If your store lacks something, such as values of any size, declare it with
 * `supports`. The suite ignores the tests that need it, and their names tell
 * why. See {@linkcode Supports} for the details.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import { atomic } from "./cases/atomic.ts";
import { atomicChecks } from "./cases/atomic_checks.ts";
import { atomicResults } from "./cases/atomic_results.ts";
import { atomicUpdates } from "./cases/atomic_updates.ts";
import { bookmarking } from "./cases/bookmarking.ts";
import { bulk } from "./cases/bulk.ts";
import { callbacks } from "./cases/callbacks.ts";
import { cancelling } from "./cases/cancelling.ts";
import type { Cases, OpenForTest } from "./case.ts";
import { verifying } from "./cases/verifying.ts";
import { closing } from "./cases/closing.ts";
import { concurrency } from "./cases/concurrency.ts";
import { cursors } from "./cases/cursors.ts";
import { deletingAll } from "./cases/deleting_all.ts";
import { equality } from "./cases/equality.ts";
import { expiryEvents } from "./cases/expiry_events.ts";
import { expiryReads } from "./cases/expiry_reads.ts";
import { expiryReopening } from "./cases/expiry_reopening.ts";
import { expiryTransfer } from "./cases/expiry_transfer.ts";
import { expiryWrites } from "./cases/expiry_writes.ts";
import { history } from "./cases/history.ts";
import { historyEnding } from "./cases/history_ending.ts";
import { importing } from "./cases/importing.ts";
import { importFormat } from "./cases/import_format.ts";
import { importLines } from "./cases/import_lines.ts";
import { importStopping } from "./cases/import_stopping.ts";
import { kindHandles } from "./cases/kind_handles.ts";
import { limits } from "./cases/limits.ts";
import { liveQueries } from "./cases/live_queries.ts";
import { mirroring } from "./cases/mirroring.ts";
import { mirroringChanges } from "./cases/mirroring_changes.ts";
import { mirroringEnding } from "./cases/mirroring_ending.ts";
import { misuse } from "./cases/misuse.ts";
import { names } from "./cases/names.ts";
import { numberLimits } from "./cases/number_limits.ts";
import { overflowing } from "./cases/overflowing.ts";
import { ranges } from "./cases/ranges.ts";
import { reads } from "./cases/reads.ts";
import { readsOfKeys } from "./cases/reads_of_keys.ts";
import { reopening } from "./cases/reopening.ts";
import { replaying } from "./cases/replaying.ts";
import { resuming } from "./cases/resuming.ts";
import { resumingKinds } from "./cases/resuming_kinds.ts";
import { revisions } from "./cases/revisions.ts";
import { snapshots } from "./cases/snapshots.ts";
import { snapshotsEnding } from "./cases/snapshots_ending.ts";
import { snapshotsPast } from "./cases/snapshots_past.ts";
import { streaming } from "./cases/streaming.ts";
import { exporting } from "./cases/exporting.ts";
import { exportingPast } from "./cases/exporting_past.ts";
import { manifestOf, type Supports } from "./supports.ts";
import { failOnUnhandled } from "./unhandled.ts";
import { unreadable } from "./cases/unreadable.ts";
import { unreadableChanges } from "./cases/unreadable_changes.ts";
import { undefinedProperties } from "./cases/undefined_properties.ts";
import { validating } from "./cases/validating.ts";
import { validatingInOrder } from "./cases/validating_order.ts";
import { validatingReads } from "./cases/validating_reads.ts";
import { watching } from "./cases/watching.ts";
import { watchingKinds } from "./cases/watching_kinds.ts";
import { watchingPrevious } from "./cases/watching_previous.ts";
import { waitingFor } from "./cases/waiting_for.ts";
import { writes } from "./cases/writes.ts";

export type { OpenForTest } from "./case.ts";
export type { Limits, Supports } from "./supports.ts";

/** Registers a test under a name. */
export type RegisterTest = (name: string, fn: () => Promise<void>) => unknown;

/**
 * A test runner's function that registers tests, with a method that registers
 * a test that does not run. `Deno.test`, `test` of `node:test` and of Vitest, and
 * `it` of Mocha are such functions.
 */
export type TestFunction =
  & RegisterTest
  & ({ ignore: RegisterTest } | { skip: RegisterTest });

/** The store to test. */
export interface StoreUnderTest {
  /** Precedes each test's name. */
  name: string;
  /**
   * Opens a new, empty store, which the test closes. The store must accept any
   * value that JSON can express, and objects with `undefined` properties. It must
   * refuse `undefined` itself with `CodecError`.
   *
   * @example
   * ```ts
   * import type { StoreUnderTest } from "@zestor/store/testing";
   * import { openStore } from "@zestor/store";
   *
   * const inMemory: StoreUnderTest = {
   *   name: "in memory",
   *   open: (options) => openStore({ path: ":memory:", ...options }),
   * };
   * const store = await inMemory.open();
   * await store.close();
   * ```
   */
  open(options?: OpenForTest): Promise<Store> | Store;
  /**
   * Closes the store, and opens the same storage again. Leave it out if a closed
   * store is lost: the suite then ignores the tests that need it.
   *
   * @example
   * ```ts
   * import type { StoreUnderTest } from "@zestor/store/testing";
   * import { openStore, type Store } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * const dir = await Deno.makeTempDir();
   * const paths = new WeakMap<Store, string>();
   * async function openAt(path: string): Promise<Store> {
   *   const store = await openStore({ path });
   *   paths.set(store, path);
   *   return store;
   * }
   * const inFiles: StoreUnderTest = {
   *   name: "in files",
   *   open: () => openAt(`${dir}/${crypto.randomUUID()}.db`),
   *   async reopen(store) {
   *     await store.close();
   *     return await openAt(paths.get(store)!);
   *   },
   * };
   *
   * const store = await inFiles.open();
   * await store.set("users", "al", "Alice");
   * const again = await inFiles.reopen!(store);
   * assertEquals(await again.get("users", "al"), "Alice");
   * await again.close();
   * await Deno.remove(dir, { recursive: true });
   * ```
   */
  reopen?(store: Store): Promise<Store> | Store;
  /**
   * What the store supports. The suite ignores the tests that need more.
   * @default {everything, without limits}
   */
  supports?: Supports;
  /**
   * The test runner's function. Give each test a minute if the runner has a
   * time limit.
   * @default {Deno.test}
   */
  test?: TestFunction;
}

/**
 * Registers the suite's tests for a store.
 *
 * @param config The store, and how its tests are registered.
 * @throws {TypeError} If there is no test function, outside Deno, or if
 * `supports` has an unknown field.
 * @throws {RangeError} If a limit in `supports` is smaller than the suite needs.
 * @example In any test runner: a function that receives names and tests
 * ```ts
 * import { testStore } from "@zestor/store/testing";
 * import { openStore } from "@zestor/store";
 * import { assert } from "@std/assert";
 *
 * const tests = new Map<string, () => Promise<void>>();
 * const register = (name: string, fn: () => Promise<void>) => {
 *   tests.set(name, fn);
 * };
 * testStore({
 *   name: "in memory",
 *   open: (options) => openStore({ path: ":memory:", ...options }),
 *   test: Object.assign(register, { skip: () => {} }),
 * });
 *
 * const run = tests.get("in memory: W4 replay and subscription are one step");
 * assert(run);
 * await run();
 * ```
 */
export function testStore(config: StoreUnderTest): void {
  const test = config.test ?? denoTest();
  const supports = manifestOf(config.supports);
  const open = (options?: OpenForTest) => config.open(options);
  const reopen = config.reopen?.bind(config);
  const register = (
    name: string,
    lack: string | undefined,
    run: () => Promise<void>,
  ) => {
    const full = `${config.name}: ${name}`;
    if (lack === undefined) test(full, () => failOnUnhandled(run));
    else ignore(test, `${full} (${lack})`);
  };

  for (const [name, test] of rooms.flatMap((cases) => Object.entries(cases))) {
    const { run, need } = typeof test === "function"
      ? { run: test, need: undefined }
      : test;
    register(name, need?.(supports), () => run(open, supports));
  }
  const lack = reopen ? undefined : "it cannot be reopened";
  const reopeningCases = { ...reopening, ...expiryReopening };
  for (const [name, run] of Object.entries(reopeningCases)) {
    register(name, lack, () => run(open, reopen!, supports));
  }
}

const rooms: readonly Cases[] = [
  reads,
  readsOfKeys,
  ranges,
  writes,
  revisions,
  bulk,
  deletingAll,
  atomic,
  atomicChecks,
  atomicResults,
  atomicUpdates,
  expiryWrites,
  expiryReads,
  expiryEvents,
  expiryTransfer,
  undefinedProperties,
  validating,
  validatingInOrder,
  validatingReads,
  unreadable,
  unreadableChanges,
  equality,
  exporting,
  exportingPast,
  importing,
  importFormat,
  importLines,
  importStopping,
  kindHandles,
  concurrency,
  names,
  numberLimits,
  limits,
  misuse,
  cancelling,
  callbacks,
  closing,
  verifying,
  watching,
  watchingKinds,
  watchingPrevious,
  replaying,
  resuming,
  resumingKinds,
  cursors,
  bookmarking,
  overflowing,
  mirroring,
  mirroringChanges,
  mirroringEnding,
  liveQueries,
  waitingFor,
  streaming,
  snapshots,
  snapshotsEnding,
  snapshotsPast,
  history,
  historyEnding,
];

function ignore(test: TestFunction, name: string): void {
  if ("ignore" in test) test.ignore(name, async () => {});
  else test.skip(name, async () => {});
}

function denoTest(): TestFunction {
  const { Deno: runtime } = globalThis as { Deno?: { test: TestFunction } };
  if (runtime) return runtime.test;
  throw new TypeError(
    'Cannot register tests outside Deno without a test function: pass the runner\'s as "test"',
  );
}
