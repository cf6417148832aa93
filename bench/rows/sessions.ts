/**
 * Rows that measure operations on an open database.
 *
 * @module
 */
import { deepStrictEqual } from "node:assert";
import { type Contender, type Grouping, longer, measure } from "../measure.ts";
import { linesOf, type SpeedGoals } from "../results.ts";
import type { Session, Subject } from "../subjects/subject.ts";
import { entriesOf, keyOf, type Values } from "../values.ts";
import type { Bench, Row } from "./row.ts";

/** A row on databases that hold some entries. */
export interface SessionRow extends Grouping {
  readonly name: string;
  readonly work: string;
  readonly unit: string;
  readonly values: Values;
  /** How many entries there are. */
  readonly count: number;
  /** Whether it waits until its writes are durable. */
  readonly isDurable?: boolean;
  readonly goals?: SpeedGoals;
  /** How many units an operation counts for. */
  readonly weight?: number;
  /** The operation on a session; `undefined` if it has none. */
  operation(session: Session): Contender["operate"] | undefined;
}

/** Makes the row: opens and fills all subjects that can do it, measures, closes. */
export function sessionRow(row: SessionRow): Row {
  return {
    name: row.name,
    async measure(bench: Bench) {
      const opened: { subject: Subject; session: Session }[] = [];
      const contenders: Contender[] = [];
      try {
        for (const subject of bench.subjects) {
          const session = await subject.open(await bench.makeFolder());
          opened.push({ subject, session });
          const operate = row.operation(session);
          if (!operate) continue;
          await fill(session, row);
          const { name } = subject;
          contenders.push({ name, operate, weight: row.weight });
        }
        const { plan } = bench;
        const measurements = await measure(
          contenders,
          row.isDurable ? longer(plan) : plan,
          row,
        );
        const lines = linesOf(bench.subjects, measurements, row.goals);
        const { name, work, unit, isDurable } = row;
        return { name, work, unit, isDurable, lines };
      } finally {
        for (const { session } of opened) await session.close();
      }
    },
  };
}

/** Fills a database, and checks that it returns the same values. */
async function fill(
  session: Session,
  { values, count }: SessionRow,
): Promise<void> {
  await session.setAll(entriesOf(values, count));
  deepStrictEqual(await session.get(keyOf(0)), values.of(0));
  const other = values.of(-1);
  await session.set(keyOf(0), other);
  deepStrictEqual(await session.get(keyOf(0)), other);
  const listed = await session.list?.();
  if (listed) {
    deepStrictEqual(listed.size, count);
    deepStrictEqual(listed.get(keyOf(0)), other);
  }
  const counted = await session.entries?.();
  if (counted !== undefined) deepStrictEqual(counted, count);
}
