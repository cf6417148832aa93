/**
 * Collects the events of a watch into bursts. A burst ends when no event has
 * come for some time.
 *
 * The invariants:
 * - A burst is limited in time, in events and in memory.
 * - Every event is in one burst, in order. If the watch fails, the earlier
 *   events are a burst, and then the error comes. If the watch is ended,
 *   waiting events are dropped.
 * - The place of a burst is after all of its events, and not further.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import type { Place } from "./cursor_file.ts";
import { type Item, placeAfter } from "./place.ts";

/** A burst lasts at most this many times as long as the quiet time that ends it. */
export const LONGEST_BURST = 10;

/** How many events a burst has at most. */
export const MOST_EVENTS = 10_000;

/** A burst takes no more lines when its text has this length, in UTF-16 units. */
const MOST_TEXT = 16_777_216;

/** Events for which a command runs once. */
export interface Burst {
  /** The lines of the events. Empty if there is only a place to save. */
  readonly lines: readonly string[];
  /** The revision of the last event. */
  readonly revision: number;
  /** The place to continue after it. Absent in the middle of a replay. */
  readonly place: Place | undefined;
}

/** The settings for bursts. */
export interface BurstOptions {
  /** The time without events that ends a burst, in ms. */
  readonly quiet: number;
  /** The line of an event; `undefined` to leave the event out. */
  lineOf(event: WatchEvent): string | undefined;
}

/**
 * The bursts of a watch, until it ends. While a burst is handled, at most one
 * item is read ahead.
 */
export async function* burstsOf(
  items: ReadableStream<Item>,
  options: BurstOptions,
): AsyncGenerator<Burst> {
  const source = new ItemSource(items);
  try {
    for (;;) {
      const burst = new Collecting(options);
      const end = await collect(burst, source);
      if (end === "ended") return;
      if (burst.hasNews) yield burst;
      if (end !== "complete") throw end.error;
    }
  } finally {
    await source.cancel();
  }
}

/** The reason why a burst gets no more items. */
type End = "complete" | "ended" | { readonly error: unknown };

async function collect(burst: Collecting, source: ItemSource): Promise<End> {
  for (;;) {
    const left = burst.msLeft;
    if (left === 0) return "complete";
    const next = await source.next(left);
    if (next === "none") return "complete";
    if ("error" in next) return next;
    if (next.done) return "ended";
    burst.add(next.value);
    // Without a line, there is no burst to wait for.
    if (burst.lines.length === 0) return "complete";
  }
}

/** A burst that still takes items. */
class Collecting implements Burst {
  readonly lines: string[] = [];
  revision = 0;
  place: Place | undefined;
  readonly #options: BurstOptions;
  #length = 0;
  #begin = Infinity;
  #last = Infinity;

  constructor(options: BurstOptions) {
    this.#options = options;
  }

  /** Whether there is something to do. */
  get hasNews(): boolean {
    return this.lines.length > 0 || this.place !== undefined;
  }

  /** How long it may wait for the next item, in ms; 0 if it takes no more. */
  get msLeft(): number {
    if (this.lines.length === 0) return Infinity;
    if (this.lines.length >= MOST_EVENTS || this.#length >= MOST_TEXT) return 0;
    const { quiet } = this.#options;
    const end = Math.min(
      this.#last + quiet,
      this.#begin + LONGEST_BURST * quiet,
    );
    return Math.max(0, end - performance.now());
  }

  add(item: Item): void {
    this.place = placeAfter(item) ?? this.place;
    if (item.type === "bookmark") return;
    const line = this.#options.lineOf(item);
    if (line === undefined) return;
    this.lines.push(line);
    this.#length += line.length;
    this.revision = item.revision;
    this.#last = performance.now();
    this.#begin = Math.min(this.#begin, this.#last);
  }
}

type Next = ReadableStreamReadResult<Item> | { readonly error: unknown };

/** Returns items. If an item did not come in time, the next call returns it. */
class ItemSource {
  readonly #reader: ReadableStreamDefaultReader<Item>;
  #pending: Promise<Next> | undefined;

  constructor(items: ReadableStream<Item>) {
    this.#reader = items.getReader();
  }

  /** The next item, or "none" if it takes longer than `ms`. */
  async next(ms: number): Promise<Next | "none"> {
    this.#pending ??= this.#reader.read().catch((error) => ({ error }));
    const next = await within(this.#pending, ms);
    if (next !== "none") this.#pending = undefined;
    return next;
  }

  async cancel(): Promise<void> {
    // If it has failed, the failure was reported.
    await this.#reader.cancel().catch(() => {});
  }
}

/** The result of a promise, or "none" if it takes longer than `ms`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | "none"> {
  if (ms === Infinity) return await promise;
  const { promise: late, resolve } = Promise.withResolvers<"none">();
  const timer = setTimeout(() => resolve("none"), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
