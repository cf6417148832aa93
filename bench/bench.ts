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
import { type BigFile, makeBigFile } from "./rows/big_file.ts";
import { logCostRow } from "./rows/log_cost.ts";
import { openingRow } from "./rows/opening.ts";
import { readRows } from "./rows/reads.ts";
import type { Bench, Row } from "./rows/row.ts";
import { memoryRows } from "./rows/memory.ts";
import { sizeRows } from "./rows/sizes.ts";
import { watcherRows } from "./rows/watchers.ts";
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
  ...sizeRows,
  ...watcherRows,
  ...memoryRows,
];

const plan: Plan = {
  rounds: Number(flags.rounds ?? (quick ? 3 : 61)),
  // Shorter than what a scheduler gives a process at once, so that most batches
  // are not interrupted.
  batch: quick ? 1 : 3,
  warmUp: quick ? 1 : 100,
  budget: quick ? 20 : 1_000,
  singles: quick ? 20 : 1_000,
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
  const makeFolder = () => Deno.makeTempDir({ dir });
  let bigFiles: Promise<BigFile[]> | undefined;
  const bench: Bench = {
    subjects: present,
    bindings,
    plan,
    quick,
    bigFiles: () => bigFiles ??= makeBigFiles(makeFolder),
    makeFolder,
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

async function makeBigFiles(
  makeFolder: () => Promise<string>,
): Promise<BigFile[]> {
  const files: BigFile[] = [];
  for (const count of quick ? [1_000, 2_000] : [1e4, 1e5, 1e6]) {
    const path = `${await makeFolder()}/store.db`;
    files.push(await makeBigFile(path, count, Math.min(count, 1e4)));
  }
  return files;
}
