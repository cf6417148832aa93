/**
 * Keeps the newest transactions of a store in memory. All waiting watches share
 * its one stream of etcd.
 *
 * The invariants:
 * - It has every transaction after its beginning, up to its end.
 * - Its memory is bounded: it drops the oldest transactions.
 * - After a cut it continues on the next member from its end. If it may lack
 *   transactions, it begins again, and each watch reads the changes that it
 *   missed from its own stream.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import type { Cursor } from "../../engine/cursor.ts";
import { Backoff } from "../../remote/backoff.ts";
import { PreviousMissing } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import type { PlacedRecord } from "../format/record.ts";
import { Compacted } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { BEGUN, type Transaction, transactionsAfter } from "./change_stream.ts";
import type { Place, Timeline } from "./timeline.ts";

/** The most transactions that are kept. */
const MOST_KEPT = 4_096;
/** The approximate limit of their size, in bytes. */
const MOST_BYTES = 8 * 1024 * 1024;

/** How often it checks that the member sends all transactions, in ms. */
const CHECK_MS = 2_000;
/** How long a member that is behind may send nothing, in ms: at first, and at most. */
const FIRST_SILENCE_MS = 500;
const LONGEST_SILENCE_MS = 60_000;

/** The parts of a feed. */
export interface FeedOptions {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly timeline: Timeline;
  /** Called with each new transaction, and with `undefined` if the feed began again. */
  onNews(transaction: Transaction | undefined): void;
}

/** The newest transactions. */
export class Feed {
  readonly #options: FeedOptions;
  #transactions: Transaction[] = [];
  #bytes = 0;
  /** The record after which it has all transactions. */
  #from: PlacedRecord | undefined;
  /**
   * How long a member that is behind may send nothing, in ms. It grows with each
   * member that is left, because the next one needs the same time if all are
   * slow. It shrinks when the feed has all transactions.
   */
  #silence = FIRST_SILENCE_MS;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;

  /** Takes its parts. */
  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Whether it runs, and so gives new transactions. */
  get isRunning(): boolean {
    return this.#stop !== undefined;
  }

  /** The newest record that it knows; `undefined` if it has not begun. */
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

  /** The record of the transaction that made a revision; `undefined` if the feed does not have it. */
  recordOf(revision: number): PlacedRecord | undefined {
    if (revision === this.#from?.head) return this.#from;
    const [found] = this.after(revision - 1);
    return found && found.record.first <= revision ? found.record : undefined;
  }

  /** Starts it. */
  start(): void {
    if (this.#stop) return;
    const stop = this.#stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#options.gateway.closed]);
    this.#running = this.#run(signal);
  }

  /** Stops it. It forgets its transactions. */
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
          // It was stopped, and may have been started again since.
          if (signal.aborted) return;
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

  /** The place to continue: the feed's end, or the store's newest change. */
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

  /** The transactions after a place. Ends if the member is behind the others. */
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
      yield* transactionsAfter(gateway, keys, at, { signal: either });
    } finally {
      stop.abort();
      await check;
    }
  }

  /** Compares the feed with the store, because a member that is cut off sends nothing. */
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
        if (!before || this.end !== before) continue;
        if (record.mark === before.mark) {
          this.#silence = FIRST_SILENCE_MS;
          continue;
        }
        await sleep(this.#silence, signal, false).catch(() => {});
        if (this.end !== before || signal.aborted) continue;
        this.#silence = Math.min(2 * this.#silence, LONGEST_SILENCE_MS);
        return onBehind();
      } catch {
        // If the connection is cut, the stream fails by itself.
      }
    }
  }

  #add(transaction: Transaction): void {
    const { record } = transaction;
    const { end } = this;
    // It came before the cut already.
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

/** The cluster's history does not continue the feed's transactions. */
class Lost extends Error {}

function isLost(error: unknown): boolean {
  return error instanceof Lost || error instanceof Compacted ||
    error instanceof PreviousMissing ||
    (error as Error)?.name === "WatchOverflowError";
}

/** The cursor of a record's last change. */
export function cursorOfRecord({ head, mark }: PlacedRecord): Cursor {
  return { revision: head, mark };
}
