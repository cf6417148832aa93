/**
 * Short-lived clients.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";

/** The rows of a statement, over a connection of its own. */
export async function queryAt<Row = Record<string, unknown>>(
  url: string,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  return await withClient(
    url,
    async (client) => (await client.query(sql, values)).rows,
  );
}

/** Runs a function with a client, and ends the client. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(url);
  // A cut connection rejects the query; the event is of no use here.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
