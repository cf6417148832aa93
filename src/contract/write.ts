/**
 * The writes of one kind: their options, and their results.
 *
 * @module
 */
import type { Entry } from "./entry.ts";
import type { OperationOptions } from "./operation.ts";

/** A condition on the entry to write. Give one at most. */
export interface WriteCondition {
  /**
   * Write only if the entry has this version now, 0 for "does not exist".
   * Else the write is refused with `VersionConflictError`.
   */
  ifVersion?: number;
  /**
   * Write only if the entry's last change has this revision, 0 for "does not
   * exist". Else the write is refused with `VersionConflictError`. An entry that
   * was deleted and created again has another revision, but may have the same
   * version.
   */
  ifRevision?: number;
}

/** How long what is written lasts. */
export interface ExpiryOptions {
  /**
   * How long the entry lasts, in ms from the call on, more than 0. Then it is
   * gone for every read at once, and its `delete` event follows. Without it, the
   * entry does not expire.
   */
  expireIn?: number;
}

/** Options of `delete`. */
export interface DeleteOptions extends OperationOptions, WriteCondition {}

/** Options of `set`. */
export interface SetOptions
  extends OperationOptions, WriteCondition, ExpiryOptions {}

/** Options of `setAll`. */
export interface SetAllOptions extends OperationOptions, ExpiryOptions {}

/**
 * Options of `update`.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateOptions<T = unknown>
  extends OperationOptions, WriteCondition {
  /** What to start from if there is no value. Without it, the call rejects with `KeyNotFoundError`. */
  initial?: T;
  /**
   * How long the entry lasts, in ms from the call on, more than 0. Without it
   * the entry expires when it did before, if at all.
   */
  expireIn?: number;
}

/** What a write did to its entry. */
export type SetStatus = "created" | "updated" | "unchanged";

/** What `set` did. */
export interface SetResult {
  /** `"unchanged"`: the value was there already, and nothing was written. */
  status: SetStatus;
  /** The entry's version now. */
  version: number;
  /** The revision of the entry's last change: this one, or an earlier one if nothing changed. */
  revision: number;
}

/**
 * What `update` did.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateResult<T = unknown> extends SetResult {
  /** What the function returned, as it was written. */
  value: T;
}

/** What `setAll` did: how many entries of each status. */
export interface SetAllResult {
  /** Entries that were not there before. */
  created: number;
  /** Entries whose value or expiry changed. */
  updated: number;
  /** Entries whose value was there already. */
  unchanged: number;
  /** The revision of the last change; if nothing changed, the store's latest. */
  revision: number;
}

/**
 * An entry that `delete` removed, as it was.
 *
 * @typeParam T The kind's values.
 */
export interface DeletedEntry<T = unknown> extends Entry<T> {
  /** The revision of the deletion. */
  deleteRevision: number;
}

/** What `deleteAll` did. */
export interface DeleteAllResult {
  /** How many entries were deleted. */
  deleted: number;
  /** The revision of the last deletion; if there was none, the store's latest. */
  revision: number;
}

/**
 * What `setAll` takes: a `Map` or another iterable of pairs, or an object.
 *
 * @typeParam T The kind's values.
 */
export type EntriesInput<T> =
  | Iterable<readonly [key: string, value: T]>
  | Readonly<Record<string, T>>;
