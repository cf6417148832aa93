/**
 * Roles that are no superusers: what they may do, and what they are told.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { StoreOpenError, StoreReadOnlyError } from "../../mod.ts";
import { openTestStore } from "../support/postgres/faults.ts";
import { queryAt } from "../support/postgres/query.ts";
import { newRole } from "../support/postgres/roles.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";
import { runWatch } from "../support/postgres/watch.ts";

const FUNCTIONS =
  "zestor.zestor_write, zestor.zestor_write_one, zestor.zestor_tidy";

const readRights = (role: string) =>
  `GRANT USAGE ON SCHEMA zestor TO ${role};
  GRANT SELECT ON zestor.zestor_kv, zestor.zestor_changes, zestor.zestor_meta TO ${role};`;
const writeRights = (role: string) =>
  `${readRights(role)}
  GRANT INSERT, UPDATE, DELETE ON zestor.zestor_kv TO ${role};
  GRANT INSERT ON zestor.zestor_meta TO ${role};
  GRANT EXECUTE ON FUNCTION ${FUNCTIONS} TO ${role};`;

/** Makes a database with a store, whose owner is the superuser. */
async function newStoreDatabase() {
  const database = await newDatabase();
  await (await openTestStore({ url: database.url })).close();
  return database;
}

/** Asserts that a role is denied statements. */
async function assertDenied(url: string, statements: readonly string[]) {
  for (const sql of statements) {
    const error: Error & { code?: string } = await assertRejects(
      () => queryAt(url, sql),
      Error,
      undefined,
      sql,
    );
    assertEquals(error.code, "42501", `${sql}: ${error.message}`);
  }
}

/** The names of the schemas and tables that are not the server's. */
async function objectsAt(url: string): Promise<string[]> {
  const rows = await queryAt<{ name: string }>(
    url,
    `SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information' AND nspname <> 'public'
    UNION ALL SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|^information'
    ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

testPostgres("a role without CREATE on the database", async () => {
  await using role = await newRole();
  await using database = await newDatabase();
  const url = role.at(database.url);
  const error = await assertRejects(
    () => openTestStore({ url }),
    StoreReadOnlyError,
  );
  assertStringIncludes(error.message, "grant CREATE on the database");
  assertEquals(await objectsAt(database.url), []);
  await queryAt(
    database.url,
    `GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`,
  );
  await using store = await openTestStore({ url });
  await store.set("k", "a", 1);
  assertEquals(await store.get("k", "a"), 1);
});

testPostgres("a role without rights on a schema that is there", async () => {
  await using role = await newRole();
  await using database = await newDatabase();
  const url = role.at(database.url);
  await queryAt(database.url, "CREATE SCHEMA zestor");
  const refused = async (text: string) => {
    const error = await assertRejects(() => openTestStore({ url }));
    assert(
      error instanceof StoreOpenError || error instanceof StoreReadOnlyError,
    );
    assertStringIncludes(error.message, text);
    assertEquals(await objectsAt(database.url), ["zestor"]);
  };
  await refused(`grant it USAGE on the schema "zestor"`);
  await queryAt(database.url, `GRANT USAGE ON SCHEMA zestor TO ${role.name}`);
  await refused(`grant USAGE and CREATE on the schema "zestor"`);
  await queryAt(database.url, `GRANT CREATE ON SCHEMA zestor TO ${role.name}`);
  await using store = await openTestStore({ url });
  await store.set("k", "a", 1);
});

for (
  const [name, grants] of [
    ["no right on the schema", ""],
    ["only USAGE", "GRANT USAGE ON SCHEMA zestor TO $"],
    [
      "only what opening reads",
      "GRANT USAGE ON SCHEMA zestor TO $; GRANT SELECT ON zestor.zestor_meta TO $",
    ],
  ]
) {
  testPostgres(`a store that the role may not read: ${name}`, async () => {
    await using role = await newRole();
    await using database = await newStoreDatabase();
    await queryAt(database.url, grants.replaceAll("$", role.name));
    for (const readOnly of [false, true]) {
      const error = await assertRejects(
        () => openTestStore({ url: role.at(database.url), readOnly }),
        StoreOpenError,
      );
      assertStringIncludes(
        error.message,
        `grant it USAGE on the schema "zestor" and SELECT on zestor_kv, zestor_changes and zestor_meta`,
      );
      assertStringIncludes(error.message, role.name);
    }
  });
}

for (
  const [name, grants] of [
    ["SELECT", ""],
    ["SELECT and EXECUTE", `GRANT EXECUTE ON FUNCTION ${FUNCTIONS} TO $`],
    ["SELECT and INSERT", "GRANT INSERT ON zestor.zestor_kv TO $"],
  ]
) {
  testPostgres(`a role with ${name} only reads and watches`, async () => {
    await using role = await newRole();
    await using database = await newDatabase();
    await using owner = await openTestStore({ url: database.url });
    await owner.set("k", "a", 1);
    await queryAt(
      database.url,
      readRights(role.name) + grants.replaceAll("$", role.name),
    );
    await using store = await openTestStore({ url: role.at(database.url) });
    const { readOnly } = await store.info();
    assertStringIncludes(readOnly!, `grant it EXECUTE on zestor_write`);
    assertEquals(await store.get("k", "a"), 1);
    await using watch = await runWatch(store);
    await owner.set("k", "b", 2);
    await owner.delete("k", "a");
    assertEquals(await watch.next(2), ["create b=2 v1", "delete a=1 v1"]);
    for (
      const write of [
        () => store.set("k", "c", 3),
        () => store.setAll("k", { c: 3 }),
        () => store.update("k", "b", () => 3),
        () => store.delete("k", "b"),
      ]
    ) {
      await assertRejects(write, StoreReadOnlyError, readOnly);
    }
    assertEquals(await store.verify(), []);
    assertEquals(await owner.keys("k"), ["b"]);
  });
}

testPostgres("a role with EXECUTE writes, expires and prunes", async () => {
  await using role = await newRole();
  await using database = await newStoreDatabase();
  const url = role.at(database.url);
  await queryAt(database.url, writeRights(role.name));
  await using store = await openTestStore({ url, history: 10 });
  await using other = await openTestStore({ url, history: 10 });
  assertEquals((await store.info()).readOnly, undefined);
  await using watch = await runWatch(store);
  await store.set("k", "gone", 0, { expireIn: 50 });
  assertEquals(await watch.next(2), [
    "create gone=0 v1",
    "delete gone=0 expired v1",
  ]);
  // Some decide under the lock, as the others are faster.
  const add = (n: number) => n + 1;
  await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) => [store, other][i % 2].update("k", "n", add, { initial: 0 }),
    ),
  );
  assertEquals(await store.get("k", "n"), 40);
  await store.setAll("k", { a: 1, b: 2 });
  await store.delete("k", "a");
  await until("the log is pruned", async () => {
    const { log } = await store.info();
    return log.count <= 12 && log.oldest > 1;
  });
  assertEquals(await store.keys("k"), ["b", "n"]);
  assertEquals(await store.verify(), []);
  await assertDenied(url, [
    "UPDATE zestor.zestor_entries SET value = 'x'",
    "DELETE FROM zestor.zestor_changes",
    "UPDATE zestor.zestor_meta SET value = '0'",
    "DELETE FROM zestor.zestor_batches",
    "SELECT zestor.zestor_prune(1)",
  ]);
});

testPostgres("a role that may only write zestor_kv is watched", async () => {
  await using role = await newRole();
  await using database = await newDatabase();
  await using store = await openTestStore({ url: database.url });
  const url = role.at(database.url);
  await queryAt(
    database.url,
    `GRANT USAGE ON SCHEMA zestor TO ${role.name};
    GRANT INSERT, UPDATE, DELETE ON zestor.zestor_kv TO ${role.name}`,
  );
  await using watch = await runWatch(store);
  await queryAt(
    url,
    `INSERT INTO zestor.zestor_kv (kind, key, value) VALUES ('k','b','1'), ('k','a','1');
    UPDATE zestor.zestor_kv SET value = '2', version = 9, revision = 77;
    DELETE FROM zestor.zestor_kv`,
  );
  assertEquals(await watch.next(6), [
    "create a=1 v1",
    "create b=1 v1",
    "update a=2 v2",
    "update b=2 v2",
    "delete a=2 v2",
    "delete b=2 v2",
  ]);
  const functions = await queryAt<{ call: string }>(
    database.url,
    `SELECT format('SELECT zestor.%I(%s)', proname, (SELECT string_agg('NULL::' || t::regtype, ', ')
      FROM unnest(proargtypes) t)) AS call FROM pg_proc
    WHERE pronamespace = 'zestor'::regnamespace AND prorettype <> 'trigger'::regtype`,
  );
  assert(functions.length > 5);
  const triggers = await queryAt<{ make: string }>(
    database.url,
    `SELECT format('CREATE TEMP TABLE t (n int); CREATE TRIGGER t BEFORE INSERT ON t EXECUTE FUNCTION zestor.%I()', proname) AS make
    FROM pg_proc WHERE pronamespace = 'zestor'::regnamespace AND prorettype = 'trigger'::regtype`,
  );
  assertEquals(triggers.length, 5);
  await assertDenied(url, [
    "TRUNCATE zestor.zestor_kv",
    "ALTER TABLE zestor.zestor_kv DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TRIGGER zestor_log_insert ON zestor.zestor_kv",
    "CREATE TABLE zestor.t (n int)",
    ...["zestor_entries", "zestor_changes", "zestor_meta", "zestor_batches"]
      .flatMap((table) => [
        `SELECT FROM zestor.${table}`,
        `INSERT INTO zestor.${table} DEFAULT VALUES`,
        `DELETE FROM zestor.${table}`,
        `TRUNCATE zestor.${table}`,
      ]),
    ...functions.map(({ call }) => call),
    ...triggers.map(({ make }) => make),
  ]);
  await store.set("k", "a", 3);
  assertEquals(await watch.next(1), ["create a=3 v1"]);
  assertEquals(await store.verify(), []);
});

for (const hasTrigger of [false, true]) {
  testPostgres(
    `a role that changes the store's settings cannot change the past${
      hasTrigger ? ", if there is a trigger of others" : ""
    }`,
    async () => {
      await using role = await newRole();
      await using database = await newDatabase();
      await using store = await openTestStore({ url: database.url });
      await store.setAll("k", { a: 1, b: 2 });
      await queryAt(
        database.url,
        `GRANT USAGE ON SCHEMA zestor TO ${role.name};
        GRANT INSERT, UPDATE, DELETE ON zestor.zestor_kv TO ${role.name};
        CREATE FUNCTION public.noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';` +
          (hasTrigger
            ? "CREATE TRIGGER noop BEFORE INSERT ON zestor.zestor_kv FOR EACH ROW EXECUTE FUNCTION public.noop()"
            : ""),
      );
      // It is evaluated after the lock is taken.
      const lie = "set_config('zestor.head1', '0', false)";
      const writing = queryAt(
        role.at(database.url),
        `INSERT INTO zestor.zestor_kv (kind, key, value)
          SELECT 'k', 'c', convert_to((${lie}::int + 3)::text, 'UTF8');
        UPDATE zestor.zestor_kv SET value = convert_to((${lie}::int + 4)::text, 'UTF8')`,
      );
      const past = ["create a 1", "create b 2"];
      if (hasTrigger) {
        const error = await assertRejects(() => writing, Error, "zestor.head1");
        assertEquals((error as { code?: string }).code, "42501");
      } else {
        await writing;
        past.push("create c 3", "update a 4", "update b 4", "update c 4");
      }
      const changes = await Array.fromAsync(store.history("k"));
      assertEquals(
        changes.map(({ type, key, value }) => `${type} ${key} ${value}`),
        past,
      );
      assertEquals(
        (await store.verify()).filter(({ part }) => part !== "foreign"),
        [],
      );
    },
  );
}

/** Gives a schema with all that is in it to a role. */
const GIVE = (role: string, kinds: readonly string[]) =>
  `ALTER SCHEMA zestor OWNER TO ${role};
  DO $$ DECLARE command text; BEGIN
    FOR command IN SELECT format('ALTER TABLE %s OWNER TO ${role}', oid::regclass)
      FROM pg_class WHERE relnamespace = 'zestor'::regnamespace AND relkind IN ('r', 'p')
      ${
    kinds.includes("functions")
      ? `UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO ${role}', oid::regprocedure)
      FROM pg_proc WHERE pronamespace = 'zestor'::regnamespace`
      : ""
  } LOOP EXECUTE command; END LOOP; END $$`;

testPostgres("a store changes hands", async () => {
  await using old = await newRole();
  await using young = await newRole();
  await using app = await newRole();
  await using database = await newDatabase();
  const admin = database.url;
  await queryAt(
    admin,
    `GRANT CREATE ON DATABASE ${database.name} TO ${old.name}`,
  );
  {
    await using store = await openTestStore({ url: old.at(admin) });
    await store.set("k", "a", 1);
  }
  await queryAt(admin, writeRights(app.name) + GIVE(young.name, []));
  // The functions are the old owner's still, who has no right any more.
  const error = await assertRejects(
    () => openTestStore({ url: young.at(admin) }),
    StoreReadOnlyError,
  );
  assertStringIncludes(error.message, "let a superuser give the role");
  // A superuser who opens it mends that.
  await (await openTestStore({ url: admin })).close();
  for (const role of [young, app]) {
    await using store = await openTestStore({ url: role.at(admin) });
    await using watch = await runWatch(store);
    await store.set("k", "b", 2);
    await store.update("k", "b", (n) => n + 1);
    await store.delete("k", "b");
    await queryAt(
      role.at(admin),
      "INSERT INTO zestor.zestor_kv (kind, key, value) VALUES ('k','c','4'); DELETE FROM zestor.zestor_kv WHERE key = 'c'",
    );
    assertEquals(await watch.next(5), [
      "create b=2 v1",
      "update b=3 v2",
      "delete b=3 v2",
      "create c=4 v1",
      "delete c=4 v1",
    ]);
  }
  await queryAt(admin, GIVE(old.name, ["functions"]));
  for (const role of [old, app]) {
    await using store = await openTestStore({ url: role.at(admin) });
    await store.set("k", "d", 5);
    assertEquals(await store.verify(), []);
  }
  // Nothing runs with the rights of others.
  const owners = await queryAt<{ owner: string }>(
    admin,
    `SELECT DISTINCT proowner::regrole::text AS owner FROM pg_proc
    WHERE pronamespace = 'zestor'::regnamespace`,
  );
  assertEquals(owners, [{ owner: old.name }]);
});
