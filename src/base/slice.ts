/**
 * Long work in slices. After each slice the event loop gets a turn.
 *
 * @module
 */

import { platform } from "./platform.ts";

/**
 * The length of a slice, in ms. After it, the work gives the event loop a turn.
 */
const SLICE_MS = 8;

/**
 * The length of a slice of background work, in ms, which no caller waits for.
 */
export const SHORT_SLICE_MS = 2;

/** Measures the time since this work last gave the event loop a turn. */
export class Slice {
  readonly #length: number;
  /** When the slice began; `undefined` after a restart, until `isUsedUp` is next read. */
  #start: number | undefined = performance.now();

  /** Begins the first slice. `length` is the length of each slice, in ms. */
  constructor(length = SLICE_MS) {
    this.#length = length;
  }

  /**
   * Whether the work should give the event loop a turn now. After a restart,
   * the first read begins the slice.
   */
  get isUsedUp(): boolean {
    const now = performance.now();
    this.#start ??= now;
    return now - this.#start >= this.#length;
  }

  /** Lets timers and I/O run, then begins the next slice. */
  async nextTurn(): Promise<void> {
    // `setImmediate` takes 7 µs, a timer of 0 ms takes 2 ms.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#start = performance.now();
  }

  /**
   * Begins a new slice, because the work has waited, and the event loop had
   * a turn. It does not read the clock yet: the work may wait again at once.
   */
  restart(): void {
    this.#start = undefined;
  }
}

/**
 * Runs work that yields at each place where it may pause. The first slice runs
 * before this function returns, the others in later turns of the event loop.
 * When the signal aborts, the work ends at its next pause, and its `finally`
 * blocks run.
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
 * Waits for `ms` milliseconds. Rejects with `signal.reason` when the signal
 * aborts. It keeps the process running only if `persistent` is true.
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
