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

/** A row's table. A column that would be empty is left out. */
export function tableOf(
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

/** A table in Markdown. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "--:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
