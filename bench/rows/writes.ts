/**
 * Durable writes: one caller, many callers at once, many entries at once.
 *
 * @module
 */
import { type Contender, measure } from "../measure.ts";
import { linesOf } from "../results.ts";
import type { Session } from "../subjects/subject.ts";
import {
  entriesOf,
  keyOf,
  LARGE,
  MEDIUM,
  SMALL,
  type Value,
  type Values,
} from "../values.ts";
import type { Bench, Row } from "./row.ts";
import { sessionRow } from "./sessions.ts";

/** The rows. */
export const writeRows: readonly Row[] = [
  setRow(SMALL, 1_000),
  setRow(MEDIUM, 1_000),
  setRow(LARGE, 100),
  callersRow(10),
  callersRow(100),
  callersRow(1_000),
  setAllRow(),
];

function setRow(values: Values, count: number): Row {
  return sessionRow({
    name: `set, ${values.label}`,
    work: "one caller replaces a value and waits until that is durable",
    unit: "set",
    values,
    count,
    goals: { vsRaw: 0.9 },
    operation: (session) => (n) =>
      session.set(keyOf(n % count), values.of(count + n)),
  });
}

function callersRow(callers: number): Row {
  return sessionRow({
    name: `set, ${callers} callers`,
    work:
      `${callers} callers at once each replace a value of 90 B and wait until that is durable; raw: all in one transaction`,
    unit: "set",
    values: SMALL,
    count: callers,
    weight: callers,
    singles: 0,
    goals: callers === 100 ? { vsDenoKv: 15 } : {},
    operation: (session) => (n) => {
      const entries: [string, Value][] = Array.from(
        { length: callers },
        (_, i) => [keyOf(i), SMALL.of((n + 1) * callers + i)],
      );
      return session.setTogether ? session.setTogether(entries) : Promise.all(
        entries.map(([key, value]) => session.set(key, value)),
      );
    },
  });
}

function setAllRow(): Row {
  const name = "setAll";
  return {
    name,
    async measure(bench: Bench) {
      const count = bench.quick ? 1_000 : 100_000;
      const entries = entriesOf(SMALL, count);
      const writers = bench.subjects.filter(({ setsAllBy }) => setsAllBy);
      const contenders = writers.map((subject): Contender => {
        let session: Session | undefined;
        return {
          name: subject.name,
          weight: count,
          async before() {
            session = await subject.open(await bench.makeFolder());
          },
          operate: () => session!.setAll(entries),
          after: () => session!.close(),
        };
      });
      const rounds = Math.min(7, bench.plan.rounds);
      const measurements = await measure(
        contenders,
        { ...bench.plan, rounds },
        { batchSize: 1, singles: 0 },
      );
      return {
        name: `${name}, ${count}`,
        work:
          `${count} new values of 90 B in one durable transaction, into an empty database; Deno KV: 500 in each`,
        unit: "entry",
        lines: linesOf(bench.subjects, measurements, { vsRaw: 0.8 }),
      };
    },
  };
}
