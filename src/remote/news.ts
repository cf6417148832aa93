/**
 * Wakes the watches that have seen everything, when a server tells that there is
 * more.
 *
 * A notification is a hint, the sweep is the guarantee. Both come down to a look
 * at the server: how far its log is, and which kinds have changed. The
 * invariant: a watch never waits for a change that a hint told of after its last
 * read began.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import type { Wait } from "../engine/change_log.ts";
import type { Cursor } from "../engine/cursor.ts";
import { Backoff } from "./backoff.ts";

/** What a look found. */
export interface News {
  /** The newest revision. */
  readonly head: number;
  /** The mark of the newest change. */
  readonly mark?: number;
  /**
   * The marks of the changes at the revisions that it was asked about, as far as
   * the log has them: others, if the log was put back.
   */
  readonly marks: ReadonlyMap<number, number>;
  /** The kinds that changed since; absent if that is not known. */
  readonly kinds?: ReadonlySet<string>;
}

/** What the watches wait for. */
export interface NewsSource {
  /**
   * Looks at what came past the first of some revisions, and at the marks of all.
   * It may fail: then there is a next look.
   */
  look(revisions: readonly [after: number, ...number[]]): Promise<News>;
  /** The longest time between two looks, in ms; asked before each. */
  interval(): number;
  /** After how many revisions of other kinds a watch is woken all the same. */
  readonly bookmarkInterval: number;
  /** Watches begin to wait, or none waits any more. */
  onWaiting?(isWaiting: boolean): void;
}

interface Waiter {
  readonly wait: Wait;
  wake(cursor: number): void;
}

/** The watches that wait. */
export class NewsWaits {
  readonly #source: NewsSource;
  readonly #waiting = new Set<Waiter>();
  /** Each watch that waits has seen the changes of its kinds up to here. */
  #seen: Cursor = { revision: 0, mark: undefined };
  /** A hint came that no look has followed. */
  #isHinted = false;
  #isLooking = false;
  #isClosed = false;
  /** Grows while looks fail. */
  #trouble: Backoff | undefined;
  #sweep: {
    readonly timer: ReturnType<typeof setTimeout>;
    readonly persistent: boolean;
  } | undefined;

  /** Takes what they wait for. */
  constructor(source: NewsSource) {
    this.#source = source;
  }

  /** How many watches wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when there may be changes for a watch, or when it ends. */
  wait(wait: Wait): Promise<number> {
    const { after, signal } = wait;
    const isFirst = this.#waiting.size === 0;
    // The server may have been put back since somebody waited last.
    if (isFirst) {
      this.#seen = { revision: after, mark: wait.mark };
    }
    if (signal.aborted || this.#isClosed || after < this.#seen.revision) {
      return Promise.resolve(after);
    }
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
    if (this.#isHinted) this.#look();
    else this.#plan();
    return promise;
  }

  /**
   * There may be something new. The watches of a kind that has changed read at
   * once; the others learn how far the log is.
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
        // If all went on meanwhile, the answer is not about those that wait now.
        if (seen === this.#seen) this.#tell(news);
        else this.#isHinted = true;
      } catch {
        // The server cannot be reached: the next look comes soon.
        this.#isHinted = false;
        this.#trouble ??= new Backoff();
      }
    } while (this.#isHinted && this.#waiting.size > 0);
    this.#isLooking = false;
    this.#plan();
  }

  /** Where the watches are that have read past `#seen`. */
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
      // Let the watch read: then it is told what is the matter.
      const isAstray = isPutBack ||
        isElsewhere({ revision: after, mark: wait.mark }, news);
      const isFar = head - after >= this.#source.bookmarkInterval;
      if (isNews || isAstray || isFar) wake(after);
    }
  }

  /** Plans the next look, as long as somebody waits. */
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

  /** The time until the next look, in ms: more and more while looks fail. */
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

/** Whether the log has not reached a change, or has another one there: it was put back. */
function isElsewhere(
  { revision, mark }: Cursor,
  { head, marks }: News,
): boolean {
  if (revision > head) return true;
  const found = marks.get(revision);
  return mark !== undefined && found !== undefined && mark !== found;
}
