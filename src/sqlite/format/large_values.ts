/**
 * The place of large values in the change log. If a large value were written
 * into the entry's row and into the log's row, it would be written twice, and a
 * third time as the previous value of the next change. So for a store's change,
 * the log's row has the checksum of a large `value` instead, as an integer. The
 * entry has the value until it changes; then the log's row of that change has
 * it as `previous`.
 *
 * The invariant: if a change has a checksum as its `value`, either the entry
 * still has the revision of that change, or a later row of the log has it as
 * its `previous_revision`. Pruning removes only the oldest rows, so it never
 * removes a value that an older remaining change needs.
 *
 * Plain SQL cannot calculate checksums, and without a checksum nobody would
 * notice damage of the only copy. So values that plain SQL writes are in the
 * log completely, as small values are.
 *
 * @module
 */
import { VALUE_AS_BLOB } from "./columns.ts";

/**
 * A value is large from this number of bytes on. Two copies of a smaller value
 * in one row of the log cost less than one copy with a row in the index.
 */
export const LARGE_BYTES = 8 * 1024;

/** The triggers write this in place of a large value, until the store writes the checksum there. */
const NO_CHECKSUM = 2 ** 40;

/**
 * The log's `value` for a change, whose value has the bytes `bytes`. A store
 * shows itself by `setsRevision`: it sets the entry's revision to the next one.
 */
export function loggedValue(
  value: string,
  bytes: string,
  setsRevision: string,
): string {
  return `CASE WHEN length(${value}) >= ${LARGE_BYTES}
      AND ${setsRevision} THEN ${NO_CHECKSUM} ELSE ${bytes} END`;
}

/**
 * Writes a checksum in place of a large value. Parameters: the checksum, the
 * revision of the change.
 */
export const SET_CHECKSUM =
  `UPDATE zestor_changes SET value = CAST(? AS INTEGER) WHERE revision = ? AND value = ${NO_CHECKSUM}`;

/**
 * The checksum of a value: an integer with as many bytes as `NO_CHECKSUM`, so
 * that SQLite writes only one page for it.
 */
export function checksumOf(value: Uint8Array): number {
  const { crc32 } = globalThis.process.getBuiltinModule("node:zlib");
  return NO_CHECKSUM + 1 + crc32(value);
}

/** Whether a value has this checksum. A change without a checksum counts as right. */
export function hasChecksum(value: Uint8Array, checksum: number): boolean {
  return checksum === NO_CHECKSUM || checksum === checksumOf(value);
}

/** The SQL of the index that finds the change which replaced a large value. No other query uses it. */
export const LARGE_INDEX =
  `CREATE INDEX zestor_large ON zestor_changes (previous_revision) WHERE length(previous) >= ${LARGE_BYTES}`;

/** The large value of a change, in a query on `zestor_changes`; NULL if it is missing. */
const LARGE_VALUE = elsewhere(VALUE_AS_BLOB, "later.previous");

/** The number of bytes of that value. */
const LARGE_SIZE = elsewhere(
  `length(${VALUE_AS_BLOB})`,
  "length(later.previous)",
);

/** Whether the log's row of a change has a checksum as its value. */
const IS_CHECKSUM = "typeof(value) = 'integer'";

/** The value that a change wrote, in such a query; NULL for a removal. */
export const CHANGED_VALUE =
  `CASE WHEN ${IS_CHECKSUM} THEN ${LARGE_VALUE} ELSE value END`;

/** The number of bytes of that value if it is not in the row; else the given expression. */
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
