/**
 * Writes to several keys and kinds, which take effect together or not at all.
 *
 * @module
 */
import type { VersionConflictError } from "./errors.ts";
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { OperationOptions } from "./operation.ts";
import type { ExpiryOptions, SetStatus } from "./write.ts";

/** A condition on an entry: one of `version`, `revision` and `exists`. */
export type AtomicCondition =
  | {
    /** The version that the entry must have; 0 for "must not exist". */
    version: number;
    revision?: undefined;
    exists?: undefined;
  }
  | {
    /** The revision that the entry's last change must have; 0 for "must not exist". */
    revision: number;
    version?: undefined;
    exists?: undefined;
  }
  | {
    /** `true`: the entry must exist. `false`: it must not. */
    exists: boolean;
    version?: undefined;
    revision?: undefined;
  };

/** A condition of an atomic operation. */
export type AtomicCheck<Kind extends string = string> = AtomicCondition & {
  /** The entry's kind. */
  kind: Kind;
  /** The entry's key. */
  key: string;
};

/** Options of an atomic operation's `update`. */
export interface AtomicUpdateOptions<T = unknown> extends ExpiryOptions {
  /** The value to start from if there is no entry. Without it, the commit rejects with `KeyNotFoundError`. */
  initial?: T;
  /**
   * How long the entry lasts, in ms from the call on, more than 0. Without it
   * the entry expires when it did before, if at all.
   */
  expireIn?: number;
}

/** What one write of an atomic operation did. */
export interface AtomicWriteResult {
  /** `"unchanged"`: the value was there already, or there was nothing to delete. */
  status: SetStatus | "deleted";
  /** The entry's version now; 0 if the entry was deleted. */
  version: number;
  /**
   * The revision of the entry's last change: this one, or an earlier one if
   * nothing changed. If there was nothing to delete, the store's latest.
   */
  revision: number;
  /** For an update: the function's result, as it was written. */
  value?: unknown;
}

/** What an atomic operation's `commit` did. */
export type AtomicResult =
  | {
    /** Every check held, and everything was written. */
    ok: true;
    /** The revision of the last change; if nothing changed, the store's latest. */
    revision: number;
    /** What each write did, in the order in which they were added. */
    results: AtomicWriteResult[];
  }
  | {
    /** A check failed, and nothing was written. */
    ok: false;
    /** The first check that failed. */
    conflict: VersionConflictError;
  };

/**
 * Several writes, to several keys of several kinds, that take effect together
 * or not at all. Chain calls to build it, then call `commit` once.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values to write.
 */
export interface AtomicOperation<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> {
  /**
   * Adds conditions: all must hold when the operation is committed. If the call
   * throws, it has added none of them.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * const result = await store.atomic()
   *   .check({ kind: "stock", key: "tea", version: 2 })
   *   .set("stock", "tea", 4)
   *   .commit();
   * assertEquals(result.ok, false); // The version is 1, so nothing was written.
   * ```
   */
  check(...checks: AtomicCheck<KindOf<Kinds>>[]): this;
  /**
   * Adds a write. It encodes the value now, unless its schema is asynchronous. If
   * the codec refuses the value, the call throws `CodecError`. If the schema
   * refuses it, `commit` rejects with `ValidationError`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * await store.atomic().set("stock", "tea", 4).set("stock", "mate", 9).commit();
   * assertEquals([...await store.list("stock")], [["mate", 9], ["tea", 4]]);
   * ```
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: ValueOf<Inputs, Kind>,
    options?: ExpiryOptions,
  ): this;
  /**
   * Adds a write that replaces a value by the result of a function, as the
   * store's `update` does. The function gets the value as the operation's earlier
   * writes have left it.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * await store.atomic()
   *   .update("stock", "tea", (n) => n - 1)
   *   .update("stock", "mate", (n) => n + 1, { initial: 0 })
   *   .commit();
   * assertEquals([...await store.list("stock")], [["mate", 1], ["tea", 4]]);
   * ```
   */
  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: ValueOf<Kinds, Kind>) => ValueOf<Inputs, Kind>,
    options?: AtomicUpdateOptions<ValueOf<Kinds, Kind>>,
  ): this;
  /**
   * Adds a deletion. It does nothing if there is no entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * await store.atomic().delete("stock", "tea").delete("stock", "mate").commit();
   * assertEquals(await store.count("stock"), 0);
   * ```
   */
  delete(kind: KindOf<Kinds>, key: string): this;
  /**
   * Checks all conditions, then does the writes in the order in which they were
   * added, in one transaction. After that, the operation cannot be used again.
   * Only if the signal aborts before the commit begins can you call `commit`
   * again.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
   * await store.set("stock", "tea", 5);
   *
   * const result = await store.atomic()
   *   .check({ kind: "stock", key: "tea", exists: true })
   *   .set("stock", "tea", 4)
   *   .commit();
   * if (!result.ok) throw result.conflict;
   * assertEquals(result.results, [{ status: "updated", version: 2, revision: 2 }]);
   * ```
   */
  commit(options?: OperationOptions): Promise<AtomicResult>;
}
