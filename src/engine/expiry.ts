/**
 * Removes expired entries, so that their deletions are logged soon. A timer,
 * which does not keep the process running, looks for them again and again: the
 * clock may jump, and others may have removed entries, or have written entries
 * that expire sooner.
 *
 * @module
 */
import { startBackgroundTimer } from "../base/background_timer.ts";
import type { MaybePromise } from "../base/promises.ts";

/**
 * The longest time between two looks, in ms, because others may have written.
 */
const LOOK_MS = 1_000;
/**
 * The delay of the first look, in ms. A program that ends before does not pay
 * for it.
 */
const FIRST_LOOK_MS = 20;

/**
 * The pause between two removals, in ms, in which others can use the storage.
 */
const REST_MS = 3;

/**
 * The pause before a retry if another connection holds the lock, in ms. It is
 * short, because a busy writer leaves little time between its transactions.
 */
const BUSY_MS = 10;

/** The work that the timer does. */
export interface ExpiryWork {
  /** Whether others may write entries that expire. */
  readonly isShared: boolean;
  // Neither function waits for the lock of another connection, because that
  // would keep the process running. The signal ends their wait for a turn in
  // this connection.
  /** The time at which the next entry expires, in ms since 1970. */
  next(signal: AbortSignal): MaybePromise<number | undefined>;
  /**
   * Removes some expired entries, in one transaction. Returns whether there may
   * be more.
   */
  removeSome(signal: AbortSignal): Promise<boolean>;
  /** Whether an error only means that another connection holds the lock. */
  isBusy(error: unknown): boolean;
}

/** The timer of a writable store. */
export class Expiry {
  readonly #work: ExpiryWork;
  #cancelTimer: (() => void) | undefined;
  /** The time of the next look, in ms since 1970. */
  #planned = Infinity;
  #running: Promise<void> | undefined;
  readonly #closed = new AbortController();

  /** Takes the work to do. */
  constructor(work: ExpiryWork) {
    this.#work = work;
  }

  /** Starts the timer. */
  start(): void {
    if (this.#work.isShared) this.#plan(Date.now() + FIRST_LOOK_MS);
  }

  /**
   * Notes that an entry was written which expires at `at`, in ms since 1970.
   */
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
      // Other operations report this failure to their callers. The timer only
      // tries again later.
      next = Date.now() + (this.#work.isBusy(error) ? BUSY_MS : LOOK_MS);
    }
    const longest = this.#work.isShared ? Date.now() + LOOK_MS : Infinity;
    const at = Math.min(next, longest, this.#planned);
    // An entry may have been written meanwhile.
    if (at < Infinity) this.#plan(at);
  }

  /** Removes some expired entries. Returns the time of the next look. */
  async #removeSome(): Promise<number> {
    const { signal } = this.#closed;
    const next = await this.#work.next(signal) ?? Infinity;
    const now = Date.now();
    if (next > now || signal.aborted) return next;
    if (await this.#work.removeSome(signal)) return Date.now() + REST_MS;
    const after = await this.#work.next(signal) ?? Infinity;
    // An entry that had expired then, and is still there, cannot be removed.
    return Math.max(after, Date.now() + (after <= now ? LOOK_MS : REST_MS));
  }

  /** Stops the timer. Resolves when no removal runs. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#plan(Infinity);
    await this.#running;
  }
}
