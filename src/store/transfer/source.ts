/**
 * The stream that an import reads.
 *
 * The invariant: when reading ends, for any reason, the stream has been read to
 * its end or cancelled, and nothing waits for its reaction.
 *
 * @module
 */

/** Reads a stream's chunks. `stop` aborts when reading must stop. */
export type ReadChunks<T> = (
  chunks: AsyncIterable<T>,
  stop: AbortSignal,
) => Promise<void>;

/**
 * Reads a stream until `read` has settled. When one of the signals aborts, it
 * cancels the stream at once, and the chunks end with the signal's reason, even
 * if the stream never answers.
 */
export async function readUntilStopped<T>(
  stream: ReadableStream<T>,
  signals: readonly (AbortSignal | undefined)[],
  read: ReadChunks<T>,
): Promise<void> {
  const reader = stream.getReader();
  const cancel = (reason: unknown) => {
    // The source may never answer, or fail. Nobody waits for it.
    reader.cancel(reason).catch(() => {});
  };
  const stop = new AbortController();
  const onAbort = ({ target }: Pick<Event, "target">) => {
    const { reason } = target as AbortSignal;
    stop.abort(reason);
    cancel(reason);
  };
  for (const signal of signals) {
    if (signal?.aborted) onAbort({ target: signal });
    signal?.addEventListener("abort", onAbort);
  }
  try {
    await read(chunksOf(reader, stop.signal), stop.signal);
  } catch (error) {
    cancel(error);
    throw error;
  } finally {
    for (const signal of signals) signal?.removeEventListener("abort", onAbort);
    reader.releaseLock();
  }
}

async function* chunksOf<T>(
  reader: ReadableStreamDefaultReader<T>,
  stop: AbortSignal,
): AsyncGenerator<T, void> {
  for (;;) {
    stop.throwIfAborted();
    // Cancelling the stream ends this wait at once.
    const { done, value } = await reader.read();
    stop.throwIfAborted();
    if (done) return;
    yield value;
  }
}
