/**
 * How many calls run at once: HTTP/1.1 takes a connection for each.
 *
 * @module
 */

/** Lets some through, and has the others wait in order. */
export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** Takes how many may run at once. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs work in a lane. */
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
