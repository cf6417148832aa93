/**
 * A database in memory for many stores, one after the other: the first makes
 * its tables, and each finds them empty. Making them costs more than most tests
 * do with them.
 *
 * @module
 */
import type { Connection, Driver, Location, Statement } from "../../mod.ts";
import { isNoTransaction } from "../../src/sqlite/failure.ts";
import { type DriverChoice, loadDriver } from "../../src/sqlite/driver/load.ts";

/** The database; `using` closes it. */
export class ReusedDatabase implements Disposable {
  /** Opens it, emptied. It stays open when the store closes it. */
  readonly driver: Driver;
  readonly #real: Driver;
  readonly #statements = new Map<string, Statement>();
  #connection: Connection | undefined;

  private constructor(real: Driver) {
    this.#real = real;
    this.driver = { name: real.name, open: (location) => this.#open(location) };
  }

  /** Makes it, on a driver. */
  static async on(choice: DriverChoice): Promise<ReusedDatabase> {
    return new ReusedDatabase(await loadDriver(choice));
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
  }

  #open(location: Location): Connection {
    if (this.#connection) empty(this.#connection);
    const connection = this.#connection ??= this.#real.open(location);
    return {
      exec(sql) {
        // A store's look whether it may write: its rollback has SQLite read the
        // whole schema, and prepare every statement, once more.
        if (!sql.startsWith("CREATE TABLE zestor_probe")) connection.exec(sql);
      },
      prepare: (sql) => this.#prepare(connection, sql),
      close: () => rollBack(connection),
    };
  }

  /** Each once, or they would pile up until the connection is closed. */
  #prepare(connection: Connection, sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Ends a transaction that was left open, as closing does. */
function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
  } catch (error) {
    if (!isNoTransaction(error)) throw error;
  }
}

function empty(connection: Connection): void {
  connection.exec(`
    BEGIN;
    DELETE FROM zestor_kv;
    DELETE FROM zestor_changes;
    DELETE FROM zestor_replaced;
    UPDATE sqlite_sequence SET seq = 0;
    COMMIT`);
}
