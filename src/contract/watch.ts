/**
 * What a watch tells, and its options.
 *
 * @module
 */

/** The type of a change. */
export type ChangeType = "create" | "update" | "delete";

/**
 * One change of one entry.
 *
 * @typeParam T The kind's values.
 */
export interface WatchEvent<T = unknown> {
  /** What happened. A replayed entry is a `"create"`. */
  type: ChangeType;
  /** The entry's kind. */
  kind: string;
  /** The entry's key. */
  key: string;
  /** The new value; for `"delete"` the one that was deleted. */
  value: T;
  /** The entry's version after the change; for `"delete"` the last one it had. */
  version: number;
  /**
   * The change's number in the whole store, to resume `after`. A replayed entry
   * has 0: in the middle of a replay there is nothing to resume from, and
   * `after: 0` never skips an entry. The bookmark at the replay's end does.
   */
  revision: number;
}

/** Tells that a watch has seen everything up to a revision. */
export interface WatchBookmark {
  /** Marks it as a bookmark. */
  type: "bookmark";
  /** Resume `after` this revision. */
  revision: number;
}

/** Options of `watch`. */
export interface WatchOptions {
  /**
   * Replay what is there at the moment of the call as `create` events, in key
   * order, then go live. Not together with `after`.
   * @default {false}
   */
  initial?: boolean;
  /** Only changes of these types; replayed entries count as `"create"`. @default {all} */
  types?: readonly ChangeType[];
  /** Only this key. Not together with `prefix`. */
  key?: string;
  /** Only keys that begin with this string. */
  prefix?: string;
  /**
   * Resume: every change past this revision, then live. A revision that the
   * change log does not reach, or has not reached yet, errors the stream with
   * `WatchOverflowError`.
   */
  after?: number;
  /**
   * How many events the watch may hold in memory ahead of its consumer, at
   * least 1. It bounds memory, not how far the consumer may fall behind: that
   * is the store's `history`.
   * @default {128}
   */
  bufferSize?: number;
  /**
   * Also emit a bookmark when a replay is complete, and now and then while
   * other kinds change and this one does not, so that a revision that a
   * consumer saved does not fall off the change log.
   * @default {false}
   */
  bookmarks?: boolean;
  /**
   * Whether a stream that is being read keeps the process running, as a timer
   * does. One that does not may be told later of what other processes write.
   * @default {true}
   */
  persistent?: boolean;
  /** Ends the stream; it closes, as when the consumer cancels it. */
  signal?: AbortSignal;
}
