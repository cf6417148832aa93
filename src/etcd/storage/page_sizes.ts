/**
 * Estimates how many entries fit a page, because etcd limits a page only by its
 * number of keys.
 *
 * @module
 */

/** The assumed size of a value before any was read, in bytes. */
const FIRST_GUESS = 8 * 1024;

/** The most kinds whose sizes are remembered. */
const MOST_KINDS = 256;

/** Remembers the sizes of values, by kind. */
export class PageSizes {
  readonly #averages = new Map<string, number>();

  /** About how many values of a kind have this many bytes together; at least 8. */
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
    // The estimate falls slowly, because large values may come again.
    this.#averages.set(kind, Math.max(found, (before ?? found) * 0.5));
  }
}
