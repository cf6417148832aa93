/**
 * The writes of one transaction, carried out in their order.
 *
 * @module
 */
import type { Slice } from "../base/slice.ts";
import {
  type Batch,
  isLone,
  type Outcome,
  type Write,
} from "../engine/write.ts";
import { carryOut, carryOutSmall, ChangeError, isSmall } from "./carry_out.ts";
import type { Storage } from "./storage.ts";

/**
 * A larger write has a transaction of its own. In a shared one it would need a
 * savepoint, for which SQLite copies each page that it changes. For more
 * changes than this, the copies take longer than an fsync on a quick disk.
 */
export const MOST_SHARED = 100;

/** The work of a transaction, from its begin to its commit. */
export class TransactionRun {
  readonly #storage: Storage;
  readonly #slice: Slice;
  #outcomes: Outcome[] = [];
  #isUndone = false;

  /** Takes the storage, whose transaction has begun, and the slice of its work. */
  constructor(storage: Storage, slice: Slice) {
    this.#storage = storage;
    this.#slice = slice;
  }

  /** The outcomes of the writes that were taken. */
  get outcomes(): readonly Outcome[] {
    return this.#outcomes;
  }

  /** Whether there is nothing to commit: no write was taken, or the only one failed. */
  get isUndone(): boolean {
    return this.#isUndone || this.#outcomes.length === 0;
  }

  /** Carries out as many writes as fit a slice, at least one if there is one. */
  carryOut(batch: Batch): Promise<void> | undefined {
    do {
      const write = batch.next();
      if (!write) return undefined;
      if (!isSmall(write)) return this.#carryOutFrom(write, batch);
      this.#outcomes.push(carryOutSmall(this.#storage, write));
    } while (!this.#slice.isUsedUp);
    return undefined;
  }

  /** The same, from a large write on. */
  async #carryOutFrom(write: Write, batch: Batch): Promise<void> {
    this.#outcomes.push(await this.#carryOutLarge(write));
    if (!this.#slice.isUsedUp) await this.carryOut(batch);
  }

  async #carryOutLarge(write: Write): Promise<Outcome> {
    // The queue passes it alone, so its writes are undone with the transaction.
    const isAlone = isLone(write, MOST_SHARED);
    if (!isAlone) this.#storage.save();
    let outcome: Outcome;
    try {
      outcome = await this.#runSteps(carryOut(this.#storage, write));
    } catch (error) {
      if (!(error instanceof ChangeError)) throw error;
      if (isAlone) this.#isUndone = true;
      else this.#storage.undo();
      outcome = { type: "failed", error: error.cause, at: error.at };
    }
    if (!isAlone) this.#storage.release();
    return outcome;
  }

  async #runSteps<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (this.#slice.isUsedUp) await this.#slice.nextTurn();
    }
  }

  /** Nobody knows whether it was committed. */
  becomeUnclear(error: unknown): void {
    // A refusal may also depend on an earlier write, which may be missing.
    const first = this.#outcomes.findIndex(({ type }) => type === "done");
    this.#outcomes = this.#outcomes.map((outcome, i) =>
      first >= 0 && i >= first ? { type: "unclear", error } : outcome
    );
  }
}
