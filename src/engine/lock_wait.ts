/**
 * Waiting for another connection's lock on timers, with growing, jittered
 * pauses. SQLite's own busy timeout would block the event loop.
 *
 * @module
 */
import { sleep } from "../base/slice.ts";

const FIRST_PAUSE_MS = 1;
// Whoever writes without a pause leaves the lock for moments only: with rare
// tries a waiting process would hardly ever hit one.
const LONGEST_PAUSE_MS = 5;

/** One wait for a lock, from the first refusal on. */
export class LockWait {
  /** When the lock was first refused, in the time of `performance.now`. */
  readonly since: number;
  #pause = FIRST_PAUSE_MS;

  /** Begins the wait, now or at a time before. */
  constructor(since: number = performance.now()) {
    this.since = since;
  }

  /** How long it has been waiting, in ms. */
  get elapsed(): number {
    return performance.now() - this.since;
  }

  /** Pauses before the next try, but not past `deadline` ms of waiting. */
  async pause(deadline: number, signal?: AbortSignal): Promise<void> {
    const jittered = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    await sleep(
      Math.min(jittered, Math.max(0, deadline - this.elapsed)),
      signal,
    );
  }
}

/** Tries until the lock is had, for `timeout` ms; then throws as the last try did. */
export async function retryWhileBusy<T>(
  work: () => T | Promise<T>,
  isBusy: (error: unknown) => boolean,
  timeout: number,
  signal?: AbortSignal,
): Promise<T> {
  let wait: LockWait | undefined;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      wait ??= new LockWait();
      if (!isBusy(error) || wait.elapsed >= timeout) throw error;
    }
    await wait.pause(timeout, signal);
  }
}
