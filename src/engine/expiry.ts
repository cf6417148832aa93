/**
 * Removes what has expired, so that its deletion is logged soon. It is a timer
 * that does not keep the process running, and looks again each time: the clock
 * may jump, and others may have removed it, or have written what expires sooner.
 *
 * @module
 */
import { startBackgroundTimer } from "../base/background_timer.ts";
import type { MaybePromise } from "../base/promises.ts";

/** The longest time between two looks, in ms: others may have written. */
const LOOK_MS = 1_000;
/** When the first look comes, in ms: a program that soon ends need not pay for it. */
const FIRST_LOOK_MS = 20;

/** How long others may use the storage before more is removed, in ms. */
const REST_MS = 3;

/**
 * How soon it tries again if another connection has the lock, in ms. It tries
 * often: between the transactions of a busy writer there is little room.
 */
const BUSY_MS = 10;

/** What is done when the time comes. */
export interface ExpiryWork {
  /** Whether others may write what expires. */
  readonly isShared: boolean;
  // Neither waits for the lock of another connection: that would keep the
  // process running. What waits for a turn in this one is ended by the signal.
  /** When the next entry expires, in ms since 1970. */
  next(signal: AbortSignal): MaybePromise<number | undefined>;
  /** Removes some of what has expired, in one transaction; tells whether there may be more. */
  removeSome(signal: AbortSignal): Promise<boolean>;
  /** Whether an error is only that another connection has the lock. */
  isBusy(error: unknown): boolean;
}

/** The timer of a store that may write. */
export class Expiry {
  readonly #work: ExpiryWork;
  #cancelTimer: (() => void) | undefined;
  /** When the timer ends, in ms since 1970. */
  #planned = Infinity;
  #running: Promise<void> | undefined;
  readonly #closed = new AbortController();

  /** Takes what is to be done. */
  constructor(work: ExpiryWork) {
    this.#work = work;
  }

  /** Begins to look. */
  start(): void {
    if (this.#work.isShared) this.#plan(Date.now() + FIRST_LOOK_MS);
  }

  /** An entry was written that expires then, in ms since 1970. */
  expect(at: number): void {
    if (at < this.#planned) this.#plan(at);
  }

  #plan(at: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#planned = Infinity;
    if (this.#closed.signal.aborted || at === Infinity) return;
    const now = Date.now();
    const pause = Math.max(0, Math.min(at - now, LOOK_MS));
    this.#planned = now + pause;
    this.#cancelTimer = startBackgroundTimer(pause, () => this.#look());
  }

  #look(): void {
    this.#planned = Infinity;
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  async #run(): Promise<void> {
    let next = Infinity;
    try {
      next = await this.#removeSome();
    } catch (error) {
      // Whoever reads or writes is told. For this there is a next time.
      next = Date.now() + (this.#work.isBusy(error) ? BUSY_MS : LOOK_MS);
    }
    const longest = this.#work.isShared ? Date.now() + LOOK_MS : Infinity;
    const at = Math.min(next, longest, this.#planned);
    // Somebody may have written meanwhile.
    if (at < Infinity) this.#plan(at);
  }

  /** Removes some of what has expired; gives when to look again. */
  async #removeSome(): Promise<number> {
    const { signal } = this.#closed;
    const next = await this.#work.next(signal) ?? Infinity;
    const now = Date.now();
    if (next > now || signal.aborted) return next;
    if (await this.#work.removeSome(signal)) return Date.now() + REST_MS;
    const after = await this.#work.next(signal) ?? Infinity;
    // If something is left that had expired then, it cannot be removed.
    return Math.max(after, Date.now() + (after <= now ? LOOK_MS : REST_MS));
  }

  /** Looks no more; resolves when nothing is being removed. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#plan(Infinity);
    await this.#running;
  }
}
