/**
 * The expiry times of entries in memory, in order.
 *
 * @module
 */
import { BTree } from "../base/b_tree.ts";
import { compareKeys } from "../keys/key_order.ts";
import type { EntryName } from "../engine/write.ts";

/** The expiry of an entry, in ms since 1970. */
interface Expiry extends EntryName {
  readonly at: number;
}

/** The expiries of a store. */
export class Expiries {
  #tree = new BTree<Expiry, true>([], compareExpiries);

  /** Adds an entry that expires at `at`. */
  add(kind: string, key: string, at: number): void {
    this.#tree.set({ kind, key, at }, true);
  }

  /** Removes an entry that would expire at `at`. */
  delete(kind: string, key: string, at: number): void {
    this.#tree.delete({ kind, key, at });
  }

  /** The time at which the first entry expires. */
  get next(): number | undefined {
    return this.#tree.minKey()?.at;
  }

  /** The entries that have expired at a time, at most `limit`. */
  until(time: number, limit: number): EntryName[] {
    const names: EntryName[] = [];
    for (const expiry of this.#tree.keys()) {
      if (expiry.at > time || names.length === limit) break;
      names.push(expiry);
    }
    return names;
  }

  /** An independent copy. */
  clone(): Expiries {
    const clone = new Expiries();
    clone.#tree = this.#tree.clone();
    return clone;
  }

  /** Forgets everything. */
  clear(): void {
    this.#tree.clear();
  }
}

function compareExpiries(a: Expiry, b: Expiry): number {
  return a.at - b.at || compareKeys(a.kind, b.kind) ||
    compareKeys(a.key, b.key);
}
