/**
 * The pauses between attempts to reach a server.
 *
 * @module
 */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

/** Growing pauses with jitter, so that many clients do not come back at once. */
export class Backoff {
  #pause: number;
  readonly #longest: number;

  /** Takes the longest pause and the first pause, in ms. */
  constructor(
    longest: number = LONGEST_PAUSE_MS,
    first: number = FIRST_PAUSE_MS,
  ) {
    this.#longest = longest;
    this.#pause = first;
  }

  /**
   * The next pause, in ms. It does not go beyond a deadline, which is on the
   * clock of `performance.now`.
   */
  next(deadline = Infinity): number {
    const jittered = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, this.#longest);
    return Math.max(0, Math.min(jittered, deadline - performance.now()));
  }
}
