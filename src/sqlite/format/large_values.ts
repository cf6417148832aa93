/**
 * Where the change log has a large value. To write it into the entry's row and
 * into the log's would write it twice, and a third time as what the next change
 * replaced. So the log's row of a change has no large `value`: the entry has it
 * until it changes, and then the log's row of that change has it as `previous`.
 *
 * The invariant: if a change of an entry has no `value`, either the entry still
 * has the revision of that change, or a later row of the log has it as its
 * `previous_revision`. Pruning removes the oldest rows alone, so it removes no
 * value that an older change than those is to be read from.
 *
 * @module
 */
import { VALUE_AS_BLOB } from "./columns.ts";

/**
 * From how many bytes on a value is large. Smaller values are cheaper twice in
 * one row of the log than once there and with a row in the index.
 */
export const LARGE_BYTES = 8 * 1024;

// A trigger of others may change the entry before the change is logged. Then no
// entry and no later change has the value that the log is to tell.
const HAS_FOREIGN_TRIGGER =
  "EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name NOT GLOB 'zestor_*')";

/** What the log's row of a change has for `value`; `bytes` are the bytes of that. */
export function loggedValue(value: string, bytes: string): string {
  return `CASE WHEN length(${value}) >= ${LARGE_BYTES}
      AND NOT ${HAS_FOREIGN_TRIGGER} THEN NULL ELSE ${bytes} END`;
}

/** What makes the index that finds the change that replaced a large value. No other query uses it. */
export const LARGE_INDEX =
  `CREATE INDEX zestor_large ON zestor_changes (previous_revision) WHERE length(previous) >= ${LARGE_BYTES}`;

/**
 * A large value that a change wrote, in a query on `zestor_changes`; NULL if it
 * is nowhere. If a trigger of others changes an entry before its change is
 * logged, two changes tell that they replaced the same one: the later is right.
 */
export const LARGE_VALUE = elsewhere(VALUE_AS_BLOB, "later.previous");

/** How many bytes that has. */
export const LARGE_SIZE = elsewhere(
  `length(${VALUE_AS_BLOB})`,
  "length(later.previous)",
);

/** The value that a change wrote, in such a query; NULL for one that removed. */
export const CHANGED_VALUE =
  `CASE WHEN value IS NULL AND type IN ('create', 'update')
  THEN ${LARGE_VALUE} ELSE value END`;

function elsewhere(ofEntry: string, ofLater: string): string {
  return `coalesce(
    (SELECT ${ofEntry} FROM zestor_kv
      WHERE zestor_kv.kind = zestor_changes.kind
      AND zestor_kv.key = zestor_changes.key
      AND zestor_kv.revision = zestor_changes.revision
      AND length(${VALUE_AS_BLOB}) >= ${LARGE_BYTES}),
    (SELECT ${ofLater} FROM zestor_changes AS later
      WHERE later.previous_revision = zestor_changes.revision
      AND length(later.previous) >= ${LARGE_BYTES}
      AND later.kind = zestor_changes.kind AND later.key = zestor_changes.key
      ORDER BY later.revision DESC LIMIT 1))`;
}
