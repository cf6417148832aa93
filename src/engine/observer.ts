/**
 * What somebody who measures a store is told by its queue and its watches. The
 * store never waits for an observer. Without one, it pays for a few checks of
 * `undefined`.
 *
 * @module
 */
import type { StoredChange } from "./entries.ts";
import type { Write } from "./write.ts";

/** Is told of writes, batches and events. It must not throw. */
export interface Observer {
  /** A write was called. The result is the write's `call` when its batch ends. */
  called(): unknown;
  /** A batch begins. `call` is that of the first write that waits. */
  batch(call: unknown): ObservedBatch;
  /** A watch gives the event of a change. */
  given(change: StoredChange): void;
}

/** A batch of writes, from the first try until it is over. */
export interface ObservedBatch {
  /** Runs a try. There are several if somebody else holds the lock. */
  run<T>(work: () => T): T;
  /** The batch is over: its writes were answered, or none of them was written. */
  end(end: BatchEnd): void;
}

/** How a batch ended. */
export interface BatchEnd {
  /** The writes that shared the transaction; none if all gave up the wait for the lock. */
  readonly writes: readonly ObservedWrite[];
  /** How long it waited for somebody else's lock, in ms; absent if it did not. */
  readonly lockWait?: number;
  /** Why nothing was written; absent if the writes were answered. */
  readonly error?: unknown;
}

/** A write of a batch. */
export interface ObservedWrite {
  readonly write: Write;
  /** What `called` returned; `undefined` if it was not asked: the store asks for its newest revision, or had no observer. */
  readonly call: unknown;
}
