/**
 * The callers that wait until a mirror has reached a revision.
 *
 * @module
 */

interface Waiter {
  readonly revision: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/** The waiting callers. */
export class RevisionWaits {
  readonly #waiters = new Set<Waiter>();

  /** Whether somebody waits. */
  get isAny(): boolean {
    return this.#waiters.size > 0;
  }

  /** Waits for a revision; rejects with `signal.reason` when the signal aborts. */
  async wait(revision: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { revision, resolve, reject };
    const onAbort = () => reject(signal!.reason);
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", onAbort);
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Lets the callers go on that wait for this revision, or for an earlier one.
   */
  reached(revision: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Rejects all waits. */
  fail(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason);
    this.#waiters.clear();
  }
}
