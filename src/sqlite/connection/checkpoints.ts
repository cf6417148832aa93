/**
 * Decides when the write-ahead log is copied into the database (a checkpoint),
 * and how large its file may become.
 *
 * A checkpoint of 4 MB takes about 20 ms, and a few dozen writes of large
 * values fill 4 MB. So at this size a checkpoint is only due, and this module
 * makes it when nobody has written for a moment, after the writes have
 * resolved. If writes never pause, the log grows to four times as much; then a
 * commit makes the checkpoint.
 *
 * SQLite 3.7.0 to 3.51.2 can lose commits: a checkpoint reads the length of the
 * log, a commit of another connection then restarts the log, and the checkpoint
 * marks frames of the new log as copied that it never copied
 * (https://sqlite.org/wal.html#the_wal_reset_bug). Only a connection that holds
 * the write lock restarts a log (`walRestartLog` and `walRestartHdr` in
 * SQLite's wal.c). So with such a library
 *
 * - SQLite makes no checkpoint by itself with a commit, and
 * - this module makes one only while a second connection holds the write lock,
 *   from before the checkpoint reads the log's length until it has ended.
 *
 * The last connection to close also makes one. It holds the database's
 * exclusive lock, which it gets only if there is no other connection.
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

/** From this number of pages in the log, a checkpoint is due. */
const CHECKPOINT_PAGES = 1_000;

/**
 * From this number of pages in the log, a commit makes the checkpoint. One
 * table of the log's index has 4062 pages, so reads of such a log are as fast
 * (https://sqlite.org/walformat.html#wal_index_format).
 */
const MOST_PAGES = 4_000;

/** A due checkpoint is made when nobody has written for this time, in ms. */
const PAUSE_MS = 10;

/** In bytes (https://sqlite.org/fileformat2.html#walformat). */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;

/** A checkpoint is made after this many commits if Deno may not read the size of the log. */
const COMMITS_UNSEEN = 100;

/** Commits make no checkpoints by themselves. */
export const DISABLE_CHECKPOINTS = "PRAGMA wal_autocheckpoint = 0";

/** When the log restarts, its file is truncated to this many bytes. */
function limitLog(bytes: number): string {
  return `PRAGMA journal_size_limit = ${bytes}`;
}

/** The settings of a connection for checkpoints. */
export interface CheckpointPlan {
  /** Whether SQLite makes checkpoints by itself. */
  readonly areAutomatic: boolean;
  /**
   * From this number of bytes in the log, a checkpoint is due. Its file is
   * truncated to this size when it restarts.
   */
  readonly logLimit: number;
  /** From this number of bytes in the log, a commit makes a checkpoint. */
  readonly mostLog: number;
}

/**
 * Sets up a connection before it writes: whether SQLite may make checkpoints by
 * itself, and the size to which the log's file is truncated.
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

/**
 * Whether a version of SQLite has the fix: 3.51.3 and later, and 3.50.7 and
 * 3.44.6 of their branches.
 */
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
 * Copies the whole write-ahead log into the database, and truncates its file.
 * Returns whether that is done. It is not done if another connection writes, or
 * still reads from the log. Without a write-ahead log there is nothing to do.
 * It is for a library with safe checkpoints.
 *
 * The checkpoint takes the write lock before it reads the length of the log. If
 * it does not get the lock, SQLite makes a passive checkpoint, and returns that
 * it was busy (https://sqlite.org/c3ref/wal_checkpoint_v2.html).
 */
export function emptyLog(database: Database): boolean {
  try {
    return database.get("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

/** SQLite's result of a checkpoint (https://sqlite.org/pragma.html#pragma_wal_checkpoint). */
interface CheckpointResult {
  readonly busy: number;
  /** The number of pages in the log. */
  readonly log: number;
  /** The number of copied pages. */
  readonly checkpointed: number;
}

/** The parts that the checkpoints of a connection need. */
export interface CheckpointerConfig extends CheckpointPlan {
  readonly database: Database;
  /** Opens the second connection. */
  openSecond(): Database;
  /** Whether the open files are still at their paths. */
  areInPlace(): boolean;
}

/** Makes the checkpoints of a connection that writes. */
export class Checkpointer {
  readonly #config: CheckpointerConfig;
  #commits = 0;
  /** From this number of bytes in the log, the next checkpoint is due. */
  #dueAt: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When to read the log's size again, on the clock of `performance.now`. */
  #lookAt = 0;

  /** Takes the connection, and its settings. */
  constructor(config: CheckpointerConfig) {
    this.#config = config;
    this.#dueAt = config.logLimit;
  }

  /**
   * Makes a checkpoint, now or soon, if one is due. Takes a function that
   * returns the bytes of the log's file, if they are known. While the log is
   * small, it calls the function only now and then, because the call takes a
   * considerable part of the time of a commit.
   */
  afterCommit(walSizeNow: () => number | undefined): void {
    this.#commits++;
    const { areAutomatic, logLimit, mostLog } = this.#config;
    // It waits for a pause already, and SQLite prevents that the log grows too
    // large.
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
      // SQLite may have another file open than the next store would see.
      else if (this.#config.areInPlace()) this.#try(walSize);
    }, PAUSE_MS);
    platform.unrefTimer(this.#timer);
  }

  #try(walSize?: number): void {
    const { logLimit } = this.#config;
    try {
      const { log, checkpointed } = this.#run();
      // Another connection still reads from the log, which may take a while.
      const isHeldUp = log !== checkpointed;
      this.#dueAt = isHeldUp && walSize !== undefined
        ? walSize + logLimit / 4
        : logLimit;
    } catch {
      // A failed checkpoint loses nothing: the log stays, and the next commit
      // tries again. If the file is faulty, the next read or write reports it.
    }
  }

  /**
   * Copies the whole write-ahead log into the database, and truncates its file.
   * Returns whether that is done. It is not done if another connection writes,
   * or still reads from the log. Without a write-ahead log there is nothing to
   * do.
   */
  emptyLog(): boolean {
    const { database, areAutomatic } = this.#config;
    if (areAutomatic) return emptyLog(database);
    try {
      const { busy, log, checkpointed } = this.#run();
      // In another journal mode, both are -1.
      if (log <= 0) return true;
      if (busy !== 0 || log !== checkpointed) return false;
      this.#beginLogAnew();
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  /** No checkpoint is made after this. */
  close(): void {
    // Deno loads its timers when one is first named, which takes 8 ms.
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  /** Makes a checkpoint. Throws if a lock of another connection is in the way. */
  #run(): CheckpointResult {
    const { database, areAutomatic } = this.#config;
    return areAutomatic ? checkpoint(database) : this.#runLocked();
  }

  /** The same, while a second connection holds the write lock. */
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
   * Truncates the log's file. After the whole log was copied, it restarts with
   * the next commit, so this makes a commit that changes nothing.
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
