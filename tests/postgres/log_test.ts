/**
 * The change log of a store on PostgreSQL: its length, whoever writes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import {
  adminQuery,
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";

testPostgres(
  "the log of what plain SQL wrote is pruned later",
  async ({ url }) => {
    const schema = freshSchema();
    const history = 100;
    await using store = await openPostgresStore({ url, schema, history });
    const { revision } = await store.set("k", "first", 1);
    await adminQuery(
      `INSERT INTO ${schema}.zestor_kv (kind, key, value, updated_at)
      SELECT 'k', i::text, '1', now() - interval '2 minutes'
      FROM generate_series(1, 30000) AS i`,
    );
    const newest = revision + 30_000;
    await until("the log is pruned", async () => {
      const { log } = await store.info();
      assertEquals(log.newest, newest);
      return log.count < history * 2;
    });
    const { log } = await store.info();
    assert(log.count >= history);
    assertEquals(log.oldest, newest - log.count + 1);
    assertEquals(await store.verify(), []);
  },
);

testPostgres(
  "a store that writes prunes the log, and none of what it has just written",
  async ({ url }) => {
    const schema = freshSchema();
    await using store = await openPostgresStore({ url, schema, history: 10 });
    const events = store.watch("k").getReader();
    const entries = Array.from({ length: 300 }, (_, i) => [`${i}`, i] as const);
    await store.set("k", "first", 1);
    await store.setAll("k", entries);
    for (let i = 0; i <= 300; i++) {
      const { value } = await events.read();
      assertEquals(value?.revision, i + 1);
    }
    await events.cancel();
  },
);
