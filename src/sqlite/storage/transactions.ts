/**
 * Transactions, one at a time, and the moments of reads.
 *
 * @module
 */
import type { Moment } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { GET_SCHEMA_VERSION } from "../connection/queries.ts";
import type { ChangeLog } from "./change_log.ts";
import type { Clock } from "./clock.ts";
import type { SqliteAccess } from "./sqlite_access.ts";

/** The transactions of one connection. It has the methods of `Transactions`. */
export class SqliteTransactions {
  readonly #database: Database;
  readonly #access: SqliteAccess;
  readonly #log: ChangeLog;
  readonly #clock: Clock;
  /** The number of moments that are read in the transaction that is open for them. */
  #moments = 0;

  /** Takes the connection, the permitted operations on its file, its change log, and its clock. */
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
    // With a rollback journal SQLite checks this itself; with a write-ahead
    // log, the write would be lost.
    this.#access.files.assertInPlace("write");
    do this.#database.run("BEGIN IMMEDIATE"); while (!this.#mayWrite());
    this.#clock.stop();
  }

  /**
   * Checks for changes of others. If they have changed the file's format, it
   * restores the format, and ends the transaction.
   */
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
    // Checked again, because the files may have been replaced meanwhile.
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
    // It is in a transaction already.
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

/** Begins a read transaction at this moment. A rollback ends it. */
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
