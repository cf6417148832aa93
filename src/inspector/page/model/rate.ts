/**
 * The number of changes a second, over the last minutes.
 *
 * @module
 */
import { Cell } from "./cell.ts";
import { onChanges } from "./live.ts";

/** How many seconds are kept. */
export const SECONDS = 120;

/** Changes by seconds. */
export interface Rate {
  /** The seconds, since 1970, in order. */
  readonly times: readonly number[];
  /** The changes in each of them. */
  readonly counts: readonly number[];
}

/** The last complete seconds. They are drawn again each second. */
export const rate: Cell<Rate> = new Cell<Rate>(emptyRate());

const counts = new Map<number, number>();

function secondOf(time: number): number {
  return Math.floor(time / 1000);
}

function emptyRate(): Rate {
  const now = secondOf(Date.now());
  return {
    times: Array.from({ length: SECONDS }, (_, i) => now - SECONDS + i),
    counts: new Array(SECONDS).fill(0),
  };
}

/** Counts the changes from now on. */
export function followRate(): void {
  onChanges((changes) => {
    const second = secondOf(Date.now());
    counts.set(second, (counts.get(second) ?? 0) + changes.length);
  });
  setInterval(() => {
    const { times } = emptyRate();
    for (const second of counts.keys()) {
      if (second < times[0]) counts.delete(second);
    }
    rate.value = { times, counts: times.map((time) => counts.get(time) ?? 0) };
  }, 1_000);
}

/** The changes in the last complete second. */
export function lastSecond({ counts }: Rate): number {
  return counts.at(-1) ?? 0;
}

/** The changes in the last minute. */
export function lastMinute({ counts }: Rate): number {
  return counts.slice(-60).reduce((sum, count) => sum + count, 0);
}
