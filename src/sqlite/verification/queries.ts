/**
 * The queries of a verification. They read names and versions as bytes, with
 * their types, so that a value that a binding cannot express is not mistaken
 * for another.
 *
 * @module
 */
import type { SqlValue } from "../driver/driver.ts";
import { MARKS } from "../../engine/cursor.ts";
import { LAST_NUMBER } from "../../engine/last_number.ts";
import { integer, VALUE } from "../format/columns.ts";
import { CHANGED_VALUE, CHECKSUM } from "../format/large_values.ts";
import { LIMITED } from "../storage/conditions.ts";

const raw = (name: "kind" | "key") =>
  `CAST(${name} AS BLOB) AS ${name}, typeof(${name}) AS ${name}Type`;
const rawNumber = (column: string, name = column) =>
  `CAST(${column} AS TEXT) AS ${name}, typeof(${column}) AS ${name}Type`;
const RAW_VERSION = rawNumber("version");

/**
 * The place where a verification continues: at the start, after an entry in its
 * kind, or after a kind.
 */
export type Position = "start" | "key" | "kind";

/**
 * The next entries for a verification, by kind and key. Parameters: none at the
 * start; the kind and the key after an entry; the kind after a kind. Each is as
 * it was read, and `types` has the types of kind and key. Then the limit.
 */
export function selectFoundEntries(
  position: Position,
  types?: { readonly kindType: SqlValue; readonly keyType: SqlValue },
): string {
  const kind = parameter(types?.kindType);
  const key = parameter(types?.keyType);
  const where = {
    start: "",
    key: `WHERE kind = ${kind} AND key > ${key}`,
    kind: `WHERE kind > ${kind}`,
  };
  return `SELECT ${raw("kind")}, ${
    raw("key")
  }, ${VALUE}, ${RAW_VERSION}, updated_at, ${rawNumber("revision")}, ${
    rawNumber("expires_at", "expiresAt")
  }
FROM zestor_kv ${
    where[position]
  } ORDER BY zestor_kv.kind, zestor_kv.key ${LIMITED}`;
}

function parameter(type: SqlValue | undefined): string {
  return type === "text" ? "CAST(? AS TEXT)" : "?";
}

const isNoNumber = (column: string) =>
  `${column} IS NOT NULL AND (typeof(${column}) <> 'integer'
    OR ${column} NOT BETWEEN -${LAST_NUMBER} AND ${LAST_NUMBER})`;

/** The fault of the columns that format 2 added to the log; NULL if there is none. */
const PROBLEM = `CASE
  WHEN mark IS NULL THEN CASE
    WHEN coalesce(time, expires_at, previous_revision, previous_time,
      previous_expires_at) IS NOT NULL THEN 'has no mark' END
  WHEN typeof(mark) <> 'integer' OR mark NOT BETWEEN 0 AND ${MARKS - 1}
    THEN 'has a mark that cannot be one'
  WHEN typeof(time) <> 'text' THEN 'has no time'
  WHEN ${isNoNumber("expires_at")}
    OR (expires_at IS NOT NULL AND type IN ('delete', 'expire'))
    THEN 'has an expiry that cannot be one'
  WHEN ${isNoNumber("previous_expires_at")}
    OR (previous_expires_at IS NOT NULL AND type = 'create')
    THEN 'has a previous expiry that cannot be one'
  WHEN (previous_time IS NULL) <> (type = 'create')
    THEN 'has a previous time that cannot be one'
  WHEN (previous_revision IS NULL) <> (type = 'create')
    OR ${isNoNumber("previous_revision")} OR previous_revision >= revision
    THEN 'has a previous revision that cannot be one'
END`;

/** The next changes for a verification. Parameters: after this revision, the limit. */
export const LIST_FOUND_CHANGES = `SELECT revision, ${raw("kind")}, ${
  raw("key")
}, type, ${RAW_VERSION}, ${CHANGED_VALUE} AS value, ${CHECKSUM} AS checksum, previous,
${rawNumber("previous_revision", "previousRevision")},
mark IS NULL AS isEarlier, ${PROBLEM} AS problem
FROM zestor_changes WHERE revision > ? ORDER BY revision ${LIMITED}`;

/** The newest revision in the log. */
export const GET_NEWEST = `SELECT ${
  integer("revision", "newest")
} FROM (SELECT coalesce(max(revision), 0) AS newest FROM zestor_changes)`;

/** The value that a change wrote. Parameters: its revision. */
export const GET_CHANGED_VALUE =
  `SELECT ${CHANGED_VALUE} AS value FROM zestor_changes WHERE revision = ?`;
