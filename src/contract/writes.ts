/**
 * The writes of a store, one key or several at a time.
 *
 * @module
 */
import type { AtomicOperation } from "./atomic.ts";
import type { KeyRangeOptions } from "./entry.ts";
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
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
 * The writes of a store.
 *
 * Each rejects with `ValidationError` if the kind's schema refuses a value, and
 * with `CodecError` if the kind's codec cannot encode it. Then nothing is
 * written.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values to write. It
 * differs from `Kinds` if a schema converts values.
 */
export interface Writes<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> {
  /**
   * Writes a value. The store encodes it before the call returns, unless its
   * schema is asynchronous.
   *
   * @throws {VersionConflictError} If the entry does not meet the condition.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const created = await store.set("users", "alice", { name: "Alice" });
   * assertEquals(created, { status: "created", version: 1, revision: 1 });
   *
   * // Writes only if nobody has changed the entry since.
   * await store.set("users", "alice", { name: "Alicia" }, {
   *   ifRevision: created.revision,
   * });
   * ```
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: ValueOf<Inputs, Kind>,
    options?: SetOptions,
  ): Promise<SetResult>;

  /**
   * Writes several values of a kind, all or nothing. It takes a `Map`, or any
   * iterable of pairs. If a key comes twice, the last value counts. Keys that
   * are not given stay as they are. Events come in key order.
   *
   * The call reads the first few thousand entries at once, and the others after
   * it has returned. So do not change `entries` until the promise settles. If
   * the promise rejects, the store has ended the iteration of `entries`, as
   * `break` ends a loop.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * const result = await store.setAll("stock", new Map([["tea", 4], ["mate", 9]]));
   * assertEquals(result, { created: 1, updated: 1, unchanged: 0, revision: 3 });
   * ```
   */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: Iterable<readonly [key: string, value: ValueOf<Inputs, Kind>]>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing: an object's own properties. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: Readonly<Record<string, ValueOf<Inputs, Kind>>>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<ValueOf<Inputs, Kind>>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;

  /**
   * Replaces a value by the result of a function, atomically.
   *
   * The function runs inside the transaction. So it is synchronous, and must
   * not use the store. It may run again if its transaction could not be
   * committed. If it throws, the call rejects with that error, and nothing is
   * written. The kind's schema has to be synchronous, too.
   *
   * The entry keeps its expiry, unless `expireIn` gives another.
   *
   * @throws {VersionConflictError} If the entry does not meet the condition.
   * @throws {KeyNotFoundError} If there is no entry, and no `initial`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ hits: number }>({ path: ":memory:" });
   * const count = (n: number) => n + 1;
   * await store.update("hits", "home", count, { initial: 0 });
   *
   * const { value } = await store.update("hits", "home", count);
   * assertEquals(value, 2);
   * ```
   */
  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: ValueOf<Kinds, Kind>) => ValueOf<Inputs, Kind>,
    options?: UpdateOptions<ValueOf<Kinds, Kind>>,
  ): Promise<UpdateResult<ValueOf<Kinds, Kind>>>;

  /**
   * Deletes an entry. It resolves with the deleted entry, or with `undefined` if
   * there was no entry.
   *
   * If the codec cannot decode the value, it rejects with `CodecError`, and the
   * entry stays. `deleteAll` and an atomic operation delete without reading.
   *
   * @throws {VersionConflictError} If the entry does not meet the condition.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const deleted = await store.delete("users", "alice");
   * assertEquals(deleted?.value, { name: "Alice" });
   * assertEquals(await store.delete("users", "alice"), undefined);
   * ```
   */
  delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<ValueOf<Kinds, Kind>> | undefined>;

  /**
   * Deletes all entries of a kind, or those of a range of keys, in one
   * transaction. Each gives a `delete` event, in key order.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("sessions", { "al/1": 1, "al/2": 2, "bo/1": 3 });
   *
   * const { deleted } = await store.deleteAll("sessions", { prefix: "al/" });
   * assertEquals(deleted, 2);
   * ```
   */
  deleteAll(
    kind: KindOf<Kinds>,
    range?: KeyRangeOptions,
  ): Promise<DeleteAllResult>;

  /**
   * Begins an operation on several keys and kinds.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number; orders: string }>({
   *   path: ":memory:",
   * });
   * await store.set("stock", "tea", 5);
   *
   * const result = await store.atomic()
   *   .check({ kind: "orders", key: "1", exists: false })
   *   .update("stock", "tea", (n) => n - 1)
   *   .set("orders", "1", "tea")
   *   .commit();
   * assertEquals(result.ok && result.results[0].value, 4);
   * ```
   */
  atomic(): AtomicOperation<Kinds, Inputs>;
}
