/**
 * Pauses that end together: none outlives the line that it belongs to.
 *
 * @module
 */
import { clearImmediate, setImmediate } from "node:timers";

/** The pauses of one line. */
export class Timers {
  readonly #running = new Set<(reason: unknown) => void>();

  /** How many pauses run. */
  get size(): number {
    return this.#running.size;
  }

  /** Waits, in ms; 0 is a turn of the event loop. Rejects if the signal aborts, or if all are cut. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const forget = () => {
      this.#running.delete(cut);
      signal?.removeEventListener("abort", onAbort);
    };
    const cancel = later(ms, () => {
      forget();
      resolve();
    });
    const cut = (reason: unknown) => {
      forget();
      cancel();
      reject(reason);
    };
    const onAbort = () => cut(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    this.#running.add(cut);
    return promise;
  }

  /** Rejects every pause. */
  cut(reason: unknown): void {
    for (const cut of [...this.#running]) cut(reason);
  }
}

function later(ms: number, work: () => void): () => void {
  if (ms === Infinity) return () => {};
  if (ms === 0) {
    const turn = setImmediate(work);
    return () => clearImmediate(turn);
  }
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}
