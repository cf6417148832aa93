/**
 * Waits for another connection's lock with timers, in growing pauses with
 * jitter. SQLite's own busy timeout would block the event loop.
 *
 * @module
 */
import { sleep } from "../base/slice.ts";

const FIRST_PAUSE_MS = 1;
// A writer without pauses leaves the lock free for moments only. With rare
// tries, a waiting process would hardly ever get it.
const LONGEST_PAUSE_MS = 5;

/** One wait for a lock, from the first refusal on. */
export class LockWait {
  /** The time of the first refusal, on the clock of `performance.now`. */
  readonly since: number;
  #pause = FIRST_PAUSE_MS;

  /** Begins the wait now, or at an earlier time. */
  constructor(since: number = performance.now()) {
    this.since = since;
  }

  /** How long the wait has lasted, in ms. */
  get elapsed(): number {
    return performance.now() - this.since;
  }

  /** Pauses before the next try, but never beyond `deadline` ms of waiting. */
  async pause(deadline: number, signal?: AbortSignal): Promise<void> {
    const jittered = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    await sleep(
      Math.min(jittered, Math.max(0, deadline - this.elapsed)),
      signal,
    );
  }
}

/**
 * Retries for `timeout` ms until the lock is free. Then it throws the error of
 * the last try.
 */
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
