/**
 * Measures the store against raw statements and against other stores, side by
 * side:
 *
 *     deno task bench [--quick] [--only=<part of a row's name>] [--driver=<builtin,ffi,memory>]
 *       [--rounds=<n>] [--out=<folder>]
 *
 * Prints the tables, and writes them as RESULTS.md, with a chart, into the
 * folder, which is this one unless only a part is measured.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Random } from "../tests/support/random.ts";
import type { Plan } from "./measure.ts";
import { tableOf } from "./report.ts";
import type { RowResult } from "./results.ts";
import { logCostRow } from "./rows/log_cost.ts";
import { openingRow } from "./rows/opening.ts";
import { readRows } from "./rows/reads.ts";
import type { Bench, Row } from "./rows/row.ts";
import { watchRows } from "./rows/watching.ts";
import { writeRows } from "./rows/writes.ts";
import { loadSubjects } from "./subjects/all.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    driver: { type: "string" },
    rounds: { type: "string" },
    out: { type: "string" },
  },
});
const { quick } = flags;

const ROWS: readonly Row[] = [
  ...readRows,
  ...writeRows,
  ...watchRows,
  openingRow,
  logCostRow,
];

const plan: Plan = {
  rounds: Number(flags.rounds ?? (quick ? 3 : 21)),
  batch: quick ? 2 : 10,
  budget: quick ? 100 : 3_000,
  singles: quick ? 30 : 1_000,
  random: new Random("bench"),
};
const dir = await Deno.makeTempDir({ prefix: "zestor-bench-" });
try {
  const { present, absent, bindings } = await loadSubjects(
    flags.driver?.split(",") ?? ["builtin", "ffi", "memory"],
  );
  for (const { name, absent: reason } of absent) {
    console.log(`absent: ${name}: ${reason}`);
  }
  const bench: Bench = {
    subjects: present,
    bindings,
    plan,
    quick,
    makeFolder: () => Deno.makeTempDir({ dir }),
  };
  const results: RowResult[] = [];
  for (const row of ROWS) {
    if (flags.only && !row.name.includes(flags.only)) continue;
    const start = performance.now();
    const result = await row.measure(bench);
    results.push(result);
    const seconds = (performance.now() - start) / 1_000;
    console.log(`\n## ${result.name} (${seconds.toFixed(1)} s)\n`);
    console.log(tableOf(result));
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
