/**
 * The connections of stores, as the server tells of them.
 *
 * @module
 */
import { queryAt } from "./query.ts";

/** A connection of a store. */
export interface StoreConnection {
  /** The last statement. */
  readonly query: string;
  /** Whether it waits for a lock. */
  readonly isLocked: boolean;
}

/** The connections that stores have to a database. */
export async function storeConnections(
  url: string,
): Promise<StoreConnection[]> {
  return await queryAt<StoreConnection & Record<string, unknown>>(
    url,
    `SELECT query, wait_event_type IS NOT DISTINCT FROM 'Lock' AS "isLocked"
      FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'zestor'`,
  );
}

/** How many there are. */
export async function countConnections(url: string): Promise<number> {
  return (await storeConnections(url)).length;
}
