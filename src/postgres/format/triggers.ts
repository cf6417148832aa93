/**
 * The triggers that log the writes of plain SQL to `zestor_kv`.
 *
 * The invariants:
 * - One transaction writes at a time, from its first statement to the end of
 *   its commit. So revisions become visible in order, without gaps.
 * - The functions run with the rights of their owner. Their `search_path` ends
 *   with `pg_temp`: without it, a role could hide the store's tables with
 *   temporary ones
 *   (https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).
 * - A statement is logged after its rows are written. Then the rows get their
 *   revisions and versions, by a write to the partition, which has none of our
 *   triggers.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";
import {
  endAt,
  HEAD,
  KEEPS_SNAPSHOT,
  LOCK_CLASS,
  LOG,
  quoteIdentifier,
  quoteLiteral,
} from "./sql.ts";
import { ORDER_FUNCTIONS } from "./order.ts";
import { MARK } from "./tables.ts";

export { HEAD, LOCK_CLASS, quoteIdentifier, quoteLiteral } from "./sql.ts";

/** The number of our triggers on `zestor_kv`. If there are more, some belong to others. */
export const TRIGGERS = 5;

/**
 * The setting in which a statement, at this depth of triggers, stores the
 * revision at which it began.
 */
const BEGAN = `'zestor.head' || pg_trigger_depth()`;

// JavaScript has no dates beyond these, and the contract sets the last year.
const isTime = (time: string) =>
  `${time} >= '0001-01-01Z' AND ${time} < '10000-01-01Z'`;
/** Whether the store can hold a row. */
const isEntry = (row: string) =>
  `(${row}.kind <> '' AND ${row}.key <> ''
      AND ${row}.version BETWEEN 1 AND ${LAST_NUMBER} AND ${
    isTime(`${row}.updated_at`)
  }
      AND (${row}.expires_at IS NULL OR ${isTime(`${row}.expires_at`)}))`;
const REFUSE =
  `RAISE EXCEPTION 'Cannot write to zestor_kv: a kind or key is empty, a version is not from 1 to ${LAST_NUMBER}, or a time is not in the years 1 to 9999'
      USING ERRCODE = 'check_violation', TABLE = 'zestor_kv'`;

/** Ends a log function: corrects the order, and notifies listeners of the changed kinds. */
const finish = (channel: string) => `
  IF logged > 0 THEN
    IF began < head THEN
      PERFORM zestor_put_first(began, head, logged);
    END IF;
    -- A BEFORE trigger of others has seen the write of the revisions, too.
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = TG_RELID AND NOT tgisinternal OFFSET ${TRIGGERS}) THEN
      UPDATE zestor_changes c
        SET value = k.value, version = k.version, time = k.updated_at, expires_at = k.expires_at
        FROM zestor_entries k
        WHERE c.revision > began AND k.revision = c.revision AND k.kind = c.kind AND k.key = c.key
          AND (c.value, c.version, c.time, c.expires_at)
            IS DISTINCT FROM (k.value, k.version, k.updated_at, k.expires_at);
    END IF;
    PERFORM set_config(${BEGAN}, (head + logged)::text, true),
      pg_notify(${channel}, CASE WHEN first = last AND octet_length(first) < 4000 THEN first ELSE '' END);
  END IF;
  RETURN NULL;`;

const BEGIN = `head := ${HEAD};
  began := coalesce(nullif(current_setting(${BEGAN}, true), '')::bigint, head);`;
const DECLARE =
  `DECLARE head bigint; began bigint; logged bigint; first text; last text; is_valid boolean`;

// Most statements write one row, so their plans are cached. A larger one is
// planned again, because the best plan depends on the number of rows.
const planned = (sql: string, into: string) =>
  `EXECUTE $sql$${sql}$sql$ INTO ${into} USING head;`;

const columns = (row: string) =>
  ["kind", "key", "value", "version", "updated_at", "revision", "expires_at"]
    .map((column) => `${row}.${column}`).join(", ");

const LOG_INSERT = `${DECLARE}; n zestor_entries%rowtype; many bigint;
BEGIN
  SELECT ${columns("a")}, (SELECT count(*) FROM new_rows)
    INTO ${columns("n")}, many FROM new_rows a LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  ${BEGIN}
  IF many = 1 THEN
    IF NOT ${isEntry("n")} THEN
      ${REFUSE};
    END IF;
    ${LOG} VALUES (head + 1, ${MARK}, n.kind, n.key, 'create', n.version,
      n.value, NULL, n.expires_at, n.updated_at, NULL, NULL, NULL);
    UPDATE zestor_entries k SET revision = head + 1
      WHERE k.kind = n.kind AND k.key = n.key AND k.revision = n.revision;
    logged := 1; first := n.kind; last := n.kind;
  ELSE
    ${
  planned(
    `WITH numbered AS MATERIALIZED (
      SELECT n.*, $1 + row_number() OVER (ORDER BY kind, key) AS r FROM new_rows n
    ), written AS (
      ${LOG}
      SELECT r, ${MARK}, kind, key, 'create', version,
        value, NULL, expires_at, updated_at, NULL, NULL, NULL FROM numbered
    ), stamped AS (
      UPDATE zestor_entries k SET revision = n.r FROM numbered n
        WHERE k.kind = n.kind AND k.key = n.key AND k.revision = n.revision
    )
    SELECT count(*), min(kind), max(kind), bool_and(${
      isEntry("n")
    }) FROM numbered n`,
    "logged, first, last, is_valid",
  )
}
    IF NOT is_valid THEN
      ${REFUSE};
    END IF;
  END IF;`;

const LOG_DELETE = `${DECLARE}; o zestor_entries%rowtype; many bigint;
BEGIN
  SELECT ${columns("a")}, (SELECT count(*) FROM old_rows)
    INTO ${columns("o")}, many FROM old_rows a LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  ${BEGIN}
  IF many = 1 THEN
    ${LOG} VALUES (head + 1, ${MARK}, o.kind, o.key, ${
  endAt("o.expires_at", "clock_timestamp()")
}, o.version,
      NULL, o.value, NULL, clock_timestamp(), o.revision, o.updated_at, o.expires_at);
    logged := 1; first := o.kind; last := o.kind;
  ELSE
    ${
  planned(
    `WITH numbered AS MATERIALIZED (
      SELECT o.*, $1 + row_number() OVER (ORDER BY kind, key) AS r FROM old_rows o
    ), written AS (
      ${LOG}
      SELECT r, ${MARK}, kind, key, ${
      endAt("expires_at", "clock_timestamp()")
    }, version,
        NULL, value, NULL, clock_timestamp(), revision, updated_at, expires_at FROM numbered
    )
    SELECT count(*), min(kind), max(kind) FROM numbered`,
    "logged, first, last",
  )
}
  END IF;`;

const LOG_TRUNCATE = `${DECLARE};
BEGIN
  ${BEGIN}
  ${LOG}
    SELECT head + row_number() OVER (ORDER BY kind, key), ${MARK}, kind, key,
      ${endAt("o.expires_at", "clock_timestamp()")}, version,
      NULL, value, NULL, clock_timestamp(), revision, updated_at, expires_at
    FROM zestor_entries o;
  GET DIAGNOSTICS logged = ROW_COUNT;
  SELECT min(kind), max(kind) INTO first, last FROM zestor_entries;`;

const isSame = (n: string, o: string) =>
  `${n}value = ${o}value AND ${n}expires_at IS NOT DISTINCT FROM ${o}expires_at`;
/** A writer that does not know expiry does not set it, but its value must not vanish. */
const expiryOf = (n: string, o: string) =>
  `CASE WHEN ${n}revision = ${o}revision AND ${n}value <> ${o}value
        AND ${n}expires_at = ${o}expires_at THEN NULL ELSE ${n}expires_at END`;
const timeOf = (n: string, o: string) =>
  `CASE WHEN ${n}updated_at = ${o}updated_at THEN clock_timestamp() ELSE ${n}updated_at END`;

// Pairs the rows before and after by their names. The log has the changes of
// names, so renaming an entry deletes it under one name, and creates it under
// another. The origin of a renamed row is found by its revision.
const LOG_UPDATES = `WITH pairs AS (
      SELECT kind, key, o.version AS old_version, o.value AS old_value,
        o.revision AS old_revision, o.updated_at AS old_time, o.expires_at AS old_expiry,
        n.version AS given_version, n.revision AS given_revision, n.updated_at AS given_time,
        n.expires_at AS given_expiry, n.value AS new_value,
        CASE WHEN o.version IS NULL THEN ${expiryOf("n.", "s.")}
          ELSE ${expiryOf("n.", "o.")} END AS new_expiry,
        CASE WHEN o.version IS NULL THEN ${timeOf("n.", "s.")}
          WHEN ${isSame("n.", "o.")} THEN o.updated_at
          ELSE ${timeOf("n.", "o.")} END AS new_time,
        CASE WHEN n.version IS NULL THEN 'removed' WHEN o.version IS NULL THEN 'created'
          WHEN ${isSame("n.", "o.")} THEN 'same'
          WHEN o.expires_at <= clock_timestamp() THEN 'replaced' ELSE 'updated' END AS what
      FROM old_rows o FULL JOIN new_rows n USING (kind, key)
        LEFT JOIN (SELECT revision, value, updated_at, expires_at FROM old_rows) s
          ON s.revision = n.revision AND o.version IS NULL
    ), numbered AS MATERIALIZED (
      SELECT *, CASE what WHEN 'updated' THEN old_version + 1 WHEN 'same' THEN old_version
          ELSE 1 END AS new_version,
        $1 + sum(CASE what WHEN 'same' THEN 0 WHEN 'replaced' THEN 2 ELSE 1 END)
          OVER (ORDER BY kind, key) AS r
      FROM pairs
    ), ended AS (
      ${LOG}
      SELECT CASE what WHEN 'replaced' THEN r - 1 ELSE r END, ${MARK}, kind, key,
        ${endAt("old_expiry", "clock_timestamp()")}, old_version,
        NULL, old_value, NULL, clock_timestamp(), old_revision, old_time, old_expiry
      FROM numbered WHERE what IN ('removed', 'replaced')
    ), written AS (
      ${LOG}
      SELECT r, ${MARK}, kind, key, CASE what WHEN 'updated' THEN 'update' ELSE 'create' END,
        new_version, new_value, CASE what WHEN 'updated' THEN old_value END, new_expiry, new_time,
        CASE what WHEN 'updated' THEN old_revision END,
        CASE what WHEN 'updated' THEN old_time END,
        CASE what WHEN 'updated' THEN old_expiry END
      FROM numbered WHERE what IN ('created', 'replaced', 'updated')
    ), stamped AS (
      UPDATE zestor_entries k SET version = n.new_version, updated_at = n.new_time,
        expires_at = n.new_expiry,
        revision = CASE what WHEN 'same' THEN n.old_revision ELSE n.r END
      FROM numbered n
      WHERE k.kind = n.kind AND k.key = n.key AND k.revision = n.given_revision
        AND (what <> 'same' OR n.given_revision <> n.old_revision
          OR n.given_version <> n.old_version OR n.given_time <> n.old_time)
    )
    SELECT max(r) - $1, min(kind) FILTER (WHERE what <> 'same'),
      max(kind) FILTER (WHERE what <> 'same'),
      bool_and(what = 'removed' OR ${isEntry("e")}) FROM (
      SELECT what, r, kind, key, new_version AS version, new_time AS updated_at,
        new_expiry AS expires_at FROM numbered) e`;

const LOG_UPDATE =
  `${DECLARE}; o zestor_entries%rowtype; n zestor_entries%rowtype; many bigint; given bigint;
BEGIN
  SELECT ${columns("a")}, ${columns("b")}, (SELECT count(*) FROM new_rows)
    INTO ${columns("o")}, ${columns("n")}, many
    FROM (SELECT * FROM old_rows LIMIT 1) a, (SELECT * FROM new_rows LIMIT 1) b;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF many = 1 AND o.key = n.key AND o.kind = n.kind AND ${isSame("n.", "o.")}
    AND n.version = o.version AND n.revision = o.revision AND n.updated_at = o.updated_at THEN
    RETURN NULL;
  END IF;
  ${BEGIN}
  IF many = 1 AND o.key = n.key AND o.kind = n.kind AND NOT (${
    isSame("n.", "o.")
  }) AND (o.expires_at <= clock_timestamp()) IS NOT TRUE THEN
    given := n.revision;
    n.expires_at := ${expiryOf("n.", "o.")};
    n.updated_at := ${timeOf("n.", "o.")};
    n.version := o.version + 1;
    n.revision := head + 1;
    IF NOT ${isEntry("n")} THEN
      ${REFUSE};
    END IF;
    ${LOG} VALUES (head + 1, ${MARK}, n.kind, n.key, 'update', n.version,
      n.value, o.value, n.expires_at, n.updated_at, o.revision, o.updated_at, o.expires_at);
    UPDATE zestor_entries k SET version = n.version, updated_at = n.updated_at,
        expires_at = n.expires_at, revision = n.revision
      WHERE k.kind = n.kind AND k.key = n.key AND k.revision = given;
    logged := 1; first := n.kind; last := n.kind;
  ELSE
    ${planned(LOG_UPDATES, "logged, first, last, is_valid")}
    IF NOT is_valid THEN
      ${REFUSE};
    END IF;
  END IF;`;

/** The SQL of the functions and triggers, which replaces an earlier version. */
export function triggersOf(schema: string, channel: string): string {
  const name = quoteIdentifier(schema);
  const text = quoteLiteral(channel);
  const asOwner = `LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = ${name}, pg_temp`;
  const logs = ["insert", "update", "delete", "truncate"] as const;
  const bodies = [LOG_INSERT, LOG_UPDATE, LOG_DELETE, LOG_TRUNCATE];
  return `
${ORDER_FUNCTIONS(asOwner, TRIGGERS)}
CREATE OR REPLACE FUNCTION zestor_lock() RETURNS trigger ${asOwner} AS $$
BEGIN
  -- Each expression sees what was committed before it begins.
  PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, TG_RELID::int);
  IF ${KEEPS_SNAPSHOT} THEN
    PERFORM zestor_refuse_stale();
  END IF;
  PERFORM set_config(${BEGAN}, (${HEAD})::text, true);
  RETURN NULL;
END $$;
${
    logs.map((log, i) =>
      `CREATE OR REPLACE FUNCTION zestor_log_${log}() RETURNS trigger ${asOwner} AS $$
${bodies[i]}
${finish(text)}
END $$;`
    ).join("\n")
  }
CREATE OR REPLACE TRIGGER zestor_lock
  BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON zestor_kv
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_lock();
CREATE OR REPLACE TRIGGER zestor_log_insert AFTER INSERT ON zestor_kv
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_log_insert();
CREATE OR REPLACE TRIGGER zestor_log_update AFTER UPDATE ON zestor_kv
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_log_update();
CREATE OR REPLACE TRIGGER zestor_log_delete AFTER DELETE ON zestor_kv
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_log_delete();
CREATE OR REPLACE TRIGGER zestor_log_truncate BEFORE TRUNCATE ON zestor_kv
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_log_truncate();
REVOKE ALL ON FUNCTION zestor_lock(), zestor_put_first(bigint, bigint, bigint),
  zestor_refuse_stale(), zestor_log_insert(), zestor_log_update(),
  zestor_log_delete(), zestor_log_truncate() FROM PUBLIC;
`;
}
