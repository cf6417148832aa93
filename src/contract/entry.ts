/**
 * What is read: entries, and ranges of them.
 *
 * @module
 */
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
   * When the entry was last changed, to the millisecond, by the clock of the
   * writer, or of the server that keeps the store.
   */
  updatedAt: Date;
}

/** A key and its value. */
export interface KeyValue<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
}

/**
 * Which entries of a kind, and in which order. All conditions must hold.
 *
 * @typeParam T The kind's values.
 */
export interface RangeOptions<T = unknown> extends OperationOptions {
  /** Only keys that begin with this string. */
  prefix?: string;
  /** The first key, inclusive. */
  start?: string;
  /** The end of the keys, exclusive; not before `start`. */
  end?: string;
  /** At most so many entries, counted after `where`; 0 or more. @default {Infinity} */
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
