/**
 * Stores behind a proxy that breaks connections, and what becomes of their
 * writes.
 *
 * @module
 */
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from "../../../src/postgres/open_postgres_store.ts";
import type { Random } from "../random.ts";
import { openProxy, type Proxy } from "./proxy.ts";

/** The kinds of the tests. */
export type Kinds = { k: number; text: string };

/** A store of the tests. */
export type TestStore = PostgresStore<Kinds>;

/** Opens a store. */
export function openTestStore(
  options: PostgresStoreOptions<Kinds>,
): Promise<TestStore> {
  return openPostgresStore<Kinds>(options);
}

/** Opens a proxy in front of the server at a URL. */
export function proxyOf(url: string, options?: { random?: Random }): Proxy {
  return openProxy(Number(new URL(url).port || 5432), options);
}

/** `"done"`, or the name of the error. */
export async function endingOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return (error as Error).name;
  }
}

/** How many of each ending there are. */
export async function endingsOf(
  works: readonly Promise<unknown>[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const ending of await Promise.all(works.map(endingOf))) {
    counts[ending] = (counts[ending] ?? 0) + 1;
  }
  return counts;
}
