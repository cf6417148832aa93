/**
 * How punctual a process's timers are.
 *
 * @module
 */

const TICK_MS = 5;

/** Runs a 5 ms timer; `stop` gives how late its latest tick was, in ms. */
export function timeTicks(): { stop(): number } {
  let latest = 0;
  let due = performance.now() + TICK_MS;
  const note = () => latest = Math.max(latest, performance.now() - due);
  const tick = () => {
    note();
    due = performance.now() + TICK_MS;
    timer = setTimeout(tick, TICK_MS);
  };
  let timer = setTimeout(tick, TICK_MS);
  return {
    stop() {
      clearTimeout(timer);
      return note();
    },
  };
}
