/**
 * Opens stores for the tests on etcd.
 *
 * @module
 */
import {
  type EtcdStore,
  type EtcdStoreOptions,
  openEtcdStore,
} from "../../../src/etcd/open_etcd_store.ts";

/** The kinds of the tests. */
export type Kinds = { k: number; text: string };

/** A store of the tests. */
export type TestStore = EtcdStore<Kinds>;

/** Opens a store for a test. */
export function openTestStore(
  options: EtcdStoreOptions<Kinds>,
): Promise<TestStore> {
  return openEtcdStore<Kinds>(options);
}

/** The endpoints, with one of them moved to the front. */
export function beginningWith(
  endpoints: readonly string[],
  first: string,
): string[] {
  return [first, ...endpoints.filter((endpoint) => endpoint !== first)];
}
