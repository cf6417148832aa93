/**
 * The function that carries out a batch of writes: one call, and so one round
 * trip and one transaction.
 *
 * A batch is arrays of steps, a place in each for every step. `ends` has the
 * last step of each write. The bytes of all values are one parameter, `data`,
 * of which a step has a part: the client sends such a parameter as it is.
 *
 * The invariants:
 * - A batch of a writer is carried out once, however often and however late it
 *   arrives: its answer is kept in the transaction that it is of.
 * - A write's conditions come before its changes, and nothing of a write that
 *   is refused is done.
 * - The first write whose decisions saw something else ends the batch: nothing
 *   behind it is done.
 *
 * @module
 */
import { HEAD, LOCK_CLASS, quoteIdentifier, quoteLiteral } from "./triggers.ts";

/** What a step does. */
export const STEP = {
  /** The entry has the version `num`; 0 if there is none. */
  checkVersion: 1,
  /** The entry's last change has the revision `num`; 0 if there is none. */
  checkRevision: 2,
  /** There is an entry if `num` is 1, and none if it is 0. */
  checkExists: 3,
  /** The entry has these bytes, or there is none: what a decision saw. */
  seen: 4,
  put: 5,
  /** The entry expires when it did before. */
  putKeeping: 6,
  /** `num` is the version of an entry that is created, `extra` when it was last changed. */
  putFrom: 7,
  remove: 8,
  /** The answer tells what was removed. */
  removeTelling: 9,
  keep: 10,
  /** Removes from `key` up to `extra`; `num` has a bit for each bound. */
  removeRange: 11,
  /** The write fails in any case; its conditions are what is asked. */
  fail: 12,
} as const;

/** The bits of a range's bounds. */
export const BOUND = { lowerInclusive: 1, hasUpper: 2, upperInclusive: 4 };

/** The condition under which a sent batch was given up. */
export const SUPERSEDED = "ZS001";

const ms = (time: string) =>
  `floor(date_part('epoch', ${time}) * 1000)::bigint`;
const timeOf = (ms: string) => `to_timestamp(${ms}::float8 / 1000)`;

/** What makes the function, over the one of an earlier version. */
export function writeFunctionOf(schema: string): string {
  const name = quoteIdentifier(schema);
  const table = quoteLiteral(`${name}.zestor_kv`);
  return `
CREATE OR REPLACE FUNCTION zestor_write(
  writer_id uuid, batch_id bigint, lock_ms int, is_durable boolean, prune_to bigint,
  ends int[], ops int[], kinds text[], keys text[], nums bigint[],
  offs int[], lens int[], expiries bigint[], extras text[], run_ends int[], data bytea
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = ${name}, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  answer text; answers text[] := '{}'; effects text[]; effect text;
  heads bigint[]; run_effects text[]; run_whats text[]; run_heads bigint[];
  head bigint; head_before bigint; t timestamptz; expiry timestamptz;
  s int := 1; e int; w int; op int; run_start int; run_end int := 0; g int; h int;
  bytes bytea; is_there boolean; is_same boolean; failed int; is_stale boolean; is_failing boolean;
  old_version bigint; old_revision bigint; old_expiry timestamptz; old_time timestamptz;
  n bigint; removed_count bigint;
BEGIN
  PERFORM set_config('lock_timeout', lock_ms::text, true);
  IF NOT is_durable THEN
    PERFORM set_config('synchronous_commit', 'off', true);
  ELSIF current_setting('synchronous_commit') IN ('off', 'local') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  -- First the table, then the lock, as plain SQL does: else TRUNCATE would deadlock.
  LOCK TABLE zestor_kv IN ROW EXCLUSIVE MODE;
  PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, ${table}::regclass::oid::int);
  IF batch_id IS NOT NULL THEN
    SELECT b.batch, b.answer INTO n, answer FROM zestor_batches b
      WHERE b.writer = writer_id AND b.batch >= batch_id
      ORDER BY b.batch LIMIT 1;
    IF n = batch_id THEN
      RETURN answer;
    ELSIF n > batch_id THEN
      RAISE EXCEPTION 'The writer has sent a later batch' USING ERRCODE = '${SUPERSEDED}';
    END IF;
  END IF;
  t := clock_timestamp();
  head := ${HEAD};
  head_before := head;

  FOR w IN 1 .. cardinality(ends) LOOP
    e := ends[w];
    effects := '{}'; failed := NULL; is_stale := false; is_failing := false;
    WHILE s <= e LOOP
      op := ops[s];
      IF s <= run_end THEN
        effects := effects || run_effects[s - run_start + 1];
        head := run_heads[s - run_start + 1];
        s := s + 1;
        CONTINUE;
      END IF;

      -- Plain puts of different entries, in two statements or a few.
      IF run_ends[s] > s THEN
        run_start := s; run_end := run_ends[s];
        run_effects := '{}'; run_heads := '{}';
        SELECT array_agg(what ORDER BY ord), array_agg(effect ORDER BY ord)
          INTO run_whats, run_effects
          FROM (
            SELECT ord, CASE WHEN k.key IS NULL THEN 'c'
                WHEN k.expires_at <= t THEN 'e'
                WHEN k.value = substring(data FROM u.off + 1 FOR u.len)
                  AND k.expires_at IS NOT DISTINCT FROM ${
    timeOf("u.exp")
  }::timestamptz(3) THEN 'n'
                ELSE 'u' END AS what,
              CASE WHEN k.key IS NULL THEN NULL
                ELSE k.version || ',' || k.revision END AS effect
            FROM unnest(kinds[s:run_end], keys[s:run_end], offs[s:run_end],
              lens[s:run_end], expiries[s:run_end])
              WITH ORDINALITY AS u (kind, key, off, len, exp, ord)
            LEFT JOIN zestor_kv k ON k.kind = u.kind AND k.key = u.key
          ) AS judged;
        g := s;
        WHILE g <= run_end LOOP
          h := g;
          WHILE h < run_end AND run_whats[h + 1 - s + 1] = run_whats[g - s + 1] LOOP
            h := h + 1;
          END LOOP;
          IF run_whats[g - s + 1] = 'n' THEN
            FOR i IN g .. h LOOP
              run_effects[i - s + 1] := '["n",' || run_effects[i - s + 1] || ']';
              run_heads[i - s + 1] := head;
            END LOOP;
          ELSE
            IF run_whats[g - s + 1] = 'e' THEN
              DELETE FROM zestor_kv k USING unnest(kinds[g:h], keys[g:h]) AS u (kind, key)
                WHERE k.kind = u.kind AND k.key = u.key;
              head := ${HEAD};
            END IF;
            IF run_whats[g - s + 1] = 'u' THEN
              UPDATE zestor_kv k SET value = substring(data FROM u.off + 1 FOR u.len),
                  updated_at = t, revision = head + u.ord, expires_at = ${
    timeOf("u.exp")
  }
                FROM unnest(kinds[g:h], keys[g:h], offs[g:h], lens[g:h], expiries[g:h])
                  WITH ORDINALITY AS u (kind, key, off, len, exp, ord)
                WHERE k.kind = u.kind AND k.key = u.key;
            ELSE
              INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision, expires_at)
                SELECT u.kind, u.key, substring(data FROM u.off + 1 FOR u.len), 1, t,
                  head + u.ord, ${timeOf("u.exp")}
                FROM unnest(kinds[g:h], keys[g:h], offs[g:h], lens[g:h], expiries[g:h])
                  WITH ORDINALITY AS u (kind, key, off, len, exp, ord);
            END IF;
            FOR i IN g .. h LOOP
              head := head + 1;
              IF run_whats[g - s + 1] = 'u' THEN
                run_effects[i - s + 1] := '["u",'
                  || (split_part(run_effects[i - s + 1], ',', 1)::bigint + 1) || ',' || head || ']';
              ELSE
                run_effects[i - s + 1] := '["c",1,' || head || ']';
              END IF;
              run_heads[i - s + 1] := head;
            END LOOP;
          END IF;
          g := h + 1;
        END LOOP;
        CONTINUE;
      END IF;

      bytes := CASE WHEN offs[s] IS NOT NULL THEN substring(data FROM offs[s] + 1 FOR lens[s]) END;
      IF op = ${STEP.removeRange} THEN
        DELETE FROM zestor_kv k WHERE k.kind = kinds[s]
          AND (k.key > keys[s] OR nums[s] & ${BOUND.lowerInclusive} <> 0 AND k.key = keys[s])
          AND (nums[s] & ${BOUND.hasUpper} = 0 OR k.key < extras[s]
            OR nums[s] & ${BOUND.upperInclusive} <> 0 AND k.key = extras[s])
          AND k.expires_at <= t;
        DELETE FROM zestor_kv k WHERE k.kind = kinds[s]
          AND (k.key > keys[s] OR nums[s] & ${BOUND.lowerInclusive} <> 0 AND k.key = keys[s])
          AND (nums[s] & ${BOUND.hasUpper} = 0 OR k.key < extras[s]
            OR nums[s] & ${BOUND.upperInclusive} <> 0 AND k.key = extras[s]);
        GET DIAGNOSTICS removed_count = ROW_COUNT;
        head := ${HEAD};
        effect := CASE WHEN removed_count = 0 THEN '["n",0,0,0]'
          ELSE '["r",0,' || head || ',' || removed_count || ']' END;
      ELSIF op <> ${STEP.fail} THEN
        SELECT k.version, k.revision, k.expires_at, k.updated_at, k.value = bytes
          INTO old_version, old_revision, old_expiry, old_time, is_same
          FROM zestor_kv k WHERE k.kind = kinds[s] AND k.key = keys[s];
        is_there := FOUND;
        IF is_there AND old_expiry <= t THEN
          -- What has expired is there for nobody; its end comes before what follows.
          IF op IN (${STEP.put}, ${STEP.putKeeping}, ${STEP.putFrom}) THEN
            DELETE FROM zestor_kv k WHERE k.kind = kinds[s] AND k.key = keys[s];
            head := ${HEAD};
          END IF;
          is_there := false; old_expiry := NULL;
        END IF;
      END IF;

      CASE op
      WHEN ${STEP.checkVersion}, ${STEP.checkRevision}, ${STEP.checkExists} THEN
        IF (CASE op
          WHEN ${STEP.checkVersion} THEN nums[s] <> CASE WHEN is_there THEN old_version ELSE 0 END
          WHEN ${STEP.checkRevision} THEN nums[s] <> CASE WHEN is_there THEN old_revision ELSE 0 END
          ELSE (nums[s] = 1) <> is_there END) THEN
          failed := s;
          effect := CASE WHEN is_there THEN ',' || old_version || ',' || old_revision ELSE '' END;
          EXIT;
        END IF;
        s := s + 1;
        CONTINUE;
      WHEN ${STEP.seen} THEN
        IF bytes IS NULL AND is_there OR bytes IS NOT NULL AND NOT (is_there AND is_same) THEN
          is_stale := true;
          EXIT;
        END IF;
        s := s + 1;
        CONTINUE;
      WHEN ${STEP.fail} THEN
        is_failing := true;
        EXIT;
      WHEN ${STEP.keep} THEN
        effect := CASE WHEN is_there THEN '["n",' || old_version || ',' || old_revision || ']'
          ELSE '["n",0,0]' END;
      WHEN ${STEP.remove}, ${STEP.removeTelling} THEN
        IF is_there THEN
          DELETE FROM zestor_kv k WHERE k.kind = kinds[s] AND k.key = keys[s];
          head := ${HEAD};
          effect := CASE WHEN op = ${STEP.remove} THEN '["r",0,' || head || ']'
            ELSE '["r",' || old_version || ',' || head || ',' || old_revision || ','
              || ${ms("old_time")} || ',' || coalesce(${
    ms("old_expiry")
  }::text, 'null') || ']' END;
        ELSE
          effect := '["n",0,0]';
        END IF;
      WHEN ${STEP.put}, ${STEP.putKeeping}, ${STEP.putFrom} THEN
        expiry := CASE WHEN op = ${STEP.putKeeping} THEN old_expiry ELSE ${
    timeOf("expiries[s]")
  } END;
        IF NOT is_there THEN
          head := head + 1;
          INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision, expires_at)
            VALUES (kinds[s], keys[s], bytes,
              CASE WHEN op = ${STEP.putFrom} THEN coalesce(nums[s], 1) ELSE 1 END,
              CASE WHEN op = ${STEP.putFrom} THEN coalesce(${
    timeOf("extras[s]")
  }, t) ELSE t END,
              head, expiry);
          effect := '["c",' || CASE WHEN op = ${STEP.putFrom} THEN coalesce(nums[s], 1) ELSE 1 END
            || ',' || head || ']';
        ELSIF is_same AND old_expiry IS NOT DISTINCT FROM expiry::timestamptz(3) THEN
          effect := '["n",' || old_version || ',' || old_revision || ']';
        ELSE
          head := head + 1;
          UPDATE zestor_kv k SET value = bytes, updated_at = t, revision = head, expires_at = expiry
            WHERE k.kind = kinds[s] AND k.key = keys[s];
          effect := '["u",' || old_version + 1 || ',' || head || ']';
        END IF;
      WHEN ${STEP.removeRange} THEN
        NULL;
      END CASE;
      effects := effects || effect;
      s := s + 1;
    END LOOP;
    EXIT WHEN is_stale;
    answers := answers || CASE
      WHEN failed IS NOT NULL THEN '["x",' || failed - 1 || effect || ']'
      WHEN is_failing THEN '["f"]'
      ELSE '["d",' || head || ',[' || array_to_string(effects, ',') || ']]' END;
    s := e + 1;
  END LOOP;

  IF prune_to IS NOT NULL THEN
    PERFORM zestor_prune(least(prune_to, head_before));
  END IF;
  answer := '[' || head || ',[' || array_to_string(answers, ',') || ']]';
  IF batch_id IS NOT NULL AND head > head_before THEN
    INSERT INTO zestor_batches (writer, batch, answer) VALUES (writer_id, batch_id, answer);
    IF batch_id % 64 = 0 THEN
      DELETE FROM zestor_batches b WHERE b.writer = writer_id AND b.batch < batch_id;
      DELETE FROM zestor_batches b WHERE b.time < t - interval '1 day';
    END IF;
  END IF;
  RETURN answer;
END $$;
CREATE OR REPLACE FUNCTION zestor_prune(up_to bigint) RETURNS void LANGUAGE plpgsql
  SET search_path = ${name}, pg_temp AS $$
DECLARE pruned bigint; new_mark bigint;
BEGIN
  SELECT value::bigint INTO pruned FROM zestor_meta WHERE name = 'pruned';
  SELECT mark INTO new_mark FROM zestor_changes WHERE revision = up_to;
  IF up_to <= pruned OR new_mark IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM zestor_changes WHERE revision > pruned AND revision <= up_to;
  UPDATE zestor_meta SET value = CASE name WHEN 'pruned' THEN up_to::text ELSE new_mark::text END
    WHERE name IN ('pruned', 'mark');
END $$;
CREATE OR REPLACE FUNCTION zestor_expire(most int) RETURNS bigint LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = ${name}, pg_temp AS $$
BEGIN
  PERFORM set_config('lock_timeout', '100', true);
  LOCK TABLE zestor_kv IN ROW EXCLUSIVE MODE;
  IF NOT pg_try_advisory_xact_lock(${LOCK_CLASS}, ${table}::regclass::oid::int) THEN
    RETURN -1;
  END IF;
  DELETE FROM zestor_kv WHERE (kind, key) IN (
    SELECT kind, key FROM zestor_kv WHERE expires_at <= clock_timestamp()
    ORDER BY expires_at LIMIT most FOR UPDATE);
  RETURN (SELECT count(*) FROM (SELECT 1 FROM zestor_kv
    WHERE expires_at <= clock_timestamp() LIMIT 1) AS more);
END $$;
REVOKE ALL ON FUNCTION zestor_write, zestor_prune, zestor_expire FROM PUBLIC;
`;
}
