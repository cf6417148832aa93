/**
 * The operations of a store, from opening to closing. Each takes its turn, and
 * the store closes when all have settled.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { StoreClosedError, StoreUnsupportedError } from "../contract/errors.ts";
import type { VerifyFinding } from "../contract/verify.ts";
import type { Engine, Judge } from "../engine/engine.ts";
import type { Observer } from "../engine/observer.ts";
import type { Operation } from "../engine/operation.ts";
import { Queue } from "../engine/queue.ts";
import type { Watch } from "./watch_stream.ts";

/** The operations of one store. */
export class Lifecycle {
  /** The watches that are open. */
  readonly watches: Set<Watch> = new Set();
  readonly #engine: Engine;
  readonly #queue: Queue;
  /** Operations that were called and have not settled. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #closer = new AbortController();
  #closing: Promise<void> | undefined;

  /**
   * Takes over an engine, and how long its writes wait for another connection's
   * lock, in ms.
   */
  constructor(engine: Engine, busyTimeout: number) {
    this.#engine = engine;
    this.#queue = new Queue(engine, busyTimeout);
  }

  /** Aborts when the store begins to close. */
  get closing(): AbortSignal {
    return this.#closer.signal;
  }

  /** Who is told of the store's writes, and of the events of watches that begin from now on. */
  get observer(): Observer | undefined {
    return this.#queue.observer;
  }

  set observer(observer: Observer | undefined) {
    this.#queue.observer = observer;
  }

  /** Throws `StoreClosedError` if the store is closed, or closing. */
  assertOpen(): void {
    if (this.#closing) throw new StoreClosedError();
  }

  /** Throws if the store is read-only. */
  assertWritable(action: string): void {
    this.assertOpen();
    this.#engine.assertWritable(action);
  }

  /**
   * Runs a read after the writes called before it; at once if no write waits.
   */
  read<T>(
    action: string,
    work: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): MaybePromise<T> {
    this.assertOpen();
    const result = this.afterWrites(action, work, signal);
    return result instanceof Promise ? this.track(result) : result;
  }

  /**
   * The same, for a step of an operation that was called before the store began
   * to close.
   */
  afterWrites<T>(
    action: string,
    work: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): T | Promise<T> {
    signal?.throwIfAborted();
    if (!this.#queue.isIdle) {
      return this.#wait(action, this.#queue.settled(signal).then(work));
    }
    try {
      const result = work();
      return isPromise(result) ? this.#wait(action, result) : result;
    } catch (error) {
      throw this.#engine.errorOf(action, error);
    }
  }

  async #wait<T>(action: string, result: PromiseLike<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw this.#engine.errorOf(action, error);
    }
  }

  /** Runs a write in its turn. */
  write<T>(operation: Operation<T>, signal?: AbortSignal): Promise<T> {
    this.assertOpen();
    if (this.#engine.isReadOnly) this.#engine.assertWritable(operation.action);
    return this.#queue.write(operation, signal);
  }

  /**
   * Runs work that later writes wait for, after the writes called before it.
   */
  turn<T>(
    action: string,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    this.assertWritable(action);
    return this.#queue.turn({ action, run: work }, signal);
  }

  /** The faults in the storage, after the writes called before. */
  async verify(judge: Judge, signal?: AbortSignal): Promise<VerifyFinding[]> {
    this.assertOpen();
    signal?.throwIfAborted();
    if (!this.#engine.capabilities.verify) {
      throw new StoreUnsupportedError(
        "Cannot verify: what keeps this store cannot look through it",
      );
    }
    await this.track(this.#queue.settled(signal));
    return await this.#engine.verify(judge, signal);
  }

  /** The newest revision, in order with the writes. */
  head(): MaybePromise<number> {
    return this.#queue.head();
  }

  /** Notes an operation, so that closing waits for it. */
  track<T>(operation: Promise<T>): Promise<T> {
    this.#running.add(operation);
    const done = () => this.#running.delete(operation);
    operation.then(done, done);
    return operation;
  }

  /**
   * Closes the engine when every operation has settled. A second call waits for
   * the same.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    // From here on, the store counts as closing, also for calls of listeners.
    await undefined;
    this.#closer.abort(new StoreClosedError());
    await this.#queue.drained();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    for (const watch of this.watches) watch.end();
    // A watch may have asked for the newest revision.
    await this.#queue.drained();
    await this.#engine.close();
  }
}
