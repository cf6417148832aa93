/**
 * Writes to a file with triggers of others, which may undo a write, change it,
 * or prevent the store's own triggers from logging it. If the result is not the
 * one that the caller would be told, the write fails, and is undone alone.
 *
 * @module
 */
import type { ChangeType } from "../../contract/watch.ts";
import { quote } from "../../base/messages.ts";
import { StoreError } from "../../contract/errors.ts";
import type { Database } from "../connection/database.ts";
import { SqlError, type SqlValue } from "../driver/driver.ts";
import { typeOf } from "./rows.ts";
import { COMPARE_ENTRY, HAS_ENTRY, LIST_CHANGES_OF } from "./queries.ts";

/** The intended result of a write. */
export interface EntryWrite {
  readonly kind: string;
  readonly key: string;
  readonly type: ChangeType;
  /** The version that the entry must have afterwards. Absent if it must be gone. */
  readonly version?: number;
  readonly value?: Uint8Array;
  /** The value in the statement. */
  readonly expiresAt?: SqlValue;
}

/** A write, and the function that does it. */
export interface GuardedWrite {
  readonly write: EntryWrite;
  /** Does it. Throws if it sees that it was undone. */
  run(): void;
  /** The newest revision before it. */
  readonly revision: number;
}

/** Writes. Returns the revision of the change. */
export function writeGuarded(
  database: Database,
  { write, run, revision: before }: GuardedWrite,
  foreignTriggers: readonly string[],
): number {
  database.run("SAVEPOINT guard");
  try {
    run();
    const revision = loggedRevision(database, write, before);
    if (revision === undefined || !isDone(database, write, revision)) {
      throw undoneError(write, foreignTriggers);
    }
    database.run("RELEASE guard");
    return revision;
  } catch (error) {
    // Any other failure of SQLite ends the transaction.
    if (error instanceof SqlError && error.failure !== "other") throw error;
    if (!isUndone(database)) throw error;
    throw error instanceof SqlError
      ? undoneError(write, foreignTriggers, error)
      : error;
  }
}

/** Undoes only this write. Returns false if a trigger has ended the whole transaction. */
function isUndone(database: Database): boolean {
  try {
    database.run("ROLLBACK TO guard");
    database.run("RELEASE guard");
    return true;
  } catch {
    // RAISE(ROLLBACK) leaves no savepoint.
    return false;
  }
}

/** The revision of the change, if the log has exactly one change of this entry. */
function loggedRevision(
  database: Database,
  { kind, key, type, version, value, expiresAt = null }: EntryWrite,
  before: number,
): number | undefined {
  const params = [value ?? null, expiresAt, before, kind, key];
  const [change, ...others] = database.all(LIST_CHANGES_OF, ...params);
  const isLogged = change !== undefined && typeOf(change) === type &&
    change.same === 1 &&
    (version === undefined || change.version === version) &&
    others.length === 0;
  return isLogged ? change.revision as number : undefined;
}

function isDone(
  database: Database,
  { kind, key, version, value, expiresAt = null }: EntryWrite,
  revision: number,
): boolean {
  if (value === undefined) {
    return database.get(HAS_ENTRY, kind, key) === undefined;
  }
  // An entry that expires in the meantime still counts.
  const row = database.get(COMPARE_ENTRY, value, 0, kind, key);
  return row?.version === version && row?.same === 1 &&
    row.revision === revision && row.expires_at === expiresAt;
}

/** The error of a write with another result than its caller would be told. */
export function undoneError(
  { kind, key }: Pick<EntryWrite, "kind" | "key">,
  foreignTriggers: readonly string[],
  cause?: SqlError,
): StoreError {
  const reason = foreignTriggers.length > 0
    ? `a trigger that is not the store's undid or changed it${
      cause ? ` (${cause.message})` : ""
    }: ${foreignTriggers.join(", ")}; drop the trigger, or change what it does`
    : "SQLite changed no row; see the findings of verify()";
  return new StoreError(
    "STORAGE",
    `Cannot write ${quote(kind, key)}: ${reason}`,
    { cause },
  );
}
