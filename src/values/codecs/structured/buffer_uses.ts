/**
 * Finds the buffers that several parts of a value share. They are known only at
 * the end of a run over the value, so a second run may be necessary.
 *
 * @module
 */

/** The buffers that one run over a value has met. */
export class BufferUses {
  readonly #shared: Set<ArrayBuffer>;
  readonly #met = new Set<ArrayBuffer>();
  #hasNews = false;

  /** Takes the set of shared buffers, and adds the ones that it finds. */
  constructor(shared: Set<ArrayBuffer>) {
    this.#shared = shared;
  }

  /** Whether a buffer turned out to be shared after a part of it had been written. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  /** Whether a buffer is known to be shared. */
  isShared(buffer: ArrayBuffer): boolean {
    return this.#shared.has(buffer);
  }

  /** Notes that a part of the value uses a buffer. */
  meet(buffer: ArrayBuffer): void {
    if (this.#shared.has(buffer)) return;
    if (!this.#met.has(buffer)) this.#met.add(buffer);
    else {
      this.#shared.add(buffer);
      this.#hasNews = true;
    }
  }
}
