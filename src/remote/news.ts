/**
 * Wakes the watches that have seen everything, when a server has more changes.
 *
 * A notification is a hint; the regular look is the guarantee. Both look at the
 * server: at the newest revision of its log, and at the kinds that have
 * changed. The invariant: if a hint for a change came after a watch began its
 * last read, the watch does not wait.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import type { Wait } from "../engine/change_log.ts";
import type { Cursor } from "../engine/cursor.ts";
import { Backoff } from "./backoff.ts";

/** The result of a look. */
export interface News {
  /** The newest revision. */
  readonly head: number;
  /** The mark of the newest change. */
  readonly mark?: number;
  /**
   * The marks that the log has at the requested revisions. They differ if the
   * log was put back.
   */
  readonly marks: ReadonlyMap<number, number>;
  /** The kinds that have changed since. Absent if they are not known. */
  readonly kinds?: ReadonlySet<string>;
}

/** The server that the watches wait for. */
export interface NewsSource {
  /**
   * Looks at the changes after the first of some revisions, and at the marks of
   * all. If it fails, another look follows.
   */
  look(revisions: readonly [after: number, ...number[]]): Promise<News>;
  /** The longest time between two looks, in ms. It is called before each look. */
  interval(): number;
  /** After this many revisions of other kinds, a watch is woken, too. */
  readonly bookmarkInterval: number;
  /** Called when watches begin to wait, and when none waits any more. */
  onWaiting?(isWaiting: boolean): void;
}

interface Waiter {
  readonly wait: Wait;
  wake(cursor: number): void;
}

/** The waiting watches. */
export class NewsWaits {
  readonly #source: NewsSource;
  readonly #waiting = new Set<Waiter>();
  /** Each waiting watch has seen the changes of its kinds up to here. */
  #seen: Cursor = { revision: 0, mark: undefined };
  /** Whether a hint came after the last look. */
  #isHinted = false;
  #isLooking = false;
  #isClosed = false;
  /** Grows while looks fail. */
  #trouble: Backoff | undefined;
  #sweep: {
    readonly timer: ReturnType<typeof setTimeout>;
    readonly persistent: boolean;
  } | undefined;

  /** Takes the server to wait for. */
  constructor(source: NewsSource) {
    this.#source = source;
  }

  /** The number of waiting watches. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when there may be changes for a watch, or when it ends. */
  wait(wait: Wait): Promise<number> {
    const { after, signal } = wait;
    const isFirst = this.#waiting.size === 0;
    const isBehind = after < this.#seen.revision;
    if (signal.aborted || this.#isClosed || isBehind && !isFirst) {
      return Promise.resolve(after);
    }
    if (isFirst) this.#seen = { revision: after, mark: wait.mark };
    const { promise, resolve } = Promise.withResolvers<number>();
    const wake = (cursor: number) => {
      this.#waiting.delete(waiter);
      signal.removeEventListener("abort", onAbort);
      resolve(cursor);
      if (this.#waiting.size > 0) return this.#plan();
      this.#plan();
      this.#source.onWaiting?.(false);
    };
    const onAbort = () => wake(after);
    const waiter: Waiter = { wait, wake };
    this.#waiting.add(waiter);
    signal.addEventListener("abort", onAbort);
    if (isFirst) this.#source.onWaiting?.(true);
    // A watch that is behind comes from a pause, in which others took its hints.
    // It looks first, because the server may have been put back meanwhile.
    if (this.#isHinted || isBehind) this.#look();
    else this.#plan();
    return promise;
  }

  /**
   * There may be changes. The watches of a changed kind read at once; the
   * others learn the newest revision.
   */
  hint(kinds: Iterable<string> = []): void {
    this.#isHinted = true;
    const changed = new Set(kinds);
    for (const { wait, wake } of changed.size > 0 ? [...this.#waiting] : []) {
      const isTouched = !wait.kinds ||
        wait.kinds.some((kind) => changed.has(kind));
      if (isTouched) wake(wait.after);
    }
    if (this.#waiting.size > 0) this.#look();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#plan();
    do {
      this.#isHinted = false;
      try {
        const seen = this.#seen;
        const news = await this.#source.look([seen.revision, ...this.#past()]);
        this.#trouble = undefined;
        // If all watches have gone on meanwhile, the answer does not concern
        // those that wait now.
        if (seen === this.#seen) this.#tell(news);
        else this.#isHinted = true;
      } catch {
        // The server cannot be reached. The next look comes soon.
        this.#isHinted = false;
        this.#trouble ??= new Backoff();
      }
    } while (this.#isHinted && this.#waiting.size > 0);
    this.#isLooking = false;
    this.#plan();
  }

  /** The places of the watches that have read past `#seen`. */
  #past(): Set<number> {
    const revisions = new Set<number>();
    for (const { wait: { after } } of this.#waiting) {
      if (after > this.#seen.revision) revisions.add(after);
    }
    return revisions;
  }

  #tell(news: News): void {
    const before = this.#seen;
    const { head, mark, kinds } = news;
    const isPutBack = isElsewhere(before, news);
    this.#seen = { revision: head, mark };
    for (const { wait, wake } of [...this.#waiting]) {
      const { after } = wait;
      const isNews = head > before.revision &&
        (!kinds || !wait.kinds || wait.kinds.some((kind) => kinds.has(kind)));
      // The watch reads, and then gets the error.
      const isAstray = isPutBack ||
        isElsewhere({ revision: after, mark: wait.mark }, news);
      const isFar = head - after >= this.#source.bookmarkInterval;
      if (isNews || isAstray || isFar) wake(after);
    }
  }

  /** Plans the next look while somebody waits. */
  #plan(): void {
    const persistent = this.#isPersistent();
    const isWanted = this.#waiting.size > 0 && !this.#isLooking;
    if (this.#sweep && isWanted && this.#sweep.persistent === persistent) {
      return;
    }
    clearTimeout(this.#sweep?.timer);
    this.#sweep = undefined;
    if (!isWanted) return;
    const timer = setTimeout(() => {
      this.#sweep = undefined;
      this.#look();
    }, this.#pause());
    if (!persistent) platform.unrefTimer(timer);
    this.#sweep = { timer, persistent };
  }

  /** The time until the next look, in ms. It grows while looks fail. */
  #pause(): number {
    const interval = this.#source.interval();
    return this.#trouble ? interval + this.#trouble.next() : interval;
  }

  #isPersistent(): boolean {
    for (const { wait } of this.#waiting) if (wait.persistent) return true;
    return false;
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true;
    for (const { wait, wake } of [...this.#waiting]) wake(wait.after);
  }
}

/** Whether the log has not reached a change, or has another change there, because it was put back. */
function isElsewhere(
  { revision, mark }: Cursor,
  { head, marks }: News,
): boolean {
  if (revision > head) return true;
  const found = marks.get(revision);
  return mark !== undefined && found !== undefined && mark !== found;
}
