/**
 * Writes to several keys and kinds, which take effect together or not at all.
 *
 * @module
 */
import type { VersionConflictError } from "./errors.ts";
import type { AnyKinds, KindOf } from "./kinds.ts";
import type { OperationOptions } from "./operation.ts";

/** A condition of an atomic operation. */
export interface AtomicCheck<Kind extends string = string> {
  /** The entry's kind. */
  kind: Kind;
  /** The entry's key. */
  key: string;
  /** The version that the entry must have; 0 for "must not exist". */
  version: number;
}

/** What an atomic operation's `commit` did. */
export type AtomicResult =
  | {
    /** Every check held, and everything was written. */
    ok: true;
    /** The revision of the last change; where nothing changed, the store's latest. */
    revision: number;
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
    value: Inputs[Kind],
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
