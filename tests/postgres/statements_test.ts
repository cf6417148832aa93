/**
 * A running watch sees each kind of SQL statement: each change once, in order.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
// @ts-types="@types/pg"
import type pg from "pg";
import { openTestStore, type TestStore } from "../support/postgres/faults.ts";
import { withClient } from "../support/postgres/query.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { runWatch } from "../support/postgres/watch.ts";

const INSERT = "INSERT INTO zestor_kv (kind, key, value) VALUES";
const ROWS = "(VALUES ('a', '9'), ('c', '3'), ('d', '4')) AS s (key, value)";

interface Case {
  readonly name: string;
  /** The oldest server that can. */
  readonly version?: number;
  readonly sql: readonly string[];
  /** After `create a=1 v1`, `create b=2 v1`. */
  readonly sees: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "TRUNCATE",
    sql: ["TRUNCATE zestor_kv"],
    sees: ["delete a=1 v1", "delete b=2 v1"],
  },
  {
    name: "TRUNCATE that is rolled back, and one with other writes",
    sql: [
      "BEGIN; TRUNCATE zestor_kv; ROLLBACK",
      `BEGIN; ${INSERT} ('k','c','3'); TRUNCATE zestor_kv; ${INSERT} ('k','a','4'); COMMIT`,
    ],
    sees: [
      "create c=3 v1",
      "delete a=1 v1",
      "delete b=2 v1",
      "delete c=3 v1",
      "create a=4 v1",
    ],
  },
  {
    name: "COPY FROM",
    sql: [
      `COPY zestor_kv (kind, key, value) FROM PROGRAM 'printf "k\\td\\t4\\nk\\tc\\t3\\n"'`,
    ],
    sees: ["create c=3 v1", "create d=4 v1"],
  },
  {
    name: "COPY FROM that fails at its last row",
    sql: [
      `DO $$ BEGIN
        COPY zestor_kv (kind, key, value) FROM PROGRAM 'printf "k\\tc\\t3\\nk\\ta\\t3\\n"';
      EXCEPTION WHEN unique_violation THEN END $$`,
      `${INSERT} ('k','d','4')`,
    ],
    sees: ["create d=4 v1"],
  },
  {
    name: "MERGE that updates, inserts and deletes",
    version: 15,
    sql: [
      `MERGE INTO zestor_kv k USING ${ROWS} ON k.kind = 'k' AND k.key = s.key
      WHEN MATCHED THEN UPDATE SET value = s.value::bytea
      WHEN NOT MATCHED THEN INSERT (kind, key, value) VALUES ('k', s.key, s.value::bytea)`,
      `MERGE INTO zestor_kv k USING ${ROWS} ON k.kind = 'k' AND k.key = s.key
      WHEN MATCHED AND s.key <> 'a' THEN DELETE WHEN MATCHED THEN DO NOTHING`,
    ],
    sees: [
      "update a=9 v2",
      "create c=3 v1",
      "create d=4 v1",
      "delete c=3 v1",
      "delete d=4 v1",
    ],
  },
  {
    name: "MERGE that does all at once",
    version: 15,
    sql: [
      `MERGE INTO zestor_kv k USING (VALUES ('a','9'), ('b','0'), ('c','3')) AS s (key, value)
        ON k.kind = 'k' AND k.key = s.key
      WHEN MATCHED AND s.value = '0' THEN DELETE
      WHEN MATCHED THEN UPDATE SET value = s.value::bytea
      WHEN NOT MATCHED THEN INSERT (kind, key, value) VALUES ('k', s.key, s.value::bytea)`,
    ],
    sees: ["delete b=2 v1", "update a=9 v2", "create c=3 v1"],
  },
  {
    name: "savepoints, of which some are rolled back",
    sql: [
      `BEGIN; ${INSERT} ('k','c','3');
      SAVEPOINT one; UPDATE zestor_kv SET value = '9'; SAVEPOINT two; DELETE FROM zestor_kv;
      ROLLBACK TO two; ${INSERT} ('k','d','4'); RELEASE two; ROLLBACK TO one;
      UPDATE zestor_kv SET value = '5' WHERE key = 'a';
      SAVEPOINT three; ${INSERT} ('k','e','6'); RELEASE three; COMMIT`,
    ],
    sees: ["create c=3 v1", "update a=5 v2", "create e=6 v1"],
  },
  {
    name: "a savepoint before the first write",
    sql: [
      `BEGIN; SAVEPOINT s; DELETE FROM zestor_kv; ROLLBACK TO s; COMMIT`,
      `BEGIN; SAVEPOINT s; DELETE FROM zestor_kv; ROLLBACK TO s; ${INSERT} ('k','c','3'); COMMIT`,
    ],
    sees: ["create c=3 v1"],
  },
  {
    name: "an exception that a block of PL/pgSQL catches",
    sql: [
      `DO $$ BEGIN ${INSERT} ('k','c','3');
        BEGIN ${INSERT} ('k','d','4'); ${INSERT} ('k','a','1');
        EXCEPTION WHEN unique_violation THEN ${INSERT} ('k','e','5'); END;
      END $$`,
    ],
    sees: ["create c=3 v1", "create e=5 v1"],
  },
  {
    name: "a transaction that is rolled back",
    sql: [
      `BEGIN; ${INSERT} ('k','c','3'); ROLLBACK`,
      `${INSERT} ('k','c','4')`,
    ],
    sees: ["create c=4 v1"],
  },
];

const END = "create end=0 v1";

/** Runs statements, and gives what a watch saw that ran meanwhile. */
async function seenOf(
  store: TestStore,
  client: pg.Client,
  { sql, sees }: Case,
): Promise<string[]> {
  await using watch = await runWatch(store);
  await client.query(`${INSERT} ('k','a','1'), ('k','b','2')`);
  for (const statement of sql) await client.query(statement);
  // Whatever comes too often comes before the end.
  await store.set("k", "end", 0);
  const seen: string[] = [];
  while (seen.at(-1) !== END) seen.push(...await watch.next(1));
  assertEquals(seen.length, sees.length + 3, seen.join("\n"));
  return seen.slice(2, -1);
}

for (const it of CASES) {
  testPostgres(`a watch sees ${it.name}`, async ({ url: _ }, t) => {
    await using database = await newDatabase();
    await using store = await openTestStore({ url: database.url });
    await withClient(database.url, async (client) => {
      const { rows: [{ number }] } = await client.query(
        "SELECT current_setting('server_version_num')::int / 10000 AS number",
      );
      await client.query("SET search_path = zestor");
      await t.step({
        name: `on PostgreSQL ${number}`,
        ignore: number < (it.version ?? 0),
        fn: async () => {
          assertEquals(await seenOf(store, client, it), it.sees);
          assertEquals(await store.verify(), []);
        },
      });
    });
  });
}

testPostgres(
  "watches see many transactions at once, each change once",
  async () => {
    await using database = await newDatabase();
    await using store = await openTestStore({ url: database.url });
    await using one = await runWatch(store);
    await using two = await runWatch(store);
    const write = (writer: number) =>
      withClient(database.url, async (client) => {
        await client.query("SET search_path = zestor");
        for (let i = 0; i < 20; i++) {
          const key = `${writer}-${i}`;
          await client.query(
            `BEGIN; ${INSERT} ('k','${key}','1'); SAVEPOINT s; DELETE FROM zestor_kv WHERE key = '${key}';
          ROLLBACK TO s; UPDATE zestor_kv SET value = '2' WHERE key = '${key}'; COMMIT`,
          );
        }
      });
    await Promise.all([0, 1, 2].map(write));
    const seen = await one.next(120);
    assertEquals(await two.next(120), seen);
    for (const [i, line] of seen.entries()) {
      if (i % 2 === 1) continue;
      const [, key] = line.split(/[ =]/);
      assertEquals([line, seen[i + 1]], [
        `create ${key}=1 v1`,
        `update ${key}=2 v2`,
      ]);
    }
    assertEquals(new Set(seen).size, 120);
    assertEquals((await store.info()).log.newest, 120);
  },
);
