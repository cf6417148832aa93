/**
 * Which buffers several parts of a value share. That is known at the end of
 * a run over the value, so that a second run may be needed.
 *
 * @module
 */

/** The buffers of a value, as a run meets them. */
export class BufferUses {
  readonly #shared: Set<ArrayBuffer>;
  readonly #met = new Set<ArrayBuffer>();
  #hasNews = false;

  /** Takes the buffers that are known to be shared, and adds those that it finds. */
  constructor(shared: Set<ArrayBuffer>) {
    this.#shared = shared;
  }

  /** Whether a buffer was found to be shared after a part of it had been written. */
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
