/**
 * A store's operations on one of its kinds.
 *
 * @module
 */
import type {
  Entry,
  KeyRangeOptions,
  KeyValue,
  RangeOptions,
} from "./entry.ts";
import type { Mirror, MirrorOptions, WaitForOptions } from "./mirror.ts";
import type { OperationOptions } from "./operation.ts";
import type {
  HistoryChange,
  HistoryOptions,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "./watch.ts";
import type {
  DeleteAllResult,
  DeletedEntry,
  DeleteOptions,
  EntriesInput,
  SetAllOptions,
  SetAllResult,
  SetOptions,
  SetResult,
  UpdateOptions,
  UpdateResult,
} from "./write.ts";

/**
 * The operations of a store on one of its kinds. Each is that of
 * {@linkcode Store}.
 *
 * @typeParam T The kind's values.
 * @typeParam Input What may be written.
 */
export interface KindStore<T = unknown, Input = T> {
  /** The kind. */
  readonly kind: string;
  /** The value, or `undefined` if there is none. */
  get(key: string, options?: OperationOptions): Promise<T | undefined>;
  /** The value with its version, revision and times, or `undefined` if there is none. */
  entry(key: string, options?: OperationOptions): Promise<Entry<T> | undefined>;
  /** Whether there is such an entry. It reads no value. */
  has(key: string, options?: OperationOptions): Promise<boolean>;
  /** The values of several keys, by key, as of one moment: those that are there. */
  getMany(
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, T>>;
  /** The values by key, in key order, as of one moment. */
  list(range?: RangeOptions<T>): Promise<Map<string, T>>;
  /** The keys, in key order, as of one moment. */
  keys(range?: RangeOptions<T>): Promise<string[]>;
  /** The keys with their values, in key order, as of one moment. */
  values(range?: RangeOptions<T>): Promise<KeyValue<T>[]>;
  /** How many entries there are. */
  count(range?: RangeOptions<T>): Promise<number>;
  /** The entries as a stream, in key order, in constant memory. */
  entries(range?: RangeOptions<T>): ReadableStream<Entry<T>>;
  /** Writes a value. */
  set(key: string, value: Input, options?: SetOptions): Promise<SetResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: Iterable<readonly [key: string, value: Input]>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing: an object's own properties. */
  setAll(
    entries: Readonly<Record<string, Input>>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: EntriesInput<Input>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Replaces a value by what a function makes of it, atomically. */
  update(
    key: string,
    fn: (value: T) => Input,
    options?: UpdateOptions<T>,
  ): Promise<UpdateResult<T>>;
  /** Deletes an entry, and gives what it was. */
  delete(
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<T> | undefined>;
  /** Deletes all entries, or those of a range of keys, in one transaction. */
  deleteAll(range?: KeyRangeOptions): Promise<DeleteAllResult>;
  /** The changes from now on, as a stream. */
  watch(
    options: WatchOptions & { bookmarks: true },
  ): ReadableStream<WatchEvent<T> | WatchBookmark>;
  /** The changes from now on, as a stream. */
  watch(
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<T>>;
  /** The changes from now on, as a stream. */
  watch(
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<T> | WatchBookmark>;
  /** A map in memory that follows the kind. */
  mirror(options?: MirrorOptions<T>): Promise<Mirror<T>>;
  /** Waits until an entry is there, and a predicate is true for its value. */
  waitFor(
    key: string,
    predicate?: (value: T) => boolean,
    options?: WaitForOptions,
  ): Promise<T>;
  /** The changes, or those of a key, that are in the change log, as a stream. */
  history(
    key?: string,
    options?: HistoryOptions,
  ): ReadableStream<HistoryChange<T>>;
}
