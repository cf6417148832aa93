/**
 * A store's operations on one kind.
 *
 * @module
 */
import type {
  DeleteAllResult,
  DeletedEntry,
  DeleteOptions,
  EntriesInput,
  Entry,
  HistoryChange,
  HistoryOptions,
  KeyRangeOptions,
  KeyValue,
  KindOf,
  KindStore,
  Mirror,
  MirrorOptions,
  OperationOptions,
  RangeOptions,
  SetAllOptions,
  SetAllResult,
  SetOptions,
  SetResult,
  Store,
  UpdateOptions,
  UpdateResult,
  WaitForOptions,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "../contract/mod.ts";

/** Calls the store's operations with the kind. */
export class KindHandle<
  Kinds extends object,
  Inputs extends { [Kind in keyof Kinds]: unknown },
  Kind extends KindOf<Kinds>,
> implements KindStore<Kinds[Kind], Inputs[Kind]> {
  readonly kind: Kind;
  readonly #store: Store<Kinds, Inputs>;

  /** Takes the store, and the kind. */
  constructor(store: Store<Kinds, Inputs>, kind: Kind) {
    this.#store = store;
    this.kind = kind;
  }

  get(
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined> {
    return this.#store.get(this.kind, key, options);
  }

  entry(
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    return this.#store.entry(this.kind, key, options);
  }

  has(key: string, options?: OperationOptions): Promise<boolean> {
    return this.#store.has(this.kind, key, options);
  }

  getMany(
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, Kinds[Kind]>> {
    return this.#store.getMany(this.kind, keys, options);
  }

  list(range?: RangeOptions<Kinds[Kind]>): Promise<Map<string, Kinds[Kind]>> {
    return this.#store.list(this.kind, range);
  }

  keys(range?: RangeOptions<Kinds[Kind]>): Promise<string[]> {
    return this.#store.keys(this.kind, range);
  }

  values(
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<KeyValue<Kinds[Kind]>[]> {
    return this.#store.values(this.kind, range);
  }

  count(range?: RangeOptions<Kinds[Kind]>): Promise<number> {
    return this.#store.count(this.kind, range);
  }

  entries(
    range?: RangeOptions<Kinds[Kind]>,
  ): ReadableStream<Entry<Kinds[Kind]>> {
    return this.#store.entries(this.kind, range);
  }

  set(
    key: string,
    value: Inputs[Kind],
    options?: SetOptions,
  ): Promise<SetResult> {
    return this.#store.set(this.kind, key, value, options);
  }

  setAll(
    entries: EntriesInput<Inputs[Kind]>,
    options?: SetAllOptions,
  ): Promise<SetAllResult> {
    return this.#store.setAll(this.kind, entries, options);
  }

  update(
    key: string,
    fn: (value: Kinds[Kind]) => Inputs[Kind],
    options?: UpdateOptions<Kinds[Kind]>,
  ): Promise<UpdateResult<Kinds[Kind]>> {
    return this.#store.update(this.kind, key, fn, options);
  }

  delete(
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<Kinds[Kind]> | undefined> {
    return this.#store.delete(this.kind, key, options);
  }

  deleteAll(range?: KeyRangeOptions): Promise<DeleteAllResult> {
    return this.#store.deleteAll(this.kind, range);
  }

  watch(
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<Kinds[Kind]>>;
  watch(
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<Kinds[Kind]> | WatchBookmark>;
  watch(
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<Kinds[Kind]> | WatchBookmark> {
    return this.#store.watch(this.kind, options);
  }

  mirror(
    options?: MirrorOptions<Kinds[Kind]>,
  ): Promise<Mirror<Kinds[Kind]>> {
    return this.#store.mirror(this.kind, options);
  }

  waitFor(
    key: string,
    predicate?: (value: Kinds[Kind]) => boolean,
    options?: WaitForOptions,
  ): Promise<Kinds[Kind]> {
    return this.#store.waitFor(this.kind, key, predicate, options);
  }

  history(
    key?: string,
    options?: HistoryOptions,
  ): ReadableStream<HistoryChange<Kinds[Kind]>> {
    return this.#store.history(this.kind, key, options);
  }
}
