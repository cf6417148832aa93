/**
 * Decides who may use a storage's only connection, and when.
 *
 * The invariants:
 * - A read never runs while a write transaction is open, so it sees only
 *   committed data.
 * - Nothing is written while a moment that excludes writes is read.
 * - Waiting callers go on in the order in which they came.
 *
 * @module
 */
import { Gate } from "../base/gate.ts";
import type { MaybePromise } from "../base/promises.ts";
import { runInSlices, SHORT_SLICE_MS } from "../base/slice.ts";
import { retryWhileBusy } from "../engine/lock_wait.ts";
import type { Moment } from "./storage.ts";

/** A moment that is being read. */
interface OpenedMoment<M extends Moment> {
  readonly moment: M;
  /** Lets writes go on. */
  close(): void;
}

/** The turns of one storage. */
export class Turns {
  readonly #isBusy: (error: unknown) => boolean;
  readonly #busyTimeout: number;
  /** The gate of the open transaction, or of work that runs alone. It opens at the end. */
  #transaction: Gate | undefined;
  /** The gates of the moments that exclude writes. Each opens when its moment is closed. */
  readonly #moments = new Set<Gate>();

  /**
   * Takes a function that recognizes the lock of another connection, and how
   * long to wait for such a lock, in ms.
   */
  constructor(isBusy: (error: unknown) => boolean, busyTimeout: number) {
    this.#isBusy = isBusy;
    this.#busyTimeout = busyTimeout;
  }

  /** Runs a read as soon as no transaction is open: at once if there is none. */
  read<T>(work: () => T, signal?: AbortSignal): MaybePromise<T> {
    signal?.throwIfAborted();
    if (this.#transaction === undefined) {
      try {
        return work();
      } catch (error) {
        if (!this.#isBusy(error)) throw error;
      }
    }
    return this.#readLater(work, signal);
  }

  /** Runs a read, if it can run at once. */
  readNow<T>(work: () => T): T | undefined {
    if (this.#transaction !== undefined) return undefined;
    try {
      return work();
    } catch (error) {
      if (this.#isBusy(error)) return undefined;
      throw error;
    }
  }

  #readLater<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    return this.retry(() => this.readOnce(work, signal), signal);
  }

  /** Runs a read when no transaction is open. It does not wait for locks of other connections. */
  async readOnce<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    while (this.#transaction) await this.#transaction.wait(signal);
    return work();
  }

  /** Retries until it gets the lock of another connection. Then it throws the error of the last try. */
  retry<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    return retryWhileBusy(work, this.#isBusy, this.#busyTimeout, signal);
  }

  /**
   * Opens a moment to read, which may exclude writes. Both are one step, so
   * that no write comes in between.
   */
  #open<M extends Moment>(openMoment: () => M): OpenedMoment<M> {
    const moment = openMoment();
    const closed = new Gate();
    if (moment.keepsWritesOut) this.#moments.add(closed);
    const close = () => {
      this.#moments.delete(closed);
      closed.open();
      moment.close();
    };
    return { moment, close };
  }

  /** Reads a moment in slices. Other reads go on meanwhile. */
  async readInSlices<M extends Moment, T>(
    openMoment: () => M,
    read: (moment: M) => Generator<void, T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const open = () => this.#open(openMoment);
    const { moment, close } = await this.read(open, signal);
    try {
      return await runInSlices(read(moment), signal, SHORT_SLICE_MS);
    } finally {
      close();
    }
  }

  /**
   * Reads a moment with several calls. If another connection's lock gets in the
   * way, it begins again.
   */
  readTogether<T>(
    openMoment: () => Moment,
    read: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.retry(async () => {
      while (this.#transaction) await this.#transaction.wait(signal);
      const { close } = this.#open(openMoment);
      try {
        return await read();
      } finally {
        close();
      }
    }, signal);
  }

  /** Whether a transaction may begin now. */
  get areFree(): boolean {
    return this.#transaction === undefined && this.#moments.size === 0;
  }

  /**
   * Resolves when a transaction might begin. Another caller may be faster, so
   * check again.
   */
  async free(signal?: AbortSignal): Promise<void> {
    if (this.#transaction) await this.#transaction.wait(signal);
    for (const closed of this.#moments) await closed.wait(signal);
  }

  /** Resolves when every moment that was being read has been closed. */
  async momentsClosed(signal?: AbortSignal): Promise<void> {
    while (this.#moments.size > 0) await this.free(signal);
  }

  /** Excludes all others until the returned function is called. Call it when the turns are free. */
  hold(): () => void {
    const gate = this.#transaction = new Gate();
    return () => {
      this.#transaction = undefined;
      gate.open();
    };
  }

  /**
   * Runs work that takes time, and excludes all others. If `work` throws at
   * once that another connection holds the lock, it is retried.
   */
  async alone<T>(
    work: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const begin = () => this.#beginAlone(work, signal);
    const { result } = await this.retry(begin, signal);
    return await result;
  }

  /** The same, without a retry. */
  async aloneOnce<T>(
    work: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { result } = await this.#beginAlone(work, signal);
    return await result;
  }

  /** Begins it. Returns its result in an object, because it must not be retried after it has begun. */
  async #beginAlone<T>(
    work: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<{ readonly result: T | Promise<T> }> {
    // Another one may have begun before this one goes on.
    while (!this.areFree) await this.free(signal);
    const release = this.hold();
    try {
      const result = work();
      if (!(result instanceof Promise)) {
        release();
        return { result };
      }
      return { result: result.finally(release) };
    } catch (error) {
      release();
      throw error;
    }
  }
}
