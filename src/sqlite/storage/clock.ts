/**
 * The time that decides which entries have expired. It stands still in a
 * transaction and in a moment, so that all of their reads see the same entries.
 *
 * @module
 */

/** A storage's clock. */
export class Clock {
  /** The time at which the clock stands, in ms since 1970. */
  #time: number | undefined;
  // The text of one ms is kept, because making it takes longer than reading the
  // clock.
  #lastNow: number | undefined;
  #lastText = "";

  /** In ms since 1970. */
  now(): number {
    return this.#time ?? Date.now();
  }

  /**
   * The present time, in the file's form. It does not stand still, so the
   * entries of a long transaction have their own times.
   */
  nowText(): string {
    const now = Date.now();
    if (now !== this.#lastNow) {
      this.#lastNow = now;
      this.#lastText = new Date(now).toISOString();
    }
    return this.#lastText;
  }

  /** Stops the clock. */
  stop(): void {
    this.#time = Date.now();
  }

  /** Lets the clock run again. */
  go(): void {
    this.#time = undefined;
  }

  /** Reads at another time. */
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
