/**
 * The time by which entries have expired. It stands still in a transaction and
 * in a moment, so that all of it sees the same entries.
 *
 * @module
 */

/** A storage's clock. */
export class Clock {
  /** The time at which it stands, in ms since 1970. */
  #time: number | undefined;
  // The text of one ms: to make it takes longer than to look at the clock.
  #lastNow: number | undefined;
  #lastText = "";

  /** In ms since 1970. */
  now(): number {
    return this.#time ?? Date.now();
  }

  /**
   * The time of now, as the file has it. It does not stand still: the entries of
   * a long transaction tell when each was written.
   */
  nowText(): string {
    const now = Date.now();
    if (now !== this.#lastNow) {
      this.#lastNow = now;
      this.#lastText = new Date(now).toISOString();
    }
    return this.#lastText;
  }

  /** It stands still from here on. */
  stop(): void {
    this.#time = Date.now();
  }

  /** It goes on. */
  go(): void {
    this.#time = undefined;
  }

  /** Reads as of another time. */
  asOf<T>(time: number, read: () => T): T {
    const before = this.#time;
    this.#time = time;
    try {
      return read();
    } finally {
      this.#time = before;
    }
  }
}
