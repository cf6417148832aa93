/**
 * The triggers that write the change log, whoever writes the entries.
 *
 * The invariants:
 * - One transaction writes at a time, from its first statement to the end of its
 *   commit. So revisions become visible in their order, with no gaps.
 * - What the log functions do runs with the rights of the tables' owner. Their
 *   `search_path` ends with `pg_temp`: without it, a role could put tables of
 *   its own in the place of the store's
 *   (https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).
 *
 * @module
 */
import { MARK } from "./tables.ts";

/** Beside the table's id, what the lock of a store is named by. */
export const LOCK_CLASS = 2053468783;

/** The newest revision. */
export const HEAD = `coalesce(
  (SELECT max(revision) FROM zestor_changes),
  (SELECT value::bigint FROM zestor_meta WHERE name = 'pruned'))`;

const LOG =
  `INSERT INTO zestor_changes (revision, mark, kind, key, type, version,
      value, previous, expires_at, time,
      previous_revision, previous_time, previous_expires_at)`;

// A write of the store gives its rows the next revisions. They are right unless
// plain SQL wrote, or a trigger of others did meanwhile.
const given = (row: string) =>
  `CASE WHEN ${row}.revision > head THEN ${row}.revision END`;
const RESULT =
  `SELECT count(*), count(*) FILTER (WHERE given IS DISTINCT FROM r),
      min(kind), max(kind) INTO logged, wrong, first, last FROM numbered`;

const STAMP = `IF wrong > 0 THEN
    UPDATE zestor_kv k SET revision = c.revision FROM zestor_changes c
      WHERE c.revision BETWEEN head + 1 AND head + logged AND c.type IN ('create', 'update')
      AND k.kind = c.kind AND k.key = c.key AND k.revision <> c.revision;
  END IF;`;

/** Tells who listens which kind has changed, if it is one, with a name that fits. */
const notify = (channel: string) =>
  `IF first IS NOT NULL THEN
    PERFORM pg_notify(${channel}, CASE WHEN first = last AND octet_length(first) < 4000 THEN first ELSE '' END);
  END IF;`;

const expired = (row: string) =>
  `(${row}.expires_at IS NOT NULL AND ${row}.expires_at <= clock_timestamp())`;
const removal = (row: string) =>
  `CASE WHEN ${expired(row)} THEN 'expire' ELSE 'delete' END`;

/** What makes the functions and triggers, over those of an earlier version. */
export function triggersOf(schema: string, channel: string): string {
  const name = quoteIdentifier(schema);
  const text = quoteLiteral(channel);
  const asOwner = `LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = ${name}, pg_temp`;
  return `
CREATE OR REPLACE FUNCTION zestor_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, TG_RELID::int);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION zestor_update_row() RETURNS trigger LANGUAGE plpgsql
  SET search_path = ${name}, pg_temp AS $$
BEGIN
  IF OLD.kind = NEW.kind AND OLD.key = NEW.key THEN
    IF OLD.expires_at IS NOT DISTINCT FROM NEW.expires_at AND OLD.value = NEW.value THEN
      -- The log sets the revision right. Else nothing has changed.
      IF OLD.revision <> NEW.revision AND OLD.version = NEW.version
        AND pg_trigger_depth() > 1 AND current_user =
          (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NEW;
      END IF;
      RETURN NULL;
    END IF;
    -- What had expired was gone: the log tells of an expiry, and of a creation.
    NEW.version := CASE WHEN ${expired("OLD")} THEN 1 ELSE OLD.version + 1 END;
  ELSE
    NEW.version := 1;
  END IF;
  -- Who does not know of expiry leaves it alone: what it wrote must not vanish.
  IF OLD.revision = NEW.revision AND OLD.value <> NEW.value
    AND OLD.expires_at = NEW.expires_at THEN
    NEW.expires_at := NULL;
  END IF;
  IF OLD.updated_at = NEW.updated_at THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION zestor_log_insert() RETURNS trigger ${asOwner} AS $$
DECLARE head bigint := ${HEAD}; logged bigint; wrong bigint; first text; last text;
BEGIN
  WITH numbered AS (
    SELECT n.*, ${given("n")} AS given,
      head + row_number() OVER (ORDER BY ${given("n")}, kind, key) AS r
    FROM new_rows n
  ), written AS (
    ${LOG}
    SELECT r, ${MARK}, kind, key, 'create', version,
      value, NULL, expires_at, updated_at, NULL, NULL, NULL
    FROM numbered
  )
  ${RESULT};
  ${STAMP}
  ${notify(text)}
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION zestor_log_update() RETURNS trigger ${asOwner} AS $$
DECLARE head bigint := ${HEAD}; logged bigint; wrong bigint; first text; last text;
BEGIN
  WITH pairs AS (
    SELECT kind, key, o.version AS old_version, o.value AS old_value,
      o.revision AS old_revision, o.updated_at AS old_time,
      o.expires_at AS old_expiry, ${removal("o")} AS removal,
      n.version AS new_version, n.value AS new_value, n.updated_at AS new_time,
      n.expires_at AS new_expiry, ${given("n")} AS given,
      CASE WHEN n.version IS NULL THEN 'removed' WHEN o.version IS NULL THEN 'created'
        WHEN n.version = o.version + 1 THEN 'updated'
        -- The revision was set right.
        WHEN n.version = o.version AND n.value = o.value
          AND n.expires_at IS NOT DISTINCT FROM o.expires_at THEN 'same'
        ELSE 'replaced' END AS what
    FROM old_rows o FULL JOIN new_rows n USING (kind, key)
  ), numbered AS (
    SELECT kind, key, old_version, old_value, old_revision, old_time, old_expiry,
      removal, new_version, new_value, new_time, new_expiry, type,
      CASE WHEN type <> 'delete' THEN given END AS given,
      head + row_number() OVER (ORDER BY CASE WHEN type <> 'delete' THEN given END,
        type <> 'delete', kind, key) AS r
    FROM pairs JOIN (VALUES ('updated', 'update'), ('removed', 'delete'),
      ('created', 'create'), ('replaced', 'delete'), ('replaced', 'create')
    ) AS done (what, type) USING (what)
  ), written AS (
    ${LOG}
    SELECT r, ${MARK}, kind, key, CASE WHEN type = 'delete' THEN removal ELSE type END,
      CASE WHEN type = 'delete' THEN old_version ELSE new_version END,
      CASE WHEN type <> 'delete' THEN new_value END,
      CASE WHEN type <> 'create' THEN old_value END,
      CASE WHEN type <> 'delete' THEN new_expiry END,
      CASE WHEN type <> 'delete' THEN new_time ELSE clock_timestamp() END,
      CASE WHEN type <> 'create' THEN old_revision END,
      CASE WHEN type <> 'create' THEN old_time END,
      CASE WHEN type <> 'create' THEN old_expiry END
    FROM numbered
  )
  ${RESULT.replace("given IS", "type <> 'delete' AND given IS")};
  ${STAMP}
  ${notify(text)}
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION zestor_log_delete() RETURNS trigger ${asOwner} AS $$
DECLARE head bigint := ${HEAD}; first text; last text;
BEGIN
  ${LOG}
    SELECT head + row_number() OVER (ORDER BY kind, key), ${MARK}, kind, key,
      ${removal("o")}, version, NULL, value, NULL, clock_timestamp(),
      revision, updated_at, expires_at
    FROM old_rows o;
  SELECT min(kind), max(kind) INTO first, last FROM old_rows;
  ${notify(text)}
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION zestor_log_truncate() RETURNS trigger ${asOwner} AS $$
DECLARE head bigint := ${HEAD}; first text; last text;
BEGIN
  ${LOG}
    SELECT head + row_number() OVER (ORDER BY kind, key), ${MARK}, kind, key,
      ${removal("o")}, version, NULL, value, NULL, clock_timestamp(),
      revision, updated_at, expires_at
    FROM zestor_kv o;
  SELECT min(kind), max(kind) INTO first, last FROM zestor_kv;
  ${notify(text)}
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER zestor_lock
  BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON zestor_kv
  FOR EACH STATEMENT EXECUTE FUNCTION zestor_lock();
CREATE OR REPLACE TRIGGER zestor_update_row BEFORE UPDATE ON zestor_kv
  FOR EACH ROW EXECUTE FUNCTION zestor_update_row();
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
REVOKE ALL ON FUNCTION zestor_log_insert(), zestor_log_update(),
  zestor_log_delete(), zestor_log_truncate() FROM PUBLIC;
`;
}

/** A name as SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
