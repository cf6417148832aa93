/**
 * Stores of the tests on etcd.
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

/** Opens a store. */
export function openTestStore(
  options: EtcdStoreOptions<Kinds>,
): Promise<TestStore> {
  return openEtcdStore<Kinds>(options);
}

/** Endpoints in an order that begins with one of them. */
export function beginningWith(
  endpoints: readonly string[],
  first: string,
): string[] {
  return [first, ...endpoints.filter((endpoint) => endpoint !== first)];
}
