/**
 * Something that many wait for, until it has happened once.
 *
 * The invariant: all go on in the same turn of the promises, in the order in
 * which they came. A promise would let those that can be aborted go on later,
 * since each `then` and each `race` between takes a turn of its own.
 *
 * @module
 */

/** A gate, closed at first. */
export class Gate {
  #isOpen = false;
  /** Most gates open before anyone waits. */
  #waiting: Set<() => void> | undefined;

  /** Lets everyone go on who waits, or will. */
  open(): void {
    this.#isOpen = true;
    if (!this.#waiting) return;
    for (const resume of this.#waiting) resume();
    this.#waiting = undefined;
  }

  /** Resolves when it opens; rejects with `signal.reason` when the signal aborts before. */
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
