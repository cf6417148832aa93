/**
 * Puts a store's operations on its engine in order. It passes waiting writes to
 * the engine together (group commit), so that they share one fsync or one round
 * trip.
 *
 * The invariants:
 * - Writes begin and settle in the order in which they were called.
 * - A read begins after the writes called before it have settled.
 * - Writes that share a transaction never make each other fail.
 *
 * @module
 */
import { Gate } from "../base/gate.ts";
import { reasonOf } from "../base/messages.ts";
import type { MaybePromise } from "../base/promises.ts";
import { UnknownOutcomeError } from "../contract/errors.ts";
import type { Engine } from "./engine.ts";
import { LockWait } from "./lock_wait.ts";
import type { ObservedBatch, ObservedWrite, Observer } from "./observer.ts";
import type { Operation } from "./operation.ts";
import { isLone, type Outcome, type Write } from "./write.ts";

/** Asks for the newest revision at its place in the order. */
const ASK_HEAD: Operation<number> = {
  action: "watch",
  checks: [],
  size: () => 0,
  changes: () => [],
  done: (_effects, revision) => revision,
  refused() {
    throw new TypeError("Cannot refuse a write without checks");
  },
};

/** Work that takes its turn among the writes. Nothing else runs meanwhile. */
export interface Turn<T> {
  /** For messages. */
  readonly action: string;
  /** When it runs, it observes its signal itself. */
  run(): Promise<T>;
}

/** A write or a turn, from its call until the queue is done with it. */
interface Queued {
  readonly job: Operation<unknown> | Turn<unknown>;
  /** The time of the call, on the clock of `performance.now`. */
  readonly since: number;
  /** What the observer made of the call. */
  readonly call: unknown;
  /** Whether the operation's `ready` has resolved. */
  ready: boolean;
  /**
   * Present if `ready` has not resolved yet. It resolves when `ready` has, or
   * when the write is dropped.
   */
  readonly held?: PromiseWithResolvers<void>;
  /** After this, an abort comes too late. */
  begun: boolean;
  /**
   * It settled before it began, for example because it was aborted. Nothing is
   * left to do.
   */
  dropped: boolean;
  /** Its shared transaction failed, so it now gets a transaction of its own. */
  alone: boolean;
  /** Reads that were called after it wait for this gate. */
  left?: Gate;
  readonly signal?: AbortSignal;
  /** Removes the abort listener, if there is one. */
  readonly settle: (() => void) | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The queue of one engine. */
export class Queue {
  readonly #engine: Engine;
  readonly #busyTimeout: number;
  /**
   * The waiting operations in the order of their calls. Those that have begun
   * come first.
   */
  readonly #waiting: Queued[] = [];
  #draining: Promise<void> | undefined;
  /** The current wait for the lock, since its first refusal. */
  #lockWait: LockWait | undefined;
  /** The batch that is tried, if there is an observer. */
  #observed: ObservedBatch | undefined;
  /** Is told of writes and batches, from now on. */
  observer: Observer | undefined;

  /**
   * Takes the engine, and how long a write may wait for another connection's
   * lock, in ms.
   */
  constructor(engine: Engine, busyTimeout: number) {
    this.#engine = engine;
    this.#busyTimeout = busyTimeout;
  }

  /**
   * Runs a write in its turn. Rejects with `signal.reason` if it is aborted
   * before it begins.
   */
  write<T>(operation: Operation<T>, signal?: AbortSignal): Promise<T> {
    return this.#add(operation, operation.ready, signal);
  }

  /** Runs a turn between the writes called before and after it. */
  turn<T>(turn: Turn<T>, signal?: AbortSignal): Promise<T> {
    return this.#add<T>(turn, undefined, signal);
  }

  #add<T>(
    job: Operation<T> | Turn<T>,
    ready: Promise<unknown> | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const queued: Queued = {
      job,
      since: performance.now(),
      call: job === ASK_HEAD ? undefined : this.observer?.called(),
      ready: ready === undefined,
      held: ready && Promise.withResolvers(),
      begun: false,
      dropped: false,
      alone: false,
      left: undefined,
      signal,
      settle: signal ? dropOnAbort(signal, () => queued) : undefined,
      resolve: resolve as (value: unknown) => void,
      reject,
    };
    ready?.then(() => {
      queued.ready = true;
      queued.held?.resolve();
    }, (error) => drop(queued, error));
    this.#waiting.push(queued);
    this.#draining ??= this.#drain();
    return promise;
  }

  /**
   * Whether no write waits or runs. Then an operation need not wait for any.
   */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when the writes called so far have settled. */
  settled(signal?: AbortSignal): Promise<void> {
    const last = this.#waiting.at(-1);
    if (!last) return Promise.resolve();
    last.left ??= new Gate();
    return last.left.wait(signal);
  }

  /**
   * The newest revision at this place in the order of operations. If no write
   * waits and the engine knows it, the result comes at once. Else it is read
   * between the writes called before and after.
   */
  head(): MaybePromise<number> {
    // A read-only store has no writes to be in order with.
    if (this.#engine.isReadOnly) return this.#engine.log.head();
    const head = this.#draining ? undefined : this.#engine.headNow();
    return head ?? this.write(ASK_HEAD);
  }

  /** Resolves when no write waits or runs. */
  async drained(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  async #drain(): Promise<void> {
    // Writes called in the same turn join the first transaction.
    await undefined;
    for (let first = this.#first(); first; first = this.#first()) {
      if (!first.ready) await first.held?.promise;
      else if ("run" in first.job) await this.#runTurn(first, first.job);
      else await this.#runBatch();
    }
    this.#draining = undefined;
    this.#endBatch();
  }

  /** The first write that is not done yet. */
  #first(): Queued | undefined {
    while (this.#waiting[0]?.dropped) this.#waiting.shift()!.left?.open();
    return this.#waiting[0];
  }

  async #runTurn(queued: Queued, turn: Turn<unknown>): Promise<void> {
    this.#endBatch();
    queued.begun = true;
    try {
      queued.resolve(await turn.run());
    } catch (error) {
      queued.reject(this.#engine.errorOf(turn.action, error));
    }
    queued.settle?.();
    this.#waiting.splice(0, this.#waiting.indexOf(queued) + 1);
    queued.left?.open();
    await undefined;
  }

  async #runBatch(): Promise<void> {
    const taken = new TakenWrites(this.#waiting, this.#engine.limits.shared);
    try {
      const outcomes = await this.#carryOut(taken);
      taken.end();
      // Without this error, the engine would be asked again and again.
      if (outcomes.length === 0 && taken.writes.length > 0) throw noAnswer();
      this.#endBatch(taken.writes, outcomes.length);
      this.#settle(taken.writes, outcomes);
    } catch (error) {
      taken.end();
      return await this.#handleFailure(taken, error);
    }
    // The waiting reads run before the next transaction.
    await undefined;
  }

  #carryOut(taken: TakenWrites): MaybePromise<readonly Outcome[]> {
    const { observer } = this;
    if (!observer) return this.#engine.write(taken);
    this.#observed ??= observer.batch(this.#first()?.call);
    return this.#observed.run(() => this.#engine.write(taken));
  }

  /**
   * The lock was had, or nobody waits for it any longer. Tells of the first
   * writes that were answered; of all, if there was a failure.
   */
  #endBatch(
    writes: readonly Queued[] = NOBODY,
    answered: number = writes.length,
    failure?: unknown,
  ): void {
    const observed = this.#observed;
    const lockWait = this.#lockWait?.elapsed;
    this.#lockWait = this.#observed = undefined;
    observed?.end({
      writes: writes.slice(0, answered).map(observedWriteOf),
      lockWait,
      error: failure && this.#engine.errorOf("write", failure),
    });
  }

  /** Settles the writes that the engine answered for; the others come again. */
  #settle(writes: readonly Queued[], outcomes: readonly Outcome[]): void {
    for (let i = outcomes.length; i < writes.length; i++) handBack(writes[i]);
    if (outcomes.length === 0) return;
    const last = writes[outcomes.length - 1];
    const left = this.#waiting.splice(0, this.#waiting.indexOf(last) + 1);
    let next = 0;
    for (const queued of left) {
      // Between them there may be operations that were dropped before they
      // began.
      if (queued === writes[next]) settle(queued, outcomes[next++]);
      queued.left?.open();
    }
  }

  /**
   * Nothing was written. Writes that shared the transaction do not share its
   * failure.
   */
  async #handleFailure(
    { writes: batch, since }: TakenWrites,
    failure: unknown,
  ): Promise<void> {
    for (const queued of batch) handBack(queued);
    if (this.#engine.isBusy(failure)) {
      return await this.#waitForLock(failure, since);
    }
    this.#endBatch(batch, batch.length, failure);
    if (batch.length > 1) {
      for (const queued of batch) queued.alone = true;
      return;
    }
    const failed = batch[0] ?? this.#first();
    if (failed) this.#fail(failed, failure);
  }

  /**
   * Pauses, and gives up the writes that have waited for `busyTimeout`. The
   * engine may have waited for the lock itself, from `since` on.
   */
  async #waitForLock(refusal: unknown, since?: number): Promise<void> {
    const wait = this.#lockWait ??= new LockWait(since);
    // How long a write may wait, measured from the start of the whole wait.
    const patience = ({ since }: Queued) =>
      Math.max(0, since - wait.since) + this.#busyTimeout;
    for (const queued of this.#waiting) {
      if (wait.elapsed < patience(queued)) break;
      this.#fail(queued, refusal);
    }
    const first = this.#first();
    if (first) await wait.pause(patience(first));
    else this.#endBatch(NOBODY, 0, refusal);
  }

  #fail(queued: Queued, error: unknown): void {
    drop(queued, this.#engine.errorOf(queued.job.action, error));
  }
}

const NOBODY: readonly Queued[] = [];

/** What an observer is told of a write that was taken. */
function observedWriteOf({ job, call }: Queued): ObservedWrite {
  return { write: job as Operation<unknown>, call };
}

/** The writes of one batch, as the engine takes them from those that wait. */
class TakenWrites {
  readonly writes: Queued[] = [];
  /**
   * When the engine took the first write, on the clock of `performance.now`.
   */
  since: number | undefined;
  readonly #waiting: readonly Queued[];
  readonly #mostShared: number;
  /** How many of the waiting operations were taken or dropped. */
  #passed = 0;
  /** Whether the first write must be alone in its transaction. */
  #hasLone = false;
  #isEnded = false;

  constructor(waiting: readonly Queued[], mostShared: number) {
    this.#waiting = waiting;
    this.#mostShared = mostShared;
  }

  next(): Write | undefined {
    if (this.#isEnded) return undefined;
    while (this.#waiting[this.#passed]?.dropped) this.#passed++;
    const queued = this.#waiting[this.#passed];
    if (!queued?.ready || "run" in queued.job) return undefined;
    const isAlone = queued.alone || isLone(queued.job, this.#mostShared);
    if (this.writes.length > 0 && (isAlone || this.#hasLone)) return undefined;
    this.#hasLone = isAlone;
    this.#passed++;
    this.since ??= performance.now();
    queued.begun = true;
    this.writes.push(queued);
    return queued.job;
  }

  /** After this, the engine gets no more writes. */
  end(): void {
    this.#isEnded = true;
  }
}

/**
 * Drops a write when the signal aborts, unless the write has begun. Returns a
 * function that removes the listener.
 */
function dropOnAbort(signal: AbortSignal, queued: () => Queued): () => void {
  const onAbort = () => {
    if (!queued().begun) drop(queued(), signal.reason);
  };
  signal.addEventListener("abort", onAbort);
  return () => signal.removeEventListener("abort", onAbort);
}

/** Resets a write that did not take effect. An abort counts again. */
function handBack(queued: Queued): void {
  queued.begun = false;
  if (queued.signal?.aborted) drop(queued, queued.signal.reason);
}

function drop(queued: Queued, error: unknown): void {
  if (queued.dropped) return;
  queued.dropped = true;
  queued.held?.resolve();
  queued.settle?.();
  queued.reject(error);
}

/** Settles a write with its outcome. */
function settle(queued: Queued, outcome: Outcome): void {
  queued.settle?.();
  try {
    queued.resolve(resultOf(queued.job as Operation<unknown>, outcome));
  } catch (error) {
    queued.reject(error);
  }
}

function resultOf<T>(operation: Operation<T>, outcome: Outcome): T {
  switch (outcome.type) {
    case "done":
      return operation.done(outcome.effects, outcome.revision);
    case "refused":
      return operation.refused(outcome.check, outcome.found);
    case "failed": {
      const { error, at } = outcome;
      throw operation.failed?.(error, at) ?? error;
    }
    case "unclear":
      throw unclearError(operation.action, outcome.error);
  }
}

function noAnswer(): TypeError {
  return new TypeError(
    "Cannot go on: the engine took writes, but answered none of them",
  );
}

function unclearError(action: string, cause: unknown): UnknownOutcomeError {
  return new UnknownOutcomeError(
    `Cannot tell whether ${action} took effect: ${
      reasonOf(cause)
    }, so the write may have taken effect; read the entries again, then decide`,
    { cause },
  );
}
