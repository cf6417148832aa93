/**
 * A connection that prepares each statement once.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import type { Connection, Row, SqlValue, Statement } from "../driver/driver.ts";
import type { FileClaim } from "../driver/file_claims.ts";
import { isNoTransaction, withSize } from "./failure.ts";

/** Connections that are never closed. */
const abandoned: Connection[] = [];

/** Keeps a connection open until the process ends, because garbage collection would close it. */
function keepOpen(connection: Connection): void {
  if (abandoned.length === 0) platform.endWithoutClosing();
  abandoned.push(connection);
}

/** A connection by SQL text. All calls are synchronous, and throw `SqlError`. */
export class Database {
  readonly #connection: Connection;
  readonly #claim: FileClaim | undefined;
  readonly #statements = new Map<string, Statement>();
  /** Whether a transaction must be rolled back before the next statement. */
  #mustRollBack = false;

  /** Takes over a connection, and the claim on its file. */
  constructor(connection: Connection, claim: FileClaim | undefined) {
    this.#connection = connection;
    this.#claim = claim;
  }

  /** Runs a statement for its effect. Returns the number of rows that it changed itself. */
  run(sql: string, ...params: SqlValue[]): number {
    try {
      return this.#prepared(sql).run(...params);
    } catch (error) {
      throw withSize(error, params);
    }
  }

  /** The first row, if there is one. */
  get(sql: string, ...params: SqlValue[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...params);
    } catch (error) {
      throw withSize(error, params);
    }
  }

  /** Every row. */
  all(sql: string, ...params: SqlValue[]): Row[] {
    try {
      return this.#prepared(sql).all(...params);
    } catch (error) {
      throw withSize(error, params);
    }
  }

  /** Whether the driver has its own function to copy a database. */
  get copiesItself(): boolean {
    return this.#connection.copyTo !== undefined;
  }

  /** Copies the database with this function, as the open transaction sees it, into an empty file. */
  async copyTo(path: string): Promise<void> {
    await this.#connection.copyTo!(path);
  }

  /**
   * Ends the transaction, if SQLite has not done so by itself
   * (https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
   * If this fails, it is done before the next statement. Otherwise, that
   * statement would read uncommitted data, or hold the lock for ever.
   */
  rollBack(): void {
    this.#mustRollBack = true;
    try {
      this.#finishRollback();
    } catch {
      // If it still fails then, the caller of the next statement gets the
      // error.
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#statements.clear();
    try {
      this.#connection.close();
    } finally {
      this.#claim?.release();
    }
  }

  /** Leaves the connection open until the process ends, if closing it would harm the file. */
  abandon(): void {
    this.#statements.clear();
    keepOpen(this.#connection);
    this.#claim?.keep();
  }

  #finishRollback(): void {
    try {
      this.#statement("ROLLBACK").run();
    } catch (error) {
      if (!isNoTransaction(error)) throw error;
    }
    this.#mustRollBack = false;
  }

  #prepared(sql: string): Statement {
    if (this.#mustRollBack) this.#finishRollback();
    return this.#statement(sql);
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
