/**
 * Runs the conformance suite on etcd. Each test uses its own prefix. The tests
 * that write tens of thousands of entries take minutes, so they run only with
 * `ZESTOR_LONG_TESTS=1`.
 *
 * @module
 */
import { LIMITS } from "../../src/etcd/etcd_engine.ts";
import { openEtcdStore } from "../../src/etcd/open_etcd_store.ts";
import { testStore } from "../../src/testing/mod.ts";
import type { Store } from "../../mod.ts";
import { sharedEtcd } from "../support/etcd/shared.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";

const shared = await sharedEtcd();
const { nameBytes, valueBytes, changes } = LIMITS;
const endpoints = "url" in shared ? [shared.url] : [];

/** How each store was opened. */
const opened = new WeakMap<
  Store,
  { prefix: string; [option: string]: unknown }
>();

async function open(
  options: { prefix: string; [option: string]: unknown },
): Promise<Store> {
  const store = await openEtcdStore({ endpoints, ...options });
  opened.set(store, options);
  return store;
}

/** Tests of many entries or many calls. One etcd node writes about 5 000 entries a second. */
const LONG = [
  "an export at a revision can be imported",
  "export at: gives the same lines as at that revision",
  "C2 deleteAll of thousands is one transaction",
  "C4 entries that expire are in the way of no write",
  "C8 ",
  "W4 each of many watches begins at its own call",
  "W5 watches of several kinds resume from every revision and cursor",
  "entries streams a kind of many pages",
  "history after: only changes past a revision or a cursor",
  "snapshot: many, each of its own moment",
  "snapshot at: every read gives the same result as at that revision",
  "watchers in great number all see everything",
];
const isLeftOut = (name: string) =>
  !Deno.env.get("ZESTOR_LONG_TESTS") &&
  LONG.some((start) => name.startsWith(`etcd: ${start}`));

testStore({
  name: "etcd",
  open: (options) => open({ ...options, prefix: freshPrefix() }),
  reopen: async (store) => {
    const options = opened.get(store)!;
    await store.close();
    return await open(options);
  },
  supports: { limits: { nameBytes, valueBytes, changes } },
  test: Object.assign(
    (name: string, fn: () => Promise<void>) =>
      isLeftOut(name) ? Deno.test.ignore(name, fn) : testEtcd(name, fn),
    { ignore: Deno.test.ignore },
  ),
});
