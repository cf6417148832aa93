/**
 * Pauses between two tries to reach a server.
 *
 * @module
 */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

/** Pauses that grow, and differ, so that many clients do not come back at once. */
export class Backoff {
  #pause: number;
  readonly #longest: number;

  /** Takes the longest pause, and the first one, in ms. */
  constructor(
    longest: number = LONGEST_PAUSE_MS,
    first: number = FIRST_PAUSE_MS,
  ) {
    this.#longest = longest;
    this.#pause = first;
  }

  /** The next pause, in ms, but not past a deadline in the time of `performance.now`. */
  next(deadline = Infinity): number {
    const jittered = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, this.#longest);
    return Math.max(0, Math.min(jittered, deadline - performance.now()));
  }
}
