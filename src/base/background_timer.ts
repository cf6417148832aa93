/**
 * A timer for background work. It does not keep the process running.
 *
 * It does not use `setTimeout`: the first call of `setTimeout` loads a part of
 * Node.js, which costs a short program 8 ms.
 *
 * @module
 */

/**
 * Calls back after a pause in ms, rounded up to 1. Returns a function that
 * cancels it.
 */
export function startBackgroundTimer(
  ms: number,
  work: () => void,
): () => void {
  // The cell's value never changes. Only the cancelling function notifies it.
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // A pause of 0 ms would end at once, and return no promise.
  const { value } = Atomics.waitAsync(cell, 0, 0, Math.max(1, ms));
  Promise.resolve(value).then((end) => {
    if (end === "timed-out") work();
  });
  return () => Atomics.notify(cell, 0);
}
