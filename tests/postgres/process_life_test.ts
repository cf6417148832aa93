/**
 * What keeps a process running, and what does not: an idle store and a watch
 * that is not persistent do not, whether the server is there or away.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { storeConnections } from "../support/postgres/connections.ts";
import { openTestStore, proxyOf } from "../support/postgres/faults.ts";
import { withClient } from "../support/postgres/query.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";
import { startLifePeer, startStorePeer } from "../support/processes/peer.ts";

const schema = "zestor";

for (const server of ["there", "away"] as const) {
  testPostgres(
    `an idle store lets its process exit, with a server that is ${server}`,
    async () => {
      await using database = await newDatabase();
      await using proxy = proxyOf(database.url);
      const place = { url: proxy.url(database.url), schema };
      await using peer = startLifePeer("idle", place);
      assertEquals(await peer.next(), "idle");
      if (server === "away") {
        await proxy.refuse();
        proxy.cut();
      }
      await peer.hangUp();
      await peer.exited();
    },
  );

  testPostgres(
    `a watch that is not persistent lets its process exit, with a server that is ${server}`,
    async () => {
      await using database = await newDatabase();
      await using proxy = proxyOf(database.url);
      const place = { url: proxy.url(database.url), schema };
      const args = { ...place, persistent: false };
      await using peer = startLifePeer("leaveWatch", args);
      assertEquals(await peer.next(), "waiting");
      if (server === "away") {
        await proxy.refuse();
        proxy.cut();
      }
      await peer.hangUp();
      await peer.exited();
    },
  );
}

testPostgres(
  "a persistent watch keeps its process running, also while the server is away",
  async () => {
    await using database = await newDatabase();
    const { url } = database;
    await using proxy = proxyOf(url);
    const args = { url: proxy.url(url), schema, persistent: true };
    await using peer = startLifePeer("leaveWatch", args);
    assertEquals(await peer.next(), "waiting");
    await peer.hangUp();
    await proxy.refuse();
    proxy.cut();
    await until(
      "the server has noticed",
      async () => (await storeConnections(url)).length === 0,
    );
    await using store = await openTestStore({ url, schema });
    await store.set("k", "b", 1);
    proxy.mend();
    assertEquals(await peer.next(), "b");
    await peer.exited();
  },
);

for (
  const [name, options] of [
    ["that was aborted", { persistent: true, isAborted: true }],
    ["that is not persistent", { persistent: false, isAborted: false }],
  ] as const
) {
  testPostgres(
    `a watch ${name} does not try for ever to reach a server`,
    async () => {
      await using database = await newDatabase();
      await using proxy = proxyOf(database.url);
      const place = { url: proxy.url(database.url), schema };
      await using peer = startLifePeer("readOn", { ...place, ...options });
      assertEquals(await peer.next(), "a");
      await proxy.refuse();
      proxy.cut();
      await peer.hangUp();
      await peer.exited();
    },
  );
}

for (
  const [what, answer] of [["get", 1], ["set", 2]] as const
) {
  testPostgres(
    `an awaited ${what} keeps its process running`,
    async () => {
      await using database = await newDatabase();
      const { url } = database;
      await using store = await openTestStore({ url, schema });
      await store.set("k", "a", 1);
      await using peer = startLifePeer("awaitOne", { url, schema, what });
      assertEquals(await peer.next(), "ready");
      await withClient(url, async (client) => {
        await client.query("BEGIN");
        await client.query(`LOCK TABLE ${schema}.zestor_kv`);
        await peer.hangUp();
        assertEquals(await peer.next(), "asking");
        await until(
          "it waits for the lock",
          async () => (await storeConnections(url)).some((it) => it.isLocked),
        );
        await client.query("COMMIT");
      });
      assertEquals(await peer.next(), answer);
      await peer.exited();
    },
  );
}

for (const end of ["cancel", "abort", "close"] as const) {
  testPostgres(
    `a read of a watch that ends by ${end} lets its process exit`,
    async () => {
      await using database = await newDatabase();
      const { url } = database;
      await using peer = startStorePeer("endRead", { url, schema, end });
      assertEquals(await peer.next(), "reading");
      assertEquals(await peer.next(), true);
      await peer.exited();
    },
  );
}

for (const end of ["abort", "cancel", "break"] as const) {
  testPostgres(
    `a watch that ends by ${end} gives its connection back`,
    async () => {
      await using database = await newDatabase();
      const { url } = database;
      await using store = await openTestStore({ url, schema });
      const controller = new AbortController();
      const { signal } = controller;
      const watch = store.watch("k", { signal });
      const listening = async () =>
        (await storeConnections(url)).some(({ query }) =>
          query.startsWith("LISTEN")
        );
      const isNotified = async () => (await store.info()).isNotified;
      if (end === "break") {
        const reading = (async () => {
          for await (const { key } of watch) if (key === "end") break;
        })();
        await until("it listens", isNotified);
        assertEquals(await listening(), true);
        await store.set("k", "end", 1);
        await reading;
      } else {
        const reader = watch.getReader();
        const read = reader.read();
        await until("it listens", isNotified);
        assertEquals(await listening(), true);
        if (end === "abort") controller.abort();
        else await reader.cancel();
        assertEquals((await read).done, true);
      }
      await until("it listens no more", async () => !await listening());
    },
  );
}
