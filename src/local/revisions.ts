/**
 * The two ends of the change log, and its pruning.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import { prunedPast } from "../engine/log_ends.ts";
import type { Changes } from "./storage.ts";
import type { News } from "./wakeup.ts";

/** How many changes one transaction prunes at most, if it made fewer changes itself. */
const PRUNE_SLICE = 1_000;

/** How many revisions one read of the log visits at most. */
export const READ_WINDOW = 10_000;

/**
 * Throws `WatchOverflowError` unless the log holds every change after a
 * revision. Call it after you read those changes: another process may prune
 * between two statements, but a row that is there now was there before.
 */
export function assertLogReaches(changes: Changes, after: number): void {
  const oldest = changes.oldestRevision();
  if (after >= oldest - 1) return;
  throw prunedPast(after, oldest);
}

/**
 * Throws `WatchOverflowError` if entries may have changed without a change in
 * the log, for example because somebody dropped the log's triggers. Call it
 * before you read, so that a missing change does not count as "no change".
 */
export function assertLogged(changes: Changes): void {
  if (changes.isLogged()) return;
  throw new WatchOverflowError(
    "broken",
    "Cannot watch: somebody changed the tables or triggers of the change log, so the log may lack changes; read the kind again and watch from there",
  );
}

/**
 * The changes after a revision. The changed kinds are known while the log
 * reaches back, and is not too far ahead. Throws `WatchOverflowError` if
 * somebody cut the log back, so that its revisions begin again, or if changes
 * may be missing from it.
 */
export function newsPast(changes: Changes, after: number): News {
  assertLogged(changes);
  const head = changes.headRevision();
  if (head < after) throw cutBack(after, head);
  if (head === after || head - after > READ_WINDOW) return { head };
  const kinds = new Set(changes.listChangedKinds(after, head));
  return after < changes.oldestRevision() - 1 ? { head } : { head, kinds };
}

function cutBack(after: number, head: number): WatchOverflowError {
  return new WatchOverflowError(
    "broken",
    `Cannot watch after revision ${after}: somebody cut the change log back to ${head}; read the kind again and watch from there`,
  );
}

/** Keeps the log at `history` changes. It prunes by tenths. */
export class LogPruner {
  readonly #changes: Changes;
  readonly #history: number;
  /** The oldest revision at the last look. It only grows. */
  #oldest = 0;

  /** Takes the log, and how many changes it keeps. */
  constructor(changes: Changes, history: number) {
    this.#changes = changes;
    this.#history = history;
  }

  /**
   * Prunes inside a write transaction that found the log at `before` and leaves
   * it at `head`. It removes twice as many changes as the transaction added, so
   * that the log shrinks faster than it grows. It never removes the
   * transaction's own changes, so a watch that has caught up does not overflow
   * because of one large write.
   */
  prune(before: number, head: number): void {
    const newest = Math.min(head - this.#history, before);
    const step = Math.min(PRUNE_SLICE, Math.ceil(this.#history / 10));
    if (newest - this.#oldest + 1 < step) return;
    this.#oldest = this.#changes.oldestRevision();
    const surplus = newest - this.#oldest + 1;
    if (surplus < step) return;
    const most = Math.max(PRUNE_SLICE, 2 * (head - before));
    this.#changes.prune(this.#oldest - 1 + Math.min(surplus, most));
  }
}
