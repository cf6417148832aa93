/**
 * The statements that read and write entries and the change log. Those on entries
 * use only the primary key, even if others added an index to the file. The tests
 * check the query plan of each.
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

/** The current time, in the format of the file. */
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

/**
 * Reads an entry before a write, and whether it has the new value already.
 * Parameters: value, the time, kind, key.
 */
export const COMPARE_ENTRY =
  `SELECT ${VERSION}, ${REVISION}, ${EXPIRY}, ${VALUE_AS_BLOB} = ? AS same, ${IS_THERE} AS there FROM zestor_kv WHERE kind = ? AND key = ?`;

/** How many bytes an entry's value has. Parameters: kind, key. */
export const GET_SIZE =
  `SELECT length(${VALUE_AS_BLOB}) AS size FROM zestor_kv WHERE kind = ? AND key = ?`;

/** Parameters: kind, key, value, version, the time, the revision to come, expiry or null. */
export const INSERT_ENTRY =
  "INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)";

/** How many entries `INSERT_ENTRIES` inserts. More would gain little. */
export const ENTRIES_AT_ONCE = 64;

/** Inserts several new entries. Parameters: kind, the time, the first revision; key and value of each. */
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
 * Updates an entry only if it has the guessed version, another value and no
 * expiry. Parameters: those of `UPDATE_ENTRY`, the version.
 */
export const UPDATE_GUESSED =
  `UPDATE zestor_kv SET value = ?1, version = version + 1, updated_at = ?2, revision = ?3
WHERE kind = ?4 AND key = ?5 AND version = ?6 AND expires_at IS NULL AND ${VALUE_AS_BLOB} IS NOT ?1`;

/** Parameters: value, expiry or null, the time, the revision to come, kind, key. */
export const UPDATE_EXPIRING =
  "UPDATE zestor_kv SET value = ?, expires_at = ?, version = version + 1, updated_at = ?, revision = ? WHERE kind = ? AND key = ?";

/**
 * An entry's changes past a revision, each compared with a value and an expiry.
 * Parameters: this value and expiry, the revision, kind, key.
 */
export const LIST_CHANGES_OF =
  `SELECT revision, type, version, (${CHANGED_VALUE}) IS ? AND expires_at IS ? AS same FROM zestor_changes
WHERE revision > ? AND kind = ? AND key = ? ORDER BY revision`;

/** Whether the file has an entry, expired or not. Parameters: kind, key. */
export const HAS_ENTRY = "SELECT 1 FROM zestor_kv WHERE kind = ? AND key = ?";

/** Parameters: kind, key. */
export const DELETE_ENTRY = "DELETE FROM zestor_kv WHERE kind = ? AND key = ?";

/** Parameters: kind, key, the time. */
export const DELETE_THERE = `${DELETE_ENTRY} AND ${IS_THERE}`;

// Expiring entries. Only these are in the index `zestor_expiry`.

/** Whether the file still has an expired entry. Parameters: the time. */
export const HAS_EXPIRED =
  "SELECT 1 FROM zestor_kv WHERE expires_at <= ? LIMIT 1";

// SQLite runs the subquery once a statement. If it finds nothing, SQLite checks
// no expiry.
const AND_THERE_OR_ALL = ` AND (NOT EXISTS (${HAS_EXPIRED}) OR ${IS_THERE})`;

/** When the next entry expires. The result is in the range of a `Date`, whatever number plain SQL wrote. */
export const NEXT_EXPIRY =
  `SELECT CASE WHEN typeof(expires_at) IN ('integer', 'real')
  THEN max(0, min(expires_at, 8640000000000000)) END AS expires_at
FROM zestor_kv INDEXED BY zestor_expiry WHERE expires_at IS NOT NULL
ORDER BY zestor_kv.expires_at LIMIT 1`;

/** The entries that have expired. Parameters: the time, the limit, how many to skip. */
export const LIST_EXPIRED = `SELECT ${whole("kind")}, ${
  whole("key")
} FROM zestor_kv
WHERE expires_at <= ? ORDER BY zestor_kv.expires_at ${LIMITED} OFFSET ?`;

/** Removes expired entries, also those whose names cannot be read. Parameters: the time, the limit. */
export const DELETE_EXPIRED = `DELETE FROM zestor_kv WHERE (kind, key) IN (
  SELECT kind, key FROM zestor_kv WHERE expires_at <= ?
  ORDER BY expires_at ${LIMITED})`;

/** Sets the time of a change to now, although its entry has another time. Parameters: its revision. */
export const SET_TIME =
  `UPDATE zestor_changes SET time = ${NOW} WHERE revision = ?`;

/**
 * Corrects the type of removals: "delete" or "expire". The triggers use the
 * system's clock, which is ahead of the transaction's time. Parameters: the right
 * type, the first revision, the last, the wrong type.
 */
export const SET_REMOVAL =
  "UPDATE zestor_changes SET type = ? WHERE revision BETWEEN ? AND ? AND type = ?";

/**
 * The kinds. Each is found by a seek past the previous one, because `DISTINCT`
 * would visit every entry. The order by key makes the planner use the primary
 * key. `UNION` ends the recursion if a damaged index leads back.
 */
export const LIST_KINDS = `WITH RECURSIVE kinds (kind) AS (
  SELECT (SELECT kind FROM zestor_kv ORDER BY kind, key LIMIT 1)
  UNION
  SELECT (SELECT kind FROM zestor_kv WHERE kind > kinds.kind
    ORDER BY kind, key LIMIT 1) FROM kinds WHERE kinds.kind IS NOT NULL
) SELECT ${whole("kind")} FROM kinds WHERE kinds.kind IS NOT NULL`;

/** The kinds that have an entry that has not expired. Parameters: the time. */
export const LIST_KINDS_THERE = `${LIST_KINDS}
AND EXISTS (SELECT 1 FROM zestor_kv WHERE kind = kinds.kind AND key >= ''
  AND ${IS_THERE})`;

/**
 * Counts the entries of each kind, in one scan of the primary key. It counts keys,
 * so the planner does not use an index on the kind alone.
 */
export const COUNT_KINDS = countKinds("");

/** Counts the entries of each kind that have not expired. Parameters: the time. */
export const COUNT_KINDS_THERE = countKinds(`WHERE ${IS_THERE}`);

function countKinds(where: string): string {
  return `SELECT ${whole("kind")}, count(key) AS count
FROM zestor_kv ${where} GROUP BY zestor_kv.kind ORDER BY zestor_kv.kind`;
}

/** The parts of an entry that `selectRange` can read. */
export type Columns = "key" | "value" | "entry";

/**
 * Which entries are read: "all", or only those that have not expired ("there").
 * "thereOrAll" reads the same entries as "there". It first makes one seek, and if
 * no entry has expired, it checks no expiry.
 */
export type Which = "all" | "there" | "thereOrAll";

/** The parameters of `Which`. */
export function whichParams(which: Which, time: number): SqlValue[] {
  return Array(PARAMETERS[which]).fill(time);
}

const PARAMETERS: Record<Which, number> = { all: 0, there: 1, thereOrAll: 2 };

// The other columns come after the value. SQLite reads the whole value to reach
// them, so they are read only with a small value.
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
  /** Whether entries whose keys contain a NUL are left out. */
  readonly isWhole?: boolean;
}

const IS_WHOLE = "instr(key, char(0)) = 0";

/**
 * The revisions of the entries of a range whose keys contain a NUL. Parameters:
 * those of `rangeParams`, the limit.
 */
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
  // The order makes the planner use the primary key. Otherwise it would read the
  // whole table.
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

/** The parameters of a range without a kind: lower key, upper key if any. */
export function keyParams({ lower, upper }: KeyRange): SqlValue[] {
  return upper ? [lower.key, upper.key] : [lower.key];
}
