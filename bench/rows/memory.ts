/**
 * The growth of a process's memory: with the entries, with callers, and with
 * watches. Each is measured in a process of its own.
 *
 * @module
 */
import { type MemoryTask, startProcess } from "../processes.ts";
import type { Line } from "../results.ts";
import { type DriverName, KIND } from "../subjects/store.ts";
import { formatSize } from "./big_file.ts";
import { type Bench, type Row, scaled } from "./row.ts";

type Scale = Pick<MemoryTask, "path" | "count" | "callers" | "watchers">;

/** The rows; `scale` makes them smaller. */
export function memoryRows(scale: number): Row[] {
  return [
    memoryRow("entries", async (bench, driver) => {
      const files = await bench.bigFiles(driver);
      return files.map(({ path, count }) => [
        formatSize(count),
        { path, count, callers: 1, watchers: 0 },
      ]);
    }),
    memoryRow("callers", async (bench, driver) => {
      const [{ path, count }] = await bench.bigFiles(driver);
      return scaled([1, 10, 100, 1_000], scale).map((callers) => [
        String(callers),
        { path, count, callers, watchers: 0 },
      ]);
    }),
    memoryRow("watchers", async (bench, driver) => {
      const [{ path, count }] = await bench.bigFiles(driver);
      return scaled([1, 10, 100], scale).map((watchers) => [
        String(watchers),
        { path, count, callers: 1, watchers },
      ]);
    }),
  ];
}

function memoryRow(
  what: string,
  scales: (
    bench: Bench,
    driver: DriverName,
  ) => Promise<[label: string, Scale][]>,
): Row {
  return {
    name: `memory by ${what}`,
    async measure(bench) {
      const lines: Line[] = [];
      for (const driver of bench.bindings.keys()) {
        for (const [label, scale] of await scales(bench, driver)) {
          const rss = await measureMemory({
            ...scale,
            role: "memory",
            kind: KIND,
            driver,
            durability: "normal",
          });
          lines.push({
            subject: `store (${driver}), ${label}`,
            family: "store",
            value: { median: rss, low: rss, high: rss },
            ratios: {},
            goals: [],
          });
        }
      }
      return {
        name: this.name,
        work:
          `a process that opens a store and does 500 sets and gets, by number of ${what}: its resident set`,
        quantity: "bytes",
        unit: "process",
        lines,
      };
    },
  };
}

async function measureMemory(task: MemoryTask): Promise<number> {
  const process = startProcess(task);
  await process.ready;
  await process.begin();
  return (await process.result).rss;
}
