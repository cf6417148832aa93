/**
 * The subjects of these rows: the store, and bare prepared statements through
 * the same client on a plain table with the columns kind, key and value. The
 * table has no versions, no change log, and no watches.
 *
 * @module
 */
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
// @ts-types="@types/pg"
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import {
  openPostgresStore,
  type PostgresStore,
} from "../../src/postgres/open_postgres_store.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import type { Value } from "../values.ts";

/** The store in a schema of its own, which is empty. */
export async function openEmptyStore(
  url: string,
): Promise<PostgresStore<Kinds>> {
  return await openPostgresStore<Kinds>({ url, schema: freshName() });
}

/** Bare statements on a table of their own. */
export interface Bare extends AsyncDisposable {
  get(key: string): Promise<Value | undefined>;
  /** An upsert, in a transaction of its own. */
  set(key: string, value: Value): Promise<unknown>;
  /** Upserts by one statement, in a transaction of its own. */
  setTogether(entries: readonly [string, Value][]): Promise<unknown>;
  /** Adds entries by COPY. */
  copy(entries: readonly [string, Value][]): Promise<unknown>;
  /** Removes all entries. */
  clear(): Promise<unknown>;
}

/** Opens a connection to an empty table. */
export async function openBare(url: string): Promise<Bare> {
  const table = freshName();
  const client = await connect(url, true);
  // The client cannot use COPY while it pipelines.
  const copier = await connect(url, false);
  await client.query(`CREATE TABLE ${table} (
    kind text COLLATE "C", key text COLLATE "C", value bytea NOT NULL,
    PRIMARY KEY (kind, key))`);
  const get = `SELECT value FROM ${table} WHERE kind = $1 AND key = $2`;
  const set = `INSERT INTO ${table} (kind, key, value) VALUES ($1, $2, $3)
    ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`;
  const setTogether = `INSERT INTO ${table} (kind, key, value)
    SELECT $1, * FROM unnest($2::text[], $3::bytea[])
    ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`;
  return {
    async get(key) {
      const { rows } = await client.query({
        name: "get",
        text: get,
        values: [KIND, key],
      });
      return rows.length === 0 ? undefined : JSON.parse(rows[0].value);
    },
    set: (key, value) =>
      client.query({
        name: "set",
        text: set,
        values: [KIND, key, encode(value)],
      }),
    setTogether: (entries) =>
      client.query({
        name: "setTogether",
        text: setTogether,
        values: [
          KIND,
          entries.map(([key]) => key),
          entries.map(([, value]) => `\\x${encode(value).toHex()}`),
        ],
      }),
    copy: (entries) =>
      pipeline(
        Readable.from(linesOf(entries)),
        copier.query(copyFrom(`COPY ${table} (kind, key, value) FROM STDIN`)),
      ),
    clear: () => client.query(`TRUNCATE ${table}`),
    async [Symbol.asyncDispose]() {
      await client.end();
      await copier.end();
    },
  };
}

async function connect(url: string, isPipelined: boolean): Promise<pg.Client> {
  const client = new pg.Client(
    { connectionString: url, pipeline: isPipelined } as pg.ClientConfig,
  );
  await client.connect();
  return client;
}

/** Entries as COPY reads them, a thousand at a time. */
function* linesOf(entries: readonly [string, Value][]): Generator<string> {
  for (let i = 0; i < entries.length; i += 1_000) {
    yield entries.slice(i, i + 1_000).map(([key, value]) =>
      `${KIND}\t${key}\t\\\\x${encode(value).toHex()}\n`
    ).join("");
  }
}

const encoder = new TextEncoder();

function encode(value: Value): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function freshName(): string {
  return `b_${crypto.randomUUID().replaceAll("-", "")}`;
}
