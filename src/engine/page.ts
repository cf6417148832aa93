/**
 * Pages: the amount that is read from a storage at once. Reads of many entries
 * or changes read page by page.
 *
 * The invariant: the number and the bytes of a page's values are limited, so
 * that its memory does not depend on the size of the values. A value larger
 * than the limit is a page of its own.
 *
 * @module
 */
import type { StoreError } from "../contract/errors.ts";
import type { KeyRange } from "../keys/key_range.ts";

/** The largest number of entries or changes in a page. */
export const PAGE_ENTRIES = 256;

/** The largest number of bytes of values in a page. */
export const PAGE_BYTES = 1024 * 1024;

/** The part of a range that a page contains. */
export interface PageOptions {
  /** The largest number of entries. @default {PAGE_ENTRIES} */
  readonly limit?: number;
  /** The largest number of bytes of values. @default {PAGE_BYTES} */
  readonly bytes?: number;
  /** From the last key to the first. @default {false} */
  readonly reverse?: boolean;
  /**
   * Called for each invalid entry, which damage or plain SQL can cause. The
   * page leaves it out. Without this function, the read throws.
   */
  readonly onUnreadable?: (problem: StoreError) => void;
  /**
   * Whether to read values as text. An engine may return each UTF-8 value as
   * `text`, if that costs less. @default {false}
   */
  readonly asText?: boolean;
}

/** A part of a range, in the order of reading. */
export interface Page<T> {
  readonly items: T[];
  /** The keys that are still to be read. Absent at the end of the range. */
  readonly rest?: KeyRange;
}

/**
 * How many values of these sizes, in bytes, fit into a page. It is at least
 * one, if there is one.
 */
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
