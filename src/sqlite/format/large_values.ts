/**
 * Where the change log has a large value. To write it into the entry's row and
 * into the log's would write it twice, and a third time as what the next change
 * replaced. So the log's row of a store's change has the value's checksum in
 * place of a large `value`, as an integer: the entry has the value until it
 * changes, and then the log's row of that change has it as `previous`.
 *
 * The invariant: if a change has a checksum for its `value`, either the entry
 * still has the revision of that change, or a later row of the log has it as its
 * `previous_revision`. Pruning removes the oldest rows alone, so it removes no
 * value that an older change than those is to be read from.
 *
 * Plain SQL cannot make checksums, without which nobody would notice damage in
 * the one copy. So what it writes is in the log as a whole, as small values are.
 *
 * @module
 */
import { VALUE_AS_BLOB } from "./columns.ts";

/**
 * From how many bytes on a value is large. Smaller values are cheaper twice in
 * one row of the log than once there and with a row in the index.
 */
export const LARGE_BYTES = 8 * 1024;

/** What the triggers put in place of a large value, until the store puts the checksum there. */
const NO_CHECKSUM = 2 ** 40;

/**
 * What the log's row of a change has for `value`, of which `bytes` are the
 * bytes. A store is known by `setsRevision`: it sets the entry's revision to the
 * one that comes next.
 */
export function loggedValue(
  value: string,
  bytes: string,
  setsRevision: string,
): string {
  return `CASE WHEN length(${value}) >= ${LARGE_BYTES}
      AND ${setsRevision} THEN ${NO_CHECKSUM} ELSE ${bytes} END`;
}

/** Puts a checksum in place of a large value. Parameters: the checksum, the revision of the change. */
export const SET_CHECKSUM =
  `UPDATE zestor_changes SET value = CAST(? AS INTEGER) WHERE revision = ? AND value = ${NO_CHECKSUM}`;

/** The checksum of a value: an integer of as many bytes as `NO_CHECKSUM`, so that SQLite writes one page for it. */
export function checksumOf(value: Uint8Array): number {
  const { crc32 } = globalThis.process.getBuiltinModule("node:zlib");
  return NO_CHECKSUM + 1 + crc32(value);
}

/** Whether a value has this checksum; a change without one is not known to be wrong. */
export function hasChecksum(value: Uint8Array, checksum: number): boolean {
  return checksum === NO_CHECKSUM || checksum === checksumOf(value);
}

/** What makes the index that finds the change that replaced a large value. No other query uses it. */
export const LARGE_INDEX =
  `CREATE INDEX zestor_large ON zestor_changes (previous_revision) WHERE length(previous) >= ${LARGE_BYTES}`;

/** A large value that a change wrote, in a query on `zestor_changes`; NULL if it is nowhere. */
const LARGE_VALUE = elsewhere(VALUE_AS_BLOB, "later.previous");

/** How many bytes that has. */
const LARGE_SIZE = elsewhere(
  `length(${VALUE_AS_BLOB})`,
  "length(later.previous)",
);

/** Whether the log's row of a change has a checksum for a value. */
const IS_CHECKSUM = "typeof(value) = 'integer'";

/** The value that a change wrote, in such a query; NULL for one that removed. */
export const CHANGED_VALUE =
  `CASE WHEN ${IS_CHECKSUM} THEN ${LARGE_VALUE} ELSE value END`;

/** How many bytes it has if it is not in the row, or something else. */
export function sizeOr(own: string): string {
  return `CASE WHEN ${IS_CHECKSUM} THEN ${LARGE_SIZE} ELSE ${own} END`;
}

/** The checksum of that value, or NULL if the row has the value. */
export const CHECKSUM = `CASE WHEN ${IS_CHECKSUM} THEN value END`;

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
