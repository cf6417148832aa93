/**
 * Where a revision of the store is among the revisions of etcd, which also count
 * what else is in the cluster.
 *
 * The record as of a revision of etcd tells how far the store was then. So the
 * transaction of a revision is found by a search: it guesses by proportion, and
 * in a cluster with one store the first guess is close.
 *
 * @module
 */
import { prunedPast, putBack } from "../../engine/log_ends.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { isCompacted, isFuture } from "../gateway/failure.ts";
import type { Gateway, ReadOptions } from "../gateway/gateway.ts";
import { firstOf, numberOf, type WatchAnswer } from "../gateway/messages.ts";

/** How far the store is. */
export interface Now {
  /** Its newest record. */
  readonly record: PlacedRecord;
  /** The revision of etcd at which that was read. */
  readonly at: number;
}

/** A moment of the store between two transactions, or inside one. */
export interface Place {
  /** A revision of etcd at which the store was so; if the moment is inside a transaction, before that. */
  readonly at: number;
  /** The record of the moment's last change, and so its mark. */
  readonly record: PlacedRecord;
}

/** The transactions of a store. */
export class Timeline {
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  /** The revision of etcd at which the store was made. */
  readonly born: number;
  /** Records by the revisions of their last changes: some of the last ones seen. */
  readonly #seen = new Map<number, PlacedRecord>();

  /** Takes the cluster, the store's keys, and when it was made. */
  constructor(gateway: Gateway, keys: Keys, born: number) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.born = born;
  }

  /** How far the store is now. */
  async now(options?: ReadOptions): Promise<Now> {
    const answer = await this.#gateway.range(
      { key: this.#keys.record },
      options,
    );
    const kv = firstOf(answer);
    if (!kv) throw putBack("ahead", 0);
    return {
      record: this.note(recordOf(kv)),
      at: numberOf(answer.header?.revision),
    };
  }

  /** Remembers a record. */
  note(record: PlacedRecord): PlacedRecord {
    const seen = this.#seen;
    seen.delete(record.head);
    seen.set(record.head, record);
    if (seen.size > MOST_SEEN) seen.delete(seen.keys().next().value!);
    return record;
  }

  /** Forgets what it has seen: the cluster was put back. */
  forget(): void {
    this.#seen.clear();
  }

  /** The record as of a revision of etcd; `undefined` if that is compacted. */
  async recordAt(
    at: number,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    try {
      const answer = await this.#gateway.range(
        { key: this.#keys.record, revision: String(at) },
        options,
      );
      const kv = firstOf(answer);
      return kv && this.note(recordOf(kv));
    } catch (error) {
      if (isCompacted(error) || isFuture(error)) return undefined;
      throw error;
    }
  }

  /**
   * The record of the transaction that made a change, or of the beginning for
   * revision 0; `undefined` if the store has not reached it, or if etcd has
   * compacted it.
   */
  async find(
    revision: number,
    now: Now,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    if (revision > now.record.head) return undefined;
    const hints = [...this.#seen.values()];
    const guessed = await this.#search(revision, now, hints, options);
    if (guessed === now.record) return guessed;
    const found = guessed && await this.recordAt(guessed.at, options);
    if (found?.mark === guessed?.mark) return guessed;
    // The hints are of a cluster that was put back since, or all is compacted.
    this.#seen.clear();
    return await this.#search(revision, now, [], options);
  }

  async #search(
    revision: number,
    now: Now,
    hints: readonly PlacedRecord[],
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    // Before `low`, and from `high` on, the store was below and past it.
    let low = { at: this.born - 1, head: -1 };
    let high = now.record;
    for (const seen of hints) {
      if (seen.at > now.record.at) continue;
      if (seen.head >= revision && seen.head < high.head) high = seen;
      if (seen.head < revision && seen.head > low.head) low = seen;
    }
    for (let tries = 0; high.first > revision; tries++) {
      if (low.at >= high.before) {
        // The one before is the last that may have it.
        return await this.#before(high, revision, options);
      }
      const at = guess(low, high, revision, tries);
      const found = await this.recordAt(at, options);
      if (!found) low = { at, head: low.head };
      else if (found.head >= revision) high = found;
      else low = { at, head: found.head };
    }
    return high;
  }

  async #before(
    high: PlacedRecord,
    revision: number,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    if (high.first <= revision) return high;
    const found = await this.recordAt(high.at - 1, options);
    return found && found.first <= revision && found.head >= revision
      ? found
      : undefined;
  }

  /** The moment after a change. Throws `WatchOverflowError` if there is none. */
  async placeOf(
    revision: number,
    now: Now,
    options?: ReadOptions,
  ): Promise<Place> {
    const { record } = now;
    if (revision > record.head) throw putBack("ahead", revision);
    // Nothing was written since.
    if (revision === record.head) return { at: now.at, record };
    const next = await this.find(revision + 1, now, options);
    if (!next) throw prunedPast(revision, await this.oldest(now, options));
    const at = next.at - 1;
    if (next.first <= revision) return { at, record: next };
    const own = await this.recordAt(at, options);
    if (!own) throw prunedPast(revision, await this.oldest(now, options));
    return { at, record: own };
  }

  /** The oldest revision whose change etcd still has; the one that will be, if it has none. */
  async oldest(now: Now, options?: ReadOptions): Promise<number> {
    if (await this.recordAt(this.born, options)) return 1;
    const compacted = await this.#compacted(options);
    const record = await this.recordAt(compacted, options);
    return (record?.head ?? now.record.head) + 1;
  }

  /** Up to where etcd has compacted. */
  async #compacted({ signal }: ReadOptions = {}): Promise<number> {
    const stop = new AbortController();
    const request = { key: this.#keys.meta, start_revision: "1" };
    const answers = this.#gateway.stream(
      "watch",
      { create_request: request },
      AbortSignal.any(signal ? [stop.signal, signal] : [stop.signal]),
    );
    for await (const answer of answers) {
      const { compact_revision } = answer as WatchAnswer;
      if (compact_revision !== undefined) return numberOf(compact_revision);
    }
    return this.born;
  }
}

const MOST_SEEN = 64;

interface Point {
  readonly at: number;
  readonly head: number;
}

/** Where to look next, past `low` and before `high`: by proportion, and now and then in the middle. */
function guess(
  low: Point,
  high: PlacedRecord,
  revision: number,
  tries: number,
): number {
  const { at, first } = high;
  const room = at - low.at;
  const isHalving = tries % 3 === 2 || first <= low.head;
  const part = isHalving
    ? 0.5
    : (revision - low.head) / Math.max(1, first - low.head);
  const step = Math.ceil(room * part);
  return Math.max(low.at + 1, Math.min(at - 1, low.at + step));
}
