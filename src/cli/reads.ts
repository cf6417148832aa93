/**
 * What a command reads: the store as it is, or as it was.
 *
 * @module
 */
import type { Reads } from "../contract/reads.ts";
import type { Store } from "../contract/store.ts";

/** The store at a past revision, or now. It ends with the store. */
export async function readsAt(
  store: Store,
  at: number | undefined,
  signal: AbortSignal,
): Promise<Reads> {
  return at === undefined ? store : await store.snapshot({ at, signal });
}
