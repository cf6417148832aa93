/**
 * Pieces of SQL that the functions of a store share.
 *
 * @module
 */

/** The class of the store's lock. The table's id is the other part of its name. */
export const LOCK_CLASS = 2053468783;

/** The newest revision. */
export const HEAD = `coalesce(
  (SELECT revision FROM zestor_changes ORDER BY revision DESC LIMIT 1),
  (SELECT value::bigint FROM zestor_meta WHERE name = 'pruned'))`;

/**
 * A time in ms since 1970. It is rounded, because `float8` cannot express whole
 * ms exactly in seconds.
 */
export const msOf = (time: string): string =>
  `round(date_part('epoch', ${time}) * 1000)::bigint`;

/** A time from ms since 1970. */
export const timeOf = (ms: string): string =>
  `to_timestamp(${ms}::float8 / 1000)`;

/** Begins a statement that logs changes. */
export const LOG =
  `INSERT INTO zestor_changes (revision, mark, kind, key, type, version,
      value, previous, expires_at, time,
      previous_revision, previous_time, previous_expires_at)`;

/** Whether the transaction keeps the snapshot of its first statement. */
export const KEEPS_SNAPSHOT =
  `current_setting('transaction_isolation') IN ('repeatable read', 'serializable')`;

/** The type in the log for the end of an entry that expires at `time`. */
export const endAt = (time: string, now: string) =>
  `CASE WHEN ${time} <= ${now} THEN 'expire' ELSE 'delete' END`;

/** A name as SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
