/**
 * Measures the store against raw statements and against other stores, side by
 * side:
 *
 *     deno task bench [--quick] [--only=<part of a row's name>]
 *       [--driver=<builtin,ffi,memory>] [--rounds=<n>] [--out=<folder>]
 *
 * Prints the tables. A whole run also writes them as RESULTS.md, with a chart,
 * into this folder, and copies its figures to docs/performance.md. With `--out`,
 * any run writes RESULTS.md and the chart into that folder instead.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../tests/support/random.ts";
import { drawChart } from "./chart.ts";
import { updatePage } from "./figures.ts";
import { describeMachine } from "./machine.ts";
import type { Plan } from "./measure.ts";
import { driverTable, goalTables, reportOf, sectionOf } from "./report.ts";
import type { RowResult } from "./results.ts";
import { type BigFile, makeBigFile } from "./rows/big_file.ts";
import { expiryRows } from "./rows/expiry.ts";
import { logCostRow } from "./rows/log_cost.ts";
import { findServers } from "./postgres/servers.ts";
import { memoryRows } from "./rows/memory.ts";
import { mirrorRows } from "./rows/mirror.ts";
import { openingRow } from "./rows/opening.ts";
import { postgresRows } from "./rows/postgres.ts";
import { readRows } from "./rows/reads.ts";
import type { Bench, Row } from "./rows/row.ts";
import { sizeRows } from "./rows/sizes.ts";
import { snapshotRows } from "./rows/snapshots.ts";
import { startUpRow } from "./rows/start_up.ts";
import { watcherRows } from "./rows/watchers.ts";
import { watchRows } from "./rows/watching.ts";
import { writeRows } from "./rows/writes.ts";
import { writtenRows } from "./rows/written.ts";
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
const { quick, only, driver, rounds } = flags;

/** With --quick there are fewer entries, callers and watches. */
const SCALE = quick ? 0.01 : 1;

const FILE_ROWS: readonly Row[] = [
  ...readRows(SCALE),
  ...writeRows(SCALE),
  ...watchRows(SCALE),
  ...mirrorRows(SCALE),
  openingRow(SCALE),
  startUpRow,
  logCostRow,
  ...writtenRows(SCALE),
  ...expiryRows(SCALE),
  ...snapshotRows(SCALE),
  ...sizeRows,
  ...watcherRows(SCALE),
  ...memoryRows(SCALE),
];

/** The rows in the chart. */
const CHARTED = [
  "get, 90 B",
  "list, ",
  "set, 90 B",
  "set, 4 KiB",
  "set, 100 callers",
  "setAll, ",
];

const PLAN: Plan = {
  rounds: Number(rounds ?? (quick ? 3 : 61)),
  // Shorter than a scheduler's time slice, so that most batches are not
  // interrupted.
  batch: quick ? 1 : 3,
  warmUp: quick ? 1 : 100,
  budget: quick ? 20 : 1_000,
  singles: quick ? 20 : 1_000,
  random: new Random("bench"),
};

/** The numbers of entries of the large kinds. */
const SIZES = quick ? [1_000, 2_000] : [10_000, 100_000, 1_000_000];
/** The number of changes in their logs: as many as a store keeps. */
const HISTORY = 10_000;

const DRIVERS = ["builtin", "ffi", "memory"];

async function main(dir: string): Promise<void> {
  const drivers = driver?.split(",") ?? DRIVERS;
  assertKnown("driver", drivers, DRIVERS);
  const servers = await findServers();
  await using _ = "reason" in servers ? undefined : servers;
  const all = "reason" in servers
    ? FILE_ROWS
    : [...FILE_ROWS, ...postgresRows(servers, SCALE)];
  const chosen = all.filter(({ name }) => name.includes(only ?? ""));
  if (chosen.length === 0) {
    assertKnown("only", [only!], all.map(({ name }) => name));
  }
  const subjects = await loadSubjects(drivers, servers);
  const { present, absent, bindings } = subjects;
  for (const { name, absent: reason } of absent) {
    console.log(`absent: ${name}: ${reason}`);
  }
  const machine = describeMachine(bindings, dir);
  const bench = benchIn(dir, present, bindings);
  const start = performance.now();
  const rows: RowResult[] = [];
  for (const [i, row] of chosen.entries()) {
    const rowStart = performance.now();
    rows.push(await row.measure(bench));
    const seconds = ((performance.now() - rowStart) / 1_000).toFixed(1);
    console.log(`${i + 1}/${chosen.length} ${row.name} (${seconds} s)`);
  }
  const duration = performance.now() - start;
  for (const row of rows) console.log(`\n${sectionOf(row, subjects)}`);
  for (const text of [goalTables(rows), driverTable(rows)]) {
    if (text) console.log(`\n${text}`);
  }

  const isWhole = !quick && !only && !driver && !rounds;
  const out = flags.out ??
    (isWhole ? fileURLToPath(new URL(".", import.meta.url)) : undefined);
  if (out === undefined) return;
  await Deno.mkdir(out, { recursive: true });
  const charted = CHARTED.flatMap((name) =>
    rows.find((row) => row.name.startsWith(name)) ?? []
  );
  const chart = charted.length > 0 ? "chart.svg" : undefined;
  if (chart) {
    await writeFormatted(`${out}/${chart}`, drawChart(charted, present));
  }
  const report = reportOf({ machine, subjects, rows, duration, chart });
  await writeFormatted(`${out}/RESULTS.md`, report);
  if (isWhole && flags.out === undefined) await updatePage();
}

function assertKnown(
  flag: string,
  given: readonly string[],
  known: readonly string[],
): void {
  const unknown = given.find((one) => !known.includes(one));
  if (unknown === undefined) return;
  throw new RangeError(
    `Cannot run: "--${flag}" is of ${known.join(" | ")}, received "${unknown}"`,
  );
}

/** The gate checks the format of every file. */
async function writeFormatted(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  const args = ["fmt", "--quiet", path];
  await new Deno.Command(Deno.execPath(), { args }).output();
}

function benchIn(
  dir: string,
  subjects: Bench["subjects"],
  bindings: Bench["bindings"],
): Bench {
  const makeFolder = () => Deno.makeTempDir({ dir });
  const drivers = [...bindings.keys()];
  const makeBigFiles = async () => {
    const made = new Map(
      drivers.map((name): [string, BigFile[]] => [name, []]),
    );
    for (const count of SIZES) {
      const paths: string[] = [];
      for (const files of made.values()) {
        const path = `${await makeFolder()}/store.db`;
        if (paths.length > 0) await Deno.copyFile(paths[0], path);
        else await makeBigFile(path, count, Math.min(count, HISTORY));
        paths.push(path);
        files.push({ path, count });
      }
    }
    return made;
  };
  let bigFiles: ReturnType<typeof makeBigFiles> | undefined;
  return {
    subjects,
    bindings,
    plan: PLAN,
    bigFiles: async (name) => (await (bigFiles ??= makeBigFiles())).get(name)!,
    makeFolder,
  };
}

const dir = await Deno.makeTempDir({ prefix: "zestor-bench-" });
try {
  await main(dir);
} finally {
  await Deno.remove(dir, { recursive: true });
}
