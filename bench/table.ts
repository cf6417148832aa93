/**
 * Tables in Markdown.
 *
 * @module
 */

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
