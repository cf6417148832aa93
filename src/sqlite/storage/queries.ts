/**
 * The statements that read and write entries and the change log. Those on the
 * entries use the primary key alone, whatever other index the file has: the
 * tests look at each one's query plan.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import type { SqlValue } from "../driver/driver.ts";
import { CHANGED_VALUE } from "../format/large_values.ts";
import {
  integer,
  safe,
  VALUE,
  VALUE_AS_BLOB,
  VERSION,
  whole,
} from "../format/columns.ts";
import { SMALL_BYTES, smallOrSize, type WholeValues } from "./small_values.ts";
import { inRange, IS_THERE, LIMITED } from "./conditions.ts";

/** The time, as the file has it. */
const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";

const REVISION = integer("revision");
const EXPIRY = integer("expires_at");

/** Parameters: kind, key, the time. */
export const GET_ENTRY =
  `SELECT key, ${VALUE}, ${VERSION}, ${REVISION}, updated_at, ${EXPIRY} FROM zestor_kv WHERE kind = ? AND key = ? AND ${IS_THERE}`;

/** Parameters: kind, key, the time. */
export const GET_VALUE =
  `SELECT ${VALUE} FROM zestor_kv WHERE kind = ? AND key = ? AND ${IS_THERE}`;

/** Parameters: kind, key, the time. */
export const GET_STATE =
  `SELECT ${VERSION}, ${REVISION} FROM zestor_kv WHERE kind = ? AND key = ? AND ${IS_THERE}`;

/** What an entry is that is to be written, and whether it has that value already. Parameters: value, the time, kind, key. */
export const COMPARE_ENTRY =
  `SELECT ${VERSION}, ${REVISION}, ${EXPIRY}, ${VALUE_AS_BLOB} = ? AS same, ${IS_THERE} AS there FROM zestor_kv WHERE kind = ? AND key = ?`;

/** How many bytes an entry's value has. Parameters: kind, key. */
export const GET_SIZE =
  `SELECT length(${VALUE_AS_BLOB}) AS size FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key, value, version, the time, the revision to come, expiry or null. */
export const INSERT_ENTRY =
  "INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)";

/** How many entries `INSERT_ENTRIES` inserts: of more the gain is small. */
export const ENTRIES_AT_ONCE = 64;

/** The same of several new entries. Parameters: kind, the time, the first revision; key and value of each. */
export const INSERT_ENTRIES =
  `INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision) VALUES ${
    Array.from(
      { length: ENTRIES_AT_ONCE },
      (_, i) => `(?1, ?${4 + 2 * i}, ?${5 + 2 * i}, 1, ?2, ?3 + ${i})`,
    ).join(", ")
  }`;

/** Leaves the expiry as it is. Parameters: value, the time, the revision to come, kind, key. */
export const UPDATE_ENTRY =
  "UPDATE zestor_kv SET value = ?, version = version + 1, updated_at = ?, revision = ? WHERE kind = ? AND key = ?";

/**
 * The same for an entry that is guessed to have this version, another value and
 * no expiry: if it is otherwise, nothing is written. Parameters: those of
 * `UPDATE_ENTRY`, the version.
 */
export const UPDATE_GUESSED =
  `UPDATE zestor_kv SET value = ?1, version = version + 1, updated_at = ?2, revision = ?3
WHERE kind = ?4 AND key = ?5 AND version = ?6 AND expires_at IS NULL AND ${VALUE_AS_BLOB} IS NOT ?1`;

/** Parameters: value, expiry or null, the time, the revision to come, kind, key. */
export const UPDATE_EXPIRING =
  "UPDATE zestor_kv SET value = ?, expires_at = ?, version = version + 1, updated_at = ?, revision = ? WHERE kind = ? AND key = ?";

/** An entry's changes past a revision. Parameters: the value and the expiry to compare theirs with, the revision, kind, key. */
export const LIST_CHANGES_OF =
  `SELECT revision, type, version, (${CHANGED_VALUE}) IS ? AND expires_at IS ? AS same FROM zestor_changes
WHERE revision > ? AND kind = ? AND key = ? ORDER BY revision`;

/** What is there, also if it has expired. Parameters: kind, key. */
export const HAS_ENTRY = "SELECT 1 FROM zestor_kv WHERE kind = ? AND key = ?";

/** Parameters: kind, key. */
export const DELETE_ENTRY = "DELETE FROM zestor_kv WHERE kind = ? AND key = ?";

/** Parameters: kind, key, the time. */
export const DELETE_THERE = `${DELETE_ENTRY} AND ${IS_THERE}`;

// What expires, by the index that has nothing else.

/** Whether anything has expired and is still there. Parameters: the time. */
export const HAS_EXPIRED =
  "SELECT 1 FROM zestor_kv WHERE expires_at <= ? LIMIT 1";

// SQLite asks once in a statement, and looks at no expiry if nothing is found.
const AND_THERE_OR_ALL = ` AND (NOT EXISTS (${HAS_EXPIRED}) OR ${IS_THERE})`;

/** When the next entry expires; whatever number plain SQL wrote, it is one that a `Date` can have. */
export const NEXT_EXPIRY =
  `SELECT CASE WHEN typeof(expires_at) IN ('integer', 'real')
  THEN max(0, min(expires_at, 8640000000000000)) END AS expires_at
FROM zestor_kv INDEXED BY zestor_expiry WHERE expires_at IS NOT NULL
ORDER BY zestor_kv.expires_at LIMIT 1`;

/** The entries that have expired. Parameters: the time, the limit, how many to pass over. */
export const LIST_EXPIRED = `SELECT ${whole("kind")}, ${
  whole("key")
} FROM zestor_kv
WHERE expires_at <= ? ORDER BY zestor_kv.expires_at ${LIMITED} OFFSET ?`;

/** Removes them, whatever their names hold. Parameters: the time, the limit. */
export const DELETE_EXPIRED = `DELETE FROM zestor_kv WHERE (kind, key) IN (
  SELECT kind, key FROM zestor_kv WHERE expires_at <= ?
  ORDER BY expires_at ${LIMITED})`;

/** A change has the time of now, although its entry has another. Parameters: its revision. */
export const SET_TIME =
  `UPDATE zestor_changes SET time = ${NOW} WHERE revision = ?`;

/**
 * Whether removals were of what had expired: the triggers ask the system's clock,
 * which is ahead of a transaction's. Parameters: the type that they are to have,
 * the first revision, the last, the other type.
 */
export const SET_REMOVAL =
  "UPDATE zestor_changes SET type = ? WHERE revision BETWEEN ? AND ? AND type = ?";

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

/** The same, if something has expired that is still there. Parameters: the time. */
export const LIST_KINDS_THERE = `${LIST_KINDS}
AND EXISTS (SELECT 1 FROM zestor_kv WHERE kind = kinds.kind AND key >= ''
  AND ${IS_THERE})`;

/**
 * How many entries each kind has, in one scan of the primary key: what is asked
 * of the key is what keeps the planner from an index on the kind alone.
 */
export const COUNT_KINDS = countKinds("");

/** The same, if something has expired that is still there. Parameters: the time. */
export const COUNT_KINDS_THERE = countKinds(`WHERE ${IS_THERE}`);

function countKinds(where: string): string {
  return `SELECT ${whole("kind")}, count(key) AS count
FROM zestor_kv ${where} GROUP BY zestor_kv.kind ORDER BY zestor_kv.kind`;
}

/** What `selectRange` can read of each entry. */
export type Columns = "key" | "value" | "entry";

/**
 * Which entries are read: all, or those that have not expired. Or all if nothing
 * has expired, which costs one seek, and else those that have not.
 */
export type Which = "all" | "there" | "thereOrAll";

/** The parameters of that. */
export function whichParams(which: Which, time: number): SqlValue[] {
  return Array(PARAMETERS[which]).fill(time);
}

const PARAMETERS: Record<Which, number> = { all: 0, there: 1, thereOrAll: 2 };

// The other columns are behind the value: to reach them, SQLite reads all of it.
const IS_SMALL = `length(value) <= ${SMALL_BYTES}`;
const beside = (isSmall: string, column: string, expression = column) =>
  `CASE WHEN ${isSmall} THEN ${expression} END AS ${column}`;

const COLUMNS: Record<Columns, Record<WholeValues, string>> = {
  key: { all: whole("key"), small: whole("key") },
  value: {
    all: `${whole("key")}, ${VALUE}`,
    small: `${whole("key")}, ${smallOrSize("value", IS_SMALL)} AS value`,
  },
  entry: {
    all: `${
      whole("key")
    }, ${VALUE}, ${VERSION}, ${REVISION}, updated_at, ${EXPIRY}`,
    small: `${whole("key")}, ${smallOrSize("value", IS_SMALL)} AS value,
${
      [
        beside(IS_SMALL, "version", safe("version")),
        beside(IS_SMALL, "revision", safe("revision")),
        beside(IS_SMALL, "updated_at"),
        beside(IS_SMALL, "expires_at", safe("expires_at")),
      ].join(", ")
    }`,
  },
};

/** How a range is read. */
export interface RangeRead {
  readonly columns: Columns;
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly values: WholeValues;
  readonly which: Which;
  /** Only entries whose keys are whole. */
  readonly isWhole?: boolean;
}

const IS_WHOLE = "instr(key, char(0)) = 0";

/** The revisions of the entries of a range whose keys hold a NUL. Parameters: those of `rangeParams`, the limit. */
export function selectUnnamed(range: KeyRange): string {
  return `SELECT ${REVISION} FROM zestor_kv WHERE ${
    inRange(range)
  } AND NOT ${IS_WHOLE} ORDER BY zestor_kv.key ${LIMITED}`;
}

/** Reads the entries of a range. Parameters: those of `rangeParams` and `whichParams`, the limit. */
export function selectRange(
  { columns, range, reverse, values, which, isWhole = false }: RangeRead,
): string {
  return `SELECT ${COLUMNS[columns][values]} FROM zestor_kv WHERE ${
    inRange(range)
  }${andThere(which)}${
    isWhole ? ` AND ${IS_WHOLE}` : ""
  } ORDER BY zestor_kv.key ${reverse ? "DESC" : "ASC"} ${LIMITED}`;
}

/** Counts the entries of a range. Parameters: as above, with -1 for no limit. */
export function countRange(range: KeyRange, which: Which): string {
  // The order keeps the planner to the primary key, where it would read all else.
  const order = which === "all" ? "" : " ORDER BY key";
  return `SELECT count(*) AS count FROM (SELECT 1 FROM zestor_kv WHERE ${
    inRange(range)
  }${andThere(which)}${order} ${LIMITED})`;
}

function andThere(which: Which): string {
  return { all: "", there: ` AND ${IS_THERE}`, thereOrAll: AND_THERE_OR_ALL }[
    which
  ];
}

/** The parameters of a range: kind, lower key, upper key if any. */
export function rangeParams(kind: string, range: KeyRange): SqlValue[] {
  return [kind, ...keyParams(range)];
}

/** The same without the kind. */
export function keyParams({ lower, upper }: KeyRange): SqlValue[] {
  return upper ? [lower.key, upper.key] : [lower.key];
}
