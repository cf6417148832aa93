/**
 * Puts a store's operations on its storage in order. Writes that wait are
 * committed together (group commit), so that they share one fsync.
 *
 * The invariants:
 * - Writes begin, and settle, in the order in which they were called.
 * - A read runs after the writes called before it have settled, and never while
 *   a transaction is open: it sees what is committed, nothing else.
 * - A transaction holds the event loop no longer than a slice. Many writes
 *   become several transactions; one long write pauses inside its own.
 *
 * @module
 */
import { UnknownOutcomeError } from "../contract/errors.ts";
import { Gate } from "../base/gate.ts";
import { reasonOf } from "../base/messages.ts";
import type { MaybePromise } from "../base/promises.ts";
import { runInSlices, SHORT_SLICE_MS, Slice } from "../base/slice.ts";
import { LockWait, retryWhileBusy } from "./lock_wait.ts";
import type { Moment, Transactions } from "../local/storage.ts";

/** A write, as the queue sees it. */
export type WriteJob<T> = SingleWrite<T> | BulkWrite<T> | LoneWrite<T>;

interface Job {
  /** For messages: "set", "delete", … */
  readonly action: string;
  /** What must be done before the transaction; those called later wait for it too. */
  readonly ready?: Promise<unknown>;
}

/** A write with one statement, its last, or none. */
export interface SingleWrite<T> extends Job {
  /**
   * Does the work inside the transaction; again, when the transaction that it
   * shared had to be rolled back.
   */
  run(): T;
}

/** A write with several statements, which are undone together when it throws. */
export interface BulkWrite<T> extends Job {
  /** How many statements, at most. Asked for when it is ready. */
  size(): number;
  /** The same as `run`, but yields wherever it may pause. */
  steps(): Generator<void, T>;
}

/** A write that is not done inside a transaction, but is one of its own. */
export interface LoneWrite<T> extends Job {
  /** Does the work; throws at once where another connection has the lock: then it is tried again. */
  runAlone(): T;
}

/** What the queue does at the end of each transaction, inside it and after. */
export interface TransactionHooks {
  /** Runs inside each transaction, after its writes. */
  beforeCommit(): void;
  /** Whether what a commit was to write is there, although it failed: it may throw. */
  mayBeCommitted(): boolean;
  /** Runs after each commit. */
  afterCommit(): void;
}

/** What a read gives where another connection has the lock. */
const BUSY = Symbol("busy");

/**
 * A larger write has a transaction of its own. In a shared one it would need
 * a savepoint, under which SQLite keeps a copy of each page that it changes, by
 * now for longer than a quick disk takes for an fsync of its own.
 */
const MOST_SHARED = 100;

type Outcome = { value: unknown } | { error: unknown };

/** A write from its call until the queue has left it behind. */
interface Queued {
  readonly job: WriteJob<unknown>;
  /** When it was called, in the time of `performance.now`. */
  readonly since: number;
  /** Whether `job.ready` has resolved. */
  ready: boolean;
  /** Where it has to: resolves when it has, or the write is dropped. */
  readonly held?: PromiseWithResolvers<void>;
  /** From here on an abort comes too late. */
  begun: boolean;
  /** Settled before it began, as when it was aborted: there is nothing left to do. */
  dropped: boolean;
  /** It shared a transaction that failed: now it gets one of its own. */
  alone: boolean;
  /** Since when a lone write has been refused the lock. */
  lockWait?: LockWait;
  /** What reads that were called after it wait for. */
  left?: Gate;
  settle(outcome: Outcome): void;
}

/** A moment that is being read. */
interface Opened<M extends Moment> {
  readonly moment: M;
  /** Opens when the moment has been closed. */
  readonly closed: Gate;
}

/** The queue of one storage. */
export class WriteQueue {
  readonly #transactions: Transactions;
  readonly #busyTimeout: number;
  readonly #hooks: TransactionHooks;
  readonly #slice = new Slice();
  /** In the order of their calls; those of the open transaction come first. */
  readonly #waiting: Queued[] = [];
  /** The open transaction, or a read that runs alone: it opens when that has ended. */
  #transaction: Gate | undefined;
  /** The moments that keep writes out: each opens when it has been closed. */
  readonly #moments = new Set<Gate>();
  #draining: Promise<void> | undefined;
  /** Since when the lock has been refused. */
  #lockWait: LockWait | undefined;

  /** Takes the transactions, how long to wait for a lock (ms), and the hooks. */
  constructor(
    transactions: Transactions,
    busyTimeout: number,
    hooks: TransactionHooks,
  ) {
    this.#transactions = transactions;
    this.#busyTimeout = busyTimeout;
    this.#hooks = hooks;
  }

  /** Runs a write in its turn. Rejects with `signal.reason` if aborted before it begins. */
  write<T>(job: WriteJob<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const queued: Queued = {
      job,
      since: performance.now(),
      ready: job.ready === undefined,
      held: job.ready && Promise.withResolvers(),
      begun: false,
      dropped: false,
      alone: false,
      settle(outcome) {
        signal?.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.value as T);
      },
    };
    const onAbort = () => {
      if (!queued.begun) drop(queued, signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
    job.ready?.then(() => {
      queued.ready = true;
      queued.held?.resolve();
    }, (error) => drop(queued, error));
    this.#waiting.push(queued);
    this.#draining ??= this.#drain();
    return promise;
  }

  /** Runs a read after the writes called before it: at once where there are none. */
  read<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): MaybePromise<T> {
    return this.#waiting.length === 0
      ? this.readCommitted(action, work, signal)
      : this.#readAfterWrites(action, work, signal);
  }

  /**
   * Runs a read as soon as no transaction is open, whatever writes wait: at
   * once where there is none.
   */
  readCommitted<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): MaybePromise<T> {
    signal?.throwIfAborted();
    if (this.#transaction === undefined) {
      const result = this.#readNow(action, work);
      if (result !== BUSY) return result;
    }
    return this.#readLater(action, work, signal);
  }

  async #readAfterWrites<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    const last = this.#waiting.at(-1)!;
    last.left ??= new Gate();
    await last.left.wait(signal);
    return await this.readCommitted(action, work, signal);
  }

  /** Runs a read; gives `BUSY` where the lock is refused. */
  #readNow<T>(action: string, work: () => T): T | typeof BUSY {
    try {
      return work();
    } catch (error) {
      if (this.#transactions.isBusy(error)) return BUSY;
      throw this.#transactions.errorOf(action, error);
    }
  }

  async #readLater<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    const attempt = async () => {
      while (this.#transaction) {
        await this.#transaction.wait(signal);
      }
      return work();
    };
    try {
      return await retryWhileBusy(
        attempt,
        (error) => this.#transactions.isBusy(error),
        this.#busyTimeout,
        signal,
      );
    } catch (error) {
      throw this.#transactions.errorOf(action, error);
    }
  }

  /**
   * Runs a long read in slices. `open` is called after the writes called before
   * it, and gives the moment to read. It is closed in any case. Other reads go
   * on meanwhile, and so do writes, unless the moment keeps them out: then they
   * wait for its end.
   */
  async readInSlices<M extends Moment, T>(
    action: string,
    open: () => M,
    read: (moment: M) => Generator<void, T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const opened = await this.read(action, () => this.#open(open), signal);
    try {
      return await this.#finishRead(opened, read, signal);
    } catch (error) {
      throw this.#transactions.errorOf(action, error);
    }
  }

  /**
   * Runs a read at once, if it gives something, else the long one in its place,
   * begun anew if another connection's lock gets in the way.
   */
  async readAtOnceOrInSlices<T>(
    action: string,
    readAtOnce: () => T | undefined,
    read: () => Generator<void, T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const open = () => this.#open(() => this.#transactions.openMoment());
    // In one step: a write between the two would come before the long read.
    const begin = () => {
      const value = readAtOnce();
      return value === undefined ? open() : { value };
    };
    const begun = await this.read(action, begin, signal);
    if ("value" in begun) return begun.value;
    let opened: Opened<Moment> | undefined = begun;
    const finish = async () => {
      const current = opened ?? await this.read(action, open, signal);
      opened = undefined;
      return await this.#finishRead(current, read, signal);
    };
    try {
      return await retryWhileBusy(
        finish,
        (error) => this.#transactions.isBusy(error),
        this.#busyTimeout,
      );
    } catch (error) {
      throw this.#transactions.errorOf(action, error);
    }
  }

  /** Opens a moment to read. In the same step: a write between the two would be in the way. */
  #open<M extends Moment>(open: () => M): Opened<M> {
    const moment = open();
    const closed = new Gate();
    if (moment.keepsWritesOut) this.#moments.add(closed);
    return { moment, closed };
  }

  async #finishRead<M extends Moment, T>(
    { moment, closed }: Opened<M>,
    read: (moment: M) => Generator<void, T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    try {
      return await runInSlices(read(moment), signal, SHORT_SLICE_MS);
    } finally {
      this.#moments.delete(closed);
      closed.open();
      moment.close();
    }
  }

  async #momentsClosed(signal?: AbortSignal): Promise<void> {
    for (const closed of this.#moments) await closed.wait(signal);
  }

  /**
   * Runs a read that takes its own time, after the writes called before it.
   * Whatever is called meanwhile waits for its end. `read` throws at once where
   * another connection has the lock: then it is tried again.
   */
  async readAlone<T>(
    action: string,
    read: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const begin = () => {
      if (this.#moments.size > 0) return undefined;
      const result = read();
      const transaction = this.#transaction = new Gate();
      return { result, transaction };
    };
    let begun = await this.read(action, begin, signal);
    while (!begun) {
      await this.#momentsClosed(signal);
      begun = await this.read(action, begin, signal);
    }
    const { result, transaction } = begun;
    try {
      return await result;
    } catch (error) {
      throw this.#transactions.errorOf(action, error);
    } finally {
      this.#transaction = undefined;
      transaction.open();
    }
  }

  /**
   * Runs a read at this place in the order of operations: at once where no
   * write waits, else between the writes called before and after it.
   */
  readInOrder<T>(action: string, work: () => T): MaybePromise<T> {
    if (this.#draining === undefined && this.#transaction === undefined) {
      const result = this.#readNow(action, work);
      if (result !== BUSY) return result;
    }
    return this.write({ action, run: work });
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
      else if (this.#slice.isUsedUp) await this.#slice.nextTurn();
      // That of a read: its own are ended before it comes here.
      else if (this.#transaction) await this.#transaction.wait();
      else if (this.#moments.size > 0) await this.#momentsClosed();
      else if ("runAlone" in first.job) await this.#runLone(first, first.job);
      else {
        const begun = this.#begin();
        if (begun === true || await begun) await this.#runTransaction();
      }
    }
    this.#draining = undefined;
    this.#lockWait = undefined;
  }

  /** The first write that is still to be done. */
  #first(): Queued | undefined {
    while (this.#waiting[0]?.dropped) this.#waiting.shift()!.left?.open();
    return this.#waiting[0];
  }

  /** Tries a lone write. It has a wait of its own: what is called after it does not give up with it. */
  async #runLone(
    queued: Queued,
    { runAlone }: LoneWrite<unknown>,
  ): Promise<void> {
    this.#lockWait = undefined;
    try {
      const value = runAlone();
      this.#waiting.shift();
      queued.settle({ value });
      queued.left?.open();
      // The reads that waited for the end go before the next transaction.
      return await undefined;
    } catch (error) {
      const wait = queued.lockWait ??= new LockWait();
      const isOver = wait.elapsed >= this.#busyTimeout;
      if (isOver || !this.#transactions.isBusy(error)) {
        return this.#failAlone(queued, error);
      }
      await wait.pause(this.#busyTimeout);
    }
  }

  /** Begins a transaction, or tells that the first write got an error instead. */
  #begin(): MaybePromise<boolean> {
    try {
      this.#transactions.begin();
      // In the same step: a read between the two would be in the transaction.
      this.#transaction = new Gate();
      return true;
    } catch (error) {
      if (this.#transactions.isBusy(error)) {
        return this.#waitForLock(error).then(() => false);
      }
      this.#failAlone(this.#waiting[0], error);
      return false;
    }
  }

  /** Pauses; gives up the writes that have waited for `busyTimeout`. */
  async #waitForLock(refusal: unknown): Promise<void> {
    const wait = this.#lockWait ??= new LockWait();
    const oldest = performance.now() - this.#busyTimeout;
    for (const queued of this.#waiting) {
      if (Math.max(queued.since, wait.since) > oldest) break;
      this.#fail(queued, refusal);
    }
    if (this.#first()) await wait.pause(this.#busyTimeout);
  }

  /** Fails a write for what is not the lock's fault: the next wait for that is a new one. */
  #failAlone(queued: Queued, error: unknown): void {
    this.#lockWait = undefined;
    this.#fail(queued, error);
  }

  #fail(queued: Queued, error: unknown): void {
    drop(queued, this.#transactions.errorOf(queued.job.action, error));
  }

  async #runTransaction(): Promise<void> {
    const outcomes: Outcome[] = [];
    let isCommitting = false;
    let failure: { error: unknown; isUnclear: boolean } | undefined;
    try {
      await this.#runBatch(outcomes);
      this.#hooks.beforeCommit();
      isCommitting = true;
      while (!this.#tryCommit()) {
        await this.#lockWait!.pause(this.#busyTimeout);
      }
    } catch (error) {
      this.#transactions.rollBack();
      const isUnclear = isCommitting && await this.#mayBeCommitted(error);
      failure = { error, isUnclear };
    }
    this.#transaction?.open();
    this.#transaction = undefined;
    if (failure?.isUnclear === false) {
      return await this.#handleFailure(failure.error);
    }
    this.#lockWait = undefined;
    this.#hooks.afterCommit();
    const batch = this.#waiting.splice(0, outcomes.length);
    let unclear: { error: unknown } | undefined;
    batch.forEach((queued, i) => {
      const outcome = outcomes[i];
      // A refusal, too, may be due to a write before it that is not there.
      if ("value" in outcome && !queued.dropped) unclear = failure;
      queued.settle(
        unclear ? { error: unclearError(queued, unclear.error) } : outcome,
      );
      queued.left?.open();
    });
    // The reads that waited for the end go before the next transaction.
    await undefined;
  }

  /** Runs as many of the waiting writes as a slice has room for, one at least. */
  async #runBatch(outcomes: Outcome[]): Promise<void> {
    do {
      const queued = this.#waiting[outcomes.length];
      outcomes.push(this.#runSingle(queued) ?? await this.#runBulk(queued));
    } while (this.#hasRoomFor(this.#waiting[outcomes.length]));
  }

  #hasRoomFor(next: Queued | undefined): boolean {
    if (!next?.ready || this.#slice.isUsedUp) return false;
    return !isAlone(next) && !isAlone(this.#waiting[0]);
  }

  /** Runs a write unless it is one of several statements. */
  #runSingle(queued: Queued): Outcome | undefined {
    if (queued.dropped) return { value: undefined };
    const { job } = queued;
    queued.begun = true;
    if (!("run" in job)) return undefined;
    try {
      return { value: job.run() };
    } catch (error) {
      // The storage's failures end the transaction, the caller's own only its write.
      if (this.#transactions.isFailure(error)) throw error;
      return { error };
    }
  }

  async #runBulk(queued: Queued): Promise<Outcome> {
    const steps = (queued.job as BulkWrite<unknown>).steps();
    // What it wrote is undone with the transaction, whatever fails.
    if (isAlone(queued)) return { value: await this.#runSteps(steps) };
    this.#transactions.save();
    let outcome: Outcome;
    try {
      outcome = { value: await this.#runSteps(steps) };
    } catch (error) {
      if (this.#transactions.isFailure(error)) throw error;
      this.#transactions.undo();
      outcome = { error };
    }
    this.#transactions.release();
    return outcome;
  }

  async #runSteps<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (this.#slice.isUsedUp) await this.#slice.nextTurn();
    }
  }

  /** Tries to commit; with a rollback journal a reader's lock may be in the way. */
  #tryCommit(): boolean {
    try {
      this.#transactions.commit();
      return true;
    } catch (error) {
      const wait = this.#lockWait ??= new LockWait();
      if (
        !this.#transactions.isBusy(error) || wait.elapsed >= this.#busyTimeout
      ) throw error;
      return false;
    }
  }

  /**
   * Whether a commit that failed took effect all the same, for all that can be
   * told. Of a rollback journal SQLite deletes first, which is the commit, then
   * syncs the directory, which may fail. To do it all again would do it twice.
   */
  async #mayBeCommitted(failure: unknown): Promise<boolean> {
    const isBusy = (error: unknown) => this.#transactions.isBusy(error);
    if (isBusy(failure)) return false;
    const look = () => this.#hooks.mayBeCommitted();
    try {
      return await retryWhileBusy(look, isBusy, this.#busyTimeout);
    } catch {
      return true;
    }
  }

  /** After a rollback: what shared the transaction does not share the failure. */
  async #handleFailure(failure: unknown): Promise<void> {
    const batch = this.#waiting.filter((queued) => queued.begun);
    for (const queued of batch) queued.begun = false;
    if (this.#transactions.isBusy(failure)) {
      return await this.#waitForLock(failure);
    }
    if (batch.length === 1) return this.#failAlone(batch[0], failure);
    this.#lockWait = undefined;
    for (const queued of batch) queued.alone = true;
  }
}

/** Whether a write, which is ready, is to share its transaction with none. */
function isAlone({ alone, job }: Queued): boolean {
  return alone || "runAlone" in job ||
    ("size" in job && job.size() > MOST_SHARED);
}

function drop(queued: Queued, error: unknown): void {
  queued.dropped = true;
  queued.held?.resolve();
  queued.settle({ error });
}

function unclearError({ job }: Queued, cause: unknown): UnknownOutcomeError {
  return new UnknownOutcomeError(
    `Cannot tell whether ${job.action} took effect: ${
      reasonOf(cause)
    }, after which what it wrote may be there; read it again, then decide`,
    { cause },
  );
}
