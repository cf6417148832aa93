/**
 * A write with its results for the caller. A store puts these into the queue.
 *
 * @module
 */
import type { Check, Effect, Found, Write } from "./write.ts";

/** A write that waits in the queue. */
export interface Operation<T> extends Write {
  /**
   * The write begins when this promise has resolved. If it rejects, so does the
   * operation.
   */
  readonly ready?: Promise<unknown>;
  /**
   * The result if the write took effect. It gets an effect for each change, and
   * the newest revision.
   */
  done(effects: readonly Effect[], revision: number): T;
  /** The result if a check refused the write. It may throw. */
  refused(check: Check, found: Found | undefined): T;
  /**
   * The error for the caller if the write itself fails, at change number `at`.
   * @default {the error}
   */
  failed?(error: unknown, at: number | undefined): unknown;
}
