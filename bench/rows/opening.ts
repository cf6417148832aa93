/**
 * Opening an existing store.
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import { type Contender, measure, spreadOf } from "../measure.ts";
import { atMost, formatCount, formatTime, linesOf } from "../results.ts";
import { DURABLE } from "../subjects/binding.ts";
import { KIND } from "../subjects/store.ts";
import { entriesOf, SMALL } from "../values.ts";
import type { Row } from "./row.ts";

/** The most additional time of the store over the raw database, in ms. */
const MOST = 10;

/** The row; `scale` makes it smaller. */
export function openingRow(scale: number): Row {
  const count = 10_000 * scale;
  return {
    name: "open",
    async measure(bench) {
      const contenders: Contender[] = [];
      for (const [driver, binding] of bench.bindings) {
        const path = `${await bench.makeFolder()}/store.db`;
        const store = await openStore({ path, driver });
        await store.setAll(KIND, entriesOf(SMALL, count));
        await store.close();
        let close = () => {};
        const after = () => close();
        contenders.push({
          name: `store (${driver})`,
          async operate() {
            const store = await openStore({ path, driver });
            close = () => store.close();
          },
          after,
        }, {
          name: `raw (${driver})`,
          operate() {
            const connection = binding.open(path);
            close = () => connection.close();
            connection.exec(DURABLE);
            connection.prepare("SELECT 1 FROM zestor_kv LIMIT 1").get();
          },
          after,
        });
      }
      if (bench.subjects.some(({ name }) => name === "Deno KV")) {
        const path = `${await bench.makeFolder()}/deno.kv`;
        let kv: Deno.Kv;
        contenders.push({
          name: "Deno KV",
          operate: async () => void (kv = await Deno.openKv(path)),
          after: () => kv.close(),
        });
      }
      const plan = { ...bench.plan, rounds: 3 * bench.plan.rounds };
      const measurements = await measure(contenders, plan, {
        batchSize: 1,
        singles: 0,
      });
      const lines = linesOf(bench.subjects, measurements).map((line) => {
        const subject = bench.subjects.find(({ name }) =>
          name === line.subject
        );
        if (!subject?.limit) return line;
        const [own, raw] = [line.subject, subject.limit].map((name) =>
          measurements.find((measurement) => measurement.name === name)!
        );
        const over = spreadOf(
          own.times.map((time, i) => time! - raw.times[i]!),
        );
        const goal = atMost(MOST, over.median, formatTime, " over raw");
        return { ...line, goals: [goal] };
      });
      return {
        name: this.name,
        work: `opens a file with ${
          formatCount(count)
        } entries, in the same process; raw: opens it, sets its pragmas, and reads one row`,
        unit: "opening",
        lines,
      };
    },
  };
}
