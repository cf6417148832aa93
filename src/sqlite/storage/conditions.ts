/**
 * The conditions that several statements have.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";

/**
 * What has not expired. Parameters: the time. It is no term that an index is
 * used for, and holds if there is no expiry.
 */
export const IS_THERE = "(expires_at > ?) IS NOT 0";

/**
 * At most so many rows. Parameters: the limit. An expression: with
 * a parameter alone, a newer SQLite plans the statement anew each time it runs.
 */
export const LIMITED = "LIMIT ? + 0";

/**
 * The condition of a range. It always bounds the key: a second condition on the
 * primary key is what keeps the planner from an index on the kind alone.
 */
export function inRange(range: KeyRange): string {
  return `kind = ? AND ${ofKeys(range)}`;
}

/** The same without the kind. Parameters: those of `keyParams`. */
export function ofKeys({ lower, upper }: KeyRange): string {
  const from = `key ${lower.inclusive ? ">=" : ">"} ?`;
  return upper ? `${from} AND key ${upper.inclusive ? "<=" : "<"} ?` : from;
}

/** The condition of some kinds, before another one; none for all. Parameters: the kinds. */
export function ofKinds(count: number | undefined): string {
  return count === undefined
    ? ""
    : `kind IN (${Array(count).fill("?").join(", ")}) AND `;
}
