/**
 * Entries, and the options that choose entries to read.
 *
 * @module
 */
import type { CodecError, ValidationError } from "./errors.ts";
import type { OperationOptions } from "./operation.ts";

/** A stored value, with its key, version, revision and times. */
export interface Entry<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
  /**
   * The number of changes of the entry: 1 when it is created, then 1 more with
   * each change.
   */
  version: number;
  /**
   * The revision of its last change. An entry that is deleted and created again
   * never has the revision of the old one.
   */
  revision: number;
  /**
   * The time of the last change, in ms precision, by the clock of the writer,
   * or of the server that keeps the store.
   */
  updatedAt: Date;
  /**
   * The time at which the entry expires: from this ms on, it is gone. Absent if
   * it does not expire.
   */
  expiresAt?: Date;
}

/** A key and its value. */
export interface KeyValue<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
}

/** Options that choose keys. All conditions must hold. */
export interface KeyRangeOptions extends OperationOptions {
  /** Only keys that begin with this string. */
  prefix?: string;
  /** The first key, inclusive. Not together with `startAfter`. */
  start?: string;
  /**
   * Only keys after this one. For the next page, pass the last key of the page
   * before. Not together with `start`. In reverse order, use `end` instead.
   */
  startAfter?: string;
  /** The end of the keys, exclusive. It must not be before `start`. */
  end?: string;
}

/** The option for stored values that cannot be read. */
export interface UnreadableOptions {
  /**
   * Called for each value that the codec cannot decode, or that the schema
   * refuses if reads are checked. The error has the kind and the key; a
   * `CodecError` has the revision, too. The read leaves the value out, and goes
   * on. In a read without `where`, the value counts for `limit`. Without this
   * function, the read fails. If the function throws, the read fails with its
   * error. It must be synchronous: if it returns a promise, the read fails with
   * a `TypeError`.
   */
  onUnreadable?: (error: CodecError | ValidationError) => void;
}

/**
 * Options that choose the entries of a kind, and their order. All conditions
 * must hold.
 *
 * @typeParam T The kind's values.
 */
export interface RangeOptions<T = unknown>
  extends KeyRangeOptions, UnreadableOptions {
  /**
   * The largest number of entries, 0 or more, counted after `where`. Without
   * `where`, an entry that cannot be read counts, too.
   * @default {Infinity}
   */
  limit?: number;
  /** From the last key to the first. @default {false} */
  reverse?: boolean;
  /**
   * Only entries for which this returns true. The read decodes every value in
   * the range. The function must be synchronous, and return a boolean; else the
   * read fails with a `TypeError`. It may run twice for an entry, if the read
   * has to begin again.
   */
  where?: (key: string, value: T) => boolean;
}
