/**
 * The change log in the file: what watches read, and what a commit does to it.
 *
 * @module
 */
import type { ChangeType } from "../contract.ts";
import type {
  Change,
  ChangeFilter,
  ChangeLog,
  ChangePage,
  Replay,
  Wait,
} from "../watch/change_log.ts";
import type { Database } from "./database.ts";
import type { Row } from "./driver/driver.ts";
import { rangeParams, selectChanges } from "./queries.ts";
import { SqliteReplay } from "./replay.ts";
import type { OpenNotifier } from "./wal_notifier.ts";
import {
  assertLogReaches,
  headRevision,
  newsPast,
  pruneLog,
  READ_WINDOW,
} from "./revisions.ts";
import { Wakeup } from "./wakeup.ts";
import type { WriteQueue } from "./write_queue.ts";

/** The change log of a store's file. */
export class SqliteChangeLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly #database: Database;
  readonly #queue: WriteQueue;
  readonly #wakeup: Wakeup;
  readonly #history: number;
  /** The newest revision when this store last committed, or opened. */
  #head: number;
  /** The newest revision in the transaction that is about to commit. */
  #nextHead: number;

  /**
   * Takes the connection, its queue, how many changes the log keeps, its
   * newest revision, and how to be notified of others' writes.
   */
  constructor(
    database: Database,
    queue: WriteQueue,
    history: number,
    head: number,
    openNotifier: OpenNotifier,
  ) {
    this.#database = database;
    this.#queue = queue;
    this.#history = history;
    this.#head = this.#nextHead = head;
    this.bookmarkInterval = Math.max(1, Math.floor(history / 4));
    this.#wakeup = new Wakeup(
      (after) => queue.readCommitted("watch", () => newsPast(database, after)),
      openNotifier,
      this.bookmarkInterval,
    );
  }

  head(): number | Promise<number> {
    return this.#queue.readInOrder("watch", () => headRevision(this.#database));
  }

  read(
    { kind, keys }: ChangeFilter,
    after: number,
    limit: number,
  ): Promise<ChangePage> {
    return this.#queue.readCommitted("watch", () => {
      const head = headRevision(this.#database);
      const until = Math.max(after, Math.min(head, after + READ_WINDOW));
      const rows = this.#database.all(
        selectChanges(keys),
        after,
        until,
        ...rangeParams(kind, keys),
        limit,
      );
      assertLogReaches(this.#database, after);
      const changes = rows.map(toChange);
      const cursor = rows.length === limit
        ? changes[rows.length - 1].revision
        : until;
      return { changes, cursor };
    });
  }

  wait(wait: Wait): Promise<number> {
    return this.#wakeup.wait(wait);
  }

  replay(filter: ChangeFilter, revision: number): Replay {
    return new SqliteReplay(this.#database, this.#queue, filter, revision);
  }

  /** Prunes the log, in the transaction that is about to commit. */
  beforeCommit(): void {
    this.#nextHead = headRevision(this.#database);
    pruneLog(this.#database, this.#history, this.#head, this.#nextHead);
  }

  /** Wakes the watches that wait for what was committed. */
  afterCommit(): void {
    this.#head = this.#nextHead;
    this.#wakeup.committed();
  }
}

function toChange(row: Row): Change {
  return {
    revision: row.revision as number,
    type: row.type as ChangeType,
    key: row.key as string,
    version: row.version as number,
    value: row.value as Uint8Array,
  };
}
