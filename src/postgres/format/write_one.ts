/**
 * The function that carries out the most frequent batch: one write of one
 * entry, with one condition at most. It does what `zestor_write` does, with a
 * few statements and expressions: PostgreSQL prepares each one anew in every
 * transaction.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";
import { LOG } from "./sql.ts";
import { AS_WRITER, BEGIN_BATCH, FIND_BATCH, FOREIGN, ms } from "./batch.ts";
import { MARK } from "./tables.ts";
import { STEP, SUPERSEDED } from "./step.ts";

/** What makes the function, over the one of an earlier version. */
export function writeOneFunctionOf(schema: string, channel: string): string {
  return `
CREATE OR REPLACE FUNCTION zestor_write_one(
  writer_id uuid, batch_id bigint, lock_ms int, is_durable boolean, prune_to bigint,
  the_kind text, the_key text, check_op int, check_num bigint, seen bytea,
  op int, bytes bytea, expiry_ms bigint
) RETURNS text ${AS_WRITER(schema)} AS $$
#variable_conflict use_variable
DECLARE
  answer text; known_batch bigint; has_foreign boolean; head bigint; t timestamptz(3);
  old_version bigint; old_revision bigint; old_value bytea;
  old_time timestamptz(3); old_expiry timestamptz(3); expiry timestamptz(3);
BEGIN
  ${BEGIN_BATCH(schema)}
  SELECT b.batch, b.answer, h.head, ${FOREIGN(schema)},
      k.version, k.revision, k.value, k.updated_at, k.expires_at, clock_timestamp(),
      CASE op WHEN ${STEP.putKeeping} THEN k.expires_at ELSE ${
    ms.toTime("expiry_ms")
  } END
    INTO known_batch, answer, head, has_foreign,
      old_version, old_revision, old_value, old_time, old_expiry, t, expiry
    FROM ${FIND_BATCH}
    LEFT JOIN zestor_entries k ON k.kind = the_kind AND k.key = the_key;
  IF known_batch IS NOT NULL THEN
    IF known_batch = batch_id THEN
      RETURN answer;
    END IF;
    RAISE EXCEPTION 'The writer has sent a later batch' USING ERRCODE = '${SUPERSEDED}';
  END IF;
  IF has_foreign OR old_expiry <= t OR op NOT IN (${STEP.put}, ${STEP.putKeeping})
    OR old_version >= ${LAST_NUMBER} THEN
    RETURN zestor_write(writer_id, batch_id, lock_ms, is_durable, prune_to,
      ARRAY[CASE WHEN check_op IS NULL THEN 1 ELSE 2 END],
      array_remove(ARRAY[check_op, op], NULL),
      ARRAY[the_kind, the_kind], ARRAY[the_key, the_key],
      CASE WHEN check_op IS NULL THEN ARRAY[NULL::bigint] ELSE ARRAY[check_num, NULL] END,
      CASE WHEN check_op IS NULL THEN ARRAY[CASE WHEN bytes IS NOT NULL THEN 0 END]
        ELSE ARRAY[CASE WHEN seen IS NOT NULL THEN 0 END,
          CASE WHEN bytes IS NOT NULL THEN coalesce(length(seen), 0) END] END,
      CASE WHEN check_op IS NULL THEN ARRAY[length(bytes)]
        ELSE ARRAY[length(seen), length(bytes)] END,
      ARRAY[expiry_ms, expiry_ms], ARRAY[NULL::text, NULL], ARRAY[0, 0],
      CASE WHEN check_op IS NULL THEN bytes
        ELSE coalesce(seen, '') || coalesce(bytes, '') END);
  END IF;
  IF check_op IS NOT NULL THEN
    IF check_op = ${STEP.seen} THEN
      IF seen IS DISTINCT FROM old_value THEN
        RETURN '[' || head || ',[]]';
      END IF;
    ELSIF check_num <> (CASE check_op WHEN ${STEP.checkVersion} THEN coalesce(old_version, 0)
        WHEN ${STEP.checkRevision} THEN coalesce(old_revision, 0)
        ELSE (old_version IS NOT NULL)::int END) THEN
      RETURN '[' || head || ',[["x",0' || coalesce(',' || old_version || ',' || old_revision, '') || ']]]';
    END IF;
  END IF;
  IF old_version IS NULL THEN
    head := head + 1;
    INSERT INTO zestor_entries (kind, key, value, version, updated_at, revision, expires_at)
      VALUES (the_kind, the_key, bytes, 1, t, head, expiry);
    ${LOG} VALUES (head, ${MARK}, the_kind, the_key, 'create', 1,
      bytes, NULL, expiry, t, NULL, NULL, NULL);
    answer := '[' || head || ',[["d",' || head || ',[["c",1,' || head || ']]]]]';
  ELSIF old_value = bytes AND old_expiry IS NOT DISTINCT FROM expiry THEN
    answer := '[' || head || ',[["d",' || head || ',[["n",' || old_version || ',' || old_revision || ']]]]]';
    IF prune_to IS NOT NULL THEN
      PERFORM zestor_prune(least(prune_to, head));
    END IF;
    RETURN answer;
  ELSE
    head := head + 1;
    UPDATE zestor_entries k SET value = bytes, version = old_version + 1, updated_at = t,
        revision = head, expires_at = expiry
      WHERE k.kind = the_kind AND k.key = the_key;
    ${LOG} VALUES (head, ${MARK}, the_kind, the_key, 'update', old_version + 1,
      bytes, old_value, expiry, t, old_revision, old_time, old_expiry);
    answer := '[' || head || ',[["d",' || head || ',[["u",' || old_version + 1 || ',' || head || ']]]]]';
  END IF;
  IF batch_id IS NOT NULL THEN
    INSERT INTO zestor_batches (writer, batch, answer) VALUES (writer_id, batch_id, answer);
    IF batch_id % 64 = 0 THEN
      PERFORM zestor_forget_batches(writer_id, batch_id);
    END IF;
  END IF;
  IF prune_to IS NOT NULL THEN
    PERFORM zestor_prune(least(prune_to, head - 1));
  END IF;
  IF pg_notify(${channel}, CASE WHEN octet_length(the_kind) < 4000 THEN the_kind ELSE '' END) IS NULL THEN
  END IF;
  RETURN answer;
END $$;`;
}
