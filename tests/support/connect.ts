/**
 * Connections for the tests below the store.
 *
 * @module
 */
import type {
  Connection,
  DatabaseLocation,
  Statement,
} from "../../src/sqlite/driver/driver.ts";
import { loadDriver } from "../../src/sqlite/driver/load.ts";
import type { TestDriver } from "./drivers.ts";

const IN_MEMORY: DatabaseLocation = {
  path: ":memory:",
  mode: "rwc",
  memory: "private",
};

/** A file that is created where it is missing. */
export function fileAt(path: string): DatabaseLocation {
  return { path, mode: "rwc" };
}

/** Opens a connection; `using` closes it. By default a database in memory. */
export async function connect(
  driver: TestDriver,
  location: DatabaseLocation = IN_MEMORY,
): Promise<Connection & Disposable> {
  const connection = (await loadDriver(driver.name)).open(location);
  return {
    exec: (sql) => connection.exec(sql),
    prepare: (sql) => connection.prepare(sql),
    close: () => connection.close(),
    [Symbol.dispose]: () => connection.close(),
  };
}

/**
 * The connection, which prepares each statement once. Otherwise they pile up
 * until it is closed, and each rollback goes through all of them.
 */
export function preparingOnce(connection: Connection): Connection & Disposable {
  const statements = new Map<string, Statement>();
  return {
    exec: (sql) => connection.exec(sql),
    prepare(sql) {
      const statement = statements.get(sql) ?? connection.prepare(sql);
      statements.set(sql, statement);
      return statement;
    },
    close: () => connection.close(),
    [Symbol.dispose]: () => connection.close(),
  };
}
