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
  /** What to start from if there is no value. Without it, the commit rejects with `KeyNotFoundError`. */
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
  /** The entry's version now; of a deletion, 0. */
  version: number;
  /**
   * The revision of the entry's last change: this one, or an earlier one if
   * nothing changed. If there was nothing to delete, the store's latest.
   */
  revision: number;
  /** Of an update: what the function returned, as it was written. */
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
 * or not at all. Built by chaining, run by `commit`, once.
 *
 * @typeParam Kinds The store's kinds and their values.
 */
export interface AtomicOperation<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> {
  /**
   * Adds conditions: all must hold when the operation is committed. A call that
   * throws adds none of them.
   */
  check(...checks: AtomicCheck<KindOf<Kinds>>[]): this;
  /**
   * Adds a write. The value is encoded now, unless its schema is asynchronous.
   * What the codec refuses raises `CodecError`; what the schema refuses is the
   * commit's `ValidationError`.
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: ValueOf<Inputs, Kind>,
    options?: ExpiryOptions,
  ): this;
  /**
   * Adds a write that replaces a value by what a function makes of it, as the
   * store's `update` does. The function sees what the writes before it leave.
   */
  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: ValueOf<Kinds, Kind>) => ValueOf<Inputs, Kind>,
    options?: AtomicUpdateOptions<ValueOf<Kinds, Kind>>,
  ): this;
  /** Adds a deletion; it does nothing if there is no such key. */
  delete(kind: KindOf<Kinds>, key: string): this;
  /**
   * Checks every condition, then does every write in the order it was added,
   * in one transaction. If its signal aborts before it begins, the operation
   * can be committed again; else nothing can be done with it any more.
   */
  commit(options?: OperationOptions): Promise<AtomicResult>;
}
