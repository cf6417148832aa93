/**
 * Stands in for `jsr:@std/async` where JSR is not reachable: what the tests use
 * of it, over `node:timers/promises`.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";

/** Options of {@linkcode delay}. */
export interface DelayOptions {
  signal?: AbortSignal;
  persistent?: boolean;
}

/** Options of {@linkcode deadline}. */
export interface DeadlineOptions {
  signal?: AbortSignal;
}

/** Resolves after `ms`; rejects with the signal's reason. */
export async function delay(
  ms: number,
  { signal, persistent: ref = true }: DelayOptions = {},
): Promise<void> {
  try {
    await setTimeout(ms, undefined, signal ? { signal, ref } : { ref });
  } catch (error) {
    // Node wraps the reason, @std/async does not.
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Settles as the promise does; rejects with a `TimeoutError` after `ms`. */
export async function deadline<T>(
  promise: Promise<T>,
  ms: number,
  { signal }: DeadlineOptions = {},
): Promise<T> {
  const signals = signal ? [signal] : [];
  if (ms < Number.MAX_SAFE_INTEGER) signals.push(AbortSignal.timeout(ms));
  return await abortable(promise, AbortSignal.any(signals));
}

/** The promise or iterable, until the signal aborts. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T>;
/** The promise or iterable, until the signal aborts. */
export function abortable<T>(
  iterable: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T>;
export function abortable<T>(
  source: Promise<T> | AsyncIterable<T>,
  signal: AbortSignal,
): Promise<T> | AsyncGenerator<T> {
  return source instanceof Promise
    ? raced(source, signal)
    : iterated(source, signal);
}

async function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function* iterated<T>(
  iterable: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  signal.throwIfAborted();
  const iterator = iterable[Symbol.asyncIterator]();
  let done = false;
  try {
    while (true) {
      const result = await raced(iterator.next(), signal);
      if (result.done) {
        done = true;
        return result.value;
      }
      yield result.value;
    }
  } finally {
    if (!done) await iterator.return?.();
  }
}
