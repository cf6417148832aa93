/**
 * A write with what its caller is told: what a store puts into the queue.
 *
 * @module
 */
import type { Check, Effect, Found, Write } from "./write.ts";

/** A write as it waits in the queue. */
export interface Operation<T> extends Write {
  /** The write begins when it has resolved; if it rejects, so does the operation. */
  readonly ready?: Promise<unknown>;
  /** The result of what took effect: an effect for each change, and the newest revision. */
  done(effects: readonly Effect[], revision: number): T;
  /** The result of a refusal, or throws it. */
  refused(check: Check, found: Found | undefined): T;
  /** What the caller is told of a failure of its own, `at` which change. @default {the error} */
  failed?(error: unknown, at: number | undefined): unknown;
}
