/**
 * The statements that read a page of entries as one row, because a row costs
 * a binding more time than the bytes in it. The values are one blob, joined with
 * a byte that JSON text never contains. Each other column is a JSON array.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import { integer, VERSION } from "../format/columns.ts";
import { inRange, IS_THERE, LIMITED, ofKeys, ofKinds } from "./conditions.ts";
import { HAS_EXPIRED } from "./queries.ts";

/** The most bytes of a value that is read as text. */
export const MOST_TEXT_BYTES = PAGE_BYTES / PAGE_ENTRIES;

/** The separator of two values: a control character, which JSON always escapes. */
export const SEPARATOR = "\x01";

/**
 * A value, or a byte that is invalid in UTF-8 if the value is too large. SQLite
 * knows the length of a blob without reading the blob. In SQLite's order, text is
 * before every blob, so `>= x''` means "is a blob". The length of text ends at
 * a NUL, so text is cast to a blob.
 */
const smallText = (value: "value" | "previous") =>
  `CASE
  WHEN length(${value}) <= ${MOST_TEXT_BYTES} AND ${value} >= x'' THEN ${value}
  WHEN typeof(${value}) = 'text' AND length(CAST(${value} AS BLOB)) <= ${MOST_TEXT_BYTES} THEN ${value}
  ELSE x'ff' END`;

const texts = (name: string) =>
  `CAST(group_concat(value, x'01') AS BLOB) AS ${name}`;
const listOf = (column: string) => `json_group_array(${column}) AS ${column}`;

/**
 * A text, or NULL for a blob, because JSON functions may interpret a blob as
 * JSON. Every blob is past all text.
 */
const text = (column: string) =>
  `CASE WHEN ${column} < x'' THEN ${column} END AS ${column}`;

/** The columns of a page, except the value. */
const OTHER_COLUMNS = {
  value: { key: text("key") },
  entry: {
    key: text("key"),
    version: VERSION,
    revision: integer("revision"),
    updated_at: text("updated_at"),
    expires_at: integer("expires_at"),
  },
};

/** The read of a page as one row. */
export interface TextsRead {
  readonly columns: keyof typeof OTHER_COLUMNS;
  readonly range: KeyRange;
  readonly reverse: boolean;
  /** Whether expired entries are left out. If not, the row tells whether any entry has expired. */
  readonly there: boolean;
}

/**
 * Reads the entries of a range as one row. Parameters: the time, those of
 * `rangeParams`, the limit. If `there`, the time comes after those of the range.
 *
 * SQLite does not guarantee the order of an aggregate. In fact it is the order of
 * the subquery, and the reader checks it.
 */
export function selectTexts(
  { columns, range, reverse, there }: TextsRead,
): string {
  const others = OTHER_COLUMNS[columns];
  const lists = Object.keys(others).map(listOf).join(", ");
  const hasExpired = there ? "0" : `EXISTS (${HAS_EXPIRED})`;
  return `SELECT ${hasExpired} AS has_expired, ${
    texts("texts")
  }, ${lists} FROM (
  SELECT ${Object.values(others).join(", ")}, ${
    smallText("value")
  } AS value FROM zestor_kv
  WHERE ${inRange(range)}${there ? ` AND ${IS_THERE}` : ""}
  ORDER BY zestor_kv.key ${reverse ? "DESC" : "ASC"} ${LIMITED})`;
}

/** The changes that are read as one row. */
export interface TextChangesRead {
  /** How many kinds; all kinds if it is absent. */
  readonly kinds: number | undefined;
  readonly range: KeyRange;
}

/** The types in the log. Each is read as its index, because text takes longer to read. */
export const LOGGED_TYPES = ["create", "update", "delete", "expire"] as const;

const TYPE = `CASE type ${
  LOGGED_TYPES.map((type, i) => `WHEN '${type}' THEN ${i}`).join(" ")
} END AS type`;

const CHANGE_COLUMNS = {
  revision: "revision",
  key: text("key"),
  type: TYPE,
  version: VERSION,
  mark: integer("mark"),
  expires_at: integer("expires_at"),
};

/**
 * Reads the changes past one revision, up to another, as one row. If `kinds` is 1,
 * the kind is not read. Parameters: both revisions, the kinds, those of
 * `keyParams`, the limit.
 */
export function selectTextChanges({ kinds, range }: TextChangesRead): string {
  const columns = kinds === 1
    ? CHANGE_COLUMNS
    : { ...CHANGE_COLUMNS, kind: text("kind") };
  const lists = Object.keys(columns).map(listOf).join(", ");
  return `SELECT ${texts("texts")}, ${lists} FROM (
  SELECT ${Object.values(columns).join(", ")},
    CASE WHEN type IN ('delete', 'expire') THEN ${smallText("previous")}
    ELSE ${smallText("value")} END AS value
  FROM zestor_changes
  WHERE revision > ? AND revision <= ? AND ${ofKinds(kinds)}${ofKeys(range)}
  ORDER BY zestor_changes.revision ${LIMITED})`;
}

/** Joins values that an older library may change: an empty value, a NUL, bytes that are not UTF-8. */
export const TRY_TEXTS = `SELECT ${texts("texts")}, ${listOf("key")} FROM (
  SELECT 'a"' AS key, x'' AS value
  UNION ALL SELECT 'é', x'3100ff32' UNION ALL SELECT 'c', x'c3a9')`;

/** The result of `TRY_TEXTS` if the library changes nothing. */
export const TRIED_TEXTS = {
  texts: new Uint8Array([1, 0x31, 0, 0xff, 0x32, 1, 0xc3, 0xa9]),
  key: ['a"', "é", "c"],
};
