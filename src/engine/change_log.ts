/**
 * The change log as a watch sees it: the port between the watch stream, which
 * knows nothing of storage, and each store.
 *
 * @module
 */
import type { KeyRange } from "../keys/key_range.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { ChangePage } from "./entries.ts";

/** Which changes are asked for. */
export interface ChangeFilter {
  /** The kinds, each once; all if it is absent. */
  readonly kinds?: readonly string[];
  readonly keys: KeyRange;
  /** Whether updates are to tell the value before. */
  readonly previous?: boolean;
  /** Whether a change must tell its time, which takes time to read. */
  readonly times?: boolean;
  /** Whether the values of all these kinds are text, so that they may be read so. */
  readonly asText?: boolean;
}

/** A watch that reads on. */
export interface Following {
  /** Whether the process is to go on running meanwhile. */
  readonly persistent: boolean;
  /** Aborts when the watch ends; the same each time it reads or waits. */
  readonly signal: AbortSignal;
}

/** A watch that has seen everything, and waits. */
export interface Wait extends Following {
  /** The kinds that it watches; all if it is absent. */
  readonly kinds?: readonly string[];
  /** What it has seen: every change of its kinds up to this revision. */
  readonly after: number;
  /** The mark of the change at `after`, if it is known. */
  readonly mark?: number;
}

/**
 * A store's changes. What reads them throws `WatchOverflowError` where the log
 * does not hold every change past the revision that it starts from.
 *
 * A log that `canBePutBack` may have other changes at the same revisions from
 * one call to the next. So each of its pages tells the mark of the change at
 * its cursor, and the next read gives that mark back. The engine compares it
 * with its own at the same moment at which it reads, and throws
 * `WatchOverflowError`: of reason `"ahead"` if its log has not reached the
 * revision, `"history"` if it has another change there. If the log has pruned
 * the change, and keeps each one past it, there may be nothing to compare: then
 * it reads on. A log that keeps the mark of the newest change that it pruned
 * leaves no such gap.
 */
export interface ChangeLog {
  /**
   * Whether it may be put back to an earlier state beneath a running watch, as
   * by a failover to a replica that lags. @default {false}
   */
  readonly canBePutBack?: boolean;
  /** Every how many revisions a watch that sees none of them sets a bookmark. */
  readonly bookmarkInterval: number;
  /** The newest revision, of a store that is read-only: others have it from their queue. */
  head(): MaybePromise<number>;
  /** The newest revision, when every read of an earlier moment has ended: such a read hides what others wrote since. */
  newest(): MaybePromise<number>;
  /** The oldest revision in the log; the one that will be, if the log is empty. */
  oldest(): MaybePromise<number>;
  /**
   * The next changes past a revision, at most `limit`. `mark` is of the change at
   * `after`, if it is known. With `following`, a log behind a network may try
   * again until the server can be reached, or the watch ends.
   */
  read(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark?: number,
    following?: Following,
  ): MaybePromise<ChangePage>;
  /**
   * The changes before a revision and past another, from the last one back, at
   * most `limit`. The page's cursor is the revision down to which there are no
   * others: `after + 1` at the end. `mark` is of the change at `before`, if it
   * is known.
   */
  readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
    mark?: number,
  ): MaybePromise<ChangePage>;
  /**
   * The mark of the change of a revision, or of the revision at which the log
   * begins; `undefined` if the log does not have it.
   */
  markOf(revision: number): MaybePromise<number | undefined>;
  /**
   * Resolves when there may be changes for a watch, when there were
   * `bookmarkInterval` others, and when the watch ends: with a revision up to
   * which it has missed none. It also resolves for a change that came after the
   * `read` before it: a notification may come while an answer is on its way.
   *
   * A log that `canBePutBack` resolves with `after`, whose mark is known. It
   * also resolves when the log has another change there, or has not reached it:
   * the next read tells the watch.
   */
  wait(wait: Wait): Promise<number>;
}
