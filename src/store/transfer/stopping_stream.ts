/**
 * A stream of what a generator yields, which a signal stops whether somebody
 * reads it or not: what the generator holds open is closed at once.
 *
 * @module
 */

/**
 * Makes the stream. It reads no item before it is asked for one. When one of
 * the signals aborts, the stream errors with the signal's reason, and the
 * generator is ended.
 */
export function streamUntilStopped<T>(
  items: AsyncGenerator<T, void>,
  signals: readonly (AbortSignal | undefined)[],
): ReadableStream<T> {
  let controller!: ReadableStreamDefaultController<T>;
  let isOver = false;
  /** True for the first caller: the one who ends the stream. */
  const endOnce = (): boolean => {
    if (isOver) return false;
    isOver = true;
    for (const signal of signals) signal?.removeEventListener("abort", onAbort);
    return true;
  };
  const onAbort = ({ target }: Pick<Event, "target">) => {
    if (!endOnce()) return;
    controller.error((target as AbortSignal).reason);
    // Nobody is there to be told of a failure.
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
