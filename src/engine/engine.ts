/**
 * The engine port: a store is built on an engine.
 *
 * A near engine (SQLite, memory) answers at once. A far engine, such as one on
 * a server, answers with a promise. The store does not know which one it has.
 *
 * An engine knows bytes, never values. Codecs, schemas, `equals`, and every
 * error that names a value belong to the store. An engine does not know the
 * order of calls, abort signals or the time limit of a write either. These
 * belong to the queue, which all engines share.
 *
 * The invariants:
 *
 * - The queue calls `write` again only after the last call has settled.
 * - The queue begins a read only after the writes called before it have
 *   settled.
 * - The engine carries out a batch in the order in which it took the writes.
 * - The engine logs each change in the transaction of the change, and the
 *   changes of one transaction become visible together.
 * - No read, check or decision sees an expired entry. The engine removes it
 *   soon, and logs the removal once, even if others remove it, too.
 * - A decision counts only if the entry had the value that the decision saw, at
 *   the write's place in the order. This also holds for a decision that throws.
 * - If the effect of a write is unknown, the outcome is `Unclear`, never an
 *   error of `write`.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import type { ChangeLog } from "./change_log.ts";
import type { Limits } from "./limits.ts";
import type { Batch, EntryName, Outcome } from "./write.ts";
import type { PastView, Snapshot, View } from "./view.ts";

/** The abilities that an engine may lack. */
export interface Capabilities {
  /** Whether `verify` can check the engine's storage. */
  readonly verify: boolean;
}

/**
 * Says why a stored value cannot be read. Returns nothing if it can. The
 * function owns the bytes.
 */
export type Judge = (
  name: EntryName,
  value: Uint8Array,
) => MaybePromise<string | undefined>;

/**
 * The base of a store. As a `View`, each call reads at a moment of its own:
 * that of the newest commit.
 */
export interface Engine extends View {
  readonly limits: Limits;
  readonly capabilities: Capabilities;
  /** Whether `write` always fails. */
  readonly isReadOnly: boolean;
  /**
   * Throws `StoreReadOnlyError` if `isReadOnly`. The message says what to do.
   */
  assertWritable(action: string): void;
  /**
   * Throws `StoreReadOnlyError` if there is no change log, and none can be
   * created.
   */
  assertWatchable(action: string): void;

  /**
   * Carries out writes. It takes the first with `batch.next()`, then as many as
   * fit one transaction and one slice of the event loop.
   *
   * It returns the outcomes of the first writes that it took, in order; at
   * least one if it took any. The queue passes the other writes again, because
   * they were not carried out.
   *
   * It throws or rejects only if it is certain that nothing was written. Then,
   * if the error `isBusy`, the queue waits and retries. Else the queue passes
   * each write again alone. If a write that was alone fails, its caller gets
   * the error.
   */
  write(batch: Batch): MaybePromise<readonly Outcome[]>;

  /**
   * The newest revision, if the engine knows it without waiting; far engines
   * never do. If no write waits, a watch begins there. Else it begins at the
   * revision of a write without changes, which puts it in order with the writes
   * around it.
   */
  headNow(): number | undefined;
  /** The log, for watches. */
  readonly log: ChangeLog;

  /**
   * Reads with several calls at one moment. `read` may wait only for the view
   * and for turns of the event loop, because a near engine reserves its
   * connection for it. The engine may run `read` again.
   */
  together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): MaybePromise<T>;
  /** The entries at this moment. It blocks nobody. */
  openSnapshot(signal?: AbortSignal): MaybePromise<Snapshot>;
  /**
   * The entries as they were at a revision, or as they are now. It leaves out
   * entries that had expired at `time` (ms since 1970). Without `time`, that is
   * the time of the revision's change, or now. Throws `WatchOverflowError` if
   * the log does not reach the revision, backwards or forwards.
   */
  openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): MaybePromise<PastView>;
  /**
   * The faults in the storage, at one moment, found in slices. It is called
   * only if the engine has this capability. The store does not wait for it when
   * it closes: `close` waits until it no longer reads.
   */
  verify(judge: Judge, signal?: AbortSignal): Promise<VerifyFinding[]>;

  /**
   * Whether an error only says that somebody else is in the way at the moment.
   */
  isBusy(error: unknown): boolean;
  /**
   * The error that a caller gets for an error of the engine. Other errors are
   * returned unchanged.
   */
  errorOf(action: string, error: unknown): unknown;
  /**
   * Called once, when nothing runs. Ends the log's waits, and closes all
   * snapshots.
   */
  close(): MaybePromise<void>;
}
