/**
 * Servers and roles that only read.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { StoreOpenError, StoreReadOnlyError } from "../../mod.ts";
import { openTestStore, type TestStore } from "../support/postgres/faults.ts";
import { queryAt } from "../support/postgres/query.ts";
import { newRole } from "../support/postgres/roles.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { runWatch } from "../support/postgres/watch.ts";

const REASON = "the server is read-only, as a standby is; write to the primary";

/** Asserts that a store with `a` reads and watches what another writes, and refuses writes. */
async function assertOnlyReads(
  store: TestStore,
  writer: TestStore,
): Promise<void> {
  assertEquals((await store.info()).readOnly, REASON);
  assertEquals(await store.get("k", "a"), 1);
  await using watch = await runWatch(store);
  await writer.set("k", "b", 2);
  await writer.update("k", "b", (n) => n + 1);
  await writer.set("k", "c", 4, { expireIn: 1 });
  await writer.delete("k", "a");
  assertEquals((await watch.next(5)).sort(), [
    "create b=2 v1",
    "create c=4 v1",
    "delete a=1 v1",
    "delete c=4 expired v1",
    "update b=3 v2",
  ]);
  assertEquals(await store.entry("k", "b").then((it) => it?.version), 2);
  assertEquals(await store.verify(), []);
  for (
    const write of [
      () => store.set("k", "d", 5),
      () => store.setAll("k", { d: 5 }),
      () => store.update("k", "b", () => 5),
      () => store.delete("k", "b"),
      () => store.deleteAll("k"),
    ]
  ) {
    await assertRejects(write, StoreReadOnlyError, REASON);
  }
  assertEquals(await writer.keys("k"), ["b"]);
}

testServer("a standby is read and watched", async (binaries) => {
  await using primary = await startServer({ binaries });
  await using standby = await primary.standby();
  const empty = await assertRejects(
    () => openTestStore({ url: standby.url }),
    StoreOpenError,
  );
  assertStringIncludes(empty.message, "contains no store");
  await using writer = await openTestStore({ url: primary.url });
  await writer.set("k", "a", 1);
  await standby.caughtUp(primary);
  await using store = await openTestStore({ url: standby.url });
  await assertOnlyReads(store, writer);
});

testPostgres("a role whose transactions only read", async () => {
  await using role = await newRole();
  await using database = await newDatabase();
  await using writer = await openTestStore({ url: database.url });
  await writer.set("k", "a", 1);
  await queryAt(
    database.url,
    `ALTER ROLE ${role.name} SET default_transaction_read_only = on;
    GRANT ALL ON SCHEMA zestor TO ${role.name};
    GRANT ALL ON ALL TABLES IN SCHEMA zestor TO ${role.name};
    GRANT ALL ON ALL FUNCTIONS IN SCHEMA zestor TO ${role.name}`,
  );
  await using store = await openTestStore({ url: role.at(database.url) });
  await assertOnlyReads(store, writer);
});

testPostgres("a server that becomes one that only reads", async () => {
  await using database = await newDatabase();
  await using store = await openTestStore({ url: database.url });
  await store.set("k", "a", 1);
  const become = (value: string) =>
    queryAt(
      database.url,
      `ALTER DATABASE ${database.name} SET default_transaction_read_only = ${value}`,
    );
  await become("on");
  await queryAt(
    database.url,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE application_name = 'zestor' AND datname = current_database()`,
  );
  await assertRejects(() => store.set("k", "a", 2), StoreReadOnlyError, REASON);
  assertEquals(await store.get("k", "a"), 1);
  await using session = await openTestStore({ url: database.url });
  assertEquals((await session.info()).readOnly, REASON);
});
