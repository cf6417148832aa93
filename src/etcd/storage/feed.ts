/**
 * The newest transactions of a store, in memory, for all watches that wait: one
 * stream of etcd, whatever their number.
 *
 * The invariants:
 * - It has every transaction after its beginning, up to its end.
 * - Its memory is bounded: the oldest transactions leave it.
 * - After a cut it goes on with the next member from where it was. If it cannot
 *   be sure of that, it begins anew, and the watches find out what they miss.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import type { Cursor } from "../../engine/cursor.ts";
import { Backoff } from "../../remote/backoff.ts";
import { PreviousMissing } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import type { PlacedRecord } from "../format/record.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  BEGUN,
  Compacted,
  type Transaction,
  transactionsAfter,
} from "./change_stream.ts";
import type { Place, Timeline } from "./timeline.ts";

/** How much is kept: transactions, and about how many bytes. */
const MOST_KEPT = 4_096;
const MOST_BYTES = 8 * 1024 * 1024;

/** How often it asks whether the member tells all, in ms. */
const CHECK_MS = 2_000;

/** What a feed is made of. */
export interface FeedOptions {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly timeline: Timeline;
  /** There is something new, or the feed began anew. */
  onNews(transaction: Transaction | undefined): void;
}

/** The newest transactions. */
export class Feed {
  readonly #options: FeedOptions;
  #transactions: Transaction[] = [];
  #bytes = 0;
  /** It has all that came after this. */
  #from: PlacedRecord | undefined;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;

  /** Takes what it is made of. */
  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Whether it runs, and so will tell what comes. */
  get isRunning(): boolean {
    return this.#stop !== undefined;
  }

  /** The last change that it knows of; `undefined` if it has not begun. */
  get end(): PlacedRecord | undefined {
    return this.#transactions.at(-1)?.record ?? this.#from;
  }

  /** Whether it has every change after a revision. */
  reaches(revision: number): boolean {
    const { end } = this;
    return this.#from !== undefined && end !== undefined &&
      this.#from.head <= revision && revision <= end.head;
  }

  /** The transactions that have changes past a revision. */
  *after(revision: number): Iterable<Transaction> {
    const all = this.#transactions;
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (all[middle].record.head <= revision) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < all.length; i++) yield all[i];
  }

  /** The record of a revision's change; `undefined` if it is not here. */
  recordOf(revision: number): PlacedRecord | undefined {
    if (revision === this.#from?.head) return this.#from;
    const [found] = this.after(revision - 1);
    return found && found.record.first <= revision ? found.record : undefined;
  }

  /** Begins. */
  start(): void {
    if (this.#stop) return;
    const stop = this.#stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#options.gateway.closed]);
    this.#running = this.#run(signal);
  }

  /** Ends; it forgets what it has. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#forget();
    await this.#running;
  }

  #forget(): void {
    this.#transactions = [];
    this.#bytes = 0;
    this.#from = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let backoff: Backoff | undefined;
    while (!signal.aborted) {
      try {
        const place = await this.#begin(signal);
        for await (const told of this.#told(place.at, signal)) {
          if (told === BEGUN) backoff = undefined;
          else this.#add(told);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isLost(error)) this.#beginAnew();
      }
      backoff ??= new Backoff();
      await sleep(backoff.next(), signal).catch(() => {});
    }
  }

  /** Where to go on: where it was, or at the store's newest change. */
  async #begin(signal: AbortSignal): Promise<Place> {
    const { timeline } = this.#options;
    const now = await timeline.now({ signal, patience: 0 });
    const { end } = this;
    if (!end) {
      this.#from = now.record;
      this.#options.onNews(undefined);
      return { at: now.at, record: now.record };
    }
    if (end.head > now.record.head) throw new Lost();
    const place = await timeline.placeOf(end.head, now, {
      signal,
      patience: 0,
    });
    if (place.record.mark !== end.mark) throw new Lost();
    return place;
  }

  /** What comes after a place; ends if the member turns out to be behind. */
  async *#told(at: number, signal: AbortSignal) {
    const { gateway, keys } = this.#options;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const { endpoint } = gateway;
    const check = this.#checkNowAndThen(either, () => {
      gateway.leave(endpoint);
      stop.abort(new Error("the member is behind"));
    });
    try {
      yield* transactionsAfter(gateway, keys, at, either);
    } finally {
      stop.abort();
      await check;
    }
  }

  /** Compares the feed with the store: a member that is cut off is silent. */
  async #checkNowAndThen(
    signal: AbortSignal,
    onBehind: () => void,
  ): Promise<void> {
    while (!signal.aborted) {
      await sleep(CHECK_MS, signal, false).catch(() => {});
      if (signal.aborted) return;
      try {
        const before = this.end;
        const { record } = await this.#options.timeline.now({
          signal,
          patience: 0,
        });
        const isSilent = this.end === before && before &&
          record.mark !== before.mark;
        if (!isSilent) continue;
        await sleep(CHECK_MS / 4, signal, false).catch(() => {});
        if (this.end === before && !signal.aborted) return onBehind();
      } catch {
        // The stream tells when it is cut.
      }
    }
  }

  #add(transaction: Transaction): void {
    const { record } = transaction;
    const { end } = this;
    // It was told before the cut.
    if (end && record.head <= end.head) return;
    if (end && record.first !== end.head + 1) throw new Lost();
    this.#options.timeline.note(record);
    this.#transactions.push(transaction);
    this.#bytes += transaction.bytes;
    let leaving = 0;
    while (
      this.#transactions.length - leaving > MOST_KEPT ||
      (this.#bytes > MOST_BYTES && this.#transactions.length - leaving > 1)
    ) {
      const first = this.#transactions[leaving++];
      this.#bytes -= first.bytes;
      this.#from = first.record;
    }
    if (leaving > 0) this.#transactions.splice(0, leaving);
    this.#options.onNews(transaction);
  }

  #beginAnew(): void {
    this.#options.timeline.forget();
    this.#forget();
    this.#options.onNews(undefined);
  }
}

/** The cluster has another history than the feed has told. */
class Lost extends Error {}

function isLost(error: unknown): boolean {
  return error instanceof Lost || error instanceof Compacted ||
    error instanceof PreviousMissing ||
    (error as Error)?.name === "WatchOverflowError";
}

/** What a cursor of a record is. */
export function cursorOfRecord({ head, mark }: PlacedRecord): Cursor {
  return { revision: head, mark };
}
