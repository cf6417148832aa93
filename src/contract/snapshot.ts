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
   * The revision to read: any that the change log reaches. Entries that had
   * expired when that change was made are left out.
   * @default {the newest}
   */
  at?: number;
}

/**
 * The reads of a store, all as of one moment, also if others write meanwhile.
 *
 * A snapshot holds no lock and takes no disk space: a read undoes the later
 * changes with the help of the change log. When the log no longer reaches the
 * snapshot's revision, a read rejects with `RevisionUnavailableError`. The
 * snapshot's memory grows with the number of entries that have changed since,
 * up to the store's `history`.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface Snapshot<Kinds extends object = AnyKinds>
  extends Reads<Kinds>, AsyncDisposable {
  /** The revision that the snapshot shows. */
  readonly revision: number;
  /**
   * Ends the snapshot: reads reject with `StoreClosedError`. A second call does
   * nothing. `await using` calls it for you.
   *
   * @example
   * ```ts
   * import { openStore, StoreClosedError } from "@zestor/store";
   * import { assertRejects } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const snapshot = await store.snapshot();
   * await snapshot.close();
   * await assertRejects(() => snapshot.keys("users"), StoreClosedError);
   * ```
   */
  close(): Promise<void>;
}
