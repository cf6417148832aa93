/**
 * The watches that have seen all changes, and wait.
 *
 * The feed runs while one of them is persistent, or while a persistent watch
 * reads. Its open request keeps the process running, and the runtime has no way
 * to change that. So if no waiting watch is persistent, a timer looks for changes
 * instead.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import type { Wait } from "../../engine/change_log.ts";
import type { Transaction } from "./change_stream.ts";
import type { Feed } from "./feed.ts";

/** The feed and the times of the waits. */
export interface LogWaitsOptions {
  readonly feed: Feed;
  /** The number of revisions of other kinds after which a watch is woken, too. */
  readonly bookmarkInterval: number;
  /** How long the feed continues when no watch waits or reads, in ms. */
  readonly lingerMs: number;
  /** The time between two looks without a feed, in ms. */
  readonly pollMs: number;
  /** Reads the newest revision. If it rejects, the next look tries again. */
  look(): Promise<number>;
}

interface Waiter {
  readonly wait: Wait;
  wake(): void;
}

/** The watches that wait. */
export class LogWaits {
  readonly #options: LogWaitsOptions;
  readonly #waiting = new Set<Waiter>();
  #isClosed = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** When a persistent watch last read, on the clock of `performance.now`. */
  #lastRead = -Infinity;
  #poll: ReturnType<typeof setTimeout> | undefined;

  /** Takes the feed and the times. */
  constructor(options: LogWaitsOptions) {
    this.#options = options;
  }

  /** Resolves when there may be changes for a watch, or when it ends. */
  wait(wait: Wait): Promise<number> {
    const { after, signal } = wait;
    if (signal.aborted || this.#isClosed || this.#hasNews(wait)) {
      return Promise.resolve(after);
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    const wake = () => {
      if (!this.#waiting.delete(waiter)) return;
      signal.removeEventListener("abort", wake);
      resolve(after);
      this.#plan();
    };
    const waiter: Waiter = { wait, wake };
    this.#waiting.add(waiter);
    signal.addEventListener("abort", wake);
    this.#plan();
    return promise;
  }

  /** Whether the feed has changes for a watch. */
  #hasNews({ after, mark, kinds }: Wait): boolean {
    const { feed, bookmarkInterval } = this.#options;
    const { end } = feed;
    if (!feed.isRunning || !end) return false;
    // Wake the watch: its read finds the changes, or gets the error.
    if (!feed.reaches(after)) return true;
    const found = feed.recordOf(after)?.mark;
    if (mark !== undefined && found !== undefined && mark !== found) {
      return true;
    }
    if (end.head - after >= bookmarkInterval) return true;
    for (const { changes } of feed.after(after)) {
      const isNews = changes.some(({ kind, revision }) =>
        revision > after && (!kinds || kinds.includes(kind))
      );
      if (isNews) return true;
    }
    return false;
  }

  /** Wakes the watches for a new transaction, or if the feed began again. */
  tell(news: Transaction | undefined): void {
    const { bookmarkInterval } = this.#options;
    const head = news?.record.head ?? 0;
    const changed = new Set(news?.changes.map(({ kind }) => kind));
    for (const { wait, wake } of [...this.#waiting]) {
      const { kinds, after } = wait;
      const isNews = news
        ? head - after >= bookmarkInterval || !kinds ||
          kinds.some((kind) => changed.has(kind))
        : this.#hasNews(wait);
      if (isNews) wake();
    }
  }

  /**
   * A persistent watch reads. The feed starts, so that the watch can read from
   * it soon: in a busy store the watch may never have seen everything, and so
   * never wait.
   */
  noteRead(): void {
    const { feed } = this.#options;
    this.#lastRead = performance.now();
    if (feed.isRunning || this.#isClosed) return;
    feed.start();
    this.#plan();
  }

  /** Starts and stops the feed and the timer, as the waiting watches need them. */
  #plan(): void {
    const { feed, pollMs } = this.#options;
    const isWanted = this.#isPersistent() && !this.#isClosed;
    if (isWanted) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
      feed.start();
    } else if (feed.isRunning && this.#linger === undefined) {
      this.#lingerFor(this.#options.lingerMs);
    }
    const isPolling = !isWanted && this.#waiting.size > 0 && !this.#isClosed;
    if (!isPolling) {
      clearTimeout(this.#poll);
      this.#poll = undefined;
    } else if (this.#poll === undefined) {
      this.#poll = setTimeout(() => this.#look(), pollMs);
      platform.unrefTimer(this.#poll);
    }
  }

  /** Stops the feed after a time in ms, unless a watch needs it meanwhile. */
  #lingerFor(ms: number): void {
    this.#linger = setTimeout(() => {
      const { feed, lingerMs } = this.#options;
      const rest = this.#lastRead + lingerMs - performance.now();
      if (rest > 0) return this.#lingerFor(rest);
      this.#linger = undefined;
      feed.stop();
      this.#plan();
    }, ms);
    platform.unrefTimer(this.#linger);
  }

  async #look(): Promise<void> {
    try {
      const head = await this.#options.look();
      for (const { wait, wake } of [...this.#waiting]) {
        if (head !== wait.after) wake();
      }
    } catch {
      // The next look tries again.
    }
    this.#poll = undefined;
    this.#plan();
  }

  #isPersistent(): boolean {
    for (const { wait } of this.#waiting) if (wait.persistent) return true;
    return false;
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true;
    for (const { wake } of [...this.#waiting]) wake();
    clearTimeout(this.#linger);
    clearTimeout(this.#poll);
    this.#linger = this.#poll = undefined;
  }
}
