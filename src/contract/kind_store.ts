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
 * The operations of a store on one of its kinds. Each does the same as the one
 * of {@linkcode Store} with this name.
 *
 * @typeParam T The kind's values.
 * @typeParam Input The values to write. They differ from `T` if the kind's
 * schema converts them.
 */
export interface KindStore<T = unknown, Input = T> {
  /** The kind. */
  readonly kind: string;
  /**
   * The value, or `undefined` if there is no entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * assertEquals(await users.get("al"), "Alice");
   * ```
   */
  get(key: string, options?: OperationOptions): Promise<T | undefined>;
  /**
   * The value with its version, revision and times, or `undefined` if there is
   * no entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * assertEquals((await users.entry("al"))?.version, 1);
   * ```
   */
  entry(key: string, options?: OperationOptions): Promise<Entry<T> | undefined>;
  /**
   * Whether the entry exists. It does not read the value.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * assertEquals(await users.has("al"), false);
   * ```
   */
  has(key: string, options?: OperationOptions): Promise<boolean>;
  /**
   * The values of several keys, by key, as of one moment. A key without an entry
   * is left out.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ al: "Alice", bo: "Bob" });
   * const found = await users.getMany(["bo", "eve"]);
   * assertEquals([...found], [["bo", "Bob"]]);
   * ```
   */
  getMany(
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, T>>;
  /**
   * The values by key, in key order, as of one moment.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ bo: "Bob", al: "Alice" });
   * assertEquals([...await users.list()], [["al", "Alice"], ["bo", "Bob"]]);
   * ```
   */
  list(range?: RangeOptions<T>): Promise<Map<string, T>>;
  /**
   * The keys, in key order, as of one moment.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ bo: "Bob", al: "Alice" });
   * assertEquals(await users.keys({ reverse: true }), ["bo", "al"]);
   * ```
   */
  keys(range?: RangeOptions<T>): Promise<string[]>;
  /**
   * The keys with their values, in key order, as of one moment.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * assertEquals(await users.values(), [{ key: "al", value: "Alice" }]);
   * ```
   */
  values(range?: RangeOptions<T>): Promise<KeyValue<T>[]>;
  /**
   * The number of entries.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ al: "Alice", bo: "Bob" });
   * assertEquals(await users.count(), 2);
   * ```
   */
  count(range?: RangeOptions<T>): Promise<number>;
  /**
   * The entries as a stream, in key order, in constant memory.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ al: "Alice", bo: "Bob" });
   * const entries = await Array.fromAsync(users.entries());
   * assertEquals(entries.map(({ key }) => key), ["al", "bo"]);
   * ```
   */
  entries(range?: RangeOptions<T>): ReadableStream<Entry<T>>;
  /**
   * Writes a value.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * const { status } = await users.set("al", "Alice");
   * assertEquals(status, "created");
   * ```
   */
  set(key: string, value: Input, options?: SetOptions): Promise<SetResult>;
  /**
   * Writes several values, all or nothing.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * const { created } = await users.setAll([["al", "Alice"], ["bo", "Bob"]]);
   * assertEquals(created, 2);
   * ```
   */
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
  /**
   * Replaces a value by the result of a function, atomically.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * const { value } = await users.update("al", (name) => name.toUpperCase());
   * assertEquals(value, "ALICE");
   * ```
   */
  update(
    key: string,
    fn: (value: T) => Input,
    options?: UpdateOptions<T>,
  ): Promise<UpdateResult<T>>;
  /**
   * Deletes an entry, and resolves with it, or with `undefined` if there was no
   * entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * assertEquals((await users.delete("al"))?.value, "Alice");
   * ```
   */
  delete(
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<T> | undefined>;
  /**
   * Deletes all entries, or those of a range of keys, in one transaction.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.setAll({ al: "Alice", bo: "Bob" });
   * assertEquals((await users.deleteAll({ start: "b" })).deleted, 1);
   * ```
   */
  deleteAll(range?: KeyRangeOptions): Promise<DeleteAllResult>;
  /**
   * The changes from now on, as a stream.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * const changes = users.watch();
   * await users.set("al", "Alice");
   * for await (const { type, key } of changes) {
   *   assertEquals([type, key], ["create", "al"]);
   *   break;
   * }
   * ```
   */
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
  /**
   * A map in memory that follows the kind.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * await using mirror = await users.mirror();
   * assertEquals(mirror.get("al"), "Alice");
   * ```
   */
  mirror(options?: MirrorOptions<T>): Promise<Mirror<T>>;
  /**
   * Waits until an entry exists, and a predicate is true for its value.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * const waiting = users.waitFor("al");
   * await users.set("al", "Alice");
   * assertEquals(await waiting, "Alice");
   * ```
   */
  waitFor(
    key: string,
    predicate?: (value: T) => boolean,
    options?: WaitForOptions,
  ): Promise<T>;
  /**
   * The past changes of the kind, or of one key, that the change log holds, as
   * a stream.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * await users.delete("al");
   * const changes = await Array.fromAsync(users.history("al"));
   * assertEquals(changes.map(({ type }) => type), ["create", "delete"]);
   * ```
   */
  history(
    key?: string,
    options?: HistoryOptions,
  ): ReadableStream<HistoryChange<T>>;
}
