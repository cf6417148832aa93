/**
 * Random numbers that a seed brings back.
 *
 * @module
 */

/** A source of random numbers: the same for the same seed (FNV-1a, mulberry32). */
export class Random {
  /** What brings the same numbers back. */
  readonly seed: string;
  #state = 0x811c9dc5;

  /** Takes any text. */
  constructor(seed: string) {
    this.seed = seed;
    for (const char of seed) {
      this.#state = Math.imul(this.#state ^ char.codePointAt(0)!, 0x01000193);
    }
  }

  /** An integer from 0 to below a limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    // The number has 32 bits.
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** An integer from `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/**
 * Runs a part of a test on random numbers. What it throws names the seed; to
 * have the same numbers again, give that in `ZESTOR_TEST_SEED`.
 */
export async function withSeed<T>(
  usual: string,
  work: (random: Random) => T | Promise<T>,
): Promise<T> {
  const seed = Deno.env.get("ZESTOR_TEST_SEED") ?? usual;
  try {
    return await work(new Random(seed));
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`ZESTOR_TEST_SEED=${seed}: ${message}`, { cause });
  }
}
