/**
 * The items of a watch, put together: those that are there at once.
 *
 * The invariant: a batch has every event up to its cursor, in their order, and
 * none past it.
 *
 * @module
 */
import { Slice } from "../../base/slice.ts";
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";

/** How many events a batch has at most. */
export const MOST_EVENTS = 256;

/** A batch of so many bytes of values takes no more. */
const MOST_BYTES = 1_048_576;

/** Some events that follow each other. */
export interface EventBatch {
  /** May be empty, if only a bookmark has come. */
  readonly events: readonly WatchEvent[];
  /** The cursor of the last item. */
  readonly cursor: string;
}

/** Puts items together. `sizeOf` gives the bytes of an event's value. */
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
        // It is awaited below, or never.
        next.catch(() => {});
        const isFull = events.length >= MOST_EVENTS || bytes >= MOST_BYTES;
        item = isFull ? undefined : await ifThere(next);
      }
      yield { events, cursor };
    }
  } finally {
    // What was read ahead may fail, too; nobody waits for it any more.
    await reader.cancel().catch(() => {});
  }
}

/** What has been read, unless it has still to come, or is the end. */
async function ifThere<T>(
  reading: Promise<ReadableStreamReadResult<T>>,
): Promise<T | undefined> {
  let found: T | undefined;
  let isSettled = false;
  reading.then(({ value }) => found = value, () => {})
    .then(() => isSettled = true);
  // A read of what is there settles within some microtasks.
  for (let turns = 0; turns < 8 && !isSettled; turns++) await undefined;
  if (!isSettled) await new Slice().nextTurn();
  return found;
}
