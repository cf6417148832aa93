/**
 * The results as Markdown.
 *
 * @module
 */
import { driverGoal, driverSpeeds } from "./drivers.ts";
import {
  formatBytes,
  formatRatio,
  formatTime,
  type Goal,
  type Line,
  type RowResult,
} from "./results.ts";
import type { Subjects } from "./subjects/all.ts";
import { SUMMARY_END, SUMMARY_START, summaryOf } from "./summary.ts";
import { table } from "./table.ts";

/** The content of a report. */
export interface Report {
  /** The machine and the versions, line by line. */
  readonly machine: readonly string[];
  readonly subjects: Subjects;
  readonly rows: readonly RowResult[];
  /** The duration, in s. */
  readonly duration: number;
  /** The chart's file name, if there is one. */
  readonly chart?: string;
}

/** The report. */
export function reportOf(
  { machine, subjects, rows, duration, chart }: Report,
): string {
  return `# Results

${machine.map((line) => `- ${line}`).join("\n")}

Written by \`deno task bench\` in ${formatTime(duration)}.

${chart ? `![Operations in a second](${chart})` : ""}

## In short

${SUMMARY_START}

${summaryOf(rows)}

${SUMMARY_END}

## Figures to reach

${GOALS}

${goalTables(rows)}

## The drivers, side by side

How many times as fast the store is with \`ffi\` as with \`builtin\`, the worst row
first. The ratio of raw statements shows how much of this the binding causes.

${driverTable(rows) || "Only one of them was measured."}

## What is compared

${subjectTable(subjects)}

"raw" means prepared statements of the same binding, on the store's own tables,
with its triggers and nothing around them. An "own table" has a key and a value,
but no versions and no change log, and nobody can watch it.

Each row opens its subjects side by side and warms them up. Then, in each round,
each subject does the same work for a few milliseconds, in an order that changes
by round. A time is the median of the rounds. p99 is that of operations that
were timed one by one. A ratio is the median of the ratios in each round, with
the 10th and the 90th percentile. A read includes the decoding. Each write
changes the value: values of the same length differ in one number at their
beginning, or in each part, if the row says so. † marks a subject that is not
durable in a row about durable writes.

${rows.map((row) => sectionOf(row, subjects)).join("\n\n")}
`;
}

const GOALS =
  `Most goals are ratios, because a slow disk or a busy machine changes each time
but not the ratio of two speeds in the same round. The ratio is to raw
statements, which do the same work on the same tables and log, or to another
store. A goal is a time if a user waits for it. A figure in bold misses its
goal. The brackets behind it show what raw, or bare, statements reach; for a goal
"× raw" that is always 1.`;

/** The goals, one line for each; a column for each driver, and a table for each set of columns. */
export function goalTables(rows: readonly RowResult[]): string {
  const found = rows.flatMap(({ name, lines }) =>
    lines.flatMap(({ subject, goals }) => {
      const [driver, rest] = partsOf(subject);
      return goals.map((goal) => ({ driver, work: `${name}${rest}`, ...goal }));
    })
  );
  const worst = driverGoal(rows);
  if (worst) found.push({ driver: "ffi", ...worst });
  const byGoal = Object.values(
    Object.groupBy(found, ({ work, goal }) => `${work}: ${goal}`),
  ).map((goals) => goals!);
  const isFile = (driver: string) => driver === "builtin" || driver === "ffi";
  const byPlace = Object.groupBy(
    byGoal,
    ([{ driver }]) => isFile(driver) ? "file" : driver,
  );
  return Object.values(byPlace).map((goals) => {
    const drivers = new Set(goals!.flat().map(({ driver }) => driver));
    return table(
      ["work", "goal", ...drivers],
      goals!.map((goal) => [
        goal[0].work,
        goal[0].goal,
        ...[...drivers].map((driver) => {
          const one = goal.find((goal) => goal.driver === driver);
          return one ? reachedOf(one) : "";
        }),
      ]),
      2,
    );
  }).join("\n\n");
}

/** The driver in the name of a line, and the rest of the name. */
function partsOf(subject: string): [driver: string, rest: string] {
  const [, driver, rest] = /^store \(([^)]*)\)(.*)$/.exec(subject) ??
    [subject, subject, ""];
  return [driver, rest];
}

function reachedOf({ actual, reached, limit }: Goal): string {
  if (reached) return actual;
  return limit ? `**${actual}** (${limit})` : `**${actual}**`;
}

/** The speed of one driver relative to the other. Empty if only one was measured. */
export function driverTable(rows: readonly RowResult[]): string {
  const speeds = driverSpeeds(rows);
  if (speeds.length === 0) return "";
  return table(
    ["work", "ffi / builtin", "raw: ffi / builtin"],
    speeds.map(({ work, speed, raw }) => [
      work,
      formatRatio(speed),
      raw ? formatRatio(raw) : "",
    ]),
  );
}

function subjectTable({ present, absent }: Subjects): string {
  return table(["subject", "survives the loss of power"], [
    ...present.map(({ name, isDurable, durability }) => [
      name,
      `${isDurable ? "yes" : "**no**"}: ${durability}`,
    ]),
    ...absent.map(({ name, absent }) => [name, `absent here: ${absent}`]),
  ], 2);
}

/** A row's heading, its work, and its table. */
export function sectionOf(row: RowResult, { present }: Subjects): string {
  const volatile = new Set(
    present.filter(({ isDurable }) => !isDurable).map(({ name }) => name),
  );
  const lines = row.lines.map((line) =>
    row.isDurable && volatile.has(line.subject)
      ? { ...line, subject: `${line.subject} †` }
      : line
  );
  const work = row.work[0].toUpperCase() + row.work.slice(1);
  const results = row.absent
    ? `Not measured here: ${row.absent}.`
    : tableOf({ ...row, lines });
  return `## ${row.name}\n\n${work}.\n\n${results}`;
}

/** An empty column is left out. */
function tableOf(
  { quantity = "time", unit, lines }: RowResult,
): string {
  const compared = new Set(lines.flatMap(({ ratios }) => Object.keys(ratios)));
  const format = quantity === "time" ? formatTime : formatBytes;
  const columns: [string, (line: Line) => string][] = [
    ["subject", ({ subject }) => subject],
    [`per ${unit}`, ({ value }) => format(value.median)],
    ["p99", ({ p99 }) => p99 === undefined ? "" : formatTime(p99)],
    ...[...compared].map((name): typeof columns[number] => [
      name,
      ({ ratios }) => ratios[name] ? formatRatio(ratios[name]) : "",
    ]),
  ];
  const filled = columns.filter(([, cell]) => lines.some(cell));
  return table(
    filled.map(([head]) => head),
    lines.map((line) => filled.map(([, cell]) => cell(line))),
  );
}
