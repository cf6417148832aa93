/**
 * Reads that go on while the store changes.
 *
 * @module
 */
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { Mirror, MirrorOptions, WaitForOptions } from "./mirror.ts";

/**
 * The reads of a store that go on while the store changes.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface LiveReads<Kinds extends object = AnyKinds> {
  /**
   * A map in memory that follows a kind, or a part of it. When the promise
   * resolves, the map is complete, and has every write that was called before.
   *
   * The mirror keeps the process running, unless `persistent` is `false`. Close
   * it, or open it with `await using`.
   *
   * @throws {WatchOverflowError} If the store prunes the change log faster than
   * it can read the entries, ten times in a row.
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
   * Waits until an entry exists, and a predicate is true for its value. It
   * resolves with the value, and does so at once if both hold already. The
   * predicate may miss a value that is replaced quickly.
   *
   * The predicate must be synchronous, and return a boolean; else the call
   * rejects with a `TypeError`.
   *
   * @throws {StoreClosedError} If the store closes before.
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
