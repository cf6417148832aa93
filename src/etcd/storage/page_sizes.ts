/**
 * How many entries to ask for, so that a page of them has not many more bytes
 * than it should: etcd limits a page by count alone.
 *
 * @module
 */

/** About how large values are before any was seen, in bytes. */
const FIRST_GUESS = 8 * 1024;

/** For how many kinds it is remembered. */
const MOST_KINDS = 256;

/** The sizes of values, by kind. */
export class PageSizes {
  readonly #averages = new Map<string, number>();

  /** How many values of a kind come to so many bytes, about; at least 8. */
  fitting(kind: string, bytes: number): number {
    const average = this.#averages.get(kind) ?? FIRST_GUESS;
    return Math.max(8, Math.ceil(bytes / Math.max(1, average)));
  }

  /** Notes the sizes of a page. */
  note(kind: string, sizes: readonly number[]): void {
    if (sizes.length === 0) return;
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const before = this.#averages.get(kind);
    const found = total / sizes.length;
    if (this.#averages.size >= MOST_KINDS) this.#averages.clear();
    // What was large once may be large again.
    this.#averages.set(kind, Math.max(found, (before ?? found) * 0.5));
  }
}
