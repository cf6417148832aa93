/**
 * Watches and the history: their events and options.
 *
 * @module
 */
import type { UnreadableOptions } from "./entry.ts";
import type { KindOf, ValueOf } from "./kinds.ts";

/** The type of a change. */
export type ChangeType = "create" | "update" | "delete";

/**
 * The properties of every change.
 *
 * @typeParam Kind The kind.
 */
export interface ChangeEvent<Kind extends string> {
  /** The entry's kind. */
  kind: Kind;
  /** The entry's key. */
  key: string;
  /** The entry's version after the change. For `"delete"`, its last version. */
  version: number;
  /**
   * The change's number in the whole store. A replayed entry has 0, because a
   * watch cannot resume in the middle of a replay. The bookmark at the end of a
   * replay has the revision that the replay showed.
   */
  revision: number;
  /**
   * Text that names the change. To resume after this change, pass it as
   * `after`. It holds more than the revision, because another store, or a
   * restored one, may have another change at the same revision. A replayed
   * entry has the cursor of revision 0: after it, the watch begins from the
   * start.
   */
  cursor: string;
}

/** An entry was created. A replayed entry also comes as this event. */
export interface CreateEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "create";
  /** The value. */
  value: T;
  /** The time at which the entry expires. Absent if it does not expire. */
  expiresAt?: Date;
}

/** An entry's value or expiry changed. */
export interface UpdateEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "update";
  /** The new value. */
  value: T;
  /** The value before the change. Present if the option `previous` is set. */
  previous?: T;
  /** The time at which the entry expires. Absent if it does not expire. */
  expiresAt?: Date;
}

/** An entry was deleted. */
export interface DeleteEvent<T = unknown, Kind extends string = string>
  extends ChangeEvent<Kind> {
  /** What happened. */
  type: "delete";
  /** The value that was deleted. */
  value: T;
  /** Present if the entry was deleted because it had expired. */
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
 * A change of an entry, in one of several kinds.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Kind The watched kinds.
 */
export type KindsEvent<
  Kinds extends object,
  Kind extends KindOf<Kinds> = KindOf<Kinds>,
> = { [Name in Kind]: WatchEvent<ValueOf<Kinds, Name>, Name> }[Kind];

/** Says that a watch has seen everything up to a revision. */
export interface WatchBookmark {
  /** Marks it as a bookmark. */
  type: "bookmark";
  /** The watch has emitted every change up to this revision. */
  revision: number;
  /** Text that names this place. To resume here, pass it as `after`. */
  cursor: string;
}

/** Options of `watch`. */
export interface WatchOptions extends UnreadableOptions {
  /**
   * Replay the entries as they are at the moment of the call, as `create`
   * events, by kind and in key order, then go live. Not together with `after`.
   * @default {false}
   */
  initial?: boolean;
  /**
   * Only changes of these types. A replayed entry counts as `"create"`.
   * @default {all}
   */
  types?: readonly ChangeType[];
  /** Only this key, in each kind. Not together with `prefix`. */
  key?: string;
  /** Only keys that begin with this string. */
  prefix?: string;
  /**
   * Resume: emit every change after this one, then go live. Give the `cursor`
   * of an event or a bookmark. You may also give a revision, but then the store
   * cannot notice that it was replaced meanwhile. The stream errors with
   * `WatchOverflowError` if the change log does not reach back to this change,
   * if the store has not reached it, or if the store has another change there.
   */
  after?: string | number;
  /** Whether an update event has the `previous` value. @default {false} */
  previous?: boolean;
  /**
   * How many events the watch may hold in memory for its consumer, at least 1.
   * This bounds the memory, not the distance that the consumer may fall behind:
   * the store's `history` bounds that.
   * @default {128}
   */
  bufferSize?: number;
  /**
   * Whether to emit bookmarks: when a replay is complete, when a resumed watch
   * has caught up with the moment of the call, and now and then while only
   * other kinds change. Save the cursor of each bookmark, so that the saved
   * cursor stays within the change log.
   * @default {false}
   */
  bookmarks?: boolean;
  /**
   * Whether the stream keeps the process running while somebody reads it, as a
   * timer does. If it does not, the writes of other processes may reach it
   * later.
   * @default {true}
   */
  persistent?: boolean;
  /**
   * Ends the stream. The stream closes, as it does when its consumer cancels
   * it.
   */
  signal?: AbortSignal;
}

/**
 * A change of an entry, as the change log keeps it.
 *
 * @typeParam T The kind's values.
 * @typeParam Kind The kind.
 */
export type HistoryChange<T = unknown, Kind extends string = string> =
  & WatchEvent<T, Kind>
  & {
    /**
     * The time of the change, by the clock of the writer. Absent if an early
     * version of this package logged the change without its time.
     */
    changedAt?: Date;
  };

/** Options of `history`. */
export interface HistoryOptions extends UnreadableOptions {
  /** Only keys that begin with this string. Not together with a key. */
  prefix?: string;
  /**
   * Only changes after this one: a revision, or a `cursor`. @default {all in
   * the log}
   */
  after?: string | number;
  /** The largest number of changes. @default {Infinity} */
  limit?: number;
  /** From the last change to the first. @default {false} */
  reverse?: boolean;
  /** Cancels the read: the stream errors with `signal.reason`. */
  signal?: AbortSignal;
}
