/**
 * The errors of a change log that does not reach a revision.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";

/**
 * The log no longer holds every change after a revision. `oldest` is the first
 * that it holds.
 */
export function prunedPast(after: number, oldest: number): WatchOverflowError {
  return new WatchOverflowError(
    "pruned",
    `Cannot watch after revision ${after}: the change log begins at ${oldest}; read the kind again and watch from there, and if this happens often, open the store with a longer history`,
  );
}

/**
 * The store was put back to an earlier state, and has another change at the
 * revision, or has not reached it.
 */
export function putBack(
  reason: "ahead" | "history",
  revision: number,
): WatchOverflowError {
  return new WatchOverflowError(
    reason,
    reason === "ahead"
      ? `Cannot go on after revision ${revision}: the store has not reached it, so it was put back to an earlier state; read the entries again and watch from there`
      : `Cannot go on after revision ${revision}: the store has another change there, so it was put back to an earlier state; read the entries again and watch from there`,
  );
}
