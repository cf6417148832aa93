/**
 * What every operation of a store takes.
 *
 * @module
 */

/** What every operation takes. */
export interface OperationOptions {
  /**
   * Cancels the operation: it rejects with `signal.reason`. A write that has
   * begun when the signal aborts completes, and resolves.
   */
  signal?: AbortSignal;
}
