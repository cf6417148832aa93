/**
 * A driver that lets a test see, and fail, each statement of another.
 *
 * @module
 */
import type { Connection, Driver, SqlValue, Statement } from "../../mod.ts";
import { type DriverChoice, loadDriver } from "../../src/sqlite/driver/load.ts";

/** A driver that calls `before` with each SQL text that is about to run. It may throw. */
export async function instrumentedDriver(
  choice: DriverChoice,
  before: (sql: string, params: SqlValue[], connection: Connection) => void,
): Promise<Driver> {
  const driver = await loadDriver(choice);
  return {
    name: driver.name,
    open(location) {
      const connection = driver.open(location);
      return {
        exec(sql) {
          before(sql, [], connection);
          connection.exec(sql);
        },
        prepare: (sql) =>
          instrumentedStatement(
            connection.prepare(sql),
            (params) => before(sql, params, connection),
          ),
        close: () => connection.close(),
      };
    },
  };
}

function instrumentedStatement(
  statement: Statement,
  before: (params: SqlValue[]) => void,
): Statement {
  return {
    run(...params) {
      before(params);
      statement.run(...params);
    },
    get(...params) {
      before(params);
      return statement.get(...params);
    },
    all(...params) {
      before(params);
      return statement.all(...params);
    },
  };
}
