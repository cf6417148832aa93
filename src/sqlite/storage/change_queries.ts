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

/** Leaves the newest change: it tells which history goes on. Parameters: the last revision to go. */
export const PRUNE_LOG = `DELETE FROM zestor_changes WHERE revision <= ?
AND revision < (SELECT max(revision) FROM zestor_changes)`;

/** Which changes are read, and in which direction. */
export interface ChangesRead {
  /** How many kinds; all if it is absent. */
  readonly kinds: number | undefined;
  readonly range: KeyRange;
  /** Whether the values before are read, too. */
  readonly previous: boolean;
  /** Whether the times are read, too. */
  readonly times: boolean;
  readonly reverse: boolean;
  readonly values: WholeValues;
}

const IS_SMALL_CHANGE = `coalesce(length(value), 0) <= ${SMALL_BYTES}
  AND coalesce(length(previous), 0) <= ${SMALL_BYTES}`;

/**
 * The changes between two revisions. Parameters: after this revision, up to
 * this one, the kinds, those of `keyParams`, the limit.
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

/** Which kinds changed between two revisions. Parameters: after this revision, up to this one. */
export const LIST_CHANGED_KINDS =
  "SELECT DISTINCT kind FROM zestor_changes WHERE revision > ? AND revision <= ?";

/** How many changes there are from one revision to another. Parameters: both. */
export const COUNT_CHANGES =
  "SELECT count(*) AS count FROM zestor_changes WHERE revision BETWEEN ? AND ?";

/** Which keys of a kind changed between two revisions. Parameters: as above, then those of `rangeParams`. */
export function selectChangedKeys(range: KeyRange): string {
  return `SELECT revision, ${whole("key")} FROM zestor_changes
WHERE revision > ? AND revision <= ? AND ${inRange(range)} ORDER BY revision`;
}

/** What a change replaced. Parameters: its revision. */
export const GET_PREVIOUS = `SELECT type, ${VERSION}, previous, ${
  integer("mark")
},
  ${integer("revision", "previous_revision")}, previous_time AS updated_at,
  ${integer("expires_at", "previous_expires_at")}
FROM zestor_changes WHERE revision = ?`;

/** When a change was made, and its mark. Parameters: its revision. */
export const GET_MARK = `SELECT time, ${
  integer("mark")
} FROM zestor_changes WHERE revision = ?`;

/** Parameters: the name of what the file says of itself. */
export const GET_META = "SELECT value FROM zestor_meta WHERE name = ?";
