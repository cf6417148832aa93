/**
 * The calls that a store's queue and watches make to an observer, such as the one
 * for OpenTelemetry. The store never waits for an observer. Without one, the only
 * cost is a few checks of `undefined`.
 *
 * @module
 */
import type { StoredChange } from "./entries.ts";
import type { Write } from "./write.ts";

/** Observes writes, batches and events. Its methods must not throw. */
export interface Observer {
  /** Called when a write is called. The result is the write's `call` when its batch ends. */
  called(): unknown;
  /** Called when a batch begins. `call` belongs to the first waiting write. */
  batch(call: unknown): ObservedBatch;
  /** Called when a watch gives the event of a change. */
  given(change: StoredChange): void;
}

/** A batch of writes, from its first try to its end. */
export interface ObservedBatch {
  /** Runs a try. A batch has several tries if another connection holds the lock. */
  run<T>(work: () => T): T;
  /** Called when the batch ends: its writes were answered, or nothing was written. */
  end(end: BatchEnd): void;
}

/** How a batch ended. */
export interface BatchEnd {
  /** The writes that shared the transaction; empty if all of them stopped waiting for the lock. */
  readonly writes: readonly ObservedWrite[];
  /** How long it waited for another connection's lock, in ms; absent if it did not wait. */
  readonly lockWait?: number;
  /** Why nothing was written; absent if the writes were answered. */
  readonly error?: unknown;
}

/** A write of a batch. */
export interface ObservedWrite {
  readonly write: Write;
  /**
   * The result of `called`. It is `undefined` if `called` was not called, because
   * the store itself asked for its newest revision, or had no observer then.
   */
  readonly call: unknown;
}
