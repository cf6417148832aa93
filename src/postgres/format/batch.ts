/**
 * The common parts of the functions that carry out batches.
 *
 * @module
 */
import {
  HEAD,
  KEEPS_SNAPSHOT,
  LOCK_CLASS,
  quoteIdentifier,
  quoteLiteral,
} from "./sql.ts";
import { TRIGGERS } from "./triggers.ts";

const tableOf = (schema: string) =>
  quoteLiteral(`${quoteIdentifier(schema)}.zestor_kv`);

/**
 * The settings of the functions. A cached plan may be older than the growth of
 * its table, so entries are found by their names, never by a scan of the whole
 * table.
 */
export const AS_WRITER = (schema: string): string =>
  `LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = ${quoteIdentifier(schema)}, pg_temp
  SET enable_seqscan = off`;

/** The same for statements with joins. */
export const WITH_JOINS =
  "SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off";

/**
 * Sets the settings for waiting and committing, and takes the lock. The table
 * is locked before, as in plain SQL, because otherwise `TRUNCATE` would
 * deadlock.
 */
export const BEGIN_BATCH = (schema: string): string =>
  `IF set_config('lock_timeout', lock_ms::text, true) IS NULL OR (CASE
      WHEN NOT is_durable THEN set_config('synchronous_commit', 'off', true)
      WHEN current_setting('synchronous_commit') IN ('off', 'local')
        THEN set_config('synchronous_commit', 'on', true) END) = '' THEN
  END IF;
  LOCK TABLE zestor_entries IN ROW EXCLUSIVE MODE;
  IF pg_advisory_xact_lock(${LOCK_CLASS}, ${
    tableOf(schema)
  }::regclass::oid::int) IS NULL
    OR (CASE WHEN ${KEEPS_SNAPSHOT} THEN zestor_refuse_stale() END) THEN
  END IF;`;

/**
 * The newest revision `h.head`, and `b`: this batch or a later one of the same
 * writer, if it was carried out.
 */
export const FIND_BATCH = `(SELECT ${HEAD} AS head) h LEFT JOIN LATERAL (
      SELECT d.batch, d.answer FROM zestor_batches d
      WHERE d.writer = writer_id AND d.batch >= batch_id
      ORDER BY d.batch LIMIT 1) b ON true`;

/** Whether others have triggers on the table. If so, the store writes like plain SQL. */
export const FOREIGN = (schema: string): string =>
  `EXISTS (SELECT FROM pg_trigger
        WHERE tgrelid = ${
    tableOf(schema)
  }::regclass AND NOT tgisinternal OFFSET ${TRIGGERS})`;

/** The lock of the store, if it is free. */
export const TRY_LOCK = (schema: string): string =>
  `pg_try_advisory_xact_lock(${LOCK_CLASS}, ${
    tableOf(schema)
  }::regclass::oid::int)`;
