/**
 * Groups the items of a watch: those that are available at once.
 *
 * The invariant: a batch has all events up to its cursor, in order, and none
 * after it.
 *
 * @module
 */
import { Slice } from "../../base/slice.ts";
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";

/** How many events a batch has at most. */
export const MOST_EVENTS = 256;

/** A batch with this many bytes of values takes no more. */
const MOST_BYTES = 1_048_576;

/** Consecutive events. */
export interface EventBatch {
  /** Empty if only a bookmark has come. */
  readonly events: readonly WatchEvent[];
  /** The cursor of the last item. */
  readonly cursor: string;
}

/** Makes batches. `sizeOf` returns the bytes of an event's value. */
export async function* batchesOf(
  items: ReadableStream<WatchEvent | WatchBookmark>,
  sizeOf: (event: WatchEvent) => number,
): AsyncGenerator<EventBatch, void> {
  const reader = items.getReader();
  try {
    let next = reader.read();
    for (;;) {
      const first = await next;
      if (first.done) return;
      const events: WatchEvent[] = [];
      let cursor = "";
      let bytes = 0;
      let item: WatchEvent | WatchBookmark | undefined = first.value;
      while (item) {
        cursor = item.cursor;
        if (item.type !== "bookmark") {
          events.push(item);
          bytes += sizeOf(item);
        }
        next = reader.read();
        // The loop may never await this promise.
        next.catch(() => {});
        const isFull = events.length >= MOST_EVENTS || bytes >= MOST_BYTES;
        item = isFull ? undefined : await ifThere(next);
      }
      yield { events, cursor };
    }
  } finally {
    // The read ahead may fail, too, but nobody waits for it any more.
    await reader.cancel().catch(() => {});
  }
}

/** The result of a read, if it is available and not the end. */
async function ifThere<T>(
  reading: Promise<ReadableStreamReadResult<T>>,
): Promise<T | undefined> {
  let found: T | undefined;
  let isSettled = false;
  reading.then(({ value }) => found = value, () => {})
    .then(() => isSettled = true);
  // If items are available, a read settles within some microtasks.
  for (let turns = 0; turns < 8 && !isSettled; turns++) await undefined;
  if (!isSettled) await new Slice().nextTurn();
  return found;
}
