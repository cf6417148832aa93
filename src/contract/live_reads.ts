/**
 * Reads that follow what is read.
 *
 * @module
 */
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { Mirror, MirrorOptions, WaitForOptions } from "./mirror.ts";

/**
 * The reads of a store that go on, as the store changes.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface LiveReads<Kinds extends object = AnyKinds> {
  /**
   * A map in memory that follows a kind, or a part of it. It is complete when
   * the promise resolves, and holds every write that was called before.
   *
   * It keeps the process running, unless it is not `persistent`. Close it, or
   * open it by `await using`.
   *
   * @throws {WatchOverflowError} If the change log is pruned faster than the
   * entries are read, ten times.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: { age: number } }>({
   *   path: ":memory:",
   * });
   * await store.setAll("users", { al: { age: 30 }, bo: { age: 8 } });
   *
   * await using adults = await store.mirror("users", {
   *   where: (_key, user) => user.age >= 18,
   *   sortBy: (_key, user) => user.age,
   * });
   * assertEquals([...adults.keys()], ["al"]);
   *
   * const changes = adults.changes().getReader();
   * await store.set("users", "bo", { age: 18 });
   * const { value: change } = await changes.read();
   * assertEquals(change?.patches, [
   *   { type: "entered", key: "bo", value: { age: 18 } },
   * ]);
   * assertEquals([...adults.keys()], ["bo", "al"]);
   * ```
   */
  mirror<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: MirrorOptions<ValueOf<Kinds, Kind>>,
  ): Promise<Mirror<ValueOf<Kinds, Kind>>>;

  /**
   * Waits until an entry is there, and until a predicate is true for its value;
   * resolves with the value, at once if that is so already. If the value is
   * replaced quickly, the predicate may miss it.
   *
   * The predicate is synchronous, and a `TypeError` unless it returns a boolean.
   *
   * @throws {StoreClosedError} If the store closes meanwhile.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ jobs: { done: boolean } }>({
   *   path: ":memory:",
   * });
   * const waiting = store.waitFor("jobs", "j1", (job) => job.done, {
   *   signal: AbortSignal.timeout(10_000),
   * });
   * await store.set("jobs", "j1", { done: false });
   * await store.set("jobs", "j1", { done: true });
   * assertEquals(await waiting, { done: true });
   * ```
   */
  waitFor<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    predicate?: (value: ValueOf<Kinds, Kind>) => boolean,
    options?: WaitForOptions,
  ): Promise<ValueOf<Kinds, Kind>>;
}
