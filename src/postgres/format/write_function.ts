/**
 * The function that carries out a batch of writes: one call, so one round trip
 * and one transaction.
 *
 * A batch is arrays of steps, with one place in each array for each step.
 * `ends` has the last step of each write. The bytes of all values are one
 * parameter, `data`, and a step names a part of it, because the client sends
 * such a parameter unchanged.
 *
 * The invariants:
 * - A writer's batch is carried out once, however often and however late it
 *   arrives: its answer is stored in its own transaction.
 * - A write's conditions come before its changes, and a refused write changes
 *   nothing.
 * - The first write with a stale decision ends the batch: nothing after it is
 *   done.
 * - The function writes entries and logs the changes itself. If others have
 *   triggers on `zestor_kv`, it writes there, and the triggers log. The written
 *   entry may then differ from the requested one.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";
import {
  AS_WRITER,
  BEGIN_BATCH,
  FIND_BATCH,
  FOREIGN,
  TRY_LOCK,
  WITH_JOINS,
} from "./batch.ts";
import { CARRY_OUT_RUN } from "./run.ts";
import {
  endAt,
  HEAD,
  LOG,
  msOf,
  quoteIdentifier,
  quoteLiteral,
  timeOf,
} from "./sql.ts";
import { BOUND, LAST_VERSION, STEP, SUPERSEDED } from "./step.ts";
import { MARK } from "./tables.ts";
import { writeOneFunctionOf } from "./write_one.ts";

export { BOUND, LAST_VERSION, STEP, SUPERSEDED } from "./step.ts";

/** How long the changes of plain SQL stay in the log, whatever their number is. */
const KEPT_FOR = "1 minute";

/** How many changes one transaction prunes at most. */
const PRUNED_AT_ONCE = 10_000;

const PUTS = `${STEP.put}, ${STEP.putKeeping}, ${STEP.putFrom}`;
const IN_RANGE = `k.kind = kinds[s]
          AND (k.key > keys[s] OR nums[s] & ${BOUND.lowerInclusive} <> 0 AND k.key = keys[s])
          AND (nums[s] & ${BOUND.hasUpper} = 0 OR k.key < extras[s]
            OR nums[s] & ${BOUND.upperInclusive} <> 0 AND k.key = extras[s])`;

const CARRY_OUT_REMOVE_RANGE = `IF has_foreign THEN
          DELETE FROM zestor_kv k WHERE ${IN_RANGE} AND k.expires_at <= t;
          DELETE FROM zestor_kv k WHERE ${IN_RANGE};
          GET DIAGNOSTICS removed = ROW_COUNT;
          head := ${HEAD};
        ELSE
          WITH gone AS (
            DELETE FROM zestor_entries k WHERE ${IN_RANGE} RETURNING k.*
          ), written AS (
            ${LOG}
            SELECT head + row_number() OVER (ORDER BY g.expires_at <= t IS NOT TRUE, g.kind, g.key),
              ${MARK}, g.kind, g.key, ${endAt("g.expires_at", "t")},
              g.version, NULL, g.value, NULL, t, g.revision, g.updated_at, g.expires_at
            FROM gone g
          )
          SELECT head + count(*), count(*) FILTER (WHERE (g.expires_at <= t) IS NOT TRUE)
            INTO head, removed FROM gone g;
        END IF;
        effect := CASE WHEN removed = 0 THEN '["n",0,0,0]'
          ELSE '["r",0,' || head || ',' || removed || ']' END;`;

const CARRY_OUT_REMOVAL = `IF has_foreign THEN
            DELETE FROM zestor_kv k WHERE k.kind = kinds[s] AND k.key = keys[s];
            head := ${HEAD};
          ELSE
            head := head + 1;
            DELETE FROM zestor_entries k WHERE k.kind = kinds[s] AND k.key = keys[s];
            ${LOG} VALUES (head, ${MARK}, kinds[s], keys[s],
              ${
  endAt("old_expiry", "t")
}, old_version, NULL, old_value, NULL, t,
              old_revision, old_time, old_expiry);
          END IF;`;

/**
 * Puts an entry. Then `what` is 'c' or 'u', and `new_version` and
 * `new_revision` belong to the entry.
 */
const CARRY_OUT_PUT = `new_revision := head + 1;
          IF is_there THEN
            what := 'u'; new_version := old_version + 1; new_time := t;
            IF new_version > ${LAST_NUMBER} THEN
              RAISE EXCEPTION 'Cannot count the versions of an entry past ${LAST_NUMBER}'
                USING ERRCODE = '${LAST_VERSION}', DETAIL = json_build_array(cardinality(ops) - (s), kinds[s], keys[s])::text;
            END IF;
          ELSE
            what := 'c'; new_version := 1; new_time := t;
            IF op = ${STEP.putFrom} THEN
              new_version := coalesce(nums[s], 1);
              new_time := coalesce(${timeOf("extras[s]")}, t);
            END IF;
          END IF;
          IF has_foreign THEN
            IF is_there THEN
              UPDATE zestor_kv k SET value = bytes, updated_at = new_time,
                  revision = new_revision, expires_at = expiry
                WHERE k.kind = kinds[s] AND k.key = keys[s];
            ELSE
              INSERT INTO zestor_kv (kind, key, value, version, updated_at, revision, expires_at)
                VALUES (kinds[s], keys[s], bytes, new_version, new_time, new_revision, expiry);
            END IF;
            head := ${HEAD};
            SELECT k.version, k.revision INTO new_version, new_revision
              FROM zestor_kv k WHERE k.kind = kinds[s] AND k.key = keys[s];
            IF NOT FOUND THEN
              what := 'n'; new_version := 0; new_revision := 0;
            ELSIF is_there AND new_revision = old_revision THEN
              what := 'n';
            END IF;
          ELSE
            head := new_revision;
            IF is_there THEN
              UPDATE zestor_entries k SET value = bytes, version = new_version,
                  updated_at = new_time, revision = head, expires_at = expiry
                WHERE k.kind = kinds[s] AND k.key = keys[s];
              ${LOG} VALUES (head, ${MARK}, kinds[s], keys[s], 'update', new_version,
                bytes, old_value, expiry, new_time, old_revision, old_time, old_expiry);
            ELSE
              INSERT INTO zestor_entries (kind, key, value, version, updated_at, revision, expires_at)
                VALUES (kinds[s], keys[s], bytes, new_version, new_time, head, expiry);
              ${LOG} VALUES (head, ${MARK}, kinds[s], keys[s], 'create', new_version,
                bytes, NULL, expiry, t, NULL, NULL, NULL);
            END IF;
          END IF;`;

/** The SQL of the functions, which replaces an earlier version. */
export function writeFunctionOf(schema: string, channel = schema): string {
  const name = quoteIdentifier(schema);
  const text = quoteLiteral(channel);
  return `
CREATE OR REPLACE FUNCTION zestor_write(
  writer_id uuid, batch_id bigint, lock_ms int, is_durable boolean, prune_to bigint,
  ends int[], ops int[], kinds text[], keys text[], nums bigint[],
  offs int[], lens int[], expiries bigint[], extras text[], run_ends int[], data bytea
) RETURNS text ${AS_WRITER(schema)} ${WITH_JOINS} AS $$
#variable_conflict use_variable
DECLARE
  answer text; answers text[] := '{}'; effects text[]; effect text;
  run_effects text[]; run_heads bigint[];
  head bigint; head_before bigint; t timestamptz(3); expiry timestamptz(3); has_foreign boolean;
  s int := 1; e int; w int; op int; run_start int; run_end int := 0; known_batch bigint;
  bytes bytea; is_there boolean; is_ended boolean;
  failed int; is_stale boolean := false; is_failing boolean;
  old_version bigint; old_revision bigint; old_expiry timestamptz(3); old_time timestamptz(3);
  old_value bytea; new_version bigint; new_revision bigint; new_time timestamptz(3);
  what text; removed bigint;
BEGIN
  ${BEGIN_BATCH(schema)}
  SELECT b.batch, b.answer, h.head, h.head, clock_timestamp(), ${
    FOREIGN(schema)
  }
    INTO known_batch, answer, head, head_before, t, has_foreign
    FROM ${FIND_BATCH};
  IF known_batch = batch_id THEN
    RETURN answer;
  ELSIF known_batch > batch_id THEN
    RAISE EXCEPTION 'The writer has sent a later batch' USING ERRCODE = '${SUPERSEDED}';
  END IF;

  FOR w IN 1 .. cardinality(ends) LOOP
    e := ends[w];
    effects := '{}'; failed := NULL; is_failing := false;
    WHILE s <= e LOOP
      IF s <= run_end THEN
        effects := effects || run_effects[s - run_start + 1];
        head := run_heads[s - run_start + 1];
        s := s + 1;
        CONTINUE;
      END IF;
      op := ops[s];
      IF run_ends[s] > s AND NOT has_foreign THEN
        run_start := s; run_end := run_ends[s];
        ${CARRY_OUT_RUN}
        CONTINUE;
      END IF;

      bytes := CASE WHEN offs[s] IS NOT NULL THEN substring(data FROM offs[s] + 1 FOR lens[s]) END;
      IF op = ${STEP.removeRange} THEN
        ${CARRY_OUT_REMOVE_RANGE}
      ELSIF op <> ${STEP.fail} THEN
        SELECT k.version, k.revision, k.value, k.updated_at, k.expires_at
          INTO old_version, old_revision, old_value, old_time, old_expiry
          FROM zestor_entries k WHERE k.kind = kinds[s] AND k.key = keys[s];
        is_there := FOUND;
        is_ended := coalesce(old_expiry <= t, false);
        -- What has expired is there for nobody; its end comes before what follows.
        IF is_ended THEN
          is_there := false;
        END IF;
        IF is_there AND op IN (${STEP.remove}, ${STEP.removeTelling})
          OR is_ended AND op IN (${PUTS}) THEN
          ${CARRY_OUT_REMOVAL}
        END IF;
        IF is_ended THEN
          old_expiry := NULL;
        END IF;
      END IF;

      CASE op
      WHEN ${STEP.put}, ${STEP.putKeeping}, ${STEP.putFrom} THEN
        expiry := CASE WHEN op = ${STEP.putKeeping} THEN old_expiry ELSE ${
    timeOf("expiries[s]")
  } END;
        IF is_there AND old_value = bytes AND old_expiry IS NOT DISTINCT FROM expiry THEN
          effect := '["n",' || old_version || ',' || old_revision || ']';
        ELSE
          ${CARRY_OUT_PUT}
          effect := '["' || what || '",' || new_version || ',' || new_revision || ']';
        END IF;
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
        IF bytes IS NULL AND is_there
          OR bytes IS NOT NULL AND NOT (is_there AND old_value = bytes) THEN
          is_stale := true;
          EXIT;
        END IF;
        s := s + 1;
        CONTINUE;
      WHEN ${STEP.during} THEN
        IF t < ${timeOf("nums[s]")} OR t >= ${timeOf("expiries[s]")} THEN
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
        effect := CASE WHEN NOT is_there THEN '["n",0,0]'
          WHEN op = ${STEP.remove} THEN '["r",0,' || head || ']'
          ELSE '["r",' || old_version || ',' || head || ',' || old_revision || ','
            || ${msOf("old_time")} || ',' || coalesce(${
    msOf("old_expiry")
  }::text, 'null') || ']' END;
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
  IF head > head_before THEN
    IF batch_id IS NOT NULL THEN
      INSERT INTO zestor_batches (writer, batch, answer) VALUES (writer_id, batch_id, answer);
      IF batch_id % 64 = 0 THEN
        PERFORM zestor_forget_batches(writer_id, batch_id);
      END IF;
    END IF;
    IF NOT has_foreign THEN
      SELECT CASE WHEN min(kind) = max(kind) AND octet_length(min(kind)) < 4000 THEN min(kind) ELSE '' END
        INTO what FROM unnest(kinds) AS u (kind);
      PERFORM pg_notify(${text}, what);
    END IF;
  END IF;
  RETURN answer;
END $$;
${writeOneFunctionOf(schema, text)}
CREATE OR REPLACE FUNCTION zestor_forget_batches(writer_id uuid, below bigint)
  RETURNS void LANGUAGE plpgsql
  SET search_path = ${name}, pg_temp SET enable_seqscan = on SET jit = off AS $$
BEGIN
  -- Those from before were removed before. To search for them would read over
  -- all rows that are dead, but that an open snapshot still keeps.
  DELETE FROM zestor_batches b WHERE b.writer = writer_id
    AND b.batch < below AND b.batch >= below - 128;
  IF below % 4096 = 0 THEN
    DELETE FROM zestor_batches b WHERE b.writer = writer_id AND b.batch < below
      OR b.time < clock_timestamp() - interval '1 day';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION zestor_prune(up_to bigint) RETURNS void LANGUAGE plpgsql
  SET search_path = ${name}, pg_temp AS $$
DECLARE pruned bigint; new_mark bigint;
BEGIN
  SELECT value::bigint INTO pruned FROM zestor_meta WHERE name = 'pruned';
  up_to := least(up_to, pruned + ${PRUNED_AT_ONCE});
  SELECT mark INTO new_mark FROM zestor_changes WHERE revision = up_to;
  IF up_to <= pruned OR new_mark IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM zestor_changes WHERE revision > pruned AND revision <= up_to;
  UPDATE zestor_meta SET value = CASE name WHEN 'pruned' THEN up_to::text ELSE new_mark::text END
    WHERE name IN ('pruned', 'mark');
END $$;
CREATE OR REPLACE FUNCTION zestor_tidy(most int, history bigint) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${name}, pg_temp AS $$
DECLARE pruned bigint; up_to bigint; is_more boolean := false;
BEGIN
  PERFORM set_config('lock_timeout', '100', true);
  LOCK TABLE zestor_kv IN ROW EXCLUSIVE MODE;
  IF NOT ${TRY_LOCK(schema)} THEN
    RETURN NULL;
  END IF;
  DELETE FROM zestor_kv WHERE (kind, key) IN (
    SELECT kind, key FROM zestor_kv WHERE expires_at <= clock_timestamp()
    ORDER BY expires_at LIMIT most FOR UPDATE);
  -- A watch may still be reading what was written a moment ago.
  SELECT value::bigint INTO pruned FROM zestor_meta WHERE name = 'pruned';
  up_to := least(${HEAD} - history, pruned + ${PRUNED_AT_ONCE});
  IF EXISTS (SELECT FROM zestor_changes WHERE revision = up_to
    AND time < clock_timestamp() - interval '${KEPT_FOR}') THEN
    PERFORM zestor_prune(up_to);
    is_more := up_to = pruned + ${PRUNED_AT_ONCE};
  END IF;
  RETURN is_more OR EXISTS (SELECT FROM zestor_kv
    WHERE expires_at <= clock_timestamp());
END $$;
REVOKE ALL ON FUNCTION zestor_write, zestor_write_one, zestor_write_with_one, zestor_forget_batches,
  zestor_prune, zestor_tidy FROM PUBLIC;
`;
}
