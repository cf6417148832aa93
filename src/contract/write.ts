/**
 * The writes of one kind: their options, and their results.
 *
 * @module
 */
import type { OperationOptions } from "./operation.ts";

/** Options of `set`, and of `delete`. */
export interface WriteOptions extends OperationOptions {
  /**
   * Write only if the entry has this version now, 0 for "does not exist".
   * Else the write is refused with `VersionConflictError`.
   */
  ifVersion?: number;
}

/**
 * Options of `update`.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateOptions<T = unknown> extends OperationOptions {
  /** What to start from if there is no value. Without it, that is a `KeyNotFoundError`. */
  initial?: T;
}

/** What a write did to its entry. */
export type SetStatus = "created" | "updated" | "unchanged";

/** What `set` did. */
export interface SetResult {
  /** `"unchanged"`: the value was there already, and nothing was written. */
  status: SetStatus;
  /** The entry's version now. */
  version: number;
  /** The revision of this change; where nothing changed, the store's latest. */
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
  /** Entries whose value changed. */
  updated: number;
  /** Entries whose value was there already. */
  unchanged: number;
}

/**
 * What `setAll` takes: a `Map` or another iterable of pairs, or an object.
 *
 * @typeParam T The kind's values.
 */
export type EntriesInput<T> =
  | Iterable<readonly [key: string, value: T]>
  | Readonly<Record<string, T>>;
