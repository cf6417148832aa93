/**
 * The differences between two texts, by lines. Long stretches without a
 * difference are folded.
 *
 * @module
 */
import { diffLines } from "diff/lib/diff/line.js";

/** A line, and the texts that have it. */
export interface DiffLine {
  readonly type: "same" | "removed" | "added" | "folded";
  readonly text: string;
}

/** How many lines around a difference are shown. */
const CONTEXT = 3;

/** Texts that differ in more lines are not compared, because it would take too long. */
const MOST_EDITS = 1_000;

/** The lines of both texts; `undefined` if they differ too much. */
export function diffOf(before: string, after: string): DiffLine[] | undefined {
  const parts = diffLines(ended(before), ended(after), {
    maxEditLength: MOST_EDITS,
  });
  if (parts === undefined) return undefined;
  const lines = parts.flatMap(({ value, added, removed }) =>
    value.replace(/\n$/, "").split("\n").map((text): DiffLine => ({
      type: added ? "added" : removed ? "removed" : "same",
      text,
    }))
  );
  return folded(lines);
}

/** Without this, a last line without a line feed would differ from the same line with one. */
function ended(text: string): string {
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}

function folded(lines: readonly DiffLine[]): DiffLine[] {
  const near = new Array<boolean>(lines.length).fill(false);
  for (const [index, { type }] of lines.entries()) {
    if (type !== "same") {
      near.fill(true, Math.max(0, index - CONTEXT), index + CONTEXT + 1);
    }
  }
  const shown: DiffLine[] = [];
  let hidden = 0;
  for (const [index, line] of lines.entries()) {
    if (near[index]) {
      if (hidden > 0) shown.push(fold(hidden));
      hidden = 0;
      shown.push(line);
    } else hidden++;
  }
  if (hidden > 0 && shown.length > 0) shown.push(fold(hidden));
  return shown;
}

function fold(count: number): DiffLine {
  const lines = count === 1 ? "line" : "lines";
  return { type: "folded", text: `${count} ${lines} without a difference` };
}
