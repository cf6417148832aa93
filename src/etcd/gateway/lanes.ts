/**
 * Limits how many calls run at the same time, because HTTP/1.1 needs a connection
 * for each.
 *
 * @module
 */

/** Runs a limited number of calls at the same time. The others wait in order. */
export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** Takes the most calls that may run at the same time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs work as soon as a lane is free. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
