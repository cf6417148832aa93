/**
 * Drivers that let a test see, and fail, each call of another's connections.
 *
 * @module
 */
import type {
  Connection,
  Driver,
  SqlValue,
  Statement,
} from "../../../src/sqlite/driver/mod.ts";
import {
  type DriverChoice,
  loadDriver,
} from "../../../src/sqlite/driver/load.ts";

/** A call of a connection, or of one of its statements. */
export interface DriverCall {
  readonly method:
    | "exec"
    | "prepare"
    | "run"
    | "get"
    | "all"
    | "copyTo"
    | "close";
  /** The statement's text; of `copyTo` that of the one that does the same, of `close` an empty one. */
  readonly sql: string;
  readonly params: SqlValue[];
  /** The driver's own connection. */
  readonly connection: Connection;
}

/** Carries a call out, or does not. */
export type AroundCall = <T>(call: DriverCall, carryOut: () => T) => T;

/** A driver each of whose connections' calls goes through `around`. */
export async function wrappedDriver(
  choice: DriverChoice,
  around: AroundCall,
): Promise<Driver> {
  const driver = await loadDriver(choice);
  return {
    ...driver,
    open: (location) => wrappedConnection(driver.open(location), around),
  };
}

/** A driver that calls `before` with each SQL text that is about to run. It may throw. */
export function instrumentedDriver(
  choice: DriverChoice,
  before: (sql: string, params: SqlValue[], connection: Connection) => void,
): Promise<Driver> {
  return wrappedDriver(choice, (call, carryOut) => {
    if (call.method !== "prepare" && call.method !== "close") {
      before(call.sql, call.params, call.connection);
    }
    return carryOut();
  });
}

function wrappedConnection(
  connection: Connection,
  around: AroundCall,
): Connection {
  const callOf = (method: DriverCall["method"], sql = "") => ({
    method,
    sql,
    params: [],
    connection,
  });
  const copyTo = (path: string) => connection.copyTo!(path);
  return {
    exec: (sql) => around(callOf("exec", sql), () => connection.exec(sql)),
    prepare: (sql) =>
      around(callOf("prepare", sql), () =>
        wrappedStatement(
          connection.prepare(sql),
          (method, params, carryOut) =>
            around({ method, sql, params, connection }, carryOut),
        )),
    ...(connection.copyTo &&
      { copyTo: (path) => around(callOf("copyTo", COPY), () => copyTo(path)) }),
    close: () => around(callOf("close"), () => connection.close()),
  };
}

/** The statement that copies a database, where a driver has no way of its own. */
export const COPY = "VACUUM INTO ?";

function wrappedStatement(
  statement: Statement,
  around: <T>(
    method: "run" | "get" | "all",
    params: SqlValue[],
    carryOut: () => T,
  ) => T,
): Statement {
  return {
    run: (...params) => around("run", params, () => statement.run(...params)),
    get: (...params) => around("get", params, () => statement.get(...params)),
    all: (...params) => around("all", params, () => statement.all(...params)),
  };
}
