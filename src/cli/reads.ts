/**
 * The store that a command reads: at present, or at a past revision.
 *
 * @module
 */
import type { Reads } from "../contract/reads.ts";
import type { Store } from "../contract/store.ts";

/** The store at a past revision, or at present. It ends with the store. */
export async function readsAt(
  store: Store,
  at: number | undefined,
  signal: AbortSignal,
): Promise<Reads> {
  return at === undefined ? store : await store.snapshot({ at, signal });
}
