/**
 * Durable writes: one caller, many callers at once, many entries at once.
 *
 * @module
 */
import { type Contender, measure } from "../measure.ts";
import {
  DENO_KV,
  formatCount,
  linesOf,
  NODE_SQLITE,
  RAW,
  type SpeedGoals,
} from "../results.ts";
import { AT_ONCE, type Session } from "../subjects/subject.ts";
import {
  entriesOf,
  keyOf,
  LARGE,
  LARGE_CHANGED,
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
    setRow(SMALL, 1_000 * scale, { [RAW]: 0.92, [DENO_KV]: 1.15 }),
    setRow(MEDIUM, 1_000 * scale, { [DENO_KV]: 1.1 }),
    setRow(LARGE, 100 * scale, { [DENO_KV]: 1 }),
    setRow(LARGE_CHANGED, 100 * scale),
    ...scaled([...CALLERS.keys()], scale).map(callersRow),
    setAllRow(100_000 * scale),
  ];
}

/** The numbers of concurrent callers, with their goals. */
const CALLERS = new Map<number, SpeedGoals["speed"]>([
  [10, { [RAW]: 0.9 }],
  [100, { [RAW]: 0.8, [DENO_KV]: 13 }],
  [1_000, { [RAW]: 0.75 }],
]);

function setRow(
  values: Values,
  count: number,
  speed: SpeedGoals["speed"] = {},
): Row {
  return sessionRow({
    name: `set, ${values.label}`,
    work: "one caller replaces a value and waits until that is durable",
    unit: "set",
    values,
    count,
    isDurable: true,
    goals: { speed },
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
    goals: { speed: CALLERS.get(callers) },
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

/** The goals for `setAll`, also against a table without a log. */
const SET_ALL = { [RAW]: 0.8, [DENO_KV]: 1.3, [NODE_SQLITE]: 0.45 };

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
      // One batch takes as long as all those of another row.
      const plan = { ...bench.plan, budget: 5 * bench.plan.budget };
      const measurements = await measure(contenders, plan, {
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
        lines: linesOf(bench.subjects, measurements, { speed: SET_ALL }),
      };
    },
  };
}
