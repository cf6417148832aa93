/**
 * Lets a read-only connection read files of an earlier format. Temporary views
 * with the tables' names hide the tables, and add the missing columns. The
 * views belong to the connection, and are in memory. So all formats have the
 * same queries, and the file does not change.
 *
 * @module
 */
import type { Database } from "../connection/database.ts";
import { type Query, readObjects } from "./schema_objects.ts";
import { judgeTables } from "./tables.ts";

type Tables = ReadonlySet<string>;

/** The SQL of each view. */
const VIEWS: Readonly<Record<string, (earlier: Tables) => string>> = {
  // The entries got no later revision than the newest one.
  zestor_kv: (earlier) =>
    `SELECT kind, key, value, version, updated_at, ${
      earlier.has("zestor_changes")
        ? "coalesce((SELECT max(revision) FROM main.zestor_changes), 0)"
        : 0
    } AS revision, NULL AS expires_at FROM main.zestor_kv`,
  zestor_changes: () =>
    `SELECT revision, kind, key, type, version, value, previous,
  NULL AS time, NULL AS mark, NULL AS expires_at, NULL AS previous_revision,
  NULL AS previous_time, NULL AS previous_expires_at FROM main.zestor_changes`,
};

/**
 * Reads these tables of an earlier format as if they had the newest format, and
 * the others unchanged.
 */
export function adaptReads(database: Database, earlier: Tables): void {
  // It comes before the first use of a temporary object, which may create a
  // file.
  database.run("PRAGMA temp_store = MEMORY");
  const made = madeViews((sql) => database.all(sql));
  for (const [name, select] of Object.entries(VIEWS)) {
    if (earlier.has(name) === made.has(name)) continue;
    if (made.has(name)) database.run(`DROP VIEW temp.${name}`);
    else {
      database.run(`CREATE TEMP VIEW ${name} AS ${select(earlier)}`);
    }
  }
}

/** The names of the tables that a connection reads through such views. */
export function madeViews(query: Query): Set<string> {
  const rows = query("SELECT name FROM sqlite_temp_master WHERE type = 'view'");
  return new Set(rows.map(({ name }) => String(name)));
}

/** The tables of an earlier format, as a connection finds them. */
export function findEarlierTables(query: Query): Tables {
  return judgeTables(query, readObjects(query)).earlier;
}
