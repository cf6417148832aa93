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
import type { Connection } from "./driver/driver.ts";
import {
  DISABLE_CHECKPOINTS,
  GET_PAGE_SIZE,
  GET_SQLITE_VERSION,
  limitLog,
} from "./queries.ts";

/** After how many pages in the log SQLite makes a checkpoint, as a rule. */
const CHECKPOINT_PAGES = 1_000;

/** In bytes (https://sqlite.org/fileformat2.html#walformat). */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;

/** How many commits come before a checkpoint if Deno may not see how large the log is. */
const COMMITS_UNSEEN = 100;

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

/** Makes the checkpoints of a connection whose library must not. */
export class Checkpointer {
  readonly #database: Database;
  readonly #logLimit: number;
  readonly #openSecond: () => Database;
  #second: Database | undefined;
  #commits = 0;

  /** Takes the connection, when it is due for a checkpoint, and how to open the second one. */
  constructor(
    database: Database,
    logLimit: number,
    openSecond: () => Database,
  ) {
    this.#database = database;
    this.#logLimit = logLimit;
    this.#openSecond = openSecond;
  }

  /** Makes a checkpoint if the log is due for one; takes the bytes of the log's file, if they are known. */
  afterCommit(walSize: number | undefined): void {
    this.#commits++;
    const isDue = walSize === undefined
      ? this.#commits % COMMITS_UNSEEN === 0
      : walSize > this.#logLimit;
    if (isDue) this.run();
  }

  /** Makes a checkpoint, unless another connection has a lock: then the next commit tries again. */
  run(): void {
    try {
      const second = this.#second ??= this.#openSecond();
      second.run("BEGIN IMMEDIATE");
      try {
        this.#database.all("PRAGMA wal_checkpoint(PASSIVE)");
      } finally {
        second.rollBack();
      }
    } catch {
      // A checkpoint that fails loses nothing: the log stays as it is. What is
      // wrong with the file, the next write or read tells.
    }
  }

  /** Closes the second connection. */
  close(): void {
    this.#second?.close();
    this.#second = undefined;
  }
}
