/**
 * Every statement on the entries and the change log. Those on the entries use
 * the primary key alone, whatever other index the file has: the tests look at
 * each one's query plan.
 *
 * @module
 */
import type { KeyRange } from "../key_range.ts";
import type { SqlValue } from "./driver/driver.ts";

// What others wrote may be stored as text; its bytes are the value.
const AS_BLOB = "CAST(value AS BLOB)";
const VALUE = `${AS_BLOB} AS value`;
const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";

/** Parameters: kind, key. */
export const GET_ENTRY =
  `SELECT key, ${VALUE}, version, updated_at FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key. */
export const GET_VALUE =
  `SELECT ${VALUE} FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key. */
export const GET_VERSION =
  "SELECT version FROM zestor_kv WHERE kind = ? AND key = ?";

/** Whether an entry has a value already. Parameters: value, kind, key. */
export const COMPARE_VALUE =
  "SELECT version, CAST(value AS BLOB) = ? AS same FROM zestor_kv WHERE kind = ? AND key = ?";

/** How many bytes an entry's value has. Parameters: kind, key. */
export const GET_SIZE =
  `SELECT length(${AS_BLOB}) AS size FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key, value. Names the time, which a table that the reference made has no default for. */
export const INSERT_ENTRY =
  `INSERT INTO zestor_kv (kind, key, value, version, updated_at) VALUES (?, ?, ?, 1, ${NOW})`;

/** Parameters: value, kind, key. */
export const UPDATE_ENTRY =
  `UPDATE zestor_kv SET value = ?, version = version + 1, updated_at = ${NOW} WHERE kind = ? AND key = ?`;

/** Parameters: kind, key. */
export const DELETE_ENTRY = "DELETE FROM zestor_kv WHERE kind = ? AND key = ?";

/**
 * The kinds, each found by a seek past the one before: `DISTINCT` would visit
 * every entry. The order by key is what keeps the planner to the primary key.
 */
export const LIST_KINDS = `WITH RECURSIVE kinds (kind) AS (
  SELECT (SELECT kind FROM zestor_kv ORDER BY kind, key LIMIT 1)
  UNION ALL
  SELECT (SELECT kind FROM zestor_kv WHERE kind > kinds.kind
    ORDER BY kind, key LIMIT 1) FROM kinds WHERE kinds.kind IS NOT NULL
) SELECT kind FROM kinds WHERE kind IS NOT NULL`;

/** Everything, by kind, then key. */
export const LIST_ALL =
  `SELECT kind, key, ${VALUE} FROM zestor_kv ORDER BY kind, key`;

/** The first entry of all. */
export const FIRST_ENTRY = `${LIST_ALL} LIMIT 1`;

/** Whether a kind has entries. Parameters: kind. The bound on the key is as in `inRange`. */
export const HAS_ENTRIES =
  "SELECT 1 FROM zestor_kv WHERE kind = ? AND key >= '' LIMIT 1";

/** What `selectRange` can read of each entry. */
export type Columns = "key" | "value" | "entry";

const COLUMNS: Record<Columns, string> = {
  key: "key",
  value: `key, ${VALUE}`,
  entry: `key, ${VALUE}, version, updated_at`,
};

/** Reads the entries of a range. Parameters: those of `rangeParams`, then the limit, -1 for none. */
export function selectRange(
  columns: Columns,
  range: KeyRange,
  reverse: boolean,
): string {
  return `SELECT ${COLUMNS[columns]} FROM zestor_kv WHERE ${inRange(range)} ` +
    `ORDER BY key ${reverse ? "DESC" : "ASC"} LIMIT ?`;
}

/** Counts the entries of a range. Parameters: those of `rangeParams`, then the limit, -1 for none. */
export function countRange(range: KeyRange): string {
  return `SELECT count(*) AS count FROM (SELECT 1 FROM zestor_kv WHERE ${
    inRange(range)
  } LIMIT ?)`;
}

/** The parameters of a range: kind, lower key, upper key if any. */
export function rangeParams(kind: string, range: KeyRange): SqlValue[] {
  const params = [kind, range.lower.key];
  if (range.upper) params.push(range.upper.key);
  return params;
}

/**
 * The condition of a range. It always bounds the key: a second condition on the
 * primary key is what keeps the planner from an index on the kind alone.
 */
function inRange({ lower, upper }: KeyRange): string {
  const from = `kind = ? AND key ${lower.inclusive ? ">=" : ">"} ?`;
  return upper ? `${from} AND key ${upper.inclusive ? "<=" : "<"} ?` : from;
}

/** The newest revision, 0 before the first. The log is empty at first, and where it was started anew. */
export const HEAD_REVISION = `SELECT coalesce(
  (SELECT max(revision) FROM zestor_changes),
  (SELECT seq FROM sqlite_sequence WHERE name = 'zestor_changes'),
  0) AS revision`;

/** The oldest revision in the log; where that is empty, the one that will be. */
export const OLDEST_REVISION = `SELECT coalesce(
  (SELECT min(revision) FROM zestor_changes),
  (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'zestor_changes'),
  1) AS revision`;

/** Parameters: the last revision to go. */
export const PRUNE_LOG = "DELETE FROM zestor_changes WHERE revision <= ?";

/**
 * A kind's changes between two revisions. Parameters: after this revision, up
 * to this one, those of `rangeParams`, the limit.
 */
export function selectChanges(range: KeyRange): string {
  return `SELECT revision, key, type, version,
  CASE type WHEN 'delete' THEN previous ELSE value END AS value
FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)}
ORDER BY revision LIMIT ?`;
}

/** Which kinds changed between two revisions. Parameters: after this revision, up to this one. */
export const LIST_CHANGED_KINDS =
  "SELECT DISTINCT kind FROM zestor_changes WHERE revision > ? AND revision <= ?";

/** Which keys of a kind changed between two revisions. Parameters: as above, without the limit. */
export function selectChangedKeys(range: KeyRange): string {
  return `SELECT revision, key FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)} ORDER BY revision`;
}

/** What a change replaced. Parameters: its revision. */
export const GET_PREVIOUS =
  "SELECT type, version, previous FROM zestor_changes WHERE revision = ?";
