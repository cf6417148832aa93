/**
 * A one-time event that many callers can wait for.
 *
 * The invariant: all waiters go on in the same turn of the promises, in the
 * order in which they came. With a plain promise, waiters that can be aborted
 * would go on later, because each `then` and each `race` takes a turn of its
 * own.
 *
 * @module
 */

/** A gate. It is closed at first. */
export class Gate {
  #isOpen = false;
  /**
   * Most gates open before anyone waits, so the set is made only when it is
   * needed.
   */
  #waiting: Set<() => void> | undefined;

  /** Opens the gate for all present and future waiters. */
  open(): void {
    this.#isOpen = true;
    if (!this.#waiting) return;
    for (const resume of this.#waiting) resume();
    this.#waiting = undefined;
  }

  /**
   * Resolves when the gate opens. Rejects with `signal.reason` if the signal
   * aborts before.
   */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#isOpen) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const resume = () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    const onAbort = () => {
      this.#waiting?.delete(resume);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting ??= new Set();
    this.#waiting.add(resume);
    return promise;
  }
}
