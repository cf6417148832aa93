/**
 * The turns of an SQLite store's operations outside the contract: backups,
 * compacting and information.
 *
 * @module
 */
import type { LocalEngine } from "../local/local_engine.ts";
import type { Lifecycle } from "../store/lifecycle.ts";

/** Lets these operations take their turn among those of the contract. */
export class OwnTurns {
  readonly #life: Lifecycle;
  readonly #engine: LocalEngine;

  /** Takes the store's operations, and its engine. */
  constructor(life: Lifecycle, engine: LocalEngine) {
    this.#life = life;
    this.#engine = engine;
  }

  /** Runs a read after the writes called before it. */
  async read<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    const read = () => this.#engine.readStorage(work, signal);
    return await this.#life.read(action, read, signal);
  }

  /** Runs a read as soon as no transaction is open, even if writes wait. */
  async readCommitted<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    try {
      return await this.#engine.readStorage(work, signal);
    } catch (error) {
      throw this.#engine.errorOf(action, error);
    }
  }

  /**
   * Runs work after the writes called before it, while nothing else runs. If it
   * throws at once that another connection holds the lock, it is retried.
   */
  readonly alone = async <T>(
    action: string,
    work: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> => {
    const run = () => this.#engine.runAlone(work, signal);
    return await this.#life.afterWrites(action, run, signal);
  };

  /** The same, and the writes called after it run after it. */
  async inOrder<T>(
    action: string,
    work: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const run = () => this.#engine.runAlone(work, signal);
    return await this.#life.turn(action, run, signal);
  }
}
