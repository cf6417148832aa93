/**
 * Long work in slices: the event loop gets a turn whenever one is used up.
 *
 * @module
 */

import { platform } from "./platform.ts";

/** How long work may hold the event loop before it gives it a turn, in ms. */
const SLICE_MS = 8;

/** The same for work in the background, whose end nobody else waits for. */
export const SHORT_SLICE_MS = 2;

/** The time since the event loop was last given a turn by this work. */
export class Slice {
  readonly #length: number;
  /** When the slice began; absent if nobody has asked since a restart. */
  #start: number | undefined = performance.now();

  /** Begins the first slice, each of so many ms. */
  constructor(length = SLICE_MS) {
    this.#length = length;
  }

  /** Whether the work should give the event loop a turn now. After a restart the first call begins the slice. */
  get isUsedUp(): boolean {
    const now = performance.now();
    this.#start ??= now;
    return now - this.#start >= this.#length;
  }

  /** Lets timers and I/O run, then begins the next slice. */
  async nextTurn(): Promise<void> {
    // A timer of 0 ms takes 2 ms here, this 7 µs.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#start = performance.now();
  }

  /** The work has waited for something else. The clock is not read: it may wait again at once. */
  restart(): void {
    this.#start = undefined;
  }
}

/**
 * Runs work that yields wherever it may pause: the first slice at once, before
 * this returns, the rest over later turns of the event loop. When the signal
 * aborts, the work ends where it pauses, and its `finally` blocks run.
 */
export function runInSlices<T>(
  work: Generator<void, T>,
  signal?: AbortSignal,
  length?: number,
): T | Promise<T> {
  const slice = new Slice(length);
  const advance = (): IteratorResult<void, T> => {
    let step = work.next();
    while (!step.done && !slice.isUsedUp) step = work.next();
    return step;
  };
  const finish = async (): Promise<T> => {
    for (;;) {
      await slice.nextTurn();
      if (signal?.aborted) {
        work.return(undefined as T);
        throw signal.reason;
      }
      const step = advance();
      if (step.done) return step.value;
    }
  };
  const first = advance();
  return first.done ? first.value : finish();
}

/**
 * Waits, in ms; rejects with `signal.reason` when the signal aborts. Unless it
 * is `persistent`, it does not keep the process running.
 */
export function sleep(
  ms: number,
  signal?: AbortSignal,
  persistent = true,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (!persistent) platform.unrefTimer(timer);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
