/**
 * Tables: columns are as wide as their content, and on a terminal no row is
 * wider than the terminal. A text without enough room ends with "…". A row is
 * always one line.
 *
 * @module
 */
import stringWidth from "string-width";
import { styled } from "./style.ts";

/** The spaces between two columns. */
const GAP = 2;

/** The widest cell. Nobody reads a wider one in a table, not even in a pipe. */
const WIDEST_CELL = 4096;

const PLAIN = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The settings of a table. */
export interface TableOptions {
  /** The width of the terminal. Absent: the table is as wide as its cells. */
  readonly columns: number | undefined;
  /** Whether to use colours. */
  readonly isColored: boolean;
}

/** Lays out rows, a page at a time. Columns only grow. */
export class Table {
  readonly #room: number;
  readonly #isColored: boolean;
  #widths: number[] = [];

  /** Makes an empty table. */
  constructor({ columns = Infinity, isColored }: TableOptions) {
    this.#room = columns;
    this.#isColored = isColored;
  }

  /** The row of the titles, as wide as the rows after it. */
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

  /** The lines of a record: one row for each property. */
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

  /** The widths that fit: the widest columns shrink. */
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

/** The beginning of a text that fits, and its width. A cut text ends with "…". */
function clip(text: string, room: number): { text: string; width: number } {
  if (PLAIN.test(text)) {
    return text.length <= room
      ? { text, width: text.length }
      : { text: `${text.slice(0, room - 1)}…`, width: room };
  }
  let width = 0;
  // Up to here, there is room for the ellipsis.
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
