/**
 * Compacting: the database is written anew without what it no longer uses, in
 * place, and its write-ahead log is emptied.
 *
 * This is SQLite's `VACUUM` (https://sqlite.org/lang_vacuum.html), and not its
 * incremental mode. That one has to be chosen when a file is made, so it does
 * nothing for the files that there are; every write to them would have to keep
 * a map of the pages; and pages that are only half full stay as they are.
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

/** What compacting gave back to the file system, in bytes. */
export interface CompactResult {
  /** What the file and its write-ahead log had before; in memory, the database's pages. */
  before: number;
  /** What they have now. */
  after: number;
}

/** A store that is compacted. */
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

/** Throws at once if another connection has the lock. */
function vacuum(storage: SqliteStorage, database: Database): void {
  // Else what is in the log would take room beside the new pages.
  storage.emptyLog();
  try {
    database.run("VACUUM");
  } catch (error) {
    if (!isBusy(error)) clearLeftovers(storage);
    throw isForbidden(error) ? forbiddenError(error) : error;
  }
}

/** Pages that were written, but not committed, would take the room that a full disk lacks. */
function clearLeftovers(storage: SqliteStorage): void {
  try {
    storage.emptyLog();
  } catch {
    // Why it cannot be compacted is what counts.
  }
}

/** Empties the write-ahead log as soon as nobody is in the way, for `busyTimeout` at most. */
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
    // The database is compact all the same. The log is emptied later.
    if (!(error instanceof StoreBusyError)) throw error;
  }
}

/** Without every permission Deno lets SQLite attach nothing, as `VACUUM` does. */
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
