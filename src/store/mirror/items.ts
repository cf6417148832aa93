/**
 * The entries of a mirror: in a `Map` by key, which makes `get` fast, and in a
 * tree in their order. Both always hold the same items.
 *
 * @module
 */
import { BTree } from "../../base/b_tree.ts";
import { compareKeys } from "../../keys/key_order.ts";
import { compareSorted, type Sorted } from "./sort_key.ts";

/** An entry of a mirror. It is immutable, and is replaced as a whole. */
export interface Item<T> {
  readonly key: string;
  readonly value: T;
  /** The key to sort by, before the entry's key. */
  readonly sorted: Sorted;
}

/** The entries of a mirror. */
export class Items<T> {
  readonly #byKey = new Map<string, Item<T>>();
  readonly #inOrder: BTree<Item<T>, undefined>;
  /** Compares two items by their order. */
  readonly compare: (a: Item<T>, b: Item<T>) => number;

  /** Takes the order. With `reverse`, it is from the last item to the first. */
  constructor(reverse: boolean) {
    this.compare = reverse ? (a, b) => compareItems(b, a) : compareItems;
    this.#inOrder = new BTree<Item<T>, undefined>([], this.compare);
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Item<T> | undefined {
    return this.#byKey.get(key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** The keys, in no particular order. */
  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  /**
   * The present items in their order. Later changes do not affect the
   * iteration.
   */
  inOrder(): IterableIterator<Item<T>> {
    // The clone copies nothing yet: shared parts are copied when one of the
    // trees changes.
    return this.#inOrder.clone().keys();
  }

  /**
   * Adds an item, or replaces the one with its key, and returns the replaced
   * one.
   */
  put(item: Item<T>): Item<T> | undefined {
    const before = this.#byKey.get(item.key);
    if (before && compareSorted(before.sorted, item.sorted) !== 0) {
      this.#inOrder.delete(before);
    }
    this.#byKey.set(item.key, item);
    this.#inOrder.set(item, undefined);
    return before;
  }

  /** Removes an item, and returns it. */
  remove(key: string): Item<T> | undefined {
    const before = this.#byKey.get(key);
    if (!before) return undefined;
    this.#byKey.delete(key);
    this.#inOrder.delete(before);
    return before;
  }

  /**
   * The item before an item, or before its place, among the items with other
   * keys.
   */
  itemBefore(item: Item<T>): Item<T> | undefined {
    const found = this.#inOrder.nextLowerKey(item);
    return found?.key === item.key ? this.#inOrder.nextLowerKey(found) : found;
  }
}

function compareItems(a: Item<unknown>, b: Item<unknown>): number {
  return compareSorted(a.sorted, b.sorted) || compareKeys(a.key, b.key);
}
