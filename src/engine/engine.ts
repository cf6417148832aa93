/**
 * The engine port: what a store is built on.
 *
 * A near engine (SQLite, memory) answers at once. A far engine, such as
 * a server's, answers with a promise. The store does not know which one it has.
 *
 * An engine knows bytes, never values: codecs, schemas, `equals` and every error
 * that names a value belong to the store. It does not know the order of calls,
 * abort signals or the patience of a write either: they belong to the queue,
 * which is one for all engines.
 *
 * The invariants, by who keeps them:
 *
 * - The queue calls `write` again only after the last call has settled.
 * - The queue begins a read only after the writes called before it have settled.
 * - The engine carries a batch out in the order in which it took the writes.
 * - The engine logs each change in the transaction that makes it, and the
 *   changes of one transaction become visible together.
 * - What has expired is there for nobody: no read, no check, no decision. The
 *   engine removes it soon, and logs that once, whoever else removes it, too.
 * - A decision counts only if the entry had the value that it saw, at the
 *   write's place in the order. This also holds for a decision that throws.
 * - Whatever is not certain is an `Unclear` outcome, never an error of `write`.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import type { ChangeLog } from "./change_log.ts";
import type { Limits } from "./limits.ts";
import type { Batch, EntryName, Outcome } from "./write.ts";
import type { PastView, Snapshot, View } from "./view.ts";

/** What an engine may lack. */
export interface Capabilities {
  /** Whether it can look through what it holds, for `verify`. */
  readonly verify: boolean;
}

/** Says why a stored value cannot be read, or nothing. The bytes are the function's own. */
export type Judge = (
  name: EntryName,
  value: Uint8Array,
) => MaybePromise<string | undefined>;

/**
 * What a store is built on. As a `View`, each call is of its own moment: that of
 * the newest commit.
 */
export interface Engine extends View {
  readonly limits: Limits;
  readonly capabilities: Capabilities;
  /** Whether `write` always refuses. */
  readonly isReadOnly: boolean;
  /** Throws `StoreReadOnlyError` if `isReadOnly`; its message says what to do. */
  assertWritable(action: string): void;
  /** Throws `StoreReadOnlyError` if there is no change log, and none can be made. */
  assertWatchable(action: string): void;

  /**
   * Carries out writes: takes the first by `batch.next()`, then as many as fit
   * one transaction and one slice of the event loop.
   *
   * It answers with the outcomes of the first writes it took, in order, at
   * least one if it took any. The queue hands it the others again, undone.
   *
   * It throws, or rejects, only if it is certain that nothing was written. Then
   * the queue waits and tries again if the error `isBusy`. Else it hands each
   * write again alone; the error of a write that was alone is its caller's.
   */
  write(batch: Batch): MaybePromise<readonly Outcome[]>;

  /**
   * The newest revision, if the engine can tell it at once; far ones never can.
   * A watch begins there if no write waits. Else it begins at the revision of
   * a write without changes, so that it is in order with the writes around it.
   */
  headNow(): number | undefined;
  /** The log as watches see it. */
  readonly log: ChangeLog;

  /**
   * Reads with several calls as of one moment. `read` awaits nothing but the
   * view and turns of the event loop: a near engine keeps its connection for it.
   * It may be run again.
   */
  together<T>(
    read: (view: View) => MaybePromise<T>,
    signal?: AbortSignal,
  ): MaybePromise<T>;
  /** The entries as of this moment. It keeps nobody waiting. */
  openSnapshot(signal?: AbortSignal): MaybePromise<Snapshot>;
  /**
   * The entries as they were at a revision, or as they are now. What had expired
   * at `time` is left out (ms since 1970): without it, when that revision's
   * change was made, or now. Throws `WatchOverflowError` if the log does not
   * reach the revision, in one direction or the other.
   */
  openPast(
    at?: number,
    time?: number,
    signal?: AbortSignal,
  ): MaybePromise<PastView>;
  /**
   * What is wrong with what is stored, as of one moment, in slices. Called only
   * if the engine has the capability. The store does not wait for it to close:
   * `close` waits until it reads no more.
   */
  verify(judge: Judge, signal?: AbortSignal): Promise<VerifyFinding[]>;

  /** Whether an error only says that somebody else is in the way for now. */
  isBusy(error: unknown): boolean;
  /** What a caller is told of an error; errors that are not the engine's as they are. */
  errorOf(action: string, error: unknown): unknown;
  /** Called once, when nothing runs. Ends the log's waits, closes every snapshot. */
  close(): MaybePromise<void>;
}
