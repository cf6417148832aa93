/**
 * A store's tables, triggers and functions in a schema, without the engine, and
 * a checker of the change log.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import { TABLES } from "../../../src/postgres/format/tables.ts";
import { triggersOf } from "../../../src/postgres/format/triggers.ts";
import { writeFunctionOf } from "../../../src/postgres/format/write_function.ts";
import type { SharedServer } from "./shared.ts";
import { freshSchema } from "./test_postgres.ts";

/** A schema with a store, and connections to it. */
export interface SqlStore extends AsyncDisposable {
  readonly schema: string;
  /** The first connection. */
  readonly client: pg.Client;
  /** Another connection, whose `search_path` is the schema. */
  connect(): Promise<pg.Client>;
}

/** Makes a store in a fresh schema. Disposing of it drops the schema. */
export async function makeSqlStore(server: SharedServer): Promise<SqlStore> {
  const schema = freshSchema();
  const clients: pg.Client[] = [];
  const connect = async () => {
    const client = new pg.Client(server.url);
    await client.connect();
    clients.push(client);
    await client.query(`SET search_path = ${schema}, pg_temp`);
    return client;
  };
  const client = await connect();
  await client.query(
    `CREATE SCHEMA ${schema}; ${TABLES} ${triggersOf(schema, schema)} ${
      writeFunctionOf(schema, schema)
    }`,
  );
  return {
    schema,
    client,
    connect,
    async [Symbol.asyncDispose]() {
      await client.query("ROLLBACK");
      await client.query(`DROP SCHEMA ${schema} CASCADE`);
      await Promise.all(clients.map((each) => each.end()));
    },
  };
}

/** What is wrong with the log: it has to say how the entries came to be. Empty if nothing is. */
export async function logFaults(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query(FAULTS);
  return rows.map(({ fault }) => fault);
}

const FAULTS = `WITH steps AS (
    SELECT c.*, row_number() OVER (ORDER BY revision) AS place,
      lag(type) OVER k AS last_type, lag(version) OVER k AS last_version,
      lag(value) OVER k AS last_value, lag(revision) OVER k AS last_revision,
      lag(time) OVER k AS last_time, lag(expires_at) OVER k AS last_expiry,
      lead(revision) OVER k AS next_revision
    FROM zestor_changes c WINDOW k AS (PARTITION BY kind, key ORDER BY revision)
  ), judged AS (
    SELECT 'change ' || revision || ' is ' || type || ' of ' || key || ': ' || CASE
        WHEN revision <> place THEN 'a gap is before it'
        WHEN type = 'create' AND coalesce(last_type, 'delete') NOT IN ('delete', 'expire')
          THEN 'the entry was there'
        WHEN type <> 'create' AND coalesce(last_type, 'delete') IN ('delete', 'expire')
          THEN 'the entry was not there'
        WHEN type = 'update' AND version <> last_version + 1 THEN 'the version does not count up'
        WHEN type IN ('delete', 'expire') AND version <> last_version THEN 'the version differs'
        WHEN type <> 'create' AND (previous, previous_revision, previous_time, previous_expires_at)
          IS DISTINCT FROM (last_value, last_revision, last_time, last_expiry)
          THEN 'what was before differs'
        WHEN type = 'create' AND (previous, previous_revision) IS DISTINCT FROM (NULL::bytea, NULL::bigint)
          THEN 'it tells of something before'
        WHEN type = 'update' AND value = previous AND expires_at IS NOT DISTINCT FROM previous_expires_at
          THEN 'nothing changed' END AS fault
    FROM steps
  ), told AS (
    SELECT * FROM steps WHERE next_revision IS NULL AND type IN ('create', 'update')
  )
  SELECT fault FROM judged WHERE fault IS NOT NULL
  UNION ALL
  SELECT 'the entry ' || coalesce(k.key, t.key) || ' is not as the log tells'
    FROM zestor_kv k FULL JOIN told t USING (kind, key)
    WHERE (k.value, k.version, k.revision, k.updated_at, k.expires_at)
      IS DISTINCT FROM (t.value, t.version, t.revision, t.time, t.expires_at)
  UNION ALL
  SELECT 'two changes have one mark' FROM zestor_changes
    HAVING count(*) <> count(DISTINCT mark)`;
