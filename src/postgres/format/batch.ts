/**
 * How the functions that carry out batches begin, and the pieces they share.
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
 * How the functions run. A kept plan was made for a table that has grown since:
 * so entries are found by their names, never by reading the whole table.
 */
export const AS_WRITER = (schema: string): string =>
  `LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = ${quoteIdentifier(schema)}, pg_temp
  SET enable_seqscan = off`;

/** The same for statements with joins. */
export const WITH_JOINS =
  "SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off";

/**
 * Sets how to wait and to commit, and takes the lock. The table comes before
 * the lock, as in plain SQL: else `TRUNCATE` would deadlock.
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

/** The newest revision `h.head`, and `b`: this batch or a later one of the writer, if it was carried out. */
export const FIND_BATCH = `(SELECT ${HEAD} AS head) h LEFT JOIN LATERAL (
      SELECT d.batch, d.answer FROM zestor_batches d
      WHERE d.writer = writer_id AND d.batch >= batch_id
      ORDER BY d.batch LIMIT 1) b ON true`;

/** Whether others have triggers on the table: then the store writes as plain SQL does. */
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
