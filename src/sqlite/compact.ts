/**
 * Compacting: SQLite rewrites the database in place without unused pages, and
 * empties its write-ahead log.
 *
 * This is SQLite's `VACUUM` (https://sqlite.org/lang_vacuum.html), not its
 * incremental mode. The incremental mode must be chosen when a file is created,
 * so it does nothing for existing files. Each write would also have to maintain
 * a map of the pages, and half-full pages would stay.
 *
 * @module
 */
import type { OperationOptions } from "../contract/operation.ts";
import { StoreBusyError, StoreError } from "../contract/errors.ts";
import { readOptions } from "../base/options.ts";
import { OPERATION } from "../store/options.ts";
import type { Database } from "./connection/database.ts";
import { type DatabaseLocation, SqlError } from "./driver/driver.ts";
import { isBusy } from "./connection/failure.ts";
import { databaseSizes } from "./info.ts";
import type { OwnTurns } from "./own_turns.ts";
import type { SqliteStorage } from "./storage/sqlite_storage.ts";

/** The sizes before and after compacting, in bytes. */
export interface CompactResult {
  /**
   * The bytes of the file and its write-ahead log before. In memory, the bytes
   * of the database's pages.
   */
  before: number;
  /** The bytes after compacting. */
  after: number;
}

/** The store to compact. */
export interface CompactedStore {
  readonly location: DatabaseLocation;
  readonly database: Database;
  readonly storage: SqliteStorage;
}

/** Compacts a store, in its turn among the writes. */
export async function compact(
  { location, database, storage }: CompactedStore,
  turns: OwnTurns,
  options: OperationOptions | undefined,
): Promise<CompactResult> {
  const action = "compact";
  const { signal } = readOptions(action, options, OPERATION);
  storage.assertWritable(action);
  const size = () => {
    const { size, walSize } = databaseSizes(location, database);
    return size + walSize;
  };
  const vacuumAlone = () => {
    storage.assertInPlace(action);
    const before = size();
    vacuum(storage, database);
    return before;
  };
  const before = await turns.inOrder(action, vacuumAlone, signal);
  await whenNobodyReads(turns, action, storage);
  return { before, after: await turns.readCommitted(action, size) };
}

/** Throws at once if another connection holds the lock. */
function vacuum(storage: SqliteStorage, database: Database): void {
  // Without this, the content of the log would take space beside the new pages.
  storage.emptyLog();
  try {
    database.run("VACUUM");
  } catch (error) {
    if (!isBusy(error)) clearLeftovers(storage);
    throw isForbidden(error) ? forbiddenError(error) : error;
  }
}

/** A full disk may lack the space of pages that were written, but not committed. */
function clearLeftovers(storage: SqliteStorage): void {
  try {
    storage.emptyLog();
  } catch {
    // The first error counts.
  }
}

/** Empties the write-ahead log as soon as nobody is in the way. It waits at most `busyTimeout`. */
async function whenNobodyReads(
  turns: OwnTurns,
  action: string,
  storage: SqliteStorage,
): Promise<void> {
  try {
    await turns.readCommitted(action, () => {
      if (storage.emptyLog()) return;
      throw new SqlError("busy", "the write-ahead log is being read");
    });
  } catch (error) {
    // The database is compact anyway. The log is emptied later.
    if (!(error instanceof StoreBusyError)) throw error;
  }
}

/** Without all permissions, Deno does not allow SQLite to attach a file, which `VACUUM` does. */
function isForbidden(error: unknown): error is SqlError {
  return error instanceof SqlError &&
    error.message.includes("too many attached databases");
}

function forbiddenError(cause: SqlError): StoreError {
  return new StoreError(
    "STORAGE",
    'Cannot compact: Deno lets node:sqlite do it only with every permission; run this process, or "zestor compact" beside it, with --allow-all',
    { cause },
  );
}
