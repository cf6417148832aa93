/**
 * The change log of a local engine: the reads of watches, and the work of a
 * commit.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { WatchOverflowError } from "../contract/errors.ts";
import type { ChangeFilter, ChangeLog, Wait } from "../engine/change_log.ts";
import type { ChangePage } from "../engine/entries.ts";
import {
  assertLogged,
  assertLogReaches,
  LogPruner,
  newsPast,
  READ_WINDOW,
} from "./revisions.ts";
import type { Storage } from "./storage.ts";
import { TailCache, type TailRead } from "./tail_cache.ts";
import type { Turns } from "./turns.ts";
import { type News, type OpenNotifier, Wakeup } from "./wakeup.ts";

/** The parts of a change log. */
export interface ChangeLogConfig {
  readonly storage: Storage;
  readonly turns: Turns;
  /** How many changes it keeps. */
  readonly history: number;
  /** Its newest revision. */
  readonly head: number;
  /** The notifications of writes by other connections. */
  readonly openNotifier: OpenNotifier;
  /** Restores the log, if others dropped its triggers. */
  bringBack(): void;
}

/** A transaction, as the change log knows it before its commit. */
export interface Commit {
  /** The newest revision after the last transaction of this engine. */
  readonly since: number;
  /** The newest revision of this transaction. */
  readonly head: number;
  /** The kinds of the changes in between, if they are known and a watch waits. */
  readonly kinds: ReadonlySet<string> | undefined;
}

/** The change log in a storage. */
export class LocalChangeLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly #storage: Storage;
  readonly #turns: Turns;
  readonly #wakeup: Wakeup;
  readonly #bringBack: () => void;
  readonly #tail = new TailCache();
  readonly #pruner: LogPruner;
  /** The newest revision that watches have found in this turn of the event loop. */
  #headOfTurn: number | undefined;
  #endOfTurn: ReturnType<typeof setImmediate> | undefined;
  /** The newest revision when this engine last committed, or was opened. */
  #head: number;

  /** Takes its parts. */
  constructor(config: ChangeLogConfig) {
    const { storage, history, head } = config;
    this.#storage = storage;
    this.#turns = config.turns;
    this.#bringBack = config.bringBack;
    this.#pruner = new LogPruner(storage, history);
    this.#head = head;
    this.bookmarkInterval = Math.max(1, Math.floor(history / 4));
    this.#wakeup = new Wakeup(
      (after) => this.#read(() => this.#newsPast(after)),
      ({ onWrite, onEnd }) =>
        config.openNotifier({
          onWrite: () => {
            this.#headOfTurn = undefined;
            onWrite();
          },
          onEnd,
        }),
      this.bookmarkInterval,
    );
  }

  #newsPast(after: number): News {
    const news = newsPast(this.#storage, after);
    // A watch that is woken for a newer revision must find it.
    if (news.head !== this.#headOfTurn) this.#headOfTurn = undefined;
    return news;
  }

  /** The newest revision, if it can be read without waiting, and every change is logged. */
  headNow(): number | undefined {
    return this.#turns.readNow(() => this.#loggedHead());
  }

  head(): MaybePromise<number> {
    const withLog = (head: number | undefined) => {
      if (head === undefined) this.#storage.assertWatchable("watch");
      return head ?? this.#storage.headRevision();
    };
    const head = this.#turns.read(() => this.#loggedHead());
    return isPromise(head) ? head.then(withLog) : withLog(head);
  }

  async newest(): Promise<number> {
    await this.#turns.momentsClosed();
    return await this.#read(() => this.#storage.headRevision());
  }

  #loggedHead(): number | undefined {
    return this.#storage.isLogged() ? this.#storage.headRevision() : undefined;
  }

  read(
    filter: ChangeFilter,
    after: number,
    limit: number,
  ): MaybePromise<ChangePage> {
    const read = { filter, after, limit };
    const known = this.#headOfTurn;
    const found = known === undefined ? undefined : this.#find(known, read);
    return found ??
      this.#turns.read(() => this.#readUpTo(this.#lookForHead(), read));
  }

  /** The newest revision: the one found in this turn of the event loop, or from a look at the log. */
  #lookForHead(): number {
    if (this.#headOfTurn !== undefined) return this.#headOfTurn;
    this.#storage.look("watch");
    this.#assertLogged();
    const head = this.#storage.headRevision();
    this.#knowHead(head);
    return head;
  }

  #readUpTo(head: number, read: TailRead): ChangePage {
    const found = this.#find(head, read);
    if (found) return found;
    const { filter, after, limit } = read;
    const until = Math.max(after, Math.min(head, after + READ_WINDOW));
    const page = this.#storage.readChanges(filter, after, until, limit);
    if (page.cursor === head) this.#tail.keep(head, read, page);
    return page;
  }

  /** The page of a read, if the log's newest revision determines it, or if it was read before. */
  #find(head: number, read: TailRead): ChangePage | undefined {
    // This is the most frequent case: the watch has seen the newest change.
    return head === read.after
      ? { changes: [], cursor: head }
      : this.#tail.find(head, read);
  }

  /**
   * Lets the watches that are woken together share one look at the log. The
   * result holds until the next turn of the event loop, a write of this process
   * or a notification.
   */
  #knowHead(head: number): void {
    this.#headOfTurn = head;
    this.#endOfTurn ??= setImmediate(() => {
      this.#endOfTurn = undefined;
      this.#headOfTurn = undefined;
    });
  }

  /** Reads committed data. Fails if other connections would not see the same data. */
  #read<T>(work: () => T): MaybePromise<T> {
    return this.#turns.read(() => {
      this.#storage.look("watch");
      return work();
    });
  }

  /** Throws if the log may lack changes. Then a new log begins, if this engine may write. */
  #assertLogged(): void {
    try {
      assertLogged(this.#storage);
    } catch (error) {
      const isUnlogged = error instanceof WatchOverflowError;
      if (isUnlogged && !this.#storage.isReadOnly) this.#bringBack();
      throw error;
    }
  }

  readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): MaybePromise<ChangePage> {
    return this.#read(() => {
      this.#assertLogged();
      const from = Math.max(after, before - 1 - READ_WINDOW);
      const page = this.#storage.readChangesBack(filter, before, from, limit);
      assertLogReaches(this.#storage, from);
      return page;
    });
  }

  oldest(): MaybePromise<number> {
    return this.#read(() => this.#storage.oldestRevision());
  }

  markOf(revision: number): MaybePromise<number | undefined> {
    return this.#read(() => this.#storage.getMark(revision));
  }

  wait(wait: Wait): Promise<number> {
    // A shared look may be from before these changes. If it hid them, the watch
    // would read and wait again and again, and the turn would never end.
    if (this.#wakeup.isPast(wait.after)) this.#headOfTurn = undefined;
    return this.#wakeup.wait(wait);
  }

  /** Prunes the log, in the transaction that is about to commit. */
  beforeCommit(): Commit {
    const since = this.#head;
    const head = this.#storage.headRevision();
    const kinds = this.#wakeup.isAwaited
      ? this.#storage.writtenKinds(since)
      : undefined;
    this.#pruner.prune(since, head);
    return { since, head, kinds };
  }

  /** Whether the transaction may have been committed. A change of another process gives the same result. */
  mayBeCommitted({ since, head }: Commit): boolean {
    return head > since && this.#storage.headRevision() >= head;
  }

  /** Wakes the watches that wait for the changes of a committed transaction. */
  afterCommit({ since, head, kinds }: Commit): void {
    this.#head = Math.max(this.#head, head);
    // The transaction looked at the file and at the log, so the watches need not.
    if (this.#wakeup.isAwaited) this.#knowHead(this.#head);
    else this.#headOfTurn = undefined;
    this.#wakeup.committed(since, { head, kinds });
  }

  /** Wakes the watches after a transaction that may not have been committed, so that they look at the log. */
  afterUnclearCommit({ since }: Commit): void {
    this.#headOfTurn = undefined;
    this.#wakeup.committed(since, { head: since });
  }
}
