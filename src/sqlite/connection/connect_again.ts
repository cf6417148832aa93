/**
 * Opens further connections to a file that a store of this process has open.
 *
 * @module
 */
import type { Connection, DatabaseLocation, Driver } from "../driver/driver.ts";
import { claimFile } from "../driver/file_claims.ts";
import { DISABLE_CHECKPOINTS } from "./checkpoints.ts";
import { Database } from "./database.ts";
import { openConnection } from "./open_connection.ts";

/**
 * Opens another connection to a store's file. It makes no checkpoints; the
 * store's own connection does.
 */
export function connectAgain(
  location: DatabaseLocation,
  driver: Driver,
): Database {
  const claim = claimFile(location, driver);
  let connection: Connection | undefined;
  try {
    connection = openConnection(driver, location);
    connection.exec(DISABLE_CHECKPOINTS);
    return new Database(connection, claim);
  } catch (error) {
    connection?.close();
    claim?.release();
    throw error;
  }
}
