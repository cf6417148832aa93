/**
 * What can be read: of a store as it is now, and of a snapshot.
 *
 * @module
 */
import type { Entry, KeyValue, RangeOptions } from "./entry.ts";
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { OperationOptions } from "./operation.ts";
import type { ExportOptions } from "./transfer.ts";

/**
 * The reads of a store, or of a snapshot. An entry that has expired is never
 * read.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface Reads<Kinds extends object = AnyKinds> {
  /** The value, or `undefined` if there is none. */
  get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<ValueOf<Kinds, Kind> | undefined>;

  /** The value with its version, revision and times, or `undefined` if there is none. */
  entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<ValueOf<Kinds, Kind>> | undefined>;

  /** Whether there is such an entry. It reads no value. */
  has(
    kind: KindOf<Kinds>,
    key: string,
    options?: OperationOptions,
  ): Promise<boolean>;

  /**
   * The values of several keys, by key, as of one moment: those that are there,
   * in the order in which the keys were given. A key that is given twice comes
   * once.
   */
  getMany<Kind extends KindOf<Kinds>>(
    kind: Kind,
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, ValueOf<Kinds, Kind>>>;

  /** The values by key, in key order, as of one moment. For a large kind prefer `entries`. */
  list<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<Map<string, ValueOf<Kinds, Kind>>>;

  /** The keys, in key order, as of one moment. */
  keys<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<string[]>;

  /** The keys with their values, in key order, as of one moment. */
  values<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<KeyValue<ValueOf<Kinds, Kind>>[]>;

  /** How many entries there are. */
  count<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<number>;

  /**
   * The entries as a stream, in key order, in constant memory, read a page at
   * a time: at most 256 entries, and 1 MiB of stored values. Each page is as of
   * one moment; an entry that changes meanwhile comes once, as it is when the
   * stream reaches it. When the signal aborts the stream errors with
   * `signal.reason`.
   */
  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): ReadableStream<Entry<ValueOf<Kinds, Kind>>>;

  /**
   * The kinds that have entries, in order. It gives those that the type does
   * not name, too.
   *
   * @typeParam Kind The kinds that are expected: those of the store.
   */
  kinds<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Kind[]>;

  /**
   * Everything, by kind, then by key, as of one moment. It gives the entries of
   * kinds that the type does not name, too.
   *
   * @typeParam Kind The kinds that are expected: those of the store.
   */
  getAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Map<Kind, Map<string, ValueOf<Kinds, Kind>>>>;

  /**
   * The entries as NDJSON, a line for each, by kind and key; every chunk ends
   * with the end of a line. It is of one moment, that of the first read,
   * also if others write meanwhile, and takes constant memory.
   *
   * A line is an object with `kind`, `key`, `value`, `version`, `updatedAt`, and
   * `expiresAt` if the entry expires. If JSON has no form for the value from
   * which its codec makes the same bytes again, `codec` (its name) and `bytes`
   * (in base64) stand for `value`.
   *
   * The store keeps that moment until the stream ends or is cancelled. That may
   * cost space, or keep writers waiting: see the store that you open. When the
   * signal aborts the stream errors with `signal.reason`, and when the store
   * closes, with `StoreClosedError`: at once, whether it is read or not.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const text = await new Response(store.export({ times: false })).text();
   * assertEquals(
   *   text,
   *   '{"kind":"users","key":"alice","value":{"name":"Alice"},"version":1}\n',
   * );
   * ```
   */
  export(
    options?: ExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>>;
}
