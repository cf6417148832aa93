/**
 * Reads a stream in the context of the call that made it.
 *
 * @module
 */
import type { Call } from "./telemetry.ts";

/** Wraps a stream. The call ends when the stream closes, fails or is cancelled. */
export function tracedStream<T>(
  stream: ReadableStream<T>,
  call: Call,
): ReadableStream<T> {
  const reader = stream.getReader();
  let isCancelled = false;
  return new ReadableStream<T>({
    start(controller) {
      reader.closed.then(() => {
        call.end();
        if (!isCancelled) controller.close();
      }, (error) => {
        call.fail(error);
        controller.error(error);
      });
    },
    async pull(controller) {
      const { done, value } = await call.run(() => reader.read());
      if (!done) controller.enqueue(value);
    },
    cancel(reason) {
      isCancelled = true;
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
