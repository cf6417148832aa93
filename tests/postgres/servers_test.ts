/**
 * The servers that tests start, and the one that they share.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { dirname } from "node:path";
import { exists } from "../support/postgres/cache.ts";
import { isRunning } from "../support/postgres/commands.ts";
import { until } from "../support/postgres/until.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { TextReader } from "../support/processes/text_reader.ts";
import type { OwnedServer } from "../support/postgres/server_owner.ts";
import { openProxy } from "../support/postgres/proxy.ts";
import { queryAt } from "../support/postgres/query.ts";
import { sharedPostgres } from "../support/postgres/shared.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  adminQuery,
  freshSchema,
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";

testPostgres("the shared server answers", async ({ url }) => {
  const [row] = await queryAt(url, "SHOW server_encoding");
  assertEquals(row, { server_encoding: "UTF8" });
});

testPostgres("schemas have names of their own", async () => {
  const schema = freshSchema();
  await adminQuery(`CREATE SCHEMA ${schema}`);
  assert(freshSchema() !== schema);
  await adminQuery(`DROP SCHEMA ${schema}`);
});

testPostgres("a database is dropped with its connections open", async () => {
  const database = await newDatabase();
  const count = () =>
    adminQuery("SELECT 1 FROM pg_database WHERE datname = $1", [
      database.name,
    ]);
  await queryAt(database.url, "CREATE TABLE t (n int)");
  assertEquals((await count()).length, 1);
  await database[Symbol.asyncDispose]();
  assertEquals((await count()).length, 0);
});

testServer("two module graphs that ask at once share one server", async () => {
  const variable = "ZESTOR_TEST_POSTGRES_OF_TWO";
  try {
    // The part behind the question mark makes it another module.
    const other: { sharedPostgres: typeof sharedPostgres } = await import(
      new URL("../support/postgres/shared.ts?other", import.meta.url).href
    );
    assert(other.sharedPostgres !== sharedPostgres);
    const [one, two] = await Promise.all([
      sharedPostgres(variable),
      other.sharedPostgres(variable),
    ]);
    assert("url" in one);
    assertEquals(one, two);
  } finally {
    Deno.env.delete(variable);
  }
});

testServer("a crash and a start keep the data", async (binaries) => {
  const server = await startServer({ binaries });
  await server.query("CREATE TABLE t AS SELECT 1 AS n");
  await server.kill();
  await assertRejects(() => server.query("SELECT n FROM t"));
  await server.start();
  assertEquals(await server.query("SELECT n FROM t"), [{ n: 1 }]);
  await server.restart();
  assertEquals(await server.query("SELECT n FROM t"), [{ n: 1 }]);
  await server[Symbol.asyncDispose]();
  assert(!await exists(server.dir));
});

testServer("settings, a password and TLS", async (binaries) => {
  const password = "p'a\\s:s@/ä";
  await using server = await startServer({
    binaries,
    fsync: true,
    password,
    tls: true,
    settings: { application_name: "it's \\", work_mem: "5MB" },
  });
  const [row] = await server.query(
    `SELECT current_setting('fsync') AS fsync, current_setting('work_mem') AS mem,
      ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
  );
  assertEquals(row, { fsync: "on", mem: "5MB", ssl: true });
  const wrong = new URL(server.url);
  wrong.password = "wrong";
  await assertRejects(() => queryAt(wrong.href, "SELECT 1"), "password");
});

testServer("a standby follows, and becomes a primary", async (binaries) => {
  await using primary = await startServer({ binaries });
  await primary.query("CREATE TABLE t AS SELECT 1 AS n");
  await using standby = await primary.standby();
  await primary.query("INSERT INTO t VALUES (2)");
  await standby.caughtUp(primary);
  assertEquals(await standby.query("SELECT n FROM t ORDER BY n"), [
    { n: 1 },
    { n: 2 },
  ]);
  await assertRejects(() => standby.query("INSERT INTO t VALUES (3)"));
  await primary.kill();
  await standby.promote();
  await standby.query("INSERT INTO t VALUES (3)");
});

testServer(
  "a standby behind a cut line lacks what came after",
  async (binaries) => {
    await using primary = await startServer({ binaries });
    await primary.query("CREATE TABLE t AS SELECT 1 AS n");
    await using proxy = openProxy(primary.port);
    await using standby = await primary.standby({ port: proxy.port });
    await standby.caughtUp(primary);
    await proxy.refuse();
    proxy.cut();
    await primary.query("INSERT INTO t VALUES (2)");
    await primary.kill();
    await standby.promote();
    assertEquals(await standby.query("SELECT n FROM t"), [{ n: 1 }]);
  },
);

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  testServer(
    `a server ends after a ${signal} of the process that started it`,
    async () => {
      const owner = denoRun(
        new URL("../support/postgres/server_owner.ts", import.meta.url),
        { flags: ["-A"], stdin: "null", stdout: "piped", stderr: "inherit" },
      ).spawn();
      await using printed = new TextReader(owner.stdout);
      const { pid, dir }: OwnedServer = JSON.parse(await printed.line());
      assert(isRunning(pid));
      owner.kill(signal);
      await owner.status;
      await until("the server has ended", () => !isRunning(pid));
      await until(
        "its files are gone",
        async () => !await exists(dirname(dir)),
      );
    },
  );
}
