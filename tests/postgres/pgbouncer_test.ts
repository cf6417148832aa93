/**
 * What a pgbouncer in transaction mode does to a client.
 *
 * @module
 */
// @ts-types="@types/pg"
import type pg from "pg";
import { assert, assertEquals } from "@std/assert";
import {
  startPgbouncer,
  testPgbouncer,
} from "../support/postgres/pgbouncer.ts";
import { withClient } from "../support/postgres/query.ts";
import { startServer } from "../support/postgres/server.ts";
import { testServer } from "../support/postgres/test_server.ts";

/** Collects the channels of the notifications that a client gets. */
function hear(client: pg.Client): string[] {
  const heard: string[] = [];
  client.on("notification", ({ channel }) => heard.push(channel));
  return heard;
}

/** The process id of the server's side of a connection. */
async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  return rows[0].pid;
}

testServer("without it, LISTEN delivers", async (binaries) => {
  await using server = await startServer({ binaries });
  await withClient(server.url, async (client) => {
    const heard = hear(client);
    await client.query("LISTEN news");
    await server.query("NOTIFY news");
    // The server sends what it has before it is done with a query.
    await client.query("SELECT 1");
    assertEquals(heard, ["news"]);
  });
});

testPgbouncer(
  "it accepts LISTEN and delivers to somebody else",
  async (pgbouncer) => {
    await using server = await startServer({ password: "it's secret" });
    await using bouncer = await startPgbouncer(pgbouncer, server.url);
    await withClient(bouncer.url, async (listener) => {
      const heard = hear(listener);
      await listener.query("LISTEN news");
      const pid = await pidOf(listener);
      await withClient(bouncer.url, async (other) => {
        const heardByOther = hear(other);
        // It gets the connection that listens, since that is free.
        await other.query("BEGIN");
        assertEquals(await pidOf(other), pid);
        await server.query("NOTIFY news");
        assert(await pidOf(listener) !== pid);
        await other.query("COMMIT");
        assertEquals(heardByOther, ["news"]);
        assertEquals(heard, []);
      });
    });
  },
);
