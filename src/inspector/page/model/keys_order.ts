/**
 * The order of keys: by code points, as in the store. JavaScript's `<` compares
 * UTF-16 units, which puts surrogates before some other characters.
 *
 * @module
 */
import type { RangeQuery } from "../../api.ts";

/** Negative if `a` comes first, positive if `b` does, 0 if they are the same. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** A surrogate belongs to a code point above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The place of a key among ordered rows, or the place where it belongs. */
export function placeOf(
  rows: readonly { readonly key: string }[],
  key: string,
): { index: number; isThere: boolean } {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(rows[middle].key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return { index: low, isThere: rows[low]?.key === key };
}

/** Whether a key is in a range. */
export function isInRange(
  key: string,
  { prefix, start, end }: Omit<RangeQuery, "kind">,
): boolean {
  return (prefix === undefined || key.startsWith(prefix)) &&
    (start === undefined || compareKeys(key, start) >= 0) &&
    (end === undefined || compareKeys(key, end) < 0);
}
