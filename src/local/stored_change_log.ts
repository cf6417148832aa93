/**
 * The change log of a store: what its watches read, and what a commit does to
 * it.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import type { ChangePage, Storage } from "./storage.ts";
import type { WriteQueue } from "../engine/write_queue.ts";
import type {
  ChangeFilter,
  ChangeLog,
  Replay,
  Wait,
} from "../engine/change_log.ts";
import { StoredReplay } from "./replay.ts";
import {
  assertLogged,
  assertLogReaches,
  LogPruner,
  newsPast,
  READ_WINDOW,
} from "./revisions.ts";
import { TailCache } from "./tail_cache.ts";
import { type OpenNotifier, Wakeup } from "./wakeup.ts";

/** The change log in a storage. */
export class StoredChangeLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly #storage: Storage;
  readonly #queue: WriteQueue;
  readonly #wakeup: Wakeup;
  readonly #tail = new TailCache();
  readonly #pruner: LogPruner;
  /** The newest revision when this store last committed, or opened. */
  #head: number;
  /** The newest revision in the transaction that is about to commit. */
  #nextHead: number;

  /**
   * Takes the storage, its queue, how many changes the log keeps, its newest
   * revision, and how to be notified of others' writes.
   */
  constructor(
    storage: Storage,
    queue: WriteQueue,
    history: number,
    head: number,
    openNotifier: OpenNotifier,
  ) {
    this.#storage = storage;
    this.#queue = queue;
    this.#pruner = new LogPruner(storage, history);
    this.#head = this.#nextHead = head;
    this.bookmarkInterval = Math.max(1, Math.floor(history / 4));
    this.#wakeup = new Wakeup(
      (after) => this.#read(() => newsPast(storage, after)),
      openNotifier,
      this.bookmarkInterval,
    );
  }

  head(): MaybePromise<number> {
    const look = () => {
      if (!this.#storage.isLogged()) return undefined;
      return this.#storage.headRevision();
    };
    // There it can have no transaction, and no writes to be in order with.
    const head = this.#storage.isReadOnly
      ? this.#queue.readCommitted("watch", look)
      : this.#queue.readInOrder("watch", look);
    return isPromise(head)
      ? head.then((head) => head ?? this.#newHead())
      : head ?? this.#newHead();
  }

  /** The newest revision, once the log is there again: a write brings the file back to the format. */
  #newHead(): Promise<number> {
    this.#storage.assertWatchable();
    const run = () => this.#storage.headRevision();
    return this.#queue.write({ action: "watch", run });
  }

  read(
    filter: ChangeFilter,
    after: number,
    limit: number,
  ): MaybePromise<ChangePage> {
    return this.#read(() => {
      this.#assertLogged();
      const head = this.#storage.headRevision();
      // As most reads find it. The newest change is there, so none is missing.
      if (head === after) return { changes: [], cursor: after };
      const read = { filter, after, limit };
      const kept = this.#tail.find(head, read);
      if (kept) return kept;
      const page = this.#readPage(filter, after, limit, head);
      if (page.cursor === head) this.#tail.keep(head, read, page);
      return page;
    });
  }

  /** Reads what is committed; fails if that is not what others see. */
  #read<T>(work: () => T): MaybePromise<T> {
    return this.#queue.readCommitted("watch", () => {
      this.#storage.look("watch");
      return work();
    });
  }

  /** If it throws, the log begins anew as soon as this store may write. */
  #assertLogged(): void {
    try {
      assertLogged(this.#storage);
    } catch (error) {
      const isUnlogged = error instanceof WatchOverflowError;
      // Whoever watches or writes next is told if that fails.
      if (isUnlogged && !this.#storage.isReadOnly) {
        this.#newHead().catch(() => {});
      }
      throw error;
    }
  }

  #readPage(
    { kind, keys }: ChangeFilter,
    after: number,
    limit: number,
    head: number,
  ): ChangePage {
    const until = Math.max(after, Math.min(head, after + READ_WINDOW));
    const page = this.#storage.readChanges(kind, keys, after, until, limit);
    assertLogReaches(this.#storage, after);
    return page;
  }

  wait(wait: Wait): Promise<number> {
    return this.#wakeup.wait(wait);
  }

  replay(filter: ChangeFilter, revision: number): Replay {
    return new StoredReplay(this.#storage, this.#queue, filter, revision);
  }

  /** Prunes the log, in the transaction that is about to commit. */
  beforeCommit(): void {
    this.#nextHead = this.#storage.headRevision();
    this.#pruner.prune(this.#head, this.#nextHead);
  }

  /** Whether what was to be committed is there; another process's changes look the same. */
  mayBeCommitted(): boolean {
    return this.#nextHead > this.#head &&
      this.#storage.headRevision() >= this.#nextHead;
  }

  /** Wakes the watches that wait for what was committed. */
  afterCommit(): void {
    this.#head = this.#nextHead;
    this.#wakeup.committed(this.#head);
  }
}
