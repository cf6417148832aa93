/**
 * Options and results of writes.
 *
 * @module
 */
import type { Entry } from "./entry.ts";
import type { OperationOptions } from "./operation.ts";

/** A condition on the entry. Give at most one. */
export interface WriteCondition {
  /**
   * Write only if the entry has this version now; 0 means "does not exist".
   * Else the write rejects with `VersionConflictError`.
   */
  ifVersion?: number;
  /**
   * Write only if the entry's last change has this revision; 0 means "does not
   * exist". Else the write rejects with `VersionConflictError`. If an entry was
   * deleted and created again, it may have the same version as before, but
   * never the same revision.
   */
  ifRevision?: number;
}

/** The lifetime of an entry. */
export interface ExpiryOptions {
  /**
   * How long the entry lasts, in ms from the call on; more than 0. Then the
   * entry is gone for every read at once, and its `delete` event follows.
   * Without it, the entry does not expire.
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
  /**
   * The value to start from if there is no entry. Without it, the call rejects
   * with `KeyNotFoundError`.
   */
  initial?: T;
  /**
   * How long the entry lasts, in ms from the call on; more than 0. Without it,
   * the entry keeps its expiry, if it has one.
   */
  expireIn?: number;
}

/** The effect of a write on its entry. */
export type SetStatus = "created" | "updated" | "unchanged";

/** The result of `set`. */
export interface SetResult {
  /**
   * `"unchanged"`: the entry had this value already, and nothing was written.
   */
  status: SetStatus;
  /** The entry's version now. */
  version: number;
  /**
   * The revision of the entry's last change. If nothing changed, it is that of
   * an earlier change.
   */
  revision: number;
}

/**
 * The result of `update`.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateResult<T = unknown> extends SetResult {
  /** The function's result, as it was written. */
  value: T;
}

/** The result of `setAll`: the number of entries of each status. */
export interface SetAllResult {
  /** Entries that were created. */
  created: number;
  /** Entries whose value or expiry changed. */
  updated: number;
  /** Entries that had the value already. */
  unchanged: number;
  /**
   * The revision of the last change. If nothing changed, the store's newest
   * revision.
   */
  revision: number;
}

/**
 * An entry that `delete` removed.
 *
 * @typeParam T The kind's values.
 */
export interface DeletedEntry<T = unknown> extends Entry<T> {
  /** The revision of the deletion. */
  deleteRevision: number;
}

/** The result of `deleteAll`. */
export interface DeleteAllResult {
  /** The number of deleted entries. */
  deleted: number;
  /**
   * The revision of the last deletion. If nothing was deleted, the store's
   * newest revision.
   */
  revision: number;
}

/**
 * The values for `setAll`: a `Map` or another iterable of pairs, or an object.
 *
 * @typeParam T The kind's values.
 */
export type EntriesInput<T> =
  | Iterable<readonly [key: string, value: T]>
  | Readonly<Record<string, T>>;
