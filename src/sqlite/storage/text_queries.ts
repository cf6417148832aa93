/**
 * The statements that read a page of entries as one row: to hand over a row
 * costs a binding more than the bytes in it. The values are one blob, with
 * a byte between them that is in no JSON text; each other column is a JSON array.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import { integer, VERSION } from "../format/columns.ts";
import { inRange, IS_THERE, LIMITED, ofKeys, ofKinds } from "./conditions.ts";
import { HAS_EXPIRED } from "./queries.ts";

/** Up to how many bytes a value is read as text. */
export const MOST_TEXT_BYTES = PAGE_BYTES / PAGE_ENTRIES;

/** What is between two values: a control character, which JSON has only escaped. */
export const SEPARATOR = "\x01";

/**
 * A value, or a byte that is in no UTF-8 if the value is too large: SQLite tells
 * the length of a blob without reading the blob. A blob is at or past the empty
 * one, text is before it. The length of text would be that up to a NUL.
 */
const smallText = (value: "value" | "previous") =>
  `CASE
  WHEN length(${value}) <= ${MOST_TEXT_BYTES} AND ${value} >= x'' THEN ${value}
  WHEN typeof(${value}) = 'text' AND length(CAST(${value} AS BLOB)) <= ${MOST_TEXT_BYTES} THEN ${value}
  ELSE x'ff' END`;

const texts = (name: string) =>
  `CAST(group_concat(value, x'01') AS BLOB) AS ${name}`;
const listOf = (column: string) => `json_group_array(${column}) AS ${column}`;

/** Text, or NULL in place of a blob, which is past all text: JSON functions may take a blob for JSON. */
const text = (column: string) =>
  `CASE WHEN ${column} < x'' THEN ${column} END AS ${column}`;

/** What a page has of each entry beside its value. */
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

/** How a page is read as one row. */
export interface TextsRead {
  readonly columns: keyof typeof OTHER_COLUMNS;
  readonly range: KeyRange;
  readonly reverse: boolean;
  /** Whether what has expired is left out. Else the row tells whether anything has. */
  readonly there: boolean;
}

/**
 * Reads the entries of a range as one row. Parameters: the time, those of
 * `rangeParams`, the limit. If `there`, the time comes after those of the range.
 *
 * SQLite promises no order of what it puts together, and takes that of the
 * subquery, which has a limit: whoever reads checks it.
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

/** Which changes are read as one row. */
export interface TextChangesRead {
  /** How many kinds; all if it is absent. */
  readonly kinds: number | undefined;
  readonly range: KeyRange;
}

/** The types in the log, each of which is read as its index: to read a text takes longer. */
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
 * Reads the changes between two revisions as one row. If there is one kind, it
 * is not read. Parameters: after this revision, up to this one, the kinds, those
 * of `keyParams`, the limit.
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

/** Puts together what an older library may alter: an empty value, a NUL, bytes that are no UTF-8. */
export const TRY_TEXTS = `SELECT ${texts("texts")}, ${listOf("key")} FROM (
  SELECT 'a"' AS key, x'' AS value
  UNION ALL SELECT 'é', x'3100ff32' UNION ALL SELECT 'c', x'c3a9')`;

/** What `TRY_TEXTS` gives, if nothing is altered. */
export const TRIED_TEXTS = {
  texts: new Uint8Array([1, 0x31, 0, 0xff, 0x32, 1, 0xc3, 0xa9]),
  key: ['a"', "é", "c"],
};
