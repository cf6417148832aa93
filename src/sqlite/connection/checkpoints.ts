/**
 * When the write-ahead log is copied into the database, and how large its file
 * may stay.
 *
 * A checkpoint of 4 MB takes some 20 ms, and large values fill that much with
 * a few dozen writes. So a log of that size is only due for one: this module
 * makes it when nobody has written for a moment, and so after the writes have
 * resolved. If writes never pause, the log grows to four times as much, and
 * then a commit makes the checkpoint.
 *
 * SQLite 3.7.0 to 3.51.2 can lose commits: a checkpoint reads how long the log
 * is, a commit of another connection then begins the log anew, and the
 * checkpoint marks frames of the new log as copied that it never copied
 * (https://sqlite.org/wal.html#the_wal_reset_bug). A log is begun anew only by
 * a connection that holds the write lock (`walRestartLog` and `walRestartHdr`
 * in SQLite's wal.c). So with such a library
 *
 * - SQLite makes no checkpoint with a commit by itself, and
 * - this module makes one only while a second connection holds the write lock,
 *   from before the checkpoint reads the log's length until it has ended.
 *
 * The last connection to close makes one too. It holds the database's exclusive
 * lock, which it gets only if there is no other connection.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import type { Database } from "./database.ts";
import type { Connection } from "../driver/driver.ts";
import { isBusy } from "./failure.ts";
import {
  GET_PAGE_SIZE,
  GET_SQLITE_VERSION,
  GET_USER_VERSION,
} from "./queries.ts";

/** From how many pages on the log is due for a checkpoint. */
const CHECKPOINT_PAGES = 1_000;

/**
 * With how many pages in the log a commit makes the checkpoint. One table of
 * the log's index has 4062 pages, so reads of such a log are as fast
 * (https://sqlite.org/walformat.html#wal_index_format).
 */
const MOST_PAGES = 4_000;

/** How long nobody has written when a checkpoint is made that is due, in ms. */
const PAUSE_MS = 10;

/** In bytes (https://sqlite.org/fileformat2.html#walformat). */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;

/** How many commits come before a checkpoint if Deno may not see how large the log is. */
const COMMITS_UNSEEN = 100;

/** No commit makes a checkpoint by itself. */
export const DISABLE_CHECKPOINTS = "PRAGMA wal_autocheckpoint = 0";

/** The file of the write-ahead log is cut to so many bytes when the log begins anew. */
function limitLog(bytes: number): string {
  return `PRAGMA journal_size_limit = ${bytes}`;
}

/** What a connection knows of its checkpoints. */
export interface CheckpointPlan {
  /** Whether SQLite makes them by itself. */
  readonly areAutomatic: boolean;
  /** From how many bytes on the log is due for one. Its file is cut to that when it begins anew. */
  readonly logLimit: number;
  /** From how many bytes on a commit makes one. */
  readonly mostLog: number;
}

/**
 * Sets up a connection before it writes: which checkpoints its library may
 * make, and to how many bytes the log's file is cut.
 */
export function planCheckpoints(connection: Connection): CheckpointPlan {
  const { version } = connection.prepare(GET_SQLITE_VERSION).get()!;
  const { page_size } = connection.prepare(GET_PAGE_SIZE).get()!;
  const areAutomatic = hasSafeCheckpoints(String(version));
  connection.exec(
    areAutomatic
      ? `PRAGMA wal_autocheckpoint = ${MOST_PAGES}`
      : DISABLE_CHECKPOINTS,
  );
  const bytesOf = (pages: number) =>
    LOG_HEADER + pages * (FRAME_HEADER + (page_size as number));
  const logLimit = bytesOf(CHECKPOINT_PAGES);
  connection.exec(limitLog(logLimit));
  return { areAutomatic, logLimit, mostLog: bytesOf(MOST_PAGES) };
}

/** Whether a version of SQLite has the mend: 3.51.3 and later, 3.50.7 and 3.44.6 of their lines. */
export function hasSafeCheckpoints(version: string): boolean {
  const [major, minor, patch] = version.split(".").map(Number);
  if (major !== 3) return major > 3;
  switch (minor) {
    case 44:
      return patch >= 6;
    case 50:
      return patch >= 7;
    case 51:
      return patch >= 3;
    default:
      return minor > 51;
  }
}

/**
 * Moves everything that is in the write-ahead log to the database, and cuts its
 * file. Tells whether that is done: not if another connection writes, or still
 * reads what is in the log. Without such a log there is nothing to do. For
 * a library whose checkpoints are safe.
 *
 * The checkpoint takes the write lock before it reads how long the log is. If
 * it does not get that, SQLite makes a passive one, and tells that it was busy
 * (https://sqlite.org/c3ref/wal_checkpoint_v2.html).
 */
export function emptyLog(database: Database): boolean {
  try {
    return database.get("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

/** What SQLite tells of a checkpoint (https://sqlite.org/pragma.html#pragma_wal_checkpoint). */
interface CheckpointResult {
  readonly busy: number;
  /** How many pages are in the log. */
  readonly log: number;
  /** How many of them are copied. */
  readonly checkpointed: number;
}

/** What a connection's checkpoints are made with. */
export interface CheckpointerConfig extends CheckpointPlan {
  readonly database: Database;
  /** Opens the second connection. */
  openSecond(): Database;
  /** Whether the open files are those at their paths. */
  areInPlace(): boolean;
}

/** Makes the checkpoints of a connection that writes. */
export class Checkpointer {
  readonly #config: CheckpointerConfig;
  #commits = 0;
  /** From how many bytes of the log on the next checkpoint is due. */
  #dueAt: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When to look at the log's size again, in the time of `performance.now`. */
  #lookAt = 0;

  /** Takes the connection, and what to do for it. */
  constructor(config: CheckpointerConfig) {
    this.#config = config;
    this.#dueAt = config.logLimit;
  }

  /**
   * Makes a checkpoint, now or soon, if the log is due for one. Takes what gives
   * the bytes of the log's file, if they can be told. It is asked now and
   * then, as long as the log is small: a look takes as long as a part of a commit.
   */
  afterCommit(walSizeNow: () => number | undefined): void {
    this.#commits++;
    const { areAutomatic, logLimit, mostLog } = this.#config;
    // It waits for a pause already, and SQLite looks whether the log grows too large.
    if (areAutomatic && this.#timer !== undefined) return;
    const now = performance.now();
    if (now < this.#lookAt) return;
    const walSize = walSizeNow();
    if (walSize === undefined) {
      if (!areAutomatic && this.#commits % COMMITS_UNSEEN === 0) this.#try();
      return;
    }
    if (walSize <= this.#dueAt) {
      this.#lookAt = now + PAUSE_MS;
      return;
    }
    const isUrgent = walSize > this.#dueAt + mostLog - logLimit;
    if (isUrgent && !areAutomatic) this.#try(walSize);
    else this.#waitForPause(walSize);
  }

  /** Makes a checkpoint when no commit has come for a moment. */
  #waitForPause(walSize: number): void {
    if (this.#timer !== undefined) return;
    const commits = this.#commits;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#commits !== commits) this.#waitForPause(walSize);
      // What SQLite has open may be another file than the next store would see.
      else if (this.#config.areInPlace()) this.#try(walSize);
    }, PAUSE_MS);
    platform.unrefTimer(this.#timer);
  }

  #try(walSize?: number): void {
    const { logLimit } = this.#config;
    try {
      const { log, checkpointed } = this.#run();
      // Somebody still reads what is in the log: that may take a while.
      const isHeldUp = log !== checkpointed;
      this.#dueAt = isHeldUp && walSize !== undefined
        ? walSize + logLimit / 4
        : logLimit;
    } catch {
      // A checkpoint that fails loses nothing: the log stays as it is, and the
      // next commit tries again. What is wrong with the file, the next read or
      // write tells.
    }
  }

  /**
   * Moves everything that is in the write-ahead log to the database, and cuts
   * its file. Tells whether that is done: not if another connection writes, or
   * still reads what is in the log. Without such a log there is nothing to do.
   */
  emptyLog(): boolean {
    const { database, areAutomatic } = this.#config;
    if (areAutomatic) return emptyLog(database);
    try {
      const { busy, log, checkpointed } = this.#run();
      // In another journal mode both are -1.
      if (log <= 0) return true;
      if (busy !== 0 || log !== checkpointed) return false;
      this.#beginLogAnew();
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  /** No checkpoint is made from here on. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** Makes a checkpoint; throws if another connection has a lock that is in the way. */
  #run(): CheckpointResult {
    const { database, areAutomatic } = this.#config;
    return areAutomatic ? checkpoint(database) : this.#runLocked();
  }

  /** The same while a second connection holds the write lock. */
  #runLocked(): CheckpointResult {
    const second = this.#config.openSecond();
    try {
      second.run("BEGIN IMMEDIATE");
      const result = checkpoint(this.#config.database);
      second.rollBack();
      return result;
    } finally {
      second.close();
    }
  }

  /**
   * Cuts the log's file. A log that was copied as a whole begins anew with the
   * next commit, so this makes one that changes nothing.
   */
  #beginLogAnew(): void {
    const { database, logLimit } = this.#config;
    const { user_version } = database.get(GET_USER_VERSION)!;
    database.get(limitLog(0));
    try {
      database.run(`PRAGMA user_version = ${user_version}`);
    } finally {
      database.get(limitLog(logLimit));
    }
  }
}

function checkpoint(database: Database): CheckpointResult {
  const result = database.get("PRAGMA wal_checkpoint(PASSIVE)");
  return result as unknown as CheckpointResult;
}
