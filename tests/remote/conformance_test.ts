/**
 * Runs the conformance suite on the remote engine: on a line that is cut, and on
 * a store that lacks all that a store may lack. So the suite asks nothing more of
 * such stores. PostgreSQL runs it on a line that holds, and takes its time.
 *
 * @module
 */
import type { ImportOptions, Store } from "../../mod.ts";
import { type Supports, testStore } from "../../src/testing/mod.ts";
import { openRemoteStore } from "../support/remote/open_remote_store.ts";
import { LIMITS } from "../support/remote/protocol.ts";
import { withOperations } from "../support/with_operations.ts";

const { nameBytes, valueBytes, changes } = LIMITS;

const supports: Supports = {
  limits: { nameBytes, valueBytes, changes },
  verify: false,
};

/** The server is in this process, and removes a range in one step. */
const IN_ONE_STEP = "C8 a long deleteAll lets the event loop turn";

/** If the reads of a watch are cut, it does not keep up with a log of a few changes. */
const KEEPING_UP = [
  "W3 a filter does not make a consumer that keeps up overflow",
  "W3 a watch of several kinds that keeps up never overflows",
];

/** Registers a case, unless a store of this file cannot pass it. */
function testExcept(...names: string[]) {
  return Object.assign(
    (name: string, fn: () => Promise<void>) =>
      names.some((ignored) => name.endsWith(ignored))
        ? Deno.test.ignore(name, fn)
        : Deno.test(name, fn),
    { ignore: Deno.test.ignore },
  );
}

testStore({
  name: "remote, cut",
  open: (options) => openRemoteStore({ longest: 0, cuts: 0.2, ...options }),
  supports,
  test: testExcept(IN_ONE_STEP, ...KEEPING_UP),
});

const POOR = { nameBytes: 256, valueBytes: 4_096, changes: 1_000 };

testStore({
  name: "remote, poor",
  open: async (options) =>
    withOwnVersions(
      await openRemoteStore({
        longest: 0,
        limits: { ...LIMITS, ...POOR },
        ...options,
      }),
    ),
  supports: {
    ...supports,
    limits: POOR,
    importedVersions: false,
    checksBeforeEquals: false,
  },
  test: testExcept(IN_ONE_STEP),
});

/** The store, which gives versions and times of its own to what it imports. */
function withOwnVersions(store: Store): Store {
  return withOperations(store, {
    import: (lines, options) => store.import(lines, withoutOrigins(options)),
  });
}

/** What is no boolean stays: the store has to refuse it. */
function withoutOrigins(options: ImportOptions = {}): ImportOptions {
  const { versions = true, times = true } = options;
  return {
    ...options,
    versions: versions === true ? false : versions,
    times: times === true ? false : times,
  };
}
