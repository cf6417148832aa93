/**
 * Shows the progress of long work: a bar on a terminal, nothing elsewhere. It
 * is on standard error, and is removed before other output.
 *
 * @module
 */

/** The cells of a whole bar. */
const BAR_CELLS = 24;

const encoder = new TextEncoder();

/** The settings of the bar. */
export interface ProgressOptions {
  /** The end of the bar. Absent if it is unknown. */
  readonly total: number | undefined;
  /** The name of the counted things, such as "lines". */
  readonly unit: string;
}

/** Shows the progress. */
export interface Progress {
  /** Shows the number so far, and the state of the bar, which is the number by default. */
  show(count: number, done?: number): void;
  /** Removes the bar until the next `show`. */
  clear(): void;
}

/** Begins to show progress, if standard error is a terminal. */
export function openProgress({ total, unit }: ProgressOptions): Progress {
  if (!Deno.stderr.isTerminal()) return { show() {}, clear() {} };
  let isShown = false;
  return {
    show(count, done = count) {
      const bar = total === undefined ? "" : barText(done, total);
      writeLine(`${bar}${count} ${unit}`);
      isShown = true;
    },
    clear() {
      if (isShown) write("\r\x1b[2K");
      isShown = false;
    },
  };
}

/** A bar and its percentage, such as "████░░░░ 50%  ". */
function barText(done: number, total: number): string {
  const share = total > 0 ? Math.min(done / total, 1) : 0;
  const full = Math.floor(share * BAR_CELLS);
  const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
  return `${bar} ${Math.floor(share * 100)}%  `;
}

/** Replaces the line. The terminal cuts a line that is too long, and does not break it. */
function writeLine(text: string): void {
  write(`\r\x1b[?7l${text}\x1b[K\x1b[?7h`);
}

function write(text: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(text));
  } catch {
    // The work goes on if the terminal is closed.
  }
}
