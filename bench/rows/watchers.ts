/**
 * The growth of a write's time with the number of open watches.
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import {
  type Contender,
  longer,
  measure,
  speedOf,
  spreadOf,
} from "../measure.ts";
import { atMost, formatTime, type Line, lineOf } from "../results.ts";
import { KIND } from "../subjects/store.ts";
import { SMALL, type Value } from "../values.ts";
import { type Row, scaled } from "./row.ts";

const OTHER_KIND = "others";

/** The longest time of a `set` until 100 watches have its event, in ms. */
const MOST = 0.6;

/** The rows; `scale` makes them smaller. */
export function watcherRows(scale: number): Row[] {
  const counts = [0, ...scaled([1, 10, 100], scale)];
  return [
    watcherRow(
      "watchers",
      KIND,
      counts,
      "one caller replaces a value, until every watch of its kind has told of it",
    ),
    watcherRow(
      "watchers of another kind",
      OTHER_KIND,
      counts,
      "one caller replaces a value, while nothing changes of what is watched",
    ),
  ];
}

function watcherRow(
  name: string,
  kind: string,
  counts: readonly number[],
  work: string,
): Row {
  return {
    name,
    async measure(bench) {
      await using resources = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      for (const driver of bench.bindings.keys()) {
        for (const count of counts) {
          const store = resources.use(
            await openStore<Record<string, Value>>({
              path: `${await bench.makeFolder()}/store.db`,
              driver,
              durability: "normal",
            }),
          );
          const readers = Array.from(
            { length: count },
            () => store.watch(kind).getReader(),
          );
          const isTold = kind === KIND;
          // One of another kind waits for ever.
          if (!isTold) { for (const reader of readers) reader.read(); }
          contenders.push({
            name: `store (${driver}), ${count}`,
            async operate(n) {
              await store.set(KIND, "key", SMALL.of(n));
              if (!isTold) return;
              await Promise.all(readers.map((reader) => reader.read()));
            },
          });
        }
      }
      const measured = await measure(contenders, longer(bench.plan));
      const lines = measured.map((measurement, i): Line => {
        const count = counts[i % counts.length];
        const none = measured[i - i % counts.length];
        const line = lineOf(measurement, "store");
        if (count === 0) return line;
        const { median } = line.value;
        const limit = `no watch: ${formatTime(spreadOf(none.times).median)}`;
        return {
          ...line,
          ratios: { "time / no watch": speedOf(none, measurement) },
          goals: kind === KIND && count === 100
            ? [atMost(MOST, median, formatTime, "", limit)]
            : [],
        };
      });
      return {
        name,
        work: `${work}, at \`durability: "normal"\``,
        unit: "set",
        lines,
      };
    },
  };
}
