/**
 * How punctual a process's timers are.
 *
 * @module
 */

const TICK_MS = 5;

/** How late the ticks of a timer were, in ms. */
export interface Lateness {
  readonly latest: number;
  readonly median: number;
}

/** Runs a 5 ms timer until it is stopped. */
export function timeTicks(): { stop(): Lateness } {
  const late: number[] = [];
  let due = performance.now() + TICK_MS;
  const note = () => late.push(Math.max(0, performance.now() - due));
  const tick = () => {
    note();
    due = performance.now() + TICK_MS;
    timer = setTimeout(tick, TICK_MS);
  };
  let timer = setTimeout(tick, TICK_MS);
  return {
    stop() {
      clearTimeout(timer);
      note();
      return { latest: Math.max(...late), median: median(late) };
    },
  };
}

/** The middle one of some numbers; 0 of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
