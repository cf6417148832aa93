/**
 * The functions that keep the log in the order in which the rows were written.
 *
 * @module
 */
import { HEAD } from "./sql.ts";

/** More than any revision: changes are there while they are reordered. */
const ASIDE = `(1::bigint << 60)`;

/**
 * The transaction that wrote a row, with its epoch. A row has only 32 bits of
 * it (https://www.postgresql.org/docs/current/ddl-system-columns.html).
 */
const WRITER =
  `(now_id + ((xmin::text::bigint - now_id) << 32 >> 32))::text::xid8`;

/**
 * The SQL of the functions. Every role can change a setting such as
 * `zestor.head1`, so `began` may be wrong.
 */
export const ORDER_FUNCTIONS = (asOwner: string, triggers: number): string => `
-- A trigger of others wrote while a statement ran, and its changes were logged
-- first: those from began + 1 to head. The statement's own changes come before
-- them, because the trigger saw the statement's rows.
CREATE OR REPLACE FUNCTION zestor_put_first(began bigint, head bigint, logged bigint)
  RETURNS void ${asOwner} AS $$
DECLARE c zestor_changes%rowtype; p zestor_changes%rowtype;
  now_id bigint := pg_current_xact_id()::text::bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger
      WHERE tgrelid IN ('zestor_kv'::regclass, 'zestor_entries'::regclass) OFFSET ${triggers}) THEN
    RETURN;
  END IF;
  -- What is visible, and in progress, is of this transaction.
  IF EXISTS (SELECT FROM zestor_changes
      WHERE revision > began AND pg_xact_status(${WRITER}) IS DISTINCT FROM 'in progress') THEN
    RAISE EXCEPTION 'Cannot write to zestor_kv: a setting of the store, such as zestor.head1, was changed'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE zestor_changes SET revision = revision + ${ASIDE} WHERE revision > began;
  UPDATE zestor_changes SET revision = revision - ${ASIDE}
      + CASE WHEN revision - ${ASIDE} > head THEN began - head ELSE logged END
    WHERE revision > ${ASIDE};
  FOR c IN SELECT * FROM zestor_changes WHERE revision > began ORDER BY kind, key, revision LOOP
    IF c.kind = p.kind AND c.key = p.key AND c.type <> 'create' THEN
      c.version := CASE c.type WHEN 'update' THEN p.version + 1 ELSE p.version END;
      c.previous_revision := p.revision;
      c.previous_time := p.time;
      c.previous_expires_at := p.expires_at;
      UPDATE zestor_changes z SET version = c.version, previous_revision = c.previous_revision,
          previous_time = c.previous_time, previous_expires_at = c.previous_expires_at
        WHERE z.revision = c.revision;
    END IF;
    UPDATE zestor_entries k SET revision = c.revision, version = c.version
      WHERE c.type IN ('create', 'update') AND k.kind = c.kind AND k.key = c.key;
    p := c;
  END LOOP;
END $$;
-- A transaction that keeps its snapshot may not know the newest revision. The
-- row that it would log is then there already, unseen: PostgreSQL raises 40001.
-- If that row was pruned, the row that tells so has changed.
CREATE OR REPLACE FUNCTION zestor_refuse_stale() RETURNS boolean ${asOwner} AS $$
DECLARE probe bigint := ${HEAD} + 1;
BEGIN
  PERFORM FROM zestor_meta WHERE name = 'pruned' FOR SHARE;
  INSERT INTO zestor_changes (revision, mark, kind, key, type, version, time)
    VALUES (probe, 0, '', '', 'create', 1, clock_timestamp()) ON CONFLICT DO NOTHING;
  DELETE FROM zestor_changes WHERE revision = probe;
  RETURN true;
END $$;`;
