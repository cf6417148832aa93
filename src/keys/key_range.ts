/**
 * Ranges of keys, for reads and watches, as two bounds. The keys and prefixes
 * passed in have been checked.
 *
 * @module
 */
import { compareKeys, prefixEnd } from "./key_order.ts";

/** A bound of a range of keys. */
export interface KeyBound {
  /** The key of the bound. */
  readonly key: string;
  /** Whether the range includes that key. */
  readonly inclusive: boolean;
}

/** A range of keys. Every key is at or after `""`. */
export interface KeyRange {
  readonly lower: KeyBound;
  /** Absent if the range has no upper bound. */
  readonly upper?: KeyBound;
}

/** All keys of a kind. */
export const ALL_KEYS: KeyRange = { lower: { key: "", inclusive: true } };

/** The keys with a prefix. */
export function prefixRange(prefix: string): KeyRange {
  const end = prefixEnd(prefix);
  return {
    lower: { key: prefix, inclusive: true },
    upper: end === undefined ? undefined : { key: end, inclusive: false },
  };
}

/** One key. */
export function singleKey(key: string): KeyRange {
  const bound = { key, inclusive: true };
  return { lower: bound, upper: bound };
}

/** Whether a key is in a range. */
export function isInRange({ lower, upper }: KeyRange, key: string): boolean {
  const fromLower = compareKeys(key, lower.key);
  if (fromLower < 0 || (fromLower === 0 && !lower.inclusive)) return false;
  if (!upper) return true;
  const fromUpper = compareKeys(key, upper.key);
  return fromUpper < 0 || (fromUpper === 0 && upper.inclusive);
}

/** Whether two ranges have the same bounds. */
export function isSameRange(a: KeyRange, b: KeyRange): boolean {
  return a === b || (isSameBound(a.lower, b.lower) &&
    isSameBound(a.upper, b.upper));
}

function isSameBound(a?: KeyBound, b?: KeyBound): boolean {
  return a?.key === b?.key && a?.inclusive === b?.inclusive;
}

/** The part of a range after one of its keys, in the direction of reading. */
export function rangePast(
  range: KeyRange,
  key: string,
  reverse = false,
): KeyRange {
  const bound = { key, inclusive: false };
  return reverse
    ? { lower: range.lower, upper: bound }
    : { lower: bound, upper: range.upper };
}

/** The part of a range up to one of its keys, in the direction of reading. */
export function rangeUpTo(
  range: KeyRange,
  key: string,
  reverse = false,
): KeyRange {
  const bound = { key, inclusive: true };
  return reverse
    ? { lower: bound, upper: range.upper }
    : { lower: range.lower, upper: bound };
}

/** The part of a range that was read, if `rest` is the part that was not. */
export function rangeBefore(
  range: KeyRange,
  rest: KeyRange,
  reverse = false,
): KeyRange {
  const last = reverse ? rest.upper! : rest.lower;
  return rangeUpTo(range, last.key, reverse);
}

/** The keys that are in both ranges. */
export function intersect(a: KeyRange, b: KeyRange): KeyRange {
  return {
    lower: isTighter(b.lower, a.lower, 1) ? b.lower : a.lower,
    upper: !a.upper || (b.upper && isTighter(b.upper, a.upper, -1))
      ? b.upper
      : a.upper,
  };
}

/**
 * Whether a bound leaves fewer keys than another. `side` is 1 for lower bounds,
 * -1 for upper bounds.
 */
function isTighter(bound: KeyBound, other: KeyBound, side: 1 | -1): boolean {
  const order = compareKeys(bound.key, other.key) * side;
  return order > 0 || (order === 0 && !bound.inclusive && other.inclusive);
}
