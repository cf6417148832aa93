/**
 * A timer for background work. It does not keep the process running.
 *
 * In Deno it is no `setTimeout`, for the first of these loads a part of Node.js,
 * which takes a program that soon ends 8 ms.
 *
 * @module
 */
import { isDeno, platform } from "./platform.ts";

/**
 * Calls back after a pause in ms, rounded up to 1. Returns a function that
 * cancels it.
 */
export function startBackgroundTimer(
  ms: number,
  work: () => void,
): () => void {
  return isDeno ? startByAtomics(ms, work) : startByTimer(ms, work);
}

function startByAtomics(ms: number, work: () => void): () => void {
  // The cell's value never changes. Only the cancelling function notifies it.
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // A pause of 0 ms would end at once, and return no promise.
  const { value } = Atomics.waitAsync(cell, 0, 0, Math.max(1, ms));
  Promise.resolve(value).then((end) => {
    if (end === "timed-out") work();
  });
  return () => Atomics.notify(cell, 0);
}

function startByTimer(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  platform.unrefTimer(timer);
  return () => clearTimeout(timer);
}
