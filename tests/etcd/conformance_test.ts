/**
 * Runs the conformance suite on etcd, each test under a prefix of its own.
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
    (name: string, fn: () => Promise<void>) => testEtcd(name, fn),
    { ignore: Deno.test.ignore },
  ),
});
