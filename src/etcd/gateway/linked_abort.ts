/**
 * A signal that aborts when one of several others does, until it is unlinked.
 *
 * It is no `AbortSignal.any`: nothing but a request would hold such a signal,
 * and if it is collected as garbage, the request is never aborted.
 *
 * @module
 */

/** A signal that follows others. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #followed: readonly AbortSignal[];
  readonly #onAbort: (event: Event) => void;

  /** Takes the signals that it follows; those that are `undefined` are none. */
  constructor(...signals: readonly (AbortSignal | undefined)[]) {
    this.#followed = signals.filter((it) => it !== undefined);
    this.#onAbort = ({ target }) => this.abort((target as AbortSignal).reason);
    for (const signal of this.#followed) {
      if (signal.aborted) this.abort(signal.reason);
      signal.addEventListener("abort", this.#onAbort);
    }
  }

  /** The signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts it. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Follows the others no more. */
  unlink(): void {
    for (const signal of this.#followed) {
      signal.removeEventListener("abort", this.#onAbort);
    }
  }
}
