/**
 * A database in memory for many stores, one after the other: the first makes
 * its tables, and each finds them empty. Making them costs more than most tests
 * do with them.
 *
 * @module
 */
import type {
  Connection,
  DatabaseLocation,
  Driver,
} from "../../src/sqlite/driver/mod.ts";
import { type DriverChoice, loadDriver } from "../../src/sqlite/driver/load.ts";
import { preparingOnce } from "./connect.ts";

/** The database; `using` closes it. */
export class ReusedDatabase implements Disposable {
  /** Opens it, emptied. It stays open when the store closes it. */
  readonly driver: Driver;
  #connection: Connection | undefined;

  private constructor(real: Driver) {
    this.driver = {
      ...real,
      open: (location) => this.#open(real, location),
    };
  }

  /** Makes it, on a driver. */
  static async on(choice: DriverChoice): Promise<ReusedDatabase> {
    return new ReusedDatabase(await loadDriver(choice));
  }

  /** Leaves it to a store that was not closed: the next has another. */
  abandon(): void {
    this.#connection = undefined;
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
  }

  #open(real: Driver, location: DatabaseLocation): Connection {
    if (this.#connection) empty(this.#connection);
    else this.#connection = preparingOnce(real.open(location));
    const kept = this.#connection;
    return {
      exec(sql) {
        // A store's look whether it may write: its rollback has SQLite read the
        // whole schema, and prepare every statement, once more.
        if (!sql.startsWith("PRAGMA user_version")) kept.exec(sql);
      },
      prepare: (sql) => kept.prepare(sql),
      close: () => {},
    };
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
