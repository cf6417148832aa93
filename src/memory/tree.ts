/**
 * The entries of a kind in memory, in key order.
 *
 * @module
 */
import { BTree } from "../base/b_tree.ts";
import { compareKeys } from "../keys/key_order.ts";
import { isInRange, type KeyRange } from "../keys/key_range.ts";
import { isGone, type Kept } from "./kept.ts";

/** A bound after every key. It is not itself a key, because it is not well-formed. */
const NO_END = { key: "\u{DFFF}", inclusive: false };

/** Entries by key. */
export type Tree = BTree<string, Kept>;

/** Makes a tree without entries. */
export function makeTree(): Tree {
  return new BTree([], compareKeys);
}

/** The entries of a range, including expired entries. */
export function* walk(
  tree: Tree | undefined,
  range: KeyRange,
  reverse: boolean,
): Generator<[string, Kept]> {
  if (!tree) return;
  const { lower, upper } = range;
  const pairs = reverse
    ? tree.entriesReversed(upper?.key)
    : tree.entries(lower.key);
  for (const pair of pairs) {
    if (isInRange(range, pair[0])) {
      yield pair;
      continue;
    }
    // The iteration is past the end, or at the bound where it began.
    const start = reverse ? upper : lower;
    if (pair[0] !== start?.key) return;
  }
}

/** The number of entries in a range, including expired entries. */
export function countAll(
  tree: Tree,
  { lower, upper = NO_END }: KeyRange,
): number {
  const order = compareKeys(lower.key, upper.key);
  const isEmpty = order === 0 && !(lower.inclusive && upper.inclusive);
  if (order > 0 || isEmpty) return 0;
  // Without a function, it counts whole nodes of the tree.
  const count = tree.forRange(lower.key, upper.key, upper.inclusive);
  const isBefore = !lower.inclusive && tree.has(lower.key);
  return count - Number(isBefore);
}

/** Whether there is an entry that has not expired. */
export function isAnyLeft(tree: Tree, time: number): boolean {
  for (const kept of tree.values()) {
    if (!isGone(kept, time)) return true;
  }
  return false;
}
