/**
 * A client's requests: sent again after a cut, with growing pauses, until
 * a deadline.
 *
 * @module
 */
import {
  StoreError,
  StoreUnavailableError,
  WatchOverflowError,
} from "../../../src/contract/errors.ts";
import { reasonOf } from "../../../src/base/messages.ts";
import { type Line, LineCut, ServerFailure } from "./line.ts";
import type { Answer, Ask, CallName, Failure } from "./protocol.ts";

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

/** The server cannot be reached for now. It is certain that nothing was written. */
export class Unreachable extends Error {}

/** The server holds a snapshot no more. */
export class SnapshotGone extends Error {}

/** Grows the pauses between two tries. */
export class Backoff {
  #pause = FIRST_PAUSE_MS;

  /** The next pause, in ms, not past a deadline in the time of `performance.now`. */
  next(deadline = Infinity): number {
    const jittered = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    return Math.max(0, Math.min(jittered, deadline - performance.now()));
  }
}

/** A client of the server. */
export class Client {
  /** What the server knows it by. */
  readonly id: string = crypto.randomUUID();
  readonly #line: Line;
  readonly #patience: number;

  /** Takes the line, and for how long a request is sent again, in ms. */
  constructor(line: Line, patience: number) {
    this.#line = line;
    this.#patience = patience;
  }

  /**
   * Sends a request until it is answered. Rejects with what the server said,
   * with the signal's reason, or as unavailable when the deadline has passed.
   */
  async ask<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    signal?: AbortSignal,
    patience = this.#patience,
  ): Promise<Answer<Name>> {
    const deadline = performance.now() + patience;
    const backoff = new Backoff();
    for (;;) {
      try {
        return await this.askOnce(name, ask, deadline, signal);
      } catch (error) {
        if (!(error instanceof LineCut)) throw error;
        if (performance.now() >= deadline) throw unavailable("read", error);
      }
      await this.#line.pause(backoff.next(deadline), signal);
    }
  }

  /** Sends a request once; it is cut if the deadline passes without an answer. */
  async askOnce<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<Answer<Name>> {
    signal?.throwIfAborted();
    const end = new AbortController();
    const onAbort = () => end.abort(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    const left = Math.max(0, deadline - performance.now());
    const timer = setTimeout(() => end.abort(new LineCut(true)), left);
    try {
      return await this.#line.request(name, ask, end.signal);
    } catch (error) {
      throw error instanceof ServerFailure ? errorOf(error.failure) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Pauses before the next try. */
  pause(backoff: Backoff, deadline?: number): Promise<void> {
    return this.#line.pause(backoff.next(deadline));
  }

  /** Whether the line is closed. */
  get isClosed(): boolean {
    return this.#line.isClosed;
  }
}

/** What a caller is told if the server could not be reached in time. Nothing was written. */
export function unavailable(
  action: string,
  cause: unknown,
): StoreUnavailableError {
  return new StoreUnavailableError(
    `Cannot ${action}: ${
      reasonOf(cause)
    }; try again when the server can be reached`,
    { cause },
  );
}

/** The error that the server means. */
export function errorOf({ code, message, reason = "broken" }: Failure): Error {
  if (code === "GONE") return new SnapshotGone(message);
  if (code === "WATCH_OVERFLOW") return new WatchOverflowError(reason, message);
  return new StoreError(code, message);
}
