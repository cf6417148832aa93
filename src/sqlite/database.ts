/**
 * A connection with its prepared statements, each prepared once.
 *
 * @module
 */
import type { Connection, Row, SqlValue, Statement } from "./driver/driver.ts";

/** A connection by SQL text. All of it is synchronous, and throws `SqlError`. */
export class Database {
  readonly #connection: Connection;
  readonly #onClose: () => void;
  readonly #statements = new Map<string, Statement>();

  /** Takes over a connection; `onClose` is called when it is closed. */
  constructor(connection: Connection, onClose: () => void) {
    this.#connection = connection;
    this.#onClose = onClose;
  }

  /** Runs a statement for its effect. */
  run(sql: string, ...params: SqlValue[]): void {
    this.#prepared(sql).run(...params);
  }

  /** The first row, if any. */
  get(sql: string, ...params: SqlValue[]): Row | undefined {
    return this.#prepared(sql).get(...params);
  }

  /** Every row. */
  all(sql: string, ...params: SqlValue[]): Row[] {
    return this.#prepared(sql).all(...params);
  }

  /** Closes the connection. */
  close(): void {
    this.#statements.clear();
    this.#connection.close();
    this.#onClose();
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
