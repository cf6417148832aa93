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

  /** In ms since 1970. */
  now(): number {
    return this.#time ?? Date.now();
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
