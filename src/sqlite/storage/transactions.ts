/**
 * Transactions, one at a time, and the moments that reads are of.
 *
 * @module
 */
import type { Moment } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { GET_SCHEMA_VERSION } from "../connection/queries.ts";
import type { ChangeLog } from "./change_log.ts";
import type { Clock } from "./clock.ts";
import type { SqliteAccess } from "./sqlite_access.ts";

/** The transactions of one connection. The methods are those of `Transactions`. */
export class SqliteTransactions {
  readonly #database: Database;
  readonly #access: SqliteAccess;
  readonly #log: ChangeLog;
  readonly #clock: Clock;
  /** How many moments are read in the transaction that is open for them. */
  #moments = 0;

  /** Takes the connection, what may be done with its file, its change log, and its clock. */
  constructor(
    database: Database,
    access: SqliteAccess,
    log: ChangeLog,
    clock: Clock,
  ) {
    this.#database = database;
    this.#access = access;
    this.#log = log;
    this.#clock = clock;
  }

  begin(): void {
    // With a rollback journal SQLite looks itself; with a write-ahead log what
    // is written would be lost.
    this.#access.files.assertInPlace("write");
    do this.#database.run("BEGIN IMMEDIATE"); while (!this.#mayWrite());
    this.#clock.stop();
  }

  /** Looks at what others did; brings the file back to the format, if they changed it, and then ends the transaction. */
  #mayWrite(): boolean {
    try {
      if (!this.#access.schema.bringBack()) {
        this.#log.beginWriting();
        return true;
      }
      this.#database.run("COMMIT");
      this.#log.forgetHead();
      return false;
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  commit(): void {
    this.#database.run("COMMIT");
    this.#clock.go();
    this.#log.endWriting();
    const { files, checkpointer } = this.#access;
    // Again, for they may have been replaced meanwhile.
    files.assertInPlace("write");
    checkpointer?.afterCommit(() => files.walSize);
  }

  rollBack(): void {
    this.#clock.go();
    this.#log.abandonWriting();
    this.#database.rollBack();
  }

  save(): void {
    this.#database.run("SAVEPOINT job");
  }

  undo(): void {
    this.#log.forgetHead();
    this.#database.run("ROLLBACK TO job");
  }

  release(): void {
    this.#database.run("RELEASE job");
  }

  openMoment(): Moment {
    if (this.#moments === 0) {
      beginRead(this.#database);
      this.#clock.stop();
    }
    this.#moments++;
    return { keepsWritesOut: true, close: () => this.#closeMoment() };
  }

  #closeMoment(): void {
    if (--this.#moments === 0) this.rollBack();
  }

  snapshot<T>(read: () => T): T {
    // It is in one already.
    if (this.#moments > 0) return read();
    this.#database.run("BEGIN");
    try {
      return this.#clock.asOf(this.#clock.now(), read);
    } finally {
      // There is nothing to commit, and a rollback hides no failure.
      this.#database.rollBack();
    }
  }
}

/** Begins a transaction that only reads, as of this moment. A rollback ends it. */
export function beginRead(database: Database): void {
  database.run("BEGIN");
  try {
    // The first read takes the snapshot; this one needs no table.
    database.get(GET_SCHEMA_VERSION);
  } catch (error) {
    database.rollBack();
    throw error;
  }
}
