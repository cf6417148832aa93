/**
 * Drivers whose connections are set otherwise than the store would have them:
 * to meet more of SQLite in a short trace, or to prove that the tests see
 * a store that syncs too little.
 *
 * @module
 */
import type { Driver } from "../../../src/sqlite/driver/mod.ts";
import type { TestDriver } from "../drivers.ts";
import { wrappedDriver } from "../faults/instrumented_driver.ts";

/** How connections differ from the store's. */
export interface Tuning {
  /** SQL that is run when a connection is opened. */
  readonly onOpen?: string;
  /** What `PRAGMA synchronous` is set to, whatever the store asks for. */
  readonly synchronous?: "OFF" | "NORMAL" | "FULL";
}

/** A driver with other settings. */
export async function tunedDriver(
  name: TestDriver["name"],
  { onOpen = "", synchronous }: Tuning,
): Promise<Driver> {
  const driver = await wrappedDriver(name, ({ connection, sql }, carryOut) => {
    const result = carryOut();
    if (synchronous && sql.startsWith("PRAGMA synchronous")) {
      connection.exec(`PRAGMA synchronous = ${synchronous}`);
    }
    return result;
  });
  return {
    name: driver.name,
    open(location) {
      const connection = driver.open(location);
      connection.exec(onOpen);
      return connection;
    },
  };
}
