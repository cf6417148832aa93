/**
 * The statements that read and write entries and the change log. Those on the
 * entries use the primary key alone, whatever other index the file has: the
 * tests look at each one's query plan.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import type { SqlValue } from "../driver/driver.ts";
import {
  safe,
  VALUE,
  VALUE_AS_BLOB,
  VERSION,
  whole,
} from "../format/columns.ts";

const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";

/** Parameters: kind, key. */
export const GET_ENTRY =
  `SELECT key, ${VALUE}, ${VERSION}, updated_at FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key. */
export const GET_VALUE =
  `SELECT ${VALUE} FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key. */
export const GET_VERSION =
  `SELECT ${VERSION} FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Whether an entry has a value already. Parameters: value, kind, key. */
export const COMPARE_VALUE =
  `SELECT ${VERSION}, ${VALUE_AS_BLOB} = ? AS same FROM zestor_kv WHERE kind = ? AND key = ?`;

/** How many bytes an entry's value has. Parameters: kind, key. */
export const GET_SIZE =
  `SELECT length(${VALUE_AS_BLOB}) AS size FROM zestor_kv WHERE kind = ? AND key = ?`;

/**
 * Parameters: kind, key, value, version, time or null, the revision to come.
 * Names the time, which a table that the reference made has no default for.
 */
export const INSERT_ENTRY =
  `INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision) VALUES (?, ?, ?, ?, coalesce(?, ${NOW}), ?)`;

/** How many entries `INSERT_ENTRIES` inserts: of more the gain is small. */
export const ENTRIES_AT_ONCE = 64;

/** The same of several new entries. Parameters: kind, key, value, revision of each. */
export const INSERT_ENTRIES =
  `INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision) VALUES ${
    Array(ENTRIES_AT_ONCE).fill(`(?, ?, ?, 1, ${NOW}, ?)`).join(", ")
  }`;

/** Parameters: value, the revision to come, kind, key. */
export const UPDATE_ENTRY =
  `UPDATE zestor_kv SET value = ?, version = version + 1, updated_at = ${NOW}, revision = ? WHERE kind = ? AND key = ?`;

/** An entry's changes past a revision. Parameters: the value to compare theirs with, the revision, kind, key. */
export const LIST_CHANGES_OF =
  `SELECT revision, type, version, value IS ? AS same FROM zestor_changes
WHERE revision > ? AND kind = ? AND key = ? ORDER BY revision`;

/** Parameters: kind, key. */
export const DELETE_ENTRY = "DELETE FROM zestor_kv WHERE kind = ? AND key = ?";

/**
 * The kinds, each found by a seek past the one before: `DISTINCT` would visit
 * every entry. The order by key is what keeps the planner to the primary key.
 * `UNION` ends it where a damaged index leads back.
 */
export const LIST_KINDS = `WITH RECURSIVE kinds (kind) AS (
  SELECT (SELECT kind FROM zestor_kv ORDER BY kind, key LIMIT 1)
  UNION
  SELECT (SELECT kind FROM zestor_kv WHERE kind > kinds.kind
    ORDER BY kind, key LIMIT 1) FROM kinds WHERE kinds.kind IS NOT NULL
) SELECT ${whole("kind")} FROM kinds WHERE kinds.kind IS NOT NULL`;

/**
 * How many entries each kind has, in one scan of the primary key: what is asked
 * of the key is what keeps the planner from an index on the kind alone.
 */
export const COUNT_KINDS = `SELECT ${whole("kind")}, count(key) AS count
FROM zestor_kv GROUP BY zestor_kv.kind ORDER BY zestor_kv.kind`;

/** What `selectRange` can read of each entry. */
export type Columns = "key" | "value" | "entry";

/** Which values are read whole: all, or small ones, and of others the size in bytes. */
export type WholeValues = "all" | "small";

/** Up to how many bytes a value is small. A page of small values is within its bound. */
const SMALL_BYTES = PAGE_BYTES / PAGE_ENTRIES;

/**
 * SQLite tells the length of a blob without reading the blob. Of text it would
 * be that up to a NUL, in characters.
 */
const smallOrSize = (value: "value" | "previous") =>
  `CASE WHEN typeof(${value}) = 'blob' AND length(${value}) <= ${SMALL_BYTES}
  THEN ${value}
  ELSE CASE typeof(${value}) WHEN 'blob' THEN length(${value})
    ELSE length(CAST(${value} AS BLOB)) END
  END`;

// These columns are behind the value: to reach them, SQLite reads all of it.
const besideSmall = (
  column: "version" | "updated_at",
  expression: string = column,
) =>
  `CASE WHEN length(value) <= ${SMALL_BYTES} THEN ${expression} END AS ${column}`;

const COLUMNS: Record<Columns, Record<WholeValues, string>> = {
  key: { all: whole("key"), small: whole("key") },
  value: {
    all: `${whole("key")}, ${VALUE}`,
    small: `${whole("key")}, ${smallOrSize("value")} AS value`,
  },
  entry: {
    all: `${whole("key")}, ${VALUE}, ${VERSION}, updated_at`,
    small: `${whole("key")}, ${smallOrSize("value")} AS value,
${besideSmall("version", safe("version"))}, ${besideSmall("updated_at")}`,
  },
};

/** Reads the entries of a range. Parameters: those of `rangeParams`, then the limit. */
export function selectRange(
  columns: Columns,
  range: KeyRange,
  reverse: boolean,
  values: WholeValues,
): string {
  return `SELECT ${COLUMNS[columns][values]} FROM zestor_kv WHERE ${
    inRange(range)
  } ORDER BY zestor_kv.key ${reverse ? "DESC" : "ASC"} LIMIT ?`;
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

/** Parameters: the last revision to go. */
export const PRUNE_LOG = "DELETE FROM zestor_changes WHERE revision <= ?";

/**
 * A kind's changes between two revisions. Parameters: after this revision, up
 * to this one, those of `rangeParams`, the limit.
 */
export function selectChanges(range: KeyRange, values: WholeValues): string {
  const [value, previous] = values === "all"
    ? ["value", "previous"]
    : [smallOrSize("value"), smallOrSize("previous")];
  return `SELECT revision, ${whole("key")}, type, ${VERSION},
  CASE WHEN type IN ('delete', 'expire') THEN ${previous} ELSE ${value} END AS value
FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)}
ORDER BY revision LIMIT ?`;
}

/** Which kinds changed between two revisions. Parameters: after this revision, up to this one. */
export const LIST_CHANGED_KINDS =
  "SELECT DISTINCT kind FROM zestor_changes WHERE revision > ? AND revision <= ?";

/** How many changes there are from one revision to another. Parameters: both. */
export const COUNT_CHANGES =
  "SELECT count(*) AS count FROM zestor_changes WHERE revision BETWEEN ? AND ?";

/** Which keys of a kind changed between two revisions. Parameters: as above, without the limit. */
export function selectChangedKeys(range: KeyRange): string {
  return `SELECT revision, ${whole("key")} FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)} ORDER BY revision`;
}

/** What a change replaced. Parameters: its revision. */
export const GET_PREVIOUS =
  `SELECT type, ${VERSION}, previous FROM zestor_changes WHERE revision = ?`;
