/**
 * A store as it was at one moment.
 *
 * @module
 */
import type { AnyKinds } from "./kinds.ts";
import type { OperationOptions } from "./operation.ts";
import type { Reads } from "./reads.ts";

/** Options of `snapshot`. */
export interface SnapshotOptions extends OperationOptions {
  /**
   * The revision to read as of: any that the change log reaches. Without it,
   * the newest one. Entries that had expired when that change was made are left
   * out.
   */
  at?: number;
}

/**
 * The reads of a store, all of them as of one moment, also if others write meanwhile.
 *
 * It locks nothing and costs no space: a read undoes the later changes by the
 * change log. It can be read as long as the log reaches its revision. Then
 * a read rejects with `RevisionUnavailableError`. Its memory grows with the
 * number of entries that have changed since, up to the store's `history`.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface Snapshot<Kinds extends object = AnyKinds>
  extends Reads<Kinds>, AsyncDisposable {
  /** The revision that it is of. */
  readonly revision: number;
  /** Ends it: reads reject with `StoreClosedError`. Closing it again does nothing. */
  close(): Promise<void>;
}
