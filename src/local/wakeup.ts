/**
 * Wakes the watches that have seen everything when there may be more: one for
 * all of a store's watches, and nothing that runs while none waits. It is
 * a hint, never a guarantee: a watch reads the log itself, and may find nothing.
 *
 * Whatever the sign of a change, it comes down to a look at the log: at once
 * after an own commit, and after a notification that the file is being written.
 * That may come before what is written can be read, and be the only one, so
 * more looks follow, soon, then ever more slowly, down to the sweep, which goes
 * on as long as somebody waits.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { Wait } from "../engine/change_log.ts";

/** The longest time between two looks while somebody waits, in ms. Each costs an idle process half a ms of CPU time, or one. */
const SWEEP_MS = 2_000;
/** The same where there are no notifications. */
const POLL_MS = 100;
/** When to look again: after this part of the time since the last sign. */
const GROWTH = 0.5;
/** For how long after a sign the looks are a turn of the event loop apart, in ms: a timer takes two at least. */
const SPIN_MS = 1;
/** How soon such looks that found nothing may be made again, in ms. */
const SPIN_REST_MS = 20;
/** For how long after an own commit a notification is taken to be of that, in ms. */
const OWN_COMMIT_MS = 5;
/** How long the notifier stays while nobody waits, in ms: most watches are soon back. */
const LINGER_MS = 50;

/** Who is told. */
export interface WriteListener {
  /** Something was written: it can be read now, or any moment. */
  onWrite(): void;
  /** There will be no more notifications. */
  onEnd(): void;
}

/**
 * Begins to tell a listener, until what it returns is disposed of: nothing
 * where there are no notifications. It keeps the process running meanwhile.
 */
export type OpenNotifier = (listener: WriteListener) => Disposable | undefined;

/** The notifier of what nobody else writes to: there is never anything to tell. */
export const openSilentNotifier: OpenNotifier = () => ({
  [Symbol.dispose]() {},
});

/** What a look at the log found. */
export interface News {
  /** The newest revision. */
  readonly head: number;
  /** The kinds that changed since; absent where that is not known. */
  readonly kinds?: ReadonlySet<string> | undefined;
}

interface Waiter extends Wait {
  readonly wake: (cursor: number) => void;
}

interface Planned {
  /** When, in the time of `performance.now`. */
  readonly at: number;
  /** Whether it keeps the process running. */
  readonly persistent: boolean;
  cancel(): void;
}

/** The one wake-up source of a store's watches. */
export class Wakeup {
  readonly #look: (after: number) => MaybePromise<News>;
  readonly #openNotifier: OpenNotifier;
  readonly #patience: number;
  /** The watches that wait, by their signals. */
  readonly #waiting = new Map<AbortSignal, Waiter>();
  /** How many of them keep the process running. */
  #persistent = 0;
  /** The watches that have waited, and have not ended. */
  readonly #watches = new Set<AbortSignal>();
  /** Whoever waits has seen the changes of its kind up to here. */
  #seen = 0;
  /** The newest revision after the last own commit. */
  #committed = 0;
  #looking = false;
  #lookAgain = false;
  #next: Planned | undefined;
  /** `null` where there is none to be had. */
  #notifier: Disposable | null | undefined;
  // In the time of `performance.now`:
  #lastSign = -Infinity;
  #lastSpin = -Infinity;
  #lastCommit = -Infinity;

  /**
   * Takes how to look for what changed past a revision, how to open
   * a notifier, and after how many revisions of other kinds a watch is woken
   * all the same.
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
   * Resolves when there may be changes for a watch, or its signal aborts, with
   * a revision up to which there are none.
   */
  wait(wait: Wait): Promise<number> {
    const { after, persistent, signal } = wait;
    const isBehind = after < this.#seen || after < this.#committed;
    if (signal.aborted || isBehind) return Promise.resolve(after);
    if (this.#waiting.size === 0) this.#seen = after;
    this.#remember(signal);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(signal, { ...wait, wake: resolve });
    if (persistent) this.#persistent++;
    if (this.#openedNotifier()) this.#lookNow();
    // A look that is planned for those who wait is soon enough for one more.
    else if (!this.#isPlanned) this.#planNext();
    return promise;
  }

  /** Whether a watch waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Tells of an own commit: what changed past a revision. */
  committed(since: number, news: News): void {
    this.#committed = news.head;
    this.#lastCommit = performance.now();
    // What others wrote before it is found by a look.
    const isAll = news.kinds !== undefined && since <= this.#seen;
    if (!isAll || this.#looking) return this.#lookNow();
    this.#tell(news);
    this.#planNext();
  }

  /** Whether a look is planned that keeps the process running if it has to. */
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
        // The watches meet the failure themselves: let them read.
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
    // More may follow, announced or not.
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

  /** Plans the next look, unless one is planned that comes sooner. */
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

  /** Nobody waits. Most watches are soon back: keep the notifier for a moment. */
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

  // The notifier. It keeps the process running, so it is only for those who
  // want that.

  /** Opens the notifier if there was none: what was written before was not told. */
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

/** Calls back after a pause in ms, 0 for the next turn of the event loop; gives what cancels it. */
function later(ms: number, persistent: boolean, work: () => void): () => void {
  if (ms === 0) {
    const turn = setImmediate(work);
    return () => clearImmediate(turn);
  }
  const timer = setTimeout(work, ms);
  if (!persistent) platform.unrefTimer(timer);
  return () => clearTimeout(timer);
}
