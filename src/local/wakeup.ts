/**
 * Wakes the waiting watches when the log may have new changes. All watches of
 * a store share one `Wakeup`, and nothing runs while no watch waits. A wake-up is
 * a hint: the watch reads the log itself, and may find nothing.
 *
 * Every sign of a change leads to a look at the log. The signs are a commit of
 * this process, and a notification that another process writes the file. The
 * notification may come before the data can be read, and a second one may never
 * come. So more looks follow, at first quickly, then more and more slowly, down
 * to the sweep, which continues while a watch waits.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { Wait } from "../engine/change_log.ts";

/**
 * The longest time between two looks while a watch waits, in ms. A look costs
 * an idle process between half a ms and one ms of CPU time.
 */
const SWEEP_MS = 2_000;
/** The same without notifications. */
const POLL_MS = 100;
/** The next look comes after this part of the time since the last sign. */
const GROWTH = 0.5;
/**
 * How long after a sign the looks come at each turn of the event loop, in ms,
 * because a timer takes at least two ms.
 */
const SPIN_MS = 1;
/** The pause before such looks may be repeated if they found nothing, in ms. */
const SPIN_REST_MS = 20;
/** How long after a commit of this process a notification is taken for that commit, in ms. */
const OWN_COMMIT_MS = 5;
/** How long the notifier stays open while no watch waits, in ms, because most watches soon wait again. */
const LINGER_MS = 50;

/** The receiver of notifications. */
export interface WriteListener {
  /** Called after a write. The data can be read now, or very soon. */
  onWrite(): void;
  /** Called when the notifications end. */
  onEnd(): void;
}

/**
 * Notifies a listener until the result is disposed of, and keeps the process
 * running. Returns `undefined` if the system has no notifications.
 */
export type OpenNotifier = (listener: WriteListener) => Disposable | undefined;

/** The notifier for a storage without other writers. It never notifies. */
export const openSilentNotifier: OpenNotifier = () => ({
  [Symbol.dispose]() {},
});

/** The result of a look at the log. */
export interface News {
  /** The newest revision. */
  readonly head: number;
  /** The kinds that changed since; absent if they are not known. */
  readonly kinds?: ReadonlySet<string> | undefined;
}

interface Waiter extends Wait {
  readonly wake: (cursor: number) => void;
}

interface Planned {
  /** The time, on the clock of `performance.now`. */
  readonly at: number;
  /** Whether it keeps the process running. */
  readonly persistent: boolean;
  cancel(): void;
}

/** The only wake-up source of a store's watches. */
export class Wakeup {
  readonly #look: (after: number) => MaybePromise<News>;
  readonly #openNotifier: OpenNotifier;
  readonly #patience: number;
  /** The waiting watches, by their signals. */
  readonly #waiting = new Map<AbortSignal, Waiter>();
  /** How many of them keep the process running. */
  #persistent = 0;
  /** The watches that have waited, and have not ended. */
  readonly #watches = new Set<AbortSignal>();
  /** Every waiting watch has seen the changes of its kinds up to here. */
  #seen = 0;
  /** The newest revision after the last commit of this process. */
  #committed = 0;
  #looking = false;
  #lookAgain = false;
  #next: Planned | undefined;
  /** `null` if there are no notifications. */
  #notifier: Disposable | null | undefined;
  // On the clock of `performance.now`:
  #lastSign = -Infinity;
  #lastSpin = -Infinity;
  #lastCommit = -Infinity;

  /**
   * Takes functions that look for changes after a revision and open a notifier,
   * and the number of revisions of other kinds after which a watch is woken,
   * too.
   */
  constructor(
    look: (after: number) => MaybePromise<News>,
    openNotifier: OpenNotifier,
    patience: number,
  ) {
    this.#look = look;
    this.#openNotifier = openNotifier;
    this.#patience = patience;
  }

  /**
   * Resolves when the log may have changes for a watch, or when its signal aborts.
   * The result is a revision up to which the watch has no changes.
   */
  wait(wait: Wait): Promise<number> {
    const { kinds, after, persistent, signal } = wait;
    if (signal.aborted || this.isPast(after)) return Promise.resolve(after);
    if (this.#waiting.size === 0) this.#seen = after;
    this.#remember(signal);
    const { promise, resolve } = Promise.withResolvers<number>();
    // Copied by name: many watches wait at once, and a spread is slower.
    this.#waiting.set(signal, {
      kinds,
      after,
      persistent,
      signal,
      wake: resolve,
    });
    if (persistent) this.#persistent++;
    if (this.#openedNotifier()) this.#lookNow();
    // If a look is planned already, it is soon enough for this watch, too.
    else if (!this.#isPlanned) this.#planNext();
    return promise;
  }

  /** Whether there are changes after a revision, as far as is known. A watch does not wait for them. */
  isPast(revision: number): boolean {
    return revision < this.#seen || revision < this.#committed;
  }

  /** Whether a watch waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Reports a commit of this process: the changes past a revision. */
  committed(since: number, news: News): void {
    this.#committed = Math.max(this.#committed, news.head);
    this.#lastCommit = performance.now();
    // Other processes may have written before it. Only a look finds their changes.
    const isAll = news.kinds !== undefined && since <= this.#seen;
    if (!isAll || this.#looking) return this.#lookNow();
    this.#tell(news);
    this.#planNext();
  }

  /** Whether a look is planned that keeps the process running exactly if a waiting watch is persistent. */
  get #isPlanned(): boolean {
    return this.#next !== undefined && this.#next.at !== Infinity &&
      this.#next.persistent === this.#persistent > 0;
  }

  #remember(watch: AbortSignal): void {
    if (this.#watches.has(watch)) return;
    this.#watches.add(watch);
    const forget = () => {
      this.#watches.delete(watch);
      const waiter = this.#waiting.get(watch);
      if (waiter) this.#wake(waiter, waiter.after);
      if (this.#watches.size === 0) this.#rest();
      else this.#planNext();
    };
    watch.addEventListener("abort", forget, { once: true });
  }

  #wake(waiter: Waiter, cursor: number): void {
    this.#waiting.delete(waiter.signal);
    if (waiter.persistent) this.#persistent--;
    waiter.wake(cursor);
  }

  // Looking.

  #lookNow(): void {
    if (this.#waiting.size === 0) return;
    if (this.#looking) this.#lookAgain = true;
    else this.#lookUntilQuiet();
  }

  async #lookUntilQuiet(): Promise<void> {
    this.#looking = true;
    do {
      this.#lookAgain = false;
      try {
        this.#tell(await this.#look(this.#seen));
      } catch {
        // The watches get the failure when they read.
        for (const waiter of this.#waiting.values()) {
          this.#wake(waiter, waiter.after);
        }
      }
    } while (this.#lookAgain && this.#waiting.size > 0);
    this.#looking = false;
    this.#planNext();
  }

  #tell({ head, kinds }: News): void {
    const before = this.#seen;
    if (head <= before) return;
    this.#seen = head;
    // More changes may follow, with or without a notification.
    this.#lastSign = performance.now() - SPIN_MS;
    this.#lastSpin = -Infinity;
    for (const waiter of this.#waiting.values()) {
      const isTouched = !kinds || !waiter.kinds ||
        waiter.kinds.some((kind) => kinds.has(kind));
      if (isTouched || head - waiter.after >= this.#patience) {
        this.#wake(waiter, Math.max(before, waiter.after));
      }
    }
  }

  /** Plans the next look, unless an earlier one is planned. */
  #planNext(): void {
    if (this.#looking) return;
    if (this.#waiting.size === 0) return this.#linger();
    const persistent = this.#persistent > 0;
    if (!persistent) this.#closeNotifier();
    const now = performance.now();
    const quiet = now - this.#lastSign;
    const longest = this.#notifier ? SWEEP_MS : POLL_MS;
    const pause = quiet < SPIN_MS ? 0 : Math.min(quiet * GROWTH, longest);
    const at = now + pause;
    if (this.#next?.persistent === persistent && this.#next.at <= at) return;
    this.#next?.cancel();
    this.#next = {
      at,
      persistent,
      cancel: later(pause, persistent, () => {
        this.#next = undefined;
        this.#lookNow();
      }),
    };
  }

  /** No watch waits. Most watches soon wait again, so the notifier stays open for a moment. */
  #linger(): void {
    this.#next?.cancel();
    this.#next = undefined;
    if (!this.#notifier) return;
    const cancel = later(LINGER_MS, false, () => this.#rest());
    this.#next = { at: Infinity, persistent: false, cancel };
  }

  #rest(): void {
    this.#next?.cancel();
    this.#next = undefined;
    this.#closeNotifier();
  }

  // The notifier. It keeps the process running, so it is open only for persistent
  // watches.

  /**
   * Opens the notifier if a watch needs it and it is closed. Returns whether it
   * did: then a look must find the writes before it.
   */
  #openedNotifier(): boolean {
    if (this.#persistent === 0 || this.#notifier !== undefined) return false;
    this.#notifier = this.#openNotifier({
      onWrite: () => this.#onWrite(),
      onEnd: () => {
        this.#notifier = null;
        this.#planNext();
      },
    }) ?? null;
    return true;
  }

  #closeNotifier(): void {
    this.#notifier?.[Symbol.dispose]();
    this.#notifier = undefined;
  }

  #onWrite(): void {
    const now = performance.now();
    const maySpin = now - this.#lastCommit >= OWN_COMMIT_MS &&
      now - this.#lastSpin >= SPIN_REST_MS;
    if (maySpin) this.#lastSign = this.#lastSpin = now;
    else this.#lastSign = Math.max(this.#lastSign, now - SPIN_MS);
    this.#lookNow();
  }
}

/**
 * Calls `work` after a pause in ms; 0 means the next turn of the event loop.
 * Returns a function that cancels it.
 */
function later(ms: number, persistent: boolean, work: () => void): () => void {
  if (ms === 0) {
    const turn = setImmediate(work);
    return () => clearImmediate(turn);
  }
  const timer = setTimeout(work, ms);
  if (!persistent) platform.unrefTimer(timer);
  return () => clearTimeout(timer);
}
