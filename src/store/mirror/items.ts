/**
 * The entries of a mirror: by key in a `Map`, which makes `get` fast, and in
 * their order in a tree. Both always hold the same items.
 *
 * @module
 */
import { BTree } from "../../base/b_tree.ts";
import { compareKeys } from "../../keys/key_order.ts";
import { compareSorted, type Sorted } from "./sort_key.ts";

/** An entry of a mirror. It is never changed, but replaced. */
export interface Item<T> {
  readonly key: string;
  readonly value: T;
  /** What the entries are sorted by, before the key. */
  readonly sorted: Sorted;
}

/** The entries of a mirror. */
export class Items<T> {
  readonly #byKey = new Map<string, Item<T>>();
  readonly #inOrder: BTree<Item<T>, undefined>;
  /** Compares two items by their order. */
  readonly compare: (a: Item<T>, b: Item<T>) => number;

  /** Takes the order: from the last item to the first, if it is `reverse`. */
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

  /** The keys, in no order. */
  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  /** The items in their order, as they are now, whatever changes meanwhile. */
  inOrder(): IterableIterator<Item<T>> {
    // It copies nothing: what both hold is copied when one of them changes.
    return this.#inOrder.clone().keys();
  }

  /** Adds an item, or puts it in the place of the one of its key; gives that. */
  put(item: Item<T>): Item<T> | undefined {
    const before = this.#byKey.get(item.key);
    if (before && compareSorted(before.sorted, item.sorted) !== 0) {
      this.#inOrder.delete(before);
    }
    this.#byKey.set(item.key, item);
    this.#inOrder.set(item, undefined);
    return before;
  }

  /** Takes an item away; gives it. */
  remove(key: string): Item<T> | undefined {
    const before = this.#byKey.get(key);
    if (!before) return undefined;
    this.#byKey.delete(key);
    this.#inOrder.delete(before);
    return before;
  }

  /** The item that an item follows, or would follow, among those of other keys. */
  itemBefore(item: Item<T>): Item<T> | undefined {
    const found = this.#inOrder.nextLowerKey(item);
    return found?.key === item.key ? this.#inOrder.nextLowerKey(found) : found;
  }
}

function compareItems(a: Item<unknown>, b: Item<unknown>): number {
  return compareSorted(a.sorted, b.sorted) || compareKeys(a.key, b.key);
}
