/**
 * Prepares a file for a store: inspects it before changing it, and upgrades it
 * to the current format.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";
import { retryWhileBusy } from "../../engine/lock_wait.ts";
import {
  type CheckpointPlan,
  planCheckpoints,
} from "../connection/checkpoints.ts";
import {
  GET_JOURNAL_MODE,
  GET_SCHEMA_VERSION,
  GET_USER_VERSION,
} from "../connection/queries.ts";
import type { Connection } from "../driver/driver.ts";
import { isBusy, isNoTransaction } from "../connection/failure.ts";
import type { KnownSchema } from "./known_schema.ts";
import { readHead } from "./log_state.ts";

/**
 * The failures that a resolved write survives. `"full"`: a loss of power, at
 * the cost of one fsync for each commit. `"normal"`: a crash of the process; a
 * loss of power may take the last commits, but never corrupts the file. With
 * `wal: false` both are the same, because a rollback journal needs every fsync
 * to keep the file sound.
 */
export type Durability = "full" | "normal";

/** The settings for a store's file. */
export interface FileSettings {
  /** In ms. */
  readonly busyTimeout: number;
  readonly wal: boolean;
  readonly durability: Durability;
  readonly secureDelete: boolean;
}

/** A file that has just been opened. */
export interface OpenFile {
  readonly connection: Connection;
  readonly schema: KnownSchema;
  readonly isReadOnly: boolean;
}

/** The state of a prepared file. */
export interface PreparedFile {
  /** The newest revision, 0 if there is no change log. */
  readonly head: number;
  /** Absent if the file has no write-ahead log, or is only read. */
  readonly checkpoints?: CheckpointPlan;
}

/** Prepares the file. */
export async function prepareFile(
  { connection, schema, isReadOnly }: OpenFile,
  { busyTimeout, wal, durability, secureDelete }: FileSettings,
  signal: AbortSignal | undefined,
): Promise<PreparedFile> {
  const retry = <T>(work: () => T) =>
    retryWhileBusy(work, isBusy, busyTimeout, signal);
  const look = () => inTransaction(connection, "BEGIN", () => schema.look());
  const state = await retry(look);
  if (isReadOnly) {
    if (state.hasEntries) {
      await retry(() => schema.adaptReads());
      return {
        head: state.hasLog ? await retry(() => readHead(connection)) : 0,
      };
    }
    throw new StoreOpenError(
      "Cannot open store: the file contains no store, and was opened only to read; open it once with mode=rwc",
    );
  }
  await retry(() => connection.exec(SYNC_EVERYTHING));
  const checkpoints = await retry(() => planCheckpoints(connection));
  if (secureDelete) {
    await retry(() => connection.exec("PRAGMA secure_delete = ON"));
  }
  if (schema.isCurrent) await retry(() => assertWritable(connection));
  else {
    await retry(() => upgrade(connection, schema));
    await retry(look);
  }
  const head = await retry(() => readHead(connection));
  // It comes last, because it changes the file, and a refused file must stay
  // unchanged.
  await retry(() =>
    connection.exec(`PRAGMA journal_mode = ${wal ? "WAL" : "DELETE"}`)
  );
  const hasLog = await retry(() => hasWal(connection));
  if (durability === "normal" && hasLog) {
    await retry(() => connection.exec("PRAGMA synchronous = NORMAL"));
  }
  // SQLite opens the write-ahead log with the first read.
  await retry(() => connection.prepare(GET_SCHEMA_VERSION).get());
  return hasLog ? { head, checkpoints } : { head };
}

// With a rollback journal and fewer syncs, a loss of power may corrupt the
// file. NORMAL syncs the journal once, and torn pages in it may pass its
// checksums. FULL does not sync the deletion of the journal, and VACUUM then
// truncates the file that the journal would restore. So NORMAL is only for a
// write-ahead log, which a new file does not have yet. fullfsync is the real
// sync on macOS (https://sqlite.org/pragma.html#pragma_synchronous).
const SYNC_EVERYTHING = "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON";

/** Whether there is a write-ahead log: SQLite creates none if the file system has no shared memory. */
function hasWal(connection: Connection): boolean {
  return connection.prepare(GET_JOURNAL_MODE).get()?.journal_mode === "wal";
}

/**
 * Throws unless the file is writable. SQLite silently opens an unwritable file
 * read-only, and only the first write would fail. It writes a number of the
 * file's header that is there already.
 */
function assertWritable(connection: Connection): void {
  try {
    connection.exec("BEGIN IMMEDIATE");
  } catch (error) {
    // It is writable, but another connection holds the lock.
    if (isBusy(error)) return;
    throw error;
  }
  try {
    const { user_version } = connection.prepare(GET_USER_VERSION).get()!;
    connection.exec(`PRAGMA user_version = ${user_version}`);
  } finally {
    rollBack(connection);
  }
}

/** It looks again while it holds the lock, because another process may have upgraded the file. */
function upgrade(connection: Connection, schema: KnownSchema): void {
  inTransaction(connection, "BEGIN IMMEDIATE", () => {
    if (schema.bringUp()) connection.exec("COMMIT");
  });
}

/** Works in a transaction, and rolls back unless `work` commits. */
function inTransaction<T>(
  connection: Connection,
  begin: string,
  work: () => T,
): T {
  connection.exec(begin);
  try {
    return work();
  } finally {
    rollBack(connection);
  }
}

function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
  } catch (error) {
    // It was committed, or SQLite has rolled back by itself
    // (https://sqlite.org/lang_transaction.html).
    if (!isNoTransaction(error)) throw error;
  }
}
