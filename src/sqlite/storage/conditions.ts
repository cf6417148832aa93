/**
 * The conditions that several statements have.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";

/**
 * The condition that an entry has not expired. Parameters: the time. No index
 * is used for this term, and it holds if there is no expiry.
 */
export const IS_THERE = "(expires_at > ?) IS NOT 0";

/**
 * Limits the number of rows. Parameters: the limit. It is an expression,
 * because a newer SQLite plans a statement with a mere parameter again at each
 * run.
 */
export const LIMITED = "LIMIT ? + 0";

/**
 * The condition of a range. It always limits the key: a second condition on the
 * primary key prevents the planner from using an index on the kind alone.
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
