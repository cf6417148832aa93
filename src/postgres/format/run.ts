/**
 * A run: simple puts of different entries, which one statement carries out.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";
import { LOG, timeOf } from "./sql.ts";
import { LAST_VERSION } from "./step.ts";
import { MARK } from "./tables.ts";

/**
 * Carries out the steps from `s` to `run_end`. An expired entry gets the new
 * value in place; the log has its deletion and its creation.
 */
export const CARRY_OUT_RUN = `WITH found AS (
          SELECT u.ord, u.kind, u.key, substring(data FROM u.off + 1 FOR u.len) AS value,
            ${timeOf("u.exp")}::timestamptz(3) AS expiry,
            k.version, k.revision, k.value AS old, k.updated_at, k.expires_at,
            CASE WHEN k.key IS NULL THEN 'c' WHEN k.expires_at <= t THEN 'e'
              WHEN k.value = substring(data FROM u.off + 1 FOR u.len)
                AND k.expires_at IS NOT DISTINCT FROM ${
  timeOf("u.exp")
}::timestamptz(3) THEN 'n'
              ELSE 'u' END AS what
          FROM unnest(kinds[s:run_end], keys[s:run_end], offs[s:run_end],
            lens[s:run_end], expiries[s:run_end])
            WITH ORDINALITY AS u (kind, key, off, len, exp, ord)
          LEFT JOIN zestor_entries k ON k.kind = u.kind AND k.key = u.key
        ), numbered AS MATERIALIZED (
          SELECT *, CASE f.what WHEN 'u' THEN f.version + 1 ELSE 1 END AS new_version,
            (head + sum(CASE f.what WHEN 'n' THEN 0 WHEN 'e' THEN 2 ELSE 1 END)
              OVER (ORDER BY f.ord ROWS UNBOUNDED PRECEDING))::bigint AS r
          FROM found f
        ), created AS (
          INSERT INTO zestor_entries (kind, key, value, version, updated_at, revision, expires_at)
          SELECT n.kind, n.key, n.value, 1, t, n.r, n.expiry FROM numbered n WHERE n.what = 'c'
        ), updated AS (
          UPDATE zestor_entries k SET value = n.value, version = n.new_version,
            updated_at = t, revision = n.r, expires_at = n.expiry
          FROM numbered n WHERE n.what IN ('u', 'e') AND k.kind = n.kind AND k.key = n.key
        ), ended AS (
          ${LOG}
          SELECT n.r - 1, ${MARK}, n.kind, n.key, 'expire', n.version,
            NULL, n.old, NULL, t, n.revision, n.updated_at, n.expires_at
          FROM numbered n WHERE n.what = 'e'
        ), written AS (
          ${LOG}
          SELECT n.r, ${MARK}, n.kind, n.key,
            CASE n.what WHEN 'u' THEN 'update' ELSE 'create' END, n.new_version,
            n.value, CASE n.what WHEN 'u' THEN n.old END, n.expiry, t,
            CASE n.what WHEN 'u' THEN n.revision END,
            CASE n.what WHEN 'u' THEN n.updated_at END,
            CASE n.what WHEN 'u' THEN n.expires_at END
          FROM numbered n WHERE n.what <> 'n'
        )
        SELECT array_agg(CASE n.what
            WHEN 'n' THEN '["n",' || n.version || ',' || n.revision || ']'
            WHEN 'u' THEN '["u",' || n.new_version || ',' || n.r || ']'
            ELSE '["c",1,' || n.r || ']' END ORDER BY n.ord),
          array_agg(n.r ORDER BY n.ord),
          min(n.ord) FILTER (WHERE n.new_version > ${LAST_NUMBER})
          INTO run_effects, run_heads, new_version FROM numbered n;
        IF new_version IS NOT NULL THEN
          RAISE EXCEPTION 'Cannot count the versions of an entry past ${LAST_NUMBER}'
            USING ERRCODE = '${LAST_VERSION}', DETAIL = json_build_array(cardinality(ops) - (s - 1 + new_version), kinds[s - 1 + new_version], keys[s - 1 + new_version])::text;
        END IF;`;
