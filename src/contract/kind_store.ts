/**
 * A store's operations on one of its kinds.
 *
 * @module
 */
import type { Entry, KeyValue, RangeOptions } from "./entry.ts";
import type { OperationOptions } from "./operation.ts";
import type { WatchBookmark, WatchEvent, WatchOptions } from "./watch.ts";
import type {
  EntriesInput,
  SetAllResult,
  SetResult,
  UpdateOptions,
  UpdateResult,
  WriteOptions,
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
  /** The value with its version and time, or `undefined` if there is none. */
  entry(key: string, options?: OperationOptions): Promise<Entry<T> | undefined>;
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
  set(key: string, value: Input, options?: WriteOptions): Promise<SetResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: Iterable<readonly [key: string, value: Input]>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing: an object's own properties. */
  setAll(
    entries: Readonly<Record<string, Input>>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: EntriesInput<Input>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Replaces a value by what a function makes of it, atomically. */
  update(
    key: string,
    fn: (value: T) => Input,
    options?: UpdateOptions<T>,
  ): Promise<UpdateResult<T>>;
  /** Deletes an entry, and gives what it was. */
  delete(key: string, options?: WriteOptions): Promise<Entry<T> | undefined>;
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
}
