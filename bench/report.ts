/**
 * The results as Markdown.
 *
 * @module
 */
import {
  formatMemory,
  formatRatio,
  formatTime,
  type RowResult,
} from "./results.ts";
import type { Subjects } from "./subjects/all.ts";

/** Everything that a report tells. */
export interface Report {
  /** The machine and the versions, line by line. */
  readonly machine: readonly string[];
  readonly subjects: Subjects;
  readonly rows: readonly RowResult[];
  /** How long it took, in s. */
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

## Figures to reach

A speed is the median of the ratios within the rounds. What raw statements reach
is more than any store on their binding can.

${goalTable(rows)}

## What is compared

${subjectTable(subjects)}

"raw" is prepared statements of the same binding on the store's own tables, with
its triggers and nothing around them: the limit. An "own table" has a key and a
value, no versions, no change log, and nothing to watch.

Each row opens its subjects side by side and warms them up. Then in each round
each of them does the same work for a few milliseconds, in an order that changes
by round. A time is the median of the rounds; p99 is of operations that were
timed one by one; a ratio is the median of the ratios within the rounds, with
the 10th and the 90th percentile. Reading includes decoding. Every write changes
something. † marks what is not durable in a row about durable writes.

${rows.map((row) => sectionOf(row, subjects)).join("\n\n")}
`;
}

function goalTable(rows: readonly RowResult[]): string {
  const reached = rows.flatMap(({ name, lines }) =>
    lines.flatMap(({ subject, goals }) =>
      goals.map(({ goal, actual, reached }) => [
        name,
        subject,
        goal,
        actual,
        reached ? "yes" : "**no**",
      ])
    )
  );
  return table(["work", "subject", "goal", "measured", "reached"], reached, 3);
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
  return `## ${row.name}\n\n${work}.\n\n${tableOf({ ...row, lines })}`;
}

/** A column that would be empty is left out. */
function tableOf(
  { quantity = "time", unit, lines }: RowResult,
): string {
  const compared = new Set(lines.flatMap(({ ratios }) => Object.keys(ratios)));
  const columns: [string, (line: typeof lines[number]) => string][] = [
    ["subject", ({ subject }) => subject],
    quantity === "time"
      ? [`per ${unit}`, ({ value }) => formatTime(value.median)]
      : [unit, ({ value }) => formatMemory(value.median)],
    ["p99", ({ p99 }) => p99 === undefined ? "" : formatTime(p99)],
    ...[...compared].map((name): typeof columns[number] => [
      name,
      ({ ratios }) => ratios[name] ? formatRatio(ratios[name]) : "",
    ]),
    ["goal", ({ goals }) => goals.map(({ goal }) => goal).join("; ")],
    [
      "reached",
      ({ goals }) =>
        goals.map(({ actual, reached }) =>
          reached ? `yes: ${actual}` : `**no**: ${actual}`
        ).join("; "),
    ],
  ];
  const cells = columns.map(([head, cell]) => ({
    head,
    cells: lines.map(cell),
  })).filter(({ cells }) => cells.some((cell) => cell !== ""));
  return table(
    cells.map(({ head }) => head),
    lines.map((_, i) => cells.map(({ cells }) => cells[i])),
  );
}

/** A table in Markdown, of which the first columns are text. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts = 1,
): string {
  const rule = head.map((_, i) => i < texts ? "---" : "--:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
