/**
 * Durable writes: one caller, many callers at once, many entries at once.
 *
 * @module
 */
import { type Contender, measure } from "../measure.ts";
import { formatCount, linesOf } from "../results.ts";
import { AT_ONCE, type Session } from "../subjects/subject.ts";
import {
  entriesOf,
  keyOf,
  LARGE,
  MEDIUM,
  SMALL,
  type Value,
  type Values,
} from "../values.ts";
import { type Bench, type Row, scaled } from "./row.ts";
import { sessionRow } from "./sessions.ts";

/** The rows; `scale` makes them smaller. */
export function writeRows(scale: number): Row[] {
  return [
    setRow(SMALL, 1_000 * scale),
    setRow(MEDIUM, 1_000 * scale),
    setRow(LARGE, 100 * scale),
    ...scaled([10, 100, 1_000], scale).map(callersRow),
    setAllRow(100_000 * scale),
  ];
}

function setRow(values: Values, count: number): Row {
  return sessionRow({
    name: `set, ${values.label}`,
    work: "one caller replaces a value and waits until that is durable",
    unit: "set",
    values,
    count,
    isDurable: true,
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
    isDurable: true,
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

function setAllRow(count: number): Row {
  const name = `setAll, ${formatCount(count)}`;
  return {
    name,
    async measure(bench: Bench) {
      const entries = entriesOf(SMALL, count);
      const few = entries.slice(0, count / 10);
      const writers = bench.subjects.filter(({ setsAllBy }) => setsAllBy);
      const contenders = writers.map((subject): Contender => {
        let session: Session;
        return {
          name: subject.name,
          weight: count,
          before: async () =>
            session = await subject.open(await bench.makeFolder()),
          operate: (n) => session.setAll(n === 0 ? few : entries),
          after: () => session.close(),
        };
      });
      const measurements = await measure(contenders, bench.plan, {
        batchSize: 1,
        singles: 0,
      });
      const others = writers.filter(({ setsAllBy }) => setsAllBy !== AT_ONCE)
        .map(({ name, setsAllBy }) => `${name}: ${setsAllBy}`);
      return {
        name,
        work:
          `new values of 90 B, written durably into an empty database in ${AT_ONCE} (${
            others.join("; ")
          })`,
        unit: "entry",
        isDurable: true,
        lines: linesOf(bench.subjects, measurements, { vsRaw: 0.8 }),
      };
    },
  };
}
