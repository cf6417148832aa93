/**
 * Empties a write-ahead log into the database, by one checkpoint.
 *
 * @module
 */
import type { Database } from "./database.ts";
import { isBusy } from "./failure.ts";

/**
 * Moves everything that is in the write-ahead log to the database, and cuts its
 * file to 0 bytes. Tells whether that is done: not while another connection
 * writes, or still reads what is in the log. Without such a log there is
 * nothing to do.
 */
export function emptyLog(database: Database): boolean {
  try {
    return database.get(CHECKPOINT)?.busy === 0;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

/**
 * It takes the write lock before it reads how long the log is. If it does not
 * get that, SQLite makes a passive checkpoint, and tells that it was busy
 * (https://sqlite.org/c3ref/wal_checkpoint_v2.html).
 */
const CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)";
