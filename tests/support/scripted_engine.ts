/**
 * An engine that answers as a test tells it to, for tests of the queue.
 *
 * @module
 */
import { StoreError } from "../../mod.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Operation } from "../../src/engine/operation.ts";
import { Queue } from "../../src/engine/queue.ts";
import type { Batch, Outcome, Write } from "../../src/engine/write.ts";

/** What an engine does with the writes that it was given. */
export type Answer = (writes: readonly Write[]) => readonly Outcome[];

/** Says that somebody else is in the way. */
export class Busy extends Error {}

/** An engine that takes every write it can get, and answers by the next one of some answers. */
export class ScriptedEngine {
  readonly isReadOnly = false;
  readonly limits = {
    nameBytes: Infinity,
    valueBytes: Infinity,
    changes: Infinity,
    shared: 3,
  };
  /** The actions of each batch. */
  readonly batches: string[][] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  async write(batch: Batch): Promise<readonly Outcome[]> {
    const writes: Write[] = [];
    for (let write = batch.next(); write; write = batch.next()) {
      writes.push(write);
    }
    this.batches.push(writes.map(({ action }) => action));
    await Promise.resolve();
    return (this.#answers.shift() ?? all)(writes);
  }

  isBusy(error: unknown): boolean {
    return error instanceof Busy;
  }

  errorOf(action: string, error: unknown): unknown {
    const reason = (error as Error).message;
    return new StoreError("STORAGE", `Cannot ${action}: ${reason}`);
  }
}

const DONE: Outcome = { type: "done", effects: [], revision: 1 };

/** Answers for all writes. */
export const all: Answer = (writes) => writes.map(() => DONE);
/** Answers for the first writes. */
export const first = (count: number): Answer => (writes) =>
  writes.slice(0, count).map(() => DONE);
/** Writes nothing. */
export const refuse = (error: Error): Answer => () => {
  throw error;
};

/** A write that gives its name when it is done. */
export function write(action: string, changes = 1): Operation<string> {
  return {
    action,
    checks: [],
    size: () => changes,
    changes: () => [],
    done: () => action,
    refused: () => `${action} refused`,
  };
}

/** The queue of an engine. */
export function queueOn(engine: ScriptedEngine, busyTimeout = 60_000): Queue {
  return new Queue(engine as unknown as Engine, busyTimeout);
}
