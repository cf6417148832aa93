/**
 * Wakes the watchers that have seen everything when there may be more. It is
 * a hint: a watcher looks at the log itself, and may find nothing.
 *
 * Own commits tell it at once. Those of other connections it finds by looking
 * at the log's head at a slow interval, while somebody waits.
 *
 * @module
 */

/** How often to look for other connections' commits, in ms. */
const SWEEP_MS = 100;

/** The one wake-up source of a store's watchers. */
export class Wakeup {
  readonly #readHead: () => Promise<number>;
  readonly #waiting = new Set<() => void>();
  #head = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes how to read the newest revision. */
  constructor(readHead: () => Promise<number>) {
    this.#readHead = readHead;
  }

  /** Tells that the log's head is now at a revision. */
  advance(head: number): void {
    if (head <= this.#head) return;
    this.#head = head;
    this.#wakeAll();
  }

  /** Resolves when the head may be past a revision, and when the signal aborts. */
  async wait(after: number, signal: AbortSignal): Promise<void> {
    if (this.#head > after || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort);
    this.#scheduleSweep();
    await promise;
    signal.removeEventListener("abort", onAbort);
    this.#waiting.delete(resolve);
    if (this.#waiting.size === 0) this.#stopSweep();
  }

  #scheduleSweep(): void {
    this.#timer ??= setTimeout(() => this.#sweep(), SWEEP_MS);
  }

  #stopSweep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #sweep(): Promise<void> {
    this.#timer = undefined;
    try {
      this.advance(await this.#readHead());
    } catch {
      // The watchers meet the failure themselves: let them look.
      this.#wakeAll();
    }
    if (this.#waiting.size > 0) this.#scheduleSweep();
  }

  #wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
