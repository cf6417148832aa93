/**
 * The statements that read and prune the change log.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import { integer, VERSION, whole } from "../format/columns.ts";
import { CHANGED_VALUE, sizeOr } from "../format/large_values.ts";
import { inRange, LIMITED, ofKeys, ofKinds } from "./conditions.ts";
import { SMALL_BYTES, smallOrSize, type WholeValues } from "./small_values.ts";

/**
 * Removes old changes, but never the newest one, whose mark identifies the
 * history. Parameters: the last revision to remove.
 */
export const PRUNE_LOG = `DELETE FROM zestor_changes WHERE revision <= ?
AND revision < (SELECT max(revision) FROM zestor_changes)`;

/** Which changes are read, and in which direction. */
export interface ChangesRead {
  /** How many kinds; all kinds if it is absent. */
  readonly kinds: number | undefined;
  readonly range: KeyRange;
  /** Whether the previous values are read, too. */
  readonly previous: boolean;
  /** Whether the times are read, too. */
  readonly times: boolean;
  readonly reverse: boolean;
  readonly values: WholeValues;
}

const IS_SMALL_CHANGE = `coalesce(length(value), 0) <= ${SMALL_BYTES}
  AND coalesce(length(previous), 0) <= ${SMALL_BYTES}`;

/**
 * Reads the changes past one revision, up to another. Parameters: both revisions,
 * the kinds, those of `keyParams`, the limit.
 */
export function selectChanges(
  { kinds, range, previous, times, reverse, values }: ChangesRead,
): string {
  const valueOf = (column: "value" | "previous") =>
    values === "all" ? column : smallOrSize(column, IS_SMALL_CHANGE);
  const changed = values === "all" ? CHANGED_VALUE : sizeOr(valueOf("value"));
  const columns = [
    "revision",
    whole("kind"),
    whole("key"),
    "type",
    VERSION,
    `CASE WHEN type IN ('delete', 'expire') THEN ${valueOf("previous")}
  ELSE ${changed} END AS value`,
    ...(previous
      ? [`CASE type WHEN 'update' THEN ${valueOf("previous")} END AS previous`]
      : []),
    ...(times ? ["time"] : []),
    integer("mark"),
    integer("expires_at"),
  ];
  return `SELECT ${columns.join(", ")}
FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${ofKinds(kinds)}${ofKeys(range)}
ORDER BY revision ${reverse ? "DESC" : "ASC"} ${LIMITED}`;
}

/** The kinds that changed past one revision, up to another. Parameters: both revisions. */
export const LIST_CHANGED_KINDS =
  "SELECT DISTINCT kind FROM zestor_changes WHERE revision > ? AND revision <= ?";

/** Counts the changes from one revision to another, both included. Parameters: both revisions. */
export const COUNT_CHANGES =
  "SELECT count(*) AS count FROM zestor_changes WHERE revision BETWEEN ? AND ?";

/**
 * The keys of a kind that changed past one revision, up to another. Parameters:
 * both revisions, those of `rangeParams`.
 */
export function selectChangedKeys(range: KeyRange): string {
  return `SELECT revision, ${whole("key")} FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)} ORDER BY revision`;
}

/** The entry that a change replaced. Parameters: the change's revision. */
export const GET_PREVIOUS = `SELECT type, ${VERSION}, previous, ${
  integer("mark")
},
  ${integer("revision", "previous_revision")}, previous_time AS updated_at,
  ${integer("expires_at", "previous_expires_at")}
FROM zestor_changes WHERE revision = ?`;

/** The time and the mark of a change. Parameters: its revision. */
export const GET_MARK = `SELECT time, ${
  integer("mark")
} FROM zestor_changes WHERE revision = ?`;

/** Reads a value of the file's description. Parameters: its name. */
export const GET_META = "SELECT value FROM zestor_meta WHERE name = ?";
