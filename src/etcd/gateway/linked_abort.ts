/**
 * A signal that aborts when one of several others aborts, until it is unlinked.
 *
 * `AbortSignal.any` cannot be used: only the request would refer to its signal,
 * and if the runtime garbage-collects it, the request is never aborted.
 *
 * @module
 */

/** A signal that follows others. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #followed: readonly AbortSignal[];
  readonly #onAbort: (event: Event) => void;

  /** Takes the signals to follow. It ignores `undefined`. */
  constructor(...signals: readonly (AbortSignal | undefined)[]) {
    this.#followed = signals.filter((it) => it !== undefined);
    this.#onAbort = ({ target }) => this.abort((target as AbortSignal).reason);
    for (const signal of this.#followed) {
      if (signal.aborted) this.abort(signal.reason);
      signal.addEventListener("abort", this.#onAbort);
    }
  }

  /** The signal that follows the others. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts it. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Stops following the others. */
  unlink(): void {
    for (const signal of this.#followed) {
      signal.removeEventListener("abort", this.#onAbort);
    }
  }
}
