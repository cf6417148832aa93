/**
 * The sorted map of the package `sorted-btree`. That is CommonJS: Deno and
 * Node.js import all of it by the name `default`, and Bun its own `default`.
 *
 * @module
 */
import sortedBTree from "sorted-btree";

/** A sorted map. */
export type BTree<Key, Value> = sortedBTree.default<Key, Value>;

/** Makes a sorted map. */
export const BTree: typeof sortedBTree.default = sortedBTree.default ??
  sortedBTree;
