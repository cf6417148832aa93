/**
 * What an opening is told if it is refused. No password is in it, wherever it
 * came from.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreOpenError } from "../../mod.ts";
import {
  openPostgresStore,
  type PostgresStoreOptions,
} from "../../src/postgres/open_postgres_store.ts";
import {
  freshSchema,
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { startServer } from "../support/postgres/server.ts";
import { testServer } from "../support/postgres/test_server.ts";

/** The error of an opening, which must not show a password in any way. */
async function refusal(
  options: PostgresStoreOptions,
  secret = "tOpsEcret",
): Promise<Error> {
  const error = await openPostgresStore(options).then(
    (store) => store.close().then(() => new Error("It was opened")),
    (error: Error) => error,
  );
  const shown = [
    Deno.inspect(error, { depth: 20, showHidden: true }),
    String(error.stack),
    JSON.stringify(error),
  ].join("\n");
  for (const text of [secret, encodeURIComponent(secret)]) {
    assert(!shown.includes(text), shown);
  }
  return error;
}

for (
  const password of ["tOpsEcret", "p'a\\s:s@/ä %?#tOpsEcret", "12/tOpsEcret"]
) {
  testServer(`a wrong password is not shown: ${password}`, async (binaries) => {
    await using server = await startServer({ binaries, password: "right" });
    const url = new URL(server.url);
    url.password = encodeURIComponent(password);
    const error = await refusal({ url }, password);
    assert(error instanceof StoreOpenError);
    assertEquals(error.code, "OPEN");
    assert(/password authentication failed/.test(error.message), error.message);
  });
}

for (
  const url of [
    "postgres://user:tOpsEcret@host:port/db",
    "postgres://user:12/tOpsEcret@127.0.0.1/db",
    "postgres://user:12?tOpsEcret@127.0.0.1/db",
    "postgres://user:12?a=tOpsEcret@127.0.0.1/db",
    "postgres://user:12#tOpsEcret@127.0.0.1/db",
    "postgres://user:tOpsEcret/1@127.0.0.1/db",
    "mysql://user:tOpsEcret@127.0.0.1/db",
    "user:tOpsEcret@127.0.0.1/db",
  ]
) {
  for (const name of ["url", "listenUrl"] as const) {
    Deno.test(`a malformed ${name} is not shown: ${url}`, async () => {
      const rest = name === "url" ? {} : { url: "postgres://127.0.0.1:1/db" };
      const error = await refusal({ ...rest, [name]: url });
      assert(error instanceof TypeError, error.message);
      assert(error.message.includes(`"${name}"`), error.message);
    });
  }
}

Deno.test("a percent sign that encodes nothing is not shown", async () => {
  const error = await refusal({
    url: "postgres://user:tOpsEcret%zz@127.0.0.1:1/db",
  });
  assert(/Cannot open store/.test(error.message), error.message);
});

Deno.test("a port that refuses, and a host that is not there", async () => {
  for (const host of ["127.0.0.1:1", "no-such-host.invalid"]) {
    const error = await refusal({
      url: `postgres://user:tOpsEcret@${host}/db`,
      busyTimeout: 2_000,
    });
    assert(error instanceof StoreOpenError, error.message);
    assert(error.message.includes(host.split(":")[0]), error.message);
  }
});

Deno.test("options of other stores are unknown", async () => {
  for (const name of ["path", "driver", "wal", "secureDelete"]) {
    const options = { url: "postgres://127.0.0.1:1/db", [name]: "x" };
    const error = await refusal(options as PostgresStoreOptions);
    assert(error instanceof TypeError && error.message.includes(name));
  }
});

testPostgres("a database that is not there", async ({ url }) => {
  const other = new URL(url);
  other.pathname = "/nowhere";
  const error = await refusal({ url: other });
  assert(error instanceof StoreOpenError);
  assert(error.message.includes("nowhere"), error.message);
});

testPostgres("two stores make the schema at once", async ({ url }) => {
  const schema = freshSchema();
  const stores = await Promise.all(
    Array.from({ length: 4 }, () => openPostgresStore({ url, schema })),
  );
  await Promise.all(stores.map((store, i) => store.set("k", `${i}`, i)));
  assertEquals(await stores[0].count("k"), 4);
  await Promise.all(stores.map((store) => store.close()));
});

testPostgres(
  "an opening that is aborted ends with the reason",
  async ({ url }) => {
    const stop = new AbortController();
    const opening = openPostgresStore({
      url,
      schema: freshSchema(),
      signal: stop.signal,
    });
    stop.abort(new Error("enough"));
    await assertRejects(() => opening, Error, "enough");
  },
);

for (
  const setting of [
    "default_transaction_isolation = 'repeatable read'",
    "default_transaction_isolation = 'serializable'",
    "bytea_output = 'escape'",
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'German, DMY'",
  ]
) {
  testPostgres(`a database with ${setting}`, async ({ url: _ }) => {
    await using database = await newDatabase();
    const { queryAt } = await import("../support/postgres/query.ts");
    await queryAt(
      database.url,
      `ALTER DATABASE ${database.name} SET ${setting}`,
    );
    await using store = await openPostgresStore<{ k: unknown }>({
      url: database.url,
    });
    const reader = store.watch("k").getReader();
    const before = Date.now();
    await store.set("k", "a", { text: "ä\\\u0001" });
    const { value } = await reader.read();
    assertEquals(value?.type === "create" && value.value, {
      text: "ä\\\u0001",
    });
    await store.update("k", "a", () => 2);
    await store.setAll("k", { a: 3, b: 4 });
    const entry = await store.entry("k", "a");
    assertEquals([entry?.value, entry?.version], [3, 3]);
    assert(Math.abs(entry!.updatedAt.getTime() - before) < 60_000);
    await reader.cancel();
  });
}
