/**
 * Databases, schemas and servers that a store does not open. Nothing in them is
 * changed.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { type Codec, json, StoreOpenError } from "../../mod.ts";
import {
  openPostgresStore,
  type PostgresStoreOptions,
} from "../../src/postgres/open_postgres_store.ts";
import { startFakeServer } from "../support/postgres/fake_server.ts";
import { queryAt } from "../support/postgres/query.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  adminQuery,
  freshSchema,
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { denoRun } from "../support/processes/deno_run.ts";

/** What an opening is told that is refused. */
async function refusal(options: PostgresStoreOptions): Promise<string> {
  const error = await assertRejects(
    () => openPostgresStore(options),
    StoreOpenError,
  );
  assert(error.message.startsWith("Cannot open store at postgres://"));
  return error.message;
}

testPostgres("a database that is not UTF8", async ({ url }) => {
  const name = freshSchema();
  await adminQuery(
    `CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  try {
    const other = new URL(url);
    other.pathname = name;
    assertStringIncludes(
      await refusal({ url: other }),
      "the database's encoding is LATIN1, and kinds and keys need UTF8; create a database with ENCODING 'UTF8'",
    );
    assertEquals(
      await queryAt(
        other.href,
        "SELECT FROM pg_namespace WHERE nspname = 'zestor'",
      ),
      [],
    );
  } finally {
    await adminQuery(`DROP DATABASE ${name} WITH (FORCE)`);
  }
});

/** All that is in a database: its tables, their columns and functions. */
function contents(url: string): Promise<unknown[]> {
  return queryAt(
    url,
    `SELECT c.relname, c.relkind, a.attname, a.atttypid::regtype::text AS type FROM pg_class c
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE relnamespace::regnamespace::text !~ '^pg_|^information'
    UNION ALL SELECT proname, 'f', md5(prosrc), NULL FROM pg_proc
      WHERE pronamespace::regnamespace::text !~ '^pg_|^information'
    ORDER BY 1, 3`,
  );
}

const FOREIGN: Record<string, string> = {
  "a zestor_meta without its columns":
    "CREATE TABLE zestor.zestor_meta (id int)",
  "a zestor_meta with other columns of the names":
    "CREATE TABLE zestor.zestor_meta (name int, value int)",
  "an empty zestor_meta":
    "CREATE TABLE zestor.zestor_meta (name text, value text)",
  "a zestor_meta that is a sequence": "CREATE SEQUENCE zestor.zestor_meta",
  "a zestor_meta that tells a format, and nothing else":
    "CREATE TABLE zestor.zestor_meta AS SELECT 'format' AS name, '1' AS value",
  "a zestor_meta whose format is no number":
    "CREATE TABLE zestor.zestor_meta AS SELECT 'format' AS name, 'x' AS value",
  "a zestor_meta whose format is 0":
    "CREATE TABLE zestor.zestor_meta AS SELECT 'format' AS name, '0' AS value",
  "a zestor_kv": "CREATE TABLE zestor.zestor_kv (kind text, key text, n int)",
  "a zestor_kv that is a view": "CREATE VIEW zestor.zestor_kv AS SELECT 1 AS n",
  "a zestor_kv that is a type": "CREATE TYPE zestor.zestor_kv AS ENUM ('a')",
  "a zestor_changes": "CREATE TABLE zestor.zestor_changes (n int)",
  "an index of the name":
    "CREATE TABLE zestor.t (n int); CREATE INDEX zestor_expiry ON zestor.t (n)",
  "a function of the name":
    "CREATE FUNCTION zestor.zestor_prune(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "a procedure of the name":
    "CREATE PROCEDURE zestor.zestor_prune(bigint) LANGUAGE sql AS 'SELECT 1'",
};
for (const [name, sql] of Object.entries(FOREIGN)) {
  testPostgres(`a schema with something else in it: ${name}`, async () => {
    await using database = await newDatabase();
    const { url } = database;
    await queryAt(url, `CREATE SCHEMA zestor; ${sql}`);
    const before = await contents(url);
    const message = await refusal({ url });
    assertStringIncludes(
      message,
      `the schema "zestor" has other objects with the names of a store's objects`,
    );
    assertEquals(await contents(url), before);
  });
}

testPostgres("tables of others beside the store's", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await queryAt(url, "CREATE SCHEMA zestor; CREATE TABLE zestor.kv (n int)");
  await using store = await openPostgresStore({ url });
  await store.set("k", "a", 1);
  assertEquals(await store.verify(), []);
});

testPostgres("a schema of a newer format", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await (await openPostgresStore({ url })).close();
  await queryAt(
    url,
    "UPDATE zestor.zestor_meta SET value = '2' WHERE name = 'format'",
  );
  const before = await contents(url);
  for (const readOnly of [false, true]) {
    assertStringIncludes(
      await refusal({ url, readOnly }),
      `the format of the schema "zestor" is 2, but this version supports formats up to 1; use a newer version of @zestor/store`,
    );
  }
  assertEquals(await contents(url), before);
});

testPostgres("a schema that lost a column", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await (await openPostgresStore({ url })).close();
  await queryAt(url, "ALTER TABLE zestor.zestor_kv RENAME COLUMN value TO v");
  assertStringIncludes(
    await refusal({ url }),
    "columns of zestor_kv or zestor_changes are missing",
  );
});

const OTHER: Codec = { ...json, name: "other" };

testPostgres("a store with another codec", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await (await openPostgresStore({ url })).close();
  for (const readOnly of [false, true]) {
    assertStringIncludes(
      await refusal({ url, codec: OTHER, readOnly }),
      `encoded with the codec "json", received "other"`,
    );
  }
});

const NAMES = ["a", 'it\'s "quoted"; --', "ÄÖ ☃", "Zestor", "x".repeat(63)];
for (const schema of NAMES) {
  testPostgres(`a schema may have the name ${schema}`, async () => {
    await using database = await newDatabase();
    const { url } = database;
    for (const value of [1, 2]) {
      await using store = await openPostgresStore({ url, schema });
      const reader = store.watch("k").getReader();
      const reading = reader.read();
      await store.set("k", "a", value);
      assertEquals((await reading).value?.value, value);
      await store.update("k", "b", () => 1, { initial: 1 });
      assertEquals(await store.verify(), []);
      await reader.cancel();
    }
  });
}

for (
  const schema of ["", "pg_x", "a\0", "x".repeat(64), "ä".repeat(32), "\ud800"]
) {
  Deno.test(`a schema may not have the name ${JSON.stringify(schema)}`, async () => {
    const url = "postgres://127.0.0.1:1/db";
    await assertRejects(
      () => openPostgresStore({ url, schema }),
      TypeError,
      `"schema" must be a name of 1 to 63 bytes that does not begin with "pg_"`,
    );
  });
}

Deno.test("a server that is too old", async () => {
  await using server = startFakeServer({
    number: "130014",
    version: "13.14",
    encoding: "UTF8",
    isolation: "read committed",
    user: "u",
    standby: "f",
  });
  assertStringIncludes(
    await refusal({ url: server.url }),
    "the server is PostgreSQL 13.14, and the oldest one that the store supports is 14; use a newer server",
  );
});

testServer("a wrong password in PGPASSWORD is not shown", async (binaries) => {
  await using server = await startServer({ binaries, password: "right" });
  const program = new URL(
    "../support/postgres/open_by_environment.ts",
    import.meta.url,
  );
  const open = async (PGPASSWORD: string) => {
    const { stdout, stderr } = await denoRun(program, {
      flags: ["-A"],
      env: {
        PGHOST: "127.0.0.1",
        PGPORT: String(server.port),
        PGUSER: "zestor",
        PGDATABASE: "postgres",
        PGPASSWORD,
      },
      stdout: "piped",
      stderr: "piped",
    }).output();
    return [stdout, stderr].map((it) => new TextDecoder().decode(it)).join("");
  };
  const refused = await open("tOpsEcret");
  assertStringIncludes(
    refused,
    `Cannot open store at postgres://zestor@127.0.0.1:${server.port}/postgres: password authentication failed`,
  );
  assert(!refused.includes("tOpsEcret"), refused);
  assertEquals(await open("right"), "opened\n");
});

testServer("TLS: who the server is has to be proved", async (binaries) => {
  await using server = await startServer({ binaries, tls: true });
  const at = (change: (url: URL) => void) => {
    const url = new URL(server.url);
    change(url);
    return url;
  };
  await (await openPostgresStore({ url: server.url })).close();
  const unknown = at((url) => url.searchParams.delete("sslrootcert"));
  assertStringIncludes(await refusal({ url: unknown }), "certificate");
  const otherName = at((url) => url.hostname = "localhost");
  assert(/certificate|altname/i.test(await refusal({ url: otherName })));

  const rules = join(server.dir, "data", "pg_hba.conf");
  await Deno.writeTextFile(rules, "hostssl all all all trust\n");
  await server.restart();
  const plain = at((url) => url.search = "");
  assertStringIncludes(await refusal({ url: plain }), "no encryption");
  await (await openPostgresStore({ url: server.url })).close();
});

testServer("TLS: a server that has none", async (binaries) => {
  await using server = await startServer({ binaries });
  assertStringIncludes(
    await refusal({ url: `${server.url}?sslmode=verify-full` }),
    "The server does not support SSL connections",
  );
});
