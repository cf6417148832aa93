/**
 * The options of every operation of a store.
 *
 * @module
 */

/** The options of every operation. */
export interface OperationOptions {
  /**
   * Cancels the operation, which then rejects with `signal.reason`. If a write
   * has begun when the signal aborts, the write completes, and resolves.
   */
  signal?: AbortSignal;
}
