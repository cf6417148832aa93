/**
 * What a watch tells, and its options; and what the past tells.
 *
 * @module
 */
import type { UnreadableOptions } from "./entry.ts";
import type { KindOf, ValueOf } from "./kinds.ts";

/** The type of a change. */
export type ChangeType = "create" | "update" | "delete";

/**
 * What the event of every change tells.
 *
 * @typeParam Kind The kind.
 */
export interface ChangeEvent<Kind extends string> {
  /** The entry's kind. */
  kind: Kind;
  /** The entry's key. */
  key: string;
  /** The entry's version after the change; for `"delete"` the last one it had. */
  version: number;
  /**
   * The change's number in the whole store. A replayed entry has 0: in the
   * middle of a replay there is nothing to resume from. The bookmark at its end
   * has the revision of the moment that was replayed.
   */
  revision: number;
  /**
   * Resume `after` this change. It is text that names the change, and not only
   * its number: in another store, or in one that was put back to an earlier
   * state, another change may have the number. A replayed entry has the cursor
   * of revision 0, after which nothing is skipped.
   */
  cursor: string;
}

/** An entry came. A replayed entry is one, too. */
export interface CreateEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "create";
  /** The value. */
  value: T;
  /** When the entry expires; absent if it does not. */
  expiresAt?: Date;
}

/** An entry's value or expiry changed. */
export interface UpdateEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "update";
  /** The new value. */
  value: T;
  /** The value before, if it was asked for. */
  previous?: T;
  /** When the entry expires; absent if it does not. */
  expiresAt?: Date;
}

/** An entry went. */
export interface DeleteEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "delete";
  /** The value that was deleted. */
  value: T;
  /** Present if the entry had expired; absent if somebody deleted it before. */
  expired?: true;
}

/**
 * One change of one entry.
 *
 * @typeParam T The kind's values.
 * @typeParam Kind The kind.
 */
export type WatchEvent<T = unknown, Kind extends string = string> =
  | CreateEvent<T, Kind>
  | UpdateEvent<T, Kind>
  | DeleteEvent<T, Kind>;

/**
 * One change of an entry of one of several kinds.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Kind The kinds that are watched.
 */
export type KindsEvent<
  Kinds extends object,
  Kind extends KindOf<Kinds> = KindOf<Kinds>,
> = { [Name in Kind]: WatchEvent<ValueOf<Kinds, Name>, Name> }[Kind];

/** Tells that a watch has seen everything up to a revision. */
export interface WatchBookmark {
  /** Marks it as a bookmark. */
  type: "bookmark";
  /** Every change up to this revision was told. */
  revision: number;
  /** Resume `after` this: text that names the revision and the history that led to it. */
  cursor: string;
}

/** Options of `watch`. */
export interface WatchOptions extends UnreadableOptions {
  /**
   * Replay what is there at the moment of the call as `create` events, by kind
   * and in key order, then go live. Not together with `after`.
   * @default {false}
   */
  initial?: boolean;
  /** Only changes of these types; replayed entries count as `"create"`. @default {all} */
  types?: readonly ChangeType[];
  /** Only this key, of each kind. Not together with `prefix`. */
  key?: string;
  /** Only keys that begin with this string. */
  prefix?: string;
  /**
   * Resume: every change past this one, then live. The `cursor` of an event or
   * a bookmark; or a revision, which means "of this store, as it is". If the
   * change log does not reach so far back, or has not got there yet, or if the
   * cursor's change is not the one that this store has there, the stream errors
   * with `WatchOverflowError`.
   */
  after?: string | number;
  /** Whether an update tells the value before. @default {false} */
  previous?: boolean;
  /**
   * How many events the watch may hold in memory ahead of its consumer, at
   * least 1. It bounds memory, not how far the consumer may fall behind: that
   * is the store's `history`.
   * @default {128}
   */
  bufferSize?: number;
  /**
   * Also emit a bookmark when a replay is complete, when a resumed watch has
   * caught up with what there was at the call, and now and then while others
   * change and what is watched does not, so that a cursor that a consumer saved
   * does not fall off the change log.
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

/**
 * One change of an entry, as the change log has it.
 *
 * @typeParam T The kind's values.
 * @typeParam Kind The kind.
 */
export type HistoryChange<T = unknown, Kind extends string = string> =
  & WatchEvent<T, Kind>
  & {
    /**
     * When it was made, by the clock of the writer. Absent if an earlier version
     * of the store logged it, which did not note the time.
     */
    changedAt?: Date;
  };

/** Options of `history`. */
export interface HistoryOptions extends UnreadableOptions {
  /** Only keys that begin with this string. Not together with a key. */
  prefix?: string;
  /** Only changes past this one: a revision, or a `cursor`. @default {all in the log} */
  after?: string | number;
  /** At most so many changes. @default {Infinity} */
  limit?: number;
  /** From the last change to the first. @default {false} */
  reverse?: boolean;
  /** Cancels the read: the stream errors with `signal.reason`. */
  signal?: AbortSignal;
}
