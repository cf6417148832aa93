/**
 * The function for the most frequent batch: one write of one entry, with at
 * most one condition. It does the same as `zestor_write` with few statements
 * and expressions, because PostgreSQL prepares each one again in every
 * transaction.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";
import { LOG, quoteIdentifier, timeOf } from "./sql.ts";
import { AS_WRITER, BEGIN_BATCH, FIND_BATCH, FOREIGN } from "./batch.ts";
import { MARK } from "./tables.ts";
import { STEP, SUPERSEDED } from "./step.ts";

/** The SQL of the function, which replaces an earlier version. */
export function writeOneFunctionOf(schema: string, channel: string): string {
  return `
CREATE OR REPLACE FUNCTION zestor_write_one(
  writer_id uuid, batch_id bigint, lock_ms int, is_durable boolean, prune_to bigint,
  the_kind text, the_key text, check_op int, check_num bigint, seen bytea,
  op int, bytes bytea, expiry_ms bigint
) RETURNS text ${AS_WRITER(schema)} AS $$
#variable_conflict use_variable
DECLARE
  what text; answer text; head bigint; t timestamptz(3); expiry timestamptz(3);
  old_version bigint; old_revision bigint; old_value bytea;
  old_time timestamptz(3); old_expiry timestamptz(3);
BEGIN
  ${BEGIN_BATCH(schema)}
  SELECT CASE
        WHEN b.batch = batch_id THEN 'known'
        WHEN b.batch > batch_id THEN 'superseded'
        WHEN k.expires_at <= clock_timestamp() OR k.version >= ${LAST_NUMBER}
          OR ${FOREIGN(schema)} THEN 'other'
        WHEN check_op = ${STEP.seen} AND k.value IS DISTINCT FROM seen THEN 'stale'
        WHEN check_num <> CASE check_op
            WHEN ${STEP.checkVersion} THEN coalesce(k.version, 0)
            WHEN ${STEP.checkRevision} THEN coalesce(k.revision, 0)
            WHEN ${STEP.checkExists} THEN (k.version IS NOT NULL)::int END THEN 'x'
        WHEN k.version IS NULL THEN 'c'
        WHEN k.value = bytes AND k.expires_at IS NOT DISTINCT FROM e.expiry THEN 'n'
        ELSE 'u' END,
      b.answer, h.head + 1, clock_timestamp(), e.expiry,
      k.version, k.revision, k.value, k.updated_at, k.expires_at
    INTO what, answer, head, t, expiry,
      old_version, old_revision, old_value, old_time, old_expiry
    FROM ${FIND_BATCH}
    LEFT JOIN zestor_entries k ON k.kind = the_kind AND k.key = the_key
    CROSS JOIN LATERAL (SELECT (CASE op WHEN ${STEP.putKeeping} THEN k.expires_at
      ELSE ${timeOf("expiry_ms")} END)::timestamptz(3) AS expiry) e;
  IF what = 'u' THEN
    UPDATE zestor_entries k SET value = bytes, version = old_version + 1, updated_at = t,
        revision = head, expires_at = expiry
      WHERE k.kind = the_kind AND k.key = the_key;
    ${LOG} VALUES (head, ${MARK}, the_kind, the_key, 'update', old_version + 1,
      bytes, old_value, expiry, t, old_revision, old_time, old_expiry);
  ELSIF what = 'c' THEN
    INSERT INTO zestor_entries (kind, key, value, version, updated_at, revision, expires_at)
      VALUES (the_kind, the_key, bytes, 1, t, head, expiry);
    ${LOG} VALUES (head, ${MARK}, the_kind, the_key, 'create', 1,
      bytes, NULL, expiry, t, NULL, NULL, NULL);
  ELSE
    IF what = 'superseded' THEN
      RAISE EXCEPTION 'The writer has sent a later batch' USING ERRCODE = '${SUPERSEDED}';
    ELSIF what = 'other' THEN
      RETURN zestor_write_with_one(writer_id, batch_id, lock_ms, is_durable, prune_to,
        the_kind, the_key, check_op, check_num, seen, op, bytes, expiry_ms);
    ELSIF prune_to IS NOT NULL AND what <> 'known' THEN
      PERFORM zestor_prune(least(prune_to, head - 1));
    END IF;
    RETURN CASE what WHEN 'known' THEN answer ELSE '[' || head - 1 || ',[' || CASE what
      WHEN 'stale' THEN ''
      WHEN 'x' THEN '["x",0' || coalesce(',' || old_version || ',' || old_revision, '') || ']'
      ELSE '["d",' || head - 1 || ',[["n",' || old_version || ',' || old_revision || ']]]' END || ']]' END;
  END IF;
  answer := '[' || head || ',[["d",' || head || ',[["' || what || '",'
    || coalesce(old_version, 0) + 1 || ',' || head || ']]]]]';
  INSERT INTO zestor_batches (writer, batch, answer)
    SELECT writer_id, batch_id, answer WHERE batch_id IS NOT NULL;
  IF pg_notify(${channel}, CASE WHEN octet_length(the_kind) < 4000 THEN the_kind ELSE '' END) IS NULL
    OR prune_to IS NOT NULL OR batch_id % 64 = 0 THEN
    PERFORM zestor_prune(least(prune_to, head - 1)) WHERE prune_to IS NOT NULL;
    PERFORM zestor_forget_batches(writer_id, batch_id) WHERE batch_id % 64 = 0;
  END IF;
  RETURN answer;
END $$;
-- The same through the function for every batch.
CREATE OR REPLACE FUNCTION zestor_write_with_one(
  writer_id uuid, batch_id bigint, lock_ms int, is_durable boolean, prune_to bigint,
  the_kind text, the_key text, check_op int, check_num bigint, seen bytea,
  op int, bytes bytea, expiry_ms bigint
) RETURNS text LANGUAGE plpgsql SET search_path = ${
    quoteIdentifier(schema)
  }, pg_temp AS $$
DECLARE first int := CASE WHEN check_op IS NULL THEN 2 ELSE 1 END;
BEGIN
  RETURN zestor_write(writer_id, batch_id, lock_ms, is_durable, prune_to, ARRAY[3 - first],
    (ARRAY[check_op, op])[first:], ARRAY[the_kind, the_kind], ARRAY[the_key, the_key],
    (ARRAY[check_num, NULL])[first:],
    (ARRAY[CASE WHEN seen IS NOT NULL THEN 0 END, coalesce(length(seen), 0)])[first:],
    (ARRAY[length(seen), length(bytes)])[first:], ARRAY[expiry_ms, expiry_ms],
    ARRAY[NULL::text, NULL], ARRAY[0, 0], coalesce(seen, '') || bytes);
END $$;`;
}
