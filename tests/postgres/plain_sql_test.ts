/**
 * What plain SQL writes to `zestor_kv` is in the change log, as it happened.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import {
  logFaults,
  makeSqlStore,
  type SqlStore,
} from "../support/postgres/sql_store.ts";
import { testPostgres } from "../support/postgres/test_postgres.ts";

const INSERT = "INSERT INTO zestor_kv (kind, key, value) VALUES";
const UPSERT = "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";

/** The log, a line for each change. */
async function story({ client }: SqlStore): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT type || ' ' || key || ' v' || version AS line FROM zestor_changes ORDER BY revision`,
  );
  return rows.map(({ line }) => line);
}

const CASES: { name: string; sql: string[]; tells: string[] }[] = [
  {
    name: "one statement of many rows is logged by the order of keys",
    sql: [`${INSERT} ('k','b','1'), ('k','a','1')`],
    tells: ["create a v1", "create b v1"],
  },
  {
    name: "versions count up whatever the statement says",
    sql: [
      `${INSERT} ('k','a','1'), ('k','b','1')`,
      "UPDATE zestor_kv SET value = '2', version = 77 WHERE key = 'a'",
      "UPDATE zestor_kv SET value = '3', version = 1",
    ],
    tells: [
      "create a v1",
      "create b v1",
      "update a v2",
      "update a v3",
      "update b v2",
    ],
  },
  {
    name: "an update that changes nothing is no change",
    sql: [
      `${INSERT} ('k','a','1'), ('k','b','1')`,
      "UPDATE zestor_kv SET value = '1'",
      "UPDATE zestor_kv SET version = 9, revision = 0, updated_at = now() WHERE key = 'a'",
      "UPDATE zestor_kv SET version = 9, revision = 5",
      "UPDATE zestor_kv SET value = '2' WHERE false",
    ],
    tells: ["create a v1", "create b v1"],
  },
  {
    name: "a rename is a deletion and a creation",
    sql: [`${INSERT} ('k','a','1')`, "UPDATE zestor_kv SET key = 'z'"],
    tells: ["create a v1", "delete a v1", "create z v1"],
  },
  {
    name: "a rename onto a deleted name",
    sql: [
      `${INSERT} ('k','a','1'), ('k','b','1')`,
      "DELETE FROM zestor_kv WHERE key = 'b'",
      "UPDATE zestor_kv SET key = 'b' WHERE key = 'a'",
    ],
    tells: [
      "create a v1",
      "create b v1",
      "delete b v1",
      "delete a v1",
      "create b v1",
    ],
  },
  {
    name: "an upsert that inserts and updates",
    sql: [
      `${INSERT} ('k','a','1')`,
      `${INSERT} ('k','a','2'), ('k','b','2') ${UPSERT}`,
    ],
    tells: ["create a v1", "update a v2", "create b v1"],
  },
  {
    name: "an insertion that does nothing on conflict",
    sql: [
      `${INSERT} ('k','a','1')`,
      `${INSERT} ('k','a','2') ON CONFLICT DO NOTHING`,
    ],
    tells: ["create a v1"],
  },
  {
    name: "data-modifying CTEs",
    sql: [
      `${INSERT} ('k','a','1'), ('k','b','1')`,
      `WITH gone AS (DELETE FROM zestor_kv WHERE key = 'a' RETURNING *),
        new AS (${INSERT} ('k','c','1') RETURNING 1)
        UPDATE zestor_kv SET value = '2' WHERE key = 'b'`,
    ],
    tells: [],
  },
  {
    name: "TRUNCATE deletes each entry",
    sql: [`${INSERT} ('k','a','1'), ('k','b','1')`, "TRUNCATE zestor_kv"],
    tells: ["create a v1", "create b v1", "delete a v1", "delete b v1"],
  },
  {
    name: "savepoints",
    sql: [
      `BEGIN; ${INSERT} ('k','a','1'); SAVEPOINT s; ${INSERT} ('k','b','1');
        ROLLBACK TO s; ${INSERT} ('k','c','1'); COMMIT`,
    ],
    tells: ["create a v1", "create c v1"],
  },
  {
    name: "rows that are copied back, with all their columns",
    sql: [
      `${INSERT} ('k','a','1'), ('k','b','1')`,
      "CREATE TABLE copy AS SELECT * FROM zestor_kv",
      "BEGIN; DELETE FROM zestor_kv; INSERT INTO zestor_kv SELECT * FROM copy; COMMIT",
    ],
    tells: [
      "create a v1",
      "create b v1",
      "delete a v1",
      "delete b v1",
      "create a v1",
      "create b v1",
    ],
  },
  {
    name: "an entry that has expired ends before it is written",
    sql: [
      "INSERT INTO zestor_kv (kind, key, value, expires_at) VALUES ('k','a','1', now() - interval '1 s')",
      "UPDATE zestor_kv SET value = '2'",
    ],
    tells: ["create a v1", "expire a v1", "create a v1"],
  },
];

for (const { name, sql, tells } of CASES) {
  testPostgres(`plain SQL: ${name}`, async (server) => {
    await using store = await makeSqlStore(server);
    for (const statement of sql) await store.client.query(statement);
    assertEquals(await logFaults(store.client), []);
    if (tells.length > 0) assertEquals(await story(store), tells);
  });
}

testPostgres(
  "plain SQL: a new value does not expire as the old one would have",
  async (server) => {
    await using store = await makeSqlStore(server);
    const { client } = store;
    await client.query(
      `INSERT INTO zestor_kv (kind, key, value, expires_at)
      SELECT 'k', k, '1', now() + interval '1 h' FROM unnest('{a,b,c}'::text[]) k`,
    );
    await client.query("UPDATE zestor_kv SET value = '2' WHERE key = 'a'");
    await client.query(
      "UPDATE zestor_kv SET key = 'd', value = '2' WHERE key = 'b'",
    );
    await client.query("UPDATE zestor_kv SET key = 'e' WHERE key = 'c'");
    const { rows } = await client.query(
      "SELECT key, expires_at IS NULL AS lasts FROM zestor_kv ORDER BY key",
    );
    assertEquals(rows, [
      { key: "a", lasts: true },
      { key: "d", lasts: true },
      { key: "e", lasts: false },
    ]);
    assertEquals(await logFaults(client), []);
  },
);

for (const bad of ["('', 'a', '1')", "('k', '', '1')"]) {
  testPostgres(`plain SQL: ${bad} is refused`, async (server) => {
    await using store = await makeSqlStore(server);
    const error = await assertRejects(() =>
      store.client.query(`${INSERT} ${bad}`)
    );
    assertEquals((error as { code?: string }).code, "23514");
    assertEquals(await story(store), []);
  });
}

for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
  testPostgres(
    `plain SQL: ${level} with a stale snapshot fails to serialize`,
    async (server) => {
      await using store = await makeSqlStore(server);
      const stale = await store.connect();
      await stale.query(`BEGIN ISOLATION LEVEL ${level}`);
      await stale.query("SELECT * FROM zestor_kv");
      await store.client.query(`${INSERT} ('k','a','1')`);
      const error = await assertRejects(() =>
        stale.query(`${INSERT} ('k','a','2')`)
      );
      assertEquals((error as { code?: string }).code, "40001");
      await stale.query("ROLLBACK");
      await stale.query(
        `BEGIN ISOLATION LEVEL ${level}; ${INSERT} ('k','b','1'); COMMIT`,
      );
      assertEquals(await logFaults(store.client), []);
      assertEquals(await story(store), ["create a v1", "create b v1"]);
    },
  );
}

const NESTED = {
  "changes the row before it is written":
    `BEGIN NEW.value := NEW.value || '!'; RETURN NEW; END`,
  "cancels a row":
    `BEGIN IF NEW.key = 'a' THEN RETURN NULL; END IF; RETURN NEW; END`,
  "writes another entry first":
    `BEGIN IF NEW.key NOT LIKE 'x%' THEN ${INSERT} ('k', 'x' || NEW.key, '1') ${UPSERT} || '!'; END IF; RETURN NEW; END`,
};
for (const [name, body] of Object.entries(NESTED)) {
  testPostgres(
    `plain SQL and the store with a BEFORE trigger that ${name}`,
    async (server) => {
      await using store = await makeSqlStore(server);
      await store.client.query(
        `CREATE FUNCTION foreign_one() RETURNS trigger LANGUAGE plpgsql AS $$ ${
          body.replace(" || '!'; END IF", "; END IF")
        } $$;
      CREATE TRIGGER foreign_one BEFORE INSERT${
          name.startsWith("writes") ? "" : " OR UPDATE"
        } ON zestor_kv
        FOR EACH ROW EXECUTE FUNCTION foreign_one()`,
      );
      await writeAll(store);
      assertEquals(await logFaults(store.client), []);
    },
  );
}

for (const event of ["INSERT", "UPDATE", "INSERT OR UPDATE"]) {
  testPostgres(
    `plain SQL and the store with an AFTER ${event} trigger that writes the same entry`,
    async (server) => {
      await using store = await makeSqlStore(server);
      await store.client.query(
        `CREATE FUNCTION foreign_two() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        -- A block that catches errors is a subtransaction.
        BEGIN
          UPDATE zestor_kv SET value = value || '!' WHERE kind = NEW.kind AND length(value) < 3;
        EXCEPTION WHEN division_by_zero THEN
        END;
        RETURN NULL; END $$;
      CREATE TRIGGER a_foreign_two AFTER ${event} ON zestor_kv
        FOR EACH ROW EXECUTE FUNCTION foreign_two()`,
      );
      await writeAll(store);
      assertEquals(await logFaults(store.client), []);
    },
  );
}

/** Writes by plain SQL and by the store's functions. */
async function writeAll({ client }: SqlStore): Promise<void> {
  await client.query(`${INSERT} ('k','a','1'), ('k','b','1')`);
  await client.query("UPDATE zestor_kv SET value = '2'");
  await client.query("UPDATE zestor_kv SET value = '3' WHERE key = 'b'");
  for (const [batch, value] of ["4", "5"].entries()) {
    await client.query(
      `SELECT zestor_write_one(gen_random_uuid(), $1, 1000, false, NULL,
        'k', 'a', NULL, NULL, NULL, 5, $2, NULL)`,
      [batch + 1, new TextEncoder().encode(value)],
    );
  }
  await client.query(
    `SELECT zestor_write(gen_random_uuid(), 1, 1000, false, NULL, '{2,3,4}', '{5,5,8,5}',
      '{k,k,k,k}', '{c,d,b,b}', '{NULL,NULL,NULL,NULL}', '{0,1,NULL,0}', '{1,1,NULL,1}',
      '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{2,0,0,0}', '67')`,
  );
  await client.query("DELETE FROM zestor_kv WHERE key = 'c'");
}

testPostgres(
  "ten writers at once, with rollbacks and savepoints, leave no gap",
  async (server) => {
    await using store = await makeSqlStore(server);
    const write = async (writer: number) => {
      const client = await store.connect();
      for (let i = 0; i < 20; i++) {
        const key = `k${(i * 7 + writer) % 5}`;
        const row = `${INSERT} ('k','${key}','${writer}.${i}') ${UPSERT}`;
        await client.query(
          i % 4 === 0
            ? `BEGIN; ${row}; ROLLBACK`
            : i % 4 === 1
            ? `BEGIN; SAVEPOINT s; ${row}; ROLLBACK TO s; ${INSERT} ('w${writer}','${i}','1'); COMMIT`
            : i % 4 === 2
            ? `DELETE FROM zestor_kv WHERE key = '${key}'`
            : row,
        );
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, writer) => write(writer)));
    assertEquals(await logFaults(store.client), []);
  },
);

testPostgres(
  "the writes of a role with rights only on zestor_kv are always logged",
  async (server) => {
    await using store = await makeSqlStore(server);
    const role = `${store.schema}_role`;
    await store.client.query(
      `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${store.schema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON zestor_kv TO ${role}`,
    );
    try {
      const client = await store.connect();
      await client.query(
        `CREATE TEMP TABLE zestor_changes (LIKE ${store.schema}.zestor_changes);
        GRANT ALL ON pg_temp.zestor_changes TO ${role};
        SET ROLE ${role}; SET search_path = pg_temp, public`,
      );
      const table = `${store.schema}.zestor_kv`;
      await client.query(`${INSERT.replace("zestor_kv", table)} ('k','a','1')`);
      await client.query(`UPDATE ${table} SET value = '2', revision = 99`);
      const error = await assertRejects(() =>
        client.query(`UPDATE ${store.schema}.zestor_entries SET value = '3'`)
      );
      assertEquals((error as { code?: string }).code, "42501");
      assertEquals(await story(store), ["create a v1", "update a v2"]);
      assertEquals(await logFaults(store.client), []);
    } finally {
      await store.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  },
);
