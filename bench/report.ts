/**
 * The results as Markdown.
 *
 * @module
 */
import { formatRatio, formatTime, type RowResult } from "./results.ts";

/** A row's table. */
export function tableOf({ unit, lines }: RowResult): string {
  const rows = lines.map((line) => [
    line.subject,
    formatTime(line.time.median),
    line.p99 === undefined ? "" : formatTime(line.p99),
    line.vsRaw ? formatRatio(line.vsRaw) : "",
    line.vsDenoKv ? formatRatio(line.vsDenoKv) : "",
    line.goals.map(({ goal }) => goal).join("; "),
    line.goals.map(({ reached, actual }) =>
      `${reached ? "yes" : "**no**"}: ${actual}`
    ).join("; "),
  ]);
  return table(
    [
      "subject",
      `per ${unit}`,
      "p99",
      "speed / raw",
      "speed / Deno KV",
      "goal",
      "reached",
    ],
    rows,
  );
}

/** A table in Markdown. */
export function table(head: string[], rows: string[][]): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "--:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
