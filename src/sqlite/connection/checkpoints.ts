/**
 * When the write-ahead log is copied into the database, and how large its file
 * may stay.
 *
 * SQLite 3.7.0 to 3.51.2 can lose commits: a checkpoint reads how long the log
 * is, a commit of another connection then begins the log anew, and the
 * checkpoint marks frames of the new log as copied that it never copied
 * (https://sqlite.org/wal.html#the_wal_reset_bug). A log is begun anew only by
 * a connection that holds the write lock (`walRestartLog` and `walRestartHdr`
 * in SQLite's wal.c). So with such a library
 *
 * - no commit makes a checkpoint by itself, and
 * - this module makes one only while a second connection holds the write lock,
 *   from before the checkpoint reads the log's length until it has ended.
 *
 * The last connection to close makes one too. It holds the database's exclusive
 * lock, which it gets only if there is no other connection.
 *
 * @module
 */
import type { Database } from "./database.ts";
import type { Connection } from "../driver/driver.ts";
import { isBusy } from "./failure.ts";
import {
  GET_PAGE_SIZE,
  GET_SQLITE_VERSION,
  GET_USER_VERSION,
} from "./queries.ts";

/** After how many pages in the log SQLite makes a checkpoint, as a rule. */
const CHECKPOINT_PAGES = 1_000;

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
}

/**
 * Sets up a connection before it writes: which checkpoints its library may
 * make, and to how many bytes the log's file is cut.
 */
export function planCheckpoints(connection: Connection): CheckpointPlan {
  const { version } = connection.prepare(GET_SQLITE_VERSION).get()!;
  const { page_size } = connection.prepare(GET_PAGE_SIZE).get()!;
  const areAutomatic = hasSafeCheckpoints(String(version));
  if (!areAutomatic) connection.exec(DISABLE_CHECKPOINTS);
  const frame = FRAME_HEADER + (page_size as number);
  const logLimit = LOG_HEADER + CHECKPOINT_PAGES * frame;
  connection.exec(limitLog(logLimit));
  return { areAutomatic, logLimit };
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

/** Makes the checkpoints of a connection whose library must not. */
export class Checkpointer {
  readonly #database: Database;
  readonly #logLimit: number;
  readonly #openSecond: () => Database;
  #commits = 0;
  /** From how many bytes of the log on the next checkpoint is due. */
  #dueAt: number;

  /** Takes the connection, when it is due for a checkpoint, and how to open the second one. */
  constructor(
    database: Database,
    logLimit: number,
    openSecond: () => Database,
  ) {
    this.#database = database;
    this.#logLimit = this.#dueAt = logLimit;
    this.#openSecond = openSecond;
  }

  /** Makes a checkpoint if the log is due for one; takes the bytes of the log's file, if they are known. */
  afterCommit(walSize: number | undefined): void {
    this.#commits++;
    const isDue = walSize === undefined
      ? this.#commits % COMMITS_UNSEEN === 0
      : walSize > this.#dueAt;
    if (!isDue) return;
    try {
      const { log, checkpointed } = this.#run();
      // Somebody still reads what is in the log: that may take a while.
      const isHeldUp = log !== checkpointed;
      this.#dueAt = isHeldUp && walSize !== undefined
        ? walSize + this.#logLimit / 4
        : this.#logLimit;
    } catch {
      // A checkpoint that fails loses nothing: the log stays as it is, and the
      // next commit tries again. What is wrong with the file, the next read or
      // write tells.
    }
  }

  /** Does what `emptyLog` does. */
  emptyLog(): boolean {
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

  /** Makes a checkpoint; throws if another connection has a lock. */
  #run(): CheckpointResult {
    const second = this.#openSecond();
    try {
      second.run("BEGIN IMMEDIATE");
      const result = this.#database.get("PRAGMA wal_checkpoint(PASSIVE)");
      second.rollBack();
      return result as unknown as CheckpointResult;
    } finally {
      second.close();
    }
  }

  /**
   * Cuts the log's file. A log that was copied as a whole begins anew with the
   * next commit, so this makes one that changes nothing.
   */
  #beginLogAnew(): void {
    const { user_version } = this.#database.get(GET_USER_VERSION)!;
    this.#database.get(limitLog(0));
    try {
      this.#database.run(`PRAGMA user_version = ${user_version}`);
    } finally {
      this.#database.get(limitLog(this.#logLimit));
    }
  }
}
