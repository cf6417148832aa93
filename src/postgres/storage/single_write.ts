/**
 * The most frequent batch as the parameters of `zestor_write_one`: one write
 * that puts one entry, with at most one condition on that entry.
 *
 * @module
 */
import type { Check } from "../../engine/write.ts";
import type { PlannedWrite, SeenValue } from "../../remote/batch_plan.ts";
import { STEP } from "../format/step.ts";

/** A condition in the form of the function. */
interface Condition {
  readonly kind: string;
  readonly key: string;
  readonly op: number | null;
  readonly num: number | null;
  readonly value: Uint8Array | null;
}

/** The parameters, in the function's order; `undefined` if the batch has another form. */
export function singleWriteOf(
  planned: readonly PlannedWrite[],
): unknown[] | undefined {
  if (planned.length > 1) return undefined;
  const { checks, seen, time, changes, end } = planned[0].decided;
  if (end !== "done" || time || changes.length !== 1) return undefined;
  if (checks.length + seen.length > 1) return undefined;
  const [change] = changes;
  if ("range" in change || typeof change.next !== "object") return undefined;
  const { kind, key, next: { value, expiresAt, origin } } = change;
  if (origin) return undefined;
  const condition = conditionOf(checks[0], seen[0]);
  const isElsewhere = condition !== undefined &&
    (condition.kind !== kind || condition.key !== key);
  if (isElsewhere) return undefined;
  const { op = null, num = null, value: seenValue = null } = condition ?? {};
  const isKept = expiresAt === "keep";
  return [
    kind,
    key,
    op,
    num,
    seenValue,
    isKept ? STEP.putKeeping : STEP.put,
    value,
    isKept ? null : expiresAt ?? null,
  ];
}

function conditionOf(
  check: Check | undefined,
  seen: SeenValue | undefined,
): Condition | undefined {
  if (seen) {
    const { kind, key, value = null } = seen;
    return { kind, key, op: STEP.seen, num: null, value };
  }
  if (!check) return undefined;
  const { kind, key } = check;
  const of = (op: number, num: number) => ({ kind, key, op, num, value: null });
  if ("version" in check) return of(STEP.checkVersion, check.version);
  if ("revision" in check) return of(STEP.checkRevision, check.revision);
  return of(STEP.checkExists, check.exists ? 1 : 0);
}
