/**
 * What is read: entries, and ranges of them.
 *
 * @module
 */
import type { CodecError, ValidationError } from "./errors.ts";
import type { OperationOptions } from "./operation.ts";

/** A stored value and what the store knows of it. */
export interface Entry<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
  /** 1 when the entry was created, 1 more with each change. */
  version: number;
  /**
   * The revision of its last change. An entry that is deleted and created again
   * never has the revision of the old one.
   */
  revision: number;
  /**
   * When the entry was last changed, to the millisecond, by the clock of the
   * writer, or of the server that keeps the store.
   */
  updatedAt: Date;
  /** When the entry expires: from this millisecond on it is gone. Absent if it does not expire. */
  expiresAt?: Date;
}

/** A key and its value. */
export interface KeyValue<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
}

/** Which keys. All conditions must hold. */
export interface KeyRangeOptions extends OperationOptions {
  /** Only keys that begin with this string. */
  prefix?: string;
  /** The first key, inclusive. Not together with `startAfter`. */
  start?: string;
  /**
   * Only keys after this one: the last key of the page before. Not together with
   * `start`. If pages go from the last key to the first, use `end`.
   */
  startAfter?: string;
  /** The end of the keys, exclusive; not before `start`. */
  end?: string;
}

/** What to do with stored values that cannot be read. */
export interface UnreadableOptions {
  /**
   * Called for each value that the codec cannot decode, or that the schema
   * refuses if reads are checked. The error tells kind and key, a `CodecError`
   * also the revision. The value is left out, and the read goes on; in a read
   * without `where` it counts for the `limit`. Without this function, the read
   * fails. If the function throws, so does the read. It is synchronous: a
   * promise that it returns is a `TypeError`.
   */
  onUnreadable?: (error: CodecError | ValidationError) => void;
}

/**
 * Which entries of a kind, and in which order. All conditions must hold.
 *
 * @typeParam T The kind's values.
 */
export interface RangeOptions<T = unknown>
  extends KeyRangeOptions, UnreadableOptions {
  /**
   * At most so many entries, counted after `where`; 0 or more. Without `where`,
   * an entry that cannot be read counts, too.
   * @default {Infinity}
   */
  limit?: number;
  /** From the last key to the first. @default {false} */
  reverse?: boolean;
  /**
   * Only entries for which this returns true. It decodes every value in the
   * range. It is synchronous, and a `TypeError` unless it returns a boolean. It
   * runs again for an entry if the read had to begin again.
   */
  where?: (key: string, value: T) => boolean;
}
