/**
 * What a store's schema holds, read by plain SQL and nothing of the store.
 *
 * @module
 */
import type { RawEntry, RawFile } from "../raw_file.ts";
import type { Change } from "../watches/watch_validators.ts";
import { queryAt } from "./query.ts";
import { until } from "./until.ts";

/** What a schema holds. */
export interface RawSchema extends RawFile {
  /** The revisions of the deletions of entries that had expired. */
  readonly expired: number[];
}

/** Reads a schema, as of one moment; it is empty if its process was killed before it made the tables. */
export async function readRawSchema(
  url: string,
  schema: string,
): Promise<RawSchema> {
  const [{ there }] = await queryAt<{ there: boolean }>(
    url,
    "SELECT to_regclass($1) IS NOT NULL AS there",
    [`${schema}.zestor_changes`],
  );
  if (!there) return { head: 0, changes: [], entries: [], expired: [] };
  const [{ head, changes, entries, expired }] = await queryAt<{
    head: number;
    changes: Change[] | null;
    entries: RawEntry[] | null;
    expired: number[] | null;
  }>(
    url,
    `SELECT
      (SELECT greatest((SELECT max(revision) FROM ${schema}.zestor_changes),
        (SELECT value::bigint FROM ${schema}.zestor_meta WHERE name = 'pruned'))
      )::int AS head,
      (SELECT json_agg(json_build_object('revision', revision, 'kind', kind, 'key', key,
          'type', CASE type WHEN 'expire' THEN 'delete' ELSE type END,
          'version', version,
          'value', convert_from(coalesce(value, previous), 'UTF8')) ORDER BY revision)
        FROM ${schema}.zestor_changes) AS changes,
      (SELECT json_agg(json_build_object('kind', kind, 'key', key, 'version', version,
          'value', convert_from(value, 'UTF8')) ORDER BY kind, key)
        FROM ${schema}.zestor_kv) AS entries,
      (SELECT json_agg(revision) FROM ${schema}.zestor_changes WHERE type = 'expire') AS expired`,
  );
  return {
    head,
    changes: changes ?? [],
    entries: entries ?? [],
    expired: expired ?? [],
  };
}

/** Waits until a database has no client but this one. */
export async function untilAlone(url: string): Promise<void> {
  await until("the database has no other clients", async () => {
    const [{ count }] = await queryAt<{ count: number }>(
      url,
      `SELECT count(*)::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND pid <> pg_backend_pid()`,
    );
    return count === 0;
  });
}
