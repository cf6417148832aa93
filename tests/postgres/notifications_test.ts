/**
 * LISTEN, with and without a pooler in between.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { StoreBusyError } from "../../mod.ts";
import { openTestStore } from "../support/postgres/faults.ts";
import {
  startPgbouncer,
  testPgbouncer,
} from "../support/postgres/pgbouncer.ts";
import { withClient } from "../support/postgres/query.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";

testPostgres(
  "a watch that waits is notified, and then not listening",
  async ({ url }) => {
    await using store = await openTestStore({ url, schema: freshSchema() });
    assertEquals((await store.info()).isNotified, false);
    const reader = store.watch("k").getReader();
    const reading = reader.read();
    await until("it listens", async () => (await store.info()).isNotified);
    await store.set("k", "a", 1);
    await reading;
    await reader.cancel();
    await until(
      "it listens no more",
      async () => !(await store.info()).isNotified,
    );
  },
);

testPgbouncer(
  "behind pgbouncer, writes, reads and watches work",
  async (pgbouncer) => {
    await using server = await startServer({ password: "it's secret" });
    await using bouncer = await startPgbouncer(
      pgbouncer,
      server.url,
      { default_pool_size: 3 },
    );
    const schema = freshSchema();
    await using store = await openTestStore({ url: bouncer.url, schema });
    await using other = await openTestStore({
      url: bouncer.url,
      schema,
      listenUrl: server.url,
    });
    const readers = [store, other].map((it) => it.watch("k").getReader());
    const readings = readers.map((it) => it.read());
    await until(
      "listenUrl is heard",
      async () => (await other.info()).isNotified,
    );
    assertEquals((await store.info()).isNotified, false);
    const works: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++) {
      for (const it of [store, other]) {
        works.push(it.update("k", "n", (n) => n + 1, { initial: 0 }));
        works.push(Promise.resolve(it.get("k", "n")));
        works.push(Promise.resolve(it.list("k")));
      }
    }
    await Promise.all(works);
    assertEquals(await store.get("k", "n"), 80);
    for (const reading of readings) {
      assertEquals((await reading).value?.key, "n");
    }
    await Promise.all(readers.map((it) => it.cancel()));
  },
);

testPostgres("a lock that plain SQL holds for too long", async ({ url }) => {
  const schema = freshSchema();
  await using store = await openTestStore({ url, schema, busyTimeout: 300 });
  await withClient(url, async (client) => {
    await client.query(
      `BEGIN; INSERT INTO ${schema}.zestor_kv (kind, key, value)
      VALUES ('k', 'x', '1')`,
    );
    await assertRejects(() => store.set("k", "a", 1), StoreBusyError);
    await client.query("COMMIT");
  });
  await store.set("k", "a", 2);
  assertEquals(await store.get("k", "a"), 2);
});
