/**
 * The change log as a watch sees it. This is the port between the watch stream,
 * which does not know the storage, and each store.
 *
 * @module
 */
import type { KeyRange } from "../keys/key_range.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { ChangePage } from "./entries.ts";

/** The changes to read. */
export interface ChangeFilter {
  /** The kinds, each once. Absent: all kinds. */
  readonly kinds?: readonly string[];
  readonly keys: KeyRange;
  /** Whether updates include the previous value. */
  readonly previous?: boolean;
  /** Whether a change must tell its time, which takes time to read. */
  readonly times?: boolean;
  /** Whether the values of all these kinds are text, so that they may be read so. */
  readonly asText?: boolean;
}

/** A watch that continues to read. */
export interface Following {
  /** Whether the process keeps running meanwhile. */
  readonly persistent: boolean;
  /**
   * Aborts when the watch ends. It is the same signal in each read and wait.
   */
  readonly signal: AbortSignal;
}

/** A watch that has seen everything, and waits. */
export interface Wait extends Following {
  /** The watched kinds. Absent: all kinds. */
  readonly kinds?: readonly string[];
  /** The watch has seen every change of its kinds up to this revision. */
  readonly after: number;
  /** The mark of the change at `after`, if it is known. */
  readonly mark?: number;
}

/**
 * A store's changes. The reading methods throw `WatchOverflowError` if the log
 * does not hold every change after the revision that they start from.
 *
 * If a log `canBePutBack`, it may have other changes at the same revisions at
 * the next call. So each of its pages has the mark of the change at the page's
 * cursor, and the next read passes this mark. While it reads, the engine
 * compares the mark with its own. It throws `WatchOverflowError` with reason
 * `"ahead"` if its log has not reached the revision, and `"history"` if the log
 * has another change there. If the log has pruned that change, but holds all
 * changes after it, there is nothing to compare, and the engine reads on. A log
 * that keeps the mark of the newest pruned change closes this gap.
 */
export interface ChangeLog {
  /**
   * Whether the log may be put back to an earlier state while a watch runs, for
   * example by a failover to a lagging replica. @default {false}
   */
  readonly canBePutBack?: boolean;
  /** A watch that sees none of this many revisions sets a bookmark. */
  readonly bookmarkInterval: number;
  /**
   * The newest revision of a read-only store. Other stores get it from their
   * queue.
   */
  head(): MaybePromise<number>;
  /**
   * The newest revision, after all reads of earlier moments have ended, because
   * such a read hides newer writes of others.
   */
  newest(): MaybePromise<number>;
  /**
   * The oldest revision in the log. If the log is empty, the revision of the
   * next change.
   */
  oldest(): MaybePromise<number>;
  /**
   * The next changes after a revision, at most `limit`. `mark` belongs to the
   * change at `after`, if it is known. With `following`, a log behind a network
   * may retry until it reaches the server, or until the watch ends.
   */
  read(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark?: number,
    following?: Following,
  ): MaybePromise<ChangePage>;
  /**
   * The changes before a revision and after another, from the last one back, at
   * most `limit`. The page's cursor is the revision down to which all changes
   * were read: `after + 1` at the end. `mark` belongs to the change at
   * `before`, if it is known.
   */
  readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
    mark?: number,
  ): MaybePromise<ChangePage>;
  /**
   * The mark of a revision's change, or of the revision at which the log
   * begins. `undefined` if the log does not have it.
   */
  markOf(revision: number): MaybePromise<number | undefined>;
  /**
   * Resolves when there may be changes for the watch, when there were
   * `bookmarkInterval` other changes, and when the watch ends. The result is a
   * revision up to which the watch has missed nothing. It also resolves for a
   * change after the previous `read`, because a notification may come while an
   * answer is on its way.
   *
   * A log that `canBePutBack` resolves with `after`, whose mark is known. It
   * also resolves if the log has another change there, or has not reached it;
   * the next read then fails.
   */
  wait(wait: Wait): Promise<number>;
}
