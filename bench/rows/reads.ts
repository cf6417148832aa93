/**
 * Reads: one value, all values of a kind, all entries of a kind.
 *
 * @module
 */
import {
  BETTER_SQLITE,
  DENO_KV,
  formatCount,
  RAW,
  type SpeedGoals,
} from "../results.ts";
import type { Session } from "../subjects/subject.ts";
import { keyOf, LARGE, MEDIUM, SMALL, type Values } from "../values.ts";
import type { Row } from "./row.ts";
import { sessionRow } from "./sessions.ts";

/** The rows; `scale` makes them smaller. */
export function readRows(scale: number): Row[] {
  return [
    getRow(SMALL, 1_000 * scale),
    getRow(MEDIUM, 1_000 * scale),
    getRow(LARGE, 100 * scale),
    listRow(SMALL, 1_000 * scale, { [DENO_KV]: 2, [BETTER_SQLITE]: 0.9 }),
    listRow(MEDIUM, 100 * scale),
    entriesRow(SMALL, 1_000 * scale, { [DENO_KV]: 2.5 }),
    entriesRow(MEDIUM, 100 * scale),
  ];
}

function getRow(values: Values, count: number): Row {
  return sessionRow({
    name: `get, ${values.label}`,
    work: `one of ${formatCount(count)} values by its key, decoded`,
    unit: "get",
    values,
    count,
    goals: { speed: { [RAW]: 0.8 } },
    operation: (session) => (n) => session.get(keyOf(n * 7 % count)),
  });
}

function listRow(
  values: Values,
  count: number,
  speed: SpeedGoals["speed"] = {},
): Row {
  return sessionRow({
    name: `list, ${formatCount(count)} × ${values.label}`,
    work: `all ${
      formatCount(count)
    } values of a kind by key, decoded, in one map`,
    unit: "list",
    values,
    count,
    goals: { speed: { [RAW]: 0.7, ...speed } },
    operation: (session: Session) => session.list && (() => session.list!()),
  });
}

function entriesRow(
  values: Values,
  count: number,
  speed: SpeedGoals["speed"] = {},
): Row {
  return sessionRow({
    name: `entries, ${formatCount(count)} × ${values.label}`,
    work: `all ${
      formatCount(count)
    } entries of a kind, decoded, with version and time`,
    unit: "stream",
    values,
    count,
    goals: { speed: { [RAW]: 0.7, ...speed } },
    operation: (session: Session) =>
      session.entries && (() => session.entries!()),
  });
}
