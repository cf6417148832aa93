/**
 * Time in which no slice of the event loop is ever used up, so that writes that
 * are called in one turn share a transaction on a slow machine, too.
 *
 * @module
 */

/** Stops `performance.now()` until it is disposed of. */
export function stoppedClock(): Disposable {
  const { now } = performance;
  const time = performance.now();
  performance.now = () => time;
  return {
    [Symbol.dispose]() {
      performance.now = now;
    },
  };
}
