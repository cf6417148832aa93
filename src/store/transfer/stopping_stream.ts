/**
 * A stream of a generator's items that a signal can stop, even if nobody reads
 * it. Then the generator's resources are closed at once.
 *
 * @module
 */

/**
 * Makes the stream. It reads an item only when it is asked for one. When one of
 * the signals aborts, the stream errors with the signal's reason, and the
 * generator ends.
 */
export function streamUntilStopped<T>(
  items: AsyncGenerator<T, void>,
  signals: readonly (AbortSignal | undefined)[],
): ReadableStream<T> {
  let controller!: ReadableStreamDefaultController<T>;
  let isOver = false;
  /** Returns true to the first caller, who then ends the stream. */
  const endOnce = (): boolean => {
    if (isOver) return false;
    isOver = true;
    for (const signal of signals) signal?.removeEventListener("abort", onAbort);
    return true;
  };
  const onAbort = ({ target }: Pick<Event, "target">) => {
    if (!endOnce()) return;
    controller.error((target as AbortSignal).reason);
    // Nobody can receive this error.
    items.return().catch(() => {});
  };
  return new ReadableStream<T>({
    start(ownController) {
      controller = ownController;
      for (const signal of signals) {
        if (signal?.aborted) onAbort({ target: signal });
        else signal?.addEventListener("abort", onAbort);
      }
    },
    async pull() {
      try {
        const { done, value } = await items.next();
        if (!done && !isOver) controller.enqueue(value);
        else if (done && endOnce()) controller.close();
      } catch (error) {
        if (endOnce()) controller.error(error);
      }
    },
    async cancel() {
      endOnce();
      await items.return();
    },
  }, { highWaterMark: 0 });
}
