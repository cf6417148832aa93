/**
 * Pages: how much of a storage is read at once. Whoever reads many entries or
 * changes reads them page by page.
 *
 * The invariant: a page is bounded by count and by the bytes of its values, so
 * that its memory does not depend on how large the values are. A value that is
 * larger than the bound is a page of its own.
 *
 * @module
 */
import type { StoreError } from "../contract/errors.ts";
import type { KeyRange } from "../keys/key_range.ts";

/** How many entries or changes a page has, at most. */
export const PAGE_ENTRIES = 256;

/** How many bytes the values of a page have, at most. */
export const PAGE_BYTES = 1024 * 1024;

/** Which part of a range a page is to have. */
export interface PageOptions {
  /** At most so many entries. @default {PAGE_ENTRIES} */
  readonly limit?: number;
  /** At most so many bytes of values. @default {PAGE_BYTES} */
  readonly bytes?: number;
  /** From the last key to the first. @default {false} */
  readonly reverse?: boolean;
  /**
   * Called for each entry that is not as the engine keeps them, as damage or
   * plain SQL can make it. The page is without it; without this function, the
   * read throws.
   */
  readonly onUnreadable?: (problem: StoreError) => void;
  /**
   * Whether the values are wanted as text: an engine may give each that is UTF-8
   * as `text`, if that costs less. @default {false}
   */
  readonly asText?: boolean;
}

/** A part of a range, in the order of reading. */
export interface Page<T> {
  readonly items: T[];
  /** The keys that are still to be read; absent at the end of the range. */
  readonly rest?: KeyRange;
}

/** How many values of these sizes, in bytes, fit into a page: one at least, if there is one. */
export function countFitting(sizes: Iterable<number>, bytes: number): number {
  let count = 0;
  let total = 0;
  for (const size of sizes) {
    total += size;
    if (total > bytes && count > 0) break;
    count++;
  }
  return count;
}
