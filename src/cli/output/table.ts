/**
 * Tables: columns that are as wide as what is in them and, on a terminal, no
 * row wider than it. What has no room ends with "…", and no row is broken.
 *
 * @module
 */
import stringWidth from "string-width";
import { styled } from "./style.ts";

/** Between two columns. */
const GAP = 2;

/** Nobody reads a wider cell in a table, in a pipe neither. */
const WIDEST_CELL = 4096;

const PLAIN = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How a table is made. */
export interface TableOptions {
  /** The width of the terminal; absent for a table as wide as its cells. */
  readonly columns: number | undefined;
  /** Whether to use colours. */
  readonly isColored: boolean;
}

/** Lays out rows, a page at a time. Its columns only ever grow. */
export class Table {
  readonly #room: number;
  readonly #isColored: boolean;
  #widths: number[] = [];

  /** Makes an empty table. */
  constructor({ columns = Infinity, isColored }: TableOptions) {
    this.#room = columns;
    this.#isColored = isColored;
  }

  /** The titles' row, as wide as the rows that follow it. */
  header(titles: readonly string[], rows: readonly string[][]): string {
    this.#widen([titles, ...rows]);
    const style = (title: string) =>
      this.#isColored ? styled("bold", title) : title;
    return this.#lay([titles], style);
  }

  /** The lines of rows. */
  page(rows: readonly string[][]): string {
    this.#widen(rows);
    return this.#lay(rows);
  }

  /** The lines of a record: a row for each of its fields. */
  fields(titles: readonly string[], cells: readonly string[]): string {
    return this.page(titles.map((title, i) => [title, cells[i]]));
  }

  #widen(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      for (const [i, cell] of row.entries()) {
        const { width } = clip(cell, Math.min(this.#room, WIDEST_CELL));
        this.#widths[i] = Math.max(this.#widths[i] ?? 1, width);
      }
    }
  }

  #lay(
    rows: readonly (readonly string[])[],
    style = (text: string) => text,
  ): string {
    if (rows.length === 0) return "";
    const widths = this.#fitting();
    return rows.map((row) => {
      const cells = row.map((cell, i) => {
        const { text, width } = clip(cell, widths[i]);
        return style(text) + " ".repeat(widths[i] - width);
      });
      return `${cells.join(" ".repeat(GAP)).trimEnd()}\n`;
    }).join("");
  }

  /** The widths that there is room for: the widest columns give way. */
  #fitting(): number[] {
    const widths = [...this.#widths];
    const room = this.#room - GAP * (widths.length - 1);
    let excess = widths.reduce((sum, width) => sum + width, 0) - room;
    for (; excess > 0; excess--) {
      const widest = widths.lastIndexOf(Math.max(...widths));
      if (widths[widest] === 1) break;
      widths[widest]--;
    }
    return widths;
  }
}

/** The beginning of a text that fits, and its width; where not all does, "…" ends it. */
function clip(text: string, room: number): { text: string; width: number } {
  if (PLAIN.test(text)) {
    return text.length <= room
      ? { text, width: text.length }
      : { text: `${text.slice(0, room - 1)}…`, width: room };
  }
  let width = 0;
  // Up to here there is room for the ellipsis.
  let kept = { end: 0, width: 0 };
  for (const { segment, index } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > room) {
      return { text: `${text.slice(0, kept.end)}…`, width: kept.width + 1 };
    }
    if (width < room) kept = { end: index + segment.length, width };
  }
  return { text, width };
}
